//! Whether a package's plan and roster can be: desks, sittings and papers that exist, nobody twice, no desk for two. HQ asks
//! before building, the site before importing. Never changes anything.

use crate::manifest::{Manifest, RoomPlan, Roster, SittingPlan};
use exam_protocol::{
    grant::GRANTS_MAX,
    ids::{AdmissionNo, PaperId, RoomId, SeatNo, SittingId},
    plan::{CANDIDATES_MAX, SITTING_MINUTES_MAX, SITTING_MINUTES_MIN},
};
use std::collections::{BTreeMap, BTreeSet};

/// Longest name or title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;

/// What is impossible in a plan or roster. Candidates are named by admission number, never by name or ID number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFault {
    /// Two rooms with one id.
    #[error("room {0} (考场) appears twice")]
    DuplicateRoom(RoomId),
    /// Two desks with one number.
    #[error("room {room} has desk {seat} (考位) twice, or both as a seat and as a spare")]
    DuplicateSeat {
        /// Which room.
        room: RoomId,
        /// Which desk.
        seat: SeatNo,
    },
    /// No sittings, or two with one id.
    #[error("sitting {0} (场次) appears twice")]
    DuplicateSitting(SittingId),
    /// Nothing to sit.
    #[error("the plan has no sitting (场次)")]
    NoSittings,
    /// A sitting names a room that is not there.
    #[error("sitting {sitting} is in room {room}, which the plan does not have")]
    RoomUnknown {
        /// Which sitting.
        sitting: SittingId,
        /// The room it names.
        room: RoomId,
    },
    /// A sitting names a paper that is not there.
    #[error("sitting {sitting} uses paper {paper}, which the plan does not have")]
    PaperUnknown {
        /// Which sitting.
        sitting: SittingId,
        /// The paper it names.
        paper: PaperId,
    },
    /// Two papers with one id.
    #[error("paper {0} (试卷) appears twice")]
    DuplicatePaper(PaperId),
    /// A backup paper that stands for nothing, or is somebody's planned one.
    #[error("backup paper {0} (备用试卷) must stand for the paper of a sitting and be no sitting's own paper")]
    Backup(PaperId),
    /// The code of a mock paper is given out early: a real sitting with it would be open to everybody.
    #[error("mock sitting {sitting} (模拟考试) uses paper {paper} of a real sitting: give it a paper of its own")]
    MockPaper {
        /// Which mock sitting.
        sitting: SittingId,
        /// The paper.
        paper: PaperId,
    },
    /// A length no sitting has.
    #[error("sitting {sitting} lasts {minutes} minutes: it must be 5 to 300")]
    Duration {
        /// Which sitting.
        sitting: SittingId,
        /// Its length.
        minutes: u32,
    },
    /// More time grants than HQ prepares.
    #[error("sitting {sitting} has {found} time grants (延时码), at most {GRANTS_MAX} are allowed")]
    TooManyGrants {
        /// Which sitting.
        sitting: SittingId,
        /// How many.
        found: usize,
    },
    /// A title longer than any screen.
    #[error("{what} has a title or name of more than 200 characters, or none")]
    Title {
        /// Which thing.
        what: String,
    },
    /// More candidates than a package takes.
    #[error("the roster has {found} candidates, at most {CANDIDATES_MAX} are allowed")]
    TooManyCandidates {
        /// How many.
        found: usize,
    },
    /// One candidate twice.
    #[error("candidate {admission_no} (准考证号) appears twice")]
    DuplicateCandidate {
        /// Who.
        admission_no: AdmissionNo,
    },
    /// One ID number twice.
    #[error("candidates {first} and {second} have the same ID number (证件号码)")]
    SameIdNumber {
        /// Who.
        first: AdmissionNo,
        /// And who.
        second: AdmissionNo,
    },
    /// A candidate without a sitting.
    #[error("candidate {admission_no} has no sitting")]
    NoPlace {
        /// Who.
        admission_no: AdmissionNo,
    },
    /// Two desks for one candidate in one sitting.
    #[error("candidate {admission_no} is in sitting {sitting} twice")]
    TwicePlaced {
        /// Who.
        admission_no: AdmissionNo,
        /// Where.
        sitting: SittingId,
    },
    /// A place in a sitting that is not there.
    #[error("candidate {admission_no} is in sitting {sitting}, which the plan does not have")]
    SittingUnknown {
        /// Who.
        admission_no: AdmissionNo,
        /// The sitting named.
        sitting: SittingId,
    },
    /// A place at a desk that is not there.
    #[error(
        "candidate {admission_no} sits at desk {seat} in sitting {sitting}, but its room {room} has no such desk for candidates"
    )]
    SeatUnknown {
        /// Who.
        admission_no: AdmissionNo,
        /// Which sitting.
        sitting: SittingId,
        /// Its room.
        room: RoomId,
        /// The desk named.
        seat: SeatNo,
    },
    /// One desk for two candidates.
    #[error("candidates {first} and {second} both sit at desk {seat} in sitting {sitting}")]
    SeatShared {
        /// Who.
        first: AdmissionNo,
        /// And who.
        second: AdmissionNo,
        /// Where.
        sitting: SittingId,
        /// At which desk.
        seat: SeatNo,
    },
    /// A photo that is no member.
    #[error("the photo of candidate {admission_no} is missing")]
    PhotoMissing {
        /// Whose.
        admission_no: AdmissionNo,
    },
}

/// Checks rooms, sittings and papers.
///
/// # Errors
/// The first [`PlanFault`].
pub fn check_plan(manifest: &Manifest) -> Result<(), PlanFault> {
    title("the exam", &manifest.exam_title)?;
    let mut rooms = BTreeSet::new();
    for room in &manifest.rooms {
        if !rooms.insert(&room.room) {
            return Err(PlanFault::DuplicateRoom(room.room.clone()));
        }
        check_room(room)?;
    }
    let mut papers = BTreeSet::new();
    if let Some(twice) = manifest.papers.iter().find(|entry| !papers.insert(&entry.paper)) {
        return Err(PlanFault::DuplicatePaper(twice.paper.clone()));
    }
    if manifest.sittings.is_empty() {
        return Err(PlanFault::NoSittings);
    }
    let mut sittings = BTreeSet::new();
    for sitting in &manifest.sittings {
        if !sittings.insert(&sitting.sitting) {
            return Err(PlanFault::DuplicateSitting(sitting.sitting.clone()));
        }
        check_sitting(sitting, &rooms, &papers)?;
    }
    check_papers_apart(manifest)
}

fn check_papers_apart(manifest: &Manifest) -> Result<(), PlanFault> {
    let planned = |paper: &PaperId| manifest.sittings.iter().any(|sitting| sitting.paper == *paper);
    for entry in &manifest.papers {
        if entry.backup_of.as_ref().is_some_and(|instead_of| planned(&entry.paper) || !planned(instead_of)) {
            return Err(PlanFault::Backup(entry.paper.clone()));
        }
    }
    for mock in manifest.sittings.iter().filter(|sitting| sitting.mock) {
        if manifest.sittings.iter().any(|sitting| !sitting.mock && sitting.paper == mock.paper) {
            return Err(PlanFault::MockPaper { sitting: mock.sitting.clone(), paper: mock.paper.clone() });
        }
    }
    Ok(())
}

fn title(what: &str, text: &str) -> Result<(), PlanFault> {
    let good = !text.trim().is_empty() && text.chars().count() <= TITLE_CHARS_MAX && !text.contains(char::is_control);
    good.then_some(()).ok_or_else(|| PlanFault::Title { what: what.to_owned() })
}

fn check_room(room: &RoomPlan) -> Result<(), PlanFault> {
    title(&format!("room {}", room.room), &room.name)?;
    let mut seats = BTreeSet::new();
    match room.seats.iter().chain(&room.spares).find(|seat| !seats.insert(**seat)) {
        Some(seat) => Err(PlanFault::DuplicateSeat { room: room.room.clone(), seat: *seat }),
        None => Ok(()),
    }
}

fn check_sitting(plan: &SittingPlan, rooms: &BTreeSet<&RoomId>, papers: &BTreeSet<&PaperId>) -> Result<(), PlanFault> {
    let sitting = plan.sitting.clone();
    title(&format!("sitting {sitting}"), &plan.title)?;
    if !rooms.contains(&plan.room) {
        return Err(PlanFault::RoomUnknown { sitting, room: plan.room.clone() });
    }
    if !papers.contains(&plan.paper) {
        return Err(PlanFault::PaperUnknown { sitting, paper: plan.paper.clone() });
    }
    if !(SITTING_MINUTES_MIN..=SITTING_MINUTES_MAX).contains(&plan.duration_min) {
        return Err(PlanFault::Duration { sitting, minutes: plan.duration_min });
    }
    if plan.hq_grants.len() > GRANTS_MAX {
        return Err(PlanFault::TooManyGrants { sitting, found: plan.hq_grants.len() });
    }
    Ok(())
}

/// Checks a roster against the plan it belongs to.
///
/// # Errors
/// The first [`PlanFault`].
pub fn check_roster(manifest: &Manifest, roster: &Roster) -> Result<(), PlanFault> {
    if roster.candidates.len() > CANDIDATES_MAX {
        return Err(PlanFault::TooManyCandidates { found: roster.candidates.len() });
    }
    let mut people = BTreeSet::new();
    let mut id_numbers: BTreeMap<&str, &AdmissionNo> = BTreeMap::new();
    let mut desks: BTreeMap<(&SittingId, SeatNo), &AdmissionNo> = BTreeMap::new();
    for entry in &roster.candidates {
        let admission_no = entry.admission_no.clone();
        if !people.insert(&entry.admission_no) {
            return Err(PlanFault::DuplicateCandidate { admission_no });
        }
        if let Some(first) = id_numbers.insert(&entry.id_number, &entry.admission_no) {
            return Err(PlanFault::SameIdNumber { first: first.clone(), second: admission_no });
        }
        if entry.places.is_empty() {
            return Err(PlanFault::NoPlace { admission_no });
        }
        if entry.photo.as_ref().is_some_and(|photo| !manifest.members.iter().any(|m| &m.name == photo)) {
            return Err(PlanFault::PhotoMissing { admission_no });
        }
        let mut sittings = BTreeSet::new();
        for place in &entry.places {
            if !sittings.insert(&place.sitting) {
                return Err(PlanFault::TwicePlaced { admission_no, sitting: place.sitting.clone() });
            }
            check_desk(manifest, &admission_no, &place.sitting, place.seat)?;
            if let Some(first) = desks.insert((&place.sitting, place.seat), &entry.admission_no) {
                let (first, sitting) = (first.clone(), place.sitting.clone());
                return Err(PlanFault::SeatShared { first, second: admission_no, sitting, seat: place.seat });
            }
        }
    }
    Ok(())
}

fn check_desk(manifest: &Manifest, who: &AdmissionNo, sitting: &SittingId, seat: SeatNo) -> Result<(), PlanFault> {
    let Some(plan) = manifest.sittings.iter().find(|plan| &plan.sitting == sitting) else {
        return Err(PlanFault::SittingUnknown { admission_no: who.clone(), sitting: sitting.clone() });
    };
    let room = manifest.rooms.iter().find(|room| room.room == plan.room);
    if room.is_some_and(|room| room.seats.contains(&seat)) {
        return Ok(());
    }
    Err(PlanFault::SeatUnknown { admission_no: who.clone(), sitting: sitting.clone(), room: plan.room.clone(), seat })
}
