//! What is derived from the state: whose desk, which sitting, when an attempt ends. Changes nothing.

use super::{Attempt, Candidate, End, Site, Sitting, Stage};
use crate::{
    rule::{Tell, earliest},
    rules::numbers::Numbers,
};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{AdmissionNo, RoomId, SeatNo, SittingId, StationId},
    message::candidate::AttemptId,
    time::SiteMs,
};

impl Site {
    /// The sitting with this id.
    ///
    /// # Errors
    /// [`Refusal::SittingUnknown`].
    pub fn sitting(&self, id: &SittingId) -> Result<&Sitting, Refusal> {
        self.sittings.get(id).ok_or(Refusal::SittingUnknown)
    }

    /// The sitting that is admitting or running in a room: at most one.
    pub fn open_sitting(&self, room: &RoomId) -> Option<&Sitting> {
        self.sittings
            .values()
            .find(|s| &s.plan.room == room && matches!(s.stage, Stage::Admitting { .. } | Stage::Running { .. }))
    }

    /// The sitting a desk of this room is part of now, or next, or was last.
    pub fn current_sitting(&self, room: &RoomId) -> Option<&Sitting> {
        let here = || self.sittings.values().filter(|s| &s.plan.room == room);
        let next = || here().filter(|s| s.stage == Stage::Prepared).min_by_key(|s| s.plan.planned_start);
        let last = || here().filter(|s| matches!(s.stage, Stage::Ended { .. })).max_by_key(|s| s.started());
        self.open_sitting(room).or_else(next).or_else(last)
    }

    /// The handbook's numbers for a sitting.
    pub fn numbers(&self, sitting: &Sitting) -> Numbers {
        Numbers::of(&self.exams.get(&sitting.exam).map(|exam| exam.rules).unwrap_or_default())
    }

    /// Desk of a candidate in a sitting.
    pub fn place(&self, admission_no: &AdmissionNo, sitting: &SittingId) -> Option<SeatNo> {
        self.candidates.get(admission_no)?.places.get(sitting).copied()
    }

    /// Candidates of a sitting.
    pub fn expected<'a>(&'a self, sitting: &'a SittingId) -> impl Iterator<Item = &'a AdmissionNo> {
        self.expected_candidates(sitting).map(|(no, _)| no)
    }

    /// Candidates of a sitting with what is known of them.
    pub fn expected_candidates<'a>(
        &'a self,
        sitting: &'a SittingId,
    ) -> impl Iterator<Item = (&'a AdmissionNo, &'a Candidate)> {
        self.candidates.iter().filter(move |(_, candidate)| candidate.places.contains_key(sitting))
    }

    /// Attempts of a sitting, by admission number.
    pub fn attempts_of<'a>(&'a self, sitting: &SittingId) -> impl Iterator<Item = &'a Attempt> {
        self.sittings.get(sitting).into_iter().flat_map(|s| s.attempts.values()).filter_map(|id| self.attempts.get(id))
    }

    /// The attempt at this machine that belongs to the room's current sitting and is not over: it holds the desk.
    pub fn attempt_at(&self, station: &StationId) -> Option<&Attempt> {
        let attempt = self.attempts.get(self.stations.get(station)?.attempt.as_ref()?)?;
        let sitting = self.sittings.get(&attempt.sitting)?;
        (attempt.station == *station && !matches!(sitting.stage, Stage::Ended { .. })).then_some(attempt)
    }

    /// When the candidate's time began: at the start, or at admission for who came later. None before both.
    pub fn began(&self, attempt: &Attempt) -> Option<SiteMs> {
        let started = self.sittings.get(&attempt.sitting)?.started()?;
        Some(started.max(attempt.admitted_at?))
    }

    /// How an attempt stands.
    pub fn attempt_state(&self, attempt: &Attempt, at: SiteMs) -> SeatState {
        if attempt.handed_in.is_some() {
            return SeatState::HandedIn;
        }
        if attempt.terminated_at.is_some() {
            return SeatState::Terminated;
        }
        let ended = self.sittings.get(&attempt.sitting).is_some_and(|s| matches!(s.stage, Stage::Ended { .. }));
        match (attempt.admitted_at, self.end(attempt)) {
            _ if ended => SeatState::Stopped,
            (None, _) if attempt.attendance.denied.is_some() => SeatState::Denied,
            (None, _) => SeatState::SignedIn,
            (Some(_), End::NotBegun) => SeatState::Admitted,
            (Some(_), End::At(ends)) if at >= ends => SeatState::Stopped,
            (Some(_), _) if attempt.attendance.out().is_some() => SeatState::Away,
            (Some(_), End::Frozen(_)) => SeatState::Paused,
            (Some(_), End::At(_)) => SeatState::Working,
        }
    }

    /// Every machine at a desk of this room must hear.
    pub(crate) fn seats_of_room(&self, room: &RoomId) -> Vec<Tell> {
        self.desks
            .iter()
            .filter(|(desk, _)| &desk.room == room)
            .map(|(_, station)| Tell::Seat(station.clone()))
            .collect()
    }

    /// Every machine that carries an attempt of this sitting, and every machine of its room, must hear.
    pub(crate) fn seats_of_sitting(&self, sitting: &SittingId) -> Vec<Tell> {
        self.sittings.get(sitting).map(|sitting| self.seats_of_room(&sitting.plan.room)).unwrap_or_default()
    }

    /// The machine that carries an attempt must hear.
    pub(crate) fn seat_of(&self, attempt: AttemptId) -> Vec<Tell> {
        self.attempts.get(&attempt).map(|attempt| Tell::Seat(attempt.station.clone())).into_iter().collect()
    }

    /// When time itself has something to say next: the end of a running sitting, or of its entry.
    pub fn next_wake(&self) -> Option<SiteMs> {
        let each = self.sittings.values();
        earliest(each.flat_map(|sitting| [self.last_end(sitting), self.entry_closes(sitting)]).flatten())
    }
}
