//! A room prefetches a large sealed paper, beside the bare server that pours the same bytes; and how answers fare meanwhile.

use crate::{
    exam::{Room, Span, figure, figures_of},
    fetching::PAPER_BYTES,
    proc,
    run::Round,
    seats::Deed,
};
use anyhow::Result;
use exam_protocol::ids::Sha256;
use exam_server::vault::{Shelf, Vault};
use std::path::Path;

/// Pause between two saves of a seat meanwhile, milliseconds: busier than a room is, because a prefetch is short.
const PACE_MS: u64 = 200;

pub(crate) fn measure(round: &mut Round<'_>, folder: &Path) -> Result<()> {
    let mut room = Room::open(folder, round.seats, round.number)?;
    room.enrol()?;
    // What is in a sealed paper makes no difference to its way: the seats cannot read it either.
    let blob = Vault::new(room.site.folder().server()).keep(Shelf::Papers, &noise(PAPER_BYTES as usize))?;
    // Signing in comes before the start, and the code is for a sitting that has not begun.
    drop(figures_of(room.seats(Deed::Paced, None, &[("seconds", &0)])?)?);
    room.start()?;
    if round.number.is_multiple_of(2) {
        bare(round, &mut room, blob)?;
        ours(round, &mut room, blob)?;
    } else {
        ours(round, &mut room, blob)?;
        bare(round, &mut room, blob)?;
    }
    room.site.stop_server()
}

fn bare(round: &mut Round<'_>, room: &mut Room, blob: Sha256) -> Result<()> {
    let bare = room.bare(false)?;
    let span = Span::begin(bare.id())?;
    let fetched = figures_of(room.seats(Deed::Fetch, Some(&bare), &[("blob", &blob.hex()), ("every", &0)])?)?;
    round.figures.note("bare_prefetch_mib_per_s", figure(&fetched["mib_per_s"])?);
    round.figures.note("bare_prefetch_cpu_ms", span.cpu_us()? / 1e3);
    Ok(())
}

fn ours(round: &mut Round<'_>, room: &mut Room, blob: Sha256) -> Result<()> {
    let (server, blob) = (room.server_id()?, blob.hex());
    let span = Span::begin(server)?;
    let fetched = figures_of(room.seats(Deed::Fetch, None, &[("blob", &blob), ("every", &0)])?)?;
    round.figures.note("ours_prefetch_mib_per_s", figure(&fetched["mib_per_s"])?);
    round.figures.note("ours_prefetch_cpu_ms", span.cpu_us()? / 1e3);
    let seconds = round.options.seconds;
    round.figures.note("ours_prefetch_peak_mib", proc::used(server)?.peak_kib / 1024.0);
    let quiet = figures_of(room.seats(Deed::Paced, None, &[("every", &PACE_MS), ("seconds", &seconds)])?)?;
    let beside = figures_of(room.seats(Deed::Fetch, None, &[("every", &PACE_MS), ("blob", &blob)])?)?;
    for (name, said) in [("without", &quiet), ("beside", &beside)] {
        for quantile in ["p50", "p99"] {
            let value = figure(&said["us"][quantile])? / 1e3;
            round.figures.note(&format!("ours_{name}_prefetch_{quantile}_ms"), value);
        }
    }
    Ok(())
}

/// Bytes that no packer makes smaller, the same every time.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let word = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut noise: Vec<u8> = (0..bytes.div_ceil(8)).flat_map(word).collect();
    noise.truncate(bytes);
    noise
}
