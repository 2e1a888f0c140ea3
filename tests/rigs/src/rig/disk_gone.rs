//! The server's machine burns: data folder deleted under a killed server, a backup takes over at its address, the seats bring back
//! what it lacks (P2). Control: with the seats' journals gone too, acknowledged answers must be found lost.

use super::goes_on;
use crate::{
    chance::Chance,
    report::{Report, Times},
    room::{BACK_DEADLINE, DEADLINE, Given, Room},
};
use anyhow::{Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Acknowledgements between the backup and the fire: this many, and up to so many more.
const LATER_MIN: u64 = 40;
const LATER_MORE: u64 = 400;
/// Between two looks whether everything is back.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let mut room = Room::found(given, "gone", None)?;
    room.admit()?;
    let before_the_start = back_up(&room, given, "before-the-start")?;
    room.begin()?;
    let (mut chance, mut serves, mut whole) = (Chance::new(given.seed), Times::default(), Times::default());
    let (begun, mut most) = (Instant::now(), 0);
    // The first fire leaves a backup from before the start: the sitting begins again on it, with HQ's code.
    let mut backup = before_the_start;
    while goes_on(given, begun, report.rounds) {
        let later = LATER_MIN + chance.below(LATER_MORE);
        room.acks.wait_more(usize::try_from(later)?, DEADLINE)?;
        report.rounds += 1;
        let burnt = burn(&mut room, &backup)?;
        serves.add(burnt.elapsed());
        most = most.max(room.lost_at(&room.site.folder().server())?.versions);
        if report.rounds == 1 {
            let code = room.site.unlock_code(&room.sitting)?;
            room.site.start_sitting(&room.sitting, &code)?.expect_code(0)?;
        }
        match all_there(&mut room, burnt) {
            Ok(took) => whole.add(took),
            Err(error) => report.problem(format!("round {}: {error:#}", report.rounds)),
        }
        room.all_back()?;
        backup = back_up(&room, given, &format!("backup-{}", report.rounds))?;
    }
    report.figure("fire_to_serving_ms", serves.figures());
    report.figure("fire_to_every_version_back_ms", whole.figures());
    report.figure("versions_only_the_seats_had_max", most);
    report.check(most > 0, || "no fire took anything with it: this proves nothing".to_owned());
    control(&mut room, &backup, report)
}

/// Waits until the journal has every version that was acknowledged before the fire; later ones are waited for by the next look.
pub(crate) fn all_there(room: &mut Room, since: Instant) -> Result<Duration> {
    loop {
        let lost = room.lost_now()?;
        if lost.versions == 0 {
            return Ok(since.elapsed());
        }
        if since.elapsed() > BACK_DEADLINE {
            bail!("{} acknowledged versions did not come back, e.g. {}", lost.versions, lost.first);
        }
        thread::sleep(LOOK);
    }
}

fn back_up(room: &Room, given: &Given, name: &str) -> Result<PathBuf> {
    let folder = given.home.join(name);
    room.site.server(["backup".as_ref(), "--out".as_ref(), folder.as_os_str()])?.expect_code(0)?;
    Ok(folder)
}

/// The fire, and the backup in the server's place. Returns when the fire was.
fn burn(room: &mut Room, backup: &Path) -> Result<Instant> {
    room.kill_server()?;
    room.acks.read()?;
    let data = room.site.folder().server();
    let fire = Instant::now();
    fs::remove_dir_all(&data)?;
    fs::rename(backup, &data)?;
    room.site.start_server()?;
    Ok(fire)
}

/// The seats' journals burn too: what came after the backup is nowhere, and must be missed.
fn control(room: &mut Room, backup: &Path, report: &mut Report) -> Result<()> {
    room.acks.wait_more(usize::try_from(LATER_MIN)?, DEADLINE)?;
    room.kill_seats()?;
    let mut journals = 0;
    for path in exam_e2e::search::files_under(&room.site.folder().seats())? {
        if path.extension().is_some_and(|extension| extension == "journal") {
            fs::remove_file(path)?;
            journals += 1;
        }
    }
    burn(room, backup)?;
    let lost = room.lost_at(&room.site.folder().server())?.versions;
    room.start_seats(|_| {})?;
    // Candidates who type on give the lost numbers to other answers: a contradiction, which is found as surely as a hole.
    let still = room.all_back().and_then(|_| room.lost_now());
    report.control_found = journals > 0 && lost > 0 && still.as_ref().map_or(true, |still| still.versions > 0);
    report.figure("control_lost", lost);
    report.figure("control_contradicts_itself", still.is_err());
    Ok(())
}
