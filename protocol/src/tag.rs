//! The registry of frame numbers: which message has which tag, in which direction, and who may send it.
//! A tag is never reused: a retired one keeps its number in [`RETIRED`].

use crate::message::duty::*;
use crate::message::incident::*;
use crate::{
    frame::{self, FrameError, RawFrame, RequestId},
    message::{admin::*, attendance::*, candidate::*, hello::*, transfer::*},
};

use crate::message::{board::*, readiness::*};

/// Tags that once meant something and never will again.
pub const RETIRED: &[u16] = &[];

macro_rules! registry {
    ($(#[$doc:meta])* $direction:ident within $claims:path { $($tag:literal $name:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is the message of the same name, documented there")]
        pub enum $direction {
            $($name($name),)*
        }

        impl $direction {
            /// Every tag of this direction with its message's name.
            pub const TAGS: &[(u16, &str)] = &[$(($tag, stringify!($name)),)*];

            /// The message's tag.
            pub fn tag(&self) -> u16 {
                match self {
                    $(Self::$name(_) => $tag,)*
                }
            }

            /// The message's name, for logs and vectors.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }

            /// The whole frame, length field included.
            pub fn to_frame(&self, request: RequestId) -> Vec<u8> {
                match self {
                    $(Self::$name(message) => frame::write_frame($tag, request, &frame::encode(message)),)*
                }
            }

            /// Reads the message a frame carries.
            ///
            /// # Errors
            /// An unknown tag, or a payload that is not exactly that message.
            pub fn from_frame(raw: &RawFrame) -> Result<Self, FrameError> {
                match raw.tag {
                    $($tag => Ok(Self::$name(frame::decode::<_, { $claims }>($tag, &raw.payload)?)),)*
                    unknown => Err(FrameError::UnknownTag(unknown)),
                }
            }
        }

        $(impl From<$name> for $direction {
            fn from(message: $name) -> Self {
                Self::$name(message)
            }
        })*
    };
}

registry! {
    /// Client → server.
    Up within frame::UP_CLAIMS_MAX {
        1 Hello,
        3 Enrol,
        20 TakeSeat,
        21 SignIn,
        22 SaveAnswer,
        23 FetchAnswers,
        24 HandIn,
        25 Heartbeat,
        60 IssueCodes,
        61 OpenAdmission,
        62 Admit,
        63 StartSitting,
        64 EndSitting,
        65 ExportBundle,
        66 ImportPackage,
        67 VerifyJournal,
        68 BackUp,
        69 AskStatus,
        120 GetChunk,
        121 PutChunk,
        140 DenyCandidate,
        142 ConfirmIdentity,
        144 Leave,
        146 SwapMachine,
        148 DecideAttempt,
        150 ConsentHandIn,
        152 RollCall,
        154 Orphans,
        156 LostTime,
        158 AskAttendance,
        160 SeatUnable,
        180 RecordIncident,
        182 AddToIncident,
        184 CorrectIncident,
        186 RecordViolation,
        188 SignRecord,
        190 RefuseSignature,
        192 CloseRecord,
        194 JudgeFinding,
        196 DeliverReport,
        198 AskRecords,
        220 SeatReport,
        222 AskReadiness,
        224 ConfirmCheck,
        226 WithdrawCheck,
        228 SealRoom,
        230 TickItem,
        232 UntickItem,
        234 RequestBackupPaper,
        236 UseBackupPaper,
        238 ResetMock,
        240 AskMockPoints,
        260 SeatHand,
        262 HandCall,
        264 SendMessage,
        266 ReadMessage,
        268 AskMessages,
        270 VisitCall,
        272 FindCandidate,
        274 PeopleCall,
        276 TimeCall,
        278 WatchBoard,
    }
}

registry! {
    /// Server → client.
    Down within frame::DOWN_CLAIMS_MAX {
        2 Welcome,
        4 Enrolled,
        5 Done,
        6 Refused,
        7 Failed,
        40 SeatView,
        41 Saved,
        42 Answers,
        43 HandedIn,
        44 Heard,
        80 IssuedCode,
        81 BundleReady,
        82 PackageImported,
        83 JournalVerified,
        84 BackedUp,
        85 SiteStatus,
        122 Chunk,
        123 ChunkStored,
        141 SeatNotes,
        143 OrphanPage,
        145 AttendanceList,
        181 Recorded,
        183 Records,
        221 Readiness,
        223 SeatPoints,
        225 MockPoints,
        261 HandStands,
        263 Hands,
        265 SeatMessages,
        267 SentMessages,
        269 Visits,
        271 Found,
        273 People,
        275 MessageOnWay,
        277 BoardNews,
    }
}

impl Up {
    /// Who may send this message: the one table of role × message (P9). Phases are judged by the room's rules.
    pub fn senders(&self) -> &'static [Role] {
        use Role::{Admin, Console, Guest, Station};
        match self {
            Up::Hello(_) => &[Guest, Station, Console, Admin],
            Up::Enrol(_) => &[Guest],
            Up::TakeSeat(_)
            | Up::SignIn(_)
            | Up::SaveAnswer(_)
            | Up::FetchAnswers(_)
            | Up::HandIn(_)
            | Up::Heartbeat(_) => &[Station],
            Up::OpenAdmission(_)
            | Up::Admit(_)
            | Up::StartSitting(_)
            | Up::EndSitting(_)
            | Up::ExportBundle(_)
            | Up::AskStatus(_) => &[Console, Admin],
            Up::IssueCodes(_) | Up::ImportPackage(_) | Up::VerifyJournal(_) | Up::BackUp(_) => &[Admin],
            Up::PutChunk(_) => &[Console, Admin], // a console brings attachments; its files have limits of their own
            Up::GetChunk(_) => &[Station, Console, Admin],
            Up::ConfirmIdentity(_) | Up::Orphans(_) | Up::SeatUnable(_) => &[Station],
            Up::DenyCandidate(_) | Up::Leave(_) | Up::SwapMachine(_) | Up::DecideAttempt(_) => &[Console, Admin],
            Up::ConsentHandIn(_) | Up::RollCall(_) | Up::LostTime(_) | Up::AskAttendance(_) => &[Console, Admin],
            Up::RecordIncident(_) | Up::AddToIncident(_) | Up::CorrectIncident(_) => &[Console, Admin],
            Up::RecordViolation(_) | Up::RefuseSignature(_) | Up::CloseRecord(_) => &[Console, Admin],
            Up::JudgeFinding(_) | Up::DeliverReport(_) | Up::AskRecords(_) => &[Console, Admin],
            Up::SignRecord(_) => &[Station, Console, Admin],
            Up::SeatReport(_) => &[Station],
            Up::AskReadiness(_) | Up::ConfirmCheck(_) | Up::WithdrawCheck(_) | Up::SealRoom(_) => &[Console, Admin],
            Up::TickItem(_) | Up::UntickItem(_) => &[Console, Admin],
            Up::RequestBackupPaper(_) | Up::UseBackupPaper(_) => &[Console, Admin],
            Up::ResetMock(_) | Up::AskMockPoints(_) => &[Console, Admin],
            Up::SeatHand(_) | Up::ReadMessage(_) => &[Station],
            Up::HandCall(_)
            | Up::SendMessage(_)
            | Up::AskMessages(_)
            | Up::VisitCall(_)
            | Up::FindCandidate(_)
            | Up::PeopleCall(_)
            | Up::TimeCall(_) => &[Console, Admin],
            Up::WatchBoard(_) => &[Console], // a command line hears no pushes
        }
    }
}
