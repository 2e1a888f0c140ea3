//! Lost time (HB-25, HB-26): proposed from evidence, decided by people through the extension's own rule, and
//! contested before the inspector. Never grants a second by itself.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::{
        extension::{Extend, ExtendByHq},
        people::{REASON_CHARS_MAX, given},
    },
    state::{Attempt, Proposal, Sitting, Target, counted_ms},
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, Sha256, SittingId, StationId},
    message::{attendance::LossEvidence, candidate::AttemptId},
    staff::Act,
    time::{Now, SiteMs, minutes},
};
use serde::{Deserialize, Serialize};

/// Since when a machine may have been in trouble.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence {
    /// As people say: believed first.
    pub(crate) declared: Option<SiteMs>,
    /// As the server saw it.
    pub(crate) last_contact: Option<SiteMs>,
}

/// What the swap of a machine cost, as the evidence says; nothing where nothing counted.
pub(crate) fn propose(
    site: &Site,
    sitting: &Sitting,
    attempt: &Attempt,
    evidence: Evidence,
    by: Actor,
    now: Now,
) -> Result<Option<Fact>, Refusal> {
    if evidence.declared.is_some_and(|since| since > now.at) {
        return Err(Refusal::IntervalImpossible);
    }
    let Some(began) = site.began(attempt) else { return Ok(None) };
    let known = evidence.declared.map(|since| (since, LossEvidence::Declared));
    let seen = || evidence.last_contact.map(|since| (since, LossEvidence::LastContact));
    let Some((since, evidence)) = known.or_else(seen) else { return Ok(None) };
    let (from, to) = (since.max(began), now.at);
    let ms = counted_ms(from, to, &accounted_for(site, sitting, attempt.id));
    if ms == 0 || from >= to {
        return Ok(None);
    }
    let proposal = sitting.roll.proposals.len() as u32 + 1;
    let sitting = attempt.sitting.clone();
    Ok(Some(ExtensionProposed { sitting, proposal, attempt: attempt.id, from, to, ms, evidence, by }.into()))
}

/// Stretches nobody can lose (again): what does not count for an attempt, and what was proposed for it before.
pub(crate) fn accounted_for(site: &Site, sitting: &Sitting, attempt: AttemptId) -> Vec<(SiteMs, Option<SiteMs>)> {
    let proposals = sitting.roll.proposals.iter().filter(|known| known.attempt == attempt);
    let mut known: Vec<_> = proposals.map(|known| (known.from, Some(known.to))).collect();
    known.extend(site.stretches(sitting, attempt));
    known
}

/// 已建议延时: waits for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionProposed {
    /// Which sitting.
    pub sitting: SittingId,
    /// Counts up from 1 in each sitting.
    pub proposal: u32,
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
    /// Who set it off.
    pub by: Actor,
}

impl Happened for ExtensionProposed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(sitting) = site.sittings.get_mut(&self.sitting) else { return };
        let Self { attempt, from, to, ms, evidence, by, .. } = self.clone();
        sitting.roll.proposals.push(Proposal { attempt, from, to, ms, evidence, settled: false, by });
    }
}

/// Grant what was proposed.
#[derive(Clone, Debug)]
pub struct AcceptProposal {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which proposal.
    pub proposal: u32,
    /// How much.
    pub minutes: u32,
    /// On whose word.
    pub word: GrantWord,
    /// At which machine it is entered.
    pub by: StationId,
}

/// On whose word time is granted.
#[derive(Clone, Debug)]
pub enum GrantWord {
    /// Chief and inspector: at most what was proposed, and at most what the site may grant.
    OnSite(Vec<AccountId>),
    /// HQ's code, hashed.
    Hq(Sha256),
}

impl Wanted for AcceptProposal {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let proposal = open(site, &self.sitting, self.proposal)?;
        let cause = match proposal.evidence {
            LossEvidence::Declared | LossEvidence::LastContact => "换机 swap",
            LossEvidence::SeatAccount => "本机无法作答 machine's account",
        };
        let reason = format!("{cause}, proposal {}", self.proposal);
        let (sitting, target, by) = (self.sitting.clone(), Target::Attempt(proposal.attempt), self.by.clone());
        let mut facts = match &self.word {
            GrantWord::OnSite(agreed) => {
                let lost_minutes = proposal.ms.div_ceil(minutes(1)) as u32;
                if self.minutes > lost_minutes {
                    return Err(Refusal::ExtensionLimit { used_minutes: 0, limit_minutes: lost_minutes });
                }
                Extend { sitting, target, minutes: self.minutes, reason, agreed: agreed.clone(), by }.decide(site, now)
            }
            GrantWord::Hq(code) => {
                ExtendByHq { sitting, target, minutes: self.minutes, reason, code: *code, by }.decide(site, now)
            }
        }?;
        let settled = ProposalSettled {
            sitting: self.sitting.clone(),
            proposal: self.proposal,
            granted_minutes: self.minutes,
            reason: None,
            by: None,
        };
        facts.push(settled.into());
        Ok(facts)
    }
}

/// Grant nothing.
#[derive(Clone, Debug)]
pub struct DismissProposal {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which proposal.
    pub proposal: u32,
    /// Why.
    pub reason: String,
    /// Who decides.
    pub by: StationId,
}

impl Wanted for DismissProposal {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Extend)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        open(site, &self.sitting, self.proposal)?;
        let Self { sitting, proposal, reason, .. } = self.clone();
        let (reason, by) = (Some(reason), Some(by));
        Ok(vec![ProposalSettled { sitting, proposal, granted_minutes: 0, reason, by }.into()])
    }
}

fn open<'a>(site: &'a Site, sitting: &SittingId, proposal: u32) -> Result<&'a Proposal, Refusal> {
    let proposals = &site.sitting(sitting)?.roll.proposals;
    let proposal = (proposal as usize).checked_sub(1).and_then(|index| proposals.get(index));
    match proposal.ok_or(Refusal::RecordUnknown)? {
        decided if decided.settled => Err(Refusal::AlreadySettled),
        open => Ok(open),
    }
}

/// A proposal was decided. What was granted, and on whose word, is the `time_granted` beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalSettled {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which proposal.
    pub proposal: u32,
    /// How much was granted; 0 when it was dismissed.
    pub granted_minutes: u32,
    /// Why it was dismissed.
    pub reason: Option<String>,
    /// Who dismissed it.
    pub by: Option<Actor>,
}

impl Happened for ProposalSettled {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(sitting) = site.sittings.get_mut(&self.sitting) else { return };
        let index = (self.proposal as usize).checked_sub(1);
        if let Some(proposal) = index.and_then(|index| sitting.roll.proposals.get_mut(index)) {
            proposal.settled = true;
        }
    }
}

/// The candidate contests the time that was lost (HB-25).
#[derive(Clone, Debug)]
pub struct ContestTime {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// In the candidate's words.
    pub text: String,
    /// Who writes it down.
    pub by: StationId,
}

impl Wanted for ContestTime {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::RecordIncident)?;
        given(&self.text, REASON_CHARS_MAX)?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        let (sitting, text) = (attempt.sitting.clone(), self.text.clone());
        Ok(vec![TimeContested { sitting, attempt: self.attempt, text, by }.into()])
    }
}

/// 考生对时间有异议: the inspector is to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeContested {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// In the candidate's words.
    pub text: String,
    /// Who wrote it down.
    pub by: Actor,
}

impl Happened for TimeContested {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.attendance.contested = Some(self.text.clone());
        }
    }
}

/// The inspector answers.
#[derive(Clone, Debug)]
pub struct AnswerContest {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// In words.
    pub text: String,
    /// The inspector's console.
    pub by: StationId,
}

impl Wanted for AnswerContest {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Visit)?;
        given(&self.text, REASON_CHARS_MAX)?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        attempt.attendance.contested.as_ref().ok_or(Refusal::AlreadySettled)?;
        let (sitting, text) = (attempt.sitting.clone(), self.text.clone());
        Ok(vec![ContestAnswered { sitting, attempt: self.attempt, text, by }.into()])
    }
}

/// 巡考员已答复.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContestAnswered {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// In words.
    pub text: String,
    /// Who answered.
    pub by: Actor,
}

impl Happened for ContestAnswered {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.attendance.contested = None;
        }
    }
}
