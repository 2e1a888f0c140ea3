//! Who is here, where and how: admission denied, identity, leaves, machine swaps, ends and re-openings, hand-in consent,
//! absences, lost time. Never carries a name, a question or, from the server, a password.

use super::duty::Approval;
use crate::{
    answer::Answer,
    code::SeatState,
    ids::{AccountId, AdmissionNo, ItemId, SeatNo, SittingId, StationId},
    message::candidate::AttemptId,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// Why a candidate's exam was ended (F-32): a decision, not a hand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndWhy {
    /// 违纪 (HB-29).
    Violation,
    /// 身体不适 (HB-30).
    Illness,
    /// 其他, as the text says.
    Other,
}

/// Rounds of identity checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityRound {
    /// At the door (HB-14).
    First,
    /// From T+15 min, at the desks (HB-21).
    Second,
}

/// Rounds of absence checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceRound {
    /// When entry has closed (HB-20).
    EntryClosed,
    /// At the end (HB-40).
    End,
}

/// How lost time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossEvidence {
    /// A person says since when the machine was in trouble.
    Declared,
    /// The server's last contact with the old machine.
    LastContact,
    /// The machine's own account of when nobody could work at it.
    SeatAccount,
}

/// Console → server: 拒绝准入; takes an admission back that has not begun to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyCandidate {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Why.
    pub reason: String,
}

/// Seat → server: the data on screen is mine (HB-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmIdentity {
    /// Whose attempt.
    pub attempt: AttemptId,
}

/// Console → server: 暂离 (HB-24).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Out or back.
    pub step: LeaveStep,
}

/// Which way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaveStep {
    /// The candidate goes out.
    Out {
        /// Who goes along, the whole time.
        escort: AccountId,
        /// In words, if anybody cares to say.
        reason: Option<String>,
    },
    /// The candidate is back.
    Back,
}

/// Console → server: 换机 (HB-25).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapMachine {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Desk of the machine that takes over, in the same room.
    pub to: SeatNo,
    /// Since when the old machine has been in trouble, on the site's timeline, as people say.
    pub trouble_since: Option<SiteMs>,
    /// Why.
    pub reason: String,
}

/// Console → server: one candidate's exam is ended, or opened again (F-32).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideAttempt {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// What was decided.
    pub decision: Decision,
}

/// What was decided about an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// 终止考核, by the chief.
    End {
        /// Why.
        why: EndWhy,
        /// In words.
        reason: String,
    },
    /// 重新开放, by chief and inspector; the clock starts when the candidate is admitted again.
    Reopen {
        /// How much is left, at most what was left.
        minutes: u32,
        /// In words.
        reason: String,
        /// Chief and inspector.
        agreed: Vec<Approval>,
    },
}

/// Console → server: the chief consents to early hand-in (HB-23).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentHandIn {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose; everybody's, when none.
    pub attempt: Option<AttemptId>,
}

/// Console → server: what was found on a round through the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollCall {
    /// In which sitting.
    pub sitting: SittingId,
    /// What was found.
    pub entry: RollEntry,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RollEntry {
    /// 核对身份 (HB-14, HB-21).
    Identity(IdentityCheck),
    /// 缺考确认 (HB-20, HB-40).
    Absent {
        /// Who is not here; everybody recorded as absent, when empty.
        candidates: Vec<AdmissionNo>,
    },
}

/// One candidate checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityCheck {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// ID card and face.
    pub id_card: bool,
    /// 签到表 is signed.
    pub sheet_signed: bool,
    /// 准考证.
    pub ticket: bool,
    /// 桌贴.
    pub desk_label: bool,
    /// What else was seen; may be empty.
    pub note: String,
}

/// Seat → server: what the replaced machine had typed and not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphans {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// What the candidate wants.
    pub wish: OrphanWish,
}

/// What the candidate wants with answers of the replaced machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrphanWish {
    /// Show them. Answered by [`OrphanPage`].
    List {
        /// Up to this one they are known; 0 for the first page.
        after: u32,
    },
    /// Take one: it becomes a new version. Answered by `Saved`.
    Adopt {
        /// Which one.
        orphan: u32,
        /// The number of the new version, given by the seat.
        number: u32,
    },
    /// Keep the newer answer.
    Dismiss {
        /// Which one.
        orphan: u32,
    },
}

/// Server → seat: answers of the replaced machine, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanPage {
    /// The page.
    pub orphans: Vec<OrphanAnswer>,
    /// Whether more follow: ask again after the last one.
    pub more: bool,
}

/// One answer of the replaced machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanAnswer {
    /// Its number among the orphans of the attempt.
    pub orphan: u32,
    /// To which item.
    pub item: ItemId,
    /// What was given.
    pub answer: Answer,
    /// When it was typed.
    pub made_at: SiteMs,
}

/// Most stretches one account may name.
pub const UNABLE_STRETCHES_MAX: usize = 20;

/// Seat → server: when the candidate could not work at this machine though the clock ran, as the machine's own journal says
/// (HB-25, HB-26). Evidence, never time: it becomes proposals for people. Saying it again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatUnable {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// In order; at most [`UNABLE_STRETCHES_MAX`].
    pub stretches: Vec<UnableStretch>,
}

/// One stretch in which nobody could work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnableStretch {
    /// From when, on the site's timeline as the seat knows it.
    pub from: SiteMs,
    /// Until when.
    pub to: SiteMs,
    /// Why.
    pub why: UnableWhy,
}

/// Why nobody could work at a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnableWhy {
    /// 程序未运行: the app or the machine was down.
    NotRunning,
    /// 试卷未打开: the time ran and the paper was not on screen.
    PaperClosed,
    /// 无法保存: no disk and no server took what was typed.
    NotKept,
}

impl UnableWhy {
    /// Every reason.
    pub const ALL: [UnableWhy; 3] = [UnableWhy::NotRunning, UnableWhy::PaperClosed, UnableWhy::NotKept];
}

/// Console → server: about lost time (HB-25, HB-26).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostTime {
    /// In which sitting.
    pub sitting: SittingId,
    /// What was decided or contested.
    pub word: LossWord,
}

/// What was decided or contested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LossWord {
    /// Chief and inspector grant what was proposed.
    Accept {
        /// Which proposal.
        proposal: u32,
        /// How much, at most what was proposed.
        minutes: u32,
        /// Chief and inspector.
        agreed: Vec<Approval>,
    },
    /// HQ grants; more than 15 minutes take this.
    AcceptByHq {
        /// Which proposal.
        proposal: u32,
        /// How much, as HQ said.
        minutes: u32,
        /// HQ's code as typed.
        code: String,
    },
    /// Nothing is granted.
    Dismiss {
        /// Which proposal.
        proposal: u32,
        /// Why.
        reason: String,
    },
    /// The candidate contests; the inspector is to answer.
    Contest {
        /// Whose attempt.
        attempt: AttemptId,
        /// In the candidate's words.
        text: String,
    },
    /// The inspector answers.
    Answer {
        /// Whose attempt.
        attempt: AttemptId,
        /// In words.
        text: String,
    },
}

/// Console → server: the roll of a sitting. Answered by [`AttendanceList`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskAttendance {
    /// Which sitting.
    pub sitting: SittingId,
}

/// Server → seat, before each view of a signed-in seat: what the view does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatNotes {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Whether the candidate has confirmed the data on screen.
    pub identity_confirmed: bool,
    /// When hand-in opens; none before the start and while the clock stands still.
    pub hand_in_opens: Option<SiteMs>,
    /// Whether the chief's consent is still missing.
    pub consent_missing: bool,
    /// Until when to stay in the waiting area after the hand-in.
    pub wait_until: Option<SiteMs>,
    /// Answers of the replaced machine that wait for a choice.
    pub orphans: u32,
    /// The item the candidate was at (HB-25): a machine that takes over, or has forgotten, goes on there.
    pub resume_at: Option<ItemId>,
}

/// Server → console: the roll of a sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttendanceList {
    /// The server's time when this was said.
    pub now: Now,
    /// Which sitting.
    pub sitting: SittingId,
    /// When entry closed.
    pub entry_closed_at: Option<SiteMs>,
    /// Whether the chief has consented to early hand-in for everybody.
    pub hand_in_consented: bool,
    /// Who is here.
    pub present: Vec<PresentNote>,
    /// Who is not.
    pub absent: Vec<AbsentNote>,
    /// Lost time that waits for a decision.
    pub proposals: Vec<ProposalNote>,
}

/// One candidate who has signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentNote {
    /// The attempt.
    pub attempt: AttemptId,
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// Desk.
    pub seat: SeatNo,
    /// Machine.
    pub station: StationId,
    /// How the seat stands.
    pub state: SeatState,
    /// Whether the candidate confirmed the data on screen.
    pub identity_confirmed: bool,
    /// Whether the first round is complete.
    pub first_round: bool,
    /// Whether the second round is complete.
    pub second_round: bool,
    /// Why admission was denied.
    pub denied: Option<String>,
    /// Since when the candidate is out, and with whom.
    pub out: Option<(SiteMs, AccountId)>,
    /// How often the candidate has been out.
    pub leaves: u32,
    /// Whether early hand-in has been consented to.
    pub hand_in_consented: bool,
    /// Until when to stay in the waiting area.
    pub wait_until: Option<SiteMs>,
    /// Why the exam was ended by a decision.
    pub ended: Option<EndWhy>,
    /// Machines this attempt was moved away from.
    pub former: Vec<StationId>,
    /// Answers of replaced machines that wait for a choice.
    pub orphans: u32,
    /// What the candidate contests.
    pub contested: Option<String>,
}

/// One candidate who is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentNote {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// Which rounds have confirmed it.
    pub confirmed: Vec<AbsenceRound>,
}

/// Lost time that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalNote {
    /// Counts up from 1 in the sitting.
    pub proposal: u32,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// From when.
    pub from: SiteMs,
    /// Until when.
    pub to: SiteMs,
    /// How much counted and was lost, milliseconds.
    pub ms: u64,
    /// How it is known.
    pub evidence: LossEvidence,
}
