//! A server that was killed starts on a journal of a whole sitting: forty candidates with five hundred answers each.

use crate::{
    exam::{Room, figure, figures_of},
    figures::Figures,
    run::Round,
    seats::Deed,
};
use anyhow::{Context, Result};
use exam_server::journal::{self, Journal};
use std::{fs, path::Path, time::Instant};

/// Answers of each candidate.
const ANSWERS: u32 = 500;
/// Times the journal is read in this process, without the rest of a start.
const READS: u32 = 5;

pub(crate) fn measure(round: &mut Round<'_>, folder: &Path) -> Result<()> {
    let mut room = Room::open(folder, round.seats, round.number)?;
    room.enrol()?;
    figures_of(room.seats(Deed::Paced, None, &[("seconds", &0)])?)?;
    room.start()?;
    figures_of(room.seats(Deed::Closed, None, &[("saves", &ANSWERS), ("seconds", &300)])?)?;
    room.site.kill_server()?;
    read(round, &room)?;
    let begun = Instant::now();
    room.site.start_server()?;
    let starting_s = begun.elapsed().as_secs_f64();
    let facts = figure(&room.site.server(["verify"])?.expect_code(0)?.json()?["facts"])?;
    round.figures.note("ours_cold_start_ms", starting_s * 1e3);
    round.figures.note("ours_cold_start_facts", facts);
    round.figures.note("ours_cold_start_facts_per_s", facts / starting_s);
    room.site.stop_server()
}

/// The journal's own share: a copy of the file as the kill left it, read, checked and replayed here.
fn read(round: &mut Round<'_>, room: &Room) -> Result<()> {
    let copy = tempfile::tempdir()?;
    for suffix in ["", "-wal"] {
        let name = format!("{}{suffix}", journal::FILE_NAME);
        let from = room.site.folder().server().join(&name);
        if from.exists() {
            fs::copy(&from, copy.path().join(&name)).with_context(|| name.clone())?;
        }
    }
    let mut reads = Figures::default();
    for _ in 0..READS {
        let begun = Instant::now();
        let (journal, ..) = Journal::open(copy.path())?;
        reads.note("facts_per_s", journal.facts() as f64 / begun.elapsed().as_secs_f64());
    }
    round.figures.note("ours_replay_facts_per_s", reads.settle()["facts_per_s"].median);
    Ok(())
}
