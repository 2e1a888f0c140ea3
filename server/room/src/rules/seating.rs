//! Which machine stands at which desk (HB-07: one candidate, one machine, one seat). Never moves a machine under a
//! signed-in candidate.

use crate::{
    Fact, Scope, Site,
    rule::{Happened, Tell, Wanted},
};
use exam_protocol::{
    code::Refusal,
    ids::{SeatRef, StationId},
    seal::SealBreak,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// A machine says at which desk it stands.
#[derive(Clone, Debug)]
pub struct TakeDesk {
    /// Which machine.
    pub station: StationId,
    /// Which desk.
    pub seat: SeatRef,
}

impl Wanted for TakeDesk {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let station = site.stations.get(&self.station).ok_or(Refusal::RoleMayNot)?;
        if station.seat.as_ref() == Some(&self.seat) {
            return Ok(Vec::new());
        }
        let room = site.rooms.get(&self.seat.room).ok_or(Refusal::SeatUnknown)?;
        if !room.seats.contains(&self.seat.seat) && !room.spares.contains(&self.seat.seat) {
            return Err(Refusal::SeatUnknown);
        }
        if site.desks.get(&self.seat).is_some_and(|other| other != &self.station) {
            return Err(Refusal::SeatTaken);
        }
        if site.attempt_at(&self.station).is_some() {
            return Err(Refusal::SeatInUse);
        }
        let mut facts: Vec<Fact> = vec![DeskTaken { station: self.station.clone(), seat: self.seat.clone() }.into()];
        facts.extend(site.breaks(&self.seat.room, &SealBreak::MachineChanged { seat: self.seat.seat }));
        if let Some(left) = station.seat.as_ref().filter(|left| left.room != self.seat.room) {
            facts.extend(site.breaks(&left.room, &SealBreak::MachineChanged { seat: left.seat }));
        }
        Ok(facts)
    }
}

/// A machine stands at a desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskTaken {
    /// Which machine.
    pub station: StationId,
    /// Which desk.
    pub seat: SeatRef,
}

impl Happened for DeskTaken {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(station) = site.stations.get_mut(&self.station) else { return };
        if let Some(left) = station.seat.replace(self.seat.clone()) {
            site.desks.remove(&left);
        }
        site.desks.insert(self.seat.clone(), self.station.clone());
    }

    fn tell(&self, _: &Site) -> Vec<Tell> {
        vec![Tell::Seat(self.station.clone())]
    }
}
