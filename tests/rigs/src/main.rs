//! `exam-rig`: does to real processes what may happen to a site, and says whether every acknowledged answer was kept. Never leaves a
//! process, a mount or a folder behind, and never calls a run good whose negative control was not found out.

mod acks;
mod chance;
mod disk;
mod inside;
mod report;
mod rig;
mod rogue;
mod room;
mod tap;
mod wire;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use exam_e2e::programs::Programs;
use report::Report;
use ring::rand::{SecureRandom, SystemRandom};
use room::Given;
use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

/// One rig, or all of them, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    All,
    /// P1, P13: `kill -9` of server, of seats, of both.
    Kill,
    /// P1: power cuts under the server.
    PowerCut,
    /// P12: the server's disk fills up.
    DiskFull,
    /// P6: the wall clocks jump.
    Clock,
    /// P14: kills while the standing backup is brought up to date, and a restore from it.
    Backup,
    /// P2: the server's machine burns.
    DiskGone,
    /// P4, P3: losses, bottlenecks, cuts between server and seats.
    Network,
    /// P9: servers that are not the site's.
    Rogue,
    /// P11: floods.
    Flood,
}

/// Rounds of one test run, of the long run, and seconds after which no further round begins.
struct Budget {
    which: Which,
    name: &'static str,
    rounds: u64,
    long: u64,
    seconds: u64,
}

const BUDGETS: [Budget; 9] = [
    Budget { which: Which::Kill, name: "kill", rounds: 200, long: 2_000, seconds: 300 },
    Budget { which: Which::PowerCut, name: "power-cut", rounds: 100, long: 500, seconds: 210 },
    Budget { which: Which::DiskFull, name: "disk-full", rounds: 3, long: 50, seconds: 25 },
    Budget { which: Which::Clock, name: "clock", rounds: 12, long: 200, seconds: 25 },
    Budget { which: Which::Backup, name: "backup", rounds: 50, long: 500, seconds: 90 },
    Budget { which: Which::DiskGone, name: "disk-gone", rounds: 8, long: 100, seconds: 30 },
    Budget { which: Which::Network, name: "network", rounds: 12, long: 200, seconds: 140 },
    Budget { which: Which::Rogue, name: "rogue", rounds: 8, long: 80, seconds: 60 },
    Budget { which: Which::Flood, name: "flood", rounds: 4, long: 40, seconds: 60 },
];
/// The long run may take this many times as long as its rounds suggest.
const LONG_SECONDS: u64 = 4 * 3_600;

/// Kills, power cuts, full disks, wrong clocks, burnt servers, bad networks, rogue servers, floods: on real processes, with a control that must fail.
#[derive(Parser, Debug)]
#[command(
    name = "exam-rig",
    version,
    after_help = "Exit codes: 0 held, or could not run here; 1 did not hold; 2 wrong use."
)]
struct Options {
    /// Which one.
    #[arg(value_enum)]
    rig: Which,
    /// Rounds; each rig has its own number of them.
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// No further round begins after so many seconds.
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// The long run.
    #[arg(long)]
    long: bool,
    /// Live headless seats.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(2..=200))]
    seats: u16,
    /// Of who dies and when; random unless given.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Keep folders and logs here instead of deleting them.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Write the report here too, a list with one object a rig.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The report as JSON on stdout.
    #[arg(long)]
    json: bool,
    /// In a world of its own already.
    #[arg(long, hide = true)]
    inside: bool,
    /// With a network of its own.
    #[arg(long, hide = true)]
    own_network: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let run = if !options.inside && inside::is_possible() { inside::enter() } else { all(&options) };
    run.unwrap_or_else(|error| {
        eprintln!("exam-rig: {error:#}");
        ExitCode::FAILURE
    })
}

fn all(options: &Options) -> Result<ExitCode> {
    if options.inside {
        inside::end_with_parent()?;
    }
    if options.own_network {
        inside::raise_loopback()?;
    }
    let seed = options.seed.map_or_else(random_seed, Ok)?;
    let chosen = BUDGETS.iter().filter(|budget| matches!(options.rig, Which::All) || options.rig == budget.which);
    let mut reports = Vec::new();
    for budget in chosen {
        let report = one(options, budget, seed)?;
        eprintln!("{}", report.in_words());
        reports.push(report);
    }
    let text = format!("{}\n", serde_json::to_string_pretty(&reports)?);
    if let Some(file) = &options.report {
        std::fs::write(file, &text).with_context(|| format!("{}", file.display()))?;
    }
    if options.json {
        print!("{text}");
    }
    let well = reports.iter().all(Report::is_no_failure);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one(options: &Options, budget: &Budget, seed: u64) -> Result<Report> {
    let rounds = options.rounds.unwrap_or(if options.long { budget.long } else { budget.rounds });
    let seconds = options.seconds.unwrap_or(if options.long { LONG_SECONDS } else { budget.seconds });
    let mut report = Report::new(budget.name, seed, rounds);
    if let Some(why) = impossible(options, budget.which) {
        return Ok(report.skip(why));
    }
    eprintln!("{}: seed {seed}, up to {rounds} rounds", budget.name);
    let scratch = tempfile::Builder::new().prefix("exam-rig-").tempdir()?;
    let home = match &options.keep {
        Some(keep) => keep.join(budget.name),
        None => scratch.path().to_path_buf(),
    };
    std::fs::create_dir_all(&home)?;
    let (seats, time) = (options.seats, Duration::from_secs(seconds));
    let given = Given { programs: Programs::beside_us()?, home: home.canonicalize()?, seats, seed, rounds, time };
    let begun = Instant::now();
    let run = match budget.which {
        Which::PowerCut => rig::power_cut::run,
        Which::DiskFull => rig::disk_full::run,
        Which::Clock => rig::clock::run,
        Which::Backup => rig::backup::run,
        Which::DiskGone => rig::disk_gone::run,
        Which::Network => rig::network::run,
        Which::Rogue => rig::rogue::run,
        Which::Flood => rig::flood::run,
        Which::Kill | Which::All => rig::kill::run,
    };
    if let Err(error) = run(&given, &mut report) {
        report.problem(format!("round {}: {error:#}", report.rounds));
    }
    report.seconds = begun.elapsed().as_secs();
    report.judge();
    Ok(report)
}

/// Why a rig cannot run here.
fn impossible(options: &Options, which: Which) -> Option<String> {
    match which {
        Which::PowerCut | Which::DiskFull if !options.inside => {
            Some("mounting needs root and namespaces of Linux (unshare --mount --pid)".to_owned())
        }
        Which::PowerCut | Which::DiskFull => {
            disk::try_images().err().map(|error| format!("no image can be mounted and cut off: {error:#}"))
        }
        Which::Clock if rig::clock::library().is_none() => {
            Some("libfaketime is not installed (Debian: faketime)".to_owned())
        }
        Which::Network | Which::Rogue | Which::Flood if !options.own_network => {
            Some("a network of its own needs root, namespaces of Linux (unshare --net) and iproute2".to_owned())
        }
        Which::Network | Which::Rogue | Which::Flood => {
            wire::Wire::lay().err().map(|error| format!("no network can be laid: {error:#}"))
        }
        Which::Backup | Which::Clock | Which::Kill | Which::DiskGone | Which::All => None,
    }
}

/// Small enough to be typed again.
fn random_seed() -> Result<u64> {
    let mut bytes = [0; 4];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no randomness"))?;
    Ok(u64::from(u32::from_le_bytes(bytes)))
}
