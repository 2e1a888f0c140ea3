//! Who is here, where and how, from a terminal: a room can be run though every console is broken. Seats are named by
//! their numbers; passwords of the two who agree are asked for, never taken from the command line.

use super::{
    exit::Coded,
    online::{ask, done},
    output::Output,
    password,
};
use anyhow::{Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use exam_protocol::{
    ids::{AccountId, AdmissionNo, SeatNo, SittingId},
    message::{
        attendance::{
            AskAttendance, AttendanceList, ConsentHandIn, DecideAttempt, Decision, DenyCandidate, EndWhy,
            IdentityCheck, Leave, LeaveStep, LossEvidence, LossWord, LostTime, PresentNote, RollCall, RollEntry,
            SwapMachine,
        },
        candidate::AttemptId,
    },
    tag::{Down, Up},
    time::{SiteMs, minutes},
};
use serde_json::json;
use std::path::Path;

/// One candidate of a sitting.
#[derive(Args)]
pub(crate) struct Whose {
    /// Which sitting (场次)
    #[arg(long, value_name = "ID")]
    sitting: SittingId,
    /// At which seat (考位)
    #[arg(long, value_name = "N")]
    seat: SeatNo,
}

#[derive(Subcommand)]
pub(crate) enum AttendanceCommand {
    /// Who is here and who is not, and what waits for a decision (到场情况)
    List {
        /// Which sitting
        sitting: SittingId,
    },
    /// Deny admission, or take it back before work has begun (拒绝准入)
    Deny {
        #[command(flatten)]
        whose: Whose,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Record an identity check; from T+15 min it is the second round (核对身份)
    Check {
        #[command(flatten)]
        whose: Whose,
        /// ID card and face agree (身份证)
        #[arg(long)]
        id_card: bool,
        /// The sign-in sheet is signed (签到表)
        #[arg(long)]
        signed: bool,
        /// The admission ticket is there (准考证)
        #[arg(long)]
        ticket: bool,
        /// The desk label agrees (桌贴)
        #[arg(long)]
        label: bool,
        /// What else was seen
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Confirm who is absent: after entry has closed, and again at the end (缺考确认)
    Absent {
        /// Which sitting
        sitting: SittingId,
        /// Admission numbers, separated by commas; everybody recorded as absent when left out
        #[arg(long, value_delimiter = ',')]
        candidates: Vec<AdmissionNo>,
    },
    /// A candidate goes out with an escort; one of a room at a time (暂离)
    Out {
        #[command(flatten)]
        whose: Whose,
        /// Account of the proctor or staff who goes along
        #[arg(long)]
        escort: AccountId,
        /// Why, if anybody cares to say
        #[arg(long)]
        reason: Option<String>,
    },
    /// And comes back (返回)
    Back {
        #[command(flatten)]
        whose: Whose,
    },
    /// Move a candidate to another machine of the room (换机)
    Swap {
        #[command(flatten)]
        whose: Whose,
        /// Seat of the machine that takes over
        #[arg(long, value_name = "N")]
        to: SeatNo,
        /// For how many minutes the old machine has been in trouble
        #[arg(long, value_name = "MINUTES")]
        trouble: Option<u32>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End one candidate's exam, by the chief (终止考核)
    End {
        #[command(flatten)]
        whose: Whose,
        /// Which kind of reason
        #[arg(long)]
        why: WhyArg,
        /// In words
        #[arg(long)]
        reason: String,
    },
    /// Open an ended or handed-in exam again, by chief and inspector, each with their own password (重新开放)
    Reopen {
        #[command(flatten)]
        whose: Whose,
        /// How much is left; the clock starts when the candidate is admitted again
        #[arg(long)]
        minutes: u32,
        /// In words
        #[arg(long)]
        reason: String,
        /// Accounts of chief and inspector, separated by a comma
        #[arg(long, value_delimiter = ',')]
        agreed: Vec<AccountId>,
        #[command(flatten)]
        passwords: password::PasswordFiles,
    },
    /// The chief consents to early hand-in (同意提前交卷)
    Consent {
        /// Which sitting
        sitting: SittingId,
        /// At which seat; everybody when left out
        #[arg(long, value_name = "N")]
        seat: Option<SeatNo>,
    },
    /// Grant time that was proposed: by chief and inspector with their passwords, or with HQ's code (批准延时建议)
    Grant {
        /// Which sitting
        sitting: SittingId,
        /// Which proposal
        #[arg(long)]
        proposal: u32,
        /// How much
        #[arg(long)]
        minutes: u32,
        /// Accounts of chief and inspector, separated by a comma
        #[arg(long, value_delimiter = ',', conflicts_with = "code")]
        agreed: Vec<AccountId>,
        #[command(flatten)]
        passwords: password::PasswordFiles,
        /// HQ's code
        #[arg(long)]
        code: Option<String>,
    },
    /// Grant nothing of what was proposed (驳回延时建议)
    Dismiss {
        /// Which sitting
        sitting: SittingId,
        /// Which proposal
        #[arg(long)]
        proposal: u32,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// A candidate contests lost time; the inspector is to answer (时间异议)
    Contest {
        #[command(flatten)]
        whose: Whose,
        /// In the candidate's words
        #[arg(long)]
        text: String,
    },
    /// The inspector answers (答复异议)
    Answer {
        #[command(flatten)]
        whose: Whose,
        /// In words
        #[arg(long)]
        text: String,
    },
}

/// Why an exam is ended.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum WhyArg {
    /// 违纪
    Violation,
    /// 身体不适
    Illness,
    /// 其他
    Other,
}

pub(super) fn run(dir: &Path, command: AttendanceCommand, output: Output) -> Result<()> {
    use AttendanceCommand as C;
    let (message, text): (Up, &str) = match command {
        C::List { sitting } => return list(dir, sitting, output),
        C::Absent { sitting, candidates } => {
            (RollCall { sitting, entry: RollEntry::Absent { candidates } }.into(), "缺考已确认 · absence confirmed")
        }
        C::Consent { sitting, seat } => {
            let attempt = seat.map(|seat| whose(dir, &Whose { sitting: sitting.clone(), seat })).transpose()?;
            (ConsentHandIn { sitting, attempt }.into(), "已同意提前交卷 · early hand-in consented to")
        }
        C::Grant { sitting, proposal, minutes, agreed, passwords, code } => {
            let word = match code {
                Some(code) => LossWord::AcceptByHq { proposal, minutes, code },
                None => {
                    LossWord::Accept { proposal, minutes, agreed: password::proofs(agreed, &passwords.password_file)? }
                }
            };
            (LostTime { sitting, word }.into(), "已延时 · time granted")
        }
        C::Dismiss { sitting, proposal, reason } => {
            let word = LossWord::Dismiss { proposal, reason };
            (LostTime { sitting, word }.into(), "已驳回 · dismissed")
        }
        one => of_candidate(dir, one)?,
    };
    ask(dir, message, done)?;
    output.result(|| text.to_owned(), || json!({ "ok": true }));
    Ok(())
}

/// Acts on one candidate, named by the seat.
fn of_candidate(dir: &Path, command: AttendanceCommand) -> Result<(Up, &'static str)> {
    use AttendanceCommand as C;
    Ok(match command {
        C::Deny { whose: w, reason } => {
            (DenyCandidate { attempt: whose(dir, &w)?, reason }.into(), "已拒绝准入 · denied")
        }
        C::Check { whose: w, id_card, signed, ticket, label, note } => {
            let attempt = whose(dir, &w)?;
            let check = IdentityCheck { attempt, id_card, sheet_signed: signed, ticket, desk_label: label, note };
            let entry = RollEntry::Identity(check);
            (RollCall { sitting: w.sitting, entry }.into(), "已核对 · checked")
        }
        C::Out { whose: w, escort, reason } => {
            let step = LeaveStep::Out { escort, reason };
            (Leave { attempt: whose(dir, &w)?, step }.into(), "已离场 · out")
        }
        C::Back { whose: w } => (Leave { attempt: whose(dir, &w)?, step: LeaveStep::Back }.into(), "已返回 · back"),
        C::Swap { whose: w, to, trouble, reason } => {
            let list = fetch(dir, &w.sitting)?;
            let attempt = at_seat(&list, w.seat)?.attempt;
            let trouble_since: Option<SiteMs> = trouble.map(|m| list.now.at.minus(minutes(u64::from(m))));
            (SwapMachine { attempt, to, trouble_since, reason }.into(), "已换机 · moved")
        }
        C::End { whose: w, why, reason } => {
            let why = match why {
                WhyArg::Violation => EndWhy::Violation,
                WhyArg::Illness => EndWhy::Illness,
                WhyArg::Other => EndWhy::Other,
            };
            let decision = Decision::End { why, reason };
            (DecideAttempt { attempt: whose(dir, &w)?, decision }.into(), "已终止 · ended")
        }
        C::Reopen { whose: w, minutes, reason, agreed, passwords } => {
            let attempt = whose(dir, &w)?;
            let decision =
                Decision::Reopen { minutes, reason, agreed: password::proofs(agreed, &passwords.password_file)? };
            (
                DecideAttempt { attempt, decision }.into(),
                "已重新开放，准入后计时 · reopened; the clock starts at admission",
            )
        }
        C::Contest { whose: w, text } => {
            let word = LossWord::Contest { attempt: whose(dir, &w)?, text };
            (LostTime { sitting: w.sitting, word }.into(), "已记录异议 · contested")
        }
        C::Answer { whose: w, text } => {
            let word = LossWord::Answer { attempt: whose(dir, &w)?, text };
            (LostTime { sitting: w.sitting, word }.into(), "已答复 · answered")
        }
        C::List { .. } | C::Absent { .. } | C::Consent { .. } | C::Grant { .. } | C::Dismiss { .. } => {
            return Err(anyhow!("this act is on a sitting, not on a seat"));
        }
    })
}

fn fetch(dir: &Path, sitting: &SittingId) -> Result<AttendanceList> {
    ask(dir, AskAttendance { sitting: sitting.clone() }, |down| match down {
        Down::AttendanceList(list) => Some(list),
        _ => None,
    })
}

fn whose(dir: &Path, whose: &Whose) -> Result<AttemptId> {
    Ok(at_seat(&fetch(dir, &whose.sitting)?, whose.seat)?.attempt)
}

fn at_seat(list: &AttendanceList, seat: SeatNo) -> Result<&PresentNote> {
    let found = list.present.iter().find(|note| note.seat == seat);
    let text = || format!("考位 {seat} 没有人登录 · nobody has signed in at seat {seat} of {}", list.sitting);
    Ok(found.ok_or_else(|| Coded { text: text(), code: 4 })?)
}

fn list(dir: &Path, sitting: SittingId, output: Output) -> Result<()> {
    let list = fetch(dir, &sitting)?;
    output.result(|| table(&list), || json!(list));
    Ok(())
}

fn table(list: &AttendanceList) -> String {
    let mut lines: Vec<String> = list.present.iter().map(line).collect();
    for absent in &list.absent {
        lines.push(format!("  缺考 absent  {}  确认 confirmed {} 次", absent.admission_no, absent.confirmed.len()));
    }
    for p in &list.proposals {
        let (number, seconds) = (p.proposal, p.ms / 1000);
        let seat = list.present.iter().find(|note| note.attempt == p.attempt).map_or(0, |note| note.seat.get());
        lines.push(format!(
            "  延时建议 proposal {number}  考位 seat {seat}  {seconds} s  {}",
            evidence_text(p.evidence)
        ));
    }
    if lines.is_empty() {
        lines.push("尚无人登录 · nobody has signed in".to_owned());
    }
    lines.join("\n")
}

fn evidence_text(evidence: LossEvidence) -> &'static str {
    match evidence {
        LossEvidence::Declared => "监考员填报 as people say",
        LossEvidence::LastContact => "服务器最后联系 the server's last contact",
        LossEvidence::SeatAccount => "考生机自述 the machine's own account",
    }
}

fn line(note: &PresentNote) -> String {
    let mut marks = Vec::new();
    let mut mark = |is: bool, text: &str| is.then(|| marks.push(text.to_owned()));
    mark(note.identity_confirmed, "已确认 confirmed");
    mark(!note.second_round, "待复核 unchecked");
    mark(note.hand_in_consented, "可提前交卷 may hand in");
    mark(note.wait_until.is_some(), "候考区等候 waits");
    mark(!note.former.is_empty(), "已换机 moved");
    mark(note.orphans > 0, "旧机答案待选 old answers");
    mark(note.contested.is_some(), "有异议 contests");
    let out = note.out.as_ref().map(|(_, escort)| format!("暂离，陪同 out with {escort}"));
    let denied = note.denied.as_ref().map(|reason| format!("拒绝 denied: {reason}"));
    marks.extend(out.into_iter().chain(denied));
    format!("  考位 {:>3}  {}  {}  {}", note.seat.get(), note.admission_no, note.state.zh(), marks.join(" · "))
}
