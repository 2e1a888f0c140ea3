//! Which paper a candidate sits (HB-32): the planned one, or the backup paper that was opened in its place.
//! Answers to the paper before stay where they are: they name its items.

use super::{Attempt, Site, Sitting};
use crate::authority::Actor;
use exam_protocol::{ids::PaperId, message::candidate::AttemptId, time::SiteMs};
use std::collections::BTreeMap;

/// Backup papers of one sitting.
#[derive(Clone, Debug, Default)]
pub struct Backup {
    /// What was asked of HQ, in order.
    pub requests: Vec<BackupRequest>,
    /// The paper of everybody who has none of their own; none for the planned one.
    pub of_all: Option<PaperId>,
    /// Papers of single candidates.
    pub of_one: BTreeMap<AttemptId, PaperId>,
}

/// The site asked HQ for a backup paper.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// When.
    pub at: SiteMs,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Sitting {
    /// The paper everybody sits, apart from candidates with one of their own.
    pub fn paper(&self) -> &PaperId {
        self.backup.of_all.as_ref().unwrap_or(&self.plan.paper)
    }

    /// The paper of one attempt.
    pub fn paper_of(&self, attempt: AttemptId) -> &PaperId {
        self.backup.of_one.get(&attempt).unwrap_or_else(|| self.paper())
    }

    /// Every paper somebody of this sitting sits.
    pub fn papers(&self) -> impl Iterator<Item = &PaperId> {
        self.backup.of_one.values().chain([self.paper()])
    }
}

impl Site {
    /// Backup papers on site for a sitting's planned paper.
    pub fn backups_of<'a>(&'a self, sitting: &'a Sitting) -> impl Iterator<Item = &'a PaperId> {
        let fits = |backup_of: &Option<PaperId>| backup_of.as_ref() == Some(&sitting.plan.paper);
        self.papers.iter().filter(move |(_, paper)| fits(&paper.backup_of)).map(|(id, _)| id)
    }

    /// Attempts of a sitting that are over: they keep the paper they were sat with.
    pub(crate) fn over<'a>(&'a self, sitting: &Sitting) -> impl Iterator<Item = &'a Attempt> {
        self.attempts_of(sitting.id()).filter(|attempt| !attempt.is_open())
    }
}
