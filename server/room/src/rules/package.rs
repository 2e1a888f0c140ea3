//! HQ's package: rooms, sittings, papers and candidates come in whole or not at all (HB-10). Never changes what a begun
//! sitting rests on, and never learns a name.

use crate::{
    Fact, Reply, Scope, Site,
    rule::{Happened, Tell, Wanted},
    rules::{mock::retire, seal::SealBroken},
    state::{Candidate, Exam, Hq, MockRuns, PaperOnSite, Sitting},
};
use exam_protocol::{
    code::{PackageNo, Phase, Refusal},
    ids::{AdmissionNo, ExamId, PaperId, RoomId, SealedBytes, Sha256, SittingId},
    paper::SealedPaper,
    plan::{
        Place, RoomPlan, RuleOverrides, SittingPlan,
        check::{PaperText, PlanText},
    },
    seal::SealBreak,
    time::Now,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shell has checked signature, site, version and hashes; this is what the package says.
#[derive(Clone, Debug)]
pub struct TakePackage {
    /// All of it.
    pub content: PackageTaken,
}

/// A package is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageTaken {
    /// Hash of the package file.
    pub package: Sha256,
    /// Which exam.
    pub exam: ExamId,
    /// Its title.
    pub title: String,
    /// HQ's public key.
    pub hq_minisign: String,
    /// HQ's age recipient, for the bundles.
    pub hq_recipient: String,
    /// Rooms.
    pub rooms: Vec<RoomPlan>,
    /// Sittings.
    pub sittings: Vec<SittingPlan>,
    /// Papers, sealed, and where their wrapped keys are.
    pub papers: Vec<PaperTaken>,
    /// Overridden numbers.
    pub rules: RuleOverrides,
    /// Candidates.
    pub candidates: Vec<CandidateListed>,
}

/// A sealed paper is on site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperTaken {
    /// The sealed bytes.
    pub sealed: SealedPaper,
    /// Hash of the wrapped key.
    pub wrapped_key: Sha256,
    /// The paper whose place it may take, if it is a backup paper (HB-32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_of: Option<PaperId>,
    /// Hash of its sealed answer key, if it is a mock paper that carries one (HB-05).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_key: Option<Sha256>,
}

/// A candidate is expected. The name is sealed: the core and the journal never know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateListed {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// Keyed hash of number and first password.
    pub password_tag: Sha256,
    /// Name and ID number, sealed under the site's at-rest key.
    pub identity: SealedBytes,
    /// Desks.
    pub places: Vec<Place>,
}

impl Wanted for TakePackage {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let package = &self.content;
        if site.exams.get(&package.exam).is_some_and(|exam| exam.package == package.package) {
            return Ok(Vec::new());
        }
        if site.hq.as_ref().is_some_and(|hq| hq.minisign != package.hq_minisign) {
            return refused("it is signed by another HQ than this site's");
        }
        well_formed(package)?;
        nothing_begun_changes(site, package)?;
        let mut facts: Vec<Fact> = vec![package.clone().into()];
        facts.extend(site.sealed().filter(|sitting| sitting.exam == package.exam).map(|sitting| {
            SealBroken { sitting: sitting.plan.sitting.clone(), why: SealBreak::PackageChanged }.into()
        }));
        Ok(facts)
    }

    fn reply(&self, _: &Site) -> Reply {
        Reply::Package { package: self.content.package }
    }
}

fn refused<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::PackageRefused { why: PackageNo::Plan, reason: reason.into() })
}

/// The one check HQ and the importer make too; here because the room must not rest on what its caller has looked at.
fn well_formed(package: &PackageTaken) -> Result<(), Refusal> {
    let papers: Vec<PaperText<'_>> = package.papers.iter().map(paper_text).collect();
    let PackageTaken { title, rooms, sittings, candidates, .. } = package;
    let plan = PlanText { exam_title: title, rooms, sittings, papers: &papers };
    let places = candidates.iter().map(|listed| (&listed.admission_no, listed.places.as_slice()));
    plan.check().and_then(|()| plan.check_places(places)).or_else(|fault| refused(fault.to_string()))
}

fn paper_text(taken: &PaperTaken) -> PaperText<'_> {
    let (backup_of, has_key) = (taken.backup_of.as_ref(), taken.mock_key.is_some());
    PaperText { paper: &taken.sealed.paper, backup_of, has_key }
}

/// A package may replace an earlier one of its exam only while none of the exam's sittings has begun; a mock run that is over
/// goes to the past, where a reset would have put it (HB-05).
fn nothing_begun_changes(site: &Site, package: &PackageTaken) -> Result<(), Refusal> {
    for sitting in site.sittings.values().filter(|sitting| sitting.exam == package.exam) {
        match (sitting.phase(), sitting.plan.mock) {
            (Phase::Prepared | Phase::Sealed, _) | (Phase::Ended | Phase::Exported, true) => {}
            (Phase::Admitting | Phase::Running | Phase::Paused, true) => {
                let mock = sitting.id();
                return refused(format!(
                    "模拟考试 {mock} 正在进行，请先结束或重新开始（ready mock-reset），再导入 · \
                     mock sitting {mock} is going on: end it, or reset it with `ready mock-reset`, then import again"
                ));
            }
            (_, false) => return Err(Refusal::SittingBegun { sitting: sitting.plan.sitting.clone() }),
        }
    }
    for plan in package.sittings.iter().filter(|plan| !plan.mock) {
        let ran = |old: &Sitting| old.plan.mock && (old.mock.past > 0 || !old.attempts.is_empty());
        if site.sittings.get(&plan.sitting).is_some_and(ran) {
            return refused(format!("sitting id {} was a mock sitting's: give the real one its own", plan.sitting));
        }
    }
    for plan in &package.sittings {
        if site.sittings.get(&plan.sitting).is_some_and(|other| other.exam != package.exam) {
            return refused(format!("sitting id {} already belongs to another exam", plan.sitting));
        }
    }
    for paper in &package.papers {
        let id = &paper.sealed.paper;
        if site.sittings.values().any(|sitting| sitting.exam != package.exam && sitting.plan.paper == *id) {
            return refused(format!("paper id {id} already belongs to another exam"));
        }
    }
    for candidate in &package.candidates {
        if site.candidates.get(&candidate.admission_no).is_some_and(|other| other.exam != package.exam) {
            return refused("a candidate already belongs to another exam");
        }
    }
    for room in &package.rooms {
        let changed = site.rooms.get(&room.room).is_some_and(|known| known != room);
        if changed && site.open_sitting(&room.room).is_some() {
            return refused(format!("room {} is in use and cannot be changed now", room.room));
        }
    }
    Ok(())
}

/// What has run of an exam's mock sittings goes to the past.
fn retire_mocks(site: &mut Site, exam: &ExamId) -> BTreeMap<SittingId, (RoomId, MockRuns)> {
    let mocks = site.sittings.values().filter(|sitting| sitting.exam == *exam && sitting.plan.mock);
    let mocks: Vec<SittingId> = mocks.map(|sitting| sitting.id().clone()).collect();
    let retired = mocks.into_iter().filter_map(|id| {
        let old = site.sittings.remove(&id)?;
        Some((id, (old.plan.room.clone(), retire(site, &old))))
    });
    retired.collect()
}

impl Happened for PackageTaken {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        site.hq = Some(Hq { minisign: self.hq_minisign.clone() });
        let mut mock_runs = retire_mocks(site, &self.exam);
        site.sittings.retain(|_, sitting| sitting.exam != self.exam);
        site.candidates.retain(|_, candidate| candidate.exam != self.exam);
        let exam = Exam {
            package: self.package,
            title: self.title.clone(),
            hq_recipient: self.hq_recipient.clone(),
            rules: self.rules,
        };
        site.exams.insert(self.exam.clone(), exam);
        for room in &self.rooms {
            site.rooms.insert(room.room.clone(), room.clone());
        }
        for plan in &self.sittings {
            let mut sitting = Sitting::new(self.exam.clone(), plan.clone());
            if let Some((_, runs)) = mock_runs.remove(&plan.sitting).filter(|(room, _)| plan.mock && *room == plan.room)
            {
                sitting.mock = runs; // the machines have passed their trial, whatever paper the next one has
            }
            site.sittings.insert(plan.sitting.clone(), sitting);
        }
        for paper in &self.papers {
            let on_site = PaperOnSite {
                sealed: paper.sealed.clone(),
                wrapped_key: paper.wrapped_key,
                backup_of: paper.backup_of.clone(),
                mock_key: paper.mock_key,
            };
            site.papers.insert(paper.sealed.paper.clone(), on_site);
        }
        for listed in &self.candidates {
            let candidate = Candidate {
                exam: self.exam.clone(),
                password_tag: listed.password_tag,
                identity: listed.identity.clone(),
                places: listed.places.iter().map(|place| (place.sitting.clone(), place.seat)).collect(),
            };
            site.candidates.insert(listed.admission_no.clone(), candidate);
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        self.rooms.iter().flat_map(|room| site.seats_of_room(&room.room)).collect()
    }
}
