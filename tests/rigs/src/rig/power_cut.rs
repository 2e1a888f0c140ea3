//! Power cuts: the server's data lies on a file system that is shut down without flushing, at drawn moments (P1). Control: the same
//! server on an overlay that swallows every sync must lose acknowledged answers.

use super::{back_again, goes_on};
use crate::{
    chance::Chance,
    disk::{Image, Mounted},
    report::{Report, Times},
    room::{DEADLINE, Given, Room},
};
use anyhow::Result;
use std::{
    thread,
    time::{Duration, Instant},
};

/// The cut comes within this after an acknowledgement.
const MOMENT_MS: u64 = 120;
const IMAGE_BYTES: u64 = 512 * 1024 * 1024;
/// One cut in so many meets a server that has just been killed and started again.
const KILLED_BEFORE_OF: u64 = 4;
/// The control must be found out within so many cuts.
const CONTROL_CUTS: u64 = 20;

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    control(given, report)?;
    let (mount, file) = (given.home.join("disk"), given.home.join("disk.img"));
    let mut image = Image::make(&file, &mount, IMAGE_BYTES)?;
    let data = mount.join("server");
    let mut room = Room::found(given, "cut", Some(&data))?;
    room.admit()?;
    room.begin()?;
    let (mut chance, mut back, begun) = (Chance::new(given.seed), Times::default(), Instant::now());
    let mut cuts = 0;
    while goes_on(given, begun, report.rounds) {
        room.acks.wait_more(1, DEADLINE)?;
        thread::sleep(Duration::from_millis(chance.below(MOMENT_MS)));
        report.rounds += 1;
        if chance.below(KILLED_BEFORE_OF) == 0 {
            // What a killed server had written and not synced is read back by the next one: it must not be acknowledged unsynced.
            room.kill_server()?;
            room.site.start_server()?;
            room.acks.wait_more(1, DEADLINE)?;
        }
        cut(&mut room, &image)?;
        cuts += 1;
        image.power_on()?;
        let round = report.rounds;
        match room.lost_at(&data) {
            Ok(lost) => lost.check(report, round),
            Err(error) => report.problem(format!("round {round}: the journal is damaged: {error:#}")),
        }
        let restart = Instant::now();
        room.site.start_server()?; // checks the journal hash by hash
        back_again(&mut room, round, restart, &mut back)?;
    }
    room.all_back()?;
    report.figure("server_start_to_every_seat_saved_ms", back.figures());
    report.figure("cuts", cuts);
    let kills = room.server_kills;
    let end = room.end()?;
    end.check(report, given.seats);
    report.check(end.kills == kills, || format!("{kills} ends without a stop, but the journal tells of {}", end.kills));
    Ok(())
}

/// The server dies, then its disk. Not the other way round: a sync that is under way while ext4 is shut down may come back well though
/// its extents never reached the log, and a server that still lives acknowledges it. A machine without power answers nobody.
fn cut(room: &mut Room, image: &Image) -> Result<()> {
    room.kill_server()?;
    image.cut()
}

/// A drive that says "flushed" and is not.
fn control(given: &Given, report: &mut Report) -> Result<()> {
    let (mount, file, lie) = (given.home.join("lying"), given.home.join("lying.img"), given.home.join("through"));
    let mut image = Image::make(&file, &mount, IMAGE_BYTES)?;
    let upper = mount.join("upper");
    let mut overlay = Some(Mounted::lying(&lie, &upper)?);
    let mut room = Room::found(given, "control", Some(&lie.join("server")))?;
    room.admit()?;
    room.begin()?;
    for cut in 1..=CONTROL_CUTS {
        room.acks.wait_more(1, DEADLINE)?;
        self::cut(&mut room, &image)?;
        overlay.take().map(Mounted::unmount).transpose()?;
        image.power_on()?;
        // A journal that cannot even be read has lost everything.
        let lost = room.lost_at(&upper.join("server")).map_or(usize::MAX, |lost| lost.versions);
        if lost > 0 {
            report.control_found = true;
            report.figure("control_lost_at_cut", cut);
            report.figure("control_lost", lost);
            break;
        }
        overlay = Some(Mounted::lying(&lie, &upper)?);
        room.site.start_server()?;
        room.all_back()?;
    }
    drop(room); // before its disk
    drop(overlay);
    Ok(())
}
