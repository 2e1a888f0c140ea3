//! Raised hands (HB-25): up, taken, done. Never says what the hand was about to another desk.

use crate::{
    ids::{AccountId, SeatRef, SittingId},
    time::SiteMs,
};
use serde::{Deserialize, Serialize};

/// Longest text beside a raised hand, in characters.
pub const HAND_TEXT_CHARS_MAX: usize = 200;

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
