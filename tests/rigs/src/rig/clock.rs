//! The wall clock under server and seats jumps by up to a day, forwards and backwards, also across kills (P6): nobody's end moves, and
//! the site's time goes on as time does. Control: time left by the wall clock would be wrong, so the jumps were real.

use super::goes_on;
use crate::{
    chance::Chance,
    report::Report,
    room::{DEADLINE, Given, Room},
};
use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const HOUR_S: u64 = 3_600;
/// P6: time left is right within this, milliseconds. Asking takes part of it.
const ERROR_MS: u64 = 1_000;
/// Every third jump meets a server that was killed.
const KILL_EVERY: u64 = 3;

/// Debian's libfaketime, if it is installed.
pub(crate) fn library() -> Option<PathBuf> {
    let machines = fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let places = machines.flat_map(|dir| [dir.join("faketime"), dir]);
    places.map(|dir| dir.join("libfaketimeMT.so.1")).find(|file| file.is_file())
}

/// What the server says of time.
struct Told {
    asked: Instant,
    at_ms: u64,
    wall_ms: i64,
    ends: BTreeSet<u64>,
}

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let library = library().context("libfaketime")?;
    let jump_file = given.home.join("jump");
    set(&jump_file, 0)?;
    let fake = |command: &mut Command| {
        command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &jump_file);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    };
    let mut room = Room::found(given, "clock", None)?;
    room.admit()?;
    room.begin()?;
    room.site.stop_server()?;
    room.site.start_server_with(fake)?;
    room.kill_seats()?;
    room.start_seats(fake)?;
    room.all_back()?;
    let (mut chance, begun, first) = (Chance::new(given.seed), Instant::now(), tell(&room)?);
    let (mut worst, mut worst_by_wall) = (0, 0);
    while goes_on(given, begun, report.rounds) {
        report.rounds += 1;
        let round = report.rounds;
        let hours = 1 + i64::try_from(chance.below(24))?;
        set(&jump_file, if chance.below(2) == 0 { -hours } else { hours })?;
        if round.is_multiple_of(KILL_EVERY) {
            room.kill_server()?;
            room.lost_at(&room.site.folder().server())?.check(report, round);
            room.site.start_server_with(fake)?;
            room.all_back()?;
        }
        room.acks.wait_more(usize::from(given.seats), DEADLINE)?;
        let now = tell(&room)?;
        let passed = u64::try_from((now.asked - first.asked).as_millis())?;
        let error = (now.at_ms - first.at_ms).abs_diff(passed);
        worst = worst.max(error);
        worst_by_wall = worst_by_wall.max((now.wall_ms - first.wall_ms).abs_diff(i64::try_from(passed)?));
        report.check(error <= ERROR_MS, || format!("round {round}: the site's time is off by {error} ms"));
        report.check(now.ends == first.ends, || {
            format!("round {round}: an end moved: {:?} was {:?}", now.ends, first.ends)
        });
    }
    report.figure("site_time_error_ms_max", worst);
    report.figure("wall_clock_error_ms_max", worst_by_wall);
    report.control_found = worst_by_wall >= HOUR_S * 1_000;
    set(&jump_file, 0)?;
    let kills = room.server_kills;
    let end = room.end()?;
    end.check(report, given.seats);
    report.check(end.kills == kills, || format!("{kills} kills, but the journal tells of {}", end.kills));
    Ok(())
}

fn set(file: &Path, hours: i64) -> Result<()> {
    // Whole at once: the processes read it all the time.
    let fresh = file.with_extension("new");
    fs::write(&fresh, format!("{hours:+}h\n"))?;
    fs::rename(fresh, file)?;
    Ok(())
}

fn tell(room: &Room) -> Result<Told> {
    let (before, status) = (Instant::now(), room.site.server(["status"])?.expect_code(0)?.json()?);
    let asked = before + before.elapsed() / 2;
    let ends = status["rooms"].as_array().into_iter().flatten().filter_map(|room| room["seats"].as_array()).flatten();
    let ends = ends.filter_map(|seat: &Value| seat["ends"].as_u64()).collect();
    let at_ms = status["now"]["at"].as_u64().context("status has no now.at")?;
    let wall_ms = status["now"]["wall"].as_i64().context("status has no now.wall")?;
    Ok(Told { asked, at_ms, wall_ms, ends })
}
