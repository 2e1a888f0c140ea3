//! The rigs, each with its rounds and its control. Never two at once: they measure time.

pub(crate) mod backup;
pub(crate) mod clock;
pub(crate) mod disk_full;
pub(crate) mod disk_gone;
pub(crate) mod flood;
pub(crate) mod kill;
pub(crate) mod network;
pub(crate) mod power_cut;
pub(crate) mod rogue;

use crate::{
    report::Times,
    room::{Given, Room},
};
use anyhow::Result;
use std::time::Instant;

/// After so many rounds every seat must be saved again before the next one; after the others the next blow may meet seats that are still
/// on their way back.
const ALL_BACK_EVERY: u64 = 4;

/// Waits, every so many rounds, until every seat is saved again, and notes how long that took since `restart`.
pub(crate) fn back_again(room: &mut Room, round: u64, restart: Instant, times: &mut Times) -> Result<()> {
    if round.is_multiple_of(ALL_BACK_EVERY) {
        room.all_back()?;
        times.add(restart.elapsed());
    }
    Ok(())
}

/// Whether another round may begin.
pub(crate) fn goes_on(given: &Given, begun: Instant, round: u64) -> bool {
    round < given.rounds && begun.elapsed() < given.time
}
