//! What consoles and the administrator ask: codes, doors, starts, ends, packages, bundles, checks, copies.

use super::{Reception, context, done, internal, seat::random};
use crate::{
    bundle,
    clerk::No,
    error_text,
    import::{self, ImportError},
    journal,
    vault::Shelf,
};
use exam_protocol::{
    code::{ErrorCode, Phase, Refusal},
    ids::{PaperId, SealedBytes, Sha256, SittingId, StationId},
    message::admin::{
        Admit, BackUp, BackedUp, BundleReady, EndSitting, ExportBundle, ImportPackage, IssueCodes, IssuedCode,
        JournalVerified, OpenAdmission, StartSitting,
    },
    staff::Act,
    tag::Down,
    time::{Now, WallMs},
};
use exam_room::rules::{
    admission::{AdmitSeats, OpenDoor},
    ending::Stop,
    enrolment::IssueCode,
    export::NoteExport,
    package::TakePackage,
    start::{Begin, NoteWrongCode},
};
use exam_sealed::{
    code::UnlockCode,
    paper::{UnlockError, open_paper, unwrap_key},
};
use std::{path::PathBuf, time::Duration};

/// After a wrong unlock code the asker waits so long: guessing is slow, a slip costs little.
const WRONG_CODE_PAUSE: Duration = Duration::from_secs(1);

/// What a start needs to know before the code is tried.
pub(super) struct Locked {
    pub(super) paper: PaperId,
    pub(super) sealed: Sha256,
    pub(super) wrapped: Sha256,
}

impl Reception {
    pub(super) async fn issue_code(&self, wanted: IssueCodes) -> Result<Down, No> {
        let IssueCodes { role, uses } = wanted;
        let letters = data_encoding::BASE32_NOPAD.encode(&random::<10>()?);
        let code = format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..12]);
        let now = self.inner.clock.now();
        let valid_until = Now {
            at: now.at.plus(self.inner.enrol_code_valid_ms),
            wall: WallMs(now.wall.0.saturating_add_unsigned(self.inner.enrol_code_valid_ms)),
        };
        self.inner.clerk.ask(IssueCode { tag: self.code_tag(&code), role, uses, valid_until: valid_until.at }).await?;
        Ok(IssuedCode { code, uses, valid_until }.into())
    }

    pub(super) async fn open_admission(&self, by: StationId, wanted: OpenAdmission) -> Result<Down, No> {
        done(self.inner.clerk.ask(OpenDoor { sitting: wanted.sitting, by }).await?)
    }

    pub(super) async fn admit(&self, by: StationId, wanted: Admit) -> Result<Down, No> {
        done(self.inner.clerk.ask(AdmitSeats { sitting: wanted.sitting, seats: wanted.seats, by }).await?)
    }

    pub(super) async fn end_sitting(&self, by: StationId, wanted: EndSitting) -> Result<Down, No> {
        done(self.inner.clerk.ask(Stop { sitting: wanted.sitting, by }).await?)
    }

    /// Tries the code on the wrapped key, then the key on the paper, and only then asks for the start: a sitting never
    /// starts with a paper that does not open.
    pub(super) async fn start_sitting(&self, by: StationId, wanted: StartSitting) -> Result<Down, No> {
        let sitting = wanted.sitting;
        let Ok(code) = UnlockCode::parse(&wanted.code) else {
            self.wrong_code(&sitting, by).await?;
            return Err(Refusal::UnlockCodeMistyped.into());
        };
        let locked = self.locked(&sitting).await?;
        let paper = locked.paper.clone();
        let secret = match self.aside(move |own| own.unlock(&locked, &code)).await {
            Err(No::Refusal(Refusal::WrongUnlockCode { .. })) => {
                let tries = self.wrong_code(&sitting, by).await?;
                return Err(Refusal::WrongUnlockCode { tries }.into());
            }
            other => other?,
        };
        let reply = self.inner.clerk.ask(Begin { sitting: sitting.clone(), paper, secret, by }).await?;
        tracing::info!(%sitting, "the sitting has started");
        done(reply)
    }

    async fn locked(&self, id: &SittingId) -> Result<Locked, No> {
        let id = id.clone();
        let found = self.inner.clerk.read(move |site, _| {
            let sitting = site.sitting(&id)?;
            if sitting.phase() != Phase::Running {
                site.fits_phase(sitting, Act::Start)?;
            }
            let paper = sitting.paper().clone();
            let on_site = site.papers.get(&paper).ok_or_else(|| Refusal::PaperUnknown { paper: paper.clone() })?;
            Ok::<_, Refusal>(Locked { paper, sealed: on_site.sealed.hash, wrapped: on_site.wrapped_key })
        });
        Ok(found.await??)
    }

    pub(super) fn unlock(&self, locked: &Locked, code: &UnlockCode) -> Result<SealedBytes, No> {
        let read = |shelf, hash| {
            self.inner.vault.blob_bytes(shelf, hash).map_err(|e| internal("a sealed paper cannot be read")(&e))
        };
        let wrapped = read(Shelf::Wrapped, &locked.wrapped)?;
        let secret = unwrap_key(&wrapped, self.keys().age_identity(), code).map_err(|error| match error {
            UnlockError::Wrong => No::Refusal(Refusal::WrongUnlockCode { tries: 0 }),
            other => internal("a wrapped paper key is damaged")(&other),
        })?;
        let sealed = read(Shelf::Papers, &locked.sealed)?;
        open_paper(&sealed, secret.expose()).map_err(|e| internal("the paper does not open with its key")(&e))?;
        Ok(SealedBytes(self.keys().at_rest().seal(context::PAPER_KEY, secret.expose().as_bytes())))
    }

    /// Counts a code that opened nothing and waits a moment; returns how many there were.
    pub(super) async fn wrong_code(&self, sitting: &SittingId, by: StationId) -> Result<u32, No> {
        self.inner.clerk.ask(NoteWrongCode { sitting: sitting.clone(), by }).await?;
        tracing::warn!(%sitting, "a wrong unlock code was typed");
        tokio::time::sleep(WRONG_CODE_PAUSE).await;
        let sitting = sitting.clone();
        Ok(self.inner.clerk.read(move |site, _| site.sitting(&sitting).map(|s| s.wrong_codes)).await??)
    }

    /// Takes in an uploaded package. Whatever comes of it, the upload itself is not kept.
    pub(super) async fn import(&self, wanted: ImportPackage) -> Result<Down, No> {
        let path = self.inner.vault.blob(Shelf::Uploads, &wanted.package);
        if !path.is_file() {
            return Err(ErrorCode::BlobUnknown.into());
        }
        let outcome = self.import_from(path.clone()).await;
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(%error, "an upload could not be removed");
        }
        outcome
    }

    async fn import_from(&self, path: PathBuf) -> Result<Down, No> {
        let pinned = self.inner.clerk.read(|site, _| site.hq.as_ref().map(|hq| hq.minisign.clone())).await?;
        let hq_key_is_new = pinned.is_none();
        let content = self
            .aside(move |own| import::read(&path, own.keys(), &own.inner.vault, pinned.as_deref()).map_err(import_no))
            .await?;
        let exam = content.exam.clone();
        let before = self.inner.clerk.read(move |site, _| site.exams.get(&exam).map(|e| e.package)).await?;
        let imported = import::summary(&content, hq_key_is_new, before);
        self.inner.clerk.ask(TakePackage { content }).await?;
        tracing::info!(candidates = imported.candidates, "a package was imported");
        Ok(imported.into())
    }

    pub(super) async fn export(&self, by: StationId, wanted: ExportBundle) -> Result<Down, No> {
        let (id, asks) = (wanted.sitting.clone(), by.clone());
        let stands = move |site: &exam_room::Site| {
            site.actor(&asks, Act::Export)?;
            site.sitting(&id).map(|s| (s.phase(), s.plan.mock))
        };
        let (phase, mock) = self.inner.clerk.read(move |site, _| stands(site)).await??;
        if mock {
            return Err(Refusal::MockSitting.into());
        }
        if !matches!(phase, Phase::Ended | Phase::Exported) {
            return Err(Refusal::WrongPhase { phase }.into());
        }
        let sitting = wanted.sitting.clone();
        let made = self.aside(move |own| {
            bundle::make(&own.inner.vault, own.keys(), &sitting)
                .map_err(|e| internal("the bundle cannot be written")(&e))
        });
        let made = made.await?;
        let note = NoteExport { sitting: wanted.sitting, content: made.content, sealed: made.sealed, by };
        self.inner.clerk.ask(note).await?;
        Ok(BundleReady {
            sealed: made.sealed,
            sealed_bytes: made.sealed_bytes,
            content: made.content,
            file_name: made.file_name,
            attempts: made.attempts,
            answers: made.answers,
        }
        .into())
    }

    pub(super) async fn verify_journal(&self) -> Result<Down, No> {
        let check = |own: &Reception| {
            journal::verify(own.inner.vault.dir()).map_err(|e| internal("the journal does not check")(&e))
        };
        let (facts, head) = self.aside(check).await?;
        Ok(JournalVerified { facts, head }.into())
    }

    pub(super) async fn back_up(&self, wanted: BackUp) -> Result<Down, No> {
        let to = PathBuf::from(wanted.dir);
        let copy = move |own: &Reception| own.inner.vault.back_up(&to).map_err(|e| storage("the backup failed", &e));
        let (facts, bytes) = self.aside(copy).await?;
        Ok(BackedUp { facts, bytes }.into())
    }
}

/// The disk said no; the log says how.
fn storage(what: &'static str, error: &anyhow::Error) -> No {
    tracing::error!(error = format!("{error:#}"), what);
    No::Error(ErrorCode::Storage)
}

fn import_no(error: ImportError) -> No {
    match error.kind() {
        None => internal("the package cannot be kept")(&error),
        Some(why) => No::Refusal(Refusal::PackageRefused { why, reason: error_text(&error) }),
    }
}
