//! The ways of saying no: a [`Refusal`] is a rule's, an [`ErrorCode`] the world's. Codes are stable; the sentences people
//! read come from them, in their language. Never carries a name, a number or an answer.

use crate::{
    ids::{ItemId, PaperId, RoomId, SeatRef, SittingId},
    staff::{Act, StaffRole},
    version::VersionRange,
};
use serde::{Deserialize, Serialize};

/// Where a sitting stands (场次阶段).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Imported; nobody may sign in yet.
    Prepared,
    /// 入场: candidates sign in and are admitted.
    Admitting,
    /// 考试中: the paper is released and time runs.
    Running,
    /// 已结束: answering has stopped for all.
    Ended,
    /// 已导出: the result bundle has been written at least once.
    Exported,
    /// 已封场 (HB-11): checked and signed; nobody may sign in yet.
    Sealed,
    /// 已暂停: the clock stands still for the whole sitting (HB-27).
    Paused,
}

/// How a seat stands (考位状态), as the room sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    /// 等待登录: nobody has signed in here.
    Waiting,
    /// 待核验: signed in, awaiting admission.
    SignedIn,
    /// 已准入: admitted, waiting for the start.
    Admitted,
    /// 答题中.
    Working,
    /// 已结束: the attempt's time is over, or the sitting was ended.
    Stopped,
    /// 已交卷.
    HandedIn,
    /// 缺考.
    Absent,
    /// 暂离: the candidate is out with an escort; the seat is covered, the clock runs (HB-24).
    Away,
    /// 已暂停: the clock of this seat stands still.
    Paused,
    /// 已终止: the candidate's exam was ended by a decision (HB-29, HB-30).
    Terminated,
    /// 拒绝准入: denied with a reason; may be admitted after all.
    Denied,
}

/// A rule said no. Parameters are what the sentence needs, nothing more. New ones are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The two programs speak no common protocol version.
    #[error("this program is too old or too new for the server, which speaks {server:?}")]
    VersionUnknown {
        /// What the server speaks.
        server: VersionRange,
    },
    /// The connection's role may not send this message.
    #[error("this machine's role may not do that")]
    RoleMayNot,
    /// The enrolment code does not exist, is used up or has run out; which of them is not said to a stranger.
    #[error("the enrolment code is not valid")]
    EnrolCodeInvalid,
    /// There is no such room or seat.
    #[error("there is no such seat")]
    SeatUnknown,
    /// Another station already sits at this desk.
    #[error("another machine already has this seat")]
    SeatTaken,
    /// The station has not said at which desk it stands.
    #[error("this machine has no seat yet")]
    NoSeat,
    /// A candidate is signed in here, so the machine may not change its desk.
    #[error("a candidate is signed in at this machine")]
    SeatInUse,
    /// No sitting in this room is open for sign-in.
    #[error("no sitting in this room is open for sign-in")]
    AdmissionClosed,
    /// Number or password is wrong; which of them is not said.
    #[error("admission number or password is wrong")]
    WrongNumberOrPassword,
    /// Five failures at this seat: a proctor has to look (DESIGN §7).
    #[error("too many wrong tries at this seat: call the proctor")]
    ProctorCalled,
    /// The candidate is assigned to another desk (HB-07, HB-31).
    #[error("this candidate's seat is {yours}")]
    NotYourSeat {
        /// Where the candidate sits.
        yours: SeatRef,
    },
    /// The candidate is signed in at another machine.
    #[error("this candidate is already signed in elsewhere")]
    AlreadySignedIn,
    /// HB-20: the door is closed.
    #[error("entry closed {bar_minutes} minutes after the start")]
    LateEntryBarred {
        /// Minutes after the start at which entry closes.
        bar_minutes: u32,
    },
    /// The act does not fit the sitting's phase.
    #[error("not possible while the sitting is {phase:?}")]
    WrongPhase {
        /// Where the sitting stands.
        phase: Phase,
    },
    /// The act does not fit the seat's state.
    #[error("not possible while the seat is {state:?}")]
    WrongSeatState {
        /// How the seat stands.
        state: SeatState,
    },
    /// There is no such sitting.
    #[error("there is no such sitting")]
    SittingUnknown,
    /// The room has another sitting open.
    #[error("sitting {open} is still open in this room")]
    RoomBusy {
        /// The open sitting.
        open: SittingId,
    },
    /// The attempt does not exist, or is not this machine's.
    #[error("this machine has no such attempt")]
    AttemptUnknown,
    /// Typed after the attempt's end (HB-22).
    #[error("the time for answering is over")]
    TimeOver,
    /// Typed after hand-in.
    #[error("the paper has been handed in")]
    AlreadyHandedIn,
    /// Same number, other content: two histories of one answer.
    #[error("answer {number} of {item} is already known with other content")]
    AnswerConflict {
        /// Which item.
        item: ItemId,
        /// Which number.
        number: u32,
    },
    /// Larger than any answer may be.
    #[error("the answer is too large")]
    AnswerTooLarge,
    /// HB-23: too early, and the chief has not consented.
    #[error("hand-in opens in {opens_in_s} s")]
    HandInTooEarly {
        /// Seconds until the window opens.
        opens_in_s: u32,
    },
    /// The hand-in names answers the server does not have: they must arrive first.
    #[error("answer {number} of {item} has not arrived yet")]
    AnswersMissing {
        /// First item that lacks one.
        item: ItemId,
        /// The number the seat has.
        number: u32,
    },
    /// The unlock code opens nothing.
    #[error("the unlock code is wrong (try {tries})")]
    WrongUnlockCode {
        /// How many wrong codes this sitting has seen.
        tries: u32,
    },
    /// The unlock code is not a code: wrong length or check characters, most likely a typing slip.
    #[error("this is not an unlock code: check the characters")]
    UnlockCodeMistyped,
    /// The site does not have this paper.
    #[error("paper {paper} is not on this site")]
    PaperUnknown {
        /// Which paper.
        paper: PaperId,
    },
    /// An imported package may not change what a running or ended sitting rests on.
    #[error("sitting {sitting} has already begun and cannot be changed")]
    SittingBegun {
        /// Which sitting.
        sitting: SittingId,
    },
    /// The package breaks a rule of the plan; the text says which.
    #[error("the package was refused: {reason}")]
    PackageRefused {
        /// Which kind of check it failed.
        why: PackageNo,
        /// In words, for the administrator.
        reason: String,
    },
    /// A list of things is too long.
    #[error("too many at once: at most {max}")]
    TooMany {
        /// The limit.
        max: u32,
    },
    /// Nobody has signed on at this console, so nobody answers for the act.
    #[error("sign on at this console first")]
    NobodySignedOn,
    /// The person's role may not do this (HB-04).
    #[error("your role may not do this; it takes {needs:?}")]
    NotYourAct {
        /// Which act.
        act: Act,
        /// Who may.
        needs: Vec<StaffRole>,
    },
    /// Account or password is wrong; which of them is not said.
    #[error("account or password is wrong")]
    WrongAccountOrPassword,
    /// There is no such account, or it is no longer in use.
    #[error("there is no such account")]
    AccountUnknown,
    /// The account id is taken.
    #[error("this account exists already")]
    AccountExists,
    /// The act takes two different people of these roles, each with their own password (HB-26).
    #[error("this takes two people: {needs:?}")]
    SecondPersonMissing {
        /// The roles that have to agree.
        needs: Vec<StaffRole>,
    },
    /// A reason is required.
    #[error("a reason is required")]
    ReasonMissing,
    /// A text is longer than allowed.
    #[error("the text is too long: at most {max_chars} characters")]
    TextTooLong {
        /// The limit, in characters.
        max_chars: u32,
    },
    /// The clock already stands still there.
    #[error("already paused")]
    AlreadyPaused,
    /// The clock does not stand still there.
    #[error("not paused")]
    NotPaused,
    /// HB-27: after 60 minutes without power the exam is not continued.
    #[error("the power was away for more than {limit_minutes} minutes: the exam is to be stopped")]
    PowerCutTooLong {
        /// Minutes after which it is stopped.
        limit_minutes: u32,
    },
    /// A removed interval has to lie in the past, after the start, and in order.
    #[error("the interval does not fit the course of the sitting")]
    IntervalImpossible,
    /// HB-26: more than the site may decide by itself.
    #[error("{used_minutes} of {limit_minutes} minutes are used; more takes a code from HQ")]
    ExtensionLimit {
        /// Minutes already granted on site.
        used_minutes: u32,
        /// Minutes the site may grant.
        limit_minutes: u32,
    },
    /// HQ's code does not fit this sitting and these minutes.
    #[error("the code from HQ does not fit this sitting and these minutes")]
    HqCodeInvalid,
    /// HQ's code was used before.
    #[error("this code from HQ was already used")]
    HqCodeUsed,
    /// HB-24: one candidate of a room at a time.
    #[error("the candidate of seat {seat} is out: one at a time")]
    SomebodyAway {
        /// Whose candidate is out.
        seat: SeatRef,
    },
    /// The candidate is not out.
    #[error("this candidate is not out")]
    NotAway,
    /// HB-25: the machine was replaced; nothing it sends counts any more.
    #[error("this machine was replaced")]
    Fenced,
    /// The chosen machine cannot take over.
    #[error("this machine cannot take over: it must be enrolled, at a desk of the room, and free")]
    SpareUnfit,
    /// There is no record, message, finding or hand of this number.
    #[error("there is no such record")]
    RecordUnknown,
    /// Already decided, signed or done.
    #[error("this is already settled")]
    AlreadySettled,
    /// The seal lacks checks; the text of each is in the check-list.
    #[error("the seal lacks {missing} checks")]
    SealIncomplete {
        /// How many.
        missing: u32,
    },
    /// HB-29: all proctors present have to sign when the candidate refuses.
    #[error("every proctor present has to sign: {missing} signatures are missing")]
    SignaturesMissing {
        /// How many.
        missing: u32,
    },
    /// HB-23: in the window, but the chief has not consented.
    #[error("early hand-in takes the chief's consent")]
    ConsentMissing,
    /// The system measures this by itself; nobody ticks it.
    #[error("the system ticks this by itself")]
    CheckMeasured,
    /// HB-05: a mock sitting is kept apart from real data and never exported.
    #[error("this is a mock sitting: it is never exported")]
    MockSitting,
    /// Only a mock sitting may begin anew.
    #[error("only a mock sitting can begin anew")]
    NotMockSitting,
    /// A password of staff is shorter than allowed.
    #[error("the password needs at least {min_chars} characters")]
    PasswordTooShort {
        /// The limit, in characters.
        min_chars: u32,
    },
    /// Too many wrong passwords of staff at this console; others are not affected.
    #[error("too many wrong passwords at this console: wait {wait_s} s")]
    PasswordPause {
        /// Seconds until the next try.
        wait_s: u32,
    },
    /// HB-04: the account is for another room.
    #[error("your account is for room {yours}")]
    NotYourRoom {
        /// The account's room.
        yours: RoomId,
    },
    /// One's own password is changed with the old one, never reset.
    #[error("your own password is changed with the old one")]
    OldPasswordMissing,
}

/// Which kind of check a package failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageNo {
    /// Cut, changed, or not a package.
    Damaged,
    /// Not signed by the HQ this site believes.
    Signature,
    /// Made for another site.
    OtherSite,
    /// Made for newer programs.
    Newer,
    /// Its plan breaks a rule.
    Plan,
}

/// The world failed. The asker may try again later, unless the code says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The journal could not be written (disk full, I/O error): nothing was acknowledged.
    #[error("the server cannot write to its disk")]
    Storage,
    /// More work is waiting than the server takes: try again.
    #[error("the server is busy")]
    Busy,
    /// No blob has this hash.
    #[error("the server does not have this file")]
    BlobUnknown,
    /// A transfer did not have the promised size or hash.
    #[error("the transfer was damaged")]
    BlobDamaged,
    /// A message was sent where it has no place (e.g. before `Hello`).
    #[error("the message is out of place")]
    OutOfPlace,
    /// Something the server cannot mend by itself; its log says what.
    #[error("the server failed; its log says why")]
    Internal,
}
