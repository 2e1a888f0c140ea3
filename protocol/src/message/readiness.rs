//! Getting a room ready and keeping it so: seat reports, seal, check-list, backup papers, mock sittings.
//! Never carries a question, an answer or a candidate's name, nor a mark of a real sitting.

use super::duty::Approval;
use crate::{
    checklist::{CheckItem, ItemStanding},
    code::{Phase, SeatState},
    ids::{AccountId, AdmissionNo, PaperId, SeatNo, SittingId},
    message::candidate::AttemptId,
    seal::{CheckStanding, SealBreak, SealCheck},
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// Seat → server: what the machine found out about itself (F-69). Sent after connecting and whenever it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatReport {
    /// Whether anything outside the room answered.
    pub outside_reachable: bool,
    /// Programs running that have no business here.
    pub foreign_programs: u32,
    /// Whether a trial lock held and was given back; none when it was not tried.
    pub lock_ok: Option<bool>,
    /// The machine's wall clock minus the server's, milliseconds.
    pub clock_offset_ms: i64,
    /// Free bytes on the disk that keeps the answers.
    pub disk_free_bytes: u64,
    /// Version of the candidate's program. At most 64 characters.
    pub version: String,
}

/// Console → server: seal, check-list and papers of a sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskReadiness {
    /// Which sitting.
    pub sitting: SittingId,
}

/// Console → server: a person has looked at what no machine can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmCheck {
    /// Which sitting.
    pub sitting: SittingId,
    /// What was checked.
    pub check: SealCheck,
    /// At which desk; none for the room.
    pub seat: Option<SeatNo>,
    /// What was seen; required for a machine's check.
    pub note: String,
}

/// Console → server: a check a person made no longer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawCheck {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which check.
    pub check: SealCheck,
    /// At which desk; none for the room.
    pub seat: Option<SeatNo>,
    /// Why.
    pub reason: String,
}

/// Console → server: 封场. Administrator and staff sign (HB-11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealRoom {
    /// Which sitting.
    pub sitting: SittingId,
    /// Both signatures, in any order.
    pub signatures: Vec<Approval>,
}

/// Console → server: tick an item of the check-list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickItem {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which item.
    pub item: CheckItem,
    /// What was seen; may be empty.
    pub note: String,
}

/// Console → server: an item was ticked wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UntickItem {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which item.
    pub item: CheckItem,
    /// Why.
    pub reason: String,
}

/// Console → server: ask HQ for a backup paper (HB-32).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestBackupPaper {
    /// For which sitting.
    pub sitting: SittingId,
    /// Why.
    pub reason: String,
}

/// Console → server: HQ gave the code: 启用备用试卷 (HB-32).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseBackupPaper {
    /// In which sitting.
    pub sitting: SittingId,
    /// For one desk only; none for everybody.
    pub seat: Option<SeatNo>,
    /// Which paper.
    pub paper: PaperId,
    /// Its own unlock code as typed.
    pub code: String,
    /// Why.
    pub reason: String,
}

impl std::fmt::Debug for UseBackupPaper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UseBackupPaper")
            .field("sitting", &self.sitting)
            .field("seat", &self.seat)
            .field("paper", &self.paper)
            .finish_non_exhaustive()
    }
}

/// Console → server: a mock sitting begins anew (HB-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetMock {
    /// Which sitting.
    pub sitting: SittingId,
}

/// Server → console: how ready a sitting is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// The server's time.
    pub now: Now,
    /// Which sitting.
    pub sitting: SittingId,
    /// Where it stands.
    pub phase: Phase,
    /// Whether it is a mock sitting (HB-05).
    pub mock: bool,
    /// Its seal.
    pub seal: SealView,
    /// The whole check-list.
    pub items: Vec<ItemView>,
    /// Backup papers of its paper that are on site.
    pub backup_papers: Vec<PaperId>,
    /// The backup paper everybody sits, once one is in use.
    pub backup_in_use: Option<PaperId>,
    /// Requests to HQ for one, with when.
    pub backup_requests: Vec<BackupRequestView>,
}

/// The seal of a room for one sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealView {
    /// Whether the door waits for it.
    pub required: bool,
    /// Who signed it and when, while it holds.
    pub signed: Option<SealSigned>,
    /// What broke it and when, until it is made anew.
    pub broken: Option<SealBroken>,
    /// Desks that count.
    pub seats: u32,
    /// Every check of the room, and the checks of desks that are not met or were met by a person.
    pub checks: Vec<SealCheckView>,
    /// Checks that are not met.
    pub missing: u32,
}

/// A seal that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealSigned {
    /// 系统管理员.
    pub administrator: AccountId,
    /// 工作人员.
    pub staff: AccountId,
    /// When.
    pub at: SiteMs,
}

/// A seal that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealBroken {
    /// Why.
    pub why: SealBreak,
    /// When.
    pub at: SiteMs,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealCheckView {
    /// Which.
    pub check: SealCheck,
    /// At which desk; none for the room.
    pub seat: Option<SeatNo>,
    /// How it stands.
    pub standing: CheckStanding,
    /// Who confirmed it.
    pub by: Option<AccountId>,
}

/// One item of the check-list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemView {
    /// Which.
    pub item: CheckItem,
    /// How it stands.
    pub standing: ItemStanding,
    /// Who ticked it; none when the system did.
    pub by: Option<AccountId>,
    /// When a person ticked it.
    pub at: Option<SiteMs>,
    /// Seconds since it became due, negative before; none while that cannot be known.
    pub due_since_s: Option<i64>,
}

/// One request to HQ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRequestView {
    /// When.
    pub at: SiteMs,
    /// Why.
    pub reason: String,
}

/// Console → server: the points of a mock sitting's present run (HB-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskMockPoints {
    /// Which sitting.
    pub sitting: SittingId,
}

/// What a machine gave for a mock paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// Tenths of a point given.
    pub points_tenths: u64,
    /// Tenths of a point of the whole paper.
    pub max_tenths: u64,
    /// Of those, tenths nobody marks in a mock sitting: they take a person.
    pub by_hand_tenths: u64,
    /// Items that are all right.
    pub right: u32,
    /// Items of the paper.
    pub items: u32,
}

/// Server → seat: what the candidate's mock paper got, as soon as the attempt is over. Never sent in a real sitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatPoints {
    /// Whose.
    pub attempt: AttemptId,
    /// What it got.
    pub points: Points,
}

/// Server → console: the points of a mock sitting's present run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MockPoints {
    /// The server's time.
    pub now: Now,
    /// Which sitting.
    pub sitting: SittingId,
    /// Whether its paper came with an answer key; without one nothing is marked.
    pub has_key: bool,
    /// One row a candidate, by admission number.
    pub rows: Vec<MockRow>,
}

/// One candidate of a mock sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MockRow {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// At which desk.
    pub seat: SeatNo,
    /// The attempt; none before the candidate signs in.
    pub attempt: Option<AttemptId>,
    /// How it stands.
    pub state: SeatState,
    /// What it got; none while it is not over.
    pub points: Option<Points>,
}
