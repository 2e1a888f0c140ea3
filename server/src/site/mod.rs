//! The site's secrets (考核站点密钥): its CA, its signing and sealing keys, its key for what rests on disk. Made once by
//! `init`, loaded at every start. Never shown in a log, never sent, never overwritten.

mod at_rest;
mod authority;
mod create;

pub use at_rest::{AtRest, OpenError};
pub use authority::{IssueError, ServerCertificate};
pub use create::CreatedSite;

use authority::Authority;
use exam_link::{Trust, private_file, trust::TrustError};
use exam_protocol::{
    ids::{SiteId, StationId},
    message::hello::Role,
    site::SitePublic,
};
use std::{fmt, io, path::Path};

/// What the site shows the world, in the data folder.
pub const PUBLIC_FILE: &str = "site-public.json";
/// The site's minisign public key as a stock `.pub` file, in the data folder.
pub const MINISIGN_PUBLIC_FILE: &str = "site-minisign.pub";
/// The folder of an enrolled administrator's identity, in the data folder.
pub const ADMIN_FOLDER: &str = "admin";
/// The folder of secrets, in the data folder.
pub const KEYS_FOLDER: &str = "keys";

const CA_KEY: &str = "ca.key";
const CA_CERTIFICATE: &str = "ca.pem";
const MINISIGN_SECRET: &str = "minisign.key";
const AGE_IDENTITY: &str = "age.key";
const AT_REST: &str = "at-rest.key";
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why the site's keys cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// `init` on a folder that already is a site.
    #[error("there already is a site here ({file} exists): its keys are never overwritten; choose an empty folder")]
    AlreadyThere {
        /// What was found.
        file: String,
    },
    /// The name is empty or longer than a line.
    #[error("the site's name must have 1 to 100 characters on one line")]
    BadName,
    /// No `init` yet, or part of it is missing.
    #[error(
        "{file} is missing: this is no data folder of a site (make one with `exam-server init`), or it was damaged"
    )]
    Missing {
        /// Which file.
        file: String,
    },
    /// A file cannot be read or written.
    #[error("the key file {file} cannot be read or written")]
    File {
        /// Which one.
        file: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is not what `init` wrote, or belongs to other keys.
    #[error("the key file {file} is damaged: {why}; put it back from a backup")]
    Damaged {
        /// Which one.
        file: String,
        /// In words.
        why: String,
    },
    /// The public file is unreadable or newer.
    #[error(transparent)]
    Public(#[from] TrustError),
    /// Keys could not be made.
    #[error("keys could not be made: {0}")]
    Generation(String),
}

/// The site's keys, loaded.
pub struct SiteKeys {
    trust: Trust,
    authority: Authority,
    minisign_secret: String,
    age_identity: String,
    at_rest: AtRest,
}

impl fmt::Debug for SiteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteKeys({})", self.site())
    }
}

impl SiteKeys {
    /// Makes a site in `dir`: keys under `keys/`, the public files beside it, and an administrator's identity in `admin/`.
    ///
    /// # Errors
    /// [`SiteError::AlreadyThere`] when any of them exists; otherwise what failed.
    pub fn create(dir: &Path, name: &str) -> Result<CreatedSite, SiteError> {
        create::create(dir, name)
    }

    /// Loads the keys of the site in `dir` and checks that they belong together.
    ///
    /// # Errors
    /// [`SiteError`] names the file.
    pub fn load(dir: &Path) -> Result<SiteKeys, SiteError> {
        let keys = dir.join(KEYS_FOLDER);
        let trust = Trust::from_json(&read(dir, PUBLIC_FILE)?)?;
        let public = trust.public();
        let authority = Authority::load(&text(&keys, CA_CERTIFICATE)?, &text(&keys, CA_KEY)?)?;
        let minisign_secret = text(&keys, MINISIGN_SECRET)?;
        let age_identity = text(&keys, AGE_IDENTITY)?;
        let line =
            exam_sealed::keys::public_line_of_secret(&minisign_secret).map_err(|e| damaged(MINISIGN_SECRET, e))?;
        let recipient =
            exam_sealed::keys::recipient_of_identity(&age_identity).map_err(|e| damaged(AGE_IDENTITY, e))?;
        let belongs = [
            (CA_CERTIFICATE, authority.pem() == public.ca_pem.trim()),
            (MINISIGN_SECRET, line.trim() == public.minisign.trim()),
            (AGE_IDENTITY, recipient.trim() == public.age_recipient.trim()),
        ];
        if let Some((file, _)) = belongs.iter().find(|(_, fits)| !fits) {
            return Err(damaged(file, format!("it does not belong to {PUBLIC_FILE}")));
        }
        let at_rest =
            <[u8; 32]>::try_from(read(&keys, AT_REST)?).map_err(|_| damaged(AT_REST, "it must have 32 bytes"))?;
        Ok(SiteKeys { authority, minisign_secret, age_identity, at_rest: AtRest::new(&at_rest), trust })
    }

    /// The site's id.
    pub fn site(&self) -> &SiteId {
        &self.public().site
    }

    /// What the site shows the world.
    pub fn public(&self) -> &SitePublic {
        self.trust.public()
    }

    /// Trust in this very site, for programs on the server's machine.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The minisign secret key file's text, for signing bundles (`exam_sealed::keys::sign`).
    pub fn minisign_secret(&self) -> &str {
        &self.minisign_secret
    }

    /// The age identity file's text, for opening rosters and wrapped paper keys.
    pub fn age_identity(&self) -> &str {
        &self.age_identity
    }

    /// The key for what rests on the server's disk.
    pub fn at_rest(&self) -> &AtRest {
        &self.at_rest
    }

    /// A fresh certificate and key for the server, signed by the site's CA; one for every start, kept nowhere.
    ///
    /// # Errors
    /// [`IssueError::Generation`].
    pub fn server_certificate(&self) -> Result<ServerCertificate, IssueError> {
        self.authority.server_certificate()
    }

    /// A certificate (DER) for a machine's public key (SubjectPublicKeyInfo, DER). It proves a station id and nothing else:
    /// what the machine may do, and until when, is the journal's word.
    ///
    /// # Errors
    /// [`IssueError::BadKey`] when the key is not a P-256 or Ed25519 key.
    pub fn issue(&self, public_key_spki_der: &[u8], station: &StationId, role: Role) -> Result<Vec<u8>, IssueError> {
        self.authority.issue(public_key_spki_der, station, role)
    }
}

fn damaged(file: &str, why: impl fmt::Display) -> SiteError {
    SiteError::Damaged { file: file.to_owned(), why: why.to_string() }
}

fn read(dir: &Path, file: &str) -> Result<Vec<u8>, SiteError> {
    private_file::read_limited(&dir.join(file), FILE_BYTES_MAX).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SiteError::Missing { file: file.to_owned() },
        _ => SiteError::File { file: file.to_owned(), source },
    })
}

fn text(dir: &Path, file: &str) -> Result<String, SiteError> {
    String::from_utf8(read(dir, file)?).map_err(|_| damaged(file, "it is not text"))
}
