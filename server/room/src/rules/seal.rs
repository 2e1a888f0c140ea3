//! The seal (封场, HB-10, HB-11): machines report, people confirm, administrator and staff sign; a later change breaks it
//! for everybody to see. Never lets a person tick away what a machine says.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        numbers::VERSION_CHARS_MAX,
        people::{REASON_CHARS_MAX, given},
    },
    state::{Confirmed, SealState, Sitting, measured},
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, SeatNo, SittingId, StationId},
    message::{hello::Role, readiness::SeatReport},
    seal::{CheckStanding, SealBreak, SealCheck},
    staff::{Act, StaffRole},
    time::Now,
};
use serde::{Deserialize, Serialize};

/// A machine says what it found out about itself.
#[derive(Clone, Debug)]
pub struct ReportSeat {
    /// Which machine.
    pub station: StationId,
    /// What it found.
    pub report: SeatReport,
}

impl Wanted for ReportSeat {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let machine =
            site.stations.get(&self.station).filter(|m| m.role == Role::Station).ok_or(Refusal::RoleMayNot)?;
        given(&self.report.version, VERSION_CHARS_MAX)?;
        let before = site.readiness.reports.get(&self.station);
        if before.is_some_and(|before| says_the_same(before, &self.report)) {
            return Ok(Vec::new());
        }
        let told = SeatReported { station: self.station.clone(), report: self.report.clone() }.into();
        let mut facts = vec![told];
        if let Some(seat) = &machine.seat {
            let sealed = site.sealed().filter(|sitting| sitting.plan.room == seat.room);
            facts.extend(sealed.filter_map(|sitting| self.breaks(sitting, before, seat.seat)));
        }
        Ok(facts)
    }
}

impl ReportSeat {
    /// Whether a seal that held with the report before holds with this one.
    fn breaks(&self, sitting: &Sitting, before: Option<&SeatReport>, seat: SeatNo) -> Option<Fact> {
        let met = |check: &SealCheck| {
            let by_hand = || sitting.seal.confirmed.contains_key(&(*check, Some(seat)));
            measured(&self.report, *check).unwrap_or_else(by_hand)
        };
        let bad = SealCheck::OF_SEAT.into_iter().find(|check| !met(check));
        let why = match (bad, before) {
            (Some(check), _) => SealBreak::ReportBad { seat, check },
            (None, Some(before)) if before.version != self.report.version => SealBreak::ClientChanged { seat },
            (None, _) => return None,
        };
        Some(SealBroken { sitting: sitting.plan.sitting.clone(), why }.into())
    }
}

/// Whether two reports mean the same: offsets and free space move all the time, verdicts do not.
fn says_the_same(before: &SeatReport, now: &SeatReport) -> bool {
    let verdicts = |report: &SeatReport| SealCheck::OF_SEAT.map(|check| measured(report, check));
    verdicts(before) == verdicts(now)
        && before.version == now.version
        && before.foreign_programs == now.foreign_programs
}

/// A machine's findings changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatReported {
    /// Which machine.
    pub station: StationId,
    /// What it found.
    pub report: SeatReport,
}

impl Happened for SeatReported {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        site.readiness.reports.insert(self.station.clone(), self.report.clone());
    }
}

/// A person has looked at what no machine can tell.
#[derive(Clone, Debug)]
pub struct ConfirmCheck {
    /// For which sitting.
    pub sitting: SittingId,
    /// Which check.
    pub check: SealCheck,
    /// At which desk; none for the room.
    pub seat: Option<SeatNo>,
    /// What was seen; required for a desk's check, because there a machine should have said it.
    pub note: String,
    /// Who looked.
    pub by: StationId,
}

impl Wanted for ConfirmCheck {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Seal)?;
        if self.seat.is_some() || !self.note.is_empty() {
            given(&self.note, REASON_CHARS_MAX)?;
        }
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Seal)?;
        of_this_room(site, sitting, self.check, self.seat)?;
        match site.check_standing(sitting, self.check, self.seat) {
            CheckStanding::Measured | CheckStanding::Confirmed => return Ok(Vec::new()),
            CheckStanding::Bad => return Err(Refusal::CheckMeasured),
            CheckStanding::Missing => {}
        }
        let Self { sitting, check, seat, note, .. } = self.clone();
        Ok(vec![CheckConfirmed { sitting, check, seat, note, by }.into()])
    }
}

/// A desk's check is asked of a desk with a machine, a room's check of no desk.
fn of_this_room(site: &Site, sitting: &Sitting, check: SealCheck, seat: Option<SeatNo>) -> Result<(), Refusal> {
    let has_machine = |seat: SeatNo| {
        let desk = exam_protocol::ids::SeatRef { room: sitting.plan.room.clone(), seat };
        site.desks.contains_key(&desk)
    };
    match seat {
        None if !check.is_of_seat() => Ok(()),
        Some(seat) if check.is_of_seat() && has_machine(seat) => Ok(()),
        None | Some(_) => Err(Refusal::SeatUnknown),
    }
}

/// A check was made by a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckConfirmed {
    /// For which sitting.
    pub sitting: SittingId,
    /// Which check.
    pub check: SealCheck,
    /// At which desk.
    pub seat: Option<SeatNo>,
    /// What was seen.
    pub note: String,
    /// Who.
    pub by: Actor,
}

impl Happened for CheckConfirmed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            let confirmed = Confirmed { by: self.by.clone(), at: now.at, note: self.note.clone() };
            sitting.seal.confirmed.insert((self.check, self.seat), confirmed);
        }
    }
}

/// A check a person made no longer holds.
#[derive(Clone, Debug)]
pub struct WithdrawCheck {
    /// For which sitting.
    pub sitting: SittingId,
    /// Which check.
    pub check: SealCheck,
    /// At which desk.
    pub seat: Option<SeatNo>,
    /// Why.
    pub reason: String,
    /// Who takes it back.
    pub by: StationId,
}

impl Wanted for WithdrawCheck {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Seal)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Seal)?;
        if !sitting.seal.confirmed.contains_key(&(self.check, self.seat)) {
            return Err(Refusal::RecordUnknown);
        }
        let counted = site.check_standing(sitting, self.check, self.seat) == CheckStanding::Confirmed;
        let Self { sitting: id, check, seat, reason, .. } = self.clone();
        let mut facts: Vec<Fact> = vec![CheckWithdrawn { sitting: id.clone(), check, seat, reason, by }.into()];
        if counted && sitting.seal.is_intact() {
            facts.push(SealBroken { sitting: id, why: SealBreak::CheckWithdrawn { check } }.into());
        }
        Ok(facts)
    }
}

/// A check was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckWithdrawn {
    /// For which sitting.
    pub sitting: SittingId,
    /// Which check.
    pub check: SealCheck,
    /// At which desk.
    pub seat: Option<SeatNo>,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Happened for CheckWithdrawn {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.seal.confirmed.remove(&(self.check, self.seat));
        }
    }
}

/// Administrator and staff sign; the shell has checked both passwords.
#[derive(Clone, Debug)]
pub struct SealRoom {
    /// For which sitting.
    pub sitting: SittingId,
    /// Who signed, in any order.
    pub signed: Vec<AccountId>,
    /// At which machine.
    pub by: StationId,
}

impl Wanted for SealRoom {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Seal)?;
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Seal)?;
        if sitting.seal.is_intact() {
            return Ok(Vec::new());
        }
        let missing = site.seal_missing(sitting);
        if missing > 0 {
            return Err(Refusal::SealIncomplete { missing });
        }
        let of = |role: StaffRole| {
            self.signed.iter().find(|id| site.accounts.get(id).is_some_and(|a| a.active && a.role == role)).cloned()
        };
        match (of(StaffRole::Admin), of(StaffRole::Staff)) {
            (Some(administrator), Some(staff)) => {
                Ok(vec![RoomSealed { sitting: self.sitting.clone(), administrator, staff, by }.into()])
            }
            _ => Err(Refusal::SecondPersonMissing { needs: vec![StaffRole::Admin, StaffRole::Staff] }),
        }
    }
}

/// 已封场.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomSealed {
    /// For which sitting.
    pub sitting: SittingId,
    /// 系统管理员.
    pub administrator: AccountId,
    /// 工作人员.
    pub staff: AccountId,
    /// At which machine, and who was signed on there.
    pub by: Actor,
}

impl Happened for RoomSealed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            let (administrator, staff) = (self.administrator.clone(), self.staff.clone());
            sitting.seal.state = SealState::Intact { administrator, staff, at: now.at };
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seats_of_sitting(&self.sitting)
    }
}

/// 封场失效: told together with the fact that caused it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealBroken {
    /// Of which sitting.
    pub sitting: SittingId,
    /// What changed.
    pub why: SealBreak,
}

impl Happened for SealBroken {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.seal.state = SealState::Broken { why: self.why.clone(), at: now.at };
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seats_of_sitting(&self.sitting)
    }
}
