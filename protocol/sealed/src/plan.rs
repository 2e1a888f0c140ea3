//! A package's manifest and roster as the one check of plans reads them, and what only a roster has: ID numbers and photos.
//! HQ asks before building, the site before importing. Never changes anything.

use crate::manifest::{Manifest, Roster};
use exam_protocol::{
    ids::AdmissionNo,
    plan::check::{PaperText, PlanText},
};
use std::collections::BTreeMap;

pub use exam_protocol::plan::{TITLE_CHARS_MAX, check::PlanFault};

/// Checks rooms, sittings and papers.
///
/// # Errors
/// The first [`PlanFault`].
pub fn check_plan(manifest: &Manifest) -> Result<(), PlanFault> {
    let papers: Vec<PaperText<'_>> = manifest
        .papers
        .iter()
        .map(|entry| PaperText {
            paper: &entry.paper,
            backup_of: entry.backup_of.as_ref(),
            has_key: entry.mock_key.is_some(),
        })
        .collect();
    text(manifest, &papers).check()
}

/// Checks a roster against the plan it belongs to.
///
/// # Errors
/// The first [`PlanFault`].
pub fn check_roster(manifest: &Manifest, roster: &Roster) -> Result<(), PlanFault> {
    let places = roster.candidates.iter().map(|entry| (&entry.admission_no, entry.places.as_slice()));
    text(manifest, &[]).check_places(places)?;
    let mut id_numbers: BTreeMap<&str, &AdmissionNo> = BTreeMap::new();
    for entry in &roster.candidates {
        let admission_no = entry.admission_no.clone();
        if let Some(first) = id_numbers.insert(&entry.id_number, &entry.admission_no) {
            return Err(PlanFault::SameIdNumber { first: first.clone(), second: admission_no });
        }
        if entry.photo.as_ref().is_some_and(|photo| !manifest.members.iter().any(|m| &m.name == photo)) {
            return Err(PlanFault::PhotoMissing { admission_no });
        }
    }
    Ok(())
}

fn text<'a>(manifest: &'a Manifest, papers: &'a [PaperText<'a>]) -> PlanText<'a> {
    PlanText { exam_title: &manifest.exam_title, rooms: &manifest.rooms, sittings: &manifest.sittings, papers }
}
