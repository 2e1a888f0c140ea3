//! What the system finds by itself (F-24, F-42, C-05): a proposal with evidence and harmless reasons, which a person accepts
//! as an incident or dismisses with a reason. Never a verdict, never two open ones about the same thing.

use crate::{
    Fact, Reply, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::{
        incident::{happened, recorded, room_for_more},
        people::{REASON_CHARS_MAX, given},
    },
    state::{Details, Finding, Stage, Stretch, Subject},
};
use exam_protocol::{
    code::Refusal,
    ids::{AdmissionNo, SittingId, StationId},
    incident::{FindingKind, FindingNo, RecordNo, TEXT_CHARS_MAX},
    message::incident::Verdict,
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Most findings of one site.
pub const FINDINGS_MAX: u32 = 50_000;
/// Most stretches one open finding gathers; what comes after them says nothing new.
pub const STRETCHES_MAX: usize = 50;

/// The shell has noticed something. No person is behind it, so nothing follows but a proposal.
#[derive(Clone, Debug)]
pub struct NoteFinding {
    /// What, and about whom.
    pub subject: Subject,
    /// The evidence.
    pub stretch: Stretch,
}

impl Wanted for NoteFinding {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        site.sitting(&self.subject.sitting)?;
        let of_sitting = |attempt| site.attempts.get(&attempt).is_some_and(|a| a.sitting == self.subject.sitting);
        if self.subject.attempt.is_some_and(|attempt| !of_sitting(attempt)) {
            return Err(Refusal::AttemptUnknown);
        }
        happened(self.stretch.to, now)?;
        if self.stretch.from > self.stretch.to {
            return Err(Refusal::IntervalImpossible);
        }
        Ok(noticed(site, &self.subject, self.stretch).into_iter().collect())
    }
}

/// A new finding, or more evidence for the open one; nothing when it says nothing new.
fn noticed(site: &Site, subject: &Subject, stretch: Stretch) -> Option<Fact> {
    let Some((number, open)) = site.records.open_finding(subject) else {
        let number = site.records.next_finding();
        return (number.0 <= FINDINGS_MAX).then(|| FindingNoted { number, subject: subject.clone(), stretch }.into());
    };
    let known = open.stretches.iter().find(|known| known.from == stretch.from);
    let news = known.map_or(open.stretches.len() < STRETCHES_MAX, |known| known.to < stretch.to);
    news.then(|| FindingGrew { number, sitting: subject.sitting.clone(), stretch }.into())
}

/// F-77: the number of a candidate who is signed in was typed, with the right password, at another machine: at a wrong desk,
/// at a desk where somebody else sits, at the machine that was replaced, or in another room. Nothing for a stray candidate who
/// is signed in nowhere (HB-31).
pub(crate) fn second_login(site: &Site, now: Now, station: &StationId, admission_no: &AdmissionNo) -> Vec<Fact> {
    let open = site.sittings.values().filter(|s| matches!(s.stage, Stage::Admitting { .. } | Stage::Running { .. }));
    let attempt = open.filter_map(|sitting| sitting.attempts.get(admission_no)).find_map(|id| site.attempts.get(id));
    let Some(attempt) = attempt.filter(|attempt| attempt.station != *station) else { return Vec::new() };
    let subject = Subject {
        kind: FindingKind::SecondLogin,
        sitting: attempt.sitting.clone(),
        attempt: Some(attempt.id),
        station: Some(station.clone()),
    };
    noticed(site, &subject, Stretch { from: now.at, to: now.at }).into_iter().collect()
}

/// 系统线索: noticed, not judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingNoted {
    /// Its number.
    pub number: FindingNo,
    /// What, and about whom.
    pub subject: Subject,
    /// The evidence.
    pub stretch: Stretch,
}

impl Happened for FindingNoted {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.subject.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let finding =
            Finding { subject: self.subject.clone(), noticed_at: now, stretches: vec![self.stretch], judged: false };
        site.records.findings.insert(self.number, finding);
    }
}

/// More evidence for an open finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingGrew {
    /// Which finding.
    pub number: FindingNo,
    /// In which sitting.
    pub sitting: SittingId,
    /// The evidence; the same beginning means the same stretch, known longer.
    pub stretch: Stretch,
}

impl Happened for FindingGrew {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(finding) = site.records.findings.get_mut(&self.number) else { return };
        match finding.stretches.iter_mut().find(|known| known.from == self.stretch.from) {
            Some(known) => known.to = self.stretch.to,
            None => finding.stretches.push(self.stretch),
        }
    }
}

/// A person judges a finding.
#[derive(Clone, Debug)]
pub struct JudgeFinding {
    /// Which finding.
    pub number: FindingNo,
    /// What it is.
    pub verdict: Verdict,
    /// Who judges.
    pub by: StationId,
}

impl Wanted for JudgeFinding {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::JudgeFinding)?;
        match &self.verdict {
            Verdict::Dismiss { reason } => given(reason, REASON_CHARS_MAX)?,
            Verdict::Accept { note } if note.is_empty() => {}
            Verdict::Accept { note } => given(note, REASON_CHARS_MAX)?,
        }
        let finding = site.records.findings.get(&self.number).ok_or(Refusal::RecordUnknown)?;
        if finding.judged {
            return Err(Refusal::AlreadySettled);
        }
        let (number, sitting) = (self.number, finding.subject.sitting.clone());
        match &self.verdict {
            Verdict::Dismiss { reason } => {
                let outcome = Outcome::Dismissed { reason: reason.clone() };
                Ok(vec![FindingJudged { number, sitting, outcome, by }.into()])
            }
            Verdict::Accept { note } => {
                room_for_more(site)?;
                let outcome = Outcome::Accepted { incident: site.records.next_record() };
                let incident = recorded(site, Some(sitting.clone()), details(site, finding, note), by.clone());
                Ok([FindingJudged { number, sitting, outcome, by }.into()].into_iter().chain(incident).collect())
            }
        }
    }

    fn reply(&self, site: &Site) -> Reply {
        match self.verdict {
            Verdict::Accept { .. } => Reply::Recorded { record: site.records.last_record() },
            Verdict::Dismiss { .. } => Reply::Done,
        }
    }
}

/// The incident a finding becomes: neutral words, the evidence, and what the person adds.
fn details(site: &Site, finding: &Finding, note: &str) -> Details {
    let total_ms: u64 = finding.stretches.iter().map(|stretch| stretch.to.since(stretch.from)).sum();
    let mut text = format!("系统发现：{}", finding.subject.kind.name());
    text.push_str(&format!("，{} 次，共 {} 秒", finding.stretches.len(), total_ms.div_ceil(1000)));
    if !note.is_empty() {
        text.push_str(&format!("；{note}"));
    }
    let attempt = finding.subject.attempt.and_then(|attempt| site.attempts.get(&attempt));
    Details {
        seat: attempt.map(|attempt| attempt.seat),
        attempt: finding.subject.attempt,
        item: None,
        occurred_at: finding.stretches.first().map_or(finding.noticed_at.at, |stretch| stretch.from),
        code: finding.subject.kind.code(),
        text,
        attachments: Vec::new(),
    }
}

const _: () = assert!(REASON_CHARS_MAX + 100 <= TEXT_CHARS_MAX); // else an accepted note would not fit its incident

/// What became of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is an incident.
    Accepted {
        /// Under this number.
        incident: RecordNo,
    },
    /// It is nothing.
    Dismissed {
        /// Why.
        reason: String,
    },
}

/// 线索已判定.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingJudged {
    /// Which finding.
    pub number: FindingNo,
    /// In which sitting.
    pub sitting: SittingId,
    /// What became of it.
    pub outcome: Outcome,
    /// Who judged.
    pub by: Actor,
}

impl Happened for FindingJudged {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(finding) = site.records.findings.get_mut(&self.number) {
            finding.judged = true;
        }
    }
}
