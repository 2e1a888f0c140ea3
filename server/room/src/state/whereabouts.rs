//! Where each candidate belongs (HB-31), who is at a desk, and whether anybody answers for a machine. Names stay sealed: the
//! search itself is the shell's.

use super::{Candidate, Site, Sitting};
use crate::authority::Actor;
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{AdmissionNo, SeatNo, SeatRef, SittingId, StationId},
    message::{candidate::AttemptId, hello::Role},
    time::SiteMs,
};

/// A candidate's place in one sitting.
#[derive(Clone, Debug)]
pub struct Whereabouts<'a> {
    /// Which sitting.
    pub sitting: &'a Sitting,
    /// At which desk: where the candidate sits, else where the plan says.
    pub seat: SeatRef,
    /// How the candidate stands there.
    pub state: SeatState,
}

impl Site {
    /// Where a candidate belongs, in the order of the day.
    pub fn whereabouts<'a>(&'a self, no: &AdmissionNo, candidate: &Candidate, at: SiteMs) -> Vec<Whereabouts<'a>> {
        let place = |(sitting, planned): (&SittingId, &SeatNo)| {
            let sitting = self.sittings.get(sitting)?;
            let attempt = sitting.attempts.get(no).and_then(|id| self.attempts.get(id));
            let absent = if sitting.absent.contains(no) { SeatState::Absent } else { SeatState::Waiting };
            let state = attempt.map_or(absent, |attempt| self.attempt_state(attempt, at));
            let seat = attempt.map_or(*planned, |attempt| attempt.seat);
            Some(Whereabouts { sitting, seat: SeatRef { room: sitting.plan.room.clone(), seat }, state })
        };
        let mut places: Vec<_> = candidate.places.iter().filter_map(place).collect();
        places.sort_by_key(|place| place.sitting.plan.planned_start);
        places
    }

    /// The attempt at a desk of a sitting; the open one where a desk has seen two.
    ///
    /// # Errors
    /// [`Refusal::SittingUnknown`], or [`Refusal::AttemptUnknown`] where nobody has signed in.
    pub fn attempt_on_desk(&self, sitting: &SittingId, seat: SeatNo) -> Result<AttemptId, Refusal> {
        self.sitting(sitting)?;
        let here = self.attempts_of(sitting).filter(|attempt| attempt.seat == seat);
        here.max_by_key(|attempt| (attempt.is_open(), attempt.id)).map(|a| a.id).ok_or(Refusal::AttemptUnknown)
    }

    /// Whoever answers for a machine, whatever their role. The administrator's machine answers for itself.
    ///
    /// # Errors
    /// [`Refusal::NobodySignedOn`].
    pub fn somebody(&self, station: &StationId) -> Result<Actor, Refusal> {
        let machine = self.stations.get(station).ok_or(Refusal::RoleMayNot)?;
        let active = machine.staff.as_ref().filter(|account| self.accounts.get(*account).is_some_and(|a| a.active));
        match (active, machine.role) {
            (None, Role::Console | Role::Station | Role::Guest) => Err(Refusal::NobodySignedOn),
            (account, _) => Ok(Actor { station: station.clone(), account: account.cloned() }),
        }
    }
}
