//! Machine swap (换机, HB-25): the attempt moves to a spare machine with its order, its answers and its time; the old
//! machine is fenced, and time that was lost is proposed, not given. Never moves an answer: they are the attempt's.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        lost_time,
        numbers::ATTENDANCE_RECORDS_MAX,
        people::{REASON_CHARS_MAX, given},
    },
    state::{Attempt, Former, Sitting},
};
use exam_protocol::{
    code::Refusal,
    ids::{ItemId, SeatNo, SeatRef, SittingId, StationId},
    message::{candidate::AttemptId, hello::Role},
    staff::Act,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// Move an attempt to another machine.
#[derive(Clone, Debug)]
pub struct SwapMachine {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Desk of the machine that takes over, in the same room.
    pub to: SeatNo,
    /// Since when the old machine has been in trouble, as people say.
    pub trouble_since: Option<SiteMs>,
    /// When the server last heard of it, if it is gone; from the shell.
    pub last_contact: Option<SiteMs>,
    /// The item on the old machine's screen when it was last heard of; from the shell.
    pub on_screen: Option<ItemId>,
    /// Why.
    pub reason: String,
    /// Who decides.
    pub by: StationId,
}

impl Wanted for SwapMachine {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Swap)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        let sitting = site.sitting(&attempt.sitting)?;
        site.fits_phase(sitting, Act::Swap)?;
        site.fits_seat(attempt, Act::Swap, now.at)?;
        let station = spare(site, sitting, attempt, self.to)?;
        if attempt.attendance.former.len() >= ATTENDANCE_RECORDS_MAX {
            return Err(Refusal::TooMany { max: ATTENDANCE_RECORDS_MAX as u32 });
        }
        let lost = lost_time::Evidence { declared: self.trouble_since, last_contact: self.last_contact };
        let proposed = lost_time::propose(site, sitting, attempt, lost, by.clone(), now)?;
        let swapped = MachineSwapped {
            sitting: attempt.sitting.clone(),
            attempt: attempt.id,
            from: attempt.station.clone(),
            from_seat: attempt.seat,
            to: station,
            to_seat: self.to,
            trouble_since: self.trouble_since,
            on_screen: self.on_screen.clone(),
            reason: self.reason.clone(),
            by,
        };
        Ok([Some(swapped.into()), proposed].into_iter().flatten().collect())
    }
}

/// The machine at a desk, if it can take over: a station of the same room, free, never used for this attempt, and nobody
/// else is still expected at its desk.
fn spare(site: &Site, sitting: &Sitting, attempt: &Attempt, seat: SeatNo) -> Result<StationId, Refusal> {
    let desk = SeatRef { room: sitting.plan.room.clone(), seat };
    let station = site.desks.get(&desk).ok_or(Refusal::SpareUnfit)?;
    let enrolled = site.stations.get(station).is_some_and(|machine| machine.role == Role::Station);
    let used = site.attempt_at(station).is_some() || attempt.attendance.fenced(station).is_some();
    let expected = site.expected_candidates(sitting.id()).any(|(no, candidate)| {
        let still_to_come = !sitting.attempts.contains_key(no) && !sitting.absent.contains(no);
        still_to_come && candidate.places.get(sitting.id()) == Some(&seat)
    });
    match enrolled && !used && !expected {
        true => Ok(station.clone()),
        false => Err(Refusal::SpareUnfit),
    }
}

/// 已换机.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineSwapped {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// The old machine: fenced for this attempt from now on.
    pub from: StationId,
    /// Its desk.
    pub from_seat: SeatNo,
    /// The new machine.
    pub to: StationId,
    /// Its desk.
    pub to_seat: SeatNo,
    /// Since when the old one was in trouble, as people say.
    pub trouble_since: Option<SiteMs>,
    /// The item on its screen when it was last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_screen: Option<ItemId>,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: Actor,
}

impl Happened for MachineSwapped {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.station = self.to.clone();
            attempt.seat = self.to_seat;
            let former = Former { station: self.from.clone(), seat: self.from_seat, until: now.at };
            attempt.attendance.former.push(former);
            if let Some(item) = &self.on_screen {
                attempt.was_at(now.at, item);
            }
        }
        if let Some(old) = site.stations.get_mut(&self.from) {
            old.attempt = None;
        }
        if let Some(new) = site.stations.get_mut(&self.to) {
            new.attempt = Some(self.attempt);
            new.failures = Default::default();
        }
        if let Some(room) = site.sittings.get(&self.sitting).map(|sitting| sitting.plan.room.clone()) {
            let desk = |seat| SeatRef { room: room.clone(), seat };
            site.messages.follow(&self.sitting, &desk(self.from_seat), &desk(self.to_seat));
        }
    }

    fn tell(&self, _: &Site) -> Vec<Tell> {
        vec![Tell::Seat(self.from.clone()), Tell::Seat(self.to.clone())]
    }
}
