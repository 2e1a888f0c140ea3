//! Who sits there (核对身份): the candidate confirms the data on screen (HB-15), proctors check at the door (HB-14) and again
//! from T+15 min at the desks (HB-21). Never admits or denies by itself.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        answers::own_attempt,
        numbers::{ATTENDANCE_RECORDS_MAX, IDENTITY_ROUND_FROM_MS},
        people::REASON_CHARS_MAX,
    },
    state::{RoundCheck, Sitting},
};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{SittingId, StationId},
    message::{
        attendance::{IdentityCheck, IdentityRound},
        candidate::AttemptId,
    },
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// The candidate says: this is me.
#[derive(Clone, Debug)]
pub struct ConfirmIdentity {
    /// At which machine.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
}

impl Wanted for ConfirmIdentity {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let attempt = own_attempt(site, &self.station, self.attempt)?;
        if attempt.attendance.confirmed_at.is_some() {
            return Ok(Vec::new());
        }
        match site.attempt_state(attempt, now.at) {
            SeatState::SignedIn
            | SeatState::Denied
            | SeatState::Admitted
            | SeatState::Working
            | SeatState::Away
            | SeatState::Paused => {}
            state @ (SeatState::Waiting
            | SeatState::Stopped
            | SeatState::HandedIn
            | SeatState::Absent
            | SeatState::Terminated) => return Err(Refusal::WrongSeatState { state }),
        }
        Ok(vec![IdentityConfirmed { sitting: attempt.sitting.clone(), attempt: self.attempt }.into()])
    }
}

/// 考生已确认信息.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfirmed {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
}

impl Happened for IdentityConfirmed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.attendance.confirmed_at = Some(now.at);
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}

/// A proctor checked a candidate.
#[derive(Clone, Debug)]
pub struct CheckIdentity {
    /// What was seen.
    pub check: IdentityCheck,
    /// Who looked.
    pub by: StationId,
}

impl Wanted for CheckIdentity {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::CheckIdentity)?;
        let IdentityCheck { attempt, id_card, sheet_signed, ticket, desk_label, note } = self.check.clone();
        if note.chars().count() > REASON_CHARS_MAX {
            return Err(Refusal::TextTooLong { max_chars: REASON_CHARS_MAX as u32 });
        }
        let known = site.attempts.get(&attempt).ok_or(Refusal::AttemptUnknown)?;
        let sitting = site.sitting(&known.sitting)?;
        site.fits_phase(sitting, Act::CheckIdentity)?;
        site.fits_seat(known, Act::CheckIdentity, now.at)?;
        if known.attendance.checks.len() >= ATTENDANCE_RECORDS_MAX {
            return Err(Refusal::TooMany { max: ATTENDANCE_RECORDS_MAX as u32 });
        }
        let (sitting, round) = (known.sitting.clone(), round(sitting, now));
        Ok(vec![
            IdentityChecked { sitting, attempt, round, id_card, sheet_signed, ticket, desk_label, note, by }.into(),
        ])
    }
}

/// HB-21: what is looked at from T+15 min on is the second round.
fn round(sitting: &Sitting, now: Now) -> IdentityRound {
    match sitting.started() {
        Some(started) if now.at >= started.plus(IDENTITY_ROUND_FROM_MS) => IdentityRound::Second,
        Some(_) | None => IdentityRound::First,
    }
}

/// 已核对身份.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityChecked {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Which round.
    pub round: IdentityRound,
    /// ID card and face.
    pub id_card: bool,
    /// 签到表 is signed.
    pub sheet_signed: bool,
    /// 准考证.
    pub ticket: bool,
    /// 桌贴.
    pub desk_label: bool,
    /// What else was seen.
    pub note: String,
    /// Who looked.
    pub by: Actor,
}

impl IdentityChecked {
    /// At the door ID card and ticket (HB-14); at the desk sheet, ticket and label (HB-21).
    fn complete(&self) -> bool {
        match self.round {
            IdentityRound::First => self.id_card && self.ticket,
            IdentityRound::Second => self.sheet_signed && self.ticket && self.desk_label,
        }
    }
}

impl Happened for IdentityChecked {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.attendance.checks.push(RoundCheck { round: self.round, at: now.at, complete: self.complete() });
        }
    }
}
