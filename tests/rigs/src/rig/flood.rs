//! An attacker at the same switch floods the server, one way after the other, while seats answer (P11): nobody loses a connection or an answer,
//! saves stay quick, memory stays in bounds. Control: a server that stands still for two seconds must break the bound on saves.

use super::goes_on;
use crate::{
    acks::now_ms,
    report::{Report, Times},
    room::{DEADLINE, Given, Room},
    wire::{Place, Wire},
};
use anyhow::{Context, Result, ensure};
use exam_e2e::process::Running;
use serde_json::{Value, json};
use std::{
    env, fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// P11: almost all saves within this during any flood, milliseconds.
const P99_MS: u64 = 1_000;
/// P11: the server's memory grows by so much at most, KiB.
const GROWTH_KIB: u64 = 128 * 1024;
/// A flood lasts this long at most.
const FLOOD_S_MAX: u64 = 60;
/// Saves without a flood, for comparison.
const CALM: Duration = Duration::from_secs(4);
/// Control: the server stands still for so long.
const STILL: Duration = Duration::from_secs(2);
/// Between two looks at the server's memory.
const LOOK: Duration = Duration::from_millis(200);
/// Kinds of `exam-attacker`, each with the names of its figures.
const KINDS: [(&str, &str, &str); 4] = [
    ("forged", "forged", "forged_save_ms"),
    ("silent", "silent", "silent_save_ms"),
    ("greedy", "greedy", "greedy_save_ms"),
    ("gaps", "gaps", "gaps_save_ms"),
];
/// The one that nothing answers.
const UNANSWERED: usize = 3;

const GREEDY: usize = 2;

/// When a flood was, and what it sent.
struct Flood {
    kind: usize,
    from_ms: u64,
    to_ms: u64,
    sent: u64,
    answered: u64,
    server_kib: u64,
}

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let _wire = Wire::lay()?;
    let mut room = Room::found_across(given, "flood", 1)?;
    room.admit()?;
    let code = room.site.enrol_code(1)?;
    // The greedy machine's candidate signs in like everybody: before the start.
    one(&room, GREEDY, 0, &code)?;
    room.begin()?;
    let seconds = (given.time.as_secs() / (KINDS.len() as u64 + 1)).clamp(1, FLOOD_S_MAX);
    let calm = stretch(CALM);
    let (begun, first_kib, mut peak_kib) = (Instant::now(), resident_kib(&room)?, 0);
    let mut floods = Vec::new();
    while goes_on(given, begun, report.rounds) {
        let kind = usize::try_from(report.rounds)? % KINDS.len();
        report.rounds += 1;
        let flood = one(&room, kind, seconds, &code)?;
        peak_kib = peak_kib.max(flood.server_kib);
        let Flood { sent, answered, .. } = flood;
        let is_a_flood = sent >= seconds && (answered > 0 || kind == UNANSWERED);
        report.check(is_a_flood, || format!("{}: {sent} sent, {answered} answered: no flood", KINDS[kind].0));
        floods.push(flood);
        room.all_back()?;
        room.lost_now()?.check(report, report.rounds);
    }
    let missed = KINDS.len().saturating_sub(floods.len());
    report.check(missed == 0, || format!("no time for {missed} sorts of flood"));
    let growth = peak_kib.saturating_sub(first_kib);
    report.figure("seconds_of_each", seconds);
    report.figure("server_kib_before", first_kib);
    report.figure("server_memory_growth_kib", growth);
    report.within(growth <= GROWTH_KIB, || format!("the server's memory grew by {growth} KiB"));
    let still = stand_still(&room)?;
    room.all_back()?;
    let (end, acks) = room.end_and_acks()?;
    end.check(report, given.seats + 1);
    report.figure("reconnects", end.reconnects);
    report.within(end.reconnects == 0, || format!("seats lost their connection {} times", end.reconnects));
    report.figure("calm_save_ms", acks.made_between(calm.0, calm.1).figures());
    for (kind, (name, flood_figure, times_figure)) in KINDS.iter().enumerate() {
        let of_kind = || floods.iter().filter(move |flood| flood.kind == kind);
        let mut times = Times::default();
        of_kind().for_each(|flood| times.take(acks.made_between(flood.from_ms, flood.to_ms)));
        let p99 = times.within(99);
        report.within(p99.is_some_and(|p99| p99 <= P99_MS), || format!("{name}: p99 of saves {p99:?} ms"));
        let sum = |count: fn(&Flood) -> u64| of_kind().map(count).sum::<u64>();
        let highest_kib = of_kind().map(|flood| flood.server_kib).max();
        report.figure(
            flood_figure,
            json!({ "sent": sum(|flood| flood.sent), "answered": sum(|flood| flood.answered), "server_kib_max": highest_kib }),
        );
        report.figure(times_figure, times.figures());
    }
    let mut slow = acks.made_between(still.0, still.1);
    report.control_found = slow.within(99).is_some_and(|p99| p99 > P99_MS);
    report.figure("control_save_ms", slow.figures());
    Ok(())
}

fn stretch(lasts: Duration) -> (u64, u64) {
    let from = now_ms();
    thread::sleep(lasts);
    (from, now_ms())
}

/// One flood.
fn one(room: &Room, kind: usize, seconds: u64, code: &str) -> Result<Flood> {
    let site = &room.site;
    let beside_us = env::current_exe()?.with_file_name(format!("exam-attacker{}", env::consts::EXE_SUFFIX));
    let mut command = Command::new(beside_us);
    command.args([KINDS[kind].0, "--server", site.address()?, "--seconds", &seconds.to_string(), "--enrol", code]);
    let (trust, roster, data) = (site.public_file(), site.write_seating()?, site.folder().root().join("greedy"));
    for (option, path) in [("--trust", trust), ("--roster", roster), ("--data", data)] {
        command.arg(option).arg(path);
    }
    let from_ms = now_ms();
    let attacker = Running::start(Place::Attacker.of(&command), "attacker", &site.folder().logs())?;
    let (until, mut server_kib) = (Instant::now() + Duration::from_secs(seconds), 0);
    while Instant::now() < until {
        server_kib = server_kib.max(resident_kib(room)?);
        thread::sleep(LOOK);
    }
    let to_ms = now_ms();
    let (status, said) = attacker.finish(DEADLINE)?;
    ensure!(status.success(), "the attacker ({}) ended with {status}; see its log", KINDS[kind].0);
    let said: Value = serde_json::from_str(&said).context("the attacker's figures")?;
    let count = |name: &str| said[name].as_u64().with_context(|| format!("the attacker did not say: {name}"));
    Ok(Flood { kind, from_ms, to_ms, sent: count("sent")?, answered: count("answered")?, server_kib })
}

/// Memory of the server's process that is in use.
fn resident_kib(room: &Room) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", room.site.server_id().context("the server runs")?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Control: the server stands still. When that was.
fn stand_still(room: &Room) -> Result<(u64, u64)> {
    signal(room, "STOP")?;
    let still = stretch(STILL);
    signal(room, "CONT")?;
    Ok(still)
}

fn signal(room: &Room, name: &str) -> Result<()> {
    let id = room.site.server_id().context("the server runs")?;
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status()?;
    ensure!(sent.success(), "the server could not be sent {name}");
    Ok(())
}
