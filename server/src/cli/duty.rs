//! Commands for a running room: people, the clock, hands, messages, looking for a candidate, visits. They speak for whoever is
//! signed on at this machine (`exam-server staff sign-on`). Never prompts where nobody sits at a terminal.

mod clock;
mod people;
mod words;

use super::{
    output::Output,
    password::{PasswordArg, PasswordFiles},
};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use exam_protocol::{
    ids::{AccountId, RoomId, SeatNo, SittingId},
    message::duty::{Canned, StopCause},
    staff::StaffRole,
};
use std::path::Path;

#[derive(Subcommand)]
pub(super) enum DutyCommand {
    /// People of the site: accounts, signing on at this machine (人员)
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// The clock: stop it, let it run, take out a stretch, grant time (计时)
    Time {
        #[command(subcommand)]
        command: TimeCommand,
    },
    /// Raised hands (举手)
    Hand {
        #[command(subcommand)]
        command: HandCommand,
    },
    /// Messages to seats (消息)
    Message {
        #[command(subcommand)]
        command: MessageCommand,
    },
    /// Where is this candidate? Any part of a name or admission number, or the last digits of an ID number (查找考生)
    Find {
        /// What to look for; at least four characters of an ID number
        text: String,
    },
    /// The inspector's visits (巡考)
    Visit {
        #[command(subcommand)]
        command: VisitCommand,
    },
}

#[derive(Subcommand)]
pub(super) enum StaffCommand {
    /// Make an account (建立账号)
    Add {
        /// Account id, e.g. chief or proctor-1
        account: AccountId,
        /// 姓名
        #[arg(long)]
        name: String,
        /// Role
        #[arg(long)]
        role: RoleName,
        /// The room a proctor watches
        #[arg(long, value_name = "ID")]
        room: Option<RoomId>,
        /// The absent person this one stands in for; that account is retired (替补)
        #[arg(long, value_name = "ACCOUNT", requires = "reason")]
        stands_in_for: Option<AccountId>,
        /// Why, when standing in
        #[arg(long, default_value = "")]
        reason: String,
        /// Draw a password and print it, once
        #[arg(long, conflicts_with = "password_file")]
        generate: bool,
        #[command(flatten)]
        password: PasswordArg,
    },
    /// Answer for this machine from now on (签到上岗)
    SignOn {
        /// Account id
        account: AccountId,
        #[command(flatten)]
        password: PasswordArg,
    },
    /// And no longer (离岗)
    SignOff,
    /// Change one's own password, with the old one; or, as chief or administrator, reset a forgotten one. A terminal is asked
    /// and does not show it; else standard input has the old one and the new one, a line each (修改或重置密码)
    Password {
        /// Whose
        account: AccountId,
        /// Reset it without the old one; standard input has only the new one
        #[arg(long)]
        reset: bool,
        /// Reset it to a drawn password and print that, once
        #[arg(long, requires = "reset")]
        generate: bool,
    },
    /// Everybody with an account (人员列表)
    List,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    /// 主考
    Chief,
    /// 副主考
    Deputy,
    /// 监考员
    Proctor,
    /// 巡考员
    Inspector,
    /// 系统管理员
    Admin,
    /// 工作人员
    Staff,
}

impl From<RoleName> for StaffRole {
    fn from(name: RoleName) -> StaffRole {
        match name {
            RoleName::Chief => StaffRole::Chief,
            RoleName::Deputy => StaffRole::Deputy,
            RoleName::Proctor => StaffRole::Proctor,
            RoleName::Inspector => StaffRole::Inspector,
            RoleName::Admin => StaffRole::Admin,
            RoleName::Staff => StaffRole::Staff,
        }
    }
}

/// Whose clock.
#[derive(Args)]
pub(super) struct WhoseArg {
    /// Which sitting
    pub(super) sitting: SittingId,
    /// One seat; everybody in the sitting when left out
    #[arg(long, value_name = "NO")]
    pub(super) seat: Option<SeatNo>,
}

#[derive(Subcommand)]
pub(super) enum TimeCommand {
    /// Stop the clock (暂停)
    Pause {
        #[command(flatten)]
        whose: WhoseArg,
        /// Why
        #[arg(long)]
        cause: CauseName,
        /// In words
        #[arg(long)]
        reason: String,
    },
    /// Let the clock run again (恢复)
    Resume {
        #[command(flatten)]
        whose: WhoseArg,
    },
    /// Stop the clock in every room at once (全部暂停)
    PauseAll {
        /// Why
        #[arg(long)]
        cause: CauseName,
        /// In words
        #[arg(long)]
        reason: String,
    },
    /// Let the clock run again in every room where it stands still (全部恢复)
    ResumeAll,
    /// A stretch of today that has passed does not count (扣除时段)
    TakeOut {
        #[command(flatten)]
        whose: WhoseArg,
        /// From, HH:MM or HH:MM:SS, local time of this machine
        #[arg(long, value_name = "TIME")]
        from: String,
        /// To, HH:MM or HH:MM:SS
        #[arg(long, value_name = "TIME")]
        to: String,
        /// Why
        #[arg(long)]
        cause: CauseName,
        /// In words
        #[arg(long)]
        reason: String,
    },
    /// Decide about a power cut that took the server with it; until then the clock does not end the sitting (停电裁定)
    Cut {
        /// Which sitting
        sitting: SittingId,
        /// Whether the stretch is taken out or counts
        decision: CutChoice,
        /// In words
        #[arg(long)]
        reason: String,
    },
    /// Close the door again before the start: the sitting cannot be held now (取消入场)
    CallOff {
        /// Which sitting
        sitting: SittingId,
        /// In words; HQ is to hear it
        #[arg(long)]
        reason: String,
    },
    /// Grant time on site: chief and inspector, each with their own password (延时)
    Extend {
        #[command(flatten)]
        whose: WhoseArg,
        /// How many minutes
        #[arg(long)]
        minutes: u32,
        /// In words
        #[arg(long)]
        reason: String,
        /// Who agrees; give it twice, for chief and inspector
        #[arg(long, value_name = "ACCOUNT", required = true)]
        approve: Vec<AccountId>,
        #[command(flatten)]
        passwords: PasswordFiles,
    },
    /// Grant time by a code from HQ (评价组织延时码)
    ExtendHq {
        #[command(flatten)]
        whose: WhoseArg,
        /// How many minutes, as HQ said
        #[arg(long)]
        minutes: u32,
        /// In words
        #[arg(long)]
        reason: String,
        /// The code
        #[arg(long)]
        code: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum CutChoice {
    /// 扣除: candidates could not work
    TakeOut,
    /// 照常计时: candidates could work on, only the server was away
    Counts,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum CauseName {
    /// 停电
    PowerCut,
    /// 设备故障
    Machine,
    /// 网络故障
    Network,
    /// 环境
    Environment,
    /// 身体不适
    Illness,
    /// 其他
    Other,
}

impl From<CauseName> for StopCause {
    fn from(name: CauseName) -> StopCause {
        match name {
            CauseName::PowerCut => StopCause::PowerCut,
            CauseName::Machine => StopCause::Machine,
            CauseName::Network => StopCause::Network,
            CauseName::Environment => StopCause::Environment,
            CauseName::Illness => StopCause::Illness,
            CauseName::Other => StopCause::Other,
        }
    }
}

#[derive(Subcommand)]
pub(super) enum HandCommand {
    /// The queue, the longest wait on top
    List {
        /// Which sitting
        sitting: SittingId,
    },
    /// I go (处理)
    Take {
        /// Number of the hand
        hand: u64,
    },
    /// It is settled (完成)
    Done {
        /// Number of the hand
        hand: u64,
    },
}

#[derive(Subcommand)]
pub(super) enum MessageCommand {
    /// Send a message: a canned text, own words, or both (发送)
    Send {
        /// To the desks of this sitting's room; to the whole site when left out
        #[arg(long, value_name = "ID")]
        sitting: Option<SittingId>,
        /// Only to these seats, separated by commas
        #[arg(long, value_delimiter = ',', requires = "sitting")]
        seats: Vec<SeatNo>,
        /// A canned text
        #[arg(long)]
        canned: Option<CannedName>,
        /// Own words
        #[arg(default_value = "")]
        text: String,
    },
    /// What was sent, delivered and read, newest first (列表)
    List {
        /// Only messages older than this one
        #[arg(long, value_name = "NO")]
        before: Option<u64>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum CannedName {
    /// 请保持安静
    QuietPlease,
    /// 请坐在原位等候
    StaySeated,
    /// 请停止操作并等候
    StopAndWait,
    /// 可以继续答题
    GoOn,
    /// 工作人员马上到
    HelpComes,
    /// 请检查答案是否已保存
    CheckSaved,
    /// 如有问题请举手
    RaiseHand,
    /// 已为你延时
    TimeAdded,
}

impl From<CannedName> for Canned {
    fn from(name: CannedName) -> Canned {
        match name {
            CannedName::QuietPlease => Canned::QuietPlease,
            CannedName::StaySeated => Canned::StaySeated,
            CannedName::StopAndWait => Canned::StopAndWait,
            CannedName::GoOn => Canned::GoOn,
            CannedName::HelpComes => Canned::HelpComes,
            CannedName::CheckSaved => Canned::CheckSaved,
            CannedName::RaiseHand => Canned::RaiseHand,
            CannedName::TimeAdded => Canned::TimeAdded,
        }
    }
}

#[derive(Subcommand)]
pub(super) enum VisitCommand {
    /// I am in the room of this sitting now (开始巡考)
    Begin {
        /// Which sitting
        sitting: SittingId,
    },
    /// Write down what was found; a second note corrects the first (记录)
    Note {
        /// Number of the visit
        visit: u64,
        /// In words
        findings: String,
    },
    /// Visits, and which of start, between and end are missing (列表)
    List {
        /// One sitting, with findings
        sitting: Option<SittingId>,
    },
}

/// Runs one of them.
pub(super) fn run(dir: &Path, command: DutyCommand, output: Output) -> Result<()> {
    match command {
        DutyCommand::Staff { command } => people::run(dir, command, output),
        DutyCommand::Time { command } => clock::run(dir, command, output),
        DutyCommand::Hand { command } => words::hands(dir, command, output),
        DutyCommand::Message { command } => words::messages(dir, command, output),
        DutyCommand::Find { text } => people::find(dir, text, output),
        DutyCommand::Visit { command } => words::visits(dir, command, output),
    }
}
