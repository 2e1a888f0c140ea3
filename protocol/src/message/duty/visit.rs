//! The inspector's visits (巡考, HB-33).

use crate::{
    ids::{AccountId, RoomId, SittingId},
    time::SiteMs,
};
use serde::{Deserialize, Serialize};

/// Longest findings of one visit, in characters.
pub const FINDINGS_CHARS_MAX: usize = 2_000;

/// A visit of an inspector (巡考).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VisitId(pub u64);

/// HB-33: a room is visited at the start, at the end, and at least once between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitPart {
    /// 开考前后.
    Start,
    /// 考试期间.
    Between,
    /// 结束前后.
    End,
}

impl VisitPart {
    /// Every part, in the order of the day.
    pub const ALL: [VisitPart; 3] = [VisitPart::Start, VisitPart::Between, VisitPart::End];
}

/// Console → server: the inspector's record (巡考情况记录表).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitCall {
    /// I am in the room of this sitting now; the server knows which part of it that is.
    Begin {
        /// Which sitting.
        sitting: SittingId,
    },
    /// What I found; a second note corrects the first, both are kept.
    Note {
        /// Which visit.
        visit: VisitId,
        /// In words.
        findings: String,
    },
    /// Which visits there were and which are missing; answered with [`Visits`].
    List {
        /// One sitting, with findings; all of them, without, when none is named.
        sitting: Option<SittingId>,
    },
}

/// Server → console: visits by sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visits {
    /// Each sitting of the plan that was asked for.
    pub sittings: Vec<SittingVisits>,
}

/// Visits of one sitting in its room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SittingVisits {
    /// Which sitting.
    pub sitting: SittingId,
    /// Its room.
    pub room: RoomId,
    /// Parts without a visit that was written down.
    pub missing: Vec<VisitPart>,
    /// The visits, in order.
    pub visits: Vec<VisitView>,
}

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitView {
    /// Which.
    pub visit: VisitId,
    /// In which part of the sitting.
    pub part: VisitPart,
    /// Who.
    pub by: Option<AccountId>,
    /// When it began.
    pub began_at: SiteMs,
    /// When it was last written down.
    pub noted_at: Option<SiteMs>,
    /// Newest findings; empty where they were not asked for.
    pub findings: String,
}
