//! One candidate's exam is ended by a decision (终止考核, HB-29, HB-30), or opened again by chief and inspector (F-32, C-10).
//! Never deletes anything: answers stay, and what was left is what can be left.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        extension::both,
        numbers::ATTENDANCE_RECORDS_MAX,
        people::{REASON_CHARS_MAX, given},
        report::of_end,
    },
    state::{Attempt, Closed, EndedWhy, Rest},
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, SittingId, StationId},
    message::{attendance::EndWhy, candidate::AttemptId},
    staff::Act,
    time::{Now, SiteMs, minutes},
};
use serde::{Deserialize, Serialize};

/// End one candidate's exam.
#[derive(Clone, Debug)]
pub struct EndAttempt {
    /// Whose.
    pub attempt: AttemptId,
    /// Why.
    pub why: EndWhy,
    /// In words.
    pub reason: String,
    /// The chief's console.
    pub by: StationId,
}

impl Wanted for EndAttempt {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::EndAttempt)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        site.fits_phase(site.sitting(&attempt.sitting)?, Act::EndAttempt)?;
        site.fits_seat(attempt, Act::EndAttempt, now.at)?;
        let (sitting, reason) = (attempt.sitting.clone(), self.reason.clone());
        let ended = AttemptEnded { sitting, attempt: self.attempt, why: self.why, reason, by };
        Ok([ended.into()].into_iter().chain(of_end(site, attempt, self.why)).collect())
    }
}

/// 已终止.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptEnded {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub attempt: AttemptId,
    /// Why.
    pub why: EndWhy,
    /// In words.
    pub reason: String,
    /// Who decided.
    pub by: Actor,
}

impl Happened for AttemptEnded {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.terminated_at = Some(now.at);
            let (why, reason) = (self.why, self.reason.clone());
            attempt.attendance.ended = Some(EndedWhy { why, reason, violation: None });
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}

/// Open an ended or handed-in attempt again. Two people, both proven by password (the shell has checked both).
#[derive(Clone, Debug)]
pub struct ReopenAttempt {
    /// Whose.
    pub attempt: AttemptId,
    /// How much is left, at most what was left when it ended.
    pub minutes: u32,
    /// In words.
    pub reason: String,
    /// Chief and inspector, in any order.
    pub agreed: Vec<AccountId>,
}

impl Wanted for ReopenAttempt {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        given(&self.reason, REASON_CHARS_MAX)?;
        let (chief, inspector) = both(site, &self.agreed)?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        let sitting = site.sitting(&attempt.sitting)?;
        site.fits_phase(sitting, Act::EndAttempt)?;
        let Some(ended_at) = ended_at(attempt) else {
            return Err(Refusal::WrongSeatState { state: site.attempt_state(attempt, now.at) });
        };
        let left_ms = site.left_ms(sitting, attempt, ended_at);
        let left_minutes = left_ms.div_ceil(minutes(1)) as u32;
        if self.minutes == 0 || self.minutes > left_minutes {
            return Err(Refusal::ExtensionLimit { used_minutes: 0, limit_minutes: left_minutes });
        }
        if attempt.attendance.closed.len() >= ATTENDANCE_RECORDS_MAX {
            return Err(Refusal::TooMany { max: ATTENDANCE_RECORDS_MAX as u32 });
        }
        let rest_ms = minutes(u64::from(self.minutes)).min(left_ms);
        let (sitting, reason) = (attempt.sitting.clone(), self.reason.clone());
        Ok(vec![AttemptReopened { sitting, attempt: self.attempt, rest_ms, reason, chief, inspector }.into()])
    }
}

/// When an attempt was ended or handed in.
fn ended_at(attempt: &Attempt) -> Option<SiteMs> {
    attempt.terminated_at.or(attempt.handed_in.as_ref().map(|(at, _)| *at))
}

/// 已重新开放: the candidate waits for admission again; the clock starts then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptReopened {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub attempt: AttemptId,
    /// How much is left, milliseconds.
    pub rest_ms: u64,
    /// In words.
    pub reason: String,
    /// 主考.
    pub chief: AccountId,
    /// 巡考员.
    pub inspector: AccountId,
}

impl Happened for AttemptReopened {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let grants_before = site.sittings.get(&self.sitting).map_or(0, |sitting| sitting.granted.len());
        let Some(attempt) = site.attempts.get_mut(&self.attempt) else { return };
        let from = ended_at(attempt).unwrap_or(now.at);
        attempt.attendance.closed.push(Closed { from, to: None });
        attempt.attendance.rest = Some(Rest { ms: self.rest_ms, grants_before, since: None });
        (attempt.terminated_at, attempt.handed_in, attempt.admitted_at) = (None, None, None);
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}
