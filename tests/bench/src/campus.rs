//! What five hundred seats do to a server in one long day: they call while it is frozen, sign in ten thousand times, answer sixty
//! items each, and their results go out with the evidence.

use crate::{
    exam::{Room, Span, all_in, figure, figures_of, hear},
    prefetch::noise,
    proc,
    run::Round,
    seats::Deed,
};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How long the server is frozen while everybody calls.
const FROZEN: Duration = Duration::from_millis(600);
/// Storms that make ten thousand sign-ins of five hundred seats, and after which of them memory is looked at first.
const STORMS: u32 = 20;
const STORMS_FIRST: u32 = 4;
/// Answers of each candidate.
const ANSWERS: u32 = 60;
/// Files of evidence, and how large each is: fifty million bytes.
const FILES: usize = 4;
const FILE_BYTES: usize = 12_500_000;

pub(crate) fn measure(round: &mut Round<'_>, folder: &Path) -> Result<()> {
    let mut room = Room::open(folder, round.seats, round.number)?;
    room.enrol()?;
    // Everybody takes a desk and signs in once, so that what follows is the same for all.
    all_in(&mut room.seats(Deed::Storm, None, &[])?)?;
    frozen(round, &mut room)?;
    growth(round, &mut room)?;
    room.start()?;
    figures_of(room.seats(Deed::Closed, None, &[("saves", &ANSWERS), ("items", &ANSWERS), ("seconds", &300)])?)?;
    export(round, &room)?;
    room.site.stop_server()
}

/// The server stands still while all connect, as a virtual machine does that is moved.
fn frozen(round: &mut Round<'_>, room: &mut Room) -> Result<()> {
    let server = room.server_id()?;
    let pid = i32::try_from(server).ok().and_then(Pid::from_raw).context("a process id")?;
    let drops = room.udp_drops()?;
    kill_process(pid, Signal::STOP)?;
    let mut seats = room.seats(Deed::Storm, None, &[])?;
    let coming = hear(&mut seats, "coming");
    thread::sleep(FROZEN); // the freeze itself is what is measured
    kill_process(pid, Signal::CONT)?;
    let woken_ms = std::time::UNIX_EPOCH.elapsed()?.as_millis() as f64;
    coming?;
    let inside = hear(&mut seats, "in")?;
    round.figures.note("ours_frozen_all_ms", figure(&inside["last_unix_ms"])? - woken_ms);
    round.figures.note("ours_frozen_udp_drops", room.udp_drops()? - drops);
    Ok(())
}

fn growth(round: &mut Round<'_>, room: &mut Room) -> Result<()> {
    let (server, drops) = (room.server_id()?, room.udp_drops()?);
    let span = Span::begin(server)?;
    let mut seats = room.seats(Deed::Storms, None, &[("times", &STORMS)])?;
    let (mut first_kib, mut last_kib) = (0.0, 0.0);
    for storm in 1..=STORMS {
        all_in(&mut seats)?;
        last_kib = proc::used(server)?.resident_kib;
        if storm == STORMS_FIRST {
            first_kib = last_kib;
        }
    }
    round.figures.note("ours_growth_mib", (last_kib - first_kib) / 1024.0);
    round.figures.note("ours_storms_resident_mib", last_kib / 1024.0);
    round.figures.note("ours_storms_ms_each", span.ms() / f64::from(STORMS));
    round.figures.note("ours_storms_udp_drops", room.udp_drops()? - drops);
    Ok(())
}

fn export(round: &mut Round<'_>, room: &Room) -> Result<()> {
    let (server, site) = (room.server_id()?, &room.site);
    let sitting = room.sittings.first().context("a sitting")?;
    let mut record: Vec<PathBuf> =
        ["incident", "record", "--sitting", sitting, "--code", "other", "--text", "测速"].map(PathBuf::from).to_vec();
    for number in 0..FILES {
        record.extend([PathBuf::from("--attach"), photo(site.folder().root(), number)?]);
    }
    site.server(record.iter().map(|word| word.as_os_str()))?.expect_code(0)?;
    room.end()?;
    proc::forget_peak(server)?;
    let (before, span) = (proc::used(server)?, Span::begin(server)?);
    let bundle = room.export()?;
    round.figures.note("ours_full_export_ms", span.ms());
    round.figures.note("ours_full_export_cpu_ms", span.cpu_us()? / 1e3);
    let grown = proc::used(server)?.peak_kib - before.resident_kib;
    round.figures.note("ours_full_export_growth_mib", grown / 1024.0);
    round.figures.note("ours_full_bundle_mib", fs::metadata(bundle)?.len() as f64 / f64::from(1 << 20));
    Ok(())
}

/// A photo as large as they may be, as far as the server looks.
fn photo(folder: &Path, number: usize) -> Result<PathBuf> {
    let mut bytes = noise(FILE_BYTES);
    bytes[..4].copy_from_slice(&[0xff, 0xd8, 0xff, number as u8]);
    let path = folder.join(OsStr::new(&format!("photo-{number}.jpg")));
    fs::write(&path, bytes)?;
    Ok(path)
}
