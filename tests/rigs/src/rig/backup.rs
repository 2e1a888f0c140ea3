//! The server is killed while it brings its standing backup up to date (P14): what is in the second place is a whole copy that checks
//! after every kill and never an older one than before; in the end the server's folder burns and that copy serves. Controls: a copy
//! with one changed byte must be refused, and the copy alone, without the seats, must lack answers.

use super::{disk_gone::all_there, goes_on};
use crate::{
    chance::Chance,
    report::{Report, Times},
    room::{DEADLINE, Given, Room},
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// A refresh begins when the server serves; the kill comes within one of these after that. How long a refresh takes is the machine's.
const MOMENTS_MS: [u64; 3] = [5, 15, 40];
/// After so many rounds a refresh is let through to its end.
const WHOLE_EVERY: u64 = 5;
/// Between two looks at the status.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let place = given.home.join("second-place");
    let with = |command: &mut Command| {
        command.arg("--backup").arg(&place);
    };
    let mut room = Room::found(given, "backup", None)?;
    room.admit()?;
    room.begin()?;
    room.site.stop_server()?;
    room.site.start_server_with(with)?;
    let (mut whole, mut chance, begun) = (Times::default(), Chance::new(given.seed), Instant::now());
    wait_backup(&room)?;
    let (mut facts, mut cut_off) = (facts_in(&room, &place)?, 0_u64);
    room.kill_server()?;
    while goes_on(given, begun, report.rounds) {
        report.rounds += 1;
        let round = report.rounds;
        room.site.start_server_with(with)?;
        if round.is_multiple_of(WHOLE_EVERY) {
            let served = Instant::now();
            wait_backup(&room)?;
            whole.add(served.elapsed());
            room.acks.wait_more(usize::from(given.seats), DEADLINE)?;
        } else {
            thread::sleep(Duration::from_millis(chance.below(MOMENTS_MS[round as usize % MOMENTS_MS.len()])));
        }
        room.kill_server()?;
        room.lost_at(&room.site.folder().server())?.check(report, round);
        cut_off += u64::from(is_cut_off(&place)?);
        match facts_in(&room, &place) {
            Ok(now) => {
                report.check(now >= facts, || format!("round {round}: the copy went back from {facts} to {now} facts"));
                facts = now;
            }
            Err(error) => report.problem(format!("round {round}: the copy does not check: {error:#}")),
        }
    }
    room.site.start_server_with(with)?;
    report.figure("refreshes_cut_off", cut_off);
    report.figure("serving_to_fresh_copy_ms", whole.figures());
    report.check(cut_off > 0, || "no kill met a refresh: this proves nothing".to_owned());
    report.control_found = changed_byte_is_refused(&room, given, &place)?;
    drill(&mut room, &place, report)?;
    room.end()?.check(report, given.seats);
    Ok(())
}

/// Waits until the status tells of a copy that was begun in this life of the server.
fn wait_backup(room: &Room) -> Result<()> {
    let begun = Instant::now();
    loop {
        let status = room.site.server(["status"])?.expect_code(0)?.json()?;
        if status["backup"]["taken"].is_u64() {
            ensure!(status["backup"]["failing"] == Value::Bool(false), "the backup fails: {}", status["backup"]);
            return Ok(());
        }
        ensure!(begun.elapsed() < DEADLINE, "no backup came: {}", status["backup"]);
        thread::sleep(LOOK);
    }
}

/// Facts in a copy that checks.
fn facts_in(room: &Room, place: &Path) -> Result<u64> {
    let told = room.site.server_at(place, ["verify"])?.expect_code(0)?.json()?;
    told["facts"].as_u64().context("verify tells no facts")
}

/// Whether a refresh was under way when the server died.
fn is_cut_off(place: &Path) -> Result<bool> {
    let next = place.join("run").join("next");
    Ok(next.exists() && fs::read_dir(next)?.next().is_some())
}

/// The fire: the copy takes the place of the data folder, and the seats bring what it lacks.
fn drill(room: &mut Room, place: &Path, report: &mut Report) -> Result<()> {
    room.acks.wait_more(usize::from(u8::MAX), DEADLINE)?;
    room.kill_server()?;
    room.acks.read()?;
    let data: PathBuf = room.site.folder().server();
    let fire = Instant::now();
    fs::remove_dir_all(&data)?;
    fs::rename(place, &data)?;
    let lacks = room.lost_at(&data)?.versions;
    report.figure("control_lacked_by_the_copy_alone", lacks);
    report.control_found &= lacks > 0;
    room.site.start_server()?;
    let back = all_there(room, fire)?;
    report.figure("fire_to_every_version_back_ms", u64::try_from(back.as_millis())?);
    room.all_back()?;
    Ok(())
}

fn changed_byte_is_refused(room: &Room, given: &Given, place: &Path) -> Result<bool> {
    let copy = given.home.join("changed-copy");
    room.site.server(["backup".as_ref(), "--out".as_ref(), copy.as_os_str()])?.expect_code(0)?;
    let whole = facts_in(room, &copy).is_ok() && facts_in(room, place).is_ok();
    let journal = copy.join("journal.db");
    let mut bytes = fs::read(&journal)?;
    // In the last page that holds text of a fact.
    let at = bytes.windows(8).rposition(|window| window == b"\"number\"").context("the journal holds no answer")?;
    bytes[at + 1] ^= 1;
    fs::write(&journal, bytes)?;
    Ok(whole && facts_in(room, &copy).is_err())
}
