//! 拒绝准入 (HB-14, F-11): a candidate is denied with a reason, and may be admitted after all. Never takes a candidate's
//! time: who is already working can only be ended by the chief.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::people::{REASON_CHARS_MAX, given},
};
use exam_protocol::{
    code::Refusal,
    ids::{SittingId, StationId},
    message::candidate::AttemptId,
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Deny a candidate, or take an admission back that has not begun to count.
#[derive(Clone, Debug)]
pub struct DenyCandidate {
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Why.
    pub reason: String,
    /// Who denies.
    pub by: StationId,
}

impl Wanted for DenyCandidate {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Deny)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let attempt = site.attempts.get(&self.attempt).ok_or(Refusal::AttemptUnknown)?;
        site.fits_phase(site.sitting(&attempt.sitting)?, Act::Deny)?;
        site.fits_seat(attempt, Act::Deny, now.at)?;
        let (sitting, reason) = (attempt.sitting.clone(), self.reason.clone());
        Ok(vec![CandidateDenied { sitting, attempt: self.attempt, reason, by }.into()])
    }
}

/// 已拒绝准入.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateDenied {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Happened for CandidateDenied {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.admitted_at = None;
            attempt.attendance.denied = Some(self.reason.clone());
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}
