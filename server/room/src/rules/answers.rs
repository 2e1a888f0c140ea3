//! Answers: every version kept, each applied exactly once, what was journalled before the end counts though it arrives
//! later (P5, C-20). Never looks at whether an answer is right.

use crate::{
    Fact, Reply, Scope, Site,
    rule::{Happened, Wanted},
    rules::{
        numbers::{RECALL_BYTES_MAX, RECALL_GAPS_MAX, SEAT_CLOCK_AHEAD_MS, VERSIONS_MAX},
        orphan,
    },
    state::{AnswerLog, Attempt, End, Removed, Version},
};
use exam_protocol::{
    answer::{ANSWER_BYTES_MAX, Answer},
    code::Refusal,
    ids::{ItemId, Sha256, SittingId, StationId},
    message::candidate::{Answers, AttemptId, Gap, KnownAnswer},
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// A seat has a version of an answer.
#[derive(Clone, Debug)]
pub struct Save {
    /// Which machine sends it.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
    /// When the seat journalled it.
    pub made_at: SiteMs,
}

impl Wanted for Save {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let attempt = own_attempt(site, &self.station, self.attempt)?;
        if self.answer.weight_bytes() > ANSWER_BYTES_MAX {
            return Err(Refusal::AnswerTooLarge);
        }
        if self.number == 0 || self.number > VERSIONS_MAX {
            return Err(Refusal::TooMany { max: VERSIONS_MAX });
        }
        if let Some(known) = attempt.version(&self.item, self.number) {
            return if known == digest(&self.answer) { Ok(Vec::new()) } else { Err(self.conflict()) };
        }
        if attempt.handed_in.is_some() {
            return Err(Refusal::AlreadyHandedIn);
        }
        let mark = self.mark(site, attempt, now)?;
        let made_at = self.made_at.min(now.at.plus(SEAT_CLOCK_AHEAD_MS));
        Ok(vec![
            AnswerSaved {
                sitting: attempt.sitting.clone(),
                attempt: self.attempt,
                item: self.item.clone(),
                number: self.number,
                answer: self.answer.clone(),
                made_at,
                mark,
            }
            .into(),
        ])
    }

    fn trace(&self, site: &Site, _: Now, refusal: &Refusal) -> Vec<Fact> {
        match refusal {
            Refusal::Fenced => orphan::keep(site, self).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn reply(&self, _: &Site) -> Reply {
        Reply::Saved { item: self.item.clone(), number: self.number }
    }
}

impl Save {
    /// Whether the answer counts at all, and what to note with it. The order of care decides: no answer is lost first,
    /// nobody gains time second.
    fn mark(&self, site: &Site, attempt: &Attempt, now: Now) -> Result<Option<Mark>, Refusal> {
        let state = || Refusal::WrongSeatState { state: site.attempt_state(attempt, now.at) };
        if attempt.attendance.was_closed(self.made_at) {
            return Err(Refusal::TimeOver);
        }
        let out = attempt.attendance.was_out(self.made_at);
        let sitting = site.sittings.get(&attempt.sitting).ok_or(Refusal::SittingUnknown)?;
        match site.end(attempt) {
            End::NotBegun => Err(state()),
            End::At(ends) if self.made_at > ends => Err(Refusal::TimeOver),
            End::At(_) | End::Frozen(_) if out => Ok(Some(Mark::WhileAway)),
            End::At(ends) if now.at > ends => Ok(Some(Mark::Late)),
            End::At(_) | End::Frozen(_) => {
                let still = |r: &Removed| r.from <= self.made_at && r.to.is_none_or(|to| self.made_at < to);
                Ok(site.removed_for(sitting, attempt.id).any(still).then_some(Mark::WhilePaused))
            }
        }
    }

    fn conflict(&self) -> Refusal {
        Refusal::AnswerConflict { item: self.item.clone(), number: self.number }
    }
}

/// What tells two answers apart without keeping both.
pub fn digest(answer: &Answer) -> Sha256 {
    Sha256::of(&exam_protocol::frame::encode(answer))
}

/// The attempt, if it is this machine's: a foreign machine has none, a replaced one is fenced (HB-25).
pub(crate) fn own_attempt<'a>(site: &'a Site, station: &StationId, attempt: AttemptId) -> Result<&'a Attempt, Refusal> {
    let attempt = site.attempts.get(&attempt).ok_or(Refusal::AttemptUnknown)?;
    match attempt.station == *station {
        true => Ok(attempt),
        false if attempt.attendance.fenced(station).is_some() => Err(Refusal::Fenced),
        false => Err(Refusal::AttemptUnknown),
    }
}

/// A version of an answer is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSaved {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
    /// When the seat journalled it.
    pub made_at: SiteMs,
    /// What people should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// Why a kept answer deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Arrived after the attempt's end, though made before it (C-20).
    Late,
    /// Made while the clock stood still: the seat was cut off and had not heard. No answer is lost; people judge.
    WhilePaused,
    /// Made while the candidate was out (HB-24): somebody else may have typed it. People judge.
    WhileAway,
}

impl Happened for AnswerSaved {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(attempt) = site.attempts.get_mut(&self.attempt) else { return };
        let log = match attempt.answers.get_mut(&self.item) {
            Some(log) => log,
            None => attempt.answers.entry(self.item.clone()).or_default(),
        };
        log.versions.insert(self.number, digest(&self.answer));
        if log.newest.as_ref().is_none_or(|newest| newest.number < self.number) {
            log.newest = Some(Version { number: self.number, answer: self.answer.clone() });
        }
        attempt.versions += 1;
        attempt.was_at(self.made_at, &self.item);
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.answer_versions += 1;
        }
    }
}

/// A machine that lost its disk asks for what is known.
#[derive(Clone, Debug)]
pub struct Recall {
    /// Which machine asks.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Items up to here are known.
    pub after: Option<ItemId>,
}

impl Wanted for Recall {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        own_attempt(site, &self.station, self.attempt).map(|_| Vec::new())
    }

    fn reply(&self, site: &Site) -> Reply {
        let mut page = Answers { answers: Vec::new(), gaps: Vec::new(), more: false };
        let mut bytes = 0;
        for (item, log) in site.attempts.get(&self.attempt).into_iter().flat_map(|attempt| &attempt.answers) {
            let Some(newest) = log.newest.as_ref().filter(|_| self.after.as_ref().is_none_or(|after| item > after))
            else {
                continue;
            };
            let gaps = gaps(item, log, newest.number);
            bytes += newest.answer.weight_bytes() + (1 + gaps.len()) * (item.as_str().len() + 32);
            if bytes > RECALL_BYTES_MAX && !page.answers.is_empty() {
                page.more = true;
                break;
            }
            page.answers.push(KnownAnswer { item: item.clone(), number: newest.number, answer: newest.answer.clone() });
            page.gaps.extend(gaps);
        }
        Reply::Answers(page)
    }
}

/// Which versions before the newest are not here. Beyond [`RECALL_GAPS_MAX`] one gap names all the rest, because sending in
/// vain changes nothing and a version that is never named never comes.
fn gaps(item: &ItemId, log: &AnswerLog, newest: u32) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    if log.versions.len() == newest as usize {
        return gaps;
    }
    let mut next = 1;
    for number in log.versions.keys().copied() {
        if number > next {
            if gaps.len() == RECALL_GAPS_MAX {
                gaps.last_mut().into_iter().for_each(|last| last.to = newest - 1);
                break;
            }
            gaps.push(Gap { item: item.clone(), from: next, to: number - 1 });
        }
        next = number + 1;
    }
    gaps
}
