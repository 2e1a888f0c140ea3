//! What HQ plans for a site: rooms, sittings, desks, and the numbers of the handbook an exam sets differently.
//! Never holds a name, an ID number or a question.

pub mod check;

use crate::{
    ids::{PaperId, RoomId, SeatNo, Sha256, SittingId},
    paper::Subject,
    time::WallMs,
};
use serde::{Deserialize, Serialize};

/// Shortest sitting a plan may name, in minutes.
pub const SITTING_MINUTES_MIN: u32 = 5;
/// Longest sitting a plan may name, in minutes: a room runs at least 5 hours (HB-03).
pub const SITTING_MINUTES_MAX: u32 = 300;
/// Longest name or title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;
/// Most candidates of one package: its import is one fact and has to fit one journal line.
pub const CANDIDATES_MAX: usize = 2_000;
const _: () = assert!(SITTING_MINUTES_MIN < SITTING_MINUTES_MAX);

/// 考场.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomPlan {
    /// Its id.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Desks for candidates.
    pub seats: Vec<SeatNo>,
    /// Desks with spare machines (备用机).
    pub spares: Vec<SeatNo>,
}

/// 场次 in one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SittingPlan {
    /// Its id.
    pub sitting: SittingId,
    /// Title for people.
    pub title: String,
    /// Where.
    pub room: RoomId,
    /// Which subject.
    pub subject: Subject,
    /// Level (级别) in words, e.g. `中级`.
    pub level: String,
    /// The paper of every candidate in it.
    pub paper: PaperId,
    /// Planned start (HB-17).
    pub planned_start: WallMs,
    /// Length.
    pub duration_min: u32,
    /// Whether candidates are admitted one by one by a proctor, or by signing in.
    pub admission: AdmissionPolicy,
    /// Hashes of HQ's time grants (HB-26), see [`crate::grant`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hq_grants: Vec<Sha256>,
    /// HB-23: the level has a morning and an afternoon group, so who hands in stays in the waiting area until the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_waits: bool,
    /// HB-05: a mock sitting (模拟考试): repeatable, apart from real data, never in a result bundle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mock: bool,
}

/// Who admits candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdmissionPolicy {
    /// A proctor, after looking at the ID card (HB-14).
    #[default]
    Proctor,
    /// Signing in is enough.
    Automatic,
}

/// Numbers of the handbook an exam may set differently; absent ones keep the handbook's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleOverrides {
    /// HB-20: minutes after the start at which entry closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_entry_bar_min: Option<u32>,
    /// HB-23: minutes before the end at which theory may be handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_hand_in_theory_min: Option<u32>,
    /// HB-23: minutes before the end at which practical work may be handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_hand_in_practical_min: Option<u32>,
    /// HB-23: whether early hand-in takes the chief's consent, within its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_in_needs_consent: Option<bool>,
    /// HB-11: whether the door opens only in a sealed room; the handbook says yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal_required: Option<bool>,
}

/// A candidate's desk in one sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which desk of the sitting's room.
    pub seat: SeatNo,
}
