//! The ways of saying no: a [`Refusal`] is a rule's, an [`ErrorCode`] the world's. Codes are stable; the sentences people
//! read come from them, in their language. Never carries a name, a number or an answer.

use crate::{
    ids::{ItemId, PaperId, SeatRef, SittingId},
    version::VersionRange,
};
use serde::{Deserialize, Serialize};

/// Where a sitting stands (场次阶段). The order is the course of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
}

/// How a seat stands (考位状态), as the room sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
