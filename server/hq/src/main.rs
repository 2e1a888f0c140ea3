//! `exam-hq`: the other end (评价组织): keys, papers, packages, unlock codes, bundles, marks. Parses the command line and
//! hands each command to its file; never touches a key or a paper itself.

mod bundle;
mod code;
mod disk;
mod exit;
mod grant;
mod keys;
mod mark;
mod package;
mod paper;
mod plan;
mod sample;

use clap::{Parser, Subcommand};
use exit::Say;
use std::process::ExitCode;

/// Keys, sealed exam packages, unlock codes, result bundles and marks of the certifying body (评价组织).
#[derive(Parser)]
#[command(name = "exam-hq", version, after_help = exit::EXIT_CODES_HELP)]
struct Cli {
    /// Print one JSON object on stdout instead of sentences; diagnostics stay on stderr.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// HQ's keys: signing (minisign) and opening (age).
    #[command(subcommand, after_help = exit::EXIT_CODES_HELP)]
    Keys(KeysCommand),
    /// Question papers (试卷) from question banks (题库).
    #[command(subcommand, after_help = exit::EXIT_CODES_HELP)]
    Paper(PaperCommand),
    /// Sealed exam packages (考试包).
    #[command(subcommand, after_help = exit::EXIT_CODES_HELP)]
    Package(PackageCommand),
    /// Unlock codes (启封码) and time grants (延时码).
    #[command(subcommand, after_help = exit::EXIT_CODES_HELP)]
    Code(CodeCommand),
    /// Result bundles (成绩包).
    #[command(subcommand, after_help = exit::EXIT_CODES_HELP)]
    Bundle(BundleCommand),
    /// Mark objective items of opened bundles and write the result table (成绩表).
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Mark(mark::MarkArgs),
    /// Write a folder of invented sample input: roster, rooms, photos, question bank, plan.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Sample(sample::SampleArgs),
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make HQ's key pair and age identity; refuses to overwrite.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    New(keys::NewArgs),
}

#[derive(Subcommand)]
enum PaperCommand {
    /// Read a question bank (.xlsx, .csv) and write a paper with its answer key.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Import(paper::ImportArgs),
    /// Counts by kind, points and warnings of a paper.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Show(paper::ShowArgs),
}

#[derive(Subcommand)]
enum PackageCommand {
    /// Build a sealed, signed package from a plan; writes the unlock codes beside it, for HQ alone.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Build(package::BuildArgs),
}

#[derive(Subcommand)]
enum CodeCommand {
    /// Print the unlock code of a sitting's paper.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Unlock(code::UnlockArgs),
    /// Print a code that grants more time than a site may by itself (延时码).
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Extend(code::ExtendArgs),
}

#[derive(Subcommand)]
enum BundleCommand {
    /// Open a bundle in memory and check everything in it; says what is wrong and where.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Verify(bundle::VerifyArgs),
    /// Verify a bundle and write its files into a new folder.
    #[command(after_help = exit::EXIT_CODES_HELP)]
    Open(bundle::OpenArgs),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) => return Say::new(std::env::args_os().any(|arg| arg == "--json")).wrong_usage(&wrong),
    };
    let say = Say::new(cli.json);
    match exit::guarded(|| run(&cli.command, &say)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say.failure(&error),
    }
}

fn run(command: &Command, say: &Say) -> anyhow::Result<()> {
    match command {
        Command::Keys(KeysCommand::New(args)) => keys::new(args, say),
        Command::Paper(PaperCommand::Import(args)) => paper::import(args, say),
        Command::Paper(PaperCommand::Show(args)) => paper::show(args, say),
        Command::Package(PackageCommand::Build(args)) => package::build(args, say),
        Command::Code(CodeCommand::Unlock(args)) => code::unlock(args, say),
        Command::Code(CodeCommand::Extend(args)) => code::extend(args, say),
        Command::Bundle(BundleCommand::Verify(args)) => bundle::verify(args, say),
        Command::Bundle(BundleCommand::Open(args)) => bundle::open(args, say),
        Command::Mark(args) => mark::run(args, say),
        Command::Sample(args) => sample::run(args, say),
    }
}
