//! The words of an explanation, Chinese and English side by side. Never decides what is said.

use crate::{
    authority::Actor,
    state::{PauseCause, Site},
};
use exam_protocol::{
    code::{Phase, SeatState},
    ids::AccountId,
};
use serde::Serialize;

/// One sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Line {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// A word in both languages.
type Word = (&'static str, &'static str);

/// How a seat stands.
pub fn state(state: SeatState) -> Word {
    (state.zh(), state.en())
}

/// Where a sitting stands.
pub fn phase(phase: Phase) -> Word {
    (phase.zh(), phase.en())
}

/// Why a clock stood still.
pub fn cause(cause: PauseCause) -> Word {
    match cause {
        PauseCause::PowerCut => ("停电", "power cut"),
        PauseCause::Machine => ("设备故障", "machine"),
        PauseCause::Network => ("网络故障", "network"),
        PauseCause::Environment => ("环境", "environment"),
        PauseCause::Illness => ("身体不适", "illness"),
        PauseCause::Other => ("其他", "other"),
        PauseCause::TimeWasUp => ("时间已到后才补给", "time was up before more was given"),
    }
}

/// What a kind of fact is called; a kind without a word of its own is called by its name in the journal.
pub fn kind(kind: &str) -> (&str, &str) {
    match kind {
        "server_noted" => ("服务器启动或停止", "the server started or stopped"),
        "desk_taken" => ("考生机就位", "the machine took its desk"),
        "station_enrolled" => ("考生机登记", "the machine was enrolled"),
        "door_opened" => ("开放入场", "the door opened"),
        "candidate_admitted" => ("准入", "admitted"),
        "signed_in" => ("登录", "signed in"),
        "sign_in_failed" => ("登录失败", "a sign-in failed"),
        "sitting_started" => ("开考", "the sitting started"),
        "wrong_code_entered" => ("启封码错误", "a wrong unlock code was typed"),
        "answer_saved" => ("答案已存", "an answer was saved"),
        "handed_in" => ("交卷", "handed in"),
        "sitting_ended" => ("考试结束", "the sitting ended"),
        "absence_recorded" => ("缺考", "recorded as absent"),
        "bundle_exported" => ("成绩包已导出", "the bundle was exported"),
        "clock_stopped" => ("停表", "the clock was stopped"),
        "clock_ran" => ("恢复计时", "the clock ran again"),
        "stretch_taken_out" => ("扣除时段", "a stretch was taken out"),
        "time_granted" => ("延时", "time was granted"),
        "cut_noticed" => ("服务器断电，待裁定", "the server's machine was off; to be decided"),
        "cut_counted" => ("断电时段照常计时", "the power cut counts"),
        "sitting_called_off" => ("取消入场", "called off before the start"),
        "password_changed" => ("密码已改", "a password was changed"),
        "clocks_read" => ("时钟记录", "both clocks were read"),
        other => (other, other),
    }
}

/// A person: name and role.
pub(super) fn person(site: &Site, id: &AccountId) -> (String, String) {
    match site.accounts.get(id) {
        Some(account) => {
            let (zh, en) = (account.role.zh(), account.role.en());
            (format!("{}（{zh}）", account.name), format!("{} ({en})", account.name))
        }
        None => (id.to_string(), id.to_string()),
    }
}

/// Who acted: a person, or a machine nobody had signed on at.
pub(super) fn actor(site: &Site, by: &Actor) -> (String, String) {
    match &by.account {
        Some(account) => person(site, account),
        None => (format!("机器 {}（未登录人员）", by.station), format!("machine {} (nobody signed on)", by.station)),
    }
}

/// `H:MM:SS`.
pub fn length(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
