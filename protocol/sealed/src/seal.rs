//! age, as we use it: sealing bytes to a recipient and opening them again, with a limit on what comes out.
//! Never returns a byte of a file whose every chunk was not authenticated.

use age::{Decryptor, Encryptor, Identity, Recipient, x25519};
use secrecy::ExposeSecret;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// Why sealed bytes stay shut, or a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Not an age key of the expected kind.
    #[error("this is not an age {0}")]
    BadKey(&'static str),
    /// Sealed for somebody else.
    #[error("it is sealed for another key")]
    OtherKey,
    /// Not an age file, cut short, or changed.
    #[error("the seal is broken: the file was cut or changed")]
    Damaged,
    /// More inside than allowed.
    #[error("it holds more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// Asks for more work than we grant a file.
    #[error("opening it would take unreasonable work")]
    TooMuchWork,
}

/// Seals `plain` to `recipient` (`age1…`).
///
/// # Errors
/// [`SealError::BadKey`] if the recipient is none.
pub fn seal(plain: &[u8], recipient: &str) -> Result<Vec<u8>, SealError> {
    seal_with(plain, &parse_recipient(recipient)?)
}

/// Opens what was sealed to `identity` (`AGE-SECRET-KEY-1…`, or a whole identity file).
///
/// # Errors
/// Any [`SealError`]; nothing of the content is returned then.
pub fn open(sealed: &[u8], identity: &str, plain_bytes_max: u64) -> Result<Vec<u8>, SealError> {
    open_with(sealed, &parse_identity(identity)?, plain_bytes_max)
}

/// Reads a recipient.
///
/// # Errors
/// [`SealError::BadKey`].
pub fn parse_recipient(text: &str) -> Result<x25519::Recipient, SealError> {
    text.trim().parse().map_err(|_| SealError::BadKey("recipient (age1…)"))
}

/// Reads an identity, bare or in an `age-keygen` file with comment lines.
///
/// # Errors
/// [`SealError::BadKey`].
pub fn parse_identity(text: &str) -> Result<x25519::Identity, SealError> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    line.parse().map_err(|_| SealError::BadKey("identity (AGE-SECRET-KEY-1…)"))
}

/// The identity as text, for storage.
pub(crate) fn identity_text(identity: &x25519::Identity) -> Zeroizing<String> {
    Zeroizing::new(identity.to_string().expose_secret().to_owned())
}

pub(crate) fn seal_with(plain: &[u8], recipient: &dyn Recipient) -> Result<Vec<u8>, SealError> {
    let encryptor =
        Encryptor::with_recipients(std::iter::once(recipient)).map_err(|_| SealError::BadKey("recipient"))?;
    let mut sealed = Vec::with_capacity(plain.len() + plain.len() / 4096 + 512);
    let mut writer = encryptor.wrap_output(&mut sealed).expect("a vector takes every byte");
    writer.write_all(plain).expect("a vector takes every byte");
    writer.finish().expect("a vector takes every byte");
    Ok(sealed)
}

pub(crate) fn open_with(sealed: &[u8], identity: &dyn Identity, plain_bytes_max: u64) -> Result<Vec<u8>, SealError> {
    use age::DecryptError as Why;
    let decryptor = Decryptor::new_buffered(sealed).map_err(|_| SealError::Damaged)?;
    let reader = decryptor.decrypt(std::iter::once(identity)).map_err(|e| match e {
        Why::NoMatchingKeys | Why::KeyDecryptionFailed | Why::DecryptionFailed => SealError::OtherKey,
        Why::ExcessiveWork { .. } => SealError::TooMuchWork,
        _ => SealError::Damaged, // bad header, bad MAC, cut short, and what later versions of age may add
    })?;
    let mut plain = Vec::new();
    reader.take(plain_bytes_max + 1).read_to_end(&mut plain).map_err(|_| SealError::Damaged)?;
    if plain.len() as u64 > plain_bytes_max {
        return Err(SealError::TooLarge { max: plain_bytes_max });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::generate_age;

    #[test]
    fn only_its_own_key_opens_it_and_only_whole() {
        let (ours, theirs) = (generate_age(), generate_age());
        let sealed = seal(b"secret", &ours.recipient).unwrap();
        assert_eq!(open(&sealed, &ours.identity_file, 6).unwrap(), b"secret");
        assert!(matches!(open(&sealed, &theirs.identity_file, 6), Err(SealError::OtherKey)));
        assert!(matches!(open(&sealed, &ours.identity_file, 5), Err(SealError::TooLarge { max: 5 })));
        for length in 0..sealed.len() {
            assert!(open(&sealed[..length], &ours.identity_file, 100).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_in_words() {
        assert_eq!(seal(b"", "age1nonsense").unwrap_err().to_string(), "this is not an age recipient (age1…)");
        assert!(open(b"", "", 1).is_err());
    }
}
