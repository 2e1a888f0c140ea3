//! Absence (缺考, HB-20, HB-40): recorded by the clock as soon as entry has closed, confirmed by people then and at the end.
//! Never counts somebody absent who has signed in.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::ending::absences,
    state::Sitting,
};
use exam_protocol::{
    code::{Phase, Refusal},
    ids::{AdmissionNo, SittingId, StationId},
    message::attendance::AbsenceRound,
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// What the clock does when nobody may enter any more.
pub(crate) fn close_entry(site: &Site, sitting: &Sitting, now: Now) -> Vec<Fact> {
    match site.entry_closes(sitting) {
        Some(closes) if now.at >= closes => {
            let closed = EntryClosed { sitting: sitting.id().clone() }.into();
            [closed].into_iter().chain(absences(site, sitting)).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

/// 停止入场.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryClosed {
    /// Which sitting.
    pub sitting: SittingId,
}

impl Happened for EntryClosed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.roll.entry_closed_at = Some(now.at);
        }
    }
}

/// A proctor has looked: they are not here.
#[derive(Clone, Debug)]
pub struct ConfirmAbsence {
    /// In which sitting.
    pub sitting: SittingId,
    /// Who; everybody recorded as absent, when empty.
    pub candidates: Vec<AdmissionNo>,
    /// Who looked.
    pub by: StationId,
}

impl Wanted for ConfirmAbsence {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::CheckIdentity)?;
        let sitting = site.sitting(&self.sitting)?;
        let round = round(sitting)?;
        if let Some(_present) = self.candidates.iter().find(|no| !sitting.absent.contains(*no)) {
            return Err(Refusal::RecordUnknown);
        }
        let chosen = |no: &&AdmissionNo| self.candidates.is_empty() || self.candidates.contains(no);
        let open = |no: &&AdmissionNo| !sitting.roll.confirmed.get(*no).is_some_and(|rounds| rounds.contains(&round));
        let confirmed = |no: &AdmissionNo| AbsenceConfirmed {
            sitting: self.sitting.clone(),
            admission_no: no.clone(),
            round,
            by: by.clone(),
        };
        Ok(sitting.absent.iter().filter(chosen).filter(open).map(|no| confirmed(no).into()).collect())
    }
}

/// HB-20 while the sitting runs, HB-40 when it has ended.
fn round(sitting: &Sitting) -> Result<AbsenceRound, Refusal> {
    match sitting.phase() {
        Phase::Running | Phase::Paused => Ok(AbsenceRound::EntryClosed),
        Phase::Ended | Phase::Exported => Ok(AbsenceRound::End),
        phase @ (Phase::Prepared | Phase::Sealed | Phase::Admitting) => Err(Refusal::WrongPhase { phase }),
    }
}

/// 缺考已确认.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceConfirmed {
    /// In which sitting.
    pub sitting: SittingId,
    /// Who is not here.
    pub admission_no: AdmissionNo,
    /// On which round.
    pub round: AbsenceRound,
    /// Who looked.
    pub by: Actor,
}

impl Happened for AbsenceConfirmed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.roll.confirmed.entry(self.admission_no.clone()).or_default().insert(self.round);
        }
    }
}
