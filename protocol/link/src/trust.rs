//! Whom a client trusts: the one CA in the site's public file, and nobody else. Never asks the system's roots, never
//! trusts on first use, never resumes a session.

use crate::{identity::Identity, private_file, transport};
use exam_protocol::{
    ALPN,
    site::{SITE_PUBLIC_FORMAT, SitePublic},
};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{io, path::Path, sync::Arc};

/// Largest `site-public.json`.
const PUBLIC_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why a trust file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not there, or not readable.
    #[error("the site's public file {path} cannot be read")]
    File {
        /// As given.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not JSON of this shape.
    #[error("this is not a site's public file (site-public.json)")]
    Unreadable(#[source] serde_json::Error),
    /// Written by a newer program.
    #[error(
        "the site's public file has format {found}; this program reads up to {SITE_PUBLIC_FORMAT}: use a newer program"
    )]
    NewerFormat {
        /// What it says.
        found: u32,
    },
    /// No CA certificate in it, or more than one.
    #[error("the site's public file does not hold exactly one CA certificate")]
    NotOneCa,
    /// TLS does not take what it is given.
    #[error("TLS does not accept the site's CA or this machine's identity")]
    Tls(#[source] rustls::Error),
}

/// The provider of TLS for both sides: ring, AES-128-GCM first because it costs least on the machines of a room.
pub fn provider() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.cipher_suites = vec![
        ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
        ring::cipher_suite::TLS13_AES_256_GCM_SHA384,
        ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    Arc::new(provider)
}

/// A site, and the only CA this program will believe.
#[derive(Clone, Debug)]
pub struct Trust {
    public: Arc<SitePublic>,
    ca: CertificateDer<'static>,
}

impl Trust {
    /// Reads `site-public.json`.
    ///
    /// # Errors
    /// [`TrustError`] says what is wrong with the file.
    pub fn load(path: &Path) -> Result<Trust, TrustError> {
        let bytes = private_file::read_limited(path, PUBLIC_FILE_BYTES_MAX)
            .map_err(|source| TrustError::File { path: path.display().to_string(), source })?;
        Self::from_json(&bytes)
    }

    /// Reads the content of `site-public.json`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_json(bytes: &[u8]) -> Result<Trust, TrustError> {
        // The format first: a newer file may have fields this program does not know.
        let format: FormatOnly = serde_json::from_slice(bytes).map_err(TrustError::Unreadable)?;
        if format.format > SITE_PUBLIC_FORMAT {
            return Err(TrustError::NewerFormat { found: format.format });
        }
        Self::new(serde_json::from_slice(bytes).map_err(TrustError::Unreadable)?)
    }

    /// Trust in what `public` shows.
    ///
    /// # Errors
    /// [`TrustError::NotOneCa`].
    pub fn new(public: SitePublic) -> Result<Trust, TrustError> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(public.ca_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| TrustError::NotOneCa)?;
        let [ca] = <[_; 1]>::try_from(certificates).map_err(|_| TrustError::NotOneCa)?;
        Ok(Trust { public: Arc::new(public), ca })
    }

    /// What the site shows the world.
    pub fn public(&self) -> &SitePublic {
        &self.public
    }

    /// A QUIC configuration that trusts only this site and shows `identity`, if there is one.
    ///
    /// # Errors
    /// [`TrustError::Tls`] when the CA or the identity cannot be used.
    pub fn client_config(&self, identity: Option<&Identity>) -> Result<quinn::ClientConfig, TrustError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).map_err(TrustError::Tls)?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TrustError::Tls)?
            .with_root_certificates(roots);
        let mut tls = match identity {
            Some(identity) => builder
                .with_client_auth_cert(vec![identity.certificate_der()], identity.key.private_der())
                .map_err(TrustError::Tls)?,
            None => builder.with_no_client_auth(),
        };
        tls.alpn_protocols = vec![ALPN.to_vec()];
        tls.resumption = Resumption::disabled();
        tls.enable_early_data = false;
        let quic = QuicClientConfig::try_from(tls).map_err(|_| TrustError::Tls(rustls::Error::HandshakeNotComplete))?;
        let mut config = quinn::ClientConfig::new(Arc::new(quic));
        config.transport_config(Arc::new(transport::client_transport()));
        Ok(config)
    }
}

#[derive(serde::Deserialize)]
struct FormatOnly {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_public_file_is_refused_even_with_unknown_fields() {
        let newer = br#"{"format": 2, "novelty": true}"#;
        assert!(matches!(Trust::from_json(newer), Err(TrustError::NewerFormat { found: 2 })));
        assert!(matches!(Trust::from_json(b"{}"), Err(TrustError::Unreadable(_))));
        assert!(matches!(Trust::from_json(b"\xff\xfe"), Err(TrustError::Unreadable(_))));
    }

    #[test]
    fn a_public_file_without_one_ca_is_refused() {
        let file = |pem: &str| SitePublic {
            format: 1,
            site: "site-1".parse().unwrap(),
            name: "n".into(),
            ca_pem: pem.into(),
            minisign: String::new(),
            age_recipient: String::new(),
        };
        for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"] {
            assert!(matches!(Trust::new(file(pem)), Err(TrustError::NotOneCa)), "{pem:?}");
        }
    }
}
