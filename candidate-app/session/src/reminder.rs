//! Reminders before the candidate's own end (HB-22, F-17): each once, again only when time was granted and its moment is
//! passed anew. Never fires while the clock stands still, and never tells of a moment that lies ahead.

use crate::limits::REMINDERS_MIN;
use exam_protocol::time::{SiteMs, minutes};

/// 剩余时间提醒: so many minutes before the end, or fewer if the seat was not there at the moment itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Which one: 15, 5 or 1.
    pub minutes: u32,
    /// When it fired: the same reminder fired again has another moment.
    pub at: SiteMs,
}

/// What was given before, and towards which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Given {
    minutes: u32,
    ends: SiteMs,
}

/// One attempt's reminders.
#[derive(Debug, Default)]
pub(crate) struct Reminders {
    given: Option<Given>,
    shown: Option<Reminder>,
}

impl Reminders {
    /// The clock runs towards `ends` and it is `now`. Returns the reminder that is due at this moment, once.
    pub(crate) fn look(&mut self, ends: SiteMs, now: SiteMs) -> Option<u32> {
        let due = due(ends, now);
        let same_end = self.given.is_some_and(|given| given.ends == ends);
        let (Some(minutes), true) = (due, now < ends) else {
            if !same_end {
                (self.given, self.shown) = (None, None); // so much time was granted that all lie ahead again
            }
            return None;
        };
        match self.given {
            Some(given) if minutes >= given.minutes => {
                if !same_end {
                    self.given = Some(Given { minutes, ends });
                    self.shown = self.shown.filter(|shown| shown.minutes >= minutes);
                }
                None
            }
            _ => {
                self.given = Some(Given { minutes, ends });
                self.shown = Some(Reminder { minutes, at: now });
                Some(minutes)
            }
        }
    }

    /// Read back from the journal: it was given before the app was started again.
    pub(crate) fn restore(&mut self, minutes: u32, ends: SiteMs) {
        self.given = Some(Given { minutes, ends });
    }

    /// The candidate has read it.
    pub(crate) fn dismiss(&mut self) {
        self.shown = None;
    }

    /// The one on screen.
    pub(crate) fn shown(&self) -> Option<Reminder> {
        self.shown
    }
}

/// The smallest reminder whose moment has passed.
fn due(ends: SiteMs, now: SiteMs) -> Option<u32> {
    let left = ends.since(now);
    REMINDERS_MIN.into_iter().find(|n| left <= minutes(u64::from(*n)))
}

/// The next moment at which one is due.
pub(crate) fn next(ends: SiteMs, now: SiteMs) -> Option<SiteMs> {
    REMINDERS_MIN.into_iter().map(|n| ends.minus(minutes(u64::from(n)))).filter(|at| *at > now).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = minutes(1);

    /// What fires when the clock is looked at every second from `from` to `to` (seconds), towards `ends` (minutes).
    fn run(reminders: &mut Reminders, from: u64, to: u64, ends: u64) -> Vec<(u64, u32)> {
        let look = |at: u64| reminders.look(SiteMs(ends * MINUTE), SiteMs(at * 1_000)).map(|minutes| (at, minutes));
        (from..=to).filter_map(look).collect()
    }

    #[test]
    fn each_fires_once_at_its_moment() {
        let mut reminders = Reminders::default();
        assert_eq!(run(&mut reminders, 0, 3_600, 60), [(45 * 60, 15), (55 * 60, 5), (59 * 60, 1)]);
    }

    #[test]
    fn granted_time_arms_again_what_lies_ahead_again_and_nothing_else() {
        let mut reminders = Reminders::default();
        assert_eq!(run(&mut reminders, 0, 59 * 60, 60).len(), 3);
        let after = run(&mut reminders, 59 * 60 + 1, 63 * 60, 63); // three minutes more: 5 lies behind, 1 ahead
        assert_eq!(after, [(62 * 60, 1)]);
        assert_eq!(run(&mut reminders, 63 * 60, 90 * 60, 90), [(75 * 60, 15), (85 * 60, 5), (89 * 60, 1)]);
    }

    #[test]
    fn a_corrected_clock_does_not_fire_again() {
        let mut reminders = Reminders::default();
        assert_eq!(run(&mut reminders, 2_699, 2_702, 60), [(2_700, 15)]);
        assert_eq!(run(&mut reminders, 2_690, 2_710, 60), [], "ten seconds back, towards the same end");
    }

    #[test]
    fn who_comes_late_hears_the_one_that_holds_and_not_those_before_it() {
        let mut reminders = Reminders::default();
        assert_eq!(run(&mut reminders, 56 * 60, 57 * 60, 60), [(56 * 60, 5)]);
        assert_eq!(run(&mut Reminders::default(), 3_600, 3_700, 60), [], "after the end there is nothing to remind of");
    }
}
