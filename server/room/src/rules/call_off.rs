//! 取消入场: a sitting whose door is open cannot be held now (HB-27 before the start, HB-32): the door closes, everybody signs
//! out, HQ hears of it, and the sitting may be opened again later. Never touches a sitting that has begun: that one is ended.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        people::{REASON_CHARS_MAX, given},
        report::report,
    },
    state::Stage,
};
use exam_protocol::{
    code::Refusal,
    ids::{SittingId, StationId},
    incident::Severity,
    message::incident::About,
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Close the door again.
#[derive(Clone, Debug)]
pub struct CallOff {
    /// Which sitting.
    pub sitting: SittingId,
    /// Why.
    pub reason: String,
    /// Who decides.
    pub by: StationId,
}

impl Wanted for CallOff {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::CallOff)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::CallOff)?;
        let called_off = SittingCalledOff { sitting: self.sitting.clone(), reason: self.reason.clone(), by }.into();
        let severity = if sitting.plan.mock { Severity::Record } else { Severity::ReportAtOnce };
        Ok([called_off].into_iter().chain(report(site, Some(&self.sitting), About::CalledOff, severity)).collect())
    }
}

/// 已取消入场: who had signed in is signed out; their attempts stay known and are never written again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SittingCalledOff {
    /// Which sitting.
    pub sitting: SittingId,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: Actor,
}

impl Happened for SittingCalledOff {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(sitting) = site.sittings.get_mut(&self.sitting) else { return };
        sitting.stage = Stage::Prepared;
        sitting.absent.clear();
        let attempts = std::mem::take(&mut sitting.attempts);
        attempts.into_values().for_each(|id| site.set_past(id));
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seats_of_sitting(&self.sitting)
    }
}
