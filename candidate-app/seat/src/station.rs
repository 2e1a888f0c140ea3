//! This machine at its site: its identity, by enrolment if need be. Never enrols twice, and never keeps the code.

use exam_link::{
    Dial, Identity, LinkError, MachineKey,
    enrol::{Enrolment, enrol},
    identity::IdentityError,
};
use std::path::{Path, PathBuf};

/// Why the machine has no identity.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// Its files.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The server, or the way to it.
    #[error("enrolment")]
    Link(#[from] LinkError),
    /// The work was cut off.
    #[error("the work on the identity folder was cut off")]
    CutOff,
}

/// The identity in `folder`, or a new one by `code`. `dial` needs none.
///
/// # Errors
/// [`StationError`]; without a code, [`IdentityError::NotEnrolled`].
pub async fn identity(folder: &Path, dial: &Dial, code: Option<&str>, host: &str) -> Result<Identity, StationError> {
    let site = dial.trust.public().site.clone();
    let at = folder.to_owned();
    let held = on_disk(move || Identity::load(&at, &site)).await?;
    let (Err(IdentityError::NotEnrolled { .. }), Some(code)) = (&held, code) else { return Ok(held?) };
    let at: PathBuf = folder.to_owned();
    let key = on_disk(move || MachineKey::load_or_create(&at)).await??;
    let enrolment = Enrolment { code: code.to_owned(), key, host: host.to_owned() };
    let fresh = enrol(dial, enrolment).await?;
    let (at, saved) = (folder.to_owned(), fresh.clone());
    on_disk(move || saved.save(&at)).await??;
    Ok(fresh)
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StationError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StationError::CutOff)
}
