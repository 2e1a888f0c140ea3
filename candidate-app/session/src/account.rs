//! The seat's own account of when the candidate could not work though the clock ran (HB-25, HB-26): evidence for people.
//! Never a claim on time, and never about what the candidate did.

use crate::{
    clock::{SeatMs, SiteClock},
    limits::{ACCOUNT_STRETCHES_MAX, UNABLE_MS_MIN},
};
use exam_protocol::{
    message::attendance::{UNABLE_STRETCHES_MAX, UnableStretch, UnableWhy},
    time::SiteMs,
};

/// A moment, on whichever clock it is known by.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// From the journal of an earlier run.
    Site(SiteMs),
    /// Of this run: the site's time of it may only be known later.
    Seat(SeatMs),
}

impl Moment {
    fn on_site(self, clock: &SiteClock) -> Option<SiteMs> {
        match self {
            Moment::Site(at) => Some(at),
            Moment::Seat(at) => clock.site_moment(at),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Open {
    from: Moment,
    why: UnableWhy,
}

/// The account of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Account {
    open: Option<Open>,
    /// Over, and not yet placed on the site's timeline.
    unplaced: Vec<(Open, SeatMs)>,
    /// To be told to the server.
    waiting: Vec<UnableStretch>,
    /// How many of them are on the wire.
    asked: usize,
}

impl Account {
    /// The app was not running since `from`, the last moment its journal knows of.
    pub(crate) fn was_down(&mut self, from: SiteMs) {
        self.open = Some(Open { from: Moment::Site(from), why: UnableWhy::NotRunning });
    }

    /// Whether the candidate can work now, and why not. A stretch keeps the reason it began with.
    pub(crate) fn look(&mut self, now: SeatMs, why: Option<UnableWhy>) {
        match (self.open, why) {
            (None, Some(why)) => self.open = Some(Open { from: Moment::Seat(now), why }),
            (Some(open), None) => {
                self.open = None;
                if self.unplaced.len() < ACCOUNT_STRETCHES_MAX {
                    self.unplaced.push((open, now));
                }
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Stretches that can be placed on the site's timeline now and are worth telling. They wait to be told from here on.
    pub(crate) fn place(&mut self, clock: &SiteClock) -> Vec<UnableStretch> {
        if self.unplaced.is_empty() || clock.is_bound_only() {
            return Vec::new(); // the clock of a machine that was restarted is not known yet
        }
        let placed = |(open, to): (Open, SeatMs)| {
            let (from, to) = (open.from.on_site(clock)?, clock.site_moment(to)?);
            Some(UnableStretch { from, to, why: open.why }).filter(|told| told.to.since(told.from) >= UNABLE_MS_MIN)
        };
        let fresh: Vec<_> = std::mem::take(&mut self.unplaced).into_iter().filter_map(placed).collect();
        fresh.iter().for_each(|told| self.restore(*told));
        fresh
    }

    /// One that was journalled: it waits to be told. The server knows what it was told before.
    pub(crate) fn restore(&mut self, told: UnableStretch) {
        if self.waiting.len() < ACCOUNT_STRETCHES_MAX {
            self.waiting.push(told);
        }
    }

    /// What is to be told now.
    pub(crate) fn ask(&mut self) -> Option<Vec<UnableStretch>> {
        if self.asked > 0 || self.waiting.is_empty() {
            return None;
        }
        self.asked = self.waiting.len().min(UNABLE_STRETCHES_MAX);
        Some(self.waiting.iter().take(self.asked).copied().collect())
    }

    /// The server has it, or will never take it; the journal keeps it.
    pub(crate) fn told(&mut self) {
        self.waiting.drain(..self.asked.min(self.waiting.len()));
        self.asked = 0;
    }

    /// It has to be told again.
    pub(crate) fn again(&mut self) {
        self.asked = 0;
    }
}
