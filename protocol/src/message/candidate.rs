//! What a seat and the server say to each other: taking a desk, signing in, answering, handing in.
//! Never carries a question in the clear, nor an answer key.

use crate::{
    answer::Answer,
    code::{Phase, SeatState},
    ids::{AdmissionNo, ItemId, PaperId, SeatRef, SittingId, StationId},
    paper::{SealedPaper, Subject},
    time::{Now, SiteMs, WallMs},
};
use serde::{Deserialize, Serialize};

/// One candidate in one sitting (作答记录). Given by the server at sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub u64);

/// Seat → server: this machine stands at this desk (DESIGN §7: room images are cloned, so a person says where it is).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeSeat {
    /// The desk.
    pub seat: SeatRef,
}

/// Seat → server: HB-15, admission number and password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// As typed; first the last six digits of the number.
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn(…)")
    }
}

/// Seat → server: version `number` of an answer. Sending it again is harmless: it is applied once (P5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveAnswer {
    /// Whose answer.
    pub attempt: AttemptId,
    /// To which item.
    pub item: ItemId,
    /// 1 for the first version of this item's answer, then one more each time.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
    /// When the seat journalled it, on the site's timeline as the seat knows it: what was journalled before the end
    /// counts, though it arrives later.
    pub made_at: SiteMs,
}

/// Server → seat: on the server's disk (服务器已存).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
}

/// Seat → server: give me the newest answers you have, after this item (a machine that lost its disk, or a spare).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchAnswers {
    /// Whose answers.
    pub attempt: AttemptId,
    /// Items up to here are known; none for the first page.
    pub after: Option<ItemId>,
}

/// One known answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAnswer {
    /// Which item.
    pub item: ItemId,
    /// Newest version.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
}

/// Versions of one item's answer, older than its newest, that the server does not have: another disk took over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which item.
    pub item: ItemId,
    /// From this version …
    pub from: u32,
    /// … up to and including this one.
    pub to: u32,
}

/// Server → seat: a page of answers in the order of item ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// The page.
    pub answers: Vec<KnownAnswer>,
    /// What the server lacks of older versions of the page's items. It may name too much, never too little.
    pub gaps: Vec<Gap>,
    /// Whether more follow: ask again after the last one.
    pub more: bool,
}

/// Newest number of one item's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// Which item.
    pub item: ItemId,
    /// Its newest version at the seat.
    pub number: u32,
}

/// Seat → server: the candidate hands in. The server refuses until it has every version named here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandIn {
    /// Whose paper.
    pub attempt: AttemptId,
    /// Newest version of every answered item, by item id.
    pub newest: Vec<Newest>,
}

/// Server → seat: handed in, on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedIn {
    /// Short receipt the candidate may note: eight characters, derived from the fact's hash.
    pub receipt: String,
    /// When, on the site's timeline.
    pub at: SiteMs,
}

/// Seat → server, every second: I am alive, and this is how I stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Answers the server has not acknowledged.
    pub unsaved: u32,
    /// Age of the oldest of them, milliseconds.
    pub unsaved_age_ms: u32,
    /// Items with an answer given.
    pub answered: u32,
    /// Item on screen.
    pub item: Option<ItemId>,
    /// The machine's wall clock as this left it; the server compares it with its own (F-42, F-51). Never used for time left.
    pub wall: Option<WallMs>,
    /// How the lock of the desktop stands, as the seat read it back.
    pub lock: LockState,
    /// For how long it has stood so, milliseconds.
    pub lock_for_ms: u32,
}

/// How the lock of the desktop stands, as READ BACK on the machine (LOCKDOWN M11): ordered, accepted or "exit 0" is not verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockState {
    /// 无锁定: nothing on this machine locks, or it cannot be read back.
    #[default]
    NotAvailable,
    /// 锁定已确认: every control was read back as active.
    Verified,
    /// 锁定未确认: some control was read back as not active.
    NotVerified,
}

impl LockState {
    /// Every state.
    pub const ALL: [LockState; 3] = [LockState::NotAvailable, LockState::Verified, LockState::NotVerified];
}

/// Server → seat: the server's time, for the countdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The server's time when it answered.
    pub now: Now,
}

/// Server → seat: everything the seat has to know, whole, whenever something of it changes and after every connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatView {
    /// The server's time when this was said.
    pub now: Now,
    /// Which machine.
    pub station: StationId,
    /// At which desk; none until a person has said so.
    pub seat: Option<SeatRef>,
    /// Name of the room, for people.
    pub room_name: String,
    /// How the seat stands.
    pub state: SeatState,
    /// The sitting this desk is part of now or next.
    pub sitting: Option<SittingView>,
    /// Who is signed in here.
    pub candidate: Option<CandidateView>,
    /// The running attempt.
    pub attempt: Option<AttemptView>,
    /// Sealed papers to fetch beforehand.
    pub prefetch: Vec<SealedPaper>,
}

/// What a seat may know of its sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SittingView {
    /// Its id.
    pub sitting: SittingId,
    /// Title for people.
    pub title: String,
    /// Which subject.
    pub subject: Subject,
    /// Where it stands.
    pub phase: Phase,
    /// Planned start, wall time (HB-17).
    pub planned_start: WallMs,
    /// Length, milliseconds.
    pub duration_ms: u64,
    /// The paper of this desk's candidate.
    pub paper: PaperId,
}

/// What the candidate checks on screen (HB-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// 姓名.
    pub name: String,
    /// ID number with all but the last four characters masked.
    pub id_masked: String,
}

/// A candidate's attempt and its clock.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Its id.
    pub attempt: AttemptId,
    /// When the candidate's time began; none before the start.
    pub started: Option<SiteMs>,
    /// When it ends; none before the start, and none while the clock stands still.
    pub ends: Option<SiteMs>,
    /// Seed of the order of items and options.
    pub order_seed: u64,
    /// The paper's key, once released.
    pub release: Option<PaperKey>,
    /// Milliseconds left while the clock stands still (HB-27); none while it runs.
    pub left_ms: Option<u64>,
}

impl std::fmt::Debug for AttemptView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttemptView").field("attempt", &self.attempt).field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// What opens a sealed paper: sent to every admitted seat at the start (DESIGN §8).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperKey {
    /// Which paper.
    pub paper: PaperId,
    /// The paper's age identity (`AGE-SECRET-KEY-1…`).
    pub secret: String,
}

impl std::fmt::Debug for PaperKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PaperKey({})", self.paper)
    }
}
