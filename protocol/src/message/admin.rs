//! What consoles and the administrator say to the server: codes, sittings, packages, bundles, status.
//! Never carries a question, an answer or a whole ID number.

use crate::{
    code::{Phase, SeatState},
    ids::{RoomId, SeatNo, SeatRef, Sha256, SittingId},
    message::hello::Role,
    paper::Subject,
    time::{Now, SiteMs, WallMs},
};
use serde::{Deserialize, Serialize};

/// Most enrolment codes of one request.
pub const CODES_MAX: u16 = 2_000;

/// Admin → server: make one-time enrolment codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueCodes {
    /// For stations or consoles.
    pub role: Role,
    /// How many machines each code may enrol, 1 to [`CODES_MAX`]: one code for a whole room saves 40 slips of paper.
    pub uses: u16,
}

/// Server → admin: a fresh code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCode {
    /// To be typed at the machine.
    pub code: String,
    /// How many machines it enrols.
    pub uses: u16,
    /// When it runs out.
    pub valid_until: Now,
}

impl std::fmt::Debug for IssuedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedCode").field("uses", &self.uses).finish_non_exhaustive()
    }
}

/// Console → server: candidates may sign in from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAdmission {
    /// Which sitting.
    pub sitting: SittingId,
}

/// Console → server: HB-14, these candidates were checked and may begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which desks; all that wait, when empty.
    pub seats: Vec<SeatNo>,
}

/// Console → server: release the paper and start the clock.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartSitting {
    /// Which sitting.
    pub sitting: SittingId,
    /// Unlock code as typed.
    pub code: String,
}

impl std::fmt::Debug for StartSitting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartSitting").field("sitting", &self.sitting).finish_non_exhaustive()
    }
}

/// Console → server: answering stops for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSitting {
    /// Which sitting.
    pub sitting: SittingId,
}

/// Console → server: write the result bundle of an ended sitting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportBundle {
    /// Which sitting.
    pub sitting: SittingId,
}

/// Server → console: the sealed bundle can be fetched as a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleReady {
    /// SHA-256 of the sealed file.
    pub sealed: Sha256,
    /// Its size.
    pub sealed_bytes: u64,
    /// SHA-256 of the zip inside: equal for two exports of one sitting.
    pub content: Sha256,
    /// Suggested file name, without personal data.
    pub file_name: String,
    /// Attempts in it.
    pub attempts: u32,
    /// Answers (newest versions) in it.
    pub answers: u32,
}

/// Admin → server: a package was uploaded as this blob; take it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPackage {
    /// SHA-256 of the package file.
    pub package: Sha256,
}

/// Server → admin: the package is in, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageImported {
    /// Title of the exam.
    pub exam: String,
    /// Key id of the HQ that signed it.
    pub hq_key: String,
    /// Whether this import taught the site its HQ (first package, no key given at init).
    pub hq_key_is_new: bool,
    /// Sittings in it.
    pub sittings: Vec<SittingId>,
    /// Candidates in it.
    pub candidates: u32,
    /// Whether it changed anything (a second import of the same file does not).
    pub changed: bool,
}

/// Admin → server: check the whole journal, hash by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyJournal;

/// Server → admin: the journal is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalVerified {
    /// Facts checked.
    pub facts: u64,
    /// Hash of the last one.
    pub head: Sha256,
}

/// Admin → server: copy the data folder, verified, to a folder on the server's machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUp {
    /// Absolute path on the server; must be empty or not exist.
    pub dir: String,
}

/// Server → admin: the copy is there and was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// Facts in the copy.
    pub facts: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Console → server: how does everything stand?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskStatus;

/// Server → console: how everything stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteStatus {
    /// The server's time.
    pub now: Now,
    /// The site's name.
    pub site_name: String,
    /// Facts in the journal.
    pub facts: u64,
    /// Free bytes on the journal's disk.
    pub disk_free_bytes: u64,
    /// The backup that is brought up to date every minute (P14), if a place for it was named.
    pub backup: Option<StandingBackup>,
    /// Stations connected now.
    pub stations_connected: u32,
    /// Stations enrolled.
    pub stations_enrolled: u32,
    /// Rooms of the plan.
    pub rooms: Vec<RoomStatus>,
    /// Sittings of the plan.
    pub sittings: Vec<SittingStatus>,
}

/// A backup that the server keeps up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingBackup {
    /// Folder on the server's machine.
    pub dir: String,
    /// When the newest copy that checks was begun; none since this start of the server.
    pub taken: Option<SiteMs>,
    /// Facts in it.
    pub facts: u64,
    /// Whether the last try failed; the log says why.
    pub failing: bool,
}

/// A room and its desks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomStatus {
    /// Its id.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Desks that have a machine.
    pub seats: Vec<SeatStatus>,
}

/// One desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatStatus {
    /// Which desk.
    pub seat: SeatRef,
    /// How it stands.
    pub state: SeatState,
    /// Whether its machine is connected.
    pub connected: bool,
    /// When the server last heard of it.
    pub last_heard: Option<SiteMs>,
    /// Answers the seat holds that the server has not acknowledged, as the seat says.
    pub unsaved: u32,
    /// Items answered, as the server knows.
    pub answered: u32,
    /// End of the attempt.
    pub ends: Option<SiteMs>,
}

/// One sitting in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SittingStatus {
    /// Its id.
    pub sitting: SittingId,
    /// Title for people.
    pub title: String,
    /// Its room.
    pub room: RoomId,
    /// Its subject.
    pub subject: Subject,
    /// Where it stands.
    pub phase: Phase,
    /// Planned start (HB-17).
    pub planned_start: WallMs,
    /// Candidates on the list.
    pub candidates: u32,
    /// Signed in and waiting for admission.
    pub signed_in: u32,
    /// Admitted and waiting for the start.
    pub admitted: u32,
    /// Answering.
    pub working: u32,
    /// Handed in.
    pub handed_in: u32,
    /// Stopped by the end.
    pub stopped: u32,
    /// A power cut nobody has decided about (HB-27), milliseconds: until then the clock does not end the sitting.
    pub undecided_cut_ms: Option<u64>,
    /// Absent.
    pub absent: u32,
    /// Answer versions in the journal.
    pub answer_versions: u64,
    /// Wrong unlock codes typed.
    pub wrong_codes: u32,
}
