//! What consoles, command lines and signing candidates say about the room record: incidents, violations, signatures,
//! findings, reports to HQ. Never carries a candidate's name or ID number, nor an answer.

use crate::{
    ids::{AdmissionNo, ItemId, SeatNo, Sha256, SittingId},
    incident::{FindingKind, FindingNo, IncidentCode, Measure, RecordNo, ReportNo, Severity, Signature},
    message::candidate::AttemptId,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// Console → server: something happened (HB-25 to HB-34).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordIncident {
    /// In which sitting; none for the whole site.
    pub sitting: Option<SittingId>,
    /// At which desk of the sitting's room; its candidate is filled in by the server.
    pub seat: Option<SeatNo>,
    /// Which item it is about (HB-28).
    pub item: Option<ItemId>,
    /// When it happened; none for now.
    pub occurred_at: Option<SiteMs>,
    /// What happened.
    pub code: IncidentCode,
    /// In words.
    pub text: String,
    /// Files, uploaded before.
    pub attachments: Vec<Sha256>,
}

/// Server → console: it is in the room record under this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number.
    pub record: RecordNo,
}

/// Console → server: more about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddToIncident {
    /// Which record.
    pub record: RecordNo,
    /// In words.
    pub text: String,
    /// Files, uploaded before.
    pub attachments: Vec<Sha256>,
}

/// Console → server: an incident was not as recorded. The old record stays and points to the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectIncident {
    /// Which record is wrong.
    pub record: RecordNo,
    /// Why.
    pub reason: String,
    /// At which desk it really was.
    pub seat: Option<SeatNo>,
    /// Which item it really was about.
    pub item: Option<ItemId>,
    /// When it really happened; none where the old record was right.
    pub occurred_at: Option<SiteMs>,
    /// What really happened.
    pub code: IncidentCode,
    /// In words.
    pub text: String,
    /// Files, uploaded before.
    pub attachments: Vec<Sha256>,
}

/// Console → server: a violation and the measure taken (HB-29).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordViolation {
    /// In which sitting.
    pub sitting: SittingId,
    /// At which desk.
    pub seat: SeatNo,
    /// Which measure.
    pub measure: Measure,
    /// The facts, in words.
    pub facts: String,
    /// The incident it belongs to; none makes a new one.
    pub incident: Option<RecordNo>,
    /// When it happened; none for now.
    pub occurred_at: Option<SiteMs>,
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// The candidate, at their seat or on a console.
    Candidate,
    /// The person who is signed on at this console.
    Myself,
}

/// Seat or console → server: a signature under a violation record (F-41).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignRecord {
    /// Which record.
    pub record: RecordNo,
    /// Whose signature.
    pub signer: Signer,
    /// The signature.
    pub signature: Signature,
}

/// Console → server: the candidate refuses to sign; from now on every proctor present has to (HB-29).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefuseSignature {
    /// Which record.
    pub record: RecordNo,
    /// What the candidate said.
    pub reason: String,
}

/// Console → server: the violation record is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseRecord {
    /// Which record.
    pub record: RecordNo,
}

/// What a person makes of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It becomes an incident; the note may be empty.
    Accept {
        /// What the person adds.
        note: String,
    },
    /// It is nothing.
    Dismiss {
        /// Why.
        reason: String,
    },
}

/// Console → server: judge what the system found by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgeFinding {
    /// Which finding.
    pub finding: FindingNo,
    /// What it is.
    pub verdict: Verdict,
}

/// Console → server: HQ has heard this report, e.g. by phone (N-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverReport {
    /// Which report.
    pub report: ReportNo,
    /// What HQ gave for it: a receipt number, a name, a time.
    pub receipt: String,
}

/// Console → server: the records of a sitting and what is still to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRecords {
    /// Which sitting; none for the whole site.
    pub sitting: Option<SittingId>,
    /// Records up to here are known; 0 for the first page.
    pub after: RecordNo,
}

/// Server → console: a page of records, and everything that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// The server's time.
    pub now: Now,
    /// The page, by number.
    pub records: Vec<RecordView>,
    /// Whether more follow.
    pub more: bool,
    /// What is still to be done before the room is left.
    pub duties: Vec<Duty>,
    /// Open findings.
    pub findings: Vec<FindingView>,
    /// Reports HQ has not heard.
    pub reports: Vec<ReportView>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Its number.
    pub number: RecordNo,
    /// In which sitting.
    pub sitting: Option<SittingId>,
    /// At which desk.
    pub seat: Option<SeatNo>,
    /// Whose attempt.
    pub attempt: Option<AttemptId>,
    /// Whose number.
    pub admission_no: Option<AdmissionNo>,
    /// About which item.
    pub item: Option<ItemId>,
    /// When it was recorded.
    pub recorded_at: Now,
    /// When it happened.
    pub occurred_at: SiteMs,
    /// What.
    pub code: IncidentCode,
    /// In words.
    pub text: String,
    /// Files.
    pub attachments: Vec<Sha256>,
    /// Who recorded it.
    pub by: String,
    /// What was added, in order.
    pub follow_ups: Vec<FollowUp>,
    /// The record this one corrects.
    pub corrects: Option<RecordNo>,
    /// The record that corrects this one.
    pub corrected_by: Option<RecordNo>,
    /// The measure and its signatures, when it is a violation.
    pub violation: Option<ViolationView>,
}

/// Something added to a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// When.
    pub at: Now,
    /// Who.
    pub by: String,
    /// In words.
    pub text: String,
    /// Files.
    pub attachments: Vec<Sha256>,
}

/// How a violation record stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViolationView {
    /// The incident it belongs to.
    pub incident: RecordNo,
    /// The measure.
    pub measure: Measure,
    /// Whether the candidate has signed.
    pub candidate_signed: bool,
    /// Whether the candidate refused.
    pub refused: bool,
    /// Proctors who have signed.
    pub proctors_signed: u32,
    /// Signatures that are still missing.
    pub missing: u32,
    /// Whether it is closed.
    pub closed: bool,
}

/// 待办: what is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// A violation record lacks signatures.
    Sign {
        /// Which record.
        record: RecordNo,
        /// How many are missing.
        missing: u32,
    },
    /// A violation record is signed and not closed.
    Close {
        /// Which record.
        record: RecordNo,
    },
    /// HQ has not heard a report.
    Report {
        /// Which report.
        report: ReportNo,
        /// How urgent.
        severity: Severity,
    },
    /// A finding has not been judged.
    Judge {
        /// Which finding.
        finding: FindingNo,
    },
}

/// What the system found by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// Its number.
    pub number: FindingNo,
    /// What.
    pub kind: FindingKind,
    /// In which sitting.
    pub sitting: SittingId,
    /// At which desk.
    pub seat: Option<SeatNo>,
    /// When it was first noticed.
    pub noticed_at: Now,
    /// The stretches it rests on, from and to.
    pub stretches: Vec<(SiteMs, SiteMs)>,
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// An incident.
    Incident(RecordNo),
    /// A violation.
    Violation(RecordNo),
    /// 延时 (HB-26): the sitting's n-th grant of time, from 1.
    Extension(u32),
    /// 取消入场 (HB-27, HB-32): the sitting could not be held.
    CalledOff,
    /// 申请备用试卷 (HB-32): the sitting's n-th request, from 1.
    BackupRequest(u32),
    /// 身体不适 (HB-30): the candidate whose exam ended for it.
    Illness(AttemptId),
}

/// A report HQ must hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportView {
    /// Its number.
    pub number: ReportNo,
    /// In which sitting.
    pub sitting: Option<SittingId>,
    /// What it is about.
    pub about: About,
    /// How urgent.
    pub severity: Severity,
    /// When it was queued.
    pub queued_at: Now,
}
