//! Time as the exam knows it: milliseconds on the site's own timeline and wall time for display.
//! Never reads a clock.

use serde::{Deserialize, Serialize};

/// `n` minutes in milliseconds.
pub const fn minutes(n: u64) -> u64 {
    n * 60_000
}

/// `n` seconds in milliseconds.
pub const fn seconds(n: u64) -> u64 {
    n * 1_000
}

/// A moment on the site's timeline: milliseconds that only move forward, across restarts too. The exam is timed by it
/// alone; wall clocks may jump as they like (DESIGN §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteMs(pub u64);

impl SiteMs {
    /// The moment `ms` later; stays at the end of time instead of wrapping.
    pub fn plus(self, ms: u64) -> SiteMs {
        SiteMs(self.0.saturating_add(ms))
    }

    /// The moment `ms` earlier; stays at zero instead of wrapping.
    pub fn minus(self, ms: u64) -> SiteMs {
        SiteMs(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: SiteMs) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Wall time: milliseconds since 1970-01-01 UTC. For display and logs, never for rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallMs(pub i64);

/// What the clock said when something was judged: the only time the core sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Moment on the site's timeline.
    pub at: SiteMs,
    /// Wall time of the same moment.
    pub wall: WallMs,
}
