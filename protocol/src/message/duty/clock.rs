//! The clock (HB-25, 26, 27): stopped, running, taken out, granted, decided.

use super::Approval;
use crate::{
    ids::{SeatNo, SittingId},
    time::SiteMs,
};
use serde::{Deserialize, Serialize};
use std::fmt;

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
