//! The inspector's visits (巡考, HB-33): at the start, at the end, at least once between, each written down. Which part a visit
//! belongs to follows from the clock. Never changes what was written: a second note stands beside the first.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::{
        numbers::{VISIT_NOTES_MAX, VISITS_PER_SITTING_MAX},
        people::given,
    },
    state::{Findings, Visit},
};
use exam_protocol::{
    code::Refusal,
    ids::{RoomId, SittingId, StationId},
    message::duty::{FINDINGS_CHARS_MAX, VisitId, VisitPart},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// An inspector is in the room.
#[derive(Clone, Debug)]
pub struct BeginVisit {
    /// In the room of which sitting.
    pub sitting: SittingId,
    /// Who.
    pub by: StationId,
}

impl Wanted for BeginVisit {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Visit)?;
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Visit)?;
        if site.visits_of(&self.sitting).count() >= VISITS_PER_SITTING_MAX {
            return Err(Refusal::TooMany { max: VISITS_PER_SITTING_MAX as u32 });
        }
        let visit = VisitId(site.visits.by_id.len() as u64 + 1);
        let (room, part) = (sitting.plan.room.clone(), site.visit_part(sitting, now.at));
        Ok(vec![VisitBegan { visit, sitting: self.sitting.clone(), room, part, by }.into()])
    }
}

/// An inspector writes down what was found.
#[derive(Clone, Debug)]
pub struct NoteVisit {
    /// Which visit.
    pub visit: VisitId,
    /// In words.
    pub findings: String,
    /// Who.
    pub by: StationId,
}

impl Wanted for NoteVisit {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Visit)?;
        given(&self.findings, FINDINGS_CHARS_MAX)?;
        let visit = site.visits.by_id.get(&self.visit).ok_or(Refusal::RecordUnknown)?;
        site.fits_phase(site.sitting(&visit.sitting)?, Act::Visit)?;
        if visit.notes.len() >= VISIT_NOTES_MAX {
            return Err(Refusal::TooMany { max: VISIT_NOTES_MAX as u32 });
        }
        let (sitting, findings) = (visit.sitting.clone(), self.findings.clone());
        Ok(vec![VisitNoted { visit: self.visit, sitting, findings, by }.into()])
    }
}

/// 巡考开始.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitBegan {
    /// The new visit.
    pub visit: VisitId,
    /// Of which sitting.
    pub sitting: SittingId,
    /// In which room.
    pub room: RoomId,
    /// In which part of the sitting.
    pub part: VisitPart,
    /// Who.
    pub by: Actor,
}

impl Happened for VisitBegan {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let visit = Visit {
            id: self.visit,
            sitting: self.sitting.clone(),
            part: self.part,
            by: self.by.clone(),
            began_at: now.at,
            notes: Vec::new(),
        };
        site.visits.by_id.insert(self.visit, visit);
    }
}

/// 巡考已记录.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitNoted {
    /// Which visit.
    pub visit: VisitId,
    /// Of which sitting.
    pub sitting: SittingId,
    /// In words.
    pub findings: String,
    /// Who.
    pub by: Actor,
}

impl Happened for VisitNoted {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(visit) = site.visits.by_id.get_mut(&self.visit) {
            visit.notes.push(Findings { text: self.findings.clone(), at: now.at, by: self.by.clone() });
        }
    }
}
