//! `exam-bench`: what our server needs, and in the same run, on the same machine, what the machine could do at best.
//! Never asserts on a time: it reports figures, their spread, and our share of the limit.

mod bare;
mod campus;
mod cold;
mod consoles;
mod deeds;
mod exam;
mod fetching;
mod figures;
mod flush;
mod lean;
mod limits;
mod logins;
mod prefetch;
mod proc;
mod profile;
mod run;
mod seats;
mod targets;
mod udp;
mod whole;

use clap::{Parser, Subcommand, ValueEnum};
use std::{path::PathBuf, process::ExitCode};

/// Measures limits of this machine and our server side by side, in alternating rounds.
#[derive(Debug, Parser)]
#[command(name = "exam-bench", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    process: Option<Process>,
    #[command(flatten)]
    options: Options,
}

/// What `cargo xtask bench` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Sizes of the room.
    #[arg(long, value_delimiter = ',', default_value = "40,500", value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub(crate) seats: Vec<u16>,
    /// Rounds; the figures are medians over them.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=50))]
    pub(crate) rounds: u8,
    /// Seconds of each measurement under load.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// Print the report as JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the report to this file too; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,
    /// Only these parts; all when left out.
    #[arg(long, value_delimiter = ',', value_enum)]
    pub(crate) parts: Vec<Part>,
    /// Where the report and the logs go; made anew. Without it, nothing is left.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Also say where the server's time goes: by thread, and by function where `perf` is installed.
    #[arg(long)]
    pub(crate) profile: bool,
    /// The commit under test, for the report.
    #[arg(long, default_value = "unknown")]
    pub(crate) commit: String,
}

/// What can be measured apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Seats that cost nothing, and the limits beside them: any size.
    Lean,
    /// Whole candidates with journals: any size.
    Whole,
    /// Staff signing on, of a room of 40.
    Logins,
    /// A large paper, of a room of 40.
    Prefetch,
    /// Flushes counted and slowed, of a room of 40.
    Flush,
    /// Start on a large journal, of a room of 40.
    Cold,
    /// A frozen server, ten thousand sign-ins and a large export, of 500 seats.
    Campus,
}

/// The other processes of a run; started by the run itself.
#[derive(Debug, Subcommand)]
enum Process {
    /// The limit: a server that only replies, or only commits and replies.
    #[command(hide = true)]
    Bare(bare::BareArgs),
    /// The candidates' machines, as lean as they can be.
    #[command(hide = true)]
    Seats(seats::SeatsArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.process {
        Some(Process::Bare(bare)) => bare::serve(bare),
        Some(Process::Seats(seats)) => seats::sit(seats),
        None => run::all(&args.options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("exam-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
