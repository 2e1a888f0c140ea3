//! Every ask, one line a kind, and what an asker may hear.

use crate::{Fact, Site, rule::Wanted, rules::*};
use exam_protocol::{
    code::Refusal,
    ids::{ItemId, Sha256, StationId},
    incident::RecordNo,
    message::{attendance::OrphanPage, candidate::Answers},
    time::{Now, SiteMs},
};

macro_rules! asks {
    ($($(#[$doc:meta])* $module:ident :: $name:ident,)*) => {
        /// What somebody wants.
        #[derive(Clone, Debug)]
        pub enum Ask {
            $($(#[$doc])* $name($module::$name),)*
        }

        impl Ask {
            fn wanted(&self) -> &dyn Wanted {
                match self {
                    $(Ask::$name(ask) => ask,)*
                }
            }

            /// The ask's name, for logs.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Ask::$name(_) => stringify!($name),)*
                }
            }
        }

        $(impl From<$module::$name> for Ask {
            fn from(ask: $module::$name) -> Ask {
                Ask::$name(ask)
            }
        })*
    };
}

asks! {
    /// `exam-server init`.
    founding::Found,
    /// A server process begins or ends its work.
    founding::NoteServer,
    /// HQ's package.
    package::TakePackage,
    /// One-time enrolment code.
    enrolment::IssueCode,
    /// A machine becomes the site's.
    enrolment::EnrolStation,
    /// A machine says at which desk it stands.
    seating::TakeDesk,
    /// 开放入场.
    admission::OpenDoor,
    /// 准入.
    admission::AdmitSeats,
    /// HB-15.
    sign_in::EnterNumber,
    /// 开考.
    start::Begin,
    /// A code that opened nothing.
    start::NoteWrongCode,
    /// One version of one answer.
    answers::Save,
    /// A page of known answers.
    answers::Recall,
    /// 交卷.
    hand_in::GiveIn,
    /// 结束.
    ending::Stop,
    /// Time passes.
    ending::Clock,
    /// A bundle was written.
    export::NoteExport,
    /// HB-04.
    people::MakeAccount,
    /// A person answers for a console.
    people::SignOn,
    /// And no longer.
    people::SignOff,
    /// 暂停.
    pause::StopClock,
    /// 恢复.
    pause::RunClock,
    /// A stretch that has passed does not count.
    pause::TakeOut,
    /// 延时, on site.
    extension::Extend,
    /// 延时, by HQ.
    extension::ExtendByHq,
    /// 拒绝准入.
    deny::DenyCandidate,
    /// HB-15: this is me.
    identity::ConfirmIdentity,
    /// HB-14, HB-21.
    identity::CheckIdentity,
    /// HB-20, HB-40.
    absence::ConfirmAbsence,
    /// 暂离.
    leave::LeaveOut,
    /// And back.
    leave::LeaveBack,
    /// 换机.
    swap::SwapMachine,
    /// What the replaced machine had.
    orphan::ListOrphans,
    /// Take one of them.
    orphan::AdoptOrphan,
    /// Or not.
    orphan::DismissOrphan,
    /// Lost time is granted.
    lost_time::AcceptProposal,
    /// Or not.
    lost_time::DismissProposal,
    /// HB-25: the candidate contests.
    lost_time::ContestTime,
    /// And the inspector answers.
    lost_time::AnswerContest,
    /// 终止考核.
    terminate::EndAttempt,
    /// 重新开放.
    terminate::ReopenAttempt,
    /// HB-23.
    consent::ConsentHandIn,
    /// 考场情况.
    incident::RecordIncident,
    /// More about it.
    incident::AddToIncident,
    /// It was otherwise.
    incident::CorrectIncident,
    /// 违纪.
    violation::RecordViolation,
    /// 考生签名.
    signature::SignAsCandidate,
    /// 拒签.
    signature::RefuseSignature,
    /// 监考员签名.
    signature::SignAsProctor,
    /// 办结.
    signature::CloseRecord,
    /// HQ has heard.
    report::DeliverReport,
    /// The system noticed something.
    finding::NoteFinding,
    /// A person judges it.
    finding::JudgeFinding,
    /// A machine's findings (F-69).
    seal::ReportSeat,
    /// HB-11: a person has looked.
    seal::ConfirmCheck,
    /// And takes it back.
    seal::WithdrawCheck,
    /// 封场.
    seal::SealRoom,
    /// N-06.
    checklist::Tick,
    /// A tick was wrong.
    checklist::Untick,
    /// HB-32: HQ is asked.
    backup_paper::RequestBackup,
    /// 启用备用试卷.
    backup_paper::UseBackupPaper,
    /// HB-05.
    mock::ResetMock,
    /// The wall clock jumped.
    wall_clock::NoteWallJump,
    /// 举手.
    hand::RaiseHand,
    /// 取消举手.
    hand::LowerHand,
    /// 处理举手.
    hand::TakeHand,
    /// 举手已处理.
    hand::FinishHand,
    /// 发消息.
    message::Say,
    /// 已送达.
    message::NoteDelivered,
    /// 已读.
    message::Read,
    /// 巡考.
    visit::BeginVisit,
    /// 巡考记录.
    visit::NoteVisit,
    /// HB-27: whether the stretch of a power cut counts.
    power_cut::DecideCut,
    /// HB-27, HB-32: the door closes before the start.
    call_off::CallOff,
    /// HB-26: a machine's own account.
    unable::TellUnable,
}

impl Site {
    /// Judges `ask` at `now` and changes nothing.
    ///
    /// # Errors
    /// The refusal names the rule that says no.
    pub fn decide(&self, now: Now, ask: &Ask) -> Result<Vec<Fact>, Refusal> {
        ask.wanted().decide(self, now)
    }

    /// What refusing `ask` leaves in the journal.
    pub fn trace(&self, now: Now, ask: &Ask, refusal: &Refusal) -> Vec<Fact> {
        ask.wanted().trace(self, now, refusal)
    }

    /// What the asker hears. To be asked after the facts are applied, told after they are on disk.
    pub fn reply(&self, ask: &Ask) -> Reply {
        ask.wanted().reply(self)
    }
}

/// What an asker hears when no rule said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is so.
    Done,
    /// The machine is the site's.
    Enrolled {
        /// Its id.
        station: StationId,
    },
    /// This version is on disk.
    Saved {
        /// Which item.
        item: ItemId,
        /// Which version.
        number: u32,
    },
    /// A page of answers.
    Answers(Answers),
    /// Handed in.
    HandedIn {
        /// Short receipt.
        receipt: String,
        /// When.
        at: SiteMs,
    },
    /// A package is in.
    Package {
        /// Whether it is the one that was already there.
        package: Sha256,
    },
    /// A page of answers of the replaced machine.
    Orphans(OrphanPage),
    /// It is in the room record.
    Recorded {
        /// Under this number.
        record: RecordNo,
    },
}
