//! What the room record rests on: incidents, violations with their signatures, findings, reports for HQ, and which results
//! are void. Grows only; a correction is a new record that points to the old one.

use super::{Attempt, Site};
use crate::authority::Actor;
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, ItemId, SeatNo, Sha256, SittingId, StationId},
    incident::{FindingKind, FindingNo, IncidentCode, Measure, RecordNo, ReportNo, Severity},
    message::{
        candidate::AttemptId,
        incident::{About, Duty},
    },
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// F-41: when the candidate refuses, at least two people sign (HB-04 wants two proctors a room).
pub const REFUSAL_SIGNATURES_MIN: usize = 2;

/// Everything recorded on this site.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Incidents.
    pub incidents: BTreeMap<RecordNo, Incident>,
    /// Violations; they share the incidents' numbers.
    pub violations: BTreeMap<RecordNo, Violation>,
    /// What HQ must hear.
    pub reports: BTreeMap<ReportNo, Report>,
    /// What the system found by itself.
    pub findings: BTreeMap<FindingNo, Finding>,
    /// 成绩无效: whose result is void, by which record.
    pub void: BTreeMap<AttemptId, RecordNo>,
}

/// What happened, as a person wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// At which desk.
    pub seat: Option<SeatNo>,
    /// Whose attempt.
    pub attempt: Option<AttemptId>,
    /// About which item.
    pub item: Option<ItemId>,
    /// When it happened.
    pub occurred_at: SiteMs,
    /// What.
    pub code: IncidentCode,
    /// In words.
    pub text: String,
    /// Files, by hash.
    pub attachments: Vec<Sha256>,
}

/// 考场情况: one incident.
#[derive(Clone, Debug)]
pub struct Incident {
    /// In which sitting; none for the whole site.
    pub sitting: Option<SittingId>,
    /// What.
    pub details: Details,
    /// When it was recorded.
    pub recorded_at: Now,
    /// Who recorded it.
    pub by: Actor,
    /// What was added.
    pub follow_ups: Vec<Added>,
    /// The record it corrects.
    pub corrects: Option<RecordNo>,
    /// The record that corrects it.
    pub corrected_by: Option<RecordNo>,
}

/// Something added to an incident.
#[derive(Clone, Debug)]
pub struct Added {
    /// When.
    pub at: Now,
    /// Who.
    pub by: Actor,
    /// In words.
    pub text: String,
    /// Files, by hash.
    pub attachments: Vec<Sha256>,
}

/// 违纪记录 (HB-29).
#[derive(Clone, Debug)]
pub struct Violation {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub attempt: AttemptId,
    /// At which desk.
    pub seat: SeatNo,
    /// The measure.
    pub measure: Measure,
    /// The facts, in words.
    pub facts: String,
    /// The incident it belongs to.
    pub incident: RecordNo,
    /// When it happened.
    pub occurred_at: SiteMs,
    /// When it was recorded.
    pub recorded_at: Now,
    /// Who took the measure.
    pub by: Actor,
    /// Digest of the candidate's signature.
    pub candidate_signed: Option<Sha256>,
    /// Proctors who were present when the candidate refused to sign.
    pub refused: Option<BTreeSet<AccountId>>,
    /// Who has signed in the candidate's place.
    pub signed: BTreeSet<AccountId>,
    /// Whether it is closed.
    pub closed: bool,
}

/// 上报: what HQ must hear (N-10).
#[derive(Clone, Debug)]
pub struct Report {
    /// In which sitting.
    pub sitting: Option<SittingId>,
    /// About what.
    pub about: About,
    /// How urgent.
    pub severity: Severity,
    /// When it was queued.
    pub queued_at: Now,
    /// HQ's receipt.
    pub receipt: Option<String>,
}

/// Whom a finding concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What was noticed.
    pub kind: FindingKind,
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: Option<AttemptId>,
    /// At which machine.
    pub station: Option<StationId>,
}

/// From when to when something was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// First moment.
    pub from: SiteMs,
    /// Last moment known.
    pub to: SiteMs,
}

/// 系统线索.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What and whom.
    pub subject: Subject,
    /// When it was first noticed.
    pub noticed_at: Now,
    /// The evidence.
    pub stretches: Vec<Stretch>,
    /// Whether a person has judged it.
    pub judged: bool,
}

impl Violation {
    /// Signatures that are still missing (HB-29): the candidate's; after a refusal those of every proctor who was present
    /// and is still in office, and of two people at least.
    pub fn missing(&self, site: &Site) -> u32 {
        if self.candidate_signed.is_some() {
            return 0;
        }
        let Some(present) = &self.refused else { return 1 };
        let in_office = |account: &&AccountId| site.accounts.get(*account).is_some_and(|a| a.active);
        let absent = present.iter().filter(in_office).filter(|account| !self.signed.contains(*account)).count();
        absent.max(REFUSAL_SIGNATURES_MIN.saturating_sub(self.signed.len())) as u32
    }
}

impl Records {
    /// The number the next incident or violation gets.
    pub fn next_record(&self) -> RecordNo {
        RecordNo(self.incidents.len() as u32 + self.violations.len() as u32 + 1)
    }

    /// The number of the newest incident or violation.
    pub fn last_record(&self) -> RecordNo {
        RecordNo(self.next_record().0 - 1)
    }

    /// The number the next report gets.
    pub fn next_report(&self) -> ReportNo {
        ReportNo(self.reports.len() as u32 + 1)
    }

    /// The number the next finding gets.
    pub fn next_finding(&self) -> FindingNo {
        FindingNo(self.findings.len() as u32 + 1)
    }

    /// Reports HQ has not heard, in order.
    pub fn undelivered(&self) -> impl Iterator<Item = (ReportNo, &Report)> {
        self.reports.iter().filter(|(_, report)| report.receipt.is_none()).map(|(number, report)| (*number, report))
    }

    /// The open finding about a subject, if there is one.
    pub fn open_finding(&self, subject: &Subject) -> Option<(FindingNo, &Finding)> {
        let same = |finding: &Finding| !finding.judged && finding.subject == *subject;
        self.findings.iter().find(|(_, finding)| same(finding)).map(|(number, finding)| (*number, finding))
    }
}

impl Site {
    /// 待办: what is still to be done in a sitting before the room is left; whole-site reports are everybody's. The end of a
    /// sitting does not wait for it.
    pub fn open_duties(&self, sitting: &SittingId) -> Vec<Duty> {
        let here = |of: Option<&SittingId>| of.is_none_or(|of| of == sitting);
        let violations = self.records.violations.iter().filter(|(_, v)| !v.closed && v.sitting == *sitting);
        let records = violations.map(|(record, violation)| match violation.missing(self) {
            0 => Duty::Close { record: *record },
            missing => Duty::Sign { record: *record, missing },
        });
        let reports = self.records.undelivered().filter(|(_, report)| here(report.sitting.as_ref()));
        let reports = reports.map(|(report, what)| Duty::Report { report, severity: what.severity });
        let findings = self.records.findings.iter().filter(|(_, f)| !f.judged && f.subject.sitting == *sitting);
        let findings = findings.map(|(finding, _)| Duty::Judge { finding: *finding });
        records.chain(reports).chain(findings).collect()
    }

    /// Who sits, or sat last, at a desk in a sitting.
    pub fn attempt_at_seat(&self, sitting: &SittingId, seat: SeatNo) -> Option<&Attempt> {
        self.attempts_of(sitting).filter(|attempt| attempt.seat == seat).max_by_key(|attempt| attempt.id)
    }

    /// The violation with this number.
    ///
    /// # Errors
    /// [`Refusal::RecordUnknown`].
    pub fn violation(&self, record: RecordNo) -> Result<&Violation, Refusal> {
        self.records.violations.get(&record).ok_or(Refusal::RecordUnknown)
    }
}
