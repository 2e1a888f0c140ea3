//! Power cuts: the server's data lies on a file system that is shut down without flushing, at drawn moments (P1). Control: the same
//! server on an overlay that swallows every sync must lose acknowledged answers.

use super::goes_on;
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
    while goes_on(given, begun, report.rounds) {
        room.acks.wait_more(1, DEADLINE)?;
        thread::sleep(Duration::from_millis(chance.below(MOMENT_MS)));
        report.rounds += 1;
        image.cut()?;
        room.kill_server()?;
        image.power_on()?;
        let round = report.rounds;
        match room.lost_at(&data) {
            Ok(lost) => lost.check(report, round),
            Err(error) => report.problem(format!("round {round}: the journal is damaged: {error:#}")),
        }
        let restart = Instant::now();
        room.site.start_server()?; // checks the journal hash by hash
        room.all_back()?;
        back.add(restart.elapsed());
    }
    report.figure("server_start_to_every_seat_saved_ms", back.figures());
    let cuts = room.server_kills;
    let end = room.end()?;
    end.check(report, given.seats);
    report.check(end.kills == cuts, || format!("{cuts} cuts, but the journal tells of {}", end.kills));
    Ok(())
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
        image.cut()?;
        room.kill_server()?;
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
