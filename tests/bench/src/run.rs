//! A run: rounds over sizes of the room; in each, the limits and ours in turn, the first of the two changing every round, so
//! that a machine that grows warm or busy is not held against one of them.

use crate::{
    Options,
    exam::{Room, Span, all_in, figures_of},
    figures::{Figures, table, verdict_table, verdicts},
    limits, proc, profile,
    seats::Deed,
};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Instant, UNIX_EPOCH},
};

/// Saves a seat of a paced room makes, milliseconds apart.
const PACE_MS: u64 = 2_000;
/// Pause of a seat that waits for the server to die.
const BUSY_PACE_MS: u64 = 200;

/// One size in one round.
struct Turn<'a> {
    options: &'a Options,
    figures: &'a mut Figures,
    room: Room,
    folder: &'a Path,
}

/// Measures everything and prints the report.
pub(crate) fn all(options: &Options) -> Result<()> {
    let vanishing = tempfile::tempdir()?;
    let out = options.out.clone().unwrap_or_else(|| vanishing.path().to_owned());
    fs::create_dir_all(&out)?;
    let (mut machine, mut sizes): (_, BTreeMap<u16, Figures>) = (Figures::default(), BTreeMap::new());
    for round in 0..u64::from(options.rounds) {
        limits::measure(&mut machine, tempfile::tempdir()?.path())?;
        for seats in &options.seats {
            eprintln!("round {} of {}, {seats} seats", round + 1, options.rounds);
            let figures = sizes.entry(*seats).or_default();
            let folder = out.join(format!("room-{seats}-{round}"));
            lean_room(options, figures, &folder, (*seats, round))?;
            whole_candidates(options, figures, &out.join(format!("candidates-{seats}-{round}")), (*seats, round))?;
            if options.out.is_none() {
                fs::remove_dir_all(&folder)?;
            }
        }
    }
    report(options, &out, &machine, &sizes)
}

/// Limits and ours, with seats that cost nothing themselves.
fn lean_room(options: &Options, figures: &mut Figures, folder: &Path, (seats, round): (u16, u64)) -> Result<()> {
    let room = Room::open(folder, seats, round)?;
    let mut turn = Turn { options, figures, room, folder };
    turn.enrol()?;
    if round % 2 == 0 {
        turn.limits()?;
        turn.ours()
    } else {
        turn.ours()?;
        turn.limits()
    }
}

impl Turn<'_> {
    fn enrol(&mut self) -> Result<()> {
        let enrolled = figures_of(self.room.seats(Deed::Enrol, None, &[])?)?;
        self.note("ours_enrol_all_ms", &enrolled["all_ms"], 1.0)
    }

    fn limits(&mut self) -> Result<()> {
        let echo = self.room.bare(false)?;
        let span = Span::begin(echo.id())?;
        let mut seats = self.room.seats(Deed::Storm, Some(&echo), &[])?;
        let inside = all_in(&mut seats)?;
        let per_seat = span.cpu_us()? / f64::from(self.room.seats);
        self.figures.note("bare_handshake_cpu_us", per_seat);
        self.note("bare_handshake_all_ms", &inside["max"], 1e-3)?;
        drop(seats);
        self.closed("bare_echo", echo.id(), Some(&echo))?;
        drop(echo);
        let commits = self.room.bare(true)?;
        self.closed("bare_commit", commits.id(), Some(&commits))?;
        self.paced("bare_paced", Some(&commits))
    }

    fn ours(&mut self) -> Result<()> {
        let server = self.room.server_id()?;
        let (span, before) = (Span::begin(server)?, proc::used(server)?);
        let mut seats = self.room.seats(Deed::Storm, None, &[])?;
        let inside = all_in(&mut seats)?;
        let (each, after) = (f64::from(self.room.seats), proc::used(server)?);
        self.figures.note("ours_sign_in_cpu_us", span.cpu_us()? / each);
        self.note("ours_sign_in_all_ms", &inside["max"], 1e-3)?;
        self.figures.note("ours_idle_mib", before.resident_kib / 1024.0);
        self.figures.note("ours_kib_per_seat", (after.resident_kib - before.resident_kib).max(0.0) / each);
        drop(seats);
        self.room.start()?;
        self.closed("ours_acks", server, None)?;
        self.paced("ours_paced", None)?;
        self.figures.note("ours_peak_mib", proc::used(server)?.peak_kib / 1024.0);
        self.again()
    }

    /// One save after the other at every seat.
    fn closed(&mut self, name: &str, server: u32, bare: Option<&crate::exam::Bare>) -> Result<()> {
        let seconds = self.options.seconds;
        let mut seats = self.room.seats(Deed::Closed, bare, &[("seconds", seconds)])?;
        all_in(&mut seats)?;
        let (span, threads) = (Span::begin(server)?, proc::by_thread(server));
        let wanted = self.options.profile && bare.is_none();
        let sampling = wanted.then(|| profile::begin(server, self.folder, seconds.max(2) - 1));
        let figures = figures_of(seats)?;
        let saves = figures["saves"].as_f64().context("saves")?;
        self.note(&format!("{name}_per_s"), &figures["per_s"], 1.0)?;
        self.note(&format!("{name}_p99_ms"), &figures["us"]["p99"], 1e-3)?;
        self.figures.note(&format!("{}_cpu_us", name.trim_end_matches('s')), span.cpu_us()? / saves);
        for (thread, seconds) in proc::by_thread(server) {
            let used = (seconds - threads.get(&thread).copied().unwrap_or(0.0)) * 1e6 / saves;
            self.figures.note(&format!("{name}_thread_{thread}_us"), used);
        }
        if let Some(sampling) = sampling {
            eprintln!("{}", profile::end(sampling, self.folder, &self.folder.join("profile.txt")));
        }
        Ok(())
    }

    /// A room at work: a save a seat every two seconds.
    fn paced(&mut self, name: &str, bare: Option<&crate::exam::Bare>) -> Result<()> {
        let options = [("seconds", self.options.seconds.max(4)), ("every", PACE_MS)];
        let figures = figures_of(self.room.seats(Deed::Paced, bare, &options)?)?;
        self.note(&format!("{name}_p50_ms"), &figures["us"]["p50"], 1e-3)?;
        self.note(&format!("{name}_p99_ms"), &figures["us"]["p99"], 1e-3)
    }

    /// `kill -9`, restart, and everybody saves again.
    fn again(&mut self) -> Result<()> {
        let mut seats = self.room.seats(Deed::Again, None, &[("every", BUSY_PACE_MS)])?;
        all_in(&mut seats)?;
        let facts = self.room.site.server(["verify"])?.expect_code(0)?.json()?;
        self.room.site.kill_server()?;
        let (killed, begun) = (UNIX_EPOCH.elapsed()?.as_millis() as f64, Instant::now());
        self.room.site.start_server()?;
        let starting_s = begun.elapsed().as_secs_f64();
        let back = figures_of(seats)?;
        let last = back["last_unix_ms"].as_f64().context("last_unix_ms")?;
        self.figures.note("ours_restart_ms", starting_s * 1e3);
        if let Some(facts) = facts["facts"].as_f64() {
            self.figures.note("ours_cold_start_facts_per_s", facts / starting_s);
        }
        self.figures.note("ours_again_all_ms", last - killed);
        Ok(())
    }

    fn note(&mut self, name: &str, value: &Value, times: f64) -> Result<()> {
        self.figures.note(name, value.as_f64().with_context(|| format!("{name} is no figure: {value}"))? * times);
        Ok(())
    }
}

/// Candidates as they are: with journals, papers and views. Sign-in, start, a room at work, the end and the export.
fn whole_candidates(options: &Options, figures: &mut Figures, folder: &Path, (seats, round): (u16, u64)) -> Result<()> {
    let mut room = Room::open(folder, seats, round)?;
    let load = room.candidates(PACE_MS, options.seconds.max(6))?;
    room.start()?;
    let mut load = load;
    load.wait_synced(crate::exam::DEADLINE, |_| {})?;
    room.site.act("end", &room.sitting)?;
    let found = load.wait_figures(crate::exam::DEADLINE)?;
    for (name, value) in [
        ("ours_login_p99_ms", &found["login_ms"]["p99"]),
        ("ours_start_p99_ms", &found["start_ms"]["p99"]),
        ("ours_candidates_ack_p99_ms", &found["ack_ms"]["p99"]),
    ] {
        figures.note(name, value.as_f64().with_context(|| format!("{name}: {found}"))?);
    }
    let span = Span::begin(room.server_id()?)?;
    let bundle: PathBuf = room.site.export(&room.sitting, &room.site.folder().bundle())?;
    figures.note("ours_export_ms", span.ms());
    figures.note("ours_bundle_kib", fs::metadata(bundle)?.len() as f64 / 1024.0);
    room.site.stop_server()?;
    if options.out.is_none() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn report(options: &Options, out: &Path, machine: &Figures, sizes: &BTreeMap<u16, Figures>) -> Result<()> {
    let machine = machine.settle();
    let sizes: BTreeMap<u16, _> = sizes.iter().map(|(seats, figures)| (*seats, figures.settle())).collect();
    let reached: Vec<_> = sizes.iter().flat_map(|(seats, figures)| verdicts(*seats, figures)).collect();
    let mut text = table("machine", &machine);
    for (seats, figures) in &sizes {
        text.push('\n');
        text.push_str(&table(&format!("{seats} seats"), figures));
    }
    text.push('\n');
    text.push_str(&verdict_table(&reached));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let report = json!({
        "commit": options.commit, "cores": cores, "rounds": options.rounds, "seconds": options.seconds,
        "machine": machine, "seats": sizes, "targets": reached,
    });
    fs::write(out.join("bench.json"), format!("{report:#}\n"))?;
    eprintln!("{text}");
    if options.json {
        println!("{report:#}");
    }
    Ok(())
}
