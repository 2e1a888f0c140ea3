//! 考场情况记录表: the room record of a sitting, line by line in the order of the facts, in the words of the form. Built
//! from nothing but facts, so that it can be printed again years later; every kind of fact is named here, so that a new
//! one stops the build until somebody has decided whether it belongs on the form.
//! Never opens a sealed name: desks and admission numbers stand for candidates.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    explain::cause,
    rules::{ending::EndedBy, finding::Outcome, founding::ServerEvent, incident, leave, lost_time, pause, terminate},
    state::{Authority, Details, Stage, Target},
};
use exam_protocol::{
    ids::{AccountId, AdmissionNo, SeatNo, SittingId},
    incident::RecordNo,
    message::{
        attendance::{EndWhy, LossEvidence},
        candidate::AttemptId,
        incident::About,
    },
    time::{Now, SiteMs, WallMs, minutes},
};
use serde::Serialize;

/// One line of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When it happened, wall time as well as the site knows it.
    pub time: WallMs,
    /// When it was recorded.
    pub recorded: Now,
    /// 类别.
    pub kind: &'static str,
    /// 考位.
    pub seat: Option<SeatNo>,
    /// 准考证号.
    pub admission_no: Option<AdmissionNo>,
    /// 记录编号.
    pub number: Option<RecordNo>,
    /// 事项.
    pub what: String,
    /// 记录人.
    pub who: String,
}

/// The room record of one sitting, as far as it has heard.
#[derive(Clone, Debug)]
pub struct RoomRecord {
    sitting: SittingId,
    entries: Vec<Entry>,
}

impl RoomRecord {
    /// A record nothing has been written into.
    pub fn new(sitting: SittingId) -> Self {
        Self { sitting, entries: Vec::new() }
    }

    /// The lines so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Hears a fact that has just been applied to `site`.
    pub fn hear(&mut self, site: &Site, now: Now, fact: &Fact) {
        match fact.scope() {
            Scope::Sitting(other) if other != self.sitting => return,
            Scope::Sitting(_) | Scope::Site => {}
        }
        if let Some(line) = self.line(site, fact) {
            self.entries.push(line.written(site, &self.sitting, now));
        }
    }

    /// The line of a fact; none where the form has no place for it.
    fn line(&self, site: &Site, fact: &Fact) -> Option<Line> {
        match fact {
            Fact::SiteFounded(_) => None,
            Fact::ServerNoted(f) => {
                (f.event == ServerEvent::Started && self.is_open(site)).then(|| restarted(f.gap_ms))
            }
            Fact::PackageTaken(_) => None,
            Fact::CodeIssued(_) => None,
            Fact::StationEnrolled(_) => None,
            Fact::DeskTaken(_) => None,
            Fact::DoorOpened(f) => Some(Line::new("入场", "开放入场").by(&f.by)),
            Fact::CandidateAdmitted(_) => None,
            Fact::SignedIn(_) => None,
            Fact::SignInFailed(_) => None,
            Fact::SittingStarted(f) => Some(Line::new("开考", "启封试卷，开始计时").by(&f.by)),
            Fact::WrongCodeEntered(f) => Some(Line::new("开考", "启封码不正确").by(&f.by)),
            Fact::AnswerSaved(_) => None,
            Fact::HandedIn(_) => None,
            Fact::SittingEnded(f) => Some(ended(&f.by)),
            Fact::AbsenceRecorded(f) => Some(Line::new("缺考", "未到").candidate(&f.admission_no)),
            Fact::BundleExported(_) => None,
            Fact::AccountMade(f) => f.stands_in_for.as_ref().map(|absent| stood_in(site, absent, f)),
            Fact::SignedOn(_) => None,
            Fact::SignedOff(_) => None,
            Fact::PasswordChanged(f) => f.reset.then(|| reset(site, f)),
            Fact::ClockStopped(f) => Some(stopped(f)),
            Fact::ClockRan(f) => Some(Line::new("恢复", of_target("恢复计时", &f.target)).target(&f.target).by(&f.by)),
            Fact::StretchTakenOut(f) => Some(taken_out(f)),
            Fact::TimeGranted(f) => Some(granted(site, &f.target, f.ms, &f.reason, &f.authority)),
            Fact::IncidentRecorded(f) => Some(Line::incident(f.number, &f.details).by(&f.by)),
            Fact::IncidentFollowedUp(f) => Some(followed_up(site, f)),
            Fact::IncidentCorrected(f) => Some(corrected(f)),
            Fact::ViolationRecorded(f) => Some(violation(f)),
            Fact::ExamEndedForViolation(f) => {
                Some(Line::new("终止", "终止考核").attempt(f.attempt).number(f.violation).by(&f.by))
            }
            Fact::CandidateSigned(f) => Some(Line::new("签名", "考生签名").violation(site, f.record).by(&f.by)),
            Fact::SignatureRefused(f) => Some(refused(site, f)),
            Fact::ProctorSigned(f) => Some(Line::new("签名", "在场监考员签名").violation(site, f.record).by(&f.by)),
            Fact::RecordClosed(f) => Some(Line::new("办结", "记录已办结").violation(site, f.record).by(&f.by)),
            Fact::ReportQueued(f) => Some(Line::new("上报", queued(f))),
            Fact::ReportDelivered(f) => {
                Some(Line::new("上报", format!("报告{}已上报，回执：{}", f.number.0, f.receipt)).by(&f.by))
            }
            Fact::FindingNoted(_) => None,
            Fact::FindingGrew(_) => None,
            Fact::FindingJudged(f) => judged(site, f),
            Fact::CandidateDenied(f) => {
                Some(Line::new("入场", format!("未准入：{}", f.reason)).attempt(f.attempt).by(&f.by))
            }
            Fact::IdentityConfirmed(_) => None,
            Fact::IdentityChecked(f) => (!f.note.is_empty())
                .then(|| Line::new("核对身份", format!("核对身份：{}", f.note)).attempt(f.attempt).by(&f.by)),
            Fact::EntryClosed(_) => Some(Line::new("入场", "停止入场")),
            Fact::AbsenceConfirmed(f) => Some(Line::new("缺考", "缺考已确认").candidate(&f.admission_no).by(&f.by)),
            Fact::WentOut(f) => Some(went_out(site, f)),
            Fact::CameBack(f) => Some(Line::new("暂离", "返回").attempt(f.attempt).by(&f.by)),
            Fact::MachineSwapped(f) => {
                let what = format!("由{}号机换到{}号机：{}", f.from_seat, f.to_seat, f.reason);
                Some(Line::new("换机", what).attempt(f.attempt).by(&f.by))
            }
            Fact::OrphanKept(_) => None,
            Fact::OrphanSettled(_) => None,
            Fact::ExtensionProposed(f) => {
                let how =
                    if f.evidence == LossEvidence::SeatAccount { "（本机日志记载无法作答）" } else { "" };
                Some(Line::new("延时", format!("提议补时{}{how}", length(f.ms))).attempt(f.attempt).by(&f.by))
            }
            Fact::ProposalSettled(f) => settled(site, f),
            Fact::TimeContested(f) => {
                Some(Line::new("延时", format!("考生对用时有异议：{}", f.text)).attempt(f.attempt).by(&f.by))
            }
            Fact::ContestAnswered(f) => {
                Some(Line::new("延时", format!("巡考员答复：{}", f.text)).attempt(f.attempt).by(&f.by))
            }
            Fact::AttemptEnded(f) => Some(Line::new("终止", ended_why(f)).attempt(f.attempt).by(&f.by)),
            Fact::AttemptReopened(f) => Some(reopened(f)),
            Fact::HandInConsented(f) => {
                Some(Line::new("交卷", of_target("同意提前交卷", &f.target)).target(&f.target).by(&f.by))
            }
            Fact::SeatReported(_) => None,
            Fact::CheckConfirmed(_) => None,
            Fact::CheckWithdrawn(_) => None,
            Fact::RoomSealed(f) => Some(Line::new("封场", "考场已封场").by(&f.by)),
            Fact::SealBroken(_) => Some(Line::new("封场", "封场失效，需重新封场")),
            Fact::ItemTicked(_) => None,
            Fact::ItemUnticked(_) => None,
            Fact::BackupRequested(f) => Some(Line::new("备用试卷", format!("申请启用：{}", f.reason)).by(&f.by)),
            Fact::BackupPaperUsed(f) => {
                let what = format!("启用{}：{}", f.paper, f.reason);
                Some(Line::new("备用试卷", what).target(&f.target).by(&f.by))
            }
            Fact::ClocksRead(_) => None,
            Fact::HandRaised(_) => None,
            Fact::HandLowered(_) => None,
            Fact::HandTaken(_) => None,
            Fact::HandDone(_) => None,
            Fact::MessageSent(_) => None,
            Fact::MessageDelivered(_) => None,
            Fact::MessageRead(_) => None,
            Fact::VisitBegan(f) => Some(Line::new("巡考", "巡考员到场").by(&f.by)),
            Fact::VisitNoted(f) => Some(Line::new("巡考", format!("巡考情况：{}", f.findings)).by(&f.by)),
            Fact::CutNoticed(f) => Some(cut(f)),
            Fact::CutCounted(f) => Some(Line::new("停电", format!("断电时段照常计时：{}", f.reason)).by(&f.by)),
            Fact::SittingCalledOff(f) => Some(Line::new("入场", format!("取消入场：{}", f.reason)).by(&f.by)),
            Fact::MockReset(f) => Some(Line::new("模拟", "模拟考试重新开始").by(&f.by)),
        }
    }

    fn is_open(&self, site: &Site) -> bool {
        let stage = site.sittings.get(&self.sitting).map(|sitting| sitting.stage);
        matches!(stage, Some(Stage::Admitting { .. } | Stage::Running { .. }))
    }
}

/// A line in the making.
#[derive(Clone)]
struct Line {
    kind: &'static str,
    what: String,
    occurred_at: Option<SiteMs>,
    seat: Option<SeatNo>,
    attempt: Option<AttemptId>,
    admission_no: Option<AdmissionNo>,
    number: Option<RecordNo>,
    by: Option<Actor>,
    who: Option<String>,
}

impl Line {
    fn new(kind: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            kind,
            what,
            occurred_at: None,
            seat: None,
            attempt: None,
            admission_no: None,
            number: None,
            by: None,
            who: None,
        }
    }

    fn incident(number: RecordNo, details: &Details) -> Self {
        let item = details.item.as_ref().map(|item| format!("（试题 {item}）")).unwrap_or_default();
        let line =
            Self::new(details.code.category().name(), format!("{}{item}：{}", details.code.name(), details.text));
        let files = match details.attachments.len() {
            0 => String::new(),
            count => format!("（附件 {count} 个）"),
        };
        Self {
            what: line.what.clone() + &files,
            occurred_at: Some(details.occurred_at),
            seat: details.seat,
            attempt: details.attempt,
            number: Some(number),
            ..line
        }
    }

    fn by(self, by: &Actor) -> Self {
        Self { by: Some(by.clone()), ..self }
    }

    fn attempt(self, attempt: AttemptId) -> Self {
        Self { attempt: Some(attempt), ..self }
    }

    fn target(self, target: &Target) -> Self {
        match target {
            Target::Attempt(attempt) => self.attempt(*attempt),
            Target::Sitting => self,
        }
    }

    fn candidate(self, admission_no: &AdmissionNo) -> Self {
        Self { admission_no: Some(admission_no.clone()), ..self }
    }

    fn number(self, number: RecordNo) -> Self {
        Self { number: Some(number), ..self }
    }

    fn violation(self, site: &Site, record: RecordNo) -> Self {
        let attempt = site.records.violations.get(&record).map(|violation| violation.attempt);
        Self { attempt, number: Some(record), ..self }
    }

    fn written(self, site: &Site, sitting: &SittingId, now: Now) -> Entry {
        let attempt = self.attempt.and_then(|attempt| site.attempts.get(&attempt));
        let planned = || site.place(self.admission_no.as_ref()?, sitting);
        let ago = self.occurred_at.map_or(0, |at| now.at.since(at));
        Entry {
            time: WallMs(now.wall.0.saturating_sub_unsigned(ago)),
            recorded: now,
            kind: self.kind,
            seat: self.seat.or(attempt.map(|attempt| attempt.seat)).or_else(planned),
            admission_no: self.admission_no.clone().or_else(|| attempt.map(|attempt| attempt.admission_no.clone())),
            number: self.number,
            what: self.what,
            who: self.who.or_else(|| self.by.map(|by| who(site, &by))).unwrap_or_else(|| "系统".to_owned()),
        }
    }
}

/// A person as the form names them.
fn person(site: &Site, account: &AccountId) -> String {
    match site.accounts.get(account) {
        Some(known) => format!("{} {}", known.role.zh(), known.name),
        None => account.to_string(),
    }
}

/// The person, or where there is none the machine, as the form names them.
pub fn who(site: &Site, by: &Actor) -> String {
    by.account.as_ref().map_or_else(|| format!("机 {}", by.station), |account| person(site, account))
}

fn of_target(what: &str, target: &Target) -> String {
    match target {
        Target::Attempt(_) => what.to_owned(),
        Target::Sitting => format!("全场{what}"),
    }
}

/// Minutes and seconds, as people say them.
fn length(ms: u64) -> String {
    match (ms / minutes(1), ms % minutes(1) / 1000) {
        (0, s) => format!("{s} 秒"),
        (m, 0) => format!("{m} 分钟"),
        (m, s) => format!("{m} 分 {s} 秒"),
    }
}

fn restarted(gap_ms: u64) -> Line {
    Line::new("服务器", format!("服务器重新启动，中断 {}", length(gap_ms)))
}

fn cut(f: &crate::rules::power_cut::CutNoticed) -> Line {
    let what = format!("服务器断电 {}，待裁定是否扣除", length(f.to.since(f.from)));
    Line { occurred_at: Some(f.from), ..Line::new("停电", what) }
}

fn ended(by: &EndedBy) -> Line {
    match by {
        EndedBy::Clock => Line::new("结束", "时间到，全场停止作答"),
        EndedBy::Person(by) => Line::new("结束", "结束考试，全场停止作答").by(by),
    }
}

fn stood_in(site: &Site, absent: &AccountId, made: &crate::rules::people::AccountMade) -> Line {
    let what = format!("{} {}接替{}：{}", made.role.zh(), made.name, person(site, absent), made.reason);
    Line::new("人员", what).by(&made.by)
}

fn reset(site: &Site, f: &crate::rules::password::PasswordChanged) -> Line {
    Line::new("人员", format!("重置{}的密码", person(site, &f.account))).by(&f.by)
}

fn stopped(f: &pause::ClockStopped) -> Line {
    let what = format!("{}（{}）：{}", of_target("暂停计时", &f.target), cause(f.cause).0, f.reason);
    Line::new("暂停", what).target(&f.target).by(&f.by)
}

fn taken_out(f: &pause::StretchTakenOut) -> Line {
    let what = of_target("扣除时段", &f.target);
    let what = format!("{what} {}（{}）：{}", length(f.to.since(f.from)), cause(f.cause).0, f.reason);
    Line { occurred_at: Some(f.from), ..Line::new("扣除", what).target(&f.target).by(&f.by) }
}

fn granted(site: &Site, target: &Target, ms: u64, reason: &str, authority: &Authority) -> Line {
    let line = |by: &str| {
        Line::new("延时", format!("{} {}（{by}）：{reason}", of_target("延时", target), length(ms))).target(target)
    };
    match authority {
        Authority::ChiefAndInspector { chief, inspector } => {
            let who = format!("{}、{}", person(site, chief), person(site, inspector));
            Line { who: Some(who), ..line("主考和巡考员同意") }
        }
        Authority::Hq { by } => line("评价组织授权码").by(by),
    }
}

fn went_out(site: &Site, f: &leave::WentOut) -> Line {
    let reason = f.reason.as_deref().map(|reason| format!("：{reason}")).unwrap_or_default();
    let what = format!("离场，{}陪同{reason}", person(site, &f.escort));
    Line::new("暂离", what).attempt(f.attempt).by(&f.by)
}

fn settled(site: &Site, f: &lost_time::ProposalSettled) -> Option<Line> {
    let by = f.by.as_ref()?; // a granted proposal has its own line: the extension
    let attempt = site
        .sittings
        .get(&f.sitting)
        .and_then(|sitting| sitting.roll.proposals.get((f.proposal as usize).checked_sub(1)?));
    let what = format!("补时提议未采纳：{}", f.reason.as_deref().unwrap_or_default());
    let line = Line::new("延时", what).by(by);
    Some(attempt.map_or(line.clone(), |proposal| line.attempt(proposal.attempt)))
}

fn ended_why(f: &terminate::AttemptEnded) -> String {
    let why = match f.why {
        EndWhy::Violation => "违纪",
        EndWhy::Illness => "身体不适",
        EndWhy::Other => "其他",
    };
    format!("终止考核（{why}）：{}", f.reason)
}

fn reopened(f: &terminate::AttemptReopened) -> Line {
    let what = format!("恢复考试，剩余 {}（主考和巡考员同意）：{}", length(f.rest_ms), f.reason);
    Line { who: Some(format!("{}、{}", f.chief, f.inspector)), ..Line::new("恢复", what).attempt(f.attempt) }
}

fn followed_up(site: &Site, f: &incident::IncidentFollowedUp) -> Line {
    let known = site.records.incidents.get(&f.number);
    let attempt = known.and_then(|incident| incident.details.attempt);
    let seat = known.and_then(|incident| incident.details.seat);
    Line { attempt, seat, ..Line::new("补充", f.text.clone()).number(f.number).by(&f.by) }
}

fn corrected(f: &incident::IncidentCorrected) -> Line {
    let line = Line::incident(f.number, &f.details).by(&f.by);
    Line { kind: "更正", what: format!("更正记录{}（{}）：{}", f.corrects.0, f.reason, line.what), ..line }
}

fn violation(f: &crate::rules::violation::ViolationRecorded) -> Line {
    let line = Line::new("违纪", format!("{}：{}（情况记录{}）", f.measure.name(), f.facts, f.incident.0));
    Line { occurred_at: Some(f.occurred_at), seat: Some(f.seat), ..line.attempt(f.attempt).number(f.number).by(&f.by) }
}

fn refused(site: &Site, f: &crate::rules::signature::SignatureRefused) -> Line {
    let names: Vec<String> = f.proctors.iter().map(|account| person(site, account)).collect();
    let what = format!("考生拒绝签名：{}；在场：{}", f.reason, names.join("、"));
    Line::new("签名", what).violation(site, f.record).by(&f.by)
}

fn queued(f: &crate::rules::report::ReportQueued) -> String {
    let about = match f.about {
        About::Incident(number) => format!("情况记录{}", number.0),
        About::Violation(number) => format!("违纪记录{}", number.0),
        About::Extension(nth) => format!("第{nth}次延时"),
        About::CalledOff => "取消入场".to_owned(),
        About::BackupRequest(nth) => format!("第{nth}次申请备用试卷"),
        About::Illness(_) => "考生因身体不适终止考核".to_owned(),
    };
    format!("报告{}待上报评价组织：{about}（{}）", f.number.0, f.severity.name())
}

fn judged(site: &Site, f: &crate::rules::finding::FindingJudged) -> Option<Line> {
    let Outcome::Dismissed { reason } = &f.outcome else { return None };
    let finding = site.records.findings.get(&f.number)?;
    let what = format!("系统线索{}（{}）不成立：{reason}", f.number.0, finding.subject.kind.name());
    Some(Line { attempt: finding.subject.attempt, ..Line::new("线索", what).by(&f.by) })
}
