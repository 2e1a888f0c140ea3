//! The reception: turns messages into asks for the clerk, and what the clerk says into messages. The only place that
//! opens sealed names and keys, and only on their way to the one machine that may see them.
//! Never decides a rule, and never answers before the disk has it.

mod attendance;
pub(crate) mod board;
mod duty;
mod incident;
mod mock;
mod office;
mod presence;
mod readiness;
mod seat;
mod status;

pub use presence::{Heard, Presence};

use crate::{
    attachments,
    clerk::{Clerk, No},
    clock::SiteClock,
    net::{Counter, Peer, UploadNo},
    passwords::{Passwords, Tries},
    site::SiteKeys,
    vault::{Shelf, Vault},
};
use exam_protocol::{
    code::{ErrorCode, Refusal},
    ids::{AdmissionNo, SeatRef, Sha256, StationId},
    incident::ATTACHMENT_BYTES_MAX,
    message::{
        admin::StandingBackup,
        hello::{Done, Failed, Refused, Role, Welcome},
        transfer::GetChunk,
    },
    tag::{Down, Up},
};
use exam_room::{Reply, Site, Tell};
use serde::{Deserialize, Serialize};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::sync::mpsc;

/// Name and ID number of a candidate: sealed in the journal, opened only here.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// 姓名.
    pub name: String,
    /// 证件号码.
    pub id_number: String,
}

/// What AEAD contexts are called; a ciphertext opens only under its own.
pub mod context {
    /// Identities of candidates.
    pub const IDENTITY: &str = "candidate identity";
    /// Keys of released papers.
    pub const PAPER_KEY: &str = "paper key";
    /// Keyed hashes of candidates' passwords.
    pub const PASSWORD: &str = "candidate password";
    /// Keyed hashes of enrolment codes.
    pub const ENROL_CODE: &str = "enrolment code";
    /// Files attached to incidents, followed by their hash.
    pub const ATTACHMENT: &str = "attachment";
    /// Argon2id hashes of staff passwords.
    pub const STAFF_PASSWORD: &str = "staff password";
}

/// Keyed hash of a candidate's number and password under the site's at-rest key: what the journal knows of a password
/// (DESIGN §7; Argon2 gives nothing for six derivable digits).
pub fn password_tag(keys: &SiteKeys, admission_no: &AdmissionNo, password: &str) -> Sha256 {
    Sha256::from_bytes(keys.at_rest().tag(context::PASSWORD, format!("{admission_no}\n{password}").as_bytes()))
}

/// Everything the reception needs; one per process.
#[derive(Clone)]
pub struct Reception {
    inner: Arc<Inner>,
}

struct Inner {
    clerk: Clerk,
    clock: SiteClock,
    keys: Arc<SiteKeys>,
    vault: Vault,
    presence: Arc<Presence>,
    site_name: String,
    boot: u64,
    enrol_code_valid_ms: u64,
    passwords: Passwords,
    tries: Tries,
    mock_keys: mock::KeysInHand,
    board: Arc<board::Board>,
    backup: Mutex<Option<StandingBackup>>,
}

/// What a reception is made of.
pub struct Parts {
    /// The clerk.
    pub clerk: Clerk,
    /// The exam clock.
    pub clock: SiteClock,
    /// The site's keys.
    pub keys: Arc<SiteKeys>,
    /// The data folder.
    pub vault: Vault,
    /// Who is connected.
    pub presence: Arc<Presence>,
    /// Name of the site.
    pub site_name: String,
    /// Number of this start.
    pub boot: u64,
    /// How long enrolment codes are good for.
    pub enrol_code_valid_ms: u64,
    /// Who hashes staff passwords.
    pub passwords: Passwords,
}

impl Reception {
    /// Opens the reception.
    pub fn new(parts: Parts) -> Self {
        let Parts { clerk, clock, keys, vault, presence, site_name, boot, enrol_code_valid_ms, passwords } = parts;
        let inner = Inner {
            clerk,
            clock,
            keys,
            vault,
            presence,
            site_name,
            boot,
            enrol_code_valid_ms,
            passwords,
            tries: Tries::default(),
            mock_keys: mock::KeysInHand::default(),
            board: Arc::default(),
            backup: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    async fn outcome(&self, peer: &Peer, message: Up) -> Result<Down, No> {
        match message {
            Up::Hello(_) | Up::GetChunk(GetChunk { .. }) | Up::PutChunk(_) => Err(ErrorCode::OutOfPlace.into()),
            Up::Enrol(enrol) => self.enrol(enrol).await,
            Up::AskStatus(_) => self.status().await,
            Up::VerifyJournal(_) => self.verify_journal().await,
            Up::BackUp(wanted) => self.back_up(wanted).await,
            Up::ImportPackage(wanted) => self.import(wanted).await,
            other => {
                let station = peer.station.clone().ok_or(No::Refusal(Refusal::RoleMayNot))?;
                self.outcome_for(station, other).await
            }
        }
    }

    async fn outcome_for(&self, station: StationId, message: Up) -> Result<Down, No> {
        match message {
            Up::TakeSeat(wanted) => self.take_seat(station, wanted).await,
            Up::SignIn(wanted) => self.sign_in(station, wanted).await,
            Up::SaveAnswer(wanted) => self.save_answer(station, wanted).await,
            Up::FetchAnswers(wanted) => self.fetch_answers(station, wanted).await,
            Up::HandIn(wanted) => self.hand_in(station, wanted).await,
            Up::Heartbeat(beat) => Ok(self.heartbeat(&station, &beat)),
            Up::IssueCodes(wanted) => self.issue_code(wanted).await,
            Up::OpenAdmission(wanted) => self.open_admission(station, wanted).await,
            Up::Admit(wanted) => self.admit(station, wanted).await,
            Up::StartSitting(wanted) => self.start_sitting(station, wanted).await,
            Up::EndSitting(wanted) => self.end_sitting(station, wanted).await,
            Up::ExportBundle(wanted) => self.export(station, wanted).await,
            Up::DenyCandidate(wanted) => self.deny_candidate(station, wanted).await,
            Up::ConfirmIdentity(wanted) => self.confirm_identity(station, wanted).await,
            Up::Leave(wanted) => self.leave(station, wanted).await,
            Up::SwapMachine(wanted) => self.swap_machine(station, wanted).await,
            Up::DecideAttempt(wanted) => self.decide_attempt(station, wanted).await,
            Up::ConsentHandIn(wanted) => self.consent_hand_in(station, wanted).await,
            Up::RollCall(wanted) => self.roll_call(station, wanted).await,
            Up::Orphans(wanted) => self.orphans(station, wanted).await,
            Up::LostTime(wanted) => self.lost_time(station, wanted).await,
            Up::SeatUnable(wanted) => self.seat_unable(station, wanted).await,
            Up::AskAttendance(wanted) => self.attendance(wanted).await,
            record @ (Up::RecordIncident(_)
            | Up::AddToIncident(_)
            | Up::CorrectIncident(_)
            | Up::RecordViolation(_)) => self.keep_record(station, record).await,
            record @ (Up::SignRecord(_) | Up::RefuseSignature(_) | Up::CloseRecord(_)) => {
                self.keep_record(station, record).await
            }
            record @ (Up::JudgeFinding(_) | Up::DeliverReport(_) | Up::AskRecords(_)) => {
                self.keep_record(station, record).await
            }
            Up::SeatReport(wanted) => self.seat_report(station, wanted).await,
            Up::AskReadiness(wanted) => self.readiness(wanted).await,
            Up::ConfirmCheck(wanted) => self.confirm_check(station, wanted).await,
            Up::WithdrawCheck(wanted) => self.withdraw_check(station, wanted).await,
            Up::SealRoom(wanted) => self.seal_room(station, wanted).await,
            Up::TickItem(wanted) => self.tick_item(station, wanted).await,
            Up::UntickItem(wanted) => self.untick_item(station, wanted).await,
            Up::RequestBackupPaper(wanted) => self.request_backup(station, wanted).await,
            Up::UseBackupPaper(wanted) => self.use_backup(station, wanted).await,
            Up::ResetMock(wanted) => self.reset_mock(station, wanted).await,
            Up::AskMockPoints(wanted) => self.mock_points(wanted).await,
            Up::SeatHand(wanted) => self.seat_hand(station, wanted).await,
            Up::HandCall(wanted) => self.hand_call(station, wanted).await,
            Up::SendMessage(wanted) => self.send_message(station, wanted).await,
            Up::ReadMessage(wanted) => self.read_message(station, wanted).await,
            Up::AskMessages(wanted) => self.ask_messages(wanted).await,
            Up::VisitCall(wanted) => self.visit_call(station, wanted).await,
            Up::FindCandidate(wanted) => self.find_candidate(station, wanted).await,
            Up::PeopleCall(wanted) => self.people_call(station, wanted).await,
            Up::TimeCall(wanted) => self.time_call(station, wanted).await,
            Up::WatchBoard(wanted) => self.watch_board(station, wanted).await,
            Up::Hello(_)
            | Up::Enrol(_)
            | Up::AskStatus(_)
            | Up::VerifyJournal(_)
            | Up::BackUp(_)
            | Up::ImportPackage(_)
            | Up::GetChunk(_)
            | Up::PutChunk(_) => Err(ErrorCode::OutOfPlace.into()),
        }
    }

    fn keys(&self) -> &SiteKeys {
        &self.inner.keys
    }

    /// Runs work that blocks (files, scrypt) away from the network's threads.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reception) -> Result<T, No> + Send + 'static,
    ) -> Result<T, No> {
        let own = self.clone();
        tokio::task::spawn_blocking(move || work(&own)).await.unwrap_or(Err(No::Error(ErrorCode::Internal)))
    }
}

/// Says what failed to the log, and to the asker only that something did.
fn internal(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> No {
    move |error| {
        tracing::error!(%error, what);
        No::Error(ErrorCode::Internal)
    }
}

fn say_no(no: No) -> Down {
    match no {
        No::Refusal(refusal) => Refused { refusal }.into(),
        No::Error(error) => Failed { error }.into(),
    }
}

fn done(reply: Reply) -> Result<Down, No> {
    match reply {
        Reply::Done => Ok(Done.into()),
        Reply::Enrolled { .. }
        | Reply::Saved { .. }
        | Reply::Answers(_)
        | Reply::HandedIn { .. }
        | Reply::Package { .. }
        | Reply::Orphans(_)
        | Reply::Recorded { .. }
        | Reply::Sent { .. } => Err(ErrorCode::Internal.into()),
    }
}

impl Counter for Reception {
    async fn peer(&self, certificate: &Sha256) -> Result<Option<(Role, StationId)>, ErrorCode> {
        let certificate = *certificate;
        let known = move |site: &Site| {
            let station = site.certificates.get(&certificate)?;
            Some((site.stations.get(station)?.role, station.clone()))
        };
        self.inner.clerk.read(move |site, _| known(site)).await.map_err(|no| match no {
            No::Error(error) => error,
            No::Refusal(_) => ErrorCode::Internal,
        })
    }

    fn welcome(&self, peer: &Peer, version: u16) -> Welcome {
        Welcome {
            version,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            site: self.keys().public().site.clone(),
            site_name: self.inner.site_name.clone(),
            boot: self.inner.boot,
            now: self.inner.clock.now(),
            role: peer.role,
            station: peer.station.clone(),
        }
    }

    async fn answer(&self, peer: &Peer, message: Up) -> Down {
        self.outcome(peer, message).await.unwrap_or_else(say_no)
    }

    fn joined(&self, peer: &Peer, outbox: mpsc::Sender<Down>) -> u64 {
        let Some(station) = peer.station.clone() else { return 0 };
        let ticket = self.inner.presence.joined(&station, peer.role, outbox, self.inner.clock.now().at);
        self.inner.board.stir();
        if peer.role == Role::Station
            && let Err(no) = self.inner.clerk.tell(Tell::Seat(station.clone()))
        {
            tracing::warn!(%no, %station, "a seat that has just connected cannot be shown its desk: it has to come again");
            self.inner.presence.gone(&station, ticket);
        }
        ticket
    }

    fn gone(&self, peer: &Peer, ticket: u64) {
        if let Some(station) = &peer.station {
            self.inner.presence.gone(station, ticket);
            self.inner.board.stir();
        }
    }

    fn blob_path(&self, peer: &Peer, blob: &Sha256) -> Option<PathBuf> {
        let shelves: &[Shelf] = match peer.role {
            Role::Guest => &[],
            Role::Station => &[Shelf::Papers],
            Role::Console | Role::Admin => &[Shelf::Papers, Shelf::Bundles],
        };
        shelves.iter().map(|shelf| self.inner.vault.blob(*shelf, blob)).find(|path| path.is_file())
    }

    fn upload_dir(&self, peer: &Peer, blob: &Sha256, bytes: u64) -> Result<PathBuf, UploadNo> {
        let dir = self.inner.vault.shelf(Shelf::Uploads);
        let is_new = !dir.join(blob.hex()).exists() && !dir.join(format!("{}.part", blob.hex())).exists();
        match peer.role {
            Role::Admin => {}
            Role::Console if bytes > ATTACHMENT_BYTES_MAX => return Err(UploadNo::Refusal(incident::unfit())),
            Role::Console if is_new => attachments::make_room(&dir).map_err(|error| {
                tracing::error!(%error, "the uploads cannot be looked through");
                UploadNo::Error(ErrorCode::Storage)
            })?,
            Role::Console => {}
            Role::Station | Role::Guest => return Err(UploadNo::Refusal(Refusal::RoleMayNot)),
        }
        Ok(dir)
    }
}

/// The desk a machine stands at, for logs.
fn desk_text(seat: Option<&SeatRef>) -> String {
    seat.map(ToString::to_string).unwrap_or_else(|| "-".to_owned())
}
