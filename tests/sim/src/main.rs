//! `exam-sim`: runs seeds of the simulator and says what came of them. Never hides a seed that failed.

use anyhow::{Context, Result};
use clap::Parser;
use exam_sim::{
    run::{Outcome, Plan, run},
    site::Site,
};
use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

/// Seeds of `--long`.
const LONG_SEEDS: u64 = 20_000;
/// Seats of `--long`.
const LONG_SEATS: usize = 40;

/// Whole exams on virtual time, network and disk, from seeds.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// How many seeds, one after the other.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed; alone, the only one.
    #[arg(long)]
    seed: Option<u64>,
    /// Candidates in the room.
    #[arg(long)]
    seats: Option<usize>,
    /// Many seeds with a whole room.
    #[arg(long)]
    long: bool,
    /// Runs each seed twice and compares.
    #[arg(long)]
    twice: bool,
    /// Stops after so many minutes of real time.
    #[arg(long, default_value_t = 600)]
    minutes: u64,
    /// One report as JSON on stdout.
    #[arg(long)]
    json: bool,
    /// Writes the report here too.
    #[arg(long, value_name = "FILE")]
    report: Option<std::path::PathBuf>,
    /// Where to write, for each seed, the lines its hash is over.
    #[arg(long)]
    lines: Option<std::path::PathBuf>,
    /// Says what happened in each run.
    #[arg(long)]
    story: bool,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    match all(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn all(args: &Args) -> Result<bool> {
    let (seeds, seats) = if args.long { (LONG_SEEDS, LONG_SEATS) } else { (20, 6) };
    let seats = args.seats.unwrap_or(seats);
    let first = args.seed.unwrap_or(1);
    let seeds = args.seeds.unwrap_or(if args.seed.is_some() { 1 } else { seeds });
    let site = Arc::new(Site::found(seats).context("founding the site")?);
    let began = Instant::now();
    let mut reports = Vec::new();
    let mut well = true;
    for seed in first..first.saturating_add(seeds) {
        if began.elapsed() > Duration::from_secs(args.minutes * 60) {
            eprintln!("stopped after {} minutes", args.minutes);
            break;
        }
        let report = one(&site, seed, args).unwrap_or_else(|error| {
            eprintln!("seed {seed}: the run itself failed: {error:#}");
            serde_json::json!({ "seed": seed, "well": false, "error": format!("{error:#}") })
        });
        well &= report["well"] == true;
        reports.push(report);
    }
    let done = reports.len();
    let failed: Vec<_> = reports.iter().filter(|report| report["well"] != true).map(|report| &report["seed"]).collect();
    eprintln!(
        "{done} seeds, {seats} seats, {} failed {failed:?}, {:.1} s",
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    let report = serde_json::json!({ "seats": seats, "seeds": done, "twice": args.twice, "runs": reports });
    if let Some(file) = &args.report {
        std::fs::write(file, format!("{report}\n")).with_context(|| format!("{}", file.display()))?;
    }
    if args.json {
        println!("{report}");
    }
    Ok(well && done > 0)
}

fn one(site: &Arc<Site>, seed: u64, args: &Args) -> Result<serde_json::Value> {
    let began = Instant::now();
    let plan = Plan { seed, plant: None, script: None };
    let outcome = run(site, &plan)?;
    let again = if args.twice { Some(run(site, &plan)?) } else { None };
    let same = again.as_ref().is_none_or(|again| again.hash == outcome.hash);
    tell(&outcome, began.elapsed(), args);
    if let Some(folder) = &args.lines {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(format!("{seed}.txt")), outcome.lines.join("\n"))?;
    }
    if let Some(again) = again.filter(|_| !same) {
        let apart = outcome.lines.iter().zip(&again.lines).find(|(a, b)| a != b);
        eprintln!("seed {seed}: two runs differ, first at {apart:?}");
    }
    let well = outcome.faults.is_empty() && same;
    Ok(serde_json::json!({
        "seed": seed, "well": well, "same": same, "hash": outcome.hash, "faults": outcome.faults, "figures": outcome.figures,
    }))
}

fn tell(outcome: &Outcome, took: Duration, args: &Args) {
    let figures = &outcome.figures;
    eprintln!(
        "seed {:>6}  {}  faulty {:>4}  {:>5} facts  {:>5} acked  {} starts  synced {:?} ms  {:.1} s",
        outcome.seed,
        &outcome.hash[..8],
        outcome.script.faulty,
        figures.facts,
        figures.acked,
        figures.server_starts,
        figures.synced_after_ms,
        took.as_secs_f64(),
    );
    if args.story || !outcome.faults.is_empty() {
        eprintln!("{}", outcome.story());
    }
    for fault in outcome.faults.iter().take(20) {
        eprintln!("seed {}: {}: {}", outcome.seed, fault.check, fault.what);
    }
}
