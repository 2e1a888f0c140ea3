//! Whether a plan can be: desks, sittings and papers that exist, nobody twice, no desk for two, no answer key with a real
//! paper. One check for three readers: HQ before building, the importer before believing, the room's rule before deciding.
//! Never changes anything, and never sees a name.

use super::{CANDIDATES_MAX, Place, RoomPlan, SITTING_MINUTES_MAX, SITTING_MINUTES_MIN, SittingPlan, TITLE_CHARS_MAX};
use crate::{
    grant::GRANTS_MAX,
    ids::{AdmissionNo, PaperId, RoomId, SeatNo, SittingId},
};
use std::collections::{BTreeMap, BTreeSet};

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
    /// An answer key in a package is for mock papers only: with a real paper it would be on site before the exam.
    #[error(
        "paper {0} carries its answer key (答案) but is not a mock paper: only papers of mock sittings (模拟考试) may"
    )]
    KeyOfRealPaper(PaperId),
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

/// What a package says in the clear, wherever it is written.
#[derive(Clone, Copy, Debug)]
pub struct PlanText<'a> {
    /// Title of the exam.
    pub exam_title: &'a str,
    /// Rooms.
    pub rooms: &'a [RoomPlan],
    /// Sittings.
    pub sittings: &'a [SittingPlan],
    /// Papers.
    pub papers: &'a [PaperText<'a>],
}

/// What a package says of one paper.
#[derive(Clone, Copy, Debug)]
pub struct PaperText<'a> {
    /// Which.
    pub paper: &'a PaperId,
    /// The paper whose place it may take.
    pub backup_of: Option<&'a PaperId>,
    /// Whether its answer key comes with it.
    pub has_key: bool,
}

impl PlanText<'_> {
    /// Checks rooms, sittings and papers.
    ///
    /// # Errors
    /// The first [`PlanFault`].
    pub fn check(&self) -> Result<(), PlanFault> {
        title("the exam", self.exam_title)?;
        let mut rooms = BTreeSet::new();
        for room in self.rooms {
            if !rooms.insert(&room.room) {
                return Err(PlanFault::DuplicateRoom(room.room.clone()));
            }
            check_room(room)?;
        }
        let mut papers = BTreeSet::new();
        if let Some(twice) = self.papers.iter().find(|entry| !papers.insert(entry.paper)) {
            return Err(PlanFault::DuplicatePaper(twice.paper.clone()));
        }
        if self.sittings.is_empty() {
            return Err(PlanFault::NoSittings);
        }
        let mut sittings = BTreeSet::new();
        for sitting in self.sittings {
            if !sittings.insert(&sitting.sitting) {
                return Err(PlanFault::DuplicateSitting(sitting.sitting.clone()));
            }
            check_sitting(sitting, &rooms, &papers)?;
        }
        self.check_papers_apart()
    }

    /// A backup paper stands for a planned paper and is nobody's own; a mock paper is no real sitting's, because its code is
    /// given out early; an answer key comes with mock papers only.
    fn check_papers_apart(&self) -> Result<(), PlanFault> {
        for entry in self.papers {
            let own = entry.paper;
            let backup_fits = |of: &PaperId| self.planned(own).next().is_none() && self.planned(of).next().is_some();
            if !entry.backup_of.is_none_or(backup_fits) {
                return Err(PlanFault::Backup(own.clone()));
            }
            let mut stands_for = self.planned(entry.backup_of.unwrap_or(own)).peekable();
            if entry.has_key && (stands_for.peek().is_none() || stands_for.any(|sitting| !sitting.mock)) {
                return Err(PlanFault::KeyOfRealPaper(own.clone()));
            }
        }
        for mock in self.sittings.iter().filter(|sitting| sitting.mock) {
            if self.planned(&mock.paper).any(|sitting| !sitting.mock) {
                return Err(PlanFault::MockPaper { sitting: mock.sitting.clone(), paper: mock.paper.clone() });
            }
        }
        Ok(())
    }

    /// Sittings planned with a paper.
    fn planned<'p>(&'p self, paper: &'p PaperId) -> impl Iterator<Item = &'p SittingPlan> {
        self.sittings.iter().filter(move |sitting| sitting.paper == *paper)
    }

    /// Checks who sits where.
    ///
    /// # Errors
    /// The first [`PlanFault`].
    pub fn check_places<'a>(
        &self,
        listed: impl ExactSizeIterator<Item = (&'a AdmissionNo, &'a [Place])>,
    ) -> Result<(), PlanFault> {
        if listed.len() > CANDIDATES_MAX {
            return Err(PlanFault::TooManyCandidates { found: listed.len() });
        }
        let mut people = BTreeSet::new();
        let mut desks: BTreeMap<(&SittingId, SeatNo), &AdmissionNo> = BTreeMap::new();
        for (who, places) in listed {
            if !people.insert(who) {
                return Err(PlanFault::DuplicateCandidate { admission_no: who.clone() });
            }
            if places.is_empty() {
                return Err(PlanFault::NoPlace { admission_no: who.clone() });
            }
            let mut sittings = BTreeSet::new();
            for place in places {
                let (admission_no, sitting) = (who.clone(), place.sitting.clone());
                if !sittings.insert(&place.sitting) {
                    return Err(PlanFault::TwicePlaced { admission_no, sitting });
                }
                self.check_desk(who, place)?;
                if let Some(first) = desks.insert((&place.sitting, place.seat), who) {
                    let (first, second, seat) = (first.clone(), admission_no, place.seat);
                    return Err(PlanFault::SeatShared { first, second, sitting, seat });
                }
            }
        }
        Ok(())
    }

    fn check_desk(&self, who: &AdmissionNo, place: &Place) -> Result<(), PlanFault> {
        let (admission_no, sitting) = (who.clone(), place.sitting.clone());
        let Some(plan) = self.sittings.iter().find(|plan| plan.sitting == place.sitting) else {
            return Err(PlanFault::SittingUnknown { admission_no, sitting });
        };
        let room = self.rooms.iter().find(|room| room.room == plan.room);
        if room.is_some_and(|room| room.seats.contains(&place.seat)) {
            return Ok(());
        }
        Err(PlanFault::SeatUnknown { admission_no, sitting, room: plan.room.clone(), seat: place.seat })
    }
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
