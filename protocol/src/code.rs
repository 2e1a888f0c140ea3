//! The ways of saying no: a [`Refusal`] is a rule's, an [`ErrorCode`] the world's. Codes are stable; the sentences people
//! read come from them, in both languages, in `words.rs`. Never carries a name, a number or an answer.

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The two programs speak no common protocol version.
    VersionUnknown {
        /// What the server speaks.
        server: VersionRange,
    },
    /// The connection's role may not send this message.
    RoleMayNot,
    /// The enrolment code does not exist, is used up or has run out; which of them is not said to a stranger.
    EnrolCodeInvalid,
    /// There is no such room or seat.
    SeatUnknown,
    /// Another station already sits at this desk.
    SeatTaken,
    /// The station has not said at which desk it stands.
    NoSeat,
    /// A candidate is signed in here, so the machine may not change its desk.
    SeatInUse,
    /// No sitting in this room is open for sign-in.
    AdmissionClosed,
    /// Number or password is wrong; which of them is not said.
    WrongNumberOrPassword,
    /// Five failures at this seat: a proctor has to look (DESIGN §7).
    ProctorCalled,
    /// The candidate is assigned to another desk (HB-07, HB-31).
    NotYourSeat {
        /// Where the candidate sits.
        yours: SeatRef,
    },
    /// The candidate is signed in at another machine.
    AlreadySignedIn,
    /// HB-20: the door is closed.
    LateEntryBarred {
        /// Minutes after the start at which entry closes.
        bar_minutes: u32,
    },
    /// The act does not fit the sitting's phase.
    WrongPhase {
        /// Where the sitting stands.
        phase: Phase,
    },
    /// The act does not fit the seat's state.
    WrongSeatState {
        /// How the seat stands.
        state: SeatState,
    },
    /// There is no such sitting.
    SittingUnknown,
    /// The room has another sitting open.
    RoomBusy {
        /// The open sitting.
        open: SittingId,
    },
    /// The attempt does not exist, or is not this machine's.
    AttemptUnknown,
    /// Typed after the attempt's end (HB-22).
    TimeOver,
    /// Typed after hand-in.
    AlreadyHandedIn,
    /// Same number, other content: two histories of one answer.
    AnswerConflict {
        /// Which item.
        item: ItemId,
        /// Which number.
        number: u32,
    },
    /// Larger than any answer may be.
    AnswerTooLarge,
    /// HB-23: too early, and the chief has not consented.
    HandInTooEarly {
        /// Seconds until the window opens.
        opens_in_s: u32,
    },
    /// The hand-in names answers the server does not have: they must arrive first.
    AnswersMissing {
        /// First item that lacks one.
        item: ItemId,
        /// The number the seat has.
        number: u32,
    },
    /// The unlock code opens nothing.
    WrongUnlockCode {
        /// How many wrong codes this sitting has seen.
        tries: u32,
    },
    /// The unlock code is not a code: wrong length or check characters, most likely a typing slip.
    UnlockCodeMistyped,
    /// The site does not have this paper.
    PaperUnknown {
        /// Which paper.
        paper: PaperId,
    },
    /// An imported package may not change what a running or ended sitting rests on.
    SittingBegun {
        /// Which sitting.
        sitting: SittingId,
    },
    /// The package breaks a rule of the plan; the text says which.
    PackageRefused {
        /// Which kind of check it failed.
        why: PackageNo,
        /// In words, for the administrator.
        reason: String,
    },
    /// A list of things is too long.
    TooMany {
        /// The limit.
        max: u32,
    },
    /// Nobody has signed on at this console, so nobody answers for the act.
    NobodySignedOn,
    /// The person's role may not do this (HB-04).
    NotYourAct {
        /// Which act.
        act: Act,
        /// Who may.
        needs: Vec<StaffRole>,
    },
    /// Account or password is wrong; which of them is not said.
    WrongAccountOrPassword,
    /// There is no such account, or it is no longer in use.
    AccountUnknown,
    /// The account id is taken.
    AccountExists,
    /// The act takes two different people of these roles, each with their own password (HB-26).
    SecondPersonMissing {
        /// The roles that have to agree.
        needs: Vec<StaffRole>,
    },
    /// A reason is required.
    ReasonMissing,
    /// A text is longer than allowed.
    TextTooLong {
        /// The limit, in characters.
        max_chars: u32,
    },
    /// The clock already stands still there.
    AlreadyPaused,
    /// The clock does not stand still there.
    NotPaused,
    /// HB-27: after 60 minutes without power the exam is not continued.
    PowerCutTooLong {
        /// Minutes after which it is stopped.
        limit_minutes: u32,
    },
    /// A removed interval has to lie in the past, after the start, and in order.
    IntervalImpossible,
    /// HB-26: more than the site may decide by itself.
    ExtensionLimit {
        /// Minutes already granted on site.
        used_minutes: u32,
        /// Minutes the site may grant.
        limit_minutes: u32,
    },
    /// HQ's code does not fit this sitting and these minutes.
    HqCodeInvalid,
    /// HQ's code was used before.
    HqCodeUsed,
    /// HB-24: one candidate of a room at a time.
    SomebodyAway {
        /// Whose candidate is out.
        seat: SeatRef,
    },
    /// The candidate is not out.
    NotAway,
    /// HB-25: the machine was replaced; nothing it sends counts any more.
    Fenced,
    /// The chosen machine cannot take over.
    SpareUnfit,
    /// There is no record, message, finding or hand of this number.
    RecordUnknown,
    /// Already decided, signed or done.
    AlreadySettled,
    /// The seal lacks checks; the text of each is in the check-list.
    SealIncomplete {
        /// How many.
        missing: u32,
    },
    /// HB-29: all proctors present have to sign when the candidate refuses.
    SignaturesMissing {
        /// How many.
        missing: u32,
    },
    /// HB-23: in the window, but the chief has not consented.
    ConsentMissing,
    /// The system measures this by itself; nobody ticks it.
    CheckMeasured,
    /// HB-05: a mock sitting is kept apart from real data and never exported.
    MockSitting,
    /// Only a mock sitting may begin anew.
    NotMockSitting,
    /// A password of staff is shorter than allowed.
    PasswordTooShort {
        /// The limit, in characters.
        min_chars: u32,
    },
    /// Too many wrong passwords of staff at this console; others are not affected.
    PasswordPause {
        /// Seconds until the next try.
        wait_s: u32,
    },
    /// A real sitting is marked at HQ: on site there is neither a key nor a mark.
    MarkedAtHq,
    /// A file that is no evidence: its kind or its size.
    AttachmentUnfit {
        /// The limit, in MiB.
        max_mib: u32,
    },
    /// The site's attachments have no room for this file.
    AttachmentsFull {
        /// The limit, in files.
        max_files: u32,
        /// The limit, in MiB.
        max_mib: u32,
    },
    /// HB-04: the account is for another room.
    NotYourRoom {
        /// The account's room.
        yours: RoomId,
    },
    /// One's own password is changed with the old one, never reset.
    OldPasswordMissing,
    /// The clock of every room was to be stopped, and none runs.
    NothingRuns,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The journal could not be written (disk full, I/O error): nothing was acknowledged.
    Storage,
    /// More work is waiting than the server takes: try again.
    Busy,
    /// No blob has this hash.
    BlobUnknown,
    /// A transfer did not have the promised size or hash.
    BlobDamaged,
    /// A message was sent where it has no place (e.g. before `Hello`).
    OutOfPlace,
    /// Something the server cannot mend by itself; its log says what.
    Internal,
}
