//! 停电 (HB-27) that took the server with it: when it serves again, the clock ends no running sitting until people have said
//! whether the stretch counts. Seats still stop at their own ends; nobody gains time by waiting. Never decides by itself.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::{
        numbers::{POWER_CUT_LIMIT_MS, POWER_CUT_NOTICED_MS},
        pause::{StretchTakenOut, idle_until},
        people::{REASON_CHARS_MAX, given},
    },
    state::{PauseCause, PowerCut, Stage, Target},
};
use exam_protocol::{
    code::Refusal,
    ids::{SittingId, StationId},
    staff::Act,
    time::{Now, SiteMs, minutes},
};
use serde::{Deserialize, Serialize};

/// What follows from a start of the server after its machine was off for `gap_ms`: every sitting that ran on through the
/// gap waits for a decision. A sitting whose clock stood still already lost nothing.
pub(crate) fn noticed(site: &Site, now: Now, gap_ms: u64) -> Vec<Fact> {
    if gap_ms < POWER_CUT_NOTICED_MS {
        return Vec::new();
    }
    let from = SiteMs(now.at.0.saturating_sub(gap_ms));
    let running = site.sittings.values().filter(|sitting| matches!(sitting.stage, Stage::Running { .. }));
    let counting = running.filter(|sitting| !sitting.stands_still());
    counting.map(|sitting| CutNoticed { sitting: sitting.id().clone(), from, to: now.at }.into()).collect()
}

/// 断电待裁定: the server's machine was off while the sitting's clock ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutNoticed {
    /// Which sitting.
    pub sitting: SittingId,
    /// The last sign of life before.
    pub from: SiteMs,
    /// When the server served again.
    pub to: SiteMs,
}

impl Happened for CutNoticed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.cuts.push(PowerCut { from: self.from, to: self.to });
        }
    }
}

/// Whether a stretch taken out of everybody's time decides about a cut: they have a moment in common.
pub(crate) fn decides(cut: &PowerCut, target: &Target, from: SiteMs, to: SiteMs) -> bool {
    *target == Target::Sitting && from < cut.to && cut.from < to
}

/// Decide about the cuts of a sitting, as the server saw them. What seats lost before and after is taken out by hand.
#[derive(Clone, Debug)]
pub struct DecideCut {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whether the stretch counts: candidates could work all the time, only the server was away.
    pub counts: bool,
    /// Why.
    pub reason: String,
    /// Who decides.
    pub by: StationId,
}

impl Wanted for DecideCut {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::PauseSitting)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Extend)?;
        if sitting.cuts.is_empty() {
            return Err(Refusal::AlreadySettled);
        }
        if self.counts {
            return Ok(vec![CutCounted { sitting: self.sitting.clone(), reason: self.reason.clone(), by }.into()]);
        }
        if sitting.cuts.iter().any(|cut| cut.to.since(cut.from) > POWER_CUT_LIMIT_MS) {
            return Err(Refusal::PowerCutTooLong { limit_minutes: (POWER_CUT_LIMIT_MS / minutes(1)) as u32 });
        }
        let idle = idle_until(site, &self.sitting, &Target::Sitting, &self.reason, &by, now)?;
        let taken_out = sitting.cuts.iter().map(|cut| StretchTakenOut {
            sitting: self.sitting.clone(),
            target: Target::Sitting,
            from: cut.from,
            to: cut.to,
            cause: PauseCause::PowerCut,
            reason: self.reason.clone(),
            by: by.clone(),
        });
        Ok(idle.into_iter().chain(taken_out.map(Fact::from)).collect())
    }
}

/// 断电时段照常计时.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutCounted {
    /// Which sitting.
    pub sitting: SittingId,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: Actor,
}

impl Happened for CutCounted {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.cuts.clear();
        }
    }
}
