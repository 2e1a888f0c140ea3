//! The result bundle (成绩包) of one sitting: what it is made of. Writing is `write.rs`, checking `verify.rs`. A zip that stock
//! `unzip`, `sha256sum` and `minisign` check, sealed to HQ by `age`. Never holds an answer key or a candidate's registration photo.

mod roster_csv;
mod sums;
mod verify;
mod witness;
mod write;

pub use verify::{BundleFault, BundleReport, verify};
pub use write::write;

use crate::{
    seal::{self, SealError},
    zipping::ZipLimits,
};
use exam_protocol::{
    answer::Answer,
    code::SeatState,
    ids::{AdmissionNo, ExamId, ItemId, PaperId, RoomId, SeatNo, Sha256, SiteId, SittingId},
    incident::{ATTACHMENTS_FILES_MAX, AttachmentKind, RecordNo},
    message::{attendance::EndWhy, candidate::AttemptId},
    paper::Subject,
    plan::CANDIDATES_MAX,
    time::{SiteMs, WallMs},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Newest bundle format this build reads and writes.
pub const BUNDLE_FORMAT: u32 = 1;
/// What the bundle says of itself.
pub const MANIFEST: &str = "manifest.json";
/// The facts, one a line, hash-chained.
pub const JOURNAL: &str = "journal.jsonl";
/// Who was expected and what became of them.
pub const ROSTER: &str = "roster.csv";
/// SHA-256 of every other member, for `sha256sum -c`.
pub const SUMS: &str = "SHA256SUMS";
/// The site's minisign signature over [`SUMS`].
pub const SUMS_SIGNATURE: &str = "SHA256SUMS.minisig";
/// Folder of files attached to incidents.
pub const ATTACHMENTS: &str = "attachments/";
/// Largest bundle, opened.
pub const BUNDLE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
const LIMITS: ZipLimits = ZipLimits {
    entries_max: 12_000,
    member_bytes_max: BUNDLE_BYTES_MAX,
    total_bytes_max: BUNDLE_BYTES_MAX,
    ratio_max: 1,
};
const _: () = assert!(CANDIDATES_MAX + ATTACHMENTS_FILES_MAX + 8 < LIMITS.entries_max); // else a full site could not export

/// Which sitting a bundle is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleAbout {
    /// The site's id.
    pub site: SiteId,
    /// The site's name.
    pub site_name: String,
    /// Which exam.
    pub exam: ExamId,
    /// Its title.
    pub exam_title: String,
    /// Which sitting.
    pub sitting: SittingId,
    /// Its title.
    pub title: String,
    /// Which subject.
    pub subject: Subject,
    /// Level (级别) in words.
    pub level: String,
    /// Which room.
    pub room: RoomId,
    /// Which paper.
    pub paper: PaperId,
    /// Planned start (HB-17).
    pub planned_start: WallMs,
    /// Planned length.
    pub duration_min: u32,
    /// Version of the server that wrote it.
    pub server_version: String,
}

/// `manifest.json`: one flat object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleManifest {
    /// [`BUNDLE_FORMAT`] at the time of writing; a newer one is refused in words.
    pub format: u32,
    /// Which sitting.
    #[serde(flatten)]
    pub about: BundleAbout,
    /// Lines of the journal.
    pub journal_facts: u64,
    /// Hash of the last fact.
    pub journal_head: Sha256,
    /// Candidates expected.
    pub candidates: u32,
    /// Candidates who had an attempt.
    pub attempts: u32,
    /// Items with an answer, over all attempts (newest versions).
    pub answers: u64,
    /// Files the record names and the site could no longer read: said here, so that nobody takes them for never sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments_lost: Vec<Sha256>,
}

/// `answers/<admission no>.json`: one candidate's attempt, or absence.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptRecord {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// 考位号.
    pub seat: SeatNo,
    /// The attempt; none if the candidate never signed in.
    pub attempt: Option<AttemptId>,
    /// The paper it was sat with: the planned one, or a backup paper (HB-32); none where there is no attempt.
    pub paper: Option<PaperId>,
    /// How it ended; [`SeatState::Absent`] for 缺考.
    pub state: SeatState,
    /// The decision that ended it (终止考核), if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminated: Option<Termination>,
    /// 成绩无效 (HB-29): the violation record that says so. Nothing takes it back: a correction is HQ's to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<RecordNo>,
    /// Seed of the order of items and options.
    pub order_seed: Option<u64>,
    /// When the candidate's time began.
    pub started: Option<SiteMs>,
    /// When it ended or was to end.
    pub ends: Option<SiteMs>,
    /// When the candidate handed in.
    pub handed_in: Option<SiteMs>,
    /// What the candidate could note down.
    pub receipt: Option<String>,
    /// Newest version of each answered item; [`write()`] derives it from `versions`.
    pub newest: BTreeMap<ItemId, AnswerVersion>,
    /// Every version, in the order of the journal.
    pub versions: Vec<AnswerVersion>,
}

/// 终止考核: a decision ended the candidate's exam and nobody opened it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Termination {
    /// When.
    pub at: SiteMs,
    /// Why.
    pub why: EndWhy,
    /// The violation record, where one ended it (HB-29).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violation: Option<RecordNo>,
}

/// One version of an answer and where the journal has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerVersion {
    /// Which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
    /// When the seat journalled it.
    pub made_at: SiteMs,
    /// When the server had it.
    pub at: SiteMs,
    /// Line of the journal.
    pub seq: u64,
}

/// Shows no answer: records must not end in a log.
impl fmt::Debug for AttemptRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("AttemptRecord");
        out.field("admission_no", &self.admission_no).field("state", &self.state).finish_non_exhaustive()
    }
}

/// What the roster adds to a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// 姓名.
    pub name: String,
    /// 证件号码.
    pub id_number: String,
}

/// Everything that goes into a bundle.
pub struct BundleContents {
    /// Which sitting.
    pub about: BundleAbout,
    /// `journal.jsonl`: lines of [`exam_protocol::chain`], each ended by `\n`.
    pub journal: String,
    /// One record for each candidate expected; the order does not matter.
    pub attempts: Vec<AttemptRecord>,
    /// Names and ID numbers, for `roster.csv`.
    pub people: BTreeMap<AdmissionNo, Person>,
    /// Every file the journal names; none for one that can no longer be read.
    pub attachments: BTreeMap<Sha256, Option<Vec<u8>>>,
}

/// Member with one candidate's answers.
pub fn answers_member(admission_no: &AdmissionNo) -> String {
    format!("answers/{admission_no}.json")
}

/// Member with a file attached to an incident: named by the hash of its bytes, with the ending those bytes ask for.
pub fn attachment_member(bytes: &[u8]) -> String {
    let ending = AttachmentKind::of(bytes).map_or("bin", AttachmentKind::extension);
    format!("{ATTACHMENTS}{}.{ending}", Sha256::of(bytes))
}

/// Seals a written bundle to HQ.
///
/// # Errors
/// [`SealError::BadKey`] if the recipient is none.
pub fn seal(zip: &[u8], hq_recipient: &str) -> Result<Vec<u8>, SealError> {
    seal::seal(zip, hq_recipient)
}

/// Opens a sealed bundle with HQ's age identity; what comes out still has to be [`verify`]d.
///
/// # Errors
/// Sealed for another HQ, cut or changed.
pub fn open(sealed: &[u8], hq_identity: &str) -> Result<Vec<u8>, SealError> {
    seal::open(sealed, hq_identity, BUNDLE_BYTES_MAX)
}

/// What a bundle says of its sitting, read without any check: only to find out whose key to check with.
///
/// # Errors
/// Not a bundle, or of a newer format.
pub fn peek(zip: &[u8]) -> Result<BundleManifest, BundleFault> {
    let mut zip = crate::zipping::SafeZip::open(std::io::Cursor::new(zip), LIMITS)?;
    crate::json::read_versioned(&zip.read(MANIFEST)?, BUNDLE_FORMAT).map_err(BundleFault::Manifest)
}

/// The newest version of each item's answer: the one with the highest number.
fn newest(versions: &[AnswerVersion]) -> BTreeMap<ItemId, AnswerVersion> {
    let mut newest: BTreeMap<ItemId, AnswerVersion> = BTreeMap::new();
    for version in versions {
        let known = newest.entry(version.item.clone()).or_insert_with(|| version.clone());
        if version.number > known.number {
            *known = version.clone();
        }
    }
    newest
}
