//! The rigs, each with its rounds and its control. Never two at once: they measure time.

pub(crate) mod clock;
pub(crate) mod disk_full;
pub(crate) mod disk_gone;
pub(crate) mod kill;
pub(crate) mod power_cut;

use crate::room::Given;
use std::time::Instant;

/// Whether another round may begin.
pub(crate) fn goes_on(given: &Given, begun: Instant, round: u64) -> bool {
    round < given.rounds && begun.elapsed() < given.time
}
