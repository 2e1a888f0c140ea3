//! Builds a package at HQ: seals papers, roster and photos, lists them in the manifest and signs it. Never lets an answer key in
//! with a real paper: a plan that has one is refused whole.

use super::{MANIFEST, MANIFEST_SIGNATURE, PHOTO_BYTES_MAX, PHOTOS, ROSTER, member};
use crate::{
    code::UnlockCode,
    keys::{self, KeyError},
    manifest::{Manifest, PACKAGE_FORMAT, PaperEntry, RoomPlan, Roster, RosterEntry, RuleOverrides, SittingPlan},
    paper,
    plan::{self, PlanFault},
    seal::{self, SealError},
    zipping::{self, ZipFault},
};
use exam_protocol::{
    ids::{AdmissionNo, ExamId, PaperId, Sha256},
    key::ItemKeys,
    paper::{Paper, PaperFault},
    site::SitePublic,
    time::WallMs,
};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What HQ puts into a package.
pub struct PackageInput {
    /// Which exam.
    pub exam: ExamId,
    /// Its title.
    pub exam_title: String,
    /// When it is built; the caller asks the clock.
    pub built_at: WallMs,
    /// Oldest server that may import it.
    pub server_min: String,
    /// The site it is for.
    pub site: SitePublic,
    /// age recipient of HQ.
    pub hq_recipient: String,
    /// minisign secret key file of HQ; its public half goes into the manifest.
    pub hq_secret: Zeroizing<String>,
    /// Rooms.
    pub rooms: Vec<RoomPlan>,
    /// Sittings.
    pub sittings: Vec<SittingPlan>,
    /// Overrides of the handbook's numbers.
    pub rules: RuleOverrides,
    /// Everybody expected; `photo` is set by [`build`].
    pub candidates: Vec<CandidateInput>,
    /// Papers with their codes.
    pub papers: Vec<PaperInput>,
}

/// A candidate and the photo.
pub struct CandidateInput {
    /// The roster's entry.
    pub entry: RosterEntry,
    /// The photo file's bytes.
    pub photo: Option<Vec<u8>>,
}

/// A paper and the code that will open it.
pub struct PaperInput {
    /// Without its key.
    pub paper: Paper,
    /// The code.
    pub code: UnlockCode,
    /// The paper whose place it may take, if it is a backup paper (HB-32).
    pub backup_of: Option<PaperId>,
    /// Its answer key; a paper of mock sittings may have one (HB-05), any other makes [`build`] refuse.
    pub mock_key: Option<ItemKeys>,
}

/// Why a package cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The plan or the roster is impossible.
    #[error("the plan cannot be carried out")]
    Plan(#[from] PlanFault),
    /// A paper breaks its rules.
    #[error("paper {paper} is not usable")]
    Paper {
        /// Which.
        paper: PaperId,
        /// Why.
        source: PaperFault,
    },
    /// A photo is too large.
    #[error("the photo of candidate {0} is larger than 5 MiB (HB-08)")]
    PhotoTooLarge(AdmissionNo),
    /// A recipient is none.
    #[error("sealing failed")]
    Seal(#[from] SealError),
    /// HQ's key is not usable.
    #[error("signing failed")]
    Key(#[from] KeyError),
    /// The zip could not be written.
    #[error("writing the zip failed")]
    Zip(#[from] ZipFault),
}

/// A finished package.
pub struct BuiltPackage {
    /// The file.
    pub bytes: Vec<u8>,
    /// What its manifest says.
    pub manifest: Manifest,
    /// Candidates on the sealed roster.
    pub candidates: usize,
}

/// Builds a package: seals everything, lists it in the manifest, signs that.
///
/// # Errors
/// [`BuildError`]; nothing is written anywhere.
pub fn build(input: PackageInput) -> Result<BuiltPackage, BuildError> {
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let papers = seal_papers(&input, &mut members)?;
    let roster = seal_photos(input.candidates, &input.site.age_recipient, &mut members)?;
    let roster_json = serde_json::to_vec(&roster).expect("a roster is texts and numbers");
    members.insert(ROSTER.to_owned(), seal::seal(&roster_json, &input.site.age_recipient)?);

    let manifest = Manifest {
        format: PACKAGE_FORMAT,
        server_min: input.server_min,
        built_at: input.built_at,
        exam: input.exam,
        exam_title: input.exam_title,
        site_fingerprint: input.site.fingerprint(),
        site: input.site.site,
        hq_recipient: seal::parse_recipient(&input.hq_recipient)?.to_string(),
        hq_minisign: keys::public_line_of_secret(&input.hq_secret)?,
        rooms: input.rooms,
        sittings: input.sittings,
        papers,
        rules: input.rules,
        members: members.iter().map(|(name, bytes)| member(name, bytes)).collect(),
    };
    plan::check_plan(&manifest)?;
    plan::check_roster(&manifest, &roster)?;

    let json = serde_json::to_vec_pretty(&manifest).expect("a manifest is texts and numbers");
    let comment = format!("exam package {} for {}", manifest.exam, manifest.site);
    let signature = keys::sign(&input.hq_secret, &json, &comment)?;
    members.insert(MANIFEST.to_owned(), json);
    members.insert(MANIFEST_SIGNATURE.to_owned(), signature.into_bytes());
    let bytes = zipping::write_zip(members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))?;
    Ok(BuiltPackage { bytes, manifest, candidates: roster.candidates.len() })
}

fn seal_papers(input: &PackageInput, members: &mut BTreeMap<String, Vec<u8>>) -> Result<Vec<PaperEntry>, BuildError> {
    let mut entries = Vec::new();
    for PaperInput { paper, code, backup_of, mock_key } in &input.papers {
        paper.check().map_err(|source| BuildError::Paper { paper: paper.id.clone(), source })?;
        let parts = paper::seal_paper(paper, mock_key.as_ref(), code, &input.site.age_recipient)?;
        let (sealed, key) = (format!("papers/{}.age", paper.id), format!("papers/{}.key.age", paper.id));
        members.insert(sealed.clone(), parts.sealed);
        members.insert(key.clone(), parts.wrapped_key);
        let mock_key = parts.mock_key.map(|bytes| {
            let name = format!("papers/{}.answers.age", paper.id);
            members.insert(name.clone(), bytes);
            name
        });
        entries.push(PaperEntry { paper: paper.id.clone(), sealed, key, backup_of: backup_of.clone(), mock_key });
    }
    Ok(entries)
}

/// Photos are named by the hash of their sealed bytes: not even somebody who has a photo can tell whose it is.
fn seal_photos(
    candidates: Vec<CandidateInput>,
    site_recipient: &str,
    members: &mut BTreeMap<String, Vec<u8>>,
) -> Result<Roster, BuildError> {
    let mut roster = Roster { candidates: Vec::with_capacity(candidates.len()) };
    for CandidateInput { mut entry, photo } in candidates {
        entry.photo = None;
        if let Some(photo) = photo {
            if photo.len() > PHOTO_BYTES_MAX {
                return Err(BuildError::PhotoTooLarge(entry.admission_no));
            }
            let sealed = seal::seal(&photo, site_recipient)?;
            let name = format!("{PHOTOS}{}.age", Sha256::of(&sealed));
            entry.photo = Some(name.clone());
            members.insert(name, sealed);
        }
        roster.candidates.push(entry);
    }
    Ok(roster)
}
