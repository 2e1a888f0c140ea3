//! Keys of HQ and of a site, and signatures with them: minisign for signing, age for sealing, both in the files stock tools
//! read. Signing is deterministic: the same bytes give the same signature. Never invents a comment or a time.

use crate::seal;
use blake2::{Blake2b512, Digest};
use minisign::{KeyPair, PublicKey, PublicKeyBox, SecretKeyBox, SignatureBox};
use ring::signature::Ed25519KeyPair;
use std::{fmt, io::Cursor};
use zeroize::Zeroizing;

/// First line of every signature we write.
const UNTRUSTED_COMMENT: &str = "signature by Kaodian";
/// An Ed25519 signature.
const ED25519_SIGNATURE_BYTES: usize = 64;
/// Longest signature file worth reading.
const SIGNATURE_BYTES_MAX: usize = 4096;
/// Where the key number stands in a decoded secret key: after three algorithm names, salt and two limits.
const KEY_NUMBER_AT: usize = 2 + 2 + 2 + 32 + 8 + 8;
const SEED_AT: usize = KEY_NUMBER_AT + 8;
const PUBLIC_AT: usize = SEED_AT + 32;
const PUBLIC_END: usize = PUBLIC_AT + 32;

/// Why a key or a signature is not good.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not an unencrypted minisign secret key.
    #[error("this is not an unencrypted minisign secret key")]
    BadSecret,
    /// Not a minisign public key.
    #[error("this is not a minisign public key")]
    BadPublic,
    /// Not a minisign signature.
    #[error("this is not a minisign signature")]
    BadSignature,
    /// Signed by somebody else.
    #[error("it was signed with key {signer}, not with {expected}")]
    OtherSigner {
        /// Key id in the signature.
        signer: String,
        /// Key id of the expected signer.
        expected: String,
    },
    /// The signature does not fit the bytes.
    #[error("the signature does not fit: the content or its comment was changed")]
    DoesNotFit,
    /// The comment would not stay one line.
    #[error("a trusted comment must be one line without spaces around it")]
    BadComment,
    /// No randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

/// A fresh minisign key pair, as the two files hold it.
pub struct SigningPair {
    /// Content of the secret key file (unencrypted; its permissions protect it).
    pub secret_file: Zeroizing<String>,
    /// Content of the `.pub` file: comment and key line.
    pub public_file: String,
    /// The key line alone.
    pub public_line: String,
    /// The key's id, as minisign shows it.
    pub key_id: String,
}

impl fmt::Debug for SigningPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningPair({})", self.key_id)
    }
}

/// A fresh age key.
pub struct SealingPair {
    /// Content of the identity file, as `age-keygen` lays it out.
    pub identity_file: Zeroizing<String>,
    /// The recipient (`age1…`).
    pub recipient: String,
}

impl fmt::Debug for SealingPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingPair({})", self.recipient)
    }
}

/// Makes a minisign key pair.
///
/// # Errors
/// [`KeyError::NoRandomness`].
pub fn generate_minisign() -> Result<SigningPair, KeyError> {
    let pair = KeyPair::generate_unencrypted_keypair().map_err(|_| KeyError::NoRandomness)?;
    let secret = pair.sk.to_box(Some("minisign secret key, not encrypted")).map_err(|_| KeyError::BadSecret)?;
    let public = pair.pk.to_box().map_err(|_| KeyError::BadPublic)?;
    Ok(SigningPair {
        secret_file: Zeroizing::new(secret.into_string()),
        public_file: public.into_string(),
        public_line: pair.pk.to_base64(),
        key_id: shown_id(pair.pk.keynum()),
    })
}

/// Makes an age key.
pub fn generate_age() -> SealingPair {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = seal::identity_text(&identity);
    SealingPair {
        identity_file: Zeroizing::new(format!("# public key: {recipient}\n{}\n", secret.as_str())),
        recipient,
    }
}

/// The key line of a public key given as a `.pub` file or as the bare line.
///
/// # Errors
/// [`KeyError::BadPublic`].
pub fn public_line(text: &str) -> Result<String, KeyError> {
    Ok(public_key(text)?.to_base64())
}

/// The id of a public key, as minisign shows it.
///
/// # Errors
/// [`KeyError::BadPublic`].
pub fn key_id(public_text: &str) -> Result<String, KeyError> {
    Ok(shown_id(public_key(public_text)?.keynum()))
}

/// The public key line that belongs to a secret key file.
///
/// # Errors
/// [`KeyError::BadSecret`].
pub fn public_line_of_secret(secret_text: &str) -> Result<String, KeyError> {
    let secret = SecretKeyBox::from_string(secret_text).and_then(SecretKeyBox::into_unencrypted_secret_key);
    let public = secret.and_then(|secret| PublicKey::from_secret_key(&secret)).map_err(|_| KeyError::BadSecret)?;
    Ok(public.to_base64())
}

/// The recipient that belongs to an age identity.
///
/// # Errors
/// [`seal::SealError::BadKey`].
pub fn recipient_of_identity(identity_text: &str) -> Result<String, seal::SealError> {
    Ok(seal::parse_identity(identity_text)?.to_public().to_string())
}

/// Signs `data` with a minisign secret key. Deterministic: Ed25519 as RFC 8032 has it over minisign's BLAKE2b prehash; the
/// trusted comment is the caller's and carries no time unless the caller puts one in.
///
/// # Errors
/// A bad key, or a comment that is not one line.
pub fn sign(secret_text: &str, data: &[u8], trusted_comment: &str) -> Result<String, KeyError> {
    if trusted_comment.trim() != trusted_comment || trusted_comment.contains(char::is_control) {
        return Err(KeyError::BadComment);
    }
    let secret = SecretKeyBox::from_string(secret_text).and_then(SecretKeyBox::into_unencrypted_secret_key);
    let secret = Zeroizing::new(secret.map_err(|_| KeyError::BadSecret)?.to_bytes());
    let part = |from: usize, to: usize| secret.get(from..to).ok_or(KeyError::BadSecret);
    let pair = Ed25519KeyPair::from_seed_and_public_key(part(SEED_AT, PUBLIC_AT)?, part(PUBLIC_AT, PUBLIC_END)?)
        .map_err(|_| KeyError::BadSecret)?;

    let signature = pair.sign(&Blake2b512::digest(data));
    let global = pair.sign(&[signature.as_ref(), trusted_comment.as_bytes()].concat());
    let blob = [b"ED".as_slice(), part(KEY_NUMBER_AT, SEED_AT)?, signature.as_ref()].concat();
    let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
    Ok(format!(
        "untrusted comment: {UNTRUSTED_COMMENT}\n{}\ntrusted comment: {trusted_comment}\n{}\n",
        base64(&blob),
        base64(global.as_ref())
    ))
}

/// Checks a signature over `data` and returns its trusted comment. Only the exact text [`sign`] would write is accepted, so
/// that not even an unsigned comment can be changed unnoticed.
///
/// # Errors
/// Any [`KeyError`].
pub fn verify(public_text: &str, data: &[u8], signature_text: &str) -> Result<String, KeyError> {
    let public = public_key(public_text)?;
    if signature_text.len() > SIGNATURE_BYTES_MAX {
        return Err(KeyError::BadSignature);
    }
    // The minisign crate slices the last line without asking how long it is.
    let global = signature_text.lines().nth(3).and_then(|line| data_encoding::BASE64.decode(line.as_bytes()).ok());
    if global.is_none_or(|bytes| bytes.len() != ED25519_SIGNATURE_BYTES) {
        return Err(KeyError::BadSignature);
    }
    let signature = SignatureBox::from_string(signature_text).map_err(|_| KeyError::BadSignature)?;
    if signature.keynum() != public.keynum() {
        return Err(KeyError::OtherSigner {
            signer: shown_id(signature.keynum()),
            expected: shown_id(public.keynum()),
        });
    }
    let ours = signature.untrusted_comment().is_ok_and(|comment| comment == UNTRUSTED_COMMENT);
    if !ours || !signature.is_prehashed() || signature.to_string() != signature_text {
        return Err(KeyError::DoesNotFit);
    }
    minisign::verify(&public, &signature, Cursor::new(data), true, false, false).map_err(|_| KeyError::DoesNotFit)?;
    signature.trusted_comment().map_err(|_| KeyError::BadSignature)
}

fn public_key(text: &str) -> Result<PublicKey, KeyError> {
    let text = text.trim();
    if text.starts_with("untrusted comment:") {
        return PublicKeyBox::from_string(text)
            .and_then(PublicKeyBox::into_public_key)
            .map_err(|_| KeyError::BadPublic);
    }
    PublicKey::from_base64(text).map_err(|_| KeyError::BadPublic)
}

/// A key number is little-endian and shown as one 64-bit hex number.
fn shown_id(key_number: &[u8]) -> String {
    key_number.iter().rev().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_whose_last_line_is_of_another_length_is_refused_and_does_not_panic() {
        let pair = generate_minisign().unwrap();
        let signed = sign(&pair.secret_file, b"data", "comment").unwrap();
        assert!(verify(&pair.public_line, b"data", &signed).is_ok());
        let (head, global) = signed.trim_end().rsplit_once('\n').unwrap();
        for length in 0..global.len() {
            let cut = format!("{head}\n{}\n", &global[..length]);
            assert!(matches!(verify(&pair.public_line, b"data", &cut), Err(KeyError::BadSignature)), "{length}");
        }
        let longer = format!("{head}\nAAAA{global}\n");
        assert!(matches!(verify(&pair.public_line, b"data", &longer), Err(KeyError::BadSignature)));
    }

    #[test]
    fn a_signature_fits_its_bytes_and_no_others() {
        let pair = generate_minisign().unwrap();
        let text = sign(&pair.secret_file, b"data", "sitting s1").unwrap();
        assert_eq!(verify(&pair.public_line, b"data", &text).unwrap(), "sitting s1");
        assert_eq!(verify(&pair.public_file, b"data", &text).unwrap(), "sitting s1");
        assert!(matches!(verify(&pair.public_line, b"dato", &text), Err(KeyError::DoesNotFit)));
        let other = generate_minisign().unwrap();
        assert!(matches!(verify(&other.public_line, b"data", &text), Err(KeyError::OtherSigner { .. })));
    }

    #[test]
    fn signing_twice_gives_the_same_text() {
        let pair = generate_minisign().unwrap();
        assert_eq!(sign(&pair.secret_file, b"data", "c").unwrap(), sign(&pair.secret_file, b"data", "c").unwrap());
        assert!(matches!(sign(&pair.secret_file, b"data", "two\nlines"), Err(KeyError::BadComment)));
    }

    #[test]
    fn every_changed_byte_of_a_signature_is_refused() {
        let pair = generate_minisign().unwrap();
        let text = sign(&pair.secret_file, b"data", "sitting s1").unwrap();
        for at in 0..text.len() {
            for bit in [1_u8, 2, 16, 32] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= bit;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                assert!(verify(&pair.public_line, b"data", &changed).is_err(), "byte {at} went unnoticed");
            }
        }
        assert!(verify(&pair.public_line, b"data", &format!("{text}\n")).is_err());
    }

    #[test]
    fn public_halves_follow_from_the_secret_ones() {
        let signing = generate_minisign().unwrap();
        assert_eq!(public_line_of_secret(&signing.secret_file).unwrap(), signing.public_line);
        assert_eq!(key_id(&signing.public_file).unwrap(), signing.key_id);
        assert!(signing.public_file.contains(&signing.key_id), "as minisign shows it");
        let sealing = generate_age();
        assert_eq!(recipient_of_identity(&sealing.identity_file).unwrap(), sealing.recipient);
    }

    #[test]
    fn nonsense_is_no_key() {
        for text in ["", "x", "untrusted comment: a\n", "RWQ", "\u{0}\u{0}"] {
            assert!(matches!(sign(text, b"", ""), Err(KeyError::BadSecret)));
            assert!(matches!(verify(text, b"", ""), Err(KeyError::BadPublic)));
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let pair = generate_minisign().unwrap();
        assert_eq!(format!("{pair:?}"), format!("SigningPair({})", pair.key_id));
        assert!(!format!("{:?}", generate_age()).contains("SECRET"));
    }
}
