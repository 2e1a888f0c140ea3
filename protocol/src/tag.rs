//! The registry of frame numbers: which message has which tag, in which direction, and who may send it.
//! A tag is never reused: a retired one keeps its number in [`RETIRED`].

use crate::message::duty::*;
use crate::{
    frame::{self, FrameError, RawFrame, RequestId},
    message::{admin::*, candidate::*, hello::*, transfer::*},
};

/// Tags that once meant something and never will again.
pub const RETIRED: &[u16] = &[];

macro_rules! registry {
    ($(#[$doc:meta])* $direction:ident { $($tag:literal $name:ident,)* }) => {
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
                    $($tag => Ok(Self::$name(frame::decode($tag, &raw.payload)?)),)*
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
    Up {
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
        260 SeatHand,
        262 HandCall,
        264 SendMessage,
        266 ReadMessage,
        268 AskMessages,
        270 VisitCall,
        272 FindCandidate,
        274 PeopleCall,
        276 TimeCall,
    }
}

registry! {
    /// Server → client.
    Down {
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
        261 HandStands,
        263 Hands,
        265 SeatMessages,
        267 SentMessages,
        269 Visits,
        271 Found,
        273 People,
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
            Up::IssueCodes(_) | Up::ImportPackage(_) | Up::VerifyJournal(_) | Up::BackUp(_) | Up::PutChunk(_) => {
                &[Admin]
            }
            Up::GetChunk(_) => &[Station, Console, Admin],
            Up::SeatHand(_) | Up::ReadMessage(_) => &[Station],
            Up::HandCall(_)
            | Up::SendMessage(_)
            | Up::AskMessages(_)
            | Up::VisitCall(_)
            | Up::FindCandidate(_)
            | Up::PeopleCall(_)
            | Up::TimeCall(_) => &[Console, Admin],
        }
    }
}
