//! Candidates as they are: with journals, papers and views. Sign-in, start, a room at work, the end and the export.

use crate::{
    exam::{DEADLINE, Room, Span, figure},
    lean::PACE_MS,
    run::Round,
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// One sitting of whole candidates.
pub(crate) fn measure(round: &mut Round<'_>, folder: &Path) -> Result<()> {
    let mut room = Room::open(folder, round.seats, round.number)?;
    let mut load = room.candidates(PACE_MS, round.options.seconds.max(PACE_MS / 1_000 + 1))?;
    room.start()?;
    load.wait_synced(DEADLINE, |_| {})?;
    room.end()?;
    let found = load.wait_figures(DEADLINE)?;
    for (name, value) in [
        ("ours_login_p99_ms", &found["login_ms"]["p99"]),
        ("ours_start_p99_ms", &found["start_ms"]["p99"]),
        ("ours_candidates_ack_p99_ms", &found["ack_ms"]["p99"]),
    ] {
        round.figures.note(name, figure(value).context(name)?);
    }
    let span = Span::begin(room.server_id()?)?;
    let bundle: PathBuf = room.export()?;
    round.figures.note("ours_export_ms", span.ms());
    round.figures.note("ours_bundle_kib", fs::metadata(bundle)?.len() as f64 / 1024.0);
    round.figures.note("ours_candidates_udp_drops", room.udp_drops()?);
    room.site.stop_server()
}
