//! How often the disk is asked to flush, and what a slow one does. `strace` counts and delays the flushes of the real server, and
//! nothing else of it: with a filter only these calls are stopped. Without `strace` this part is left out, and says so.

use crate::{
    exam::{Room, figure, figures_of},
    lean::PACE_MS,
    run::Round,
    seats::Deed,
};
use anyhow::{Context, Result, ensure};
use exam_server::journal;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a flush takes longer on the slow disk, microseconds.
const SLOWER_US: u32 = 5_000;
/// Saves of the one seat: less than SQLite folds its log after, so that a flush is a commit.
const SAVES_OF_ONE: u32 = 200;

/// The log of flushes.
struct Flushes {
    log: PathBuf,
}

pub(crate) fn measure(round: &mut Round<'_>, folder: &Path) -> Result<()> {
    let here = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !here.is_ok_and(|status| status.success()) {
        round.skipped.insert("flush: strace is not installed".to_owned());
        return Ok(());
    }
    let mut room = Room::open(folder, round.seats, round.number)?;
    room.enrol()?;
    figures_of(room.seats(Deed::Paced, None, &[("seconds", &0)])?)?;
    room.start()?;
    let flushes = Flushes { log: folder.join("flushes.log") };
    if let Err(error) = restart(&mut room, &flushes.log, None) {
        round.skipped.insert(format!("flush: the server does not start under strace: {error:#}"));
        return Ok(());
    }
    counted(round, &mut room, &flushes)?;
    restart(&mut room, &folder.join("slow.log"), Some(SLOWER_US))?;
    slow(round, &mut room)?;
    room.site.stop_server()
}

/// Stops the server, which folds its log, and starts it again under `strace`.
fn restart(room: &mut Room, log: &Path, slower_us: Option<u32>) -> Result<()> {
    room.site.stop_server()?;
    room.site.start_server_with(|server| {
        let mut strace = Command::new("strace");
        // The server stays our own child: its process id and its end are ours to see.
        strace.args(["-D", "-f", "-y", "-qq", "--seccomp-bpf", "-e", "trace=fdatasync,fsync"]);
        strace.args(slower_us.map(|us| format!("--inject=fdatasync,fsync:delay_exit={us}")));
        strace.arg("-o").arg(log).arg("--").arg(server.get_program()).args(server.get_args());
        *server = strace;
    })
}

fn counted(round: &mut Round<'_>, room: &mut Room, flushes: &Flushes) -> Result<()> {
    let before = flushes.count()?;
    let one = [("first", &1 as &dyn std::fmt::Display), ("saves", &SAVES_OF_ONE), ("seconds", &60)];
    let said = figures_of(room.seats(Deed::Closed, None, &one)?)?;
    let after = flushes.count()?;
    ensure!(after.log > before.log, "strace saw no flush though {SAVES_OF_ONE} saves were acknowledged");
    round.figures.note("ours_flushes_per_save_one", (after.all() - before.all()) / figure(&said["saves"])?);
    let said = figures_of(room.seats(Deed::Closed, None, &[("seconds", &round.options.seconds)])?)?;
    let (busy, saves) = (flushes.count()?, figure(&said["saves"])?);
    round.figures.note("ours_commits_per_save_busy", (busy.log - after.log) / saves);
    round.figures.note("ours_flushes_per_save_busy", (busy.all() - after.all()) / saves);
    Ok(())
}

fn slow(round: &mut Round<'_>, room: &mut Room) -> Result<()> {
    let seconds = round.options.seconds.max(PACE_MS / 1_000);
    let said = figures_of(room.seats(Deed::Paced, None, &[("every", &PACE_MS), ("seconds", &seconds)])?)?;
    let [p50, p99] = ["p50", "p99"].map(|quantile| figure(&said["us"][quantile]));
    let (p50, p99) = (p50? / 1e3, p99? / 1e3);
    // The control of this part: a save that did not wait for the slow flush would show that nothing was slowed.
    ensure!(p50 * 1e3 >= f64::from(SLOWER_US), "half of the saves took {p50} ms: the flush was not slowed");
    round.figures.note("ours_slow_flush_p50_ms", p50);
    round.figures.note("ours_slow_flush_p99_ms", p99);
    Ok(())
}

/// Flushes so far, of the journal's write-ahead log and of the journal itself.
struct Count {
    log: f64,
    file: f64,
}

impl Count {
    fn all(&self) -> f64 {
        self.log + self.file
    }
}

impl Flushes {
    fn count(&self) -> Result<Count> {
        let text = fs::read_to_string(&self.log).with_context(|| self.log.display().to_string())?;
        let of = |name: &str| text.lines().filter(|line| line.contains(name)).count() as f64;
        Ok(Count { log: of(&format!("{}-wal>", journal::FILE_NAME)), file: of(&format!("{}>", journal::FILE_NAME)) })
    }
}
