//! The start: the paper is released to every admitted seat and the clock begins (HB-17, DESIGN §8). Never starts on a
//! code that opened nothing.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    state::Stage,
};
use exam_protocol::{
    code::{Phase, Refusal},
    ids::{PaperId, SealedBytes, SittingId, StationId},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// The unlock code opened the paper: begin.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Which sitting.
    pub sitting: SittingId,
    /// The paper the code opened.
    pub paper: PaperId,
    /// Its key, sealed under the site's at-rest key.
    pub secret: SealedBytes,
    /// Who starts.
    pub by: StationId,
}

impl Wanted for Begin {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Start)?;
        let sitting = site.sitting(&self.sitting)?;
        if sitting.phase() == Phase::Running {
            return Ok(Vec::new());
        }
        site.fits_phase(sitting, Act::Start)?;
        if self.paper != *sitting.paper() || !site.papers.contains_key(&self.paper) {
            return Err(Refusal::PaperUnknown { paper: self.paper.clone() });
        }
        let Self { sitting, paper, secret, .. } = self.clone();
        Ok(vec![SittingStarted { sitting, paper, secret, by }.into()])
    }
}

/// 已开考.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SittingStarted {
    /// Which sitting.
    pub sitting: SittingId,
    /// The released paper.
    pub paper: PaperId,
    /// Its key, sealed under the site's at-rest key: a restart must not need the code again.
    pub secret: SealedBytes,
    /// Who started.
    pub by: Actor,
}

impl Happened for SittingStarted {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.stage = Stage::Running { started: now.at };
        }
        site.released.insert(self.paper.clone(), self.secret.clone());
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.sittings.get(&self.sitting).map(|sitting| site.seats_of_room(&sitting.plan.room)).unwrap_or_default()
    }
}

/// A code was typed that opens nothing: counted, never locking anything (a wrong code must not stop an exam).
#[derive(Clone, Debug)]
pub struct NoteWrongCode {
    /// For which sitting.
    pub sitting: SittingId,
    /// Who typed it.
    pub by: StationId,
}

impl Wanted for NoteWrongCode {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Start)?;
        site.sitting(&self.sitting)?;
        Ok(vec![WrongCodeEntered { sitting: self.sitting.clone(), by }.into()])
    }
}

/// A wrong unlock code was typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongCodeEntered {
    /// For which sitting.
    pub sitting: SittingId,
    /// Who typed it.
    pub by: Actor,
}

impl Happened for WrongCodeEntered {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.wrong_codes += 1;
        }
    }
}
