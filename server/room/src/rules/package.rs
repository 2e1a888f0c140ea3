//! HQ's package: rooms, sittings, papers and candidates come in whole or not at all (HB-10). Never changes what a begun
//! sitting rests on, and never learns a name.

use crate::{
    Fact, Reply, Scope, Site,
    rule::{Happened, Tell, Wanted},
    rules::seal::SealBroken,
    state::{Candidate, Exam, Hq, PaperOnSite, Sitting},
};
use exam_protocol::{
    code::{PackageNo, Phase, Refusal},
    ids::{AdmissionNo, ExamId, PaperId, SealedBytes, Sha256},
    paper::SealedPaper,
    plan::{CANDIDATES_MAX, Place, RoomPlan, RuleOverrides, SITTING_MINUTES_MAX, SITTING_MINUTES_MIN, SittingPlan},
    seal::SealBreak,
    time::Now,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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

fn well_formed(package: &PackageTaken) -> Result<(), Refusal> {
    if package.candidates.len() > CANDIDATES_MAX {
        return Err(Refusal::TooMany { max: CANDIDATES_MAX as u32 });
    }
    for sitting in &package.sittings {
        if !(SITTING_MINUTES_MIN..=SITTING_MINUTES_MAX).contains(&sitting.duration_min) {
            return refused(format!(
                "sitting {} lasts {} minutes; 5 to 300 are possible",
                sitting.sitting, sitting.duration_min
            ));
        }
        if !package.rooms.iter().any(|room| room.room == sitting.room) {
            return refused(format!(
                "sitting {} is in room {}, which the package does not have",
                sitting.sitting, sitting.room
            ));
        }
        if !package.papers.iter().any(|paper| paper.sealed.paper == sitting.paper) {
            return refused(format!(
                "sitting {} needs paper {}, which the package does not have",
                sitting.sitting, sitting.paper
            ));
        }
    }
    papers_are_apart(package)?;
    desks_are_single(package)
}

/// A backup paper stands for a paper of the package and is nobody's planned one; a mock paper is no real sitting's: its
/// code is given out early.
fn papers_are_apart(package: &PackageTaken) -> Result<(), Refusal> {
    let planned = |paper: &PaperId| package.sittings.iter().find(|sitting| sitting.paper == *paper);
    for paper in &package.papers {
        let id = &paper.sealed.paper;
        let Some(instead_of) = &paper.backup_of else { continue };
        if planned(id).is_some() || planned(instead_of).is_none() {
            return refused(format!("backup paper {id} must stand for a sitting's paper and be no sitting's own"));
        }
    }
    for mock in package.sittings.iter().filter(|sitting| sitting.mock) {
        if package.sittings.iter().any(|sitting| !sitting.mock && sitting.paper == mock.paper) {
            return refused(format!("mock sitting {} has the paper of a real sitting", mock.sitting));
        }
    }
    Ok(())
}

fn desks_are_single(package: &PackageTaken) -> Result<(), Refusal> {
    let mut numbers = BTreeSet::new();
    let mut desks = BTreeSet::new();
    for candidate in &package.candidates {
        if !numbers.insert(&candidate.admission_no) {
            return refused("a candidate is listed twice");
        }
        for place in &candidate.places {
            let room = package.sittings.iter().find(|s| s.sitting == place.sitting).map(|s| &s.room);
            let desk_exists = package.rooms.iter().any(|r| Some(&r.room) == room && r.seats.contains(&place.seat));
            if !desk_exists {
                return refused(format!("seat {} of sitting {} does not exist", place.seat, place.sitting));
            }
            if !desks.insert((&place.sitting, place.seat)) {
                return refused(format!("seat {} of sitting {} is given to two candidates", place.seat, place.sitting));
            }
        }
    }
    Ok(())
}

/// A package may replace an earlier one of its exam only while none of the exam's sittings has begun.
fn nothing_begun_changes(site: &Site, package: &PackageTaken) -> Result<(), Refusal> {
    for sitting in site.sittings.values().filter(|sitting| sitting.exam == package.exam) {
        if !matches!(sitting.phase(), Phase::Prepared | Phase::Sealed) {
            return Err(Refusal::SittingBegun { sitting: sitting.plan.sitting.clone() });
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

impl Happened for PackageTaken {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        site.hq = Some(Hq { minisign: self.hq_minisign.clone() });
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
            site.sittings.insert(plan.sitting.clone(), Sitting::new(self.exam.clone(), plan.clone()));
        }
        for paper in &self.papers {
            let on_site = PaperOnSite {
                sealed: paper.sealed.clone(),
                wrapped_key: paper.wrapped_key,
                backup_of: paper.backup_of.clone(),
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
