//! Visits of the inspector (HB-33), and which are still missing. Nothing but the sum of its facts.

use super::{End, Sitting, Stage};
use crate::{
    authority::Actor,
    rules::numbers::{VISIT_END_MS, VISIT_START_MS},
};
use exam_protocol::{
    ids::SittingId,
    message::duty::{VisitId, VisitPart},
    time::SiteMs,
};
use std::collections::BTreeMap;

/// All visits of the site.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    /// Every visit.
    pub by_id: BTreeMap<VisitId, Visit>,
}

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Which.
    pub id: VisitId,
    /// In the room of which sitting.
    pub sitting: SittingId,
    /// In which part of it.
    pub part: VisitPart,
    /// Who.
    pub by: Actor,
    /// When it began.
    pub began_at: SiteMs,
    /// What was found, each time it was written down; the last one holds.
    pub notes: Vec<Findings>,
}

/// What an inspector wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// In words.
    pub text: String,
    /// When.
    pub at: SiteMs,
    /// Who.
    pub by: Actor,
}

impl crate::Site {
    /// Which part of a sitting `at` is: the start reaches from the preparations to 30 minutes after the paper was released, the
    /// end begins 15 minutes before the sitting's own end; of a short sitting each has a third.
    pub fn visit_part(&self, sitting: &Sitting, at: SiteMs) -> VisitPart {
        let third = sitting.duration_ms() / 3;
        let Stage::Running { started } = sitting.stage else {
            let over = matches!(sitting.stage, Stage::Ended { .. });
            return if over { VisitPart::End } else { VisitPart::Start };
        };
        let left = match self.natural_end(sitting, None) {
            End::At(end) => end.since(at),
            End::Frozen(left) => left,
            End::NotBegun => sitting.duration_ms(),
        };
        if left <= VISIT_END_MS.min(third) {
            VisitPart::End
        } else if at.since(started) <= VISIT_START_MS.min(third) {
            VisitPart::Start
        } else {
            VisitPart::Between
        }
    }

    /// Visits of a sitting, in order.
    pub fn visits_of<'a>(&'a self, sitting: &'a SittingId) -> impl Iterator<Item = &'a Visit> {
        self.visits.by_id.values().filter(move |visit| &visit.sitting == sitting)
    }

    /// Parts of a sitting without a visit that was written down (HB-33).
    pub fn visits_missing(&self, sitting: &SittingId) -> Vec<VisitPart> {
        let noted =
            |part: VisitPart| self.visits_of(sitting).any(|visit| visit.part == part && !visit.notes.is_empty());
        VisitPart::ALL.into_iter().filter(|part| !noted(*part)).collect()
    }
}
