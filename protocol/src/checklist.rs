//! The check-list of a sitting (检查单, N-06): what is due at which minute, in one table with its words and rules. Items
//! the system knows by itself are marked so. Never says what is done; the room's rules do.

use serde::{Deserialize, Serialize};

/// A fixed minute of a sitting, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checkpoint {
    /// T−90 min.
    Before90,
    /// T−30 min.
    Before30,
    /// T−15 min.
    Before15,
    /// T.
    Start,
    /// T+15 min.
    After15,
    /// T+30 min.
    After30,
    /// 15 min before the end.
    BeforeEnd15,
    /// The end.
    End,
}

/// Where a checkpoint lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// So many minutes from the start; before it when negative.
    Start(i64),
    /// So many minutes from the end; before it when negative.
    End(i64),
}

impl Checkpoint {
    /// Where it lies, in minutes.
    pub fn reference(self) -> Reference {
        match self {
            Checkpoint::Before90 => Reference::Start(-90),
            Checkpoint::Before30 => Reference::Start(-30),
            Checkpoint::Before15 => Reference::Start(-15),
            Checkpoint::Start => Reference::Start(0),
            Checkpoint::After15 => Reference::Start(15),
            Checkpoint::After30 => Reference::Start(30),
            Checkpoint::BeforeEnd15 => Reference::End(-15),
            Checkpoint::End => Reference::End(0),
        }
    }
}

/// Who ticks an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickedBy {
    /// The system, by what it knows.
    System,
    /// A person.
    Person,
}

macro_rules! items {
    ($($(#[$doc:meta])* $name:ident $checkpoint:ident $by:ident $zh:literal $en:literal $rules:literal,)*) => {
        /// One item of the list. New ones are added at the end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum CheckItem {
            $($(#[$doc])* $name,)*
        }

        impl CheckItem {
            /// Every item.
            pub const ALL: &[CheckItem] = &[$(CheckItem::$name,)*];

            /// When it is due.
            pub fn checkpoint(self) -> Checkpoint {
                match self {
                    $(CheckItem::$name => Checkpoint::$checkpoint,)*
                }
            }

            /// Who ticks it.
            pub fn ticked_by(self) -> TickedBy {
                match self {
                    $(CheckItem::$name => TickedBy::$by,)*
                }
            }

            /// Its words: Chinese, English.
            pub fn words(self) -> (&'static str, &'static str) {
                match self {
                    $(CheckItem::$name => ($zh, $en),)*
                }
            }

            /// The rules of the handbook it comes from.
            pub fn rules(self) -> &'static str {
                match self {
                    $(CheckItem::$name => $rules,)*
                }
            }
        }
    };
}

items! {
    /// The server is on.
    ServerOn Before90 System "服务器已开机" "the server is on" "HB-12",
    /// The proctor PC is on: after the server, before the seats.
    ConsoleOn Before90 Person "监考机已开机（在服务器之后）" "the proctor PC is on, after the server" "HB-12",
    /// Every desk of a candidate has its machine.
    SeatsOn Before90 System "每个考位的考生机已就位" "every candidate's desk has its machine" "HB-12",
    /// Every machine shows the waiting screen.
    WaitingScreens Before90 Person "考生机均显示等待登录界面" "every candidate PC shows the waiting screen" "HB-12",
    /// Spare machines are on.
    SparesOn Before90 Person "备用机已开机" "the spare PCs are on" "HB-12",
    /// 封场.
    Sealed Before90 System "考场已封场" "the room is sealed" "HB-11",
    /// Second look at the machines.
    MachinesChecked Before30 Person "设备、电源、线缆、交换机已再次检查" "machines, power, cables and switch were checked again" "HB-13",
    /// 开放入场.
    DoorOpened Before30 System "已开放入场" "candidates may sign in" "HB-14",
    /// Ticket, ID card, signature.
    EntryIdentity Before30 Person "已查验准考证和身份证，考生已签到" "ticket and ID card were checked and candidates signed the sheet" "HB-14",
    /// Candidates have checked what the screen says of them.
    DataChecked Before15 Person "考生已登录并核对本人信息" "candidates signed in and checked their data" "HB-15",
    /// Rules were read out.
    RulesRead Before15 Person "已宣读考生守则和违纪处理规定" "the rules for candidates and for violations were read out" "HB-16",
    /// 开考.
    Started Start System "已开考" "the sitting has started" "HB-17",
    /// Second identity round.
    SecondIdentity After15 Person "已进行第二次身份核对，补查漏签" "second identity round done, missing signatures found" "HB-21",
    /// The door is shut.
    EntryClosed After30 System "已停止入场" "entry is closed" "HB-20",
    /// 缺考登记.
    AbsencesRecorded After30 System "缺考已登记" "absences are recorded" "HB-20",
    /// Candidates were reminded.
    Reminded BeforeEnd15 Person "已提醒考生距结束还有15分钟" "candidates were told that 15 minutes are left" "HB-22",
    /// 结束.
    Ended End System "答题已结束" "answering has stopped" "HB-22",
    /// Candidates have left.
    CandidatesLeft End Person "考生已全部离场" "the candidates have left" "HB-40",
    /// Absentees were checked again.
    AbsencesCheckedAgain End Person "缺考名单已再次核对" "absentees were checked again" "HB-40",
    /// Material is back.
    MaterialBack End Person "考试材料已全部收回" "no exam material left the room" "HB-45",
    /// 成绩包.
    Exported End System "成绩包已导出" "the result bundle was exported" "HB-41",
    /// Receipt of HQ.
    ReceiptConfirmed End Person "评价组织已确认收到" "HQ has confirmed the receipt" "HB-41",
    /// Backup and recordings.
    DataKept End Person "系统数据已备份，监控录像已按日期、考点、考场命名" "data is backed up, recordings are named by date, site and room" "HB-43",
    /// The room is closed.
    Closed End Person "考场已关闭" "the room is closed" "HB-40",
}

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStanding {
    /// Its minute has not come.
    NotYet,
    /// Its minute has come.
    Due,
    /// Its minute has long passed.
    Overdue,
    /// Done.
    Done,
}
