//! What a rogue can prove: certificates of every sort a rogue could come by, and, for the control, those of the site itself.

use anyhow::{Context, Result};
use exam_link::{Identity, Trust};
use exam_protocol::SERVER_NAME;
use exam_server::site::SiteKeys;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use std::{fs, path::Path};

/// A certificate, what is shown with it, and a key that may be its key.
pub(crate) struct Papers {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// The site's public file: everybody has it.
    pub(super) trust: Trust,
    pub(super) site_ca: CertificateDer<'static>,
    /// The site's CA, if it was stolen.
    pub(super) authority: Option<SiteKeys>,
}

impl Papers {
    fn new(trust: &Trust, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self> {
        let site_ca = ca_of(trust)?;
        Ok(Self { chain, key, trust: trust.clone(), site_ca, authority: None })
    }

    /// Of a server of another site, made by the same programs.
    pub(crate) fn of_another_site(trust: &Trust, folder: &Path) -> Result<Self> {
        SiteKeys::create(folder, "另一考点")?;
        let own = SiteKeys::load(folder)?.server_certificate()?;
        Self::new(trust, vec![own.certificate], own.key)
    }

    /// Signed by nobody but itself.
    pub(crate) fn self_signed(trust: &Trust) -> Result<Self> {
        let key = fresh_key()?;
        let certificate = server_params()?.self_signed(&key)?.der().clone();
        Self::new(trust, vec![certificate], private(&key))
    }

    /// Signed by a CA that bears the name of the site's and shows itself in the chain.
    pub(crate) fn of_a_namesake(trust: &Trust) -> Result<Self> {
        let (ca_key, key) = (fresh_key()?, fresh_key()?);
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("Kaodian site CA {}", trust.public().site));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = params.self_signed(&ca_key)?.der().clone();
        let certificate = server_params()?.signed_by(&key, &Issuer::new(params, ca_key))?.der().clone();
        Self::new(trust, vec![certificate, ca], private(&key))
    }

    /// A candidate's machine of this very site plays the server with its own certificate.
    pub(crate) fn of_a_machine(trust: &Trust, identity: &Path) -> Result<Self> {
        let (certificate, pem) = machine(trust, identity)?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).context("the machine's key")?;
        Self::new(trust, vec![certificate], key)
    }

    /// A candidate's machine of this very site plays the CA.
    pub(crate) fn signed_by_a_machine(trust: &Trust, identity: &Path) -> Result<Self> {
        let (certificate, pem) = machine(trust, identity)?;
        let (machine_key, key) = (KeyPair::from_pem(&pem)?, fresh_key()?);
        let leaf = server_params()?.signed_by(&key, &Issuer::from_ca_cert_der(&certificate, machine_key)?)?;
        Self::new(trust, vec![leaf.der().clone(), certificate], private(&key))
    }

    /// The true server's certificate, which it shows to everybody, with a key that is not its key.
    pub(crate) fn without_the_key(trust: &Trust, certificate: Vec<u8>) -> Result<Self> {
        Self::new(trust, vec![certificate.into()], private(&fresh_key()?))
    }

    /// Control: the site's CA was stolen with the server's data folder.
    pub(crate) fn stolen(trust: &Trust, server_data: &Path) -> Result<Self> {
        let keys = SiteKeys::load(server_data)?;
        let own = keys.server_certificate()?;
        Ok(Self { authority: Some(keys), ..Self::new(trust, vec![own.certificate], own.key)? })
    }
}

fn ca_of(trust: &Trust) -> Result<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(trust.public().ca_pem.as_bytes()).context("the site's CA")
}

/// Certificate and key of an enrolled machine, as they lie on its disk.
fn machine(trust: &Trust, folder: &Path) -> Result<(CertificateDer<'static>, String)> {
    let identity = Identity::load(folder, &trust.public().site)?;
    Ok((identity.certificate.into(), fs::read_to_string(folder.join("identity.key"))?))
}

fn fresh_key() -> Result<KeyPair> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))
}

/// As the true server's.
fn server_params() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}
