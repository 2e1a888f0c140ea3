//! The commands and their options. Stable: scripts outside call them.

use clap::{Parser, Subcommand, ValueEnum};
use exam_protocol::ids::{SeatNo, SittingId};
use std::{net::SocketAddr, path::PathBuf};

/// 考点服务器 · the exam server of one site
#[derive(Parser)]
#[command(name = "exam-server", version, after_help = super::exit::HELP)]
pub(super) struct Args {
    /// Data folder of the site (数据目录)
    #[arg(long, global = true, env = "EXAM_SERVER_DATA", value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Print one JSON object for machines on stdout
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a new site in the data folder; prints its fingerprint and where its public file is (初始化考点)
    Init {
        /// Name of the site (考点名称)
        #[arg(long, value_name = "NAME")]
        site: String,
        /// HQ's minisign public key file; without it the first imported package teaches the site its HQ
        #[arg(long, value_name = "FILE")]
        hq_key: Option<PathBuf>,
    },
    /// Serve until stopped (启动服务)
    Run {
        /// Address and UDP port, e.g. 0.0.0.0:4843; port 0 takes a free one
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Configuration file (TOML)
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Folder, best on another disk, where a checked backup is kept up to date every minute
        #[arg(long, value_name = "DIR")]
        backup: Option<PathBuf>,
    },
    /// Take in an exam package from HQ, whole or not at all (导入考试包)
    Import {
        /// The package (*.exam)
        file: PathBuf,
        /// A running server elsewhere; the data folder then only supplies the identity
        #[arg(long, value_name = "ADDR")]
        server: Option<SocketAddr>,
    },
    /// Make enrolment codes for machines (生成登记码)
    EnrolCode {
        /// Which kind of machine
        #[arg(long)]
        role: RoleArg,
        /// How many codes
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=500))]
        count: u16,
        /// How many machines each code may enrol: one code can serve a whole room
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=2000))]
        uses: u16,
    },
    /// Show how everything stands (查看状态)
    Status,
    /// Sittings: list them, open the door, admit, start, end (场次)
    Sitting {
        #[command(subcommand)]
        command: SittingCommand,
    },
    /// Write the sealed result bundle of an ended sitting (导出成绩包)
    Export {
        /// Which sitting
        #[arg(long, value_name = "ID")]
        sitting: SittingId,
        /// Folder for the bundle; what was written is read again and checked
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Check the whole journal, hash by hash (校验日志)
    Verify,
    /// Copy everything into an empty folder and check the copy (备份)
    Backup {
        /// Empty folder on this machine
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Read the journal (查看日志)
    Journal {
        #[command(subcommand)]
        command: super::journal::JournalCommand,
    },
    /// Who is here, where and how: checks, leaves, swaps, ends, consent, lost time (到场)
    Attendance {
        #[command(subcommand)]
        command: super::attendance::AttendanceCommand,
    },
    /// Incidents, violations, signatures, findings, reports (考场情况)
    Incident {
        #[command(subcommand)]
        command: super::incident::IncidentCommand,
    },
    /// Print the room record of a sitting from the journal (考场情况记录表)
    Record {
        /// Which sitting
        #[arg(long, value_name = "ID")]
        sitting: SittingId,
    },
    /// Get a room ready: seal, check-list, backup papers, mock sittings (考前准备)
    Ready {
        #[command(subcommand)]
        command: super::readiness::ReadyCommand,
    },
    /// Mock sittings: points (模拟考试)
    Mock {
        #[command(subcommand)]
        command: super::mock::MockCommand,
    },
    #[command(flatten)]
    Duty(super::duty::DutyCommand),
}

#[derive(Subcommand)]
pub(super) enum SittingCommand {
    /// List all sittings
    List,
    /// Candidates may sign in from now on (开放入场)
    AdmitOpen {
        /// Which sitting
        sitting: SittingId,
    },
    /// Admit candidates who have signed in and were checked (准入)
    Admit {
        /// Which sitting
        sitting: SittingId,
        /// Seat numbers, separated by commas; everybody who waits when left out
        #[arg(long, value_delimiter = ',')]
        seats: Vec<SeatNo>,
    },
    /// Release the paper and start the clock (开考)
    Start {
        /// Which sitting
        sitting: SittingId,
        /// Unlock code from HQ (启封码)
        #[arg(long)]
        code: String,
    },
    /// Stop answering for all (结束考试); asks back on a terminal while candidates are working
    End {
        /// Which sitting
        sitting: SittingId,
        /// Do not ask back
        #[arg(long)]
        yes: bool,
    },
}

/// Kinds of machines a code can enrol.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleArg {
    /// 考生机
    Station,
    /// 监考机
    Console,
}
