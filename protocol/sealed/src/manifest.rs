//! What an exam package says: the clear, signed manifest and the sealed roster. Types only; reading and writing is
//! `package.rs`. Never holds a question or an answer key.

pub use exam_protocol::plan::{AdmissionPolicy, Place, RoomPlan, RuleOverrides, SittingPlan};
use exam_protocol::{
    ids::{AdmissionNo, ExamId, PaperId, Sha256, SiteId},
    time::WallMs,
};
use serde::{Deserialize, Serialize};

/// Newest package format this build reads and writes.
pub const PACKAGE_FORMAT: u32 = 1;

/// `manifest.json` of a package: readable by anybody, signed by HQ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`PACKAGE_FORMAT`] at the time of writing; a newer one is refused in words.
    pub format: u32,
    /// Oldest server version that may import it (F-03), e.g. `0.1.0`.
    pub server_min: String,
    /// When it was built, wall time.
    pub built_at: WallMs,
    /// Which exam.
    pub exam: ExamId,
    /// Its title, for people.
    pub exam_title: String,
    /// For which site.
    pub site: SiteId,
    /// Fingerprint of the site's public file it was sealed to.
    pub site_fingerprint: Sha256,
    /// age recipient of HQ: bundles are sealed to it.
    pub hq_recipient: String,
    /// minisign public key of HQ (base64 line): a site without a pinned HQ learns it from its first package.
    pub hq_minisign: String,
    /// Rooms and their desks.
    pub rooms: Vec<RoomPlan>,
    /// Sittings, in order of planned start.
    pub sittings: Vec<SittingPlan>,
    /// Papers, sealed.
    pub papers: Vec<PaperEntry>,
    /// Numbers of the handbook this exam overrides.
    pub rules: RuleOverrides,
    /// Every other member of the zip with size and hash.
    pub members: Vec<Member>,
}

/// A sealed paper and its wrapped key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperEntry {
    /// Which paper.
    pub paper: PaperId,
    /// Member with the paper, age-encrypted to a key of its own.
    pub sealed: String,
    /// Member with that key, wrapped by the unlock code and then to the site.
    pub key: String,
    /// The paper whose place it may take, if it is a backup paper (备用试卷, HB-32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_of: Option<PaperId>,
    /// Member with its answer key, sealed to the paper's own key; only a mock paper (模拟考试, HB-05) may have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_key: Option<String>,
}

/// A member of the zip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Name in the zip: relative, forward slashes, no `..`.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Hash of the bytes.
    pub sha256: Sha256,
}

/// The sealed roster: age-encrypted JSON, only the site can read it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// Everybody expected.
    pub candidates: Vec<RosterEntry>,
}

/// 考生.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterEntry {
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// 姓名.
    pub name: String,
    /// 证件号码.
    pub id_number: String,
    /// Desk in each sitting the candidate takes part in.
    pub places: Vec<Place>,
    /// Member with the sealed photo (HB-08).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<String>,
}
