//! A run: rounds over sizes of the room, and in each the parts that belong to a room of that size. A part that fails is told
//! at the end and fails the run; it does not cost the others' figures.

use crate::{
    Options, Part, campus, cold,
    figures::{Figures, table},
    flush, lean, limits, logins, prefetch,
    targets::{Verdict, verdict_table, verdicts},
    udp, whole,
};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Seats of a room, for what is promised of one room.
pub(crate) const ROOM: u16 = 40;
/// Seats of a campus, for what is promised of many rooms.
pub(crate) const CAMPUS: u16 = 500;

/// One size in one round.
pub(crate) struct Round<'a> {
    pub(crate) options: &'a Options,
    pub(crate) figures: &'a mut Figures,
    /// What could not be measured here, and why.
    pub(crate) skipped: &'a mut BTreeSet<String>,
    pub(crate) seats: u16,
    pub(crate) number: u64,
}

/// A part: measures in a folder of its own.
type Measure = fn(&mut Round<'_>, &Path) -> Result<()>;

/// All parts, and the only size of room each is for.
const PARTS: &[(Part, Option<u16>, Measure)] = &[
    (Part::Lean, None, lean::measure),
    (Part::Whole, None, whole::measure),
    (Part::Logins, Some(ROOM), logins::measure),
    (Part::Prefetch, Some(ROOM), prefetch::measure),
    (Part::Flush, Some(ROOM), flush::measure),
    (Part::Cold, Some(ROOM), cold::measure),
    (Part::Campus, Some(CAMPUS), campus::measure),
];

/// What a run has gathered.
#[derive(Default)]
struct Gathered {
    machine: Figures,
    sizes: BTreeMap<u16, Figures>,
    skipped: BTreeSet<String>,
    failed: Vec<String>,
}

/// Measures everything and prints the report; after every round it is on disk, so that a run that is cut short leaves its rounds.
pub(crate) fn all(options: &Options) -> Result<()> {
    let vanishing = tempfile::tempdir()?;
    let out = options.out.clone().unwrap_or_else(|| vanishing.path().to_owned());
    fs::create_dir_all(&out)?;
    let mut gathered = Gathered::default();
    let mut text = String::new();
    for round in 0..u64::from(options.rounds) {
        let overflows = udp::machine_errors();
        limits::measure(&mut gathered.machine, tempfile::tempdir()?.path())?;
        for seats in &options.seats {
            one_size(options, &out, &mut gathered, (*seats, round))?;
        }
        if let (Some(before), Some(after)) = (overflows, udp::machine_errors()) {
            gathered.machine.note("udp_receive_buffer_errors", after - before);
        }
        text = report(options, &out, &gathered)?;
    }
    print!("{text}");
    ensure!(gathered.failed.is_empty(), "failed: {}", gathered.failed.join("; "));
    Ok(())
}

fn one_size(options: &Options, out: &Path, gathered: &mut Gathered, (seats, number): (u16, u64)) -> Result<()> {
    let Gathered { sizes, skipped, failed, .. } = gathered;
    let figures = sizes.entry(seats).or_default();
    let mut round = Round { options, figures, skipped, seats, number };
    let wanted = |part: &Part| options.parts.is_empty() || options.parts.contains(part);
    for (part, only, measure) in PARTS.iter().filter(|(part, ..)| wanted(part)) {
        if only.is_some_and(|only| only != seats) {
            continue;
        }
        let name = format!("{part:?}").to_lowercase();
        eprintln!("round {} of {}, {seats} seats, {name}", number + 1, options.rounds);
        let folder = out.join(format!("{name}-{seats}-{number}"));
        if let Err(error) = measure(&mut round, &folder) {
            eprintln!("failed: {error:#}");
            failed.push(format!("{name}, {seats} seats, round {}: {error:#}", number + 1));
        }
        if options.out.is_none() && folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}

/// Writes what there is, says it to people, and returns what belongs on stdout.
fn report(options: &Options, out: &Path, gathered: &Gathered) -> Result<String> {
    let Gathered { machine, sizes, skipped, failed } = gathered;
    let machine = machine.settle();
    let sizes: BTreeMap<u16, _> = sizes.iter().map(|(seats, figures)| (*seats, figures.settle())).collect();
    let targets: Vec<Verdict> = sizes.iter().flat_map(|(seats, figures)| verdicts(*seats, figures)).collect();
    let mut text = table("machine", &machine);
    for (seats, figures) in &sizes {
        text.push('\n');
        text.push_str(&table(&format!("{seats} seats"), figures));
    }
    text.push('\n');
    text.push_str(&verdict_table(&targets));
    skipped.iter().for_each(|why| text.push_str(&format!("skipped: {why}\n")));
    let report = json!({
        "bench": "exam-bench", "commit": options.commit, "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "load_average": load_average(), "rounds": gathered.machine.rounds(), "seconds": options.seconds,
        "targets": targets, "skipped": skipped, "failed": failed, "machine": machine, "seats": sizes,
    });
    let files = options.report.iter().cloned().chain([out.join("bench.json")]);
    for file in files.collect::<Vec<PathBuf>>() {
        fs::write(&file, format!("{report:#}\n")).with_context(|| file.display().to_string())?;
    }
    eprintln!("{text}");
    Ok(if options.json { format!("{report:#}\n") } else { String::new() })
}

/// How busy the machine was at the end, everybody's work counted: over 1, 5 and 15 minutes.
fn load_average() -> Option<Vec<f64>> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    Some(text.split_whitespace().take(3).filter_map(|load| load.parse().ok()).collect())
}
