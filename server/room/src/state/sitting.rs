//! A sitting (场次 in one room) and where it stands. A stage carries only what exists in it.

use super::{
    Backup, MockRuns, Seal, Ticked,
    attendance::Roll,
    time::{Granted, PowerCut, Removed, Target},
};
use exam_protocol::{
    checklist::CheckItem,
    code::Phase,
    ids::{AdmissionNo, ExamId, Sha256, SittingId},
    message::candidate::AttemptId,
    plan::SittingPlan,
    time::{SiteMs, minutes},
};
use std::collections::{BTreeMap, BTreeSet};

/// Where a sitting stands, with what exists only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Imported.
    Prepared,
    /// 入场.
    Admitting {
        /// When the door opened.
        since: SiteMs,
    },
    /// 考试中.
    Running {
        /// When the paper was released.
        started: SiteMs,
    },
    /// 已结束.
    Ended {
        /// When the paper was released.
        started: SiteMs,
        /// When answering stopped for all.
        ended: SiteMs,
    },
}

/// One sitting.
#[derive(Clone, Debug)]
pub struct Sitting {
    /// Of which exam.
    pub exam: ExamId,
    /// As planned.
    pub plan: SittingPlan,
    /// Where it stands.
    pub stage: Stage,
    /// Who has signed in.
    pub attempts: BTreeMap<AdmissionNo, AttemptId>,
    /// Who is recorded as absent.
    pub absent: BTreeSet<AdmissionNo>,
    /// Wrong unlock codes typed.
    pub wrong_codes: u32,
    /// Answer versions kept.
    pub answer_versions: u64,
    /// Bundles written.
    pub exports: u32,
    /// Stretches that do not count.
    pub removed: Vec<Removed>,
    /// Time granted on top.
    pub granted: Vec<Granted>,
    /// Codes of HQ that have been used.
    pub hq_codes_used: BTreeSet<Sha256>,
    /// Absences, consent, proposals.
    pub roll: Roll,
    /// 封场.
    pub seal: Seal,
    /// 检查单: what people ticked.
    pub ticked: BTreeMap<CheckItem, Ticked>,
    /// 备用试卷.
    pub backup: Backup,
    /// Runs of a mock sitting.
    pub mock: MockRuns,
    /// Power cuts nobody has decided about: until then the clock does not end the sitting (HB-27).
    pub cuts: Vec<PowerCut>,
}

impl Sitting {
    /// A sitting nothing has happened in.
    pub fn new(exam: ExamId, plan: SittingPlan) -> Self {
        Self {
            exam,
            plan,
            stage: Stage::Prepared,
            attempts: BTreeMap::new(),
            absent: BTreeSet::new(),
            wrong_codes: 0,
            answer_versions: 0,
            exports: 0,
            removed: Vec::new(),
            granted: Vec::new(),
            hq_codes_used: BTreeSet::new(),
            roll: Roll::default(),
            seal: Seal::default(),
            ticked: BTreeMap::new(),
            backup: Backup::default(),
            mock: MockRuns::default(),
            cuts: Vec::new(),
        }
    }

    /// Its id.
    pub fn id(&self) -> &SittingId {
        &self.plan.sitting
    }

    /// Where it stands, in the words of the wire.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Prepared if self.seal.is_intact() => Phase::Sealed,
            Stage::Prepared => Phase::Prepared,
            Stage::Admitting { .. } => Phase::Admitting,
            Stage::Running { .. } if self.stands_still() => Phase::Paused,
            Stage::Running { .. } => Phase::Running,
            Stage::Ended { .. } if self.exports > 0 => Phase::Exported,
            Stage::Ended { .. } => Phase::Ended,
        }
    }

    /// Whether the clock stands still for everybody.
    pub fn stands_still(&self) -> bool {
        self.removed.iter().any(|removed| removed.to.is_none() && removed.target == Target::Sitting)
    }

    /// How long the power cuts were that nobody has decided about; none where there is nothing to decide.
    pub fn undecided_cut_ms(&self) -> Option<u64> {
        (!self.cuts.is_empty()).then(|| self.cuts.iter().map(|cut| cut.to.since(cut.from)).sum())
    }

    /// Length, milliseconds.
    pub fn duration_ms(&self) -> u64 {
        minutes(u64::from(self.plan.duration_min))
    }

    /// When the paper was released.
    pub fn started(&self) -> Option<SiteMs> {
        match self.stage {
            Stage::Prepared | Stage::Admitting { .. } => None,
            Stage::Running { started } | Stage::Ended { started, .. } => Some(started),
        }
    }
}
