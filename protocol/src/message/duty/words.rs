//! Messages to seats: sent, delivered, read. Never carries a question.

use crate::{
    ids::{AccountId, SeatNo, SeatRef, SittingId},
    time::SiteMs,
};
use serde::{Deserialize, Serialize};

/// Longest message, in characters.
pub const MESSAGE_CHARS_MAX: usize = 500;
/// Most seats one message may name; more is a message to the sitting.
pub const MESSAGE_SEATS_MAX: usize = 200;

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
