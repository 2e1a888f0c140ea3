//! The chief's consent to early hand-in (HB-23, F-49). Never opens a window: it only lets one that is open be used.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::pause::{fits, hear},
    state::{Attempt, Sitting, Target},
};
use exam_protocol::{
    code::Refusal,
    ids::{SittingId, StationId},
    staff::Act,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// Consent to early hand-in.
#[derive(Clone, Debug)]
pub struct ConsentHandIn {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// The chief's or deputy's console.
    pub by: StationId,
}

impl Wanted for ConsentHandIn {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::ConsentHandIn)?;
        fits(site, &self.sitting, &self.target, Act::ConsentHandIn, Act::ConsentHandIn, now)?;
        let known = match &self.target {
            Target::Sitting => site.sitting(&self.sitting)?.roll.hand_in_consented_at,
            Target::Attempt(attempt) => site.attempts.get(attempt).and_then(|a| a.attendance.hand_in_consented_at),
        };
        if known.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![HandInConsented { sitting: self.sitting.clone(), target: self.target.clone(), by }.into()])
    }
}

/// 主考同意提前交卷.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandInConsented {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// Who consented.
    pub by: Actor,
}

impl Happened for HandInConsented {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        match &self.target {
            Target::Sitting => {
                if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
                    sitting.roll.hand_in_consented_at = Some(now.at);
                }
            }
            Target::Attempt(attempt) => {
                if let Some(attempt) = site.attempts.get_mut(attempt) {
                    attempt.attendance.hand_in_consented_at = Some(now.at);
                }
            }
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, &self.sitting, &self.target)
    }
}

impl Site {
    /// When early hand-in opens for an attempt that ends at `ends`.
    pub fn hand_in_opens(&self, sitting: &Sitting, ends: SiteMs) -> SiteMs {
        ends.minus(self.numbers(sitting).early_hand_in_ms(sitting.plan.subject))
    }

    /// Whether early hand-in takes a consent nobody has given yet.
    pub fn consent_missing(&self, attempt: &Attempt) -> bool {
        let given =
            |sitting: &Sitting| sitting.roll.hand_in_consented_at.or(attempt.attendance.hand_in_consented_at).is_some();
        let missing = |sitting: &Sitting| self.numbers(sitting).hand_in_needs_consent && !given(sitting);
        self.sittings.get(&attempt.sitting).is_some_and(missing)
    }
}
