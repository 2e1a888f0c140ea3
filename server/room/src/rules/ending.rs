//! The end of a sitting (HB-22): by the clock or by a person; who never came is absent (HB-20, HB-40). Never cuts a
//! candidate's time short by the clock.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::absence,
    state::{Sitting, Stage},
};
use exam_protocol::{
    code::{Phase, Refusal},
    ids::{AdmissionNo, SittingId, StationId},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// A person ends a sitting.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Which sitting.
    pub sitting: SittingId,
    /// Who ends it.
    pub by: StationId,
}

impl Wanted for Stop {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::EndSitting)?;
        let sitting = site.sitting(&self.sitting)?;
        if matches!(sitting.phase(), Phase::Ended | Phase::Exported) {
            return Ok(Vec::new());
        }
        site.fits_phase(sitting, Act::EndSitting)?;
        Ok(end(site, sitting, EndedBy::Person(by)))
    }
}

/// Time passes: whatever is due at `now` happens.
#[derive(Clone, Copy, Debug)]
pub struct Clock;

impl Wanted for Clock {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let over = |sitting: &Sitting| site.last_end(sitting).is_some_and(|end| now.at >= end);
        let due = |sitting| match over(sitting) {
            true => end(site, sitting, EndedBy::Clock),
            false => absence::close_entry(site, sitting, now),
        };
        Ok(site.sittings.values().flat_map(due).collect())
    }
}

fn end(site: &Site, sitting: &Sitting, by: EndedBy) -> Vec<Fact> {
    let id = &sitting.plan.sitting;
    absences(site, sitting).chain([SittingEnded { sitting: id.clone(), by }.into()]).collect()
}

/// Who is expected, has not come and is not recorded yet.
pub(crate) fn absences<'a>(site: &'a Site, sitting: &'a Sitting) -> impl Iterator<Item = Fact> {
    let id = sitting.id();
    let missing = |no: &&AdmissionNo| !sitting.attempts.contains_key(no) && !sitting.absent.contains(no);
    site.expected(id).filter(missing).map(|no| AbsenceRecorded { sitting: id.clone(), admission_no: no.clone() }.into())
}

/// What ended a sitting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// Its time had run.
    Clock,
    /// This person at this machine.
    Person(Actor),
}

/// 已结束: answering has stopped for all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SittingEnded {
    /// Which sitting.
    pub sitting: SittingId,
    /// Who or what ended it.
    pub by: EndedBy,
}

impl Happened for SittingEnded {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Some(sitting) = site.sittings.get_mut(&self.sitting) else { return };
        if let Stage::Running { started } = sitting.stage {
            sitting.stage = Stage::Ended { started, ended: now.at };
            sitting.cuts.clear();
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.sittings.get(&self.sitting).map(|sitting| site.seats_of_room(&sitting.plan.room)).unwrap_or_default()
    }
}

/// 缺考.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceRecorded {
    /// Which sitting.
    pub sitting: SittingId,
    /// Who never signed in.
    pub admission_no: AdmissionNo,
}

impl Happened for AbsenceRecorded {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.absent.insert(self.admission_no.clone());
        }
    }
}
