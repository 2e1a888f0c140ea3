//! The people of a site and what each may do (HB-04): roles, and the acts a rule can allow or refuse. One list of acts for
//! rules, consoles and command lines, so that a button can say why it is grey before it is pressed.
//! Never says when an act is possible; the room's rules do.

use serde::{Deserialize, Serialize};

/// What a person is appointed as on this site (HB-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// 主考: decides.
    Chief,
    /// 副主考: decides in the chief's place.
    Deputy,
    /// 监考员: watches one room.
    Proctor,
    /// 巡考员: sent by HQ; co-decides lost time.
    Inspector,
    /// 系统管理员: keeps the machines; sees no answers.
    Admin,
    /// 工作人员: helps with machines, never with content.
    Staff,
}

impl StaffRole {
    /// Every role.
    pub const ALL: [StaffRole; 6] = [
        StaffRole::Chief,
        StaffRole::Deputy,
        StaffRole::Proctor,
        StaffRole::Inspector,
        StaffRole::Admin,
        StaffRole::Staff,
    ];

    /// Whether an account of this role that names a room acts only there (HB-04); the others answer for the whole site.
    pub fn keeps_to_room(self) -> bool {
        match self {
            StaffRole::Proctor | StaffRole::Staff => true,
            StaffRole::Chief | StaffRole::Deputy | StaffRole::Inspector | StaffRole::Admin => false,
        }
    }
}

/// Everything people may do in a room. New ones are added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// 开放入场.
    OpenDoor,
    /// 准入.
    Admit,
    /// 拒绝准入, with a reason.
    Deny,
    /// 开考.
    Start,
    /// 暂停 one seat.
    PauseSeat,
    /// 恢复 one seat.
    ResumeSeat,
    /// 暂停 a whole sitting.
    PauseSitting,
    /// 恢复 a whole sitting.
    ResumeSitting,
    /// 延时 up to 15 minutes: chief and inspector together (HB-26).
    Extend,
    /// 延时 above: by HQ's code.
    ExtendByHq,
    /// 暂离: the candidate goes out (HB-24).
    LeaveOut,
    /// 暂离: the candidate comes back.
    LeaveBack,
    /// 换机 (HB-25).
    Swap,
    /// Consent to an early hand-in (HB-23).
    ConsentHandIn,
    /// 终止 one candidate's exam (HB-29, HB-30).
    EndAttempt,
    /// 结束考试 for all.
    EndSitting,
    /// 记录考场情况 (HB-34).
    RecordIncident,
    /// 劝告.
    Admonish,
    /// 警告.
    Warn,
    /// 成绩无效.
    Void,
    /// 签名 on a record.
    Sign,
    /// Accept or dismiss what the system found by itself.
    JudgeFinding,
    /// 封场 (HB-11).
    Seal,
    /// Tick a check-list item.
    Tick,
    /// 核对身份, second round (HB-21).
    CheckIdentity,
    /// 发消息.
    Message,
    /// Take a raised hand.
    TakeHand,
    /// 启用备用试卷 for a whole sitting, and asking HQ for one (HB-32).
    UseBackupPaper,
    /// 导出成绩包.
    Export,
    /// Keep accounts, name stand-ins (HB-04).
    KeepPeople,
    /// 巡考 (HB-33).
    Visit,
    /// 取消入场: the sitting cannot be held now (HB-27, HB-32).
    CallOff,
    /// 启用备用试卷 for one seat (HB-32).
    UseBackupPaperAtSeat,
}

impl Act {
    /// Every act.
    pub const ALL: [Act; 33] = [
        Act::OpenDoor,
        Act::Admit,
        Act::Deny,
        Act::Start,
        Act::PauseSeat,
        Act::ResumeSeat,
        Act::PauseSitting,
        Act::ResumeSitting,
        Act::Extend,
        Act::ExtendByHq,
        Act::LeaveOut,
        Act::LeaveBack,
        Act::Swap,
        Act::ConsentHandIn,
        Act::EndAttempt,
        Act::EndSitting,
        Act::RecordIncident,
        Act::Admonish,
        Act::Warn,
        Act::Void,
        Act::Sign,
        Act::JudgeFinding,
        Act::Seal,
        Act::Tick,
        Act::CheckIdentity,
        Act::Message,
        Act::TakeHand,
        Act::UseBackupPaper,
        Act::Export,
        Act::KeepPeople,
        Act::Visit,
        Act::CallOff,
        Act::UseBackupPaperAtSeat,
    ];

    /// Who may do it: the one table of role × act. Two-person acts list everybody who may be one of the two.
    pub fn roles(self) -> &'static [StaffRole] {
        use StaffRole::{Admin, Chief, Deputy, Inspector, Proctor, Staff};
        match self {
            Act::OpenDoor | Act::Start | Act::Export => &[Chief, Deputy, Admin],
            Act::Admit | Act::Deny | Act::LeaveOut | Act::LeaveBack | Act::CheckIdentity => &[Chief, Deputy, Proctor],
            Act::PauseSeat | Act::ResumeSeat | Act::Swap => &[Chief, Deputy, Proctor],
            Act::CallOff | Act::EndSitting => &[Chief, Deputy],
            Act::PauseSitting | Act::ResumeSitting | Act::ConsentHandIn => &[Chief, Deputy],
            Act::UseBackupPaper | Act::UseBackupPaperAtSeat => &[Chief, Deputy],
            Act::Extend => &[Chief, Inspector],
            Act::ExtendByHq => &[Chief, Deputy],
            // The handbook gives all four measures to chief and deputy; a proctor stops a disturbance by pausing the seat.
            Act::EndAttempt | Act::Void => &[Chief, Deputy],
            Act::Admonish | Act::Warn => &[Chief, Deputy, Proctor],
            Act::RecordIncident | Act::JudgeFinding => &[Chief, Deputy, Proctor, Inspector],
            Act::Seal => &[Chief, Admin, Staff],
            // HB-11: administrator and staff sign the seal; HB-29: proctors; HB-44: the inspector. The rule says whose it takes.
            Act::Sign | Act::Tick => &[Chief, Deputy, Proctor, Inspector, Admin, Staff],
            Act::Message | Act::TakeHand => &[Chief, Deputy, Proctor, Staff],
            Act::KeepPeople => &[Chief, Admin],
            Act::Visit => &[Inspector],
        }
    }
}
