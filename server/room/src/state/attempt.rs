//! An attempt: one candidate in one sitting, with every version of every answer.

use super::Attendance;
use crate::rules::sign_in::SignedIn;
use exam_protocol::{
    answer::Answer,
    ids::{AdmissionNo, ItemId, SeatNo, Sha256, SittingId, StationId},
    message::candidate::AttemptId,
    time::SiteMs,
};
use std::collections::BTreeMap;

/// One candidate in one sitting.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub admission_no: AdmissionNo,
    /// The one machine that may write.
    pub station: StationId,
    /// At which desk.
    pub seat: SeatNo,
    /// Seed of the order of items and options.
    pub order_seed: u64,
    /// When the candidate signed in.
    pub signed_in_at: SiteMs,
    /// When the candidate was admitted.
    pub admitted_at: Option<SiteMs>,
    /// When it was handed in, and the receipt.
    pub handed_in: Option<(SiteMs, String)>,
    /// When the candidate's exam was ended by a decision.
    pub terminated_at: Option<SiteMs>,
    /// Answers by item.
    pub answers: BTreeMap<ItemId, AnswerLog>,
    /// Answer versions kept.
    pub versions: u64,
    /// Coming, going and sitting.
    pub attendance: Attendance,
    /// Where the candidate last was, and when: the item last answered, or on screen at a swap.
    pub last_item: Option<(SiteMs, ItemId)>,
}

/// All versions of one item's answer. Only the newest is kept whole in memory; the journal has them all.
#[derive(Clone, Debug, Default)]
pub struct AnswerLog {
    /// The newest version.
    pub newest: Option<Version>,
    /// What tells each version from another.
    pub versions: BTreeMap<u32, Sha256>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
}

impl Attempt {
    /// An attempt that has just begun to exist.
    pub(crate) fn new(signed_in: &SignedIn, at: SiteMs) -> Self {
        Self {
            id: signed_in.attempt,
            sitting: signed_in.sitting.clone(),
            admission_no: signed_in.admission_no.clone(),
            station: signed_in.station.clone(),
            seat: signed_in.seat,
            order_seed: signed_in.order_seed,
            signed_in_at: at,
            admitted_at: None,
            handed_in: None,
            terminated_at: None,
            answers: BTreeMap::new(),
            versions: 0,
            attendance: Attendance::default(),
            last_item: None,
        }
    }

    /// The candidate was at this item; what arrives late does not lead back.
    pub(crate) fn was_at(&mut self, at: SiteMs, item: &ItemId) {
        match &mut self.last_item {
            Some((known, _)) if *known > at => {}
            // A candidate mostly stays at an item: its name is written only when it changes.
            Some((known, last)) if last == item => *known = at,
            last => *last = Some((at, item.clone())),
        }
    }

    /// Whether the candidate may still work, time permitting.
    pub fn is_open(&self) -> bool {
        self.handed_in.is_none() && self.terminated_at.is_none()
    }

    /// Whether the sitting waits for the candidate: admitted, or to be admitted again after the attempt was reopened.
    pub(crate) fn is_expected_to_work(&self) -> bool {
        let returns = self.attendance.rest.is_some() && self.attendance.denied.is_none();
        self.is_open() && (self.admitted_at.is_some() || returns)
    }

    /// Digest of a known version.
    pub fn version(&self, item: &ItemId, number: u32) -> Option<Sha256> {
        self.answers.get(item)?.versions.get(&number).copied()
    }

    /// Items with an answer given.
    pub fn answered(&self) -> usize {
        self.answers.values().filter(|log| log.newest.as_ref().is_some_and(|newest| newest.answer.is_given())).count()
    }
}
