//! What staff on duty and seats say to each other while a room runs: raised hands, messages, visits, looking for a
//! candidate, accounts, and the clock. Calls that belong together are one message with one variant each; variants are only
//! added at the end. Never carries a question, an answer, or more of an ID number than its last four characters.

use crate::{
    code::SeatState,
    ids::{AccountId, AdmissionNo, RoomId, SeatNo, SeatRef, SittingId, StationId},
    paper::Subject,
    staff::StaffRole,
    time::{SiteMs, WallMs},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest text beside a raised hand, in characters.
pub const HAND_TEXT_CHARS_MAX: usize = 200;
/// Longest message, in characters.
pub const MESSAGE_CHARS_MAX: usize = 500;
/// Most seats one message may name; more is a message to the sitting.
pub const MESSAGE_SEATS_MAX: usize = 200;
/// Longest findings of one visit, in characters.
pub const FINDINGS_CHARS_MAX: usize = 2_000;
/// Longest text looked for, in characters.
pub const QUERY_CHARS_MAX: usize = 50;
/// Fewest last characters of an ID number that find somebody: fewer would find half the site.
pub const ID_TAIL_CHARS_MIN: usize = 4;
/// Most places one search returns.
pub const FOUND_MAX: usize = 50;
/// Most people who may agree to one act.
pub const APPROVALS_MAX: usize = 4;
/// Shortest password of a member of staff, in characters.
pub const STAFF_PASSWORD_CHARS_MIN: usize = 8;
/// Longest password looked at, in bytes.
pub const STAFF_PASSWORD_BYTES_MAX: usize = 256;
const _: () = assert!(STAFF_PASSWORD_CHARS_MIN * 4 <= STAFF_PASSWORD_BYTES_MAX); // else a shortest one could be too long

/// A raised hand of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandId(pub u64);

/// Why a hand is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandKind {
    /// 设备问题 (HB-25).
    Machine,
    /// 试题疑问 (HB-28): staff do not help with content; it is reported.
    Question,
    /// 去洗手间 (HB-24).
    Toilet,
    /// 身体不适 (HB-30).
    Ill,
    /// 其他.
    Other,
}

/// How a hand stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandStage {
    /// 已举手: waiting.
    Raised,
    /// 处理中: somebody comes.
    Taken,
    /// 已完成.
    Done,
    /// 已取消 by the candidate.
    Lowered,
}

/// Seat → server: the hand of whoever sits here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatHand {
    /// 举手. Sending it again is harmless; another kind or text takes the place of the hand that was up.
    Raise {
        /// Why.
        kind: HandKind,
        /// In words, or empty.
        text: String,
    },
    /// 取消举手.
    Lower,
}

/// Server → seat, before every view while it matters: how the latest hand of this desk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandStands {
    /// Which hand.
    pub hand: HandId,
    /// Why it was raised.
    pub kind: HandKind,
    /// How it stands.
    pub stage: HandStage,
    /// Since when.
    pub since: SiteMs,
}

/// Console → server: the queue of hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandCall {
    /// Show it; answered with [`Hands`].
    List {
        /// Of which sitting.
        sitting: SittingId,
    },
    /// 处理: I go.
    Take {
        /// Which hand.
        hand: HandId,
    },
    /// 完成.
    Finish {
        /// Which hand.
        hand: HandId,
    },
}

/// Server → console: hands of a sitting; those that wait first, the longest wait on top, then the closed ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hands {
    /// The queue.
    pub hands: Vec<HandView>,
}

/// One hand as a console shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandView {
    /// Which hand.
    pub hand: HandId,
    /// At which desk.
    pub seat: SeatRef,
    /// Why.
    pub kind: HandKind,
    /// In words.
    pub text: String,
    /// How it stands.
    pub stage: HandStage,
    /// When it went up.
    pub raised_at: SiteMs,
    /// When somebody took it.
    pub taken_at: Option<SiteMs>,
    /// Who took it; none where a machine stood in.
    pub taken_by: Option<AccountId>,
    /// When it was done or lowered.
    pub closed_at: Option<SiteMs>,
}

/// A message of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub u64);

/// Texts everybody needs; each program has them in its languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canned {
    /// 请保持安静.
    QuietPlease,
    /// 请坐在原位等候.
    StaySeated,
    /// 请停止操作并等候.
    StopAndWait,
    /// 可以继续答题.
    GoOn,
    /// 工作人员马上到.
    HelpComes,
    /// 请检查答案是否已保存.
    CheckSaved,
    /// 如有问题请举手.
    RaiseHand,
    /// 已为你延时.
    TimeAdded,
}

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// One desk or some of a sitting's room.
    Seats {
        /// Which sitting.
        sitting: SittingId,
        /// Which desks; at most [`MESSAGE_SEATS_MAX`].
        seats: Vec<SeatNo>,
    },
    /// Every desk of a sitting's room.
    Sitting {
        /// Which sitting.
        sitting: SittingId,
    },
    /// Every desk of the site.
    All,
}

/// Console → server: a message to seats. A canned text, own words, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMessage {
    /// To whom.
    pub to: Recipients,
    /// Canned text.
    pub canned: Option<Canned>,
    /// Own words, or empty.
    pub text: String,
}

/// Seat → server: the candidate has confirmed a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMessage {
    /// Which.
    pub message: MessageId,
}

/// Server → seat, before every view while there are any: all messages not yet read, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatMessages {
    /// The messages.
    pub messages: Vec<SeatMessage>,
}

/// One message as a seat shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatMessage {
    /// Which.
    pub message: MessageId,
    /// When it was sent.
    pub at: SiteMs,
    /// Canned text.
    pub canned: Option<Canned>,
    /// Own words, or empty.
    pub text: String,
}

/// Server → console: the message is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageOnWay {
    /// Its number, by which [`SentMessages`] shows who has it.
    pub message: MessageId,
}

/// Console → server: what was sent, and who has it; answered with [`SentMessages`], newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskMessages {
    /// Only older ones than this; none for the newest.
    pub before: Option<MessageId>,
}

/// Server → console: a page of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessages {
    /// Newest first.
    pub messages: Vec<SentMessage>,
    /// Whether older ones follow.
    pub more: bool,
}

/// One message as a console shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Which.
    pub message: MessageId,
    /// When it was sent.
    pub at: SiteMs,
    /// Who sent it; none where a machine stood in.
    pub by: Option<AccountId>,
    /// To whom.
    pub to: Recipients,
    /// Canned text.
    pub canned: Option<Canned>,
    /// Own words, or empty.
    pub text: String,
    /// Each desk it went to.
    pub seats: Vec<SeatDelivery>,
}

/// How far a message came at one desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatDelivery {
    /// Which desk.
    pub seat: SeatRef,
    /// 已送达: when it was handed to the connected machine.
    pub delivered_at: Option<SiteMs>,
    /// 已读: when the candidate confirmed it.
    pub read_at: Option<SiteMs>,
}

/// A visit of an inspector (巡考).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VisitId(pub u64);

/// HB-33: a room is visited at the start, at the end, and at least once between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitPart {
    /// 开考前后.
    Start,
    /// 考试期间.
    Between,
    /// 结束前后.
    End,
}

impl VisitPart {
    /// Every part, in the order of the day.
    pub const ALL: [VisitPart; 3] = [VisitPart::Start, VisitPart::Between, VisitPart::End];
}

/// Console → server: the inspector's record (巡考情况记录表).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitCall {
    /// I am in the room of this sitting now; the server knows which part of it that is.
    Begin {
        /// Which sitting.
        sitting: SittingId,
    },
    /// What I found; a second note corrects the first, both are kept.
    Note {
        /// Which visit.
        visit: VisitId,
        /// In words.
        findings: String,
    },
    /// Which visits there were and which are missing; answered with [`Visits`].
    List {
        /// One sitting, with findings; all of them, without, when none is named.
        sitting: Option<SittingId>,
    },
}

/// Server → console: visits by sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visits {
    /// Each sitting of the plan that was asked for.
    pub sittings: Vec<SittingVisits>,
}

/// Visits of one sitting in its room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SittingVisits {
    /// Which sitting.
    pub sitting: SittingId,
    /// Its room.
    pub room: RoomId,
    /// Parts without a visit that was written down.
    pub missing: Vec<VisitPart>,
    /// The visits, in order.
    pub visits: Vec<VisitView>,
}

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitView {
    /// Which.
    pub visit: VisitId,
    /// In which part of the sitting.
    pub part: VisitPart,
    /// Who.
    pub by: Option<AccountId>,
    /// When it began.
    pub began_at: SiteMs,
    /// When it was last written down.
    pub noted_at: Option<SiteMs>,
    /// Newest findings; empty where they were not asked for.
    pub findings: String,
}

/// Console → server: where is this candidate? (HB-31)
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindCandidate {
    /// Any part of a name or admission number, or at least the last four characters of an ID number.
    pub query: String,
}

impl fmt::Debug for FindCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FindCandidate(…)")
    }
}

/// Server → console: who fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// A candidate once for each of their sittings, at most [`FOUND_MAX`] places.
    pub candidates: Vec<FoundCandidate>,
    /// Whether there are more: ask more exactly.
    pub more: bool,
}

/// A candidate's place in one sitting.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCandidate {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// 姓名.
    pub name: String,
    /// ID number with all but the last four characters masked.
    pub id_masked: String,
    /// Which sitting.
    pub sitting: SittingId,
    /// Its subject.
    pub subject: Subject,
    /// Its planned start.
    pub planned_start: WallMs,
    /// Name of the room.
    pub room_name: String,
    /// At which desk.
    pub seat: SeatRef,
    /// How the candidate stands there.
    pub state: SeatState,
}

impl fmt::Debug for FoundCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FoundCandidate({} {:?})", self.seat, self.state)
    }
}

/// Console → server: the people of the site (HB-04).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleCall {
    /// Somebody gets an account.
    Make(MakeAccount),
    /// A person answers for this console from now on.
    SignOn(SignOn),
    /// And no longer.
    SignOff,
    /// Who there is; answered with [`People`].
    List,
    /// One's own password, with the old one; nobody has to be signed on.
    ChangePassword(ChangePassword),
    /// A forgotten password of somebody else.
    ResetPassword(ResetPassword),
}

/// A person and both passwords.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// Whose.
    pub account: AccountId,
    /// The old one, as typed.
    pub old: String,
    /// The new one, at least [`STAFF_PASSWORD_CHARS_MIN`] characters.
    pub new: String,
}

impl fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangePassword({})", self.account)
    }
}

/// A new password for a person who has forgotten theirs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetPassword {
    /// Whose.
    pub account: AccountId,
    /// The new one, at least [`STAFF_PASSWORD_CHARS_MIN`] characters.
    pub new: String,
}

impl fmt::Debug for ResetPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResetPassword({})", self.account)
    }
}

/// A new account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeAccount {
    /// Its id.
    pub account: AccountId,
    /// 姓名.
    pub name: String,
    /// Role.
    pub role: StaffRole,
    /// The room a proctor watches; none for the whole site.
    pub room: Option<RoomId>,
    /// For whom this person stands in; that account is retired.
    pub stands_in_for: Option<AccountId>,
    /// Why, when standing in; else empty.
    pub reason: String,
    /// Password, at least [`STAFF_PASSWORD_CHARS_MIN`] characters.
    pub password: String,
}

impl fmt::Debug for MakeAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MakeAccount").field("account", &self.account).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A person and the proof.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOn {
    /// Who.
    pub account: AccountId,
    /// As typed.
    pub password: String,
}

impl fmt::Debug for SignOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignOn({})", self.account)
    }
}

/// Server → console: everybody with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// By account.
    pub people: Vec<Person>,
    /// Who is signed on at the machine that asks.
    pub own: Option<AccountId>,
}

/// A person of the site.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Account.
    pub account: AccountId,
    /// 姓名.
    pub name: String,
    /// Role.
    pub role: StaffRole,
    /// The room a proctor watches.
    pub room: Option<RoomId>,
    /// For whom this person stands in.
    pub stands_in_for: Option<AccountId>,
    /// Whether the account may be used.
    pub active: bool,
    /// Machines this person is signed on at.
    pub signed_on: Vec<StationId>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("account", &self.account).field("role", &self.role).finish_non_exhaustive()
    }
}

/// One person's agreement to an act of two (HB-26).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub account: AccountId,
    /// As typed.
    pub password: String,
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Approval({})", self.account)
    }
}

/// Whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Everybody's in the sitting.
    All,
    /// The candidate's at this desk.
    Seat(SeatNo),
}

/// Why the clock stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    /// 停电 (HB-27).
    PowerCut,
    /// 设备故障 (HB-25).
    Machine,
    /// 网络故障.
    Network,
    /// 环境.
    Environment,
    /// 身体不适 (HB-30).
    Illness,
    /// 其他.
    Other,
}

/// Console → server: the clock (HB-25, 26, 27).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeCall {
    /// 延时 on site: two people agree.
    Extend(ExtendTime),
    /// 延时 by a code from HQ.
    ExtendByHq(ExtendByHqCode),
    /// 暂停.
    Stop(StopClock),
    /// 恢复.
    Run(RunClock),
    /// A stretch that has passed does not count.
    TakeOut(TakeOutStretch),
    /// 全部暂停: every room's clock stands still.
    StopAll(StopEverywhere),
    /// 全部恢复.
    RunAll,
    /// Whether a power cut that took the server with it counts (HB-27).
    DecideCut(CutDecision),
    /// 取消入场: the door closes before the start (HB-27, HB-32).
    CallOff(SittingReason),
}

/// 断电裁定: what becomes of the stretch in which the server's machine was off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutDecision {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whether it counts: candidates could work on. Else it is taken out, as the server saw it.
    pub counts: bool,
    /// Why.
    pub reason: String,
}

/// A decision about a whole sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SittingReason {
    /// Which sitting.
    pub sitting: SittingId,
    /// Why.
    pub reason: String,
}

/// Time granted by chief and inspector (HB-26).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendTime {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub whose: Whose,
    /// How much.
    pub minutes: u32,
    /// In words.
    pub reason: String,
    /// Who agrees, each with their own password; at most [`APPROVALS_MAX`].
    pub approvals: Vec<Approval>,
}

/// Time granted by HQ (HB-26).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendByHqCode {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub whose: Whose,
    /// How much, as HQ said.
    pub minutes: u32,
    /// In words.
    pub reason: String,
    /// The code as typed.
    pub code: String,
}

impl fmt::Debug for ExtendByHqCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtendByHqCode").field("sitting", &self.sitting).finish_non_exhaustive()
    }
}

/// The clock stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopClock {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub whose: Whose,
    /// Why.
    pub cause: StopCause,
    /// In words.
    pub reason: String,
}

/// The clock of every running sitting stands still: an alarm, a power cut of the whole building.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopEverywhere {
    /// Why.
    pub cause: StopCause,
    /// In words.
    pub reason: String,
}

/// The clock runs again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunClock {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub whose: Whose,
}

/// A stretch that has passed does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeOutStretch {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub whose: Whose,
    /// First moment that does not count.
    pub from: SiteMs,
    /// First moment that counts again.
    pub to: SiteMs,
    /// Why.
    pub cause: StopCause,
    /// In words.
    pub reason: String,
}
