//! A machine's identity: its own key, made here and never sent, and the certificate the site gave for it.
//! Never used at another site: loading says so in words.

use crate::private_file;
use exam_protocol::{
    ids::{Sha256, SiteId, StationId, base64_text},
    message::hello::{Enrolled, Role},
};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use std::{io, path::Path};

/// Newest format of `identity.json` this build reads and writes.
pub const IDENTITY_FORMAT: u32 = 1;
/// Largest file of an identity folder.
const FILE_BYTES_MAX: u64 = 64 * 1024;
const ABOUT: &str = "identity.json";
const KEY: &str = "identity.key";

/// Why a machine has no usable identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not enrolled: there is no identity here.
    #[error("this machine is not enrolled: there is no identity in {dir}")]
    NotEnrolled {
        /// The folder.
        dir: String,
    },
    /// A file cannot be read or written.
    #[error("the identity file {file} cannot be read or written")]
    File {
        /// Which one.
        file: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not what was written there.
    #[error("the identity file {file} is damaged: {why}; enrol this machine again")]
    Damaged {
        /// Which one.
        file: &'static str,
        /// In words.
        why: String,
    },
    /// Written by a newer program.
    #[error("identity.json has format {found}; this program reads up to {IDENTITY_FORMAT}: use a newer program")]
    NewerFormat {
        /// What it says.
        found: u32,
    },
    /// Enrolled, but elsewhere.
    #[error(
        "this machine is enrolled at site {theirs}, not at {ours}: enrol it here, or use the other site's public file"
    )]
    OtherSite {
        /// Where it is enrolled.
        theirs: SiteId,
        /// The site it should serve now.
        ours: SiteId,
    },
    /// No key could be made.
    #[error("a key could not be made: {0}")]
    KeyGeneration(String),
}

/// A machine's key pair. P-256, because ring signs and checks it fast and a TPM or Windows key store can hold one later.
#[derive(Clone)]
pub struct MachineKey {
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl std::fmt::Debug for MachineKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MachineKey(…)")
    }
}

impl MachineKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`IdentityError::KeyGeneration`] when the system has no randomness.
    pub fn generate() -> Result<MachineKey, IdentityError> {
        let pair =
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| IdentityError::KeyGeneration(e.to_string()))?;
        Ok(Self::of(&pair))
    }

    fn of(pair: &KeyPair) -> MachineKey {
        MachineKey { pkcs8: pair.serialize_der(), public: pair.subject_public_key_info() }
    }

    /// The key waiting in `dir` for an enrolment, or a fresh one that now waits there: an enrolment that was cut off is
    /// tried again with the same key.
    ///
    /// # Errors
    /// [`IdentityError`] when the file cannot be read, written or understood.
    pub fn load_or_create(dir: &Path) -> Result<MachineKey, IdentityError> {
        let path = dir.join(KEY);
        match private_file::read_limited(&path, FILE_BYTES_MAX) {
            Ok(bytes) => Self::from_pem(&bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                private_file::private_folder(dir).map_err(|source| IdentityError::File { file: KEY, source })?;
                key.save(dir)?;
                Ok(key)
            }
            Err(source) => Err(IdentityError::File { file: KEY, source }),
        }
    }

    fn from_pem(bytes: &[u8]) -> Result<MachineKey, IdentityError> {
        let damaged = |why: &str| IdentityError::Damaged { file: KEY, why: why.to_owned() };
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("not text"))?;
        let pair = KeyPair::from_pem(text).map_err(|_| damaged("not a private key in PEM"))?;
        Ok(Self::of(&pair))
    }

    fn save(&self, dir: &Path) -> Result<(), IdentityError> {
        let base64 = data_encoding::BASE64.encode(&self.pkcs8);
        let lines: Vec<&str> = base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        private_file::write_whole(&dir.join(KEY), pem.as_bytes())
            .map_err(|source| IdentityError::File { file: KEY, source })
    }

    /// The public half (SubjectPublicKeyInfo, DER): what an enrolment sends.
    pub fn public_der(&self) -> &[u8] {
        &self.public
    }

    pub(crate) fn private_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.pkcs8.clone()))
    }
}

/// Who this machine is at its site.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The site that gave it.
    pub site: SiteId,
    /// The machine's id there.
    pub station: StationId,
    /// What it may do there.
    pub role: Role,
    /// The site's certificate for the key, DER.
    pub certificate: Vec<u8>,
    /// The key.
    pub key: MachineKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutFile {
    format: u32,
    site: SiteId,
    station: StationId,
    role: Role,
    #[serde(with = "base64_text")]
    certificate: Vec<u8>,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl Identity {
    /// What an enrolment at `site` gave for `key`.
    pub fn new(site: SiteId, enrolled: Enrolled, key: MachineKey) -> Identity {
        Identity { site, station: enrolled.station, role: enrolled.role, certificate: enrolled.certificate, key }
    }

    /// SHA-256 of the certificate: the name under which the journal knows this machine.
    pub fn fingerprint(&self) -> Sha256 {
        Sha256::of(&self.certificate)
    }

    pub(crate) fn certificate_der(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.certificate.clone())
    }

    /// Writes the identity to `dir`: the key first, so that `identity.json` never stands without it.
    ///
    /// # Errors
    /// [`IdentityError::File`].
    pub fn save(&self, dir: &Path) -> Result<(), IdentityError> {
        let about = AboutFile {
            format: IDENTITY_FORMAT,
            site: self.site.clone(),
            station: self.station.clone(),
            role: self.role,
            certificate: self.certificate.clone(),
        };
        let mut json = serde_json::to_vec_pretty(&about)
            .map_err(|e| IdentityError::File { file: ABOUT, source: io::Error::other(e) })?;
        json.push(b'\n');
        let failed = |source| IdentityError::File { file: ABOUT, source };
        private_file::private_folder(dir).map_err(failed)?;
        self.key.save(dir)?;
        private_file::write_whole(&dir.join(ABOUT), &json).map_err(failed)
    }

    /// Reads the identity in `dir`, which must be one of `site`.
    ///
    /// # Errors
    /// [`IdentityError`]: not enrolled, damaged, newer, or another site's.
    pub fn load(dir: &Path, site: &SiteId) -> Result<Identity, IdentityError> {
        let read = |file: &'static str| {
            private_file::read_limited(&dir.join(file), FILE_BYTES_MAX).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => IdentityError::NotEnrolled { dir: dir.display().to_string() },
                _ => IdentityError::File { file, source },
            })
        };
        let damaged = |e: serde_json::Error| IdentityError::Damaged { file: ABOUT, why: e.to_string() };
        let json = read(ABOUT)?;
        let FormatOnly { format } = serde_json::from_slice(&json).map_err(damaged)?;
        if format > IDENTITY_FORMAT {
            return Err(IdentityError::NewerFormat { found: format });
        }
        let about: AboutFile = serde_json::from_slice(&json).map_err(damaged)?;
        if &about.site != site {
            return Err(IdentityError::OtherSite { theirs: about.site, ours: site.clone() });
        }
        let key = MachineKey::from_pem(&read(KEY)?)?;
        Ok(Identity { site: about.site, station: about.station, role: about.role, certificate: about.certificate, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            site: "site-1".parse().unwrap(),
            station: "st-1".parse().unwrap(),
            role: Role::Station,
            certificate: vec![1, 2, 3],
            key: MachineKey::generate().unwrap(),
        }
    }

    #[test]
    fn an_identity_comes_back_as_it_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        let saved = identity();
        saved.save(dir.path()).unwrap();
        let loaded = Identity::load(dir.path(), &saved.site).unwrap();
        assert_eq!((loaded.station, loaded.role, &loaded.certificate), (saved.station, saved.role, &saved.certificate));
        assert_eq!(loaded.key.public, saved.key.public);
        assert_eq!(loaded.key.pkcs8, saved.key.pkcs8);
    }

    #[test]
    fn another_sites_identity_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        identity().save(dir.path()).unwrap();
        let refused = Identity::load(dir.path(), &"site-2".parse().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("site-1") && refused.contains("site-2"), "{refused}");
    }

    #[test]
    fn a_missing_or_damaged_identity_says_so_and_never_panics() {
        let dir = tempfile::tempdir().unwrap();
        let site: SiteId = "site-1".parse().unwrap();
        assert!(matches!(Identity::load(dir.path(), &site), Err(IdentityError::NotEnrolled { .. })));
        identity().save(dir.path()).unwrap();
        std::fs::write(dir.path().join(KEY), b"\xff\x00").unwrap();
        assert!(matches!(Identity::load(dir.path(), &site), Err(IdentityError::Damaged { file: KEY, .. })));
        std::fs::write(dir.path().join(ABOUT), b"{\"format\":9}").unwrap();
        assert!(matches!(Identity::load(dir.path(), &site), Err(IdentityError::NewerFormat { found: 9 })));
        std::fs::write(dir.path().join(ABOUT), b"{").unwrap();
        assert!(matches!(Identity::load(dir.path(), &site), Err(IdentityError::Damaged { file: ABOUT, .. })));
    }

    #[test]
    fn a_key_waits_for_its_enrolment() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("identity");
        let first = MachineKey::load_or_create(&inner).unwrap();
        assert_eq!(MachineKey::load_or_create(&inner).unwrap().public, first.public);
    }
}
