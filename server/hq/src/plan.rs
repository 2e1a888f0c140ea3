//! `PLAN.toml` and the files it names, read and joined into what a package is built from. Paths are relative to the plan.
//! Never guesses: an unknown field, an id that leads nowhere or a candidate without a desk is an error with its place.

mod file;
mod seating;

use crate::{
    disk,
    exit::{Exit, Say},
    keys,
};
use anyhow::{Context, Result};
use exam_content::fault::{Faults, Finding};
use exam_protocol::{
    ids::{ExamId, PaperId, RoomId, SeatNo, SittingId},
    key::{ItemKeys, KeyedPaper},
    paper::Paper,
    plan::{SITTING_MINUTES_MAX, SITTING_MINUTES_MIN},
    site::SitePublic,
    time::WallMs,
};
use exam_sealed::{
    json,
    manifest::{RoomPlan, RosterEntry, RuleOverrides, SittingPlan},
    package::CandidateInput,
};
use file::{PlanFile, RoomsIn};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Largest `FILE.paper`.
const PAPER_FILE_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Names shown so that a person sees whether the file was read in the right encoding.
const NAMES_SHOWN: usize = 3;

/// Everything a package needs, apart from keys and codes.
pub(crate) struct Ready {
    pub(crate) keys_dir: PathBuf,
    pub(crate) exam: ExamId,
    pub(crate) exam_title: String,
    pub(crate) site: SitePublic,
    pub(crate) rooms: Vec<RoomPlan>,
    pub(crate) sittings: Vec<SittingPlan>,
    pub(crate) rules: RuleOverrides,
    pub(crate) candidates: Vec<CandidateInput>,
    /// Without their keys: the answer keys end here.
    pub(crate) papers: Vec<Paper>,
    /// Answer keys the plan wants to send along with papers of mock sittings (HB-05).
    pub(crate) mock_keys: BTreeMap<PaperId, ItemKeys>,
    /// Backup papers, and the paper each may take the place of (HB-32).
    pub(crate) backups: BTreeMap<PaperId, PaperId>,
}

/// Reads a plan and everything it names.
pub(crate) fn read(path: &Path, say: &Say) -> Result<Ready> {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let text = disk::read_text(path)?;
    let plan: PlanFile =
        toml::from_str(&text).map_err(|e| Exit::Validation.error(format!("{}: {e}", path.display())))?;
    let site = keys::read_site(&folder.join(&plan.site))?;
    let Papers { papers, mock_keys } = read_papers(&plan, &folder)?;
    let backups = backups(&plan, &papers)?;
    let rooms = read_rooms(&plan, &folder, say)?;
    let sittings = sittings(&plan, &rooms, &papers)?;
    let entries = read_roster(&plan, &folder, &rooms, &sittings, say)?;
    let candidates = add_photos(&plan, &folder, entries, say)?;
    Ok(Ready {
        keys_dir: folder.join(&plan.keys),
        exam: plan.exam.id,
        exam_title: plan.exam.title,
        site,
        rooms,
        sittings,
        rules: plan.rules,
        candidates,
        backups,
        mock_keys,
        papers: papers.into_values().collect(),
    })
}

/// Papers by the name the plan gives them, and keys by the papers' own ids.
struct Papers {
    papers: BTreeMap<PaperId, Paper>,
    mock_keys: BTreeMap<PaperId, ItemKeys>,
}

/// Papers by the name the plan gives them; in the package each keeps its own id.
fn read_papers(plan: &PlanFile, folder: &Path) -> Result<Papers> {
    let (mut papers, mut mock_keys) = (BTreeMap::new(), BTreeMap::new());
    for entry in &plan.papers {
        let path = folder.join(&entry.file);
        let wrong = || format!("{} is not a usable paper", path.display());
        let bytes = disk::read(&path, PAPER_FILE_BYTES_MAX)?;
        let keyed: KeyedPaper = json::read(&bytes).map_err(|e| Exit::Validation.of(e)).with_context(wrong)?;
        keyed.paper.check().map_err(|e| Exit::Validation.of(e)).with_context(wrong)?;
        if entry.with_key {
            mock_keys.insert(keyed.paper.id.clone(), keyed.keys);
        }
        if papers.insert(entry.id.clone(), keyed.paper).is_some() {
            return Err(Exit::Validation.error(format!("[[paper]] {} stands twice in the plan", entry.id)));
        }
    }
    Ok(Papers { papers, mock_keys })
}

/// Backup papers by their own ids, as the package names them.
fn backups(plan: &PlanFile, papers: &BTreeMap<PaperId, Paper>) -> Result<BTreeMap<PaperId, PaperId>> {
    let mut backups = BTreeMap::new();
    for entry in &plan.papers {
        let (Some(instead_of), Some(own)) = (&entry.backup_of, papers.get(&entry.id)) else { continue };
        let planned = papers.get(instead_of).ok_or_else(|| {
            let text = format!("[[paper]] {}: backup_of names {instead_of}, which has no [[paper]]", entry.id);
            Exit::Validation.error(text)
        })?;
        backups.insert(own.id.clone(), planned.id.clone());
    }
    Ok(backups)
}

fn read_rooms(plan: &PlanFile, folder: &Path, say: &Say) -> Result<Vec<RoomPlan>> {
    match plan.rooms_in() {
        Ok(RoomsIn::Plan(rooms)) => {
            rooms.iter().map(|room| room_plan(room.id.clone(), &room.name, room.seats, room.spares)).collect()
        }
        Ok(RoomsIn::File(name)) => {
            let (bytes, shown) = open(folder, name)?;
            let read = exam_content::rooms::read(&bytes, &shown).map_err(refused)?;
            warn(&read.warnings, say);
            let rooms = read.value.iter().enumerate().map(|(index, row)| {
                let code = row.code.as_deref().and_then(|code| code.parse().ok());
                let id =
                    code.map_or_else(|| format!("r{}", index + 1).parse(), Ok).context("a room id of r and digits")?;
                room_plan(id, &row.name, row.seats, row.spares)
            });
            rooms.collect()
        }
        Err(what) => Err(Exit::Validation.error(what)),
    }
}

/// Desks count from 1 as their labels do; spare ones follow.
fn room_plan(room: RoomId, name: &str, seats: u16, spares: u16) -> Result<RoomPlan> {
    let desk = |no: u16| SeatNo::try_from(no).map_err(|e| Exit::Validation.of(e).context(format!("room {room}")));
    let last =
        seats.checked_add(spares).ok_or_else(|| Exit::Validation.error(format!("room {room} has too many desks")))?;
    Ok(RoomPlan {
        name: name.to_owned(),
        seats: (1..=seats).map(desk).collect::<Result<_>>()?,
        spares: (seats + 1..=last).map(desk).collect::<Result<_>>()?,
        room,
    })
}

fn sittings(plan: &PlanFile, rooms: &[RoomPlan], papers: &BTreeMap<PaperId, Paper>) -> Result<Vec<SittingPlan>> {
    let mut sittings = Vec::new();
    for entry in &plan.sittings {
        let place = |what: String| Exit::Validation.error(format!("[[sitting]] {}: {what}", entry.id));
        let room =
            rooms.iter().find(|room| room.room.as_str() == entry.room || room.name == entry.room).ok_or_else(|| {
                let known: Vec<String> = rooms.iter().map(|r| format!("{} ({})", r.room, r.name)).collect();
                place(format!("room {} is not in the plan; it has {}", entry.room, known.join(", ")))
            })?;
        let paper = papers
            .get(&entry.paper)
            .ok_or_else(|| place(format!("paper {} has no [[paper]] in the plan", entry.paper)))?;
        if !(SITTING_MINUTES_MIN..=SITTING_MINUTES_MAX).contains(&entry.minutes) {
            let most = SITTING_MINUTES_MAX;
            return Err(place(format!(
                "it lasts {} minutes: it must be {SITTING_MINUTES_MIN} to {most}",
                entry.minutes
            )));
        }
        sittings.push(SittingPlan {
            sitting: entry.id.clone(),
            title: entry.title.clone(),
            room: room.room.clone(),
            subject: entry.subject.into(),
            level: entry.level.clone(),
            paper: paper.id.clone(),
            planned_start: WallMs(entry.start_ms().map_err(place)?),
            duration_min: entry.minutes,
            admission: entry.admission,
            hq_grants: Vec::new(),
            group_waits: entry.group_waits,
            mock: entry.mock,
        });
    }
    sittings.sort_by(|a, b| (a.planned_start, &a.sitting).cmp(&(b.planned_start, &b.sitting)));
    one_at_a_time(&sittings).map_err(|what| Exit::Validation.error(what))?;
    Ok(sittings)
}

/// Two sittings are never one, and a room holds one at a time. `sittings` are in the order of their starts.
fn one_at_a_time(sittings: &[SittingPlan]) -> Result<(), String> {
    for (index, later) in sittings.iter().enumerate() {
        for earlier in &sittings[..index] {
            if earlier.sitting == later.sitting {
                return Err(format!(
                    "[[sitting]] {} stands twice in the plan: give one of them another id",
                    later.sitting
                ));
            }
            let end = earlier.planned_start.0.saturating_add(i64::from(earlier.duration_min) * 60_000);
            if earlier.room == later.room && later.planned_start.0 < end {
                return Err(format!(
                    "[[sitting]] {}: it starts in room {} before {} has ended: correct start, minutes or room",
                    later.sitting, later.room, earlier.sitting
                ));
            }
        }
    }
    Ok(())
}

fn read_roster(
    plan: &PlanFile,
    folder: &Path,
    rooms: &[RoomPlan],
    sittings: &[SittingPlan],
    say: &Say,
) -> Result<Vec<RosterEntry>> {
    let (bytes, shown) = open(folder, &plan.roster)?;
    let read = exam_content::roster::read(&bytes, &shown).map_err(refused)?;
    warn(&read.warnings, say);
    let names: Vec<&str> = read.value.iter().take(NAMES_SHOWN).map(|row| row.name.as_str()).collect();
    say.note(format!("{shown} read as {}: {} rows, first names {}", read.encoding, read.value.len(), names.join(" ")));
    seating::seat(&read.value, &shown, rooms, sittings).map_err(refused)
}

fn add_photos(plan: &PlanFile, folder: &Path, entries: Vec<RosterEntry>, say: &Say) -> Result<Vec<CandidateInput>> {
    let Some(name) = &plan.photos else {
        return Ok(entries.into_iter().map(|entry| CandidateInput { entry, photo: None }).collect());
    };
    let (bytes, shown) = open(folder, name)?;
    let ids: BTreeSet<String> = entries.iter().map(|entry| entry.id_number.clone()).collect();
    let read = exam_content::photos::read(&bytes, &shown, &ids).map_err(refused)?;
    warn(&read.warnings, say);
    let mut photos = read.value.by_id;
    let candidates: Vec<CandidateInput> = entries
        .into_iter()
        .map(|entry| CandidateInput { photo: photos.remove(&entry.id_number).map(|photo| photo.bytes), entry })
        .collect();
    let lacking = candidates.iter().filter(|candidate| candidate.photo.is_none()).count();
    if lacking > 0 {
        say.note(format!("warning: {lacking} candidates have no photo in {shown}"));
    }
    if !photos.is_empty() {
        say.note(format!(
            "warning: {} photos in {shown} belong to nobody on the roster and are left out",
            photos.len()
        ));
    }
    Ok(candidates)
}

/// The bytes of a file the plan names, and the name as the plan has it, for sentences.
fn open(folder: &Path, name: &Path) -> Result<(Vec<u8>, String)> {
    Ok((disk::read(&folder.join(name), disk::INPUT_BYTES_MAX)?, name.display().to_string()))
}

fn refused(faults: Faults) -> anyhow::Error {
    Exit::Validation.of(faults)
}

fn warn(warnings: &[Finding], say: &Say) {
    for warning in warnings {
        say.note(format!("warning: {warning}"));
    }
}

/// How the roster may mention a sitting.
fn names_of(plan: &SittingPlan) -> [&str; 2] {
    [SittingId::as_str(&plan.sitting), &plan.title]
}

#[cfg(test)]
mod tests {
    use super::*;
    use exam_protocol::paper::Subject;
    use exam_sealed::manifest::AdmissionPolicy;

    fn sitting(id: &str, room: &str, start_min: i64) -> SittingPlan {
        SittingPlan {
            sitting: id.parse().unwrap(),
            title: id.to_owned(),
            room: room.parse().unwrap(),
            subject: Subject::Theory,
            level: "中级".to_owned(),
            paper: "p1".parse().unwrap(),
            planned_start: WallMs(start_min * 60_000),
            duration_min: 60,
            admission: AdmissionPolicy::Automatic,
            hq_grants: Vec::new(),
            group_waits: false,
            mock: false,
        }
    }

    #[test]
    fn a_room_holds_one_sitting_at_a_time() {
        let first = sitting("s1", "r1", 0);
        for (second, good) in [
            (sitting("s2", "r1", 60), true),
            (sitting("s2", "r1", 59), false),
            (sitting("s2", "r2", 0), true),
            (sitting("s1", "r2", 600), false),
        ] {
            let told = one_at_a_time(&[first.clone(), second.clone()]);
            assert_eq!(told.is_ok(), good, "{} in {}: {told:?}", second.sitting, second.room);
        }
    }
}
