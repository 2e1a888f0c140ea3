//! The exam package (考试包, `*.exam`): HQ builds and signs it, the site opens and checks it. A zip with a readable signed
//! manifest and sealed members. Never holds an answer key but a mock paper's, and no ID number in any name.

mod build;

pub use build::{BuildError, BuiltPackage, CandidateInput, PackageInput, PaperInput, build};

use crate::{
    json::{self, JsonFault},
    keys::{self, KeyError},
    manifest::{Manifest, Member, PACKAGE_FORMAT, PaperEntry, Roster},
    plan::{self, PlanFault},
    seal::{self, SealError},
    zipping::{SafeZip, ZipFault, ZipLimits},
};
use exam_protocol::{
    ids::{Sha256, SiteId},
    site::SitePublic,
};
use std::{
    collections::BTreeSet,
    io::{Read, Seek},
};

/// The signed plan.
pub const MANIFEST: &str = "manifest.json";
/// HQ's signature over it.
pub const MANIFEST_SIGNATURE: &str = "manifest.json.minisig";
/// The roster, sealed to the site.
pub const ROSTER: &str = "roster.age";
/// Folder of the sealed photos.
const PHOTOS: &str = "photos/";
/// Largest photo as people hand it in (HB-08).
pub const PHOTO_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Largest roster, opened.
pub const ROSTER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What a package may hold: thousands of photos, a few papers.
const LIMITS: ZipLimits = ZipLimits {
    entries_max: 12_000,
    member_bytes_max: 80 * 1024 * 1024,
    total_bytes_max: 4 * 1024 * 1024 * 1024,
    ratio_max: 200,
};

/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
pub enum PackageFault {
    /// The file around it.
    #[error("the package file is not acceptable")]
    Zip(#[from] ZipFault),
    /// The manifest cannot be read, or is newer than we are.
    #[error("{MANIFEST} of the package is not acceptable")]
    Manifest(#[source] JsonFault),
    /// The plan is impossible.
    #[error("the plan in the package cannot be carried out")]
    Plan(#[from] PlanFault),
    /// A listed member is missing or an unlisted one is there.
    #[error("member {member}: {what}")]
    Listing {
        /// Which.
        member: String,
        /// Missing, unlisted, listed twice.
        what: &'static str,
    },
    /// A member is not what the manifest says.
    #[error("member {member} was changed: its size or SHA-256 is not the one in {MANIFEST}")]
    Changed {
        /// Which.
        member: String,
    },
    /// The signature is missing, bad or another's.
    #[error("the signature {MANIFEST_SIGNATURE} is not HQ's")]
    Signature(#[source] KeyError),
    /// The manifest names another HQ than the one that signed.
    #[error("the package names key {named} as HQ's, but the site trusts {trusted}")]
    OtherHq {
        /// Key id in the manifest.
        named: String,
        /// Key id the site trusts.
        trusted: String,
    },
    /// Made for another site.
    #[error("the package is for site {package}, this is site {site}")]
    OtherSite {
        /// Site in the manifest.
        package: SiteId,
        /// This one.
        site: SiteId,
    },
    /// Made for this site's name but other keys.
    #[error(
        "the package was sealed to older keys of site {site}: give HQ the current site-public.json and have it built again"
    )]
    OldSiteKeys {
        /// This site.
        site: SiteId,
    },
    /// Needs a newer server.
    #[error("the package needs server version {needed} or newer, this is {ours}: install the newer version first")]
    ServerTooOld {
        /// Version it asks for.
        needed: String,
        /// Version that runs.
        ours: String,
    },
    /// A sealed member does not open.
    #[error("member {member} cannot be opened")]
    Sealed {
        /// Which.
        member: String,
        /// Why.
        source: SealError,
    },
    /// The roster inside its seal cannot be read.
    #[error("the roster of the package cannot be read")]
    Roster(#[source] JsonFault),
}

/// An open package whose every member is listed, present and unchanged. Who signed it is a second question: ask
/// [`verify`](Package::verify) before believing a word.
#[derive(Debug)]
pub struct Package<R> {
    zip: SafeZip<R>,
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
}

impl<R: Read + Seek> Package<R> {
    /// Opens a package: zip safety, manifest, plan, then size and hash of every member.
    ///
    /// # Errors
    /// [`PackageFault`], naming the member.
    pub fn open(reader: R) -> Result<Self, PackageFault> {
        let mut zip = SafeZip::open(reader, LIMITS)?;
        let manifest_bytes = zip.read(MANIFEST)?;
        let manifest: Manifest =
            json::read_versioned(&manifest_bytes, PACKAGE_FORMAT).map_err(PackageFault::Manifest)?;
        check_listing(&manifest, &zip)?;
        plan::check_plan(&manifest)?;
        for listed in &manifest.members {
            if member(&listed.name, &zip.read(&listed.name)?) != *listed {
                return Err(PackageFault::Changed { member: listed.name.clone() });
            }
        }
        Ok(Self { zip, manifest, manifest_bytes })
    }

    /// What the package says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Checks that HQ, known by its minisign public key (`.pub` file or bare line), signed the manifest, and so everything.
    ///
    /// # Errors
    /// [`PackageFault::Signature`] or [`PackageFault::OtherHq`].
    pub fn verify(&mut self, hq_public: &str) -> Result<(), PackageFault> {
        let trusted = keys::public_line(hq_public).map_err(PackageFault::Signature)?;
        let signature = String::from_utf8(self.zip.read(MANIFEST_SIGNATURE)?)
            .map_err(|_| PackageFault::Signature(KeyError::BadSignature))?;
        keys::verify(&trusted, &self.manifest_bytes, &signature).map_err(PackageFault::Signature)?;
        if keys::public_line(&self.manifest.hq_minisign).map_err(PackageFault::Signature)? != trusted {
            let id = |key: &str| keys::key_id(key).unwrap_or_default();
            return Err(PackageFault::OtherHq { named: id(&self.manifest.hq_minisign), trusted: id(&trusted) });
        }
        Ok(())
    }

    /// Checks that the package is for this site and its present keys.
    ///
    /// # Errors
    /// [`PackageFault::OtherSite`] or [`PackageFault::OldSiteKeys`].
    pub fn check_site(&self, site: &SitePublic) -> Result<(), PackageFault> {
        if self.manifest.site != site.site {
            return Err(PackageFault::OtherSite { package: self.manifest.site.clone(), site: site.site.clone() });
        }
        if self.manifest.site_fingerprint != site.fingerprint() {
            return Err(PackageFault::OldSiteKeys { site: site.site.clone() });
        }
        Ok(())
    }

    /// Checks that a server of version `ours` (`major.minor.patch`) may import it.
    ///
    /// # Errors
    /// [`PackageFault::ServerTooOld`]; also when either version cannot be read.
    pub fn check_server_version(&self, ours: &str) -> Result<(), PackageFault> {
        let needed = &self.manifest.server_min;
        match (version(ours), version(needed)) {
            (Some(have), Some(need)) if have >= need => Ok(()),
            _ => Err(PackageFault::ServerTooOld { needed: needed.clone(), ours: ours.to_owned() }),
        }
    }

    /// One member's bytes, as they stand in the package: sealed ones stay sealed.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub fn member(&mut self, name: &str) -> Result<Vec<u8>, PackageFault> {
        Ok(self.zip.read(name)?)
    }

    /// Opens a sealed member, e.g. a photo.
    ///
    /// # Errors
    /// It is missing, damaged, sealed for another site, or holds more than `plain_bytes_max`.
    pub fn open_member(
        &mut self,
        name: &str,
        site_identity: &str,
        plain_bytes_max: u64,
    ) -> Result<Vec<u8>, PackageFault> {
        let sealed = self.zip.read(name)?;
        seal::open(&sealed, site_identity, plain_bytes_max)
            .map_err(|source| PackageFault::Sealed { member: name.to_owned(), source })
    }

    /// Opens the roster with the site's age identity and checks it against the plan.
    ///
    /// # Errors
    /// Sealed for another site, unreadable, or impossible.
    pub fn roster(&mut self, site_identity: &str) -> Result<Roster, PackageFault> {
        let json = self.open_member(ROSTER, site_identity, ROSTER_BYTES_MAX)?;
        let roster: Roster = json::read(&json).map_err(PackageFault::Roster)?;
        plan::check_roster(&self.manifest, &roster)?;
        Ok(roster)
    }
}

/// How the manifest lists a member.
fn member(name: &str, bytes: &[u8]) -> Member {
    Member { name: name.to_owned(), bytes: bytes.len() as u64, sha256: Sha256::of(bytes) }
}

fn check_listing<R: Read + Seek>(manifest: &Manifest, zip: &SafeZip<R>) -> Result<(), PackageFault> {
    let fault = |member: &str, what| Err(PackageFault::Listing { member: member.to_owned(), what });
    let present: BTreeSet<&str> = zip.names().collect();
    let mut listed = BTreeSet::from([MANIFEST, MANIFEST_SIGNATURE]);
    for entry in &manifest.members {
        if !listed.insert(&entry.name) {
            return fault(&entry.name, "listed twice in the manifest");
        }
    }
    if let Some(missing) = listed.difference(&present).next() {
        return fault(missing, "missing from the package");
    }
    if let Some(extra) = present.difference(&listed).next() {
        return fault(extra, "not listed in the manifest");
    }
    let of_paper = |paper: &'_ PaperEntry| {
        [Some(paper.sealed.clone()), Some(paper.key.clone()), paper.mock_key.clone()].into_iter().flatten()
    };
    let needed: BTreeSet<String> = manifest.papers.iter().flat_map(of_paper).chain([ROSTER.to_owned()]).collect();
    if let Some(lacking) = needed.iter().find(|name| !manifest.members.iter().any(|m| m.name == **name)) {
        return fault(lacking, "needed by the plan but not listed");
    }
    // A member nobody names could be anything, an answer key too.
    let odd = |m: &&Member| !needed.contains(&m.name) && !m.name.starts_with(PHOTOS);
    manifest.members.iter().find(odd).map_or(Ok(()), |m| fault(&m.name, "has no place in a package"))
}

/// `major.minor.patch`; a pre-release or build suffix is not ours and not read.
fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.trim().split('.').map(|part| part.parse().ok());
    let whole = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(whole)
}
