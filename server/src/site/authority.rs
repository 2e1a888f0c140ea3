//! The site's certificate authority: signs the server's certificate and those of enrolled machines.
//! Never decides who may be enrolled, and gives its certificates no end that matters: a machine is shut out by the journal,
//! and a room must not stop because a clock is wrong.

use super::{CA_CERTIFICATE, CA_KEY, SiteError, damaged};
use exam_protocol::{
    SERVER_NAME,
    ids::{SiteId, StationId},
    message::hello::Role,
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SubjectPublicKeyInfo,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};

/// Largest public key a machine may send, DER.
const SPKI_BYTES_MAX: usize = 256;
/// An uncompressed P-256 point.
const P256_POINT_BYTES: usize = 65;
const ED25519_KEY_BYTES: usize = 32;

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// Neither a P-256 nor an Ed25519 key.
    #[error("the public key is not a P-256 or Ed25519 key")]
    BadKey,
    /// The certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Generation(#[from] rcgen::Error),
}

/// What the server shows its clients.
pub struct ServerCertificate {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// A fresh CA.
    pub(super) fn create(site: &SiteId) -> Result<Authority, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = named(&format!("Kaodian site CA {site}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key)?.pem().trim().replace('\r', "");
        Ok(Authority { issuer: Issuer::new(params, key), pem })
    }

    pub(super) fn load(pem: &str, key_pem: &str) -> Result<Authority, SiteError> {
        let pem = pem.trim().replace('\r', "");
        let key = KeyPair::from_pem(key_pem).map_err(|e| damaged(CA_KEY, e))?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| damaged(CA_CERTIFICATE, "not a certificate in PEM"))?;
        // The key's own bytes stand in a certificate made for it.
        if !contains(&certificate, &key.subject_public_key_info()) {
            return Err(damaged(CA_KEY, format!("it is not the key of {CA_CERTIFICATE}")));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|e| damaged(CA_CERTIFICATE, e))?;
        Ok(Authority { issuer, pem })
    }

    /// The CA's certificate, PEM, without a line end after it.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    pub(super) fn server_certificate(&self) -> Result<ServerCertificate, IssueError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
        params.distinguished_name = name(SERVER_NAME);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        Ok(ServerCertificate { certificate, key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())) })
    }

    pub(super) fn issue(&self, spki_der: &[u8], station: &StationId, role: Role) -> Result<Vec<u8>, IssueError> {
        let key = accepted_key(spki_der)?;
        let mut params = named(station.as_str());
        params.distinguished_name.push(DnType::OrganizationalUnitName, role_name(role));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(params.signed_by(&key, &self.issuer)?.der().to_vec())
    }
}

fn accepted_key(spki_der: &[u8]) -> Result<SubjectPublicKeyInfo, IssueError> {
    if spki_der.len() > SPKI_BYTES_MAX {
        return Err(IssueError::BadKey);
    }
    let key = SubjectPublicKeyInfo::from_der(spki_der).map_err(|_| IssueError::BadKey)?;
    let raw = key.der_bytes();
    let p256 = key.algorithm() == &PKCS_ECDSA_P256_SHA256 && raw.len() == P256_POINT_BYTES && raw[0] == 4;
    let ed25519 = key.algorithm() == &PKCS_ED25519 && raw.len() == ED25519_KEY_BYTES;
    if p256 || ed25519 { Ok(key) } else { Err(IssueError::BadKey) }
}

/// Parameters with a name and rcgen's dates, 1975 to 4096: no clock of a room may shut it out.
fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(common_name);
    params
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// For people who look at the certificate; the journal alone says what a machine may do.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Guest => "guest",
        Role::Station => "station",
        Role::Console => "console",
        Role::Admin => "admin",
    }
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_p256_and_ed25519_keys_get_a_certificate() {
        let authority = Authority::create(&"site-1".parse().unwrap()).unwrap();
        let station: StationId = "st-1".parse().unwrap();
        let issue = |spki: &[u8]| authority.issue(spki, &station, Role::Station);
        for (algorithm, good) in
            [(&PKCS_ECDSA_P256_SHA256, true), (&PKCS_ED25519, true), (&rcgen::PKCS_ECDSA_P384_SHA384, false)]
        {
            let spki = KeyPair::generate_for(algorithm).unwrap().subject_public_key_info();
            assert_eq!(issue(&spki).is_ok(), good, "{algorithm:?}");
            for cut in 0..spki.len() {
                assert!(issue(&spki[..cut]).is_err(), "a key cut to {cut} bytes");
            }
            let mut longer = spki.clone();
            longer.push(0);
            assert!(issue(&longer).is_err(), "stray bytes after a key");
        }
        assert!(issue(&[]).is_err());
        assert!(issue(&[0x30; 300]).is_err());
    }

    #[test]
    fn a_loaded_authority_signs_as_the_one_that_was_made() {
        let made = Authority::create(&"site-1".parse().unwrap()).unwrap();
        let loaded = Authority::load(&format!("{}\r\n", made.pem()), &made.key_pem()).unwrap();
        assert_eq!(loaded.pem(), made.pem());
        assert!(loaded.server_certificate().is_ok());
        let other = Authority::create(&"site-1".parse().unwrap()).unwrap();
        assert!(Authority::load(made.pem(), &other.key_pem()).is_err(), "a CA with another CA's key");
    }
}
