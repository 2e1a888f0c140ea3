//! `kill -9` of the server, of the seats, of both, at drawn moments (P1, P13). Control: the same comparison with a copy of the
//! journal that is a moment older must find the answers of that moment missing.

use super::{back_again, goes_on};
use crate::{
    chance::Chance,
    report::{Report, Times},
    room::{DEADLINE, Given, Room},
};
use anyhow::Result;
use std::{
    thread,
    time::{Duration, Instant},
};

/// The kill comes within this after an acknowledgement.
const MOMENT_MS: u64 = 120;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Server,
    Seats,
    Both,
}

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let mut room = Room::found(given, "kill", None)?;
    room.admit()?;
    room.begin()?;
    let (mut chance, mut back, begun) = (Chance::new(given.seed), Times::default(), Instant::now());
    while goes_on(given, begun, report.rounds) {
        let who = match chance.below(10) {
            0..=6 => Who::Server,
            7..=8 => Who::Seats,
            _ => Who::Both,
        };
        room.acks.wait_more(1, DEADLINE)?;
        thread::sleep(Duration::from_millis(chance.below(MOMENT_MS)));
        report.rounds += 1;
        round(&mut room, who, report, &mut back)?;
    }
    room.all_back()?;
    control(&mut room, given, report)?;
    report.figure("kills_of_the_server", room.server_kills);
    report.figure("kills_of_the_seats", room.seat_kills);
    report.figure("server_start_to_every_seat_saved_ms", back.figures());
    let kills = room.server_kills;
    let end = room.end()?;
    end.check(report, given.seats);
    report.check(end.kills == kills, || format!("{kills} kills, but the journal tells of {}", end.kills));
    Ok(())
}

fn round(room: &mut Room, who: Who, report: &mut Report, back: &mut Times) -> Result<()> {
    if who != Who::Seats {
        room.kill_server()?;
    }
    if who != Who::Server {
        room.kill_seats()?;
    }
    let lost = if who == Who::Seats { room.lost_now()? } else { room.lost_at(&room.site.folder().server())? };
    lost.check(report, report.rounds);
    let restart = Instant::now();
    if who != Who::Server {
        room.start_seats(|_| {})?;
    }
    if who != Who::Seats {
        room.site.start_server()?;
    }
    match who {
        Who::Server => back_again(room, report.rounds, restart, back),
        Who::Seats | Who::Both => Ok(()),
    }
}

fn control(room: &mut Room, given: &Given, report: &mut Report) -> Result<()> {
    let copy = given.home.join("older-copy");
    room.site.server(["backup".as_ref(), "--out".as_ref(), copy.as_os_str()])?.expect_code(0)?;
    room.acks.wait_more(1, DEADLINE)?;
    room.kill_server()?;
    let (here, older) = (room.lost_at(&room.site.folder().server())?, room.lost_at(&copy)?);
    here.check(report, report.rounds + 1);
    report.control_found = older.versions > 0;
    report.figure("control_lost", older.versions);
    room.site.start_server()?;
    room.all_back()?;
    Ok(())
}
