//! Writing a result bundle (DESIGN §10): everything in it is derived from the journal up to the sitting's last fact, so
//! two exports are equal byte for byte. Never includes what concerns another sitting only.

use crate::{
    attachments,
    journal::{JournalError, JournalReader, Row},
    reception::{Identity, context},
    site::SiteKeys,
    vault::{Shelf, Vault},
};
use exam_link::private_file;
use exam_protocol::{
    chain::{fact_line, withheld_line},
    code::SeatState,
    ids::{AdmissionNo, Sha256, SittingId},
    message::candidate::AttemptId,
};
use exam_room::{
    Fact, Scope, Site,
    state::{Attempt, Sitting},
};
use exam_sealed::{
    bundle::{self, AnswerVersion, AttemptRecord, BundleAbout, BundleContents, BundleFault, Person, Termination},
    seal::SealError,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] JournalError),
    /// A bundle that would not verify is never handed out.
    #[error("the bundle does not verify")]
    Bundle(#[from] BundleFault),
    /// HQ's key cannot be sealed to.
    #[error("the bundle cannot be sealed to HQ")]
    Seal(#[from] SealError),
    /// The disk says no.
    #[error("the bundle cannot be kept")]
    Disk(#[from] io::Error),
    /// The journal does not have what the clerk said.
    #[error("the journal has no ended sitting {0}")]
    NoSitting(SittingId),
    /// A name does not open with the site's key.
    #[error("a candidate's identity does not open with this site's key")]
    Identity,
}

/// A bundle that is on the shelf.
#[derive(Clone, Debug)]
pub struct Made {
    /// Hash of the sealed file.
    pub sealed: Sha256,
    /// Its size.
    pub sealed_bytes: u64,
    /// Hash of the zip inside.
    pub content: Sha256,
    /// Suggested file name.
    pub file_name: String,
    /// Attempts in it.
    pub attempts: u32,
    /// Answers (newest versions) in it.
    pub answers: u32,
}

/// Everything of one sitting, gathered in one pass over the journal.
struct Gathered {
    site: Site,
    journal: String,
    versions: BTreeMap<AttemptId, Vec<AnswerVersion>>,
    attachments: BTreeSet<Sha256>,
}

/// Writes, seals and keeps the bundle of an ended sitting. A content that was sealed before keeps its sealed file, since
/// sealing draws fresh randomness every time.
///
/// # Errors
/// Says what is missing or does not check; nothing is handed out.
pub fn make(vault: &Vault, keys: &SiteKeys, sitting: &SittingId) -> Result<Made, ExportError> {
    let gathered = gather(&JournalReader::open(vault.dir())?, sitting)?;
    let found = gathered.site.sittings.get(sitting).ok_or_else(|| ExportError::NoSitting(sitting.clone()))?;
    let exam = gathered.site.exams.get(&found.exam).ok_or_else(|| ExportError::NoSitting(sitting.clone()))?;
    let hq_recipient = exam.hq_recipient.clone();
    let about = about(&gathered.site, found, &exam.title);
    let attempts = records(&gathered, found);
    let people = people(&gathered.site, keys, sitting)?;
    let attempt_count = found.attempts.len() as u32;
    let answers = gathered.site.attempts_of(sitting).map(|attempt| attempt.answers.len() as u32).sum();
    let attachments = attachments(vault, keys, &gathered.attachments);
    let contents = BundleContents { about, journal: gathered.journal, attempts, people, attachments };
    let zip = bundle::write(contents, keys.minisign_secret())?;
    let content = Sha256::of(&zip);
    let (sealed, sealed_bytes) = sealed_once(vault, &content, &zip, &hq_recipient)?;
    let file_name = format!("{}-{sitting}-{}.zip.age", gathered.site.id, &content.hex()[..8]);
    Ok(Made { sealed, sealed_bytes, content, file_name, attempts: attempt_count, answers })
}

fn gather(reader: &JournalReader, sitting: &SittingId) -> Result<Gathered, ExportError> {
    let scope = Scope::Sitting(sitting.clone());
    let last = reader.last_of(&scope)?.ok_or_else(|| ExportError::NoSitting(sitting.clone()))?;
    let (own, of_site) = (scope.to_string(), Scope::Site.to_string());
    let mut gathered = Gathered {
        site: Site::new(reader.site().clone()),
        journal: String::new(),
        versions: BTreeMap::new(),
        attachments: BTreeSet::new(),
    };
    reader.each(last, |row| {
        let fact = row.fact()?;
        gathered.site.apply(row.now, &fact);
        let text = row.text();
        let line = match row.scope == own || row.scope == of_site {
            true => {
                gathered.attachments.extend(named_files(&fact));
                fact_line(row.hash, &text).map_err(|e| JournalError::Damaged(format!("line {}: {e}", row.seq)))?
            }
            false => withheld_line(row.hash, &text),
        };
        gathered.journal.push_str(&line);
        gathered.journal.push('\n');
        gathered.take_version(row, fact);
        Ok(())
    })?;
    Ok(gathered)
}

/// The files a fact names.
fn named_files(fact: &Fact) -> &[Sha256] {
    match fact {
        Fact::IncidentRecorded(fact) => &fact.details.attachments,
        Fact::IncidentCorrected(fact) => &fact.details.attachments,
        Fact::IncidentFollowedUp(fact) => &fact.attachments,
        _ => &[],
    }
}

impl Gathered {
    fn take_version(&mut self, row: &Row, fact: Fact) {
        if let Fact::AnswerSaved(saved) = fact {
            self.versions.entry(saved.attempt).or_default().push(AnswerVersion {
                item: saved.item,
                number: saved.number,
                answer: saved.answer,
                made_at: saved.made_at,
                at: row.now.at,
                seq: row.seq,
            });
        }
    }
}

fn about(site: &Site, sitting: &Sitting, exam_title: &str) -> BundleAbout {
    let plan = &sitting.plan;
    BundleAbout {
        site: site.id.clone(),
        site_name: site.name.clone(),
        exam: sitting.exam.clone(),
        exam_title: exam_title.to_owned(),
        sitting: plan.sitting.clone(),
        title: plan.title.clone(),
        subject: plan.subject,
        level: plan.level.clone(),
        room: plan.room.clone(),
        paper: sitting.paper().clone(),
        planned_start: plan.planned_start,
        duration_min: plan.duration_min,
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn records(gathered: &Gathered, sitting: &Sitting) -> Vec<AttemptRecord> {
    let site = &gathered.site;
    site.expected(sitting.id())
        .filter_map(|admission_no| {
            let seat = site.place(admission_no, sitting.id())?;
            let attempt = sitting.attempts.get(admission_no).and_then(|id| site.attempts.get(id));
            Some(AttemptRecord {
                admission_no: admission_no.clone(),
                seat: attempt.map_or(seat, |attempt| attempt.seat),
                attempt: attempt.map(|attempt| attempt.id),
                paper: attempt.map(|attempt| sitting.paper_of(attempt.id).clone()),
                terminated: attempt.and_then(termination),
                void: attempt.and_then(|attempt| site.records.void.get(&attempt.id).copied()),
                state: attempt.map_or(SeatState::Absent, |attempt| site.attempt_state(attempt, site.latest)),
                order_seed: attempt.map(|attempt| attempt.order_seed),
                started: attempt.and_then(|attempt| site.began(attempt)),
                ends: attempt.and_then(|attempt| site.ends(attempt)),
                handed_in: attempt.and_then(|attempt| attempt.handed_in.as_ref().map(|(at, _)| *at)),
                receipt: attempt.and_then(|attempt| attempt.handed_in.as_ref().map(|(_, receipt)| receipt.clone())),
                newest: BTreeMap::new(),
                versions: attempt.and_then(|attempt| gathered.versions.get(&attempt.id).cloned()).unwrap_or_default(),
            })
        })
        .collect()
}

/// The decision that ended an attempt and stands.
fn termination(attempt: &Attempt) -> Option<Termination> {
    let (at, ended) = (attempt.terminated_at?, attempt.attendance.ended.as_ref()?);
    Some(Termination { at, why: ended.why, violation: ended.violation })
}

/// The files the facts of this bundle name. One that cannot be read is said to be lost: results do not wait for a photo.
fn attachments(vault: &Vault, keys: &SiteKeys, named: &BTreeSet<Sha256>) -> BTreeMap<Sha256, Option<Vec<u8>>> {
    let read = |hash: &Sha256| match attachments::read(vault, keys, hash) {
        Ok(bytes) => (*hash, Some(bytes)),
        Err(error) => {
            tracing::error!(%hash, error = crate::error_text(&error), "an attached file cannot be read: the bundle says so");
            (*hash, None)
        }
    };
    named.iter().map(read).collect()
}

fn people(site: &Site, keys: &SiteKeys, sitting: &SittingId) -> Result<BTreeMap<AdmissionNo, Person>, ExportError> {
    let open = |(no, candidate): (&AdmissionNo, &exam_room::state::Candidate)| {
        let text = keys.at_rest().open(context::IDENTITY, &candidate.identity.0).map_err(|_| ExportError::Identity)?;
        let Identity { name, id_number } = serde_json::from_slice(&text).map_err(|_| ExportError::Identity)?;
        Ok((no.clone(), Person { name, id_number }))
    };
    site.expected_candidates(sitting).map(open).collect()
}

/// The sealed file of a content: the one made before if it is still whole, else a new one.
fn sealed_once(vault: &Vault, content: &Sha256, zip: &[u8], hq_recipient: &str) -> Result<(Sha256, u64), ExportError> {
    let note = vault.shelf(Shelf::Bundles).join(format!("{content}.sealed-as"));
    let before = std::fs::read_to_string(&note).ok().and_then(|text| text.trim().parse::<Sha256>().ok());
    if let Some(sealed) = before
        && let Ok(bytes) = vault.blob_bytes(Shelf::Bundles, &sealed)
    {
        return Ok((sealed, bytes.len() as u64));
    }
    let bytes = bundle::seal(zip, hq_recipient)?;
    let sealed = vault.keep(Shelf::Bundles, &bytes)?;
    private_file::write_whole(&note, sealed.hex().as_bytes())?;
    Ok((sealed, bytes.len() as u64))
}
