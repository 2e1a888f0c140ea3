//! A machine's own account of when nobody could work at it (HB-25, HB-26): evidence that becomes proposals of lost time, which
//! people decide as all others. Never grants a second, and never proposes the same second twice.

use crate::{
    Fact, Site,
    authority::Actor,
    rule::Wanted,
    rules::{
        lost_time::{ExtensionProposed, accounted_for},
        numbers::{ACCOUNTS_PER_ATTEMPT_MAX, LOSS_TOLD_MIN_MS},
    },
    state::{Attempt, End, Proposal, counted_ms},
};
use exam_protocol::{
    code::Refusal,
    ids::StationId,
    message::{
        attendance::{LossEvidence, UNABLE_STRETCHES_MAX, UnableStretch},
        candidate::AttemptId,
    },
    time::{Now, SiteMs},
};

/// A machine says when nobody could work at it.
#[derive(Clone, Debug)]
pub struct TellUnable {
    /// Which machine.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// The stretches.
    pub stretches: Vec<UnableStretch>,
}

impl Wanted for TellUnable {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        if self.stretches.len() > UNABLE_STRETCHES_MAX {
            return Err(Refusal::TooMany { max: UNABLE_STRETCHES_MAX as u32 });
        }
        if self.stretches.iter().any(|told| told.from > told.to) {
            return Err(Refusal::IntervalImpossible);
        }
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        let until = self.until(attempt, now)?;
        let sitting = site.sitting(&attempt.sitting)?;
        let of_machines =
            |known: &&Proposal| known.attempt == self.attempt && known.evidence == LossEvidence::SeatAccount;
        let told = sitting.roll.proposals.iter().filter(of_machines).count();
        let mut known = accounted_for(site, sitting, attempt.id);
        let mut facts = Vec::new();
        for (from, to) in self.stretches.iter().filter_map(|told| within(site, attempt, *told, until)) {
            if told + facts.len() >= ACCOUNTS_PER_ATTEMPT_MAX {
                break;
            }
            let ms = counted_ms(from, to, &known);
            if ms < LOSS_TOLD_MIN_MS {
                continue;
            }
            let proposal = (sitting.roll.proposals.len() + facts.len()) as u32 + 1;
            let by = Actor { station: self.station.clone(), account: None };
            let (sitting, evidence) = (attempt.sitting.clone(), LossEvidence::SeatAccount);
            facts.push(ExtensionProposed { sitting, proposal, attempt: attempt.id, from, to, ms, evidence, by }.into());
            known.push((from, Some(to)));
        }
        Ok(facts)
    }
}

impl TellUnable {
    /// Up to when this machine's word can be about the candidate: a replaced one knows nothing of what came after.
    fn until(&self, attempt: &Attempt, now: Now) -> Result<SiteMs, Refusal> {
        match attempt.attendance.fenced(&self.station) {
            _ if attempt.station == self.station => Ok(now.at),
            Some(former) => Ok(former.until),
            None => Err(Refusal::AttemptUnknown),
        }
    }
}

/// The part of a stretch in which the candidate was at work.
fn within(site: &Site, attempt: &Attempt, told: UnableStretch, until: SiteMs) -> Option<(SiteMs, SiteMs)> {
    let ends = match site.end(attempt) {
        End::At(ends) => Some(ends),
        End::Frozen(_) => None,
        End::NotBegun => return None,
    };
    let handed_in = attempt.handed_in.as_ref().map(|(at, _)| *at);
    let latest = [ends, handed_in, attempt.terminated_at].into_iter().flatten().fold(until, SiteMs::min);
    let (from, to) = (told.from.max(site.began(attempt)?), told.to.min(latest));
    (from < to).then_some((from, to))
}
