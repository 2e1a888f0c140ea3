//! What the site knows: nothing but the sum of its facts. Everything shown to people is derived from here, never stored
//! beside it. No wall clock decides anything.

mod attempt;
mod attendance;
mod hands;
mod messages;
mod queries;
mod records;
mod sitting;
mod time;
mod visits;
mod whereabouts;

pub use attempt::{AnswerLog, Attempt, Version};
pub use attendance::{
    Attendance, Closed, EndedWhy, Former, Leave, Orphan, Proposal, Rest, Roll, RoundCheck, Settled, counted_ms,
};
pub use hands::{Hand, HandEnd, Hands};
pub use messages::{Delivery, Message, Messages, UNREAD_SHOWN_MAX};
pub use records::{
    Added, Details, Finding, Incident, REFUSAL_SIGNATURES_MIN, Records, Report, Stretch, Subject, Violation,
};
pub use sitting::{Sitting, Stage};
pub use time::{Authority, End, Granted, PauseCause, PowerCut, Removed, Target, end_of};
pub use visits::{Findings, Visit, Visits};
pub use whereabouts::Whereabouts;

mod backup_paper;
mod checklist;
mod mock;
mod seal;
pub use backup_paper::{Backup, BackupRequest};
pub use checklist::{ItemNow, Ticked};
pub use mock::{MockRuns, PastAttempts, Unmarked};
pub use seal::{Check, Confirmed, Readiness, Seal, SealState, measured};

use crate::rules::founding::ClockAnchor;
use exam_protocol::{
    ids::{
        AccountId, AdmissionNo, ExamId, PaperId, RoomId, SealedBytes, SeatNo, SeatRef, Sha256, SiteId, SittingId,
        StationId,
    },
    message::{candidate::AttemptId, hello::Role},
    paper::SealedPaper,
    plan::{RoomPlan, RuleOverrides},
    staff::StaffRole,
    time::SiteMs,
};
use std::collections::BTreeMap;

/// One site, whole. Begins empty and grows only by [`Site::apply`].
#[derive(Clone, Debug)]
pub struct Site {
    /// Which site.
    pub id: SiteId,
    /// Name for people; empty until the site is founded.
    pub name: String,
    /// Moment of the last fact.
    pub latest: SiteMs,
    /// Whose packages are believed.
    pub hq: Option<Hq>,
    /// Starts of the server so far.
    pub server_starts: u64,
    /// How the timeline last rested on the machine's clock.
    pub anchor: Option<ClockAnchor>,
    /// Enrolment codes by keyed hash.
    pub codes: BTreeMap<Sha256, EnrolCode>,
    /// Machines by certificate fingerprint.
    pub certificates: BTreeMap<Sha256, StationId>,
    /// Machines.
    pub stations: BTreeMap<StationId, Station>,
    /// Which machine stands at which desk.
    pub desks: BTreeMap<SeatRef, StationId>,
    /// Exams.
    pub exams: BTreeMap<ExamId, Exam>,
    /// Rooms.
    pub rooms: BTreeMap<RoomId, RoomPlan>,
    /// Sittings.
    pub sittings: BTreeMap<SittingId, Sitting>,
    /// Sealed papers.
    pub papers: BTreeMap<PaperId, PaperOnSite>,
    /// Keys of released papers, sealed under the site's at-rest key.
    pub released: BTreeMap<PaperId, SealedBytes>,
    /// Expected candidates.
    pub candidates: BTreeMap<AdmissionNo, Candidate>,
    /// Staff accounts (HB-04).
    pub accounts: BTreeMap<AccountId, Account>,
    /// Attempts.
    pub attempts: BTreeMap<AttemptId, Attempt>,
    /// Incidents, violations, findings, reports.
    pub records: Records,
    /// What programs and machines said of themselves (HB-11).
    pub readiness: Readiness,
    /// Attempts of mock runs that are past (HB-05).
    pub past_attempts: PastAttempts,
    /// Raised hands.
    pub hands: Hands,
    /// Messages to seats.
    pub messages: Messages,
    /// Visits of the inspector (HB-33).
    pub visits: Visits,
}

impl Site {
    /// A site nothing has happened on.
    pub fn new(id: SiteId) -> Self {
        Self {
            id,
            name: String::new(),
            latest: SiteMs(0),
            hq: None,
            server_starts: 0,
            anchor: None,
            codes: BTreeMap::new(),
            certificates: BTreeMap::new(),
            stations: BTreeMap::new(),
            desks: BTreeMap::new(),
            exams: BTreeMap::new(),
            rooms: BTreeMap::new(),
            sittings: BTreeMap::new(),
            papers: BTreeMap::new(),
            released: BTreeMap::new(),
            candidates: BTreeMap::new(),
            accounts: BTreeMap::new(),
            attempts: BTreeMap::new(),
            records: Records::default(),
            readiness: Readiness::default(),
            past_attempts: PastAttempts::new(),
            hands: Hands::default(),
            messages: Messages::default(),
            visits: Visits::default(),
        }
    }
}

/// The certifying body this site believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hq {
    /// Its minisign public key.
    pub minisign: String,
}

/// An enrolment code.
#[derive(Clone, Copy, Debug)]
pub struct EnrolCode {
    /// For which role.
    pub role: Role,
    /// Machines it may still enrol.
    pub uses_left: u16,
    /// Until when.
    pub valid_until: SiteMs,
}

/// A machine of the site.
#[derive(Clone, Debug)]
pub struct Station {
    /// Its role.
    pub role: Role,
    /// Host name as it said.
    pub host: String,
    /// The enrolment code it used (keyed hash).
    pub code: Option<Sha256>,
    /// Its desk.
    pub seat: Option<SeatRef>,
    /// The attempt that was last begun here.
    pub attempt: Option<AttemptId>,
    /// Failed sign-ins since the last good one.
    pub failures: Failures,
    /// The person who answers for this console.
    pub staff: Option<AccountId>,
}

/// Failed sign-ins at one machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last_at: SiteMs,
}

impl Station {
    /// A machine that has just been enrolled.
    pub fn new(role: Role, host: String, code: Option<Sha256>) -> Self {
        Self { role, host, code, seat: None, attempt: None, failures: Failures::default(), staff: None }
    }
}

/// A person's account.
#[derive(Clone, Debug)]
pub struct Account {
    /// 姓名.
    pub name: String,
    /// Role.
    pub role: StaffRole,
    /// The room a proctor watches; none for the whole site.
    pub room: Option<RoomId>,
    /// Argon2id hash of the password, sealed under the site's at-rest key.
    pub password: SealedBytes,
    /// For whom this person stands in.
    pub stands_in_for: Option<AccountId>,
    /// Whether it may be used.
    pub active: bool,
}

/// An exam and what its package said.
#[derive(Clone, Debug)]
pub struct Exam {
    /// Hash of the package file.
    pub package: Sha256,
    /// Title for people.
    pub title: String,
    /// age recipient of HQ.
    pub hq_recipient: String,
    /// Overridden numbers.
    pub rules: RuleOverrides,
}

/// A sealed paper.
#[derive(Clone, Debug)]
pub struct PaperOnSite {
    /// The sealed bytes.
    pub sealed: SealedPaper,
    /// Hash of the wrapped key.
    pub wrapped_key: Sha256,
    /// The paper whose place it may take (HB-32).
    pub backup_of: Option<PaperId>,
    /// Hash of its sealed answer key; only mock papers have one (HB-05).
    pub mock_key: Option<Sha256>,
}

/// An expected candidate.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// In which exam.
    pub exam: ExamId,
    /// Keyed hash of number and password.
    pub password_tag: Sha256,
    /// Name and ID number, sealed.
    pub identity: SealedBytes,
    /// Desk in each sitting.
    pub places: BTreeMap<SittingId, SeatNo>,
}
