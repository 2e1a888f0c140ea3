//! What goes into a room record (考场情况记录表): coded incidents with the duty that follows from each code, the four
//! measures against a violation, signatures as strokes, and what the system finds by itself.
//! Never a verdict: a code says what happened, people say what it means.

use serde::{Deserialize, Serialize};

/// Longest text of an incident, a follow-up or the facts of a violation, in characters.
pub const TEXT_CHARS_MAX: usize = 1_000;
/// Most files attached to one text.
pub const ATTACHMENTS_MAX: usize = 8;
/// Largest file attached to an incident, in bytes: a photo of a phone, a scan of some pages.
pub const ATTACHMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most bytes of all attachments of a site: they travel in the result bundles.
pub const ATTACHMENTS_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most attached files of a site: each is a member of the bundles, beside those of the candidates.
pub const ATTACHMENTS_FILES_MAX: usize = 1_000;
const _: () = assert!(ATTACHMENT_BYTES_MAX * ATTACHMENTS_MAX as u64 <= ATTACHMENTS_BYTES_MAX); // one full record always fits

/// 记录编号: incidents and violations of a site, one running number for both, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordNo(pub u32);

/// 报告编号: what HQ must hear; a running number of the site, from 1, so that a gap shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportNo(pub u32);

/// 线索编号: what the system found by itself, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingNo(pub u32);

/// 类别: the six kinds of incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// 环境.
    Environment,
    /// 考生.
    Candidate,
    /// 工作人员.
    Staff,
    /// 技术.
    Technical,
    /// 试卷.
    Paper,
    /// 其他.
    Other,
}

impl Category {
    /// The word on forms.
    pub fn name(self) -> &'static str {
        match self {
            Category::Environment => "环境",
            Category::Candidate => "考生",
            Category::Staff => "工作人员",
            Category::Technical => "技术",
            Category::Paper => "试卷",
            Category::Other => "其他",
        }
    }
}

/// 上报要求 (F-39): what HQ is to hear, and how soon. Follows from the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 记录: stays in the room record.
    Record,
    /// 事后上报: HQ hears after the sitting.
    ReportAfter,
    /// 立即上报: HQ hears at once.
    ReportAtOnce,
}

impl Severity {
    /// The words on forms.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Record => "记录",
            Severity::ReportAfter => "事后上报",
            Severity::ReportAtOnce => "立即上报",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $category:ident, $severity:ident, $chinese:literal;)*) => {
        /// 情况代码 (F-38): what happened. New ones are added at the end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum IncidentCode {
            $($(#[$doc])* $name,)*
        }

        impl IncidentCode {
            /// Every code.
            pub const ALL: &[IncidentCode] = &[$(IncidentCode::$name,)*];

            /// Its kind.
            pub fn category(self) -> Category {
                match self {
                    $(IncidentCode::$name => Category::$category,)*
                }
            }

            /// What HQ is to hear of it (F-39).
            pub fn severity(self) -> Severity {
                match self {
                    $(IncidentCode::$name => Severity::$severity,)*
                }
            }

            /// The word on forms.
            pub fn name(self) -> &'static str {
                match self {
                    $(IncidentCode::$name => $chinese,)*
                }
            }
        }
    };
}

codes! {
    /// 停电 (HB-27).
    Power => Environment, ReportAtOnce, "停电";
    /// 噪声.
    Noise => Environment, Record, "噪声";
    /// 天气.
    Weather => Environment, Record, "天气";
    /// 场地: light, heat, a leaking roof.
    Premises => Environment, Record, "场地";
    /// 不可抗力 (HB-32): fire, quake, flood.
    ForceMajeure => Environment, ReportAtOnce, "不可抗力";
    /// 身份不符 (HB-14, HB-21).
    Identity => Candidate, ReportAfter, "身份核验";
    /// 迟到 (HB-20).
    Late => Candidate, Record, "迟到";
    /// 缺考 (HB-20).
    Absent => Candidate, Record, "缺考";
    /// 暂离 (HB-24).
    Leave => Candidate, Record, "暂离";
    /// 身体不适 (HB-30): cared for, recorded, HQ told.
    Illness => Candidate, ReportAfter, "身体不适";
    /// 违纪 (HB-29): the measure of the violation record decides what HQ hears.
    Violation => Candidate, Record, "违纪";
    /// 时间异议 (HB-25): the candidate contests lost time; the inspector decides.
    TimeContested => Candidate, Record, "时间异议";
    /// 其他考生行为.
    Behaviour => Candidate, Record, "考生行为";
    /// 人员缺席 (HB-04): replaced, and recorded.
    StaffAbsent => Staff, Record, "人员缺席";
    /// 工作失误.
    StaffError => Staff, ReportAfter, "工作失误";
    /// 工作人员违规.
    StaffConduct => Staff, ReportAtOnce, "工作人员违规";
    /// 设备故障 (HB-25).
    Machine => Technical, Record, "设备故障";
    /// 网络故障 (HB-42).
    Network => Technical, Record, "网络故障";
    /// 服务器故障.
    Server => Technical, ReportAfter, "服务器故障";
    /// 软件故障.
    Software => Technical, Record, "软件故障";
    /// 失去联系: a seat was not heard of.
    LostContact => Technical, Record, "失去联系";
    /// 重复登录 (F-77).
    SecondLogin => Technical, Record, "重复登录";
    /// 时钟偏差.
    Clock => Technical, Record, "时钟偏差";
    /// 锁定未确认.
    Lockdown => Technical, Record, "锁定未确认";
    /// 试题异议 (HB-28): the candidate keeps answering; HQ hears.
    QuestionComplaint => Paper, ReportAfter, "试题异议";
    /// 试卷异常: does not open, does not show.
    PaperFault => Paper, ReportAtOnce, "试卷异常";
    /// 疑似泄题.
    PaperLeak => Paper, ReportAtOnce, "疑似泄题";
    /// 其他紧急情况 (HB-34): act, record, report afterwards.
    Emergency => Other, ReportAfter, "其他紧急情况";
    /// 其他.
    Other => Other, Record, "其他";
}

/// 处理措施 (HB-29), by gravity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// 劝告.
    Admonish,
    /// 警告.
    Warn,
    /// 终止考核.
    EndExam,
    /// 成绩无效.
    Void,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Measure; 4] = [Measure::Admonish, Measure::Warn, Measure::EndExam, Measure::Void];

    /// The word on forms.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Admonish => "劝告",
            Measure::Warn => "警告",
            Measure::EndExam => "终止考核",
            Measure::Void => "成绩无效",
        }
    }

    /// What HQ is to hear of it.
    pub fn severity(self) -> Severity {
        match self {
            Measure::Admonish => Severity::Record,
            Measure::Warn => Severity::ReportAfter,
            Measure::EndExam | Measure::Void => Severity::ReportAtOnce,
        }
    }
}

/// 系统线索: what the system noticed by itself. Always a proposal to people, never a verdict (F-24, C-05): each says what
/// may lie behind it and what to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// 失去联系: a working seat was not heard of for too long.
    LostContact,
    /// 重复登录: the number was typed at a second machine while the candidate was signed in.
    SecondLogin,
    /// 时钟偏差: the seat's clock jumped.
    ClockOff,
    /// 锁定未确认: the seat could not confirm its lockdown.
    LockdownNotVerified,
    /// 服务器中断: the server itself was away while a sitting ran.
    ServerGap,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [FindingKind; 5] = [
        FindingKind::LostContact,
        FindingKind::SecondLogin,
        FindingKind::ClockOff,
        FindingKind::LockdownNotVerified,
        FindingKind::ServerGap,
    ];

    /// The word on forms.
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::LostContact => "失去联系",
            FindingKind::SecondLogin => "重复登录",
            FindingKind::ClockOff => "时钟偏差",
            FindingKind::LockdownNotVerified => "锁定未确认",
            FindingKind::ServerGap => "服务器中断",
        }
    }

    /// The incident it becomes when a person accepts it.
    pub fn code(self) -> IncidentCode {
        match self {
            FindingKind::LostContact => IncidentCode::LostContact,
            FindingKind::SecondLogin => IncidentCode::SecondLogin,
            FindingKind::ClockOff => IncidentCode::Clock,
            FindingKind::LockdownNotVerified => IncidentCode::Lockdown,
            FindingKind::ServerGap => IncidentCode::Server,
        }
    }

    /// What may lie behind it, harmless reasons first, and what to look at.
    pub fn advice(self) -> &'static str {
        match self {
            FindingKind::LostContact => "可能是网线、交换机或重启，考生作答不受影响；请查看该机屏幕和网线",
            FindingKind::SecondLogin => "可能是坐错考位或误输准考证号；请核对考生身份和考位",
            FindingKind::ClockOff => "可能是主板电池或系统校时；考试时间以服务器为准，请记录机号",
            FindingKind::LockdownNotVerified => "可能是系统更新、待机或显卡切换；请查看屏幕是否有其他程序",
            FindingKind::ServerGap => "可能是停电或重启；请核对考生损失的时间并决定是否扣除",
        }
    }
}

/// Most strokes of one signature.
pub const STROKES_MAX: usize = 100;
/// Most points of one signature, all strokes together.
pub const POINTS_MAX: usize = 3_000;
/// Bytes one point takes on the wire at most: two numbers of 3 bytes, one of 5.
const POINT_BYTES_MAX: usize = 11;
const _: () = assert!(POINTS_MAX * POINT_BYTES_MAX + STROKES_MAX * 3 + 1024 < crate::frame::UP_FRAME_BYTES_MAX);

/// A point of a pen: where on a field of 65,536 × 65,536, and when, milliseconds since the pen first touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u16, u16, u32)", into = "(u16, u16, u32)")]
pub struct Point {
    /// From the left.
    pub x: u16,
    /// From the top.
    pub y: u16,
    /// When, milliseconds.
    pub t_ms: u32,
}

impl From<(u16, u16, u32)> for Point {
    fn from((x, y, t_ms): (u16, u16, u32)) -> Self {
        Self { x, y, t_ms }
    }
}

impl From<Point> for (u16, u16, u32) {
    fn from(point: Point) -> Self {
        (point.x, point.y, point.t_ms)
    }
}

/// 签名 (F-41).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// On a screen: each stroke from pen down to pen up.
    Strokes(Vec<Vec<Point>>),
    /// 纸质签名: on the printed record, which is kept; only a console may say so.
    OnPaper,
}

/// Why strokes are no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// Nothing was drawn, or a stroke has no points.
    #[error("nothing was drawn")]
    Empty,
    /// More than [`STROKES_MAX`] strokes or [`POINTS_MAX`] points.
    #[error("more than {STROKES_MAX} strokes or {POINTS_MAX} points")]
    TooLong,
    /// Time runs backwards between two points.
    #[error("the points are not in order of time")]
    OutOfOrder,
}

impl Signature {
    /// Checks the counts and the order of time. Never judges whose hand it was; people do.
    ///
    /// # Errors
    /// [`BadSignature`] says which rule it breaks.
    pub fn check(&self) -> Result<(), BadSignature> {
        let Signature::Strokes(strokes) = self else { return Ok(()) };
        if strokes.is_empty() || strokes.iter().any(Vec::is_empty) {
            return Err(BadSignature::Empty);
        }
        if strokes.len() > STROKES_MAX || strokes.iter().map(Vec::len).sum::<usize>() > POINTS_MAX {
            return Err(BadSignature::TooLong);
        }
        match strokes.iter().flatten().is_sorted_by_key(|point| point.t_ms) {
            true => Ok(()),
            false => Err(BadSignature::OutOfOrder),
        }
    }
}

/// What an attached file may be, told by its first bytes and never by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachmentKind {
    /// A photo.
    Jpeg,
    /// A picture of a screen.
    Png,
    /// A scan.
    Pdf,
}

impl AttachmentKind {
    /// Bytes [`AttachmentKind::of`] looks at.
    pub const LOOKS_AT: usize = 8;

    /// The kind of a file that begins so; none for anything else.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => None,
        }
    }

    /// Its ending in a file name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hq_must_hear_follows_from_the_code() {
        for (code, category, severity) in [
            (IncidentCode::QuestionComplaint, Category::Paper, Severity::ReportAfter), // HB-28
            (IncidentCode::Illness, Category::Candidate, Severity::ReportAfter),       // HB-30
            (IncidentCode::Emergency, Category::Other, Severity::ReportAfter),         // HB-34
            (IncidentCode::Power, Category::Environment, Severity::ReportAtOnce),      // HB-27
            (IncidentCode::Machine, Category::Technical, Severity::Record),            // HB-25
        ] {
            assert_eq!((code.category(), code.severity()), (category, severity), "{code:?}");
        }
    }

    #[test]
    fn every_category_has_codes_and_no_two_codes_share_a_word() {
        let mut words: Vec<_> = IncidentCode::ALL.iter().map(|code| code.name()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), IncidentCode::ALL.len());
        for category in [
            Category::Environment,
            Category::Candidate,
            Category::Staff,
            Category::Technical,
            Category::Paper,
            Category::Other,
        ] {
            assert!(IncidentCode::ALL.iter().any(|code| code.category() == category), "{}", category.name());
        }
    }

    #[test]
    fn a_signature_has_both_limits() {
        let stroke = |points: usize| (0..points).map(|n| Point { x: 1, y: 2, t_ms: n as u32 }).collect::<Vec<_>>();
        let dots = |strokes: usize| Signature::Strokes(vec![vec![Point { x: 0, y: 0, t_ms: 0 }]; strokes]);
        let rows = [
            (Signature::OnPaper, Ok(())),
            (Signature::Strokes(vec![]), Err(BadSignature::Empty)),
            (Signature::Strokes(vec![stroke(3), vec![]]), Err(BadSignature::Empty)),
            (Signature::Strokes(vec![stroke(POINTS_MAX)]), Ok(())),
            (Signature::Strokes(vec![stroke(POINTS_MAX + 1)]), Err(BadSignature::TooLong)),
            (dots(STROKES_MAX), Ok(())),
            (dots(STROKES_MAX + 1), Err(BadSignature::TooLong)),
            (Signature::Strokes(vec![stroke(2), stroke(1)]), Err(BadSignature::OutOfOrder)),
        ];
        for (signature, outcome) in rows {
            assert_eq!(signature.check(), outcome);
        }
    }

    #[test]
    fn the_largest_signature_fits_a_frame() {
        let point = Point { x: u16::MAX, y: u16::MAX, t_ms: u32::MAX };
        let mut strokes = vec![vec![point]; STROKES_MAX - 1];
        strokes.push(vec![point; POINTS_MAX - STROKES_MAX + 1]);
        let signature = Signature::Strokes(strokes);
        assert_eq!(signature.check(), Ok(()));
        assert!(crate::frame::encode(&signature).len() + 512 < crate::frame::UP_FRAME_BYTES_MAX);
    }
}
