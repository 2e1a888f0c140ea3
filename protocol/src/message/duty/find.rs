//! Where is this candidate (HB-31)? Never carries more of an ID number than its last four characters.

use crate::{
    code::SeatState,
    ids::{AdmissionNo, SeatRef, SittingId},
    paper::Subject,
    time::WallMs,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest text looked for, in characters.
pub const QUERY_CHARS_MAX: usize = 50;
/// Fewest last characters of an ID number that find somebody: fewer would find half the site.
pub const ID_TAIL_CHARS_MIN: usize = 4;
/// Most places one search returns.
pub const FOUND_MAX: usize = 50;

/// Console → server: where is this candidate? (HB-31)
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindCandidate {
    /// Any part of a name or admission number, or at least the last four characters of an ID number.
    pub query: String,
}

impl fmt::Debug for FindCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FindCandidate(…)")
    }
}

/// Server → console: who fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// A candidate once for each of their sittings, at most [`FOUND_MAX`] places.
    pub candidates: Vec<FoundCandidate>,
    /// Whether there are more: ask more exactly.
    pub more: bool,
}

/// A candidate's place in one sitting.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCandidate {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// 姓名.
    pub name: String,
    /// ID number with all but the last four characters masked.
    pub id_masked: String,
    /// Which sitting.
    pub sitting: SittingId,
    /// Its subject.
    pub subject: Subject,
    /// Its planned start.
    pub planned_start: WallMs,
    /// Name of the room.
    pub room_name: String,
    /// At which desk.
    pub seat: SeatRef,
    /// How the candidate stands there.
    pub state: SeatState,
}

impl fmt::Debug for FoundCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FoundCandidate({} {:?})", self.seat, self.state)
    }
}
