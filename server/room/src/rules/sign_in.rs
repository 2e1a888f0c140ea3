//! Signing in with number and password at the assigned desk (HB-15, HB-07, HB-20, F-77). The first password is
//! derivable, so the desk, the door and one live session count as much. Never locks out another seat.

use crate::{
    Fact, Scope, Site,
    rule::{Happened, Tell, Wanted},
    rules::{
        admission::admitted,
        finding::second_login,
        numbers::{SIGN_IN_FAILURES_MAX, SIGN_IN_PAUSE_MS},
    },
    state::{Attempt, Sitting, Stage},
};
use exam_protocol::{
    code::Refusal,
    ids::{AdmissionNo, SeatNo, SeatRef, Sha256, SittingId, StationId},
    message::candidate::AttemptId,
    plan::AdmissionPolicy,
    time::{Now, minutes},
};
use serde::{Deserialize, Serialize};

/// A candidate typed number and password.
#[derive(Clone, Debug)]
pub struct EnterNumber {
    /// At which machine.
    pub station: StationId,
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// Keyed hash of number and password.
    pub password_tag: Sha256,
    /// Fresh randomness for the order of items, drawn by the shell.
    pub order_seed: u64,
}

impl Wanted for EnterNumber {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let (seat, sitting) = door(site, &self.station)?;
        if let Some(sits) = site.attempt_at(&self.station) {
            let same = sits.admission_no == self.admission_no && self.knows_password(site);
            return if same { Ok(Vec::new()) } else { Err(Refusal::SeatInUse) };
        }
        let failures = site.stations.get(&self.station).map(|s| s.failures).unwrap_or_default();
        if failures.count >= SIGN_IN_FAILURES_MAX && now.at < failures.last_at.plus(SIGN_IN_PAUSE_MS) {
            return Err(Refusal::ProctorCalled);
        }
        if !self.knows_password(site) {
            return Err(Refusal::WrongNumberOrPassword);
        }
        let yours = site.place(&self.admission_no, &sitting.plan.sitting).ok_or(Refusal::AdmissionClosed)?;
        if yours != seat.seat {
            return Err(Refusal::NotYourSeat { yours: SeatRef { room: seat.room, seat: yours } });
        }
        if sitting.attempts.contains_key(&self.admission_no) {
            return Err(Refusal::AlreadySignedIn);
        }
        not_too_late(site, sitting, now)?;
        Ok(self.facts(site, sitting, seat.seat))
    }

    fn trace(&self, site: &Site, now: Now, refusal: &Refusal) -> Vec<Fact> {
        match refusal {
            _ if self.knows_password(site) => second_login(site, now, &self.station, &self.admission_no),
            Refusal::WrongNumberOrPassword => vec![SignInFailed { station: self.station.clone() }.into()],
            _ => Vec::new(),
        }
    }
}

impl EnterNumber {
    fn knows_password(&self, site: &Site) -> bool {
        site.candidates.get(&self.admission_no).is_some_and(|candidate| candidate.password_tag == self.password_tag)
    }

    fn facts(&self, site: &Site, sitting: &Sitting, seat: SeatNo) -> Vec<Fact> {
        let attempt = AttemptId((site.attempts.len() + site.past_attempts.len()) as u64 + 1);
        let signed_in = SignedIn {
            sitting: sitting.plan.sitting.clone(),
            attempt,
            admission_no: self.admission_no.clone(),
            station: self.station.clone(),
            seat,
            order_seed: self.order_seed,
        };
        match sitting.plan.admission {
            AdmissionPolicy::Proctor => vec![signed_in.into()],
            AdmissionPolicy::Automatic => vec![signed_in.into(), admitted(&sitting.plan.sitting, attempt, None)],
        }
    }
}

/// The desk of this machine and the sitting whose door is open there.
fn door<'a>(site: &'a Site, station: &StationId) -> Result<(SeatRef, &'a Sitting), Refusal> {
    let seat = site.stations.get(station).and_then(|s| s.seat.clone()).ok_or(Refusal::NoSeat)?;
    let sitting = site.open_sitting(&seat.room).ok_or(Refusal::AdmissionClosed)?;
    match sitting.stage {
        Stage::Admitting { .. } | Stage::Running { .. } => Ok((seat, sitting)),
        Stage::Prepared | Stage::Ended { .. } => Err(Refusal::AdmissionClosed),
    }
}

/// HB-20: nobody enters once the bar has passed.
fn not_too_late(site: &Site, sitting: &Sitting, now: Now) -> Result<(), Refusal> {
    let Stage::Running { started } = sitting.stage else { return Ok(()) };
    let bar = site.numbers(sitting).late_entry_bar_ms;
    if now.at.since(started) > bar {
        return Err(Refusal::LateEntryBarred { bar_minutes: (bar / minutes(1)) as u32 });
    }
    Ok(())
}

/// 已登录: a candidate sits at their desk. The attempt begins to exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedIn {
    /// Which sitting.
    pub sitting: SittingId,
    /// The new attempt.
    pub attempt: AttemptId,
    /// Whose.
    pub admission_no: AdmissionNo,
    /// At which machine.
    pub station: StationId,
    /// At which desk.
    pub seat: SeatNo,
    /// Seed of the order of items and options (F-06, HB-46).
    pub order_seed: u64,
}

impl Happened for SignedIn {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.attempts.insert(self.admission_no.clone(), self.attempt);
        }
        if let Some(station) = site.stations.get_mut(&self.station) {
            station.failures = Default::default();
            station.attempt = Some(self.attempt);
        }
        site.attempts.insert(self.attempt, Attempt::new(self, now.at));
    }

    fn tell(&self, _: &Site) -> Vec<Tell> {
        vec![Tell::Seat(self.station.clone())]
    }
}

/// Somebody typed a wrong number or password at this machine. Which number is not kept: it may be a neighbour's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInFailed {
    /// At which machine.
    pub station: StationId,
}

impl Happened for SignInFailed {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(station) = site.stations.get_mut(&self.station) {
            station.failures.count += 1;
            station.failures.last_at = now.at;
        }
    }
}
