//! Mock sittings (模拟考试, HB-05): sat on the same machines before the day, as often as wanted, apart from real data.
//! Never resets a real sitting.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    state::{MockRuns, Sitting, Stage},
};
use exam_protocol::{
    code::{Phase, Refusal},
    ids::{SittingId, StationId},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// A mock sitting begins anew.
#[derive(Clone, Debug)]
pub struct ResetMock {
    /// Which sitting.
    pub sitting: SittingId,
    /// Who resets it.
    pub by: StationId,
}

impl Wanted for ResetMock {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::OpenDoor)?;
        let sitting = site.sitting(&self.sitting)?;
        if !sitting.plan.mock {
            return Err(Refusal::NotMockSitting);
        }
        match sitting.phase() {
            Phase::Prepared | Phase::Sealed => Ok(Vec::new()),
            phase @ (Phase::Running | Phase::Paused) => Err(Refusal::WrongPhase { phase }),
            Phase::Admitting | Phase::Ended | Phase::Exported => {
                Ok(vec![MockReset { sitting: self.sitting.clone(), by }.into()])
            }
        }
    }
}

/// A new run of a mock sitting: the old one stays in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MockReset {
    /// Which sitting.
    pub sitting: SittingId,
    /// Who reset it.
    pub by: Actor,
}

impl Happened for MockReset {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(old) = site.sittings.remove(&self.sitting) else { return };
        let runs = retire(site, &old);
        let mut fresh = Sitting::new(old.exam, old.plan);
        fresh.mock = runs;
        site.sittings.insert(self.sitting.clone(), fresh);
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seats_of_sitting(&self.sitting)
    }
}

/// Puts the attempts of a mock sitting to the past and counts its run, if there was one.
pub(crate) fn retire(site: &mut Site, old: &Sitting) -> MockRuns {
    let run = old.attempts.values();
    let finished = run.clone().any(|id| site.attempts.get(id).is_some_and(|attempt| attempt.handed_in.is_some()));
    run.for_each(|id| site.set_past(*id));
    let (ran, ended) = (old.stage != Stage::Prepared, matches!(old.stage, Stage::Ended { .. }));
    MockRuns { past: old.mock.past + u32::from(ran), passed: old.mock.passed || (ended && finished) }
}
