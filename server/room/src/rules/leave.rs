//! Temporary leave (暂离, HB-24): one candidate of a room at a time, escorted the whole time. The seat is covered, out and
//! in times are kept, and the clock runs on. Never gives time back: a leave costs the candidate's own.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        numbers::ATTENDANCE_RECORDS_MAX,
        people::{REASON_CHARS_MAX, given},
    },
    state::Leave,
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, SeatRef, SittingId, StationId},
    message::candidate::AttemptId,
    staff::{Act, StaffRole},
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Who may go along.
const ESCORTS: [StaffRole; 2] = [StaffRole::Proctor, StaffRole::Staff];

/// The candidate goes out.
#[derive(Clone, Debug)]
pub struct LeaveOut {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Who goes along.
    pub escort: AccountId,
    /// In words, if anybody cares to say.
    pub reason: Option<String>,
    /// Who lets the candidate out.
    pub by: StationId,
}

impl Wanted for LeaveOut {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::LeaveOut)?;
        self.reason.iter().try_for_each(|reason| given(reason, REASON_CHARS_MAX))?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        let sitting = site.sitting(&attempt.sitting)?;
        site.fits_phase(sitting, Act::LeaveOut)?;
        if let Some(out) = site.away(sitting) {
            let seat = SeatRef { room: sitting.plan.room.clone(), seat: out.seat };
            return Err(Refusal::SomebodyAway { seat });
        }
        site.fits_seat(attempt, Act::LeaveOut, now.at)?;
        escorts(site, &self.escort)?;
        if attempt.attendance.leaves.len() >= ATTENDANCE_RECORDS_MAX {
            return Err(Refusal::TooMany { max: ATTENDANCE_RECORDS_MAX as u32 });
        }
        let (sitting, escort, reason) = (attempt.sitting.clone(), self.escort.clone(), self.reason.clone());
        Ok(vec![WentOut { sitting, attempt: self.attempt, escort, reason, by }.into()])
    }
}

/// A proctor or a member of staff in office goes along.
fn escorts(site: &Site, escort: &AccountId) -> Result<(), Refusal> {
    let account = site.accounts.get(escort).filter(|account| account.active).ok_or(Refusal::AccountUnknown)?;
    match ESCORTS.contains(&account.role) {
        true => Ok(()),
        false => Err(Refusal::NotYourAct { act: Act::LeaveOut, needs: ESCORTS.to_vec() }),
    }
}

/// 已离场.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WentOut {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Who goes along.
    pub escort: AccountId,
    /// In words.
    pub reason: Option<String>,
    /// Who let the candidate out.
    pub by: Actor,
}

impl Happened for WentOut {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            let leave = Leave { out_at: now.at, back_at: None, escort: self.escort.clone() };
            attempt.attendance.leaves.push(leave);
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}

/// The candidate is back. Possible as long as the leave is open: the time may have run out meanwhile.
#[derive(Clone, Debug)]
pub struct LeaveBack {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Who lets the candidate in.
    pub by: StationId,
}

impl Wanted for LeaveBack {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::LeaveBack)?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        site.fits_phase(site.sitting(&attempt.sitting)?, Act::LeaveBack)?;
        attempt.attendance.out().ok_or(Refusal::NotAway)?;
        Ok(vec![CameBack { sitting: attempt.sitting.clone(), attempt: self.attempt, by }.into()])
    }
}

/// 已返回.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameBack {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Who let the candidate in.
    pub by: Actor,
}

impl Happened for CameBack {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Some(attempt) = site.attempts.get_mut(&self.attempt) else { return };
        let open = attempt.attendance.leaves.iter_mut().filter(|leave| leave.back_at.is_none());
        open.for_each(|leave| leave.back_at = Some(now.at));
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}
