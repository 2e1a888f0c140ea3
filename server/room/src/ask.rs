//! Every ask, one line a kind, and what an asker may hear.

use crate::{Fact, Site, rule::Wanted, rules::*};
use exam_protocol::{
    code::Refusal,
    ids::{ItemId, Sha256, StationId},
    incident::RecordNo,
    message::{attendance::OrphanPage, candidate::Answers, duty::MessageId},
    time::{Now, SiteMs},
};

macro_rules! asks {
    ($($(#[$doc:meta])* $module:ident :: $name:ident $(($by:ident))?,)*) => {
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

            /// The machine whose person is confined to the room of their account; none where machines ask, or where two
            /// named people agree.
            fn confined(&self) -> Option<&StationId> {
                match self {
                    $(asks!(@own ask $name $($by)?) => asks!(@by ask $($by)?),)*
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
    (@own $ask:ident $name:ident $by:ident) => { Ask::$name($ask) };
    (@own $ask:ident $name:ident) => { Ask::$name(_) };
    (@by $ask:ident $by:ident) => { Some(&$ask.$by) };
    (@by $ask:ident) => { None };
}

// In parentheses the field that names the machine whose person asks: what they cause must concern their own room.
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
    admission::OpenDoor(by),
    /// 准入.
    admission::AdmitSeats(by),
    /// HB-15.
    sign_in::EnterNumber,
    /// 开考.
    start::Begin(by),
    /// A code that opened nothing.
    start::NoteWrongCode(by),
    /// One version of one answer.
    answers::Save,
    /// A page of known answers.
    answers::Recall,
    /// 交卷.
    hand_in::GiveIn,
    /// 结束.
    ending::Stop(by),
    /// Time passes.
    ending::Clock,
    /// A bundle was written.
    export::NoteExport(by),
    /// HB-04.
    people::MakeAccount,
    /// A person answers for a console.
    people::SignOn,
    /// And no longer.
    people::SignOff,
    /// 暂停.
    pause::StopClock(by),
    /// 恢复.
    pause::RunClock(by),
    /// 全部暂停.
    pause::StopEverywhere(by),
    /// 全部恢复.
    pause::RunEverywhere(by),
    /// A stretch that has passed does not count.
    pause::TakeOut(by),
    /// 延时, on site.
    extension::Extend,
    /// 延时, by HQ.
    extension::ExtendByHq(by),
    /// 拒绝准入.
    deny::DenyCandidate(by),
    /// HB-15: this is me.
    identity::ConfirmIdentity,
    /// HB-14, HB-21.
    identity::CheckIdentity(by),
    /// HB-20, HB-40.
    absence::ConfirmAbsence(by),
    /// 暂离.
    leave::LeaveOut(by),
    /// And back.
    leave::LeaveBack(by),
    /// 换机.
    swap::SwapMachine(by),
    /// What the replaced machine had.
    orphan::ListOrphans,
    /// Take one of them.
    orphan::AdoptOrphan,
    /// Or not.
    orphan::DismissOrphan,
    /// Lost time is granted.
    lost_time::AcceptProposal,
    /// Or not.
    lost_time::DismissProposal(by),
    /// HB-25: the candidate contests.
    lost_time::ContestTime(by),
    /// And the inspector answers.
    lost_time::AnswerContest(by),
    /// 终止考核.
    terminate::EndAttempt(by),
    /// 重新开放.
    terminate::ReopenAttempt,
    /// HB-23.
    consent::ConsentHandIn(by),
    /// 考场情况.
    incident::RecordIncident(by),
    /// More about it.
    incident::AddToIncident(by),
    /// It was otherwise.
    incident::CorrectIncident(by),
    /// 违纪.
    violation::RecordViolation(by),
    /// 考生签名.
    signature::SignAsCandidate(at),
    /// 拒签.
    signature::RefuseSignature(by),
    /// 监考员签名.
    signature::SignAsProctor(by),
    /// 办结.
    signature::CloseRecord(by),
    /// HQ has heard.
    report::DeliverReport(by),
    /// The system noticed something.
    finding::NoteFinding,
    /// A person judges it.
    finding::JudgeFinding(by),
    /// A machine's findings (F-69).
    seal::ReportSeat,
    /// HB-11: a person has looked.
    seal::ConfirmCheck(by),
    /// And takes it back.
    seal::WithdrawCheck(by),
    /// 封场.
    seal::SealRoom(by),
    /// N-06.
    checklist::Tick(by),
    /// A tick was wrong.
    checklist::Untick(by),
    /// HB-32: HQ is asked.
    backup_paper::RequestBackup(by),
    /// 启用备用试卷.
    backup_paper::UseBackupPaper(by),
    /// HB-05.
    mock::ResetMock(by),
    /// The wall clock jumped.
    wall_clock::ReadClocks,
    /// 举手.
    hand::RaiseHand,
    /// 取消举手.
    hand::LowerHand,
    /// 处理举手.
    hand::TakeHand(by),
    /// 举手已处理.
    hand::FinishHand(by),
    /// 发消息.
    message::Say(by),
    /// 已送达.
    message::NoteDelivered,
    /// 已读.
    message::Read,
    /// 巡考.
    visit::BeginVisit(by),
    /// 巡考记录.
    visit::NoteVisit(by),
    /// HB-27: whether the stretch of a power cut counts.
    power_cut::DecideCut(by),
    /// HB-27, HB-32: the door closes before the start.
    call_off::CallOff(by),
    /// HB-26: a machine's own account.
    unable::TellUnable,
    /// One's own password.
    password::ChangePassword,
    /// A forgotten one.
    password::ResetPassword,
}

impl Site {
    /// Judges `ask` at `now` and changes nothing.
    ///
    /// # Errors
    /// The refusal names the rule that says no.
    pub fn decide(&self, now: Now, ask: &Ask) -> Result<Vec<Fact>, Refusal> {
        let facts = ask.wanted().decide(self, now)?;
        ask.confined().map_or(Ok(()), |by| self.keeps_to_room(by, &facts))?;
        Ok(facts)
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
    /// It is sent.
    Sent {
        /// Under this number.
        message: MessageId,
    },
}
