//! The seat's idea of the site's time: an offset to its own monotonic clock, corrected at every exchange (DESIGN §5).
//! Never looks at wall time, and never lets small corrections turn the time shown backwards.

use crate::limits::{CLOCK_STEP_MS, DRIFT_PPM, HINT_ERROR_MS};
use exam_protocol::time::SiteMs;
use serde::{Deserialize, Serialize};

/// A moment on the seat's own monotonic clock, milliseconds. Comparable within one [`BootId`] only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeatMs(pub u64);

impl SeatMs {
    /// The moment `ms` later.
    pub fn plus(self, ms: u64) -> SeatMs {
        SeatMs(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: SeatMs) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Names one run of the seat's monotonic clock: as long as it is the same, the clock has not been set back to zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub u64);

/// One estimate of `site time - seat time`, and how far off it may be.
#[derive(Clone, Copy, Debug)]
struct Sample {
    offset: i64,
    error: u64,
    taken: SeatMs,
}

impl Sample {
    /// The uncertainty grows as the two clocks drift apart.
    fn error_at(&self, now: SeatMs) -> u64 {
        self.error + now.since(self.taken) * DRIFT_PPM / 1_000_000
    }
}

/// The site's time as this seat knows it.
#[derive(Debug, Default)]
pub(crate) struct SiteClock {
    sample: Option<Sample>,
    shown: Option<u64>,
    /// Set after a machine restart without the server: the time is a lower bound from the journal.
    bound_only: bool,
}

impl SiteClock {
    /// A request went out at `sent`, its answer with the server's time came at `received`. Better or newer knowledge
    /// replaces older: half the round trip is how far off it may be.
    pub(crate) fn exchange(&mut self, sent: SeatMs, received: SeatMs, server: SiteMs) {
        let low = difference(server, received);
        let high = difference(server, sent);
        let error = u64::try_from((high - low) / 2).unwrap_or(0);
        let offset = low + (high - low) / 2;
        let better = self.sample.is_none_or(|held| {
            let held_error = held.error_at(received);
            error <= held_error || held.offset.abs_diff(offset) > error + held_error
        });
        if better || self.bound_only {
            self.take(Sample { offset, error, taken: received });
        }
    }

    /// The server said its time unasked: it was at least that late when the words arrived.
    pub(crate) fn hint(&mut self, received: SeatMs, server: SiteMs) {
        let low = difference(server, received);
        let behind = self.sample.is_none_or(|held| held.offset.saturating_add_unsigned(held.error_at(received)) < low);
        if behind {
            self.take(Sample { offset: low, error: HINT_ERROR_MS, taken: received });
        }
    }

    /// A connection began: whatever was believed before may belong to another run of the server.
    pub(crate) fn restart(&mut self, received: SeatMs, server: SiteMs) {
        self.take(Sample { offset: difference(server, received), error: HINT_ERROR_MS, taken: received });
    }

    /// After a restart of the app without the server: `site` was the time at `seat` on this same run of the seat's clock.
    pub(crate) fn restore(&mut self, site: SiteMs, seat: SeatMs) {
        if self.sample.is_none() {
            self.take(Sample { offset: difference(site, seat), error: HINT_ERROR_MS, taken: seat });
        }
    }

    /// After a restart of the machine without the server: the time is `site` or later. The exam's time goes on from
    /// there; the server judges by its own clock when it is back.
    pub(crate) fn restore_bound(&mut self, site: SiteMs, now: SeatMs) {
        if self.sample.is_none() {
            self.take(Sample { offset: difference(site, now), error: HINT_ERROR_MS, taken: now });
            self.bound_only = true;
        }
    }

    /// The time to show and to judge by, moved on to `now`; none before the first word of the server.
    pub(crate) fn advance(&mut self, now: SeatMs) -> Option<SiteMs> {
        let sample = self.sample?;
        let raw = now.0.saturating_add_signed(sample.offset);
        let shown = match self.shown {
            Some(shown) if raw < shown && shown - raw <= CLOCK_STEP_MS => shown,
            _ => raw,
        };
        self.shown = Some(shown);
        Some(SiteMs(shown))
    }

    /// Whether the time is only a lower bound (see [`restore_bound`](Self::restore_bound)).
    pub(crate) fn is_bound_only(&self) -> bool {
        self.bound_only
    }

    /// The seat's moment at which the site's time will be `site`.
    pub(crate) fn seat_moment(&self, site: SiteMs) -> Option<SeatMs> {
        let sample = self.sample?;
        Some(SeatMs(site.0.saturating_add_signed(sample.offset.saturating_neg())))
    }

    /// The site's time at a moment of the seat's clock.
    pub(crate) fn site_moment(&self, seat: SeatMs) -> Option<SiteMs> {
        Some(SiteMs(seat.0.saturating_add_signed(self.sample?.offset)))
    }

    fn take(&mut self, sample: Sample) {
        self.sample = Some(sample);
        self.bound_only = false;
    }
}

fn difference(site: SiteMs, seat: SeatMs) -> i64 {
    let wide = i128::from(site.0) - i128::from(seat.0);
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN / 4 } else { i64::MAX / 4 }).clamp(i64::MIN / 4, i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_the_round_trip_is_added() {
        let mut clock = SiteClock::default();
        clock.exchange(SeatMs(100), SeatMs(140), SiteMs(5_000));
        assert_eq!(clock.advance(SeatMs(140)), Some(SiteMs(5_020)));
        assert_eq!(clock.advance(SeatMs(1_140)), Some(SiteMs(6_020)), "it goes on counting when cut off");
    }

    #[test]
    fn a_slow_answer_does_not_spoil_a_quick_one() {
        let mut clock = SiteClock::default();
        clock.exchange(SeatMs(0), SeatMs(2), SiteMs(1_000));
        clock.exchange(SeatMs(10), SeatMs(910), SiteMs(1_011));
        assert_eq!(clock.advance(SeatMs(910)), Some(SiteMs(1_909)));
    }

    #[test]
    fn a_small_correction_never_turns_the_time_back_and_a_large_one_is_shown_at_once() {
        let mut clock = SiteClock::default();
        clock.restart(SeatMs(0), SiteMs(10_000));
        assert_eq!(clock.advance(SeatMs(0)), Some(SiteMs(10_000)));
        clock.restart(SeatMs(10), SiteMs(9_500));
        assert_eq!(clock.advance(SeatMs(10)), Some(SiteMs(10_000)));
        clock.restart(SeatMs(20), SiteMs(5_000));
        assert_eq!(clock.advance(SeatMs(20)), Some(SiteMs(5_000)));
    }

    #[test]
    fn a_push_only_ever_says_that_it_is_at_least_so_late() {
        let mut clock = SiteClock::default();
        clock.exchange(SeatMs(0), SeatMs(0), SiteMs(1_000));
        clock.hint(SeatMs(100), SiteMs(900));
        assert_eq!(clock.advance(SeatMs(100)), Some(SiteMs(1_100)), "an old push says nothing");
        clock.hint(SeatMs(200), SiteMs(9_000));
        assert_eq!(clock.advance(SeatMs(200)), Some(SiteMs(9_000)));
    }

    proptest! {
        #[test]
        fn the_time_is_never_further_off_than_half_a_round_trip_and_the_drift(
            truth in 0_u64..1_000_000_000,
            exchanges in prop::collection::vec((0_u64..5_000, 0_u64..400, 0_u64..400), 1..50),
        ) {
            let mut clock = SiteClock::default();
            let mut seat = 1_000_u64;
            let mut worst = 0_u64;
            for (wait, there, back) in exchanges {
                seat += wait;
                let sent = SeatMs(seat);
                let server = SiteMs(truth + seat + there);
                seat += there + back;
                clock.exchange(sent, SeatMs(seat), server);
                worst = worst.max((there + back) / 2 + 1);
                let now = clock.advance(SeatMs(seat)).unwrap();
                prop_assert!(now.0.abs_diff(truth + seat) <= worst + 1);
            }
        }

        #[test]
        fn the_time_shown_never_goes_back_by_corrections(
            exchanges in prop::collection::vec((0_u64..500, 0_u64..900), 1..80),
        ) {
            let mut clock = SiteClock::default();
            let mut seat = 0_u64;
            let mut last = SiteMs(0);
            for (wait, there) in exchanges {
                seat += wait;
                let sent = SeatMs(seat);
                seat += there;
                clock.exchange(sent, SeatMs(seat), SiteMs(7_000 + seat));
                let now = clock.advance(SeatMs(seat)).unwrap();
                prop_assert!(now >= last);
                last = now;
            }
        }
    }
}
