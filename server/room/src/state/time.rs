//! The time account of an attempt (DESIGN §5): start, removed intervals, extensions, end. Every second granted has a who and
//! a why; the end is derived, never stored, and the start is never rewritten.

use super::{Attempt, Rest, Site, Sitting, Stage};
use crate::authority::Actor;
use exam_protocol::{
    ids::{AccountId, SittingId},
    message::candidate::AttemptId,
    time::SiteMs,
};
use serde::{Deserialize, Serialize};

/// Whose clock a pause or an extension touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One candidate.
    Attempt(AttemptId),
    /// Everybody in the sitting.
    Sitting,
}

impl Target {
    /// Whether it touches this attempt.
    pub fn touches(&self, attempt: AttemptId) -> bool {
        match self {
            Target::Attempt(one) => *one == attempt,
            Target::Sitting => true,
        }
    }
}

/// Why the clock stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// 停电 (HB-27): sixty minutes at most.
    PowerCut,
    /// 设备故障 (HB-25).
    Machine,
    /// 网络故障.
    Network,
    /// 环境, e.g. noise, evacuation.
    Environment,
    /// 身体不适 (HB-30).
    Illness,
    /// 其他, as the text says.
    Other,
    /// 时间已到: the candidate had stopped when time was given after all; never chosen by a person.
    TimeWasUp,
}

/// 断电: a stretch in which the server's machine was off while a sitting's clock ran (HB-27).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerCut {
    /// The last sign of life before.
    pub from: SiteMs,
    /// When the server served again.
    pub to: SiteMs,
}

/// 扣除时段: a stretch of time that does not count (removed interval).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Whose.
    pub target: Target,
    /// First moment that does not count.
    pub from: SiteMs,
    /// First moment that counts again; none while the clock stands still.
    pub to: Option<SiteMs>,
    /// Why.
    pub cause: PauseCause,
    /// In words.
    pub reason: String,
    /// Who stopped the clock.
    pub by: Actor,
}

/// 延时: time granted on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Whose.
    pub target: Target,
    /// How much, milliseconds.
    pub ms: u64,
    /// In words.
    pub reason: String,
    /// When it was granted.
    pub at: SiteMs,
    /// Who granted it.
    pub authority: Authority,
}

/// On whose word time was granted (HB-26).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Chief and inspector, two people.
    ChiefAndInspector {
        /// 主考.
        chief: AccountId,
        /// 巡考员.
        inspector: AccountId,
    },
    /// HQ, by a code that works once.
    Hq {
        /// Who typed it in.
        by: Actor,
    },
}

/// When an attempt ends, as things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Not begun.
    NotBegun,
    /// At this moment.
    At(SiteMs),
    /// The clock stands still with so much left, milliseconds.
    Frozen(u64),
}

/// Walks the clock: `total_ms` of working time from `start`, with `removed` stretches that do not count.
///
/// A stretch that begins after the time has run out changes nothing. Stretches may overlap and come in any order.
pub fn end_of(start: SiteMs, total_ms: u64, removed: &[(SiteMs, Option<SiteMs>)]) -> End {
    let mut stretches: Vec<_> = removed.to_vec();
    stretches.sort_by_key(|(from, _)| *from);
    let (mut at, mut left) = (start, total_ms);
    for (from, to) in stretches {
        if to.is_some_and(|to| to <= at) {
            continue; // inside a stretch that was already taken out, or before the start
        }
        let worked = from.since(at);
        if worked >= left {
            break;
        }
        left -= worked;
        match to {
            Some(to) => at = to,
            None => return End::Frozen(left),
        }
    }
    End::At(at.plus(left))
}

impl Site {
    /// Stretches that do not count for an attempt.
    pub fn removed_for<'a>(&self, sitting: &'a Sitting, attempt: AttemptId) -> impl Iterator<Item = &'a Removed> {
        sitting.removed.iter().filter(move |removed| removed.target.touches(attempt))
    }

    /// Time granted to an attempt on top of the plan, milliseconds.
    pub fn granted_ms(&self, sitting: &Sitting, attempt: AttemptId) -> u64 {
        sitting.granted.iter().filter(|granted| granted.target.touches(attempt)).map(|granted| granted.ms).sum()
    }

    /// When an attempt ends, as things stand. A late candidate's clock is the sitting's clock (HB-20).
    pub fn end(&self, attempt: &Attempt) -> End {
        let Some(sitting) = self.sittings.get(&attempt.sitting) else { return End::NotBegun };
        if self.began(attempt).is_none() && attempt.attendance.rest.is_none() {
            return End::NotBegun;
        }
        if let Some(at) = attempt.terminated_at {
            return End::At(at);
        }
        let natural = self.natural_end(sitting, Some(attempt.id));
        match (sitting.stage, natural) {
            (Stage::Ended { ended, .. }, End::At(at)) => End::At(at.min(ended)),
            (Stage::Ended { ended, .. }, End::Frozen(_)) => End::At(ended),
            (_, natural) => natural,
        }
    }

    /// When a sitting, or one attempt in it, ends by its time account alone.
    pub(crate) fn natural_end(&self, sitting: &Sitting, attempt: Option<AttemptId>) -> End {
        let Some(started) = sitting.started() else { return End::NotBegun };
        let touches = |target: &Target| attempt.map_or(*target == Target::Sitting, |attempt| target.touches(attempt));
        let removed: Vec<_> = sitting.removed.iter().filter(|r| touches(&r.target)).map(|r| (r.from, r.to)).collect();
        let rest = attempt.and_then(|id| self.attempts.get(&id)?.attendance.rest);
        let known = rest.map_or(0, |rest| rest.grants_before);
        let granted: u64 = sitting.granted.iter().skip(known).filter(|g| touches(&g.target)).map(|g| g.ms).sum();
        match rest {
            None => end_of(started, sitting.duration_ms() + granted, &removed),
            Some(Rest { ms, since: Some(since), .. }) => end_of(since, ms + granted, &removed),
            Some(Rest { ms, since: None, .. }) => End::Frozen(ms + granted), // until the candidate is admitted again
        }
    }

    /// When an attempt ends, if its clock runs.
    pub fn ends(&self, attempt: &Attempt) -> Option<SiteMs> {
        match self.end(attempt) {
            End::At(at) => Some(at),
            End::NotBegun | End::Frozen(_) => None,
        }
    }

    /// When the last attempt of a running sitting ends: then the clock ends the sitting. None while a clock stands still, and
    /// while nobody has decided about a power cut: an end could not be taken back.
    pub fn last_end(&self, sitting: &Sitting) -> Option<SiteMs> {
        let Stage::Running { .. } = sitting.stage else { return None };
        if !sitting.cuts.is_empty() {
            return None;
        }
        let open = self.attempts_of(sitting.id()).filter(|attempt| attempt.is_expected_to_work());
        let ends = open.map(|attempt| self.end(attempt)).chain([self.natural_end(sitting, None)]);
        ends.map(|end| match end {
            End::At(at) => Some(at),
            End::Frozen(_) | End::NotBegun => None,
        })
        .try_fold(SiteMs(0), |last, end| end.map(|end| last.max(end)))
    }

    /// The open stretch of a target, if its clock stands still.
    pub fn paused<'a>(&'a self, sitting: &'a SittingId, target: &Target) -> Option<&'a Removed> {
        self.sittings.get(sitting)?.removed.iter().find(|removed| removed.to.is_none() && removed.target == *target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_walked_by_the_table() {
        type Row<'a> = (u64, &'a [(u64, Option<u64>)], End);
        let ms = SiteMs;
        let rows: &[Row<'_>] = &[
            (100, &[], End::At(ms(110))),
            (100, &[(102, Some(105))], End::At(ms(113))),
            (100, &[(102, Some(105)), (104, Some(106))], End::At(ms(114))), // overlapping: counted once
            (100, &[(104, Some(106)), (102, Some(105))], End::At(ms(114))), // in any order
            (100, &[(102, Some(108)), (103, Some(104))], End::At(ms(116))), // one inside another
            (100, &[(90, Some(95))], End::At(ms(110))),                     // before the start
            (100, &[(95, Some(103))], End::At(ms(113))),                    // across the start
            (100, &[(110, Some(120))], End::At(ms(110))),                   // begins when the time is up
            (100, &[(109, Some(120))], End::At(ms(121))),
            (100, &[(104, None)], End::Frozen(6)),
            (100, &[(102, None), (104, Some(106))], End::Frozen(8)),
            (100, &[(111, None)], End::At(ms(110))),
        ];
        for (start, removed, end) in rows {
            let removed: Vec<_> = removed.iter().map(|(from, to)| (ms(*from), to.map(ms))).collect();
            assert_eq!(end_of(ms(*start), 10, &removed), *end, "{removed:?}");
        }
    }
}
