//! `exam-bench`: what our server needs, and in the same run, on the same machine, what the machine could do at best.
//! Never asserts on a time: it reports figures, their spread, and our share of the limit.

mod bare;
mod exam;
mod figures;
mod limits;
mod proc;
mod profile;
mod run;
mod seats;

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Measures limits of this machine and our server side by side, in alternating rounds.
#[derive(Debug, Parser)]
#[command(name = "exam-bench", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    part: Option<Part>,
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

/// The other processes of a run; started by the run itself.
#[derive(Debug, Subcommand)]
enum Part {
    /// The limit: a server that only replies, or only commits and replies.
    #[command(hide = true)]
    Bare(bare::BareArgs),
    /// The candidates' machines, as lean as they can be.
    #[command(hide = true)]
    Seats(seats::SeatsArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.part {
        Some(Part::Bare(bare)) => bare::serve(bare),
        Some(Part::Seats(seats)) => seats::sit(seats),
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
