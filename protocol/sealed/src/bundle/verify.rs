//! Checks a bundle: every byte of the zip, the site's signature, every hash, the journal's chain line by line, and each answer
//! against the fact that recorded it. Never repairs; the first fault found is named with its place.

use super::{
    ATTACHMENTS, AttemptRecord, BUNDLE_FORMAT, BundleManifest, JOURNAL, LIMITS, MANIFEST, ROSTER, SUMS, SUMS_SIGNATURE,
    answers_member, attachment_member, roster_csv, sums, witness::Witnesses,
};
use crate::{
    json::{self, JsonFault},
    keys::{self, KeyError},
    zipping::{self, SafeZip, ZipFault},
};
use exam_protocol::{
    chain::{self, ChainBreak, ChainCheck},
    ids::{AdmissionNo, Sha256, SiteId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Cursor,
};

/// What is wrong with a bundle, and where.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// The zip around it.
    #[error("the bundle is not acceptable as a zip file")]
    Zip(#[from] ZipFault),
    /// Bytes of the zip that no member accounts for, or written otherwise than we write.
    #[error("the zip file was changed at byte {offset}, outside the content of its members")]
    NotCanonical {
        /// Offset of the first byte that differs from the zip its members give.
        offset: usize,
    },
    /// The signature is missing, bad or another's.
    #[error("{SUMS_SIGNATURE} is not the site's signature over {SUMS}")]
    Signature(#[source] KeyError),
    /// Listing and members differ.
    #[error("{SUMS}, line {line}: {what}")]
    Sums {
        /// From 1.
        line: usize,
        /// What differs, naming the member.
        what: String,
    },
    /// A member that should be there is not, or is not text.
    #[error("member {member}: {what}")]
    Member {
        /// Which.
        member: String,
        /// Missing, not expected, not UTF-8.
        what: &'static str,
    },
    /// The manifest cannot be read, or is newer than we are.
    #[error("{MANIFEST} is not acceptable")]
    Manifest(#[source] JsonFault),
    /// The manifest contradicts the members.
    #[error("{MANIFEST}: {field} is {says}, the members say {found}")]
    Contradiction {
        /// Which field.
        field: &'static str,
        /// What the manifest says.
        says: String,
        /// What is true.
        found: String,
    },
    /// The chain breaks.
    #[error("{JOURNAL} does not hold")]
    Journal(#[from] ChainBreak),
    /// A fact contradicts the facts before it.
    #[error("{JOURNAL}, line {line}: {what}")]
    Fact {
        /// From 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A record cannot be read.
    #[error("member {member} cannot be read")]
    Record {
        /// Which.
        member: String,
        /// Where and why.
        source: JsonFault,
    },
    /// A record is not what the journal says.
    #[error("member {member}: {what}")]
    Answers {
        /// Which.
        member: String,
        /// What differs.
        what: String,
    },
    /// The roster table does not fit the records.
    #[error("{ROSTER}, line {line}: {what}")]
    Roster {
        /// From 1.
        line: usize,
        /// What differs.
        what: &'static str,
    },
}

/// A bundle that holds.
pub struct BundleReport {
    /// What it says of itself.
    pub manifest: BundleManifest,
    /// SHA-256 of the zip.
    pub content: Sha256,
    /// One record a candidate, in the order of admission numbers.
    pub attempts: Vec<AttemptRecord>,
    /// Answer versions in the journal.
    pub versions: u64,
    /// Every member, for writing out.
    pub members: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for BundleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleReport")
            .field("manifest", &self.manifest)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

/// Checks the zip of a bundle against the site that must have signed it (minisign `.pub` file or bare key line).
///
/// # Errors
/// The first [`BundleFault`], naming the place.
pub fn verify(zip: &[u8], site_public: &str, site: &SiteId) -> Result<BundleReport, BundleFault> {
    let members = SafeZip::open(Cursor::new(zip), LIMITS)?.read_all()?;
    check_every_byte(zip, &members)?;
    check_signature(&members, site_public)?;
    let manifest: BundleManifest =
        json::read_versioned(member(&members, MANIFEST)?, BUNDLE_FORMAT).map_err(BundleFault::Manifest)?;
    agree("site", &manifest.about.site, site)?;

    let mut witnesses = check_journal(&manifest, text(&members, JOURNAL)?)?;
    let records = read_records(&members)?;
    for (name, record) in &records {
        witnesses.confirm(record).map_err(|what| BundleFault::Answers { member: answers_member(name), what })?;
    }
    check_attachments(&members, &manifest, witnesses.attachments())?;
    if let Some(name) = witnesses.left_over() {
        return Err(BundleFault::Member {
            member: answers_member(name),
            what: "missing, though the journal has the attempt",
        });
    }
    if let Some((line, what)) = roster_csv::difference(text(&members, ROSTER)?, &records) {
        return Err(BundleFault::Roster { line, what });
    }
    check_counts(&manifest, &records)?;
    let versions = records.values().map(|record| record.versions.len() as u64).sum();
    Ok(BundleReport {
        manifest,
        content: Sha256::of(zip),
        attempts: records.into_values().collect(),
        versions,
        members,
    })
}

/// A zip has bytes no checksum covers (names twice, dates, flags): it must be the very file its members give.
fn check_every_byte(zip: &[u8], members: &BTreeMap<String, Vec<u8>>) -> Result<(), BundleFault> {
    let again = zipping::write_zip(members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))?;
    if again == zip {
        return Ok(());
    }
    let same = again.iter().zip(zip).take_while(|(a, b)| a == b).count();
    Err(BundleFault::NotCanonical { offset: same })
}

fn check_signature(members: &BTreeMap<String, Vec<u8>>, site_public: &str) -> Result<(), BundleFault> {
    let listing = text(members, SUMS)?;
    keys::verify(site_public, listing.as_bytes(), text(members, SUMS_SIGNATURE)?).map_err(BundleFault::Signature)?;
    match sums::difference(listing, &sums::listing(members)) {
        Some((line, what)) => Err(BundleFault::Sums { line, what }),
        None => Ok(()),
    }
}

fn check_journal(manifest: &BundleManifest, journal: &str) -> Result<Witnesses, BundleFault> {
    let mut chain = ChainCheck::new(&manifest.about.site);
    let mut witnesses = Witnesses::default();
    let own = chain::sitting_scope(&manifest.about.sitting);
    for line in journal.split_terminator('\n') {
        let Some(fact) = chain.line(line)? else { continue };
        let fault = |what| BundleFault::Fact { line: fact.seq, what };
        witnesses.hear_any(&fact, &manifest.about.exam).map_err(fault)?;
        if fact.scope == own {
            witnesses.hear(&fact).map_err(fault)?;
        }
    }
    agree("journal_facts", &manifest.journal_facts, &chain.facts())?;
    agree("journal_head", &manifest.journal_head, &chain.head())?;
    Ok(witnesses)
}

/// Reads `answers/*.json`; any member without a place in a bundle is a fault.
fn read_records(members: &BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<AdmissionNo, AttemptRecord>, BundleFault> {
    let mut records = BTreeMap::new();
    for (name, bytes) in members {
        let known = [MANIFEST, JOURNAL, ROSTER, SUMS, SUMS_SIGNATURE].contains(&name.as_str());
        if known || name.starts_with(ATTACHMENTS) {
            continue;
        }
        if !name.starts_with("answers/") {
            return Err(BundleFault::Member { member: name.clone(), what: "has no place in a bundle" });
        }
        let record: AttemptRecord =
            json::read(bytes).map_err(|source| BundleFault::Record { member: name.clone(), source })?;
        if answers_member(&record.admission_no) != *name {
            return Err(BundleFault::Member { member: name.clone(), what: "holds another candidate's record" });
        }
        records.insert(record.admission_no.clone(), record);
    }
    Ok(records)
}

/// Every file the facts name is here under its own hash, or is said to be lost; nothing else is.
fn check_attachments(
    members: &BTreeMap<String, Vec<u8>>,
    manifest: &BundleManifest,
    named: &BTreeSet<Sha256>,
) -> Result<(), BundleFault> {
    let mut found: BTreeSet<Sha256> = BTreeSet::new();
    for (name, bytes) in members.iter().filter(|(name, _)| name.starts_with(ATTACHMENTS)) {
        let hash = Sha256::of(bytes);
        let fault = |what| Err(BundleFault::Member { member: name.clone(), what });
        if *name != attachment_member(bytes) {
            return fault("its content is not what its name says");
        }
        if !named.contains(&hash) {
            return fault("no fact names this file");
        }
        found.insert(hash);
    }
    found.extend(&manifest.attachments_lost);
    match named.symmetric_difference(&found).next() {
        None => Ok(()),
        Some(hash) => Err(BundleFault::Member {
            member: format!("{ATTACHMENTS}{hash}"),
            what: "is neither here nor said to be lost",
        }),
    }
}

fn check_counts(manifest: &BundleManifest, records: &BTreeMap<AdmissionNo, AttemptRecord>) -> Result<(), BundleFault> {
    agree("candidates", &u64::from(manifest.candidates), &(records.len() as u64))?;
    let attempts = records.values().filter(|record| record.attempt.is_some()).count() as u64;
    agree("attempts", &u64::from(manifest.attempts), &attempts)?;
    agree("answers", &manifest.answers, &records.values().map(|record| record.newest.len() as u64).sum())
}

fn agree<T: PartialEq + fmt::Display>(field: &'static str, says: &T, found: &T) -> Result<(), BundleFault> {
    if says == found {
        return Ok(());
    }
    Err(BundleFault::Contradiction { field, says: says.to_string(), found: found.to_string() })
}

fn member<'a>(members: &'a BTreeMap<String, Vec<u8>>, name: &str) -> Result<&'a [u8], BundleFault> {
    let missing = || BundleFault::Member { member: name.to_owned(), what: "missing" };
    members.get(name).map(Vec::as_slice).ok_or_else(missing)
}

fn text<'a>(members: &'a BTreeMap<String, Vec<u8>>, name: &str) -> Result<&'a str, BundleFault> {
    let not_text = |_| BundleFault::Member { member: name.to_owned(), what: "is not UTF-8 text" };
    std::str::from_utf8(member(members, name)?).map_err(not_text)
}
