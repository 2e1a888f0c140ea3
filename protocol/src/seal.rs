//! The seal of a room (封场, HB-11): what has to be checked, how each check stands, and what breaks a seal.
//! One table of words for rules, consoles and printed forms. Never says whether a check is met; the room's rules do.

use crate::ids::SeatNo;
use serde::{Deserialize, Serialize};

/// One thing to be checked before a room is sealed. New ones are added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealCheck {
    /// 试考已通过: ticks itself when a mock sitting of the room was sat to its end.
    TrialPassed,
    /// Server and machines are free of viruses.
    NoViruses,
    /// Power.
    Power,
    /// Cameras.
    Cameras,
    /// The sign-in sheet equals the system's list (HB-10).
    SheetMatches,
    /// A machine's check: no outside network can be reached from it.
    NoOutsideNetwork,
    /// A machine's check: no unrelated program runs.
    NoForeignPrograms,
    /// A machine's check: the desktop was locked and given back in a trial.
    LockWorks,
    /// A machine's check: its clock is about right.
    ClockRight,
    /// A machine's check: its disk has room.
    DiskFree,
}

impl SealCheck {
    /// Every check of the room as a whole.
    pub const OF_ROOM: [SealCheck; 5] =
        [SealCheck::TrialPassed, SealCheck::NoViruses, SealCheck::Power, SealCheck::Cameras, SealCheck::SheetMatches];
    /// Every check of one machine.
    pub const OF_SEAT: [SealCheck; 5] = [
        SealCheck::NoOutsideNetwork,
        SealCheck::NoForeignPrograms,
        SealCheck::LockWorks,
        SealCheck::ClockRight,
        SealCheck::DiskFree,
    ];

    /// Whether it is asked of each machine, not of the room.
    pub fn is_of_seat(self) -> bool {
        SealCheck::OF_SEAT.contains(&self)
    }

    /// Its words: Chinese, English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            SealCheck::TrialPassed => ("试考已通过", "the trial exam was passed"),
            SealCheck::NoViruses => ("服务器和考生机已查杀病毒", "server and machines are free of viruses"),
            SealCheck::Power => ("供电已检查", "power was checked"),
            SealCheck::Cameras => ("监控摄像已检查", "cameras were checked"),
            SealCheck::SheetMatches => ("签到表与系统名单一致", "the sign-in sheet equals the system's list"),
            SealCheck::NoOutsideNetwork => ("考生机不能访问外网", "no outside network can be reached"),
            SealCheck::NoForeignPrograms => ("无关程序已关闭", "unrelated programs are closed"),
            SealCheck::LockWorks => ("锁屏有效", "the desktop lock works"),
            SealCheck::ClockRight => ("时钟准确", "the clock is right"),
            SealCheck::DiskFree => ("磁盘空间充足", "the disk has room"),
        }
    }
}

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStanding {
    /// Nobody has looked, and no machine has said.
    Missing,
    /// The machine says no: a person cannot tick it away.
    Bad,
    /// The system knows it by itself.
    Measured,
    /// A person has looked.
    Confirmed,
}

impl CheckStanding {
    /// Whether it may stand so in a sealed room.
    pub fn is_met(self) -> bool {
        matches!(self, CheckStanding::Measured | CheckStanding::Confirmed)
    }
}

/// Why a seal no longer holds. New ones are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealBreak {
    /// Another machine stands at this desk, or a machine has left it.
    MachineChanged {
        /// Which desk.
        seat: SeatNo,
    },
    /// A package of the exam was imported: list, papers or plan may differ.
    PackageChanged,
    /// The server program is another version.
    ServerChanged,
    /// The program of this desk's machine is another version.
    ClientChanged {
        /// Which desk.
        seat: SeatNo,
    },
    /// A check of this desk's machine is no longer met.
    ReportBad {
        /// Which desk.
        seat: SeatNo,
        /// Which check.
        check: SealCheck,
    },
    /// A person took a check back.
    CheckWithdrawn {
        /// Which check.
        check: SealCheck,
    },
}

impl SealBreak {
    /// Its words: Chinese, English.
    pub fn words(&self) -> (String, String) {
        match self {
            SealBreak::MachineChanged { seat } => {
                (format!("考位 {seat} 的机器已更换"), format!("the machine of seat {seat} was changed"))
            }
            SealBreak::PackageChanged => ("考试包已重新导入".to_owned(), "a package was imported again".to_owned()),
            SealBreak::ServerChanged => {
                ("服务器程序版本已改变".to_owned(), "the server program is another version".to_owned())
            }
            SealBreak::ClientChanged { seat } => {
                (format!("考位 {seat} 的程序版本已改变"), format!("the program of seat {seat} is another version"))
            }
            SealBreak::ReportBad { seat, check } => {
                let (zh, en) = check.words();
                (format!("考位 {seat} 不再满足“{zh}”"), format!("seat {seat} no longer meets: {en}"))
            }
            SealBreak::CheckWithdrawn { check } => {
                let (zh, en) = check.words();
                (format!("已撤回检查“{zh}”"), format!("a check was taken back: {en}"))
            }
        }
    }
}
