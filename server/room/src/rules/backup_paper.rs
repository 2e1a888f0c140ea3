//! Backup papers (备用试卷, HB-32): the site asks HQ, HQ gives the paper's own code, the paper takes the planned one's place.
//! Never without HQ's code (the shell has tried it), never a paper that was not packed as a backup of this very one.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        numbers::BACKUP_REQUESTS_MAX,
        pause::{act, fits, hear},
        people::{REASON_CHARS_MAX, given},
        report::of_backup_request,
    },
    state::{BackupRequest, Stage, Target},
};
use exam_protocol::{
    code::Refusal,
    ids::{PaperId, SealedBytes, SittingId, StationId},
    message::candidate::AttemptId,
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Ask HQ for a backup paper: possible until the sitting has ended. HQ hears of it as of everything else it must hear,
/// under a number in the one queue of reports.
#[derive(Clone, Debug)]
pub struct RequestBackup {
    /// For which sitting.
    pub sitting: SittingId,
    /// Why.
    pub reason: String,
    /// Who asks.
    pub by: StationId,
}

impl Wanted for RequestBackup {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::UseBackupPaper)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let sitting = site.sitting(&self.sitting)?;
        if matches!(sitting.stage, Stage::Ended { .. }) {
            return Err(Refusal::WrongPhase { phase: sitting.phase() });
        }
        if sitting.backup.requests.len() >= BACKUP_REQUESTS_MAX {
            return Err(Refusal::TooMany { max: BACKUP_REQUESTS_MAX as u32 });
        }
        let requested = BackupRequested { sitting: self.sitting.clone(), reason: self.reason.clone(), by };
        Ok([requested.into()].into_iter().chain(of_backup_request(site, sitting)).collect())
    }
}

/// HQ was asked for a backup paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRequested {
    /// For which sitting.
    pub sitting: SittingId,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Happened for BackupRequested {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.backup.requests.push(BackupRequest {
                at: now.at,
                reason: self.reason.clone(),
                by: self.by.clone(),
            });
        }
    }
}

/// The backup paper's own code opened it: use it.
#[derive(Clone, Debug)]
pub struct UseBackupPaper {
    /// In which sitting.
    pub sitting: SittingId,
    /// For whom.
    pub target: Target,
    /// The paper the code opened.
    pub paper: PaperId,
    /// Its key, sealed under the site's at-rest key.
    pub secret: SealedBytes,
    /// Why.
    pub reason: String,
    /// Who decides.
    pub by: StationId,
}

impl Wanted for UseBackupPaper {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let (of_seat, of_sitting) = (Act::UseBackupPaperAtSeat, Act::UseBackupPaper);
        let by = site.actor(&self.by, act(&self.target, of_seat, of_sitting))?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let sitting = site.sitting(&self.sitting)?;
        fits(site, &self.sitting, &self.target, of_seat, of_sitting, now)?;
        if !site.backups_of(sitting).any(|backup| *backup == self.paper) {
            return Err(Refusal::PaperUnknown { paper: self.paper.clone() });
        }
        let in_force = match &self.target {
            Target::Sitting => sitting.paper(),
            Target::Attempt(attempt) => sitting.paper_of(*attempt),
        };
        if *in_force == self.paper {
            return Ok(Vec::new());
        }
        let Self { sitting, target, paper, secret, reason, .. } = self.clone();
        Ok(vec![BackupPaperUsed { sitting, target, paper, secret, reason, by }.into()])
    }
}

/// 已启用备用试卷.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupPaperUsed {
    /// In which sitting.
    pub sitting: SittingId,
    /// For whom.
    pub target: Target,
    /// The paper from now on.
    pub paper: PaperId,
    /// Its key, sealed under the site's at-rest key.
    pub secret: SealedBytes,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Happened for BackupPaperUsed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(sitting) = site.sittings.get(&self.sitting) else { return };
        // Who has finished keeps the paper it was finished with.
        let kept: Vec<(AttemptId, PaperId)> =
            site.over(sitting).map(|attempt| (attempt.id, sitting.paper_of(attempt.id).clone())).collect();
        let Some(sitting) = site.sittings.get_mut(&self.sitting) else { return };
        match &self.target {
            Target::Sitting => {
                sitting.backup.of_one = kept.into_iter().collect();
                sitting.backup.of_all = Some(self.paper.clone());
            }
            Target::Attempt(attempt) => {
                sitting.backup.of_one.insert(*attempt, self.paper.clone());
            }
        }
        site.released.insert(self.paper.clone(), self.secret.clone());
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, &self.sitting, &self.target)
    }
}
