//! Taking in a package: signature, site, version and hashes are checked, blobs are kept, and one fact says it all.
//! Lands whole or not at all: until that fact is on disk nothing refers to the blobs. Never opens a paper.

use crate::{
    reception::{Identity, context, password_tag},
    site::SiteKeys,
    vault::{Shelf, Vault},
};
use exam_protocol::{
    code::PackageNo,
    ids::{SealedBytes, Sha256},
    message::admin::PackageImported,
    paper::SealedPaper,
};
use exam_room::rules::package::{CandidateListed, PackageTaken, PaperTaken};
use exam_sealed::{
    json::JsonFault,
    manifest::{Roster, RosterEntry},
    package::{Package, PackageFault},
};
use std::{io, path::Path};

/// Largest package file looked at, in bytes.
pub const PACKAGE_BYTES_MAX: u64 = exam_protocol::message::transfer::BLOB_BYTES_MAX;

/// Why a package is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The package says no.
    #[error(transparent)]
    Package(#[from] PackageFault),
    /// Signed by somebody else.
    #[error("it is signed by HQ key {found}, but this site believes HQ key {pinned}")]
    OtherHq {
        /// Key id of the package.
        found: String,
        /// Key id the site believes.
        pinned: String,
    },
    /// Larger than any package.
    #[error("the file has {0} bytes; a package has at most 2 GiB")]
    TooLarge(u64),
    /// The disk says no.
    #[error("the package cannot be kept")]
    Disk(#[from] io::Error),
}

impl ImportError {
    /// Which kind of check failed, in the words of the wire; none where the world failed, not the package.
    pub fn kind(&self) -> Option<PackageNo> {
        match self {
            ImportError::Disk(_) => None,
            ImportError::OtherHq { .. } => Some(PackageNo::Signature),
            ImportError::TooLarge(_) => Some(PackageNo::Damaged),
            ImportError::Package(fault) => Some(match fault {
                PackageFault::Signature(_) | PackageFault::OtherHq { .. } => PackageNo::Signature,
                PackageFault::OtherSite { .. } | PackageFault::OldSiteKeys { .. } => PackageNo::OtherSite,
                PackageFault::ServerTooOld { .. } => PackageNo::Newer,
                PackageFault::Manifest(JsonFault::NewerFormat { .. }) => PackageNo::Newer,
                PackageFault::Plan(_) | PackageFault::Roster(_) => PackageNo::Plan,
                PackageFault::Zip(_)
                | PackageFault::Manifest(_)
                | PackageFault::Listing { .. }
                | PackageFault::Changed { .. }
                | PackageFault::Sealed { .. } => PackageNo::Damaged,
            }),
        }
    }
}

/// Reads and checks a package, keeps its blobs, and returns what the clerk has to be asked.
///
/// # Errors
/// Says which check failed; nothing refers to what was kept so far.
pub fn read(path: &Path, keys: &SiteKeys, vault: &Vault, pinned_hq: Option<&str>) -> Result<PackageTaken, ImportError> {
    let bytes = std::fs::metadata(path)?.len();
    if bytes > PACKAGE_BYTES_MAX {
        return Err(ImportError::TooLarge(bytes));
    }
    let mut package = Package::open(std::fs::File::open(path)?)?;
    let own = package.manifest().hq_minisign.clone();
    if let Some(pinned) = pinned_hq.filter(|pinned| *pinned != own) {
        return Err(ImportError::OtherHq { found: key_id(&own), pinned: key_id(pinned) });
    }
    package.verify(&own)?;
    package.check_site(keys.public())?;
    package.check_server_version(env!("CARGO_PKG_VERSION"))?;
    let roster = package.roster(keys.age_identity())?;
    let manifest = package.manifest().clone();
    let papers = manifest.papers.iter().map(|entry| -> Result<PaperTaken, ImportError> {
        let sealed = package.member(&entry.sealed)?;
        let wrapped = package.member(&entry.key)?;
        let hash = vault.keep(Shelf::Papers, &sealed)?;
        let sealed = SealedPaper { paper: entry.paper.clone(), hash, bytes: sealed.len() as u64 };
        let wrapped_key = vault.keep(Shelf::Wrapped, &wrapped)?;
        let mock_key = match &entry.mock_key {
            Some(member) => Some(vault.keep(Shelf::MockKeys, &package.member(member)?)?),
            None => None,
        };
        Ok(PaperTaken { sealed, wrapped_key, backup_of: entry.backup_of.clone(), mock_key })
    });
    let papers = papers.collect::<Result<Vec<_>, _>>()?;
    for photo in roster.candidates.iter().filter_map(|candidate| candidate.photo.as_ref()) {
        vault.keep(Shelf::Photos, &package.member(photo)?)?;
    }
    Ok(PackageTaken {
        package: hash_of_file(path)?,
        exam: manifest.exam,
        title: manifest.exam_title,
        hq_minisign: manifest.hq_minisign,
        hq_recipient: manifest.hq_recipient,
        rooms: manifest.rooms,
        sittings: manifest.sittings,
        papers,
        rules: manifest.rules,
        candidates: listed(&roster, keys),
    })
}

fn listed(roster: &Roster, keys: &SiteKeys) -> Vec<CandidateListed> {
    let seal = |candidate: &RosterEntry| {
        let identity = Identity { name: candidate.name.clone(), id_number: candidate.id_number.clone() };
        let text = serde_json::to_vec(&identity).expect("two texts can be written");
        CandidateListed {
            admission_no: candidate.admission_no.clone(),
            password_tag: password_tag(keys, &candidate.admission_no, candidate.admission_no.initial_password()),
            identity: SealedBytes(keys.at_rest().seal(context::IDENTITY, &text)),
            places: candidate.places.clone(),
        }
    };
    roster.candidates.iter().map(seal).collect()
}

/// What an import says to whoever asked for it; `before` is the package of the same exam that was there.
pub fn summary(content: &PackageTaken, hq_key_is_new: bool, before: Option<Sha256>) -> PackageImported {
    PackageImported {
        exam: content.title.clone(),
        hq_key: key_id(&content.hq_minisign),
        hq_key_is_new,
        sittings: content.sittings.iter().map(|sitting| sitting.sitting.clone()).collect(),
        candidates: content.candidates.len() as u32,
        changed: before != Some(content.package),
    }
}

/// Short id of a minisign public key, for people to compare: the key's own 8-byte id, in hex.
pub fn key_id(public: &str) -> String {
    let bytes = data_encoding::BASE64.decode(public.trim().as_bytes()).unwrap_or_default();
    bytes
        .get(2..10)
        .map(|id| id.iter().rev().map(|b| format!("{b:02X}")).collect())
        .unwrap_or_else(|| "unreadable".to_owned())
}

fn hash_of_file(path: &Path) -> io::Result<Sha256> {
    use sha2::Digest;
    let mut digest = sha2::Sha256::new();
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0_u8; 1024 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(Sha256::from_bytes(digest.finalize().into())),
            n => digest.update(&buffer[..n]),
        }
    }
}
