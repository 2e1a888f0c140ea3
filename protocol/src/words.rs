//! What people read: every code of [`crate::code`] and [`crate::staff`] in Chinese and in English, with what to do next where
//! there is something to do. Pure tables; windows and command lines show the same sentence. Never decides anything, never
//! shows a word that only programmers know.

use crate::{
    code::{ErrorCode, PackageNo, Phase, Refusal, SeatState},
    staff::{Act, StaffRole},
};
use std::fmt;

/// One thing in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Both {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

fn both(zh: impl Into<String>, en: impl Into<String>) -> Both {
    Both { zh: zh.into(), en: en.into() }
}

/// Chinese first, English beside it.
impl fmt::Display for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {}", self.zh, self.en)
    }
}

/// Words that never change: both languages from one table.
macro_rules! named {
    ($($type:ident { $($variant:ident = $zh:literal, $en:literal;)* })*) => {$(
        impl $type {
            /// 中文.
            pub fn zh(self) -> &'static str {
                match self {
                    $($type::$variant => $zh,)*
                }
            }

            /// English.
            pub fn en(self) -> &'static str {
                match self {
                    $($type::$variant => $en,)*
                }
            }
        }
    )*};
}

named! {
    Phase {
        Prepared = "待入场", "prepared";
        Sealed = "已封场", "sealed";
        Admitting = "入场中", "admitting";
        Running = "考试中", "running";
        Paused = "已暂停", "paused";
        Ended = "已结束", "over";
        Exported = "已导出", "exported";
    }
    SeatState {
        Waiting = "等待登录", "waiting for sign-in";
        SignedIn = "待核验", "awaiting admission";
        Admitted = "已准入", "admitted";
        Denied = "拒绝准入", "denied";
        Working = "答题中", "working";
        Away = "暂离", "out with an escort";
        Paused = "已暂停", "paused";
        Stopped = "已结束", "stopped";
        HandedIn = "已交卷", "handed in";
        Terminated = "已终止", "ended by a decision";
        Absent = "缺考", "absent";
    }
    StaffRole {
        Chief = "主考", "chief";
        Deputy = "副主考", "deputy";
        Proctor = "监考员", "proctor";
        Inspector = "巡考员", "inspector";
        Admin = "系统管理员", "administrator";
        Staff = "工作人员", "staff";
    }
    Act {
        OpenDoor = "开放入场", "open the door";
        Admit = "准入", "admit a candidate";
        Deny = "拒绝准入", "deny a candidate";
        Start = "开考", "start the sitting";
        PauseSeat = "暂停考位", "pause a seat";
        ResumeSeat = "恢复考位", "resume a seat";
        PauseSitting = "全场暂停", "pause the sitting";
        ResumeSitting = "全场恢复", "resume the sitting";
        Extend = "延时", "extend the time";
        ExtendByHq = "凭延时码延时", "extend the time with HQ's code";
        LeaveOut = "暂离", "let a candidate out";
        LeaveBack = "暂离返回", "let a candidate back in";
        Swap = "换机", "swap a machine";
        ConsentHandIn = "同意提前交卷", "consent to an early hand-in";
        EndAttempt = "终止考核", "end a candidate's exam";
        EndSitting = "结束考试", "end the sitting";
        RecordIncident = "记录考场情况", "record an incident";
        Admonish = "劝告", "admonish a candidate";
        Warn = "警告", "warn a candidate";
        Void = "判成绩无效", "void a result";
        Sign = "签名", "sign a record";
        JudgeFinding = "判定系统线索", "judge what the system found";
        Seal = "封场", "seal the room";
        Tick = "勾选检查单", "tick the check-list";
        CheckIdentity = "核对身份", "check identities";
        Message = "发消息", "send a message";
        TakeHand = "处理举手", "take a raised hand";
        UseBackupPaper = "启用备用试卷", "use a backup paper";
        UseBackupPaperAtSeat = "为一个考位启用备用试卷", "use a backup paper at one seat";
        Export = "导出成绩包", "export the bundle";
        KeepPeople = "管理人员账号", "keep the accounts";
        Visit = "巡考", "visit the room";
        CallOff = "取消入场", "call the sitting off";
    }
    PackageNo {
        Damaged = "文件损坏或不是考试包", "damaged, or not a package";
        Signature = "签名不可信", "not signed by the HQ this site believes";
        OtherSite = "属于其他考点", "made for another site";
        Newer = "版本比本程序新", "made for newer programs";
        Plan = "考试安排有误", "its plan breaks a rule";
    }
    ErrorCode {
        Storage = "服务器无法写入磁盘：请立即腾出磁盘空间，考生端会继续保存在本机",
            "the server cannot write to its disk: free disk space at once; seats go on saving locally";
        Busy = "服务器繁忙：请稍后重试", "the server is busy: try again";
        BlobUnknown = "服务器上没有这个文件：请先上传", "the server does not have this file: upload it first";
        BlobDamaged = "文件传输受损：请重新传输", "the transfer was damaged: send it again";
        OutOfPlace = "请求的时机或方式不对：请检查程序版本是否一致",
            "the message is out of place: check that both programs are of one version";
        Internal = "服务器出错：请系统管理员查看服务器日志", "the server failed; its log says why: call the administrator";
    }
}

impl ErrorCode {
    /// Both languages.
    pub fn both(self) -> Both {
        both(self.zh(), self.en())
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.both().fmt(f)
    }
}

impl std::error::Error for ErrorCode {}

impl Refusal {
    /// 中文.
    pub fn zh(&self) -> String {
        self.both().zh
    }

    /// English.
    pub fn en(&self) -> String {
        self.both().en
    }

    /// Both languages: which rule says no, and what to do. One table, so that a new refusal does not build without its words.
    pub fn both(&self) -> Both {
        match self {
            // Machines, desks, signing in.
            Refusal::VersionUnknown { server } => both(
                format!(
                    "本程序版本与服务器不一致（服务器支持协议 {} 至 {}）：请安装与服务器同版的程序",
                    server.oldest, server.newest
                ),
                format!(
                    "this program is too old or too new for the server, which speaks protocol {} to {}: install the matching one",
                    server.oldest, server.newest
                ),
            ),
            Refusal::RoleMayNot => both(
                "这台机器无权进行此操作：请到监考机或服务器上操作",
                "this machine's role may not do that: use the console or the server",
            ),
            Refusal::EnrolCodeInvalid => both(
                "注册码无效：请核对，或请系统管理员重新生成",
                "the enrolment code is not valid: check it, or ask the administrator for a new one",
            ),
            Refusal::SeatUnknown => both(
                "没有这个考场或考位，或该考位还没有考生机：请核对编号",
                "there is no such room or seat, or no machine stands there: check the number",
            ),
            Refusal::SeatTaken => both(
                "该考位已有另一台考生机：请核对桌贴",
                "another machine already has this seat: check the desk label",
            ),
            Refusal::NoSeat => {
                both("这台考生机还没有设定考位：请先设定考位", "this machine has no seat yet: set its seat first")
            }
            Refusal::SeatInUse => both(
                "这台考生机上已有考生登录：请举手联系监考员",
                "a candidate is signed in at this machine: call the proctor",
            ),
            Refusal::AdmissionClosed => both(
                "本考场目前没有开放登录的场次：请等待监考员通知",
                "no sitting in this room is open for sign-in: wait for the proctor",
            ),
            Refusal::WrongNumberOrPassword => both(
                "准考证号或密码不正确：请核对后重新输入",
                "admission number or password is wrong: check and type again",
            ),
            Refusal::ProctorCalled => {
                both("输错次数过多，请举手联系监考员，稍后再试", "too many wrong tries at this seat: call the proctor")
            }
            Refusal::NotYourSeat { yours } => both(
                format!("你的考位是 {} 考场 {} 号，请到该考位登录", yours.room, yours.seat),
                format!("this candidate's seat is {} in room {}: sign in there", yours.seat, yours.room),
            ),
            Refusal::AlreadySignedIn => both(
                "该考生已在另一台考生机登录：请监考员核实",
                "this candidate is already signed in elsewhere: the proctor has to look",
            ),
            Refusal::LateEntryBarred { bar_minutes } => both(
                format!("开考满 {bar_minutes} 分钟后不得入场，由监考员登记缺考"),
                format!("entry closed {bar_minutes} minutes after the start: the proctor records the absence"),
            ),
            Refusal::Fenced => both(
                "这台考生机已被更换，停止使用：请到新的考位继续",
                "this machine was replaced: go on at the new seat",
            ),
            Refusal::SpareUnfit => both(
                "所选考生机不能接替：须已注册、位于本考场且空闲，请另选一台",
                "this machine cannot take over: it must be enrolled, at a desk of the room, and free; choose another",
            ),
            // The course of a sitting: phases, papers, answers, hand-in.
            Refusal::WrongPhase { phase } => both(
                format!("场次处于“{}”阶段，不能进行此操作", phase.zh()),
                format!("not possible while the sitting is {}", phase.en()),
            ),
            Refusal::WrongSeatState { state } => both(
                format!("考位处于“{}”状态，不能进行此操作", state.zh()),
                format!("not possible while the seat is {}", state.en()),
            ),
            Refusal::SittingUnknown => both("没有这个场次：请核对场次编号", "there is no such sitting: check its id"),
            Refusal::RoomBusy { open } => both(
                format!("本考场的场次 {open} 尚未结束：请先结束该场次"),
                format!("sitting {open} is still open in this room: end it first"),
            ),
            Refusal::AttemptUnknown => both(
                "没有这份作答记录，或不属于这台考生机：请核对考位",
                "there is no such attempt here: check the seat",
            ),
            Refusal::AlreadyHandedIn => both("已交卷，不能再修改", "the paper has been handed in"),
            Refusal::AnswerConflict { item, number } => both(
                format!("试题 {item} 的第 {number} 版作答与服务器记录不同：两份都已保留，请联系监考员"),
                format!("answer {number} of {item} is already known with other content: call the proctor"),
            ),
            Refusal::AnswerTooLarge => both("作答内容过长，请删减", "the answer is too large: shorten it"),
            Refusal::AnswersMissing { item, number } => both(
                format!("试题 {item} 的第 {number} 版作答还没有传到服务器：请稍候再交卷"),
                format!("answer {number} of {item} has not arrived yet: wait a moment and hand in again"),
            ),
            Refusal::WrongUnlockCode { tries } => both(
                format!("启封码不正确（第 {tries} 次）：请与评价组织核对"),
                format!("the unlock code is wrong (try {tries}): check it with HQ"),
            ),
            Refusal::UnlockCodeMistyped => {
                both("启封码或延时码输入有误：请逐个核对字符", "this is not a code of HQ: check the characters")
            }
            Refusal::PaperUnknown { paper } => both(
                format!("本考点没有试卷 {paper}：请先导入考试包"),
                format!("paper {paper} is not on this site: import its package first"),
            ),
            Refusal::SittingBegun { sitting } => both(
                format!("场次 {sitting} 已经开始，不能再更改"),
                format!("sitting {sitting} has already begun and cannot be changed"),
            ),
            Refusal::PackageRefused { why, reason } => both(
                format!("考试包未被接受，{}：{reason}", why.zh()),
                format!("the package was refused, {}: {reason}", why.en()),
            ),
            Refusal::MockSitting => both("这是模拟考试，数据不导出", "this is a mock sitting: it is never exported"),
            Refusal::MarkedAtHq => both(
                "正式考试由评价组织评分，考场不显示分数；只有模拟考试当场出分",
                "a real sitting is marked by HQ; only a mock sitting shows points here",
            ),
            Refusal::AttachmentUnfit { max_mib } => both(
                format!("附件须为 JPEG、PNG 或 PDF，每个不超过 {max_mib} MiB：请转换或压缩后重试"),
                format!(
                    "an attached file is a JPEG, a PNG or a PDF of at most {max_mib} MiB: convert it or make it smaller"
                ),
            ),
            Refusal::AttachmentsFull { max_files, max_mib } => both(
                format!("本考点附件已满（{max_files} 个或 {max_mib} MiB）：请只附必要的文件"),
                format!(
                    "the attachments of this site are full ({max_files} files or {max_mib} MiB): attach only what is needed"
                ),
            ),
            Refusal::NotMockSitting => both("只有模拟考试可以重新开始", "only a mock sitting can begin anew"),
            Refusal::SealIncomplete { missing } => both(
                format!("封场检查还差 {missing} 项：请按封场检查表逐项完成"),
                format!("the seal lacks {missing} checks: complete them by the list"),
            ),
            // Time, hand-in windows, leaves.
            Refusal::TimeOver => both("答题时间已结束", "the time for answering is over"),
            Refusal::HandInTooEarly { opens_in_s } => both(
                format!("还不能交卷，{}后开放", length_zh(*opens_in_s)),
                format!("hand-in opens in {}", length_en(*opens_in_s)),
            ),
            Refusal::ConsentMissing => both(
                "提前交卷须经主考同意：请举手联系监考员",
                "early hand-in takes the chief's consent: call the proctor",
            ),
            Refusal::AlreadyPaused => both("已经处于暂停", "already paused"),
            Refusal::NothingRuns => both("现在没有正在考试的场次", "no sitting is running now"),
            Refusal::NotPaused => both("没有处于暂停", "not paused"),
            Refusal::PowerCutTooLong { limit_minutes } => both(
                format!("停电已超过 {limit_minutes} 分钟，本场考试应当停止：请主考结束考试并上报评价组织"),
                format!("the power was away for more than {limit_minutes} minutes: end the sitting and tell HQ"),
            ),
            Refusal::IntervalImpossible => both(
                "所填时段不合理：须在开考之后、现在之前，且先后有序",
                "the interval does not fit: after the start, before now, and in order",
            ),
            Refusal::ExtensionLimit { used_minutes, limit_minutes } => both(
                format!("本场可自行延时 {limit_minutes} 分钟，已用 {used_minutes} 分钟：更多须用评价组织的延时码"),
                format!("{used_minutes} of {limit_minutes} minutes are used; more takes a code from HQ"),
            ),
            Refusal::HqCodeInvalid => both(
                "延时码与该场次和分钟数不符：请与评价组织核对",
                "the code from HQ does not fit this sitting and these minutes: check it with HQ",
            ),
            Refusal::HqCodeUsed => {
                both("该延时码已经用过：请向评价组织申请新的", "this code from HQ was already used: ask HQ for another")
            }
            Refusal::SomebodyAway { seat } => both(
                format!("{} 考场 {} 号考位的考生尚在暂离，同时只能一人暂离：请等其返回", seat.room, seat.seat),
                format!(
                    "the candidate of seat {} in room {} is out, one at a time: wait for their return",
                    seat.seat, seat.room
                ),
            ),
            Refusal::NotAway => both("该考生没有暂离", "this candidate is not out"),
            // Who may: accounts, roles, passwords.
            Refusal::NobodySignedOn => both(
                "这台监考机还没有人员上岗：请先登录自己的账号",
                "nobody has signed on at this console: sign on first",
            ),
            Refusal::NotYourAct { act, needs } => both(
                format!("你的岗位不能“{}”，须由{}操作", act.zh(), roles_zh(needs, "或")),
                format!("your role may not {}; it takes {}", act.en(), roles_en(needs, "or")),
            ),
            Refusal::WrongAccountOrPassword => {
                both("账号或密码不正确：请核对后重新输入", "account or password is wrong: check and type again")
            }
            Refusal::AccountUnknown => both(
                "没有这个账号，或已停用：请核对账号",
                "there is no such account, or it is no longer in use: check it",
            ),
            Refusal::AccountExists => {
                both("账号已存在：请换一个账号名", "this account exists already: choose another id")
            }
            Refusal::SecondPersonMissing { needs } => both(
                format!("须由{}共同批准，各自输入密码", roles_zh(needs, "和")),
                format!("this takes two people, {}, each with their own password", roles_en(needs, "and")),
            ),
            Refusal::NotYourRoom { yours } => both(
                format!("你的账号只负责 {yours} 考场：请由该考场的监考员或主考操作"),
                format!("your account is for room {yours}: ask that room's proctor, or the chief"),
            ),
            Refusal::OldPasswordMissing => both(
                "修改自己的密码须输入旧密码，不能重置",
                "your own password is changed with the old one, never reset",
            ),
            Refusal::PasswordTooShort { min_chars } => both(
                format!("密码至少需要 {min_chars} 个字符：请换一个更长的"),
                format!("the password needs at least {min_chars} characters: choose a longer one"),
            ),
            Refusal::PasswordPause { wait_s } => both(
                format!("这台监考机上密码输错次数过多：请等 {}再试", length_zh(*wait_s)),
                format!("too many wrong passwords at this console: wait {}", length_en(*wait_s)),
            ),
            // Records, lists and texts.
            Refusal::ReasonMissing => both("必须填写原因或内容", "a reason is required"),
            Refusal::TextTooLong { max_chars } => both(
                format!("文字过长，最多 {max_chars} 个字：请删减"),
                format!("the text is too long, at most {max_chars} characters: shorten it"),
            ),
            Refusal::TooMany { max } => {
                both(format!("数量过多，最多 {max} 个：请分批"), format!("too many at once, at most {max}: in parts"))
            }
            Refusal::RecordUnknown => both(
                "没有这个编号的记录、消息、线索或举手：请核对编号",
                "there is no record, message, finding or hand of this number: check it",
            ),
            Refusal::AlreadySettled => both("已经处理完毕，无须重复", "this is already settled"),
            Refusal::SignaturesMissing { missing } => both(
                format!("考生拒签时在场监考员都要签名，还差 {missing} 人"),
                format!("every proctor present has to sign: {missing} signatures are missing"),
            ),
            Refusal::CheckMeasured => both(
                "此项由系统自动检测，不能手工勾选：请排除问题后等待系统更新",
                "the system ticks this by itself: mend what is wrong and wait",
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.both().fmt(f)
    }
}

impl std::error::Error for Refusal {}

/// 主考或副主考.
fn roles_zh(roles: &[StaffRole], and: &str) -> String {
    joined(roles.iter().map(|role| role.zh()).collect(), "、", and)
}

/// "chief, deputy or proctor".
fn roles_en(roles: &[StaffRole], and: &str) -> String {
    joined(roles.iter().map(|role| role.en()).collect(), ", ", &format!(" {and} "))
}

fn joined(words: Vec<&str>, comma: &str, and: &str) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{}{and}{last}", first.join(comma)),
    }
}

/// Minutes and seconds as people say them.
fn length_zh(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, s) => format!("{s} 秒"),
        (m, 0) => format!("{m} 分钟"),
        (m, s) => format!("{m} 分 {s} 秒"),
    }
}

fn length_en(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, s) => format!("{s} s"),
        (m, 0) => format!("{m} min"),
        (m, s) => format!("{m} min {s} s"),
    }
}
