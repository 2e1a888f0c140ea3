//! Who may do what, and when: role × act (from `exam_protocol::staff`), act × phase, act × seat state. One table for the
//! rules, for consoles that grey a button with its sentence, and for the test that walks all of it (F-29).
//! Never looks at a rule's own numbers; those are judged by the rule.

use crate::{
    Fact, Scope,
    state::{Attempt, Site, Sitting},
};
use exam_protocol::{
    code::{Phase, Refusal, SeatState},
    ids::{AccountId, RoomId, StationId},
    message::hello::Role,
    staff::{Act, StaffRole},
    time::SiteMs,
};
use serde::{Deserialize, Serialize};

/// Who acts: a person, at a machine. The administrator's command line may act without a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The machine.
    pub station: StationId,
    /// The person.
    pub account: Option<AccountId>,
}

impl Site {
    /// The person at a machine, if their role may do `act` (HB-04).
    ///
    /// While the site has no accounts at all, the administrator's machine stands in for the chief: somebody has to make
    /// the first account, and a room must run though nobody was entered.
    ///
    /// # Errors
    /// [`Refusal::NobodySignedOn`], [`Refusal::NotYourAct`].
    pub fn actor(&self, station: &StationId, act: Act) -> Result<Actor, Refusal> {
        let machine = self.stations.get(station).ok_or(Refusal::RoleMayNot)?;
        let actor = Actor { station: station.clone(), account: machine.staff.clone() };
        let needs = act.roles();
        let role = match (&machine.staff, machine.role) {
            (Some(account), _) => self.accounts.get(account).filter(|a| a.active).ok_or(Refusal::AccountUnknown)?.role,
            (None, Role::Admin) if self.accounts.is_empty() && needs.contains(&StaffRole::Chief) => StaffRole::Chief,
            (None, Role::Admin) => StaffRole::Admin,
            (None, Role::Console | Role::Station | Role::Guest) => return Err(Refusal::NobodySignedOn),
        };
        if !needs.contains(&role) {
            return Err(Refusal::NotYourAct { act, needs: needs.to_vec() });
        }
        Ok(actor)
    }

    /// The room the person at a machine is confined to (HB-04); none for who answers for the whole site, and for a machine
    /// nobody has signed on at.
    pub fn own_room(&self, station: &StationId) -> Option<&RoomId> {
        let account = self.accounts.get(self.stations.get(station)?.staff.as_ref()?)?;
        account.room.as_ref().filter(|_| account.role.keeps_to_room())
    }

    /// Whether all of this concerns the room of the person at `by`, or the whole site.
    ///
    /// # Errors
    /// [`Refusal::NotYourRoom`].
    pub(crate) fn keeps_to_room(&self, by: &StationId, facts: &[Fact]) -> Result<(), Refusal> {
        let Some(own) = self.own_room(by) else { return Ok(()) };
        let elsewhere = |fact: &Fact| match fact.scope() {
            Scope::Sitting(sitting) => self.sittings.get(&sitting).is_some_and(|sitting| sitting.plan.room != *own),
            Scope::Site => false,
        };
        if facts.iter().any(elsewhere) { Err(Refusal::NotYourRoom { yours: own.clone() }) } else { Ok(()) }
    }

    /// Whether `act` fits where the sitting stands.
    ///
    /// # Errors
    /// [`Refusal::WrongPhase`].
    pub fn fits_phase(&self, sitting: &Sitting, act: Act) -> Result<(), Refusal> {
        let phase = sitting.phase();
        if fits_phase(act, phase) { Ok(()) } else { Err(Refusal::WrongPhase { phase }) }
    }

    /// Whether `act` fits how the seat stands.
    ///
    /// # Errors
    /// [`Refusal::WrongSeatState`].
    pub fn fits_seat(&self, attempt: &Attempt, act: Act, at: SiteMs) -> Result<(), Refusal> {
        let state = self.attempt_state(attempt, at);
        if fits_seat(act, state) { Ok(()) } else { Err(Refusal::WrongSeatState { state }) }
    }
}

/// Act × phase.
pub fn fits_phase(act: Act, phase: Phase) -> bool {
    use Phase::{Admitting, Ended, Exported, Paused, Prepared, Running, Sealed};
    let wanted: &[Phase] = match act {
        Act::OpenDoor => &[Prepared, Sealed],
        Act::Seal => &[Prepared, Sealed, Admitting],
        Act::Admit | Act::Deny => &[Admitting, Running, Paused],
        Act::Start => &[Admitting],
        Act::PauseSeat | Act::ResumeSeat => &[Running, Paused],
        Act::PauseSitting => &[Running],
        Act::ResumeSitting => &[Paused],
        Act::Extend | Act::ExtendByHq => &[Running, Paused],
        Act::LeaveOut => &[Running], // HB-27: in a power cut candidates stay seated
        Act::LeaveBack => &[Running, Paused, Ended], // the time may stop or run out while the candidate is out
        Act::Swap => &[Admitting, Running, Paused],
        Act::ConsentHandIn => &[Running],
        Act::EndAttempt => &[Running, Paused],
        Act::EndSitting => &[Running, Paused],
        Act::CallOff => &[Admitting],
        Act::UseBackupPaper => &[Prepared, Sealed, Admitting, Paused],
        Act::UseBackupPaperAtSeat => &[Admitting, Running, Paused], // the seat itself stands still, its neighbours need not
        Act::CheckIdentity => &[Admitting, Running, Paused],
        Act::Export => &[Ended, Exported],
        Act::Void => &[Running, Paused, Ended, Exported],
        Act::Admonish | Act::Warn => &[Admitting, Running, Paused, Ended, Exported],
        Act::RecordIncident
        | Act::Sign
        | Act::JudgeFinding
        | Act::Tick
        | Act::Message
        | Act::TakeHand
        | Act::KeepPeople
        | Act::Visit => &[Prepared, Sealed, Admitting, Running, Paused, Ended, Exported],
    };
    wanted.contains(&phase)
}

/// Act × seat state, for acts on one seat; acts on a sitting or the site fit every seat.
pub fn fits_seat(act: Act, state: SeatState) -> bool {
    use SeatState::{Admitted, Away, Denied, HandedIn, Paused, SignedIn, Stopped, Terminated, Working};
    let wanted: &[SeatState] = match act {
        Act::Admit => &[SignedIn, Denied],
        Act::Deny => &[SignedIn, Admitted],
        Act::PauseSeat => &[Working, Away],
        Act::ResumeSeat => &[Paused],
        Act::Extend | Act::ExtendByHq => &[Working, Away, Paused, Stopped],
        Act::LeaveOut => &[Working],
        Act::LeaveBack => &[Away, Paused, Stopped, Terminated], // whatever happened meanwhile, coming back is recorded
        Act::Swap => &[SignedIn, Admitted, Working, Away, Paused],
        Act::ConsentHandIn => &[Working],
        Act::EndAttempt => &[SignedIn, Admitted, Working, Away, Paused],
        Act::UseBackupPaperAtSeat => &[SignedIn, Admitted, Paused],
        Act::CheckIdentity => &[SignedIn, Admitted, Working, Away, Paused, HandedIn],
        Act::Void | Act::Admonish | Act::Warn => {
            &[SignedIn, Admitted, Working, Away, Paused, Stopped, HandedIn, Terminated, Denied]
        }
        Act::OpenDoor
        | Act::Start
        | Act::PauseSitting
        | Act::ResumeSitting
        | Act::EndSitting
        | Act::CallOff
        | Act::RecordIncident // HB-34: every emergency, at an empty desk too
        | Act::Sign
        | Act::JudgeFinding
        | Act::Seal
        | Act::Tick
        | Act::Message
        | Act::TakeHand
        | Act::Export
        | Act::KeepPeople
        | Act::Visit
        | Act::UseBackupPaper => return true,
    };
    wanted.contains(&state)
}
