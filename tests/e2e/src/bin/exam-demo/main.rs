//! `exam-demo`: a whole exam on this machine, real programs throughout, the server killed in the middle; then everything is
//! compared. Never reports success unless every check held; never leaves a process behind.

mod exam;
mod phases;
mod room;
mod summary;

use anyhow::Result;
use clap::Parser;
use exam_e2e::{folder::Folder, programs::Programs};
use ring::rand::{SecureRandom, SystemRandom};
use std::{path::PathBuf, process::ExitCode};

/// A whole exam on this machine: sealed package in, seats over QUIC, the server killed in the middle, sealed bundle out.
#[derive(Parser, Debug)]
#[command(name = "exam-demo", version, after_help = "Exit codes: 0 every check held, 1 a check failed, 2 wrong use.")]
struct Options {
    /// Candidates, one a seat (考位); at least six, because something happens to each of six.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(i64::from(room::SEATS_MIN)..=997))]
    seats: u16,
    /// Items of the paper (试题).
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=500))]
    questions: u16,
    /// Where everything is left; replaced if an earlier demo left it.
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    out: PathBuf,
    /// Of the sample data and of the kill's moment; random unless given.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Pause of a candidate between two answers, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 200)]
    think: u64,
    /// Print summary.json on stdout too.
    #[arg(long)]
    json: bool,
    /// Fail if one of age, unzip, sha256sum, minisign is not installed.
    #[arg(long)]
    require_stock_tools: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n演示失败 demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let seed = match options.seed {
        Some(seed) => seed,
        None => random_seed()?,
    };
    let programs = Programs::beside_us()?;
    let folder = Folder::fresh(&options.out)?;
    eprintln!("考点·机考系统 演示  Kaodian demo");
    eprintln!(
        "考位 seats {} · 试题 questions {} · 种子 seed {seed} · {}\n",
        options.seats,
        options.questions,
        folder.root().display()
    );
    let summary = exam::hold(options, seed, programs, &folder)?;
    let text = serde_json::to_string_pretty(&summary)?;
    std::fs::write(folder.root().join("summary.json"), format!("{text}\n"))?;
    summary.explain(&folder);
    if options.json {
        println!("{text}");
    }
    summary.judge(options.require_stock_tools)
}

/// Small enough to be typed again.
fn random_seed() -> Result<u64> {
    let mut bytes = [0; 4];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no randomness"))?;
    Ok(u64::from(u32::from_le_bytes(bytes)))
}
