//! The words of `PLAN.toml`. Unknown ones are refused: a misspelt `photos` must not become an exam without photos.

use exam_protocol::{
    ids::{ExamId, PaperId, RoomId, SittingId},
    paper::Subject,
};
use exam_sealed::manifest::{AdmissionPolicy, RuleOverrides};
use serde::Deserialize;
use std::path::PathBuf;

/// The whole plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    /// Public file of the site.
    pub(super) site: PathBuf,
    /// Folder with HQ's keys.
    pub(super) keys: PathBuf,
    /// Room sheet, unless the plan has `[[room]]`.
    rooms: Option<PathBuf>,
    /// Roster of candidates.
    pub(super) roster: PathBuf,
    /// Zip of photos.
    pub(super) photos: Option<PathBuf>,
    pub(super) exam: ExamIn,
    #[serde(rename = "room", default)]
    room_list: Vec<RoomIn>,
    #[serde(rename = "sitting", default)]
    pub(super) sittings: Vec<SittingIn>,
    #[serde(rename = "paper", default)]
    pub(super) papers: Vec<PaperIn>,
    #[serde(default)]
    pub(super) rules: RuleOverrides,
}

/// `[exam]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExamIn {
    pub(super) id: ExamId,
    pub(super) title: String,
}

/// `[[room]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoomIn {
    pub(super) id: RoomId,
    pub(super) name: String,
    /// Desks for candidates, numbered from 1.
    pub(super) seats: u16,
    /// Spare desks, numbered after them.
    #[serde(default)]
    pub(super) spares: u16,
}

/// `[[sitting]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SittingIn {
    pub(super) id: SittingId,
    pub(super) title: String,
    /// Id or name of the room.
    pub(super) room: String,
    pub(super) subject: SubjectIn,
    pub(super) level: String,
    /// Id of a `[[paper]]`.
    pub(super) paper: PaperId,
    start: StartIn,
    pub(super) minutes: u32,
    #[serde(default)]
    pub(super) admission: AdmissionPolicy,
    /// The level has a morning and an afternoon group: who hands in waits until the end (HB-23).
    #[serde(default)]
    pub(super) group_waits: bool,
    /// HB-05: a mock sitting, apart from real data.
    #[serde(default)]
    pub(super) mock: bool,
}

/// `[[paper]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaperIn {
    /// How sittings of this plan mention it.
    pub(super) id: PaperId,
    /// `FILE.paper` from `paper import`.
    pub(super) file: PathBuf,
    /// Id of the `[[paper]]` whose place it may take: a backup paper (HB-32) with a code of its own.
    pub(super) backup_of: Option<PaperId>,
    /// HB-05: its answer key travels along, so that a mock sitting is marked at once. Refused for any other paper.
    #[serde(default)]
    pub(super) with_key: bool,
}

/// 科目 as people write it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SubjectIn {
    #[serde(alias = "理论")]
    Theory,
    #[serde(alias = "实操")]
    Practical,
}

impl From<SubjectIn> for Subject {
    fn from(subject: SubjectIn) -> Self {
        match subject {
            SubjectIn::Theory => Subject::Theory,
            SubjectIn::Practical => Subject::Practical,
        }
    }
}

/// RFC 3339 with offset, quoted or as TOML's own date-time.
#[derive(Deserialize)]
#[serde(untagged)]
enum StartIn {
    Toml(toml::value::Datetime),
    Text(String),
}

impl SittingIn {
    /// Planned start in milliseconds since 1970 UTC.
    pub(super) fn start_ms(&self) -> Result<i64, String> {
        let text = match &self.start {
            StartIn::Toml(date) => date.to_string(),
            StartIn::Text(text) => text.trim().to_owned(),
        };
        let at: jiff::Timestamp = text.parse().map_err(|_| {
            format!("start {text:?} is not a date and time with offset, like 2026-12-05T09:00:00+08:00")
        })?;
        Ok(at.as_millisecond())
    }
}

/// Where the rooms are described.
pub(super) enum RoomsIn<'a> {
    /// In the plan.
    Plan(&'a [RoomIn]),
    /// In a sheet.
    File(&'a PathBuf),
}

impl PlanFile {
    /// One place and one only.
    pub(super) fn rooms_in(&self) -> Result<RoomsIn<'_>, &'static str> {
        match (&self.rooms, self.room_list.as_slice()) {
            (Some(_), [_, ..]) => Err("the plan has both rooms = \"…\" and [[room]]: keep one of them"),
            (Some(file), []) => Ok(RoomsIn::File(file)),
            (None, []) => Err("the plan has no rooms: give rooms = \"FILE\" or [[room]]"),
            (None, rooms) => Ok(RoomsIn::Plan(rooms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        site = "site-public.json"
        keys = "keys"
        roster = "roster.csv"
        [exam]
        id = "e1"
        title = "考试"
        [[sitting]]
        id = "s1"
        title = "上午"
        room = "r1"
        subject = "理论"
        level = "中级"
        paper = "p1"
        start = START
        minutes = 90
    "#;

    #[test]
    fn a_start_may_be_quoted_or_not_but_needs_an_offset() {
        for (start, good) in [
            ("\"2026-12-05T09:00:00+08:00\"", true),
            ("2026-12-05T09:00:00+08:00", true),
            ("2026-12-05T01:00:00Z", true),
            ("\"2026-12-05T09:00:00\"", false),
            ("2026-12-05T09:00:00", false),
            ("\"tomorrow\"", false),
        ] {
            let plan: PlanFile = toml::from_str(&PLAN.replace("START", start)).unwrap();
            assert_eq!(plan.sittings[0].start_ms().ok(), good.then_some(1_796_432_400_000), "{start}");
        }
    }

    #[test]
    fn a_misspelt_field_is_refused_with_its_place() {
        let text = PLAN.replace("roster =", "photo = \"p.zip\"\nroster =").replace("START", "\"x\"");
        let error = toml::from_str::<PlanFile>(&text).err().unwrap().to_string();
        assert!(error.contains("line 4") && error.contains("photo"), "{error}");
    }
}
