//! The server's disk fills up while seats answer (P12): no acknowledgement without a commit, the seats go on, people are told in
//! words, and with space back everything syncs. Control: while the disk is full nothing may sync, and an older copy of the journal
//! must be found to lack answers.

use super::goes_on;
use crate::{
    chance::Chance,
    disk::Image,
    report::{Report, Times},
    room::{DEADLINE, Given, Room},
};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

const DISK_BYTES: u64 = 96 * 1024 * 1024;
const FILL_BYTES: usize = 4096;
/// The disk stays full for this long, and up to so much longer.
const FULL_MS: u64 = 2_000;
const FULL_MORE_MS: u64 = 2_000;
/// No acknowledgement for so long is silence: forty seats send one every few milliseconds.
const QUIET: Duration = Duration::from_millis(1_000);
/// What the server says to whoever wants something written.
const SENTENCE: &str = "腾出磁盘空间";
/// What its status says before and then.
const WARNING: &str = "磁盘剩余不足 5 GiB";

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let mount = given.home.join("small");
    let disk = Image::make(&given.home.join("small.img"), &mount, DISK_BYTES)?;
    let mut room = Room::found(given, "full", Some(&mount.join("server")))?;
    room.admit()?;
    room.begin()?;
    let copy = given.home.join("older-copy");
    room.site.server(["backup".as_ref(), "--out".as_ref(), copy.as_os_str()])?.expect_code(0)?;
    let (mut chance, mut back, begun) = (Chance::new(given.seed), Times::default(), Instant::now());
    let (mut quiet_rounds, mut most_unsaved, mut told) = (0, 0, 0);
    while goes_on(given, begun, report.rounds) {
        room.acks.wait_more(1, DEADLINE)?;
        report.rounds += 1;
        let round = report.rounds;
        fill(&mount.join("filler"))?;
        let full_for = Duration::from_millis(FULL_MS + chance.below(FULL_MORE_MS));
        wait_silence(&mut room)?;
        quiet_rounds += u64::from(room.acks.wait_more(1, full_for).is_err());
        let unsaved = unsaved(&room)?;
        most_unsaved = most_unsaved.max(unsaved);
        report.check(unsaved > 0, || format!("round {round}: no seat typed on while the disk was full"));
        told += u64::from(says_so(&room)?);
        let status = room.site.server_in_words(&["status"])?;
        report.check(status.contains(WARNING), || format!("round {round}: the status does not warn of the disk"));
        room.lost_now()?.check(report, round);
        fs::remove_file(mount.join("filler"))?;
        back.add(room.all_back()?);
        room.lost_now()?.check(report, round);
    }
    report.figure("rounds_without_any_acknowledgement", quiet_rounds);
    report.figure("unsaved_at_the_seats_max", most_unsaved);
    report.figure("rounds_with_the_sentence", told);
    report.figure("space_to_every_seat_saved_ms", back.figures());
    report.check(quiet_rounds == report.rounds, || "acknowledgements came while the disk was full".to_owned());
    report.check(told == report.rounds, || format!("nobody was told in words ({SENTENCE})"));
    let older = room.lost_at(&copy)?.versions;
    report.figure("control_lost", older);
    report.control_found = older > 0 && quiet_rounds > 0;
    room.end()?.check(report, given.seats);
    drop(disk);
    Ok(())
}

/// A full disk still takes what fits into space the journal has already, and that is acknowledged with right; then there is silence.
fn wait_silence(room: &mut Room) -> Result<()> {
    let begun = Instant::now();
    while room.acks.wait_more(1, QUIET).is_ok() {
        ensure!(begun.elapsed() < DEADLINE, "the disk is full and acknowledgements go on and on");
    }
    Ok(())
}

/// Writes until there is no space for anything.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    for size in [FILL_BYTES * 64, FILL_BYTES, 1] {
        while file.write_all(&vec![0xa5; size]).is_ok() {}
    }
    Ok(())
}

/// Answers that wait at the seats, as the server's status tells.
fn unsaved(room: &Room) -> Result<u64> {
    let status = room.site.server(["status"])?.expect_code(0)?.json()?;
    let rooms = status["rooms"].as_array().cloned().unwrap_or_default();
    let seats = rooms.iter().filter_map(|room| room["seats"].as_array()).flatten();
    Ok(seats.filter_map(|seat: &Value| seat["unsaved"].as_u64()).sum())
}

/// Whether a person who wants something written is told why not.
fn says_so(room: &Room) -> Result<bool> {
    let refused = room.site.server(["enrol-code", "--role", "station", "--uses", "1"])?;
    Ok(refused.code != Some(0) && refused.stderr.contains(SENTENCE))
}
