//! 到场: what is known of one candidate's coming, going and sitting, and of a sitting's roll. All of it from facts; what
//! follows from it (who is out, who is unchecked, until when to wait) is derived here. Never holds a name or an answer key.

use super::{Attempt, End, Site, Sitting};
use crate::authority::Actor;
use exam_protocol::{
    answer::Answer,
    ids::{AccountId, AdmissionNo, ItemId, SeatNo, StationId},
    incident::RecordNo,
    message::{
        attendance::{AbsenceRound, EndWhy, IdentityRound, LossEvidence},
        candidate::AttemptId,
    },
    time::SiteMs,
};
use std::collections::{BTreeMap, BTreeSet};

/// One candidate's coming, going and sitting.
#[derive(Clone, Debug, Default)]
pub struct Attendance {
    /// Why admission was denied, until the candidate is admitted after all.
    pub denied: Option<String>,
    /// When the candidate said that the data on screen is theirs (HB-15).
    pub confirmed_at: Option<SiteMs>,
    /// Leaves, in order (HB-24).
    pub leaves: Vec<Leave>,
    /// Identity checks, in order (HB-14, HB-21).
    pub checks: Vec<RoundCheck>,
    /// When the chief consented to this candidate's early hand-in (HB-23).
    pub hand_in_consented_at: Option<SiteMs>,
    /// Machines this attempt was moved away from (HB-25).
    pub former: Vec<Former>,
    /// What former machines had typed and not sent in time.
    pub orphans: Vec<Orphan>,
    /// Why the exam was ended by a decision; stays when it is opened again.
    pub ended: Option<EndedWhy>,
    /// Stretches in which the attempt was over and later was not.
    pub closed: Vec<Closed>,
    /// What was left when the attempt was opened again.
    pub rest: Option<Rest>,
    /// What the candidate contests, until the inspector has answered (HB-25).
    pub contested: Option<String>,
}

/// 暂离 (HB-24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Out.
    pub out_at: SiteMs,
    /// In; none while the candidate is out.
    pub back_at: Option<SiteMs>,
    /// Who goes along.
    pub escort: AccountId,
}

/// 核对身份, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundCheck {
    /// First round at the door, second from T+15 min.
    pub round: IdentityRound,
    /// When.
    pub at: SiteMs,
    /// Whether everything was in order.
    pub complete: bool,
}

/// A machine that was replaced: nothing it sends is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Which machine.
    pub station: StationId,
    /// At which desk.
    pub seat: SeatNo,
    /// When it was replaced.
    pub until: SiteMs,
}

/// 旧机未传答案: typed at a machine before it was replaced, and arrived after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Counts up from 1 in each attempt.
    pub orphan: u32,
    /// Which machine had it.
    pub station: StationId,
    /// To which item.
    pub item: ItemId,
    /// Its number there.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
    /// When that machine journalled it.
    pub made_at: SiteMs,
    /// Whether the candidate has chosen.
    pub settled: Option<Settled>,
}

/// What the candidate chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It became this version of the answer.
    Adopted(u32),
    /// The newer answer stays.
    Dismissed,
}

/// Why an exam was ended by a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedWhy {
    /// Why.
    pub why: EndWhy,
    /// In words.
    pub reason: String,
    /// The violation record, where one ended it (HB-29).
    pub violation: Option<RecordNo>,
}

/// A stretch in which the attempt was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When it was ended or handed in.
    pub from: SiteMs,
    /// When the candidate was admitted again.
    pub to: Option<SiteMs>,
}

/// What an attempt that was opened again has left: its clock starts when the candidate is admitted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// How much, milliseconds.
    pub ms: u64,
    /// Grants of the sitting that were already in it.
    pub grants_before: usize,
    /// When the candidate was admitted again.
    pub since: Option<SiteMs>,
}

/// A sitting's roll.
#[derive(Clone, Debug, Default)]
pub struct Roll {
    /// When entry closed (HB-20); the absent were recorded then.
    pub entry_closed_at: Option<SiteMs>,
    /// Which absences people have confirmed, and in which rounds (HB-20, HB-40).
    pub confirmed: BTreeMap<AdmissionNo, BTreeSet<AbsenceRound>>,
    /// When the chief consented to early hand-in for everybody (HB-23).
    pub hand_in_consented_at: Option<SiteMs>,
    /// Lost time that waits for a decision, and what was decided.
    pub proposals: Vec<Proposal>,
}

/// 延时建议: time that was lost, as the evidence says; two people or HQ decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Whose.
    pub attempt: AttemptId,
    /// From when.
    pub from: SiteMs,
    /// Until when.
    pub to: SiteMs,
    /// How much of it counted and was lost, milliseconds.
    pub ms: u64,
    /// How it is known.
    pub evidence: LossEvidence,
    /// Whether it was decided.
    pub settled: bool,
    /// Who set it off.
    pub by: Actor,
}

impl Attendance {
    /// The leave the candidate has not come back from.
    pub fn out(&self) -> Option<&Leave> {
        self.leaves.last().filter(|leave| leave.back_at.is_none())
    }

    /// Whether the candidate was out at a moment.
    pub fn was_out(&self, at: SiteMs) -> bool {
        self.leaves.iter().any(|leave| leave.out_at <= at && leave.back_at.is_none_or(|back| at < back))
    }

    /// Whether the attempt was over at a moment, though it is not now.
    pub fn was_closed(&self, at: SiteMs) -> bool {
        self.closed.iter().any(|closed| closed.from < at && closed.to.is_none_or(|to| at < to))
    }

    /// When this machine was replaced, if it was.
    pub fn fenced(&self, station: &StationId) -> Option<&Former> {
        self.former.iter().rev().find(|former| former.station == *station)
    }

    /// Orphans the candidate has not chosen about.
    pub fn open_orphans(&self) -> impl Iterator<Item = &Orphan> {
        self.orphans.iter().filter(|orphan| orphan.settled.is_none())
    }

    /// Whether a round of identity checks is complete.
    pub fn checked(&self, round: IdentityRound) -> bool {
        self.checks.iter().any(|check| check.round == round && check.complete)
    }
}

/// Milliseconds between two moments that no removed stretch covers.
pub fn counted_ms(from: SiteMs, to: SiteMs, removed: &[(SiteMs, Option<SiteMs>)]) -> u64 {
    let mut stretches: Vec<_> = removed.to_vec();
    stretches.sort_by_key(|(from, _)| *from);
    let (mut at, mut counted) = (from, 0);
    for (begins, ends) in stretches {
        if begins >= to {
            break;
        }
        counted += begins.since(at);
        at = at.max(ends.unwrap_or(to));
    }
    counted + to.since(at)
}

impl Site {
    /// The candidate of a sitting who is out: at most one (HB-24).
    pub fn away<'a>(&'a self, sitting: &Sitting) -> Option<&'a Attempt> {
        self.attempts_of(sitting.id()).find(|attempt| attempt.attendance.out().is_some())
    }

    /// Whom the second identity round has not covered (HB-21): signed in, not ended, not denied, and no complete check.
    pub fn identity_missing<'a>(&'a self, sitting: &Sitting) -> impl Iterator<Item = &'a Attempt> {
        self.attempts_of(sitting.id()).filter(|attempt| {
            attempt.terminated_at.is_none()
                && attempt.attendance.denied.is_none()
                && !attempt.attendance.checked(IdentityRound::Second)
        })
    }

    /// Until when who has handed in stays in the waiting area (HB-23): the sitting's end, where a level has two groups.
    pub fn wait_until(&self, attempt: &Attempt) -> Option<SiteMs> {
        let sitting = self.sittings.get(&attempt.sitting)?;
        if !sitting.plan.group_waits || attempt.handed_in.is_none() {
            return None;
        }
        match self.natural_end(sitting, None) {
            End::At(at) => Some(at),
            End::NotBegun | End::Frozen(_) => None,
        }
    }

    /// Stretches that do not count for an attempt, as pairs.
    pub(crate) fn stretches(&self, sitting: &Sitting, attempt: AttemptId) -> Vec<(SiteMs, Option<SiteMs>)> {
        self.removed_for(sitting, attempt).map(|removed| (removed.from, removed.to)).collect()
    }

    /// What an attempt had left at a moment, milliseconds: its time and its grants, less what counted since it began.
    pub(crate) fn left_ms(&self, sitting: &Sitting, attempt: &Attempt, at: SiteMs) -> u64 {
        let (since, own_ms, skip) = match attempt.attendance.rest {
            Some(rest) => (rest.since, rest.ms, rest.grants_before),
            None => (sitting.started(), sitting.duration_ms(), 0),
        };
        let grants = sitting.granted.iter().skip(skip).filter(|granted| granted.target.touches(attempt.id));
        let total = own_ms + grants.map(|granted| granted.ms).sum::<u64>();
        let used = since.map_or(0, |since| counted_ms(since, at, &self.stretches(sitting, attempt.id)));
        total.saturating_sub(used)
    }

    /// When entry to a running sitting closes for good (HB-20), if it has not: the first moment that is too late.
    pub fn entry_closes(&self, sitting: &Sitting) -> Option<SiteMs> {
        let super::Stage::Running { started } = sitting.stage else { return None };
        if sitting.roll.entry_closed_at.is_some() {
            return None;
        }
        Some(started.plus(self.numbers(sitting).late_entry_bar_ms).plus(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counted_is_what_no_stretch_covers() {
        let ms = SiteMs;
        type Row<'a> = (&'a [(u64, Option<u64>)], u64);
        let rows: &[Row<'_>] = &[
            (&[], 10),
            (&[(102, Some(105))], 7),
            (&[(102, Some(105)), (104, Some(106))], 6), // overlapping: once
            (&[(104, Some(106)), (102, Some(105))], 6), // in any order
            (&[(90, Some(103))], 7),                    // across the beginning
            (&[(90, Some(95))], 10),
            (&[(108, Some(120))], 8), // across the end
            (&[(110, Some(120))], 10),
            (&[(104, None)], 4),
        ];
        for (removed, counted) in rows {
            let removed: Vec<_> = removed.iter().map(|(from, to)| (ms(*from), to.map(ms))).collect();
            assert_eq!(counted_ms(ms(100), ms(110), &removed), *counted, "{removed:?}");
        }
    }
}
