//! Opening the door and letting candidates in (HB-14, F-11). Never lets anybody in who has not signed in.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    state::{Attempt, Stage},
};
use exam_protocol::{
    code::{Phase, Refusal},
    ids::{SeatNo, SittingId, StationId},
    message::candidate::AttemptId,
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Candidates of a sitting may sign in from now on.
#[derive(Clone, Debug)]
pub struct OpenDoor {
    /// Which sitting.
    pub sitting: SittingId,
    /// Who opens.
    pub by: StationId,
}

impl Wanted for OpenDoor {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::OpenDoor)?;
        let sitting = site.sitting(&self.sitting)?;
        if sitting.phase() == Phase::Admitting {
            return Ok(Vec::new());
        }
        site.fits_phase(sitting, Act::OpenDoor)?;
        if let Some(open) = site.open_sitting(&sitting.plan.room) {
            return Err(Refusal::RoomBusy { open: open.plan.sitting.clone() });
        }
        if site.seal_required(sitting) && !sitting.seal.is_intact() {
            // HB-11: with every check made the two signatures are still missing.
            return Err(Refusal::SealIncomplete { missing: site.seal_missing(sitting).max(1) });
        }
        Ok(vec![DoorOpened { sitting: self.sitting.clone(), by }.into()])
    }
}

/// 已开放入场.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorOpened {
    /// Which sitting.
    pub sitting: SittingId,
    /// Who opened.
    pub by: Actor,
}

impl Happened for DoorOpened {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.stage = Stage::Admitting { since: now.at };
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.sittings.get(&self.sitting).map(|sitting| site.seats_of_room(&sitting.plan.room)).unwrap_or_default()
    }
}

/// A proctor checked these candidates.
#[derive(Clone, Debug)]
pub struct AdmitSeats {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which desks; everybody who waits, when empty.
    pub seats: Vec<SeatNo>,
    /// Who admits.
    pub by: StationId,
}

impl Wanted for AdmitSeats {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Admit)?;
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Admit)?;
        // A denied candidate is admitted after all only by name, never with all the others.
        let denied = |attempt: &Attempt| self.seats.is_empty() && attempt.attendance.denied.is_some();
        let waiting = |attempt: &&Attempt| attempt.admitted_at.is_none() && attempt.is_open() && !denied(attempt);
        let chosen = |attempt: &&Attempt| self.seats.is_empty() || self.seats.contains(&attempt.seat);
        if let Some(empty) = self.seats.iter().find(|seat| !site.attempts_of(&self.sitting).any(|a| a.seat == **seat)) {
            let at = exam_protocol::ids::SeatRef { room: sitting.plan.room.clone(), seat: *empty };
            return Err(match site.desks.contains_key(&at) {
                true => Refusal::WrongSeatState { state: exam_protocol::code::SeatState::Waiting },
                false => Refusal::SeatUnknown,
            });
        }
        Ok(site
            .attempts_of(&self.sitting)
            .filter(waiting)
            .filter(chosen)
            .map(|attempt| admitted(&self.sitting, attempt.id, Some(by.clone())))
            .collect())
    }
}

/// The fact that one candidate may begin; no name under it when the plan admits by itself.
pub(crate) fn admitted(sitting: &SittingId, attempt: AttemptId, by: Option<Actor>) -> Fact {
    CandidateAdmitted { sitting: sitting.clone(), attempt, by }.into()
}

/// 已准入.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateAdmitted {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Who admitted; none where the plan admits by itself.
    pub by: Option<Actor>,
}

impl Happened for CandidateAdmitted {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.admitted_at = Some(now.at);
            attempt.attendance.denied = None;
            attempt.attendance.closed.iter_mut().filter(|closed| closed.to.is_none()).for_each(|c| c.to = Some(now.at));
            attempt.attendance.rest.iter_mut().for_each(|rest| rest.since = rest.since.or(Some(now.at)));
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.attempts.get(&self.attempt).map(|attempt| Tell::Seat(attempt.station.clone())).into_iter().collect()
    }
}
