//! How ready a room is (HB-11): what its machines said of themselves, what people confirmed, whether the seal holds.
//! A check's standing is derived, never stored.

use super::{Site, Sitting, Stage};
use crate::{Fact, authority::Actor, rules::numbers::*, rules::seal::SealBroken};
use exam_protocol::{
    ids::{AccountId, RoomId, SeatNo, SeatRef, StationId},
    message::readiness::SeatReport,
    seal::{CheckStanding, SealBreak, SealCheck},
    time::SiteMs,
};
use std::collections::{BTreeMap, BTreeSet};

/// What programs and machines of the site said of themselves.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    /// Version of the server that serves; empty before its first start.
    pub server_version: String,
    /// Newest report of each machine.
    pub reports: BTreeMap<StationId, SeatReport>,
}

/// The seal of one sitting's room.
#[derive(Clone, Debug, Default)]
pub struct Seal {
    /// Checks people made, by desk where they are a desk's.
    pub confirmed: BTreeMap<(SealCheck, Option<SeatNo>), Confirmed>,
    /// Whether it was signed, and holds.
    pub state: SealState,
}

/// A check a person made.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: SiteMs,
    /// What was seen.
    pub note: String,
}

/// Where a seal stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SealState {
    /// Not signed yet.
    #[default]
    Open,
    /// 已封场.
    Intact {
        /// 系统管理员.
        administrator: AccountId,
        /// 工作人员.
        staff: AccountId,
        /// When.
        at: SiteMs,
    },
    /// 封场失效: something changed; a new seal is needed.
    Broken {
        /// What changed.
        why: SealBreak,
        /// When.
        at: SiteMs,
    },
}

impl Seal {
    /// Whether it holds.
    pub fn is_intact(&self) -> bool {
        matches!(self.state, SealState::Intact { .. })
    }
}

/// One check as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub check: SealCheck,
    /// At which desk; none for the room.
    pub seat: Option<SeatNo>,
    /// How it stands.
    pub standing: CheckStanding,
}

impl Site {
    /// Whether the door of a sitting waits for the seal: by the handbook, unless the exam says otherwise; never for a mock.
    pub fn seal_required(&self, sitting: &Sitting) -> bool {
        let of_exam = self.exams.get(&sitting.exam).and_then(|exam| exam.rules.seal_required);
        !sitting.plan.mock && of_exam.unwrap_or(SEAL_REQUIRED)
    }

    /// Desks that count for a sitting's seal: those of its candidates, and every other of the room with a machine.
    pub fn seal_seats(&self, sitting: &Sitting) -> BTreeSet<SeatNo> {
        let of_candidates =
            self.expected_candidates(sitting.id()).filter_map(|(_, c)| c.places.get(sitting.id()).copied());
        let with_machine = self.desks.keys().filter(|desk| desk.room == sitting.plan.room).map(|desk| desk.seat);
        of_candidates.chain(with_machine).collect()
    }

    /// Every check of a sitting's seal as it stands.
    pub fn seal_checks(&self, sitting: &Sitting) -> Vec<Check> {
        let check = |check, seat| Check { check, seat, standing: self.check_standing(sitting, check, seat) };
        let of_room = SealCheck::OF_ROOM.into_iter().map(|one| check(one, None));
        let seats = self.seal_seats(sitting);
        let of_seats =
            seats.into_iter().flat_map(|seat| SealCheck::OF_SEAT.into_iter().map(move |one| (one, Some(seat))));
        of_room.chain(of_seats.map(|(one, seat)| check(one, seat))).collect()
    }

    /// Checks of a sitting's seal that are not met.
    pub fn seal_missing(&self, sitting: &Sitting) -> u32 {
        self.seal_checks(sitting).iter().filter(|check| !check.standing.is_met()).count() as u32
    }

    /// How one check stands: what a machine measured weighs more than what a person says.
    pub fn check_standing(&self, sitting: &Sitting, check: SealCheck, seat: Option<SeatNo>) -> CheckStanding {
        let measured = match seat {
            Some(seat) => self.report_at(&sitting.plan.room, seat).and_then(|report| measured(report, check)),
            None => (check == SealCheck::TrialPassed && self.trial_passed(&sitting.plan.room)).then_some(true),
        };
        match measured {
            Some(true) => CheckStanding::Measured,
            Some(false) => CheckStanding::Bad,
            None if sitting.seal.confirmed.contains_key(&(check, seat)) => CheckStanding::Confirmed,
            None => CheckStanding::Missing,
        }
    }

    fn report_at(&self, room: &RoomId, seat: SeatNo) -> Option<&SeatReport> {
        self.readiness.reports.get(self.desks.get(&SeatRef { room: room.clone(), seat })?)
    }

    /// Whether a mock sitting of this room was sat to its end with a paper handed in (F-08).
    fn trial_passed(&self, room: &RoomId) -> bool {
        let mocks = self.sittings.values().filter(|sitting| sitting.plan.mock && &sitting.plan.room == room);
        let mut passed = mocks.map(|sitting| {
            let handed_in = || self.attempts_of(sitting.id()).any(|attempt| attempt.handed_in.is_some());
            sitting.mock.passed || (matches!(sitting.stage, Stage::Ended { .. }) && handed_in())
        });
        passed.any(|passed| passed)
    }

    /// The facts that a change in a room causes: every seal that held there is broken, until the sitting is over.
    pub(crate) fn breaks(&self, room: &RoomId, why: &SealBreak) -> Vec<Fact> {
        let here = self.sealed().filter(|sitting| &sitting.plan.room == room);
        here.map(|sitting| SealBroken { sitting: sitting.plan.sitting.clone(), why: why.clone() }.into()).collect()
    }

    /// Sittings whose seal holds and still matters.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = &Sitting> {
        self.sittings.values().filter(|s| s.seal.is_intact() && !matches!(s.stage, Stage::Ended { .. }))
    }
}

/// What a report says of a check; none where the machine could not tell.
pub fn measured(report: &SeatReport, check: SealCheck) -> Option<bool> {
    match check {
        SealCheck::NoOutsideNetwork => Some(!report.outside_reachable),
        SealCheck::NoForeignPrograms => Some(report.foreign_programs == 0),
        SealCheck::LockWorks => report.lock_ok,
        SealCheck::ClockRight => Some(report.clock_offset_ms.unsigned_abs() <= SEAT_CLOCK_OFF_MAX_MS),
        SealCheck::DiskFree => Some(report.disk_free_bytes >= SEAT_DISK_FREE_MIN_BYTES),
        SealCheck::TrialPassed
        | SealCheck::NoViruses
        | SealCheck::Power
        | SealCheck::Cameras
        | SealCheck::SheetMatches => None,
    }
}
