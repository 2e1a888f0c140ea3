//! The site's key for what rests on the server's disk: seals personal data, and tags low-entropy secrets (candidates'
//! passwords, enrolment codes) so that the disk alone does not give them away. Never opens under another context.

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
    rand::{SecureRandom, SystemRandom},
};
use std::fmt;

/// First byte of everything sealed: another number is another way of sealing.
const SEALED_FORMAT: u8 = 1;

/// What was sealed cannot be opened: another context, another key, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this was not sealed here, or was changed")]
pub struct OpenError;

/// Keys derived from the site's 32 bytes.
pub struct AtRest {
    seal: LessSafeKey,
    tag: hmac::Key,
    endpoint_secret: [u8; 32],
}

impl fmt::Debug for AtRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtRest(…)")
    }
}

impl AtRest {
    pub(super) fn new(secret: &[u8; 32]) -> AtRest {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kaodian at rest 1").extract(secret);
        let seal = UnboundKey::new(&CHACHA20_POLY1305, &derive(&root, b"seal")).expect("32 bytes are a ChaCha20 key");
        AtRest {
            seal: LessSafeKey::new(seal),
            tag: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, b"tag")),
            endpoint_secret: derive(&root, b"quic endpoint"),
        }
    }

    /// Seals `bytes`. They open only under the same context, e.g. `roster id-number 17`: sealed values cannot be swapped.
    ///
    /// # Panics
    /// When the system has no randomness: a nonce used twice would give the bytes away.
    pub fn seal(&self, context: &str, bytes: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).expect("the system gives randomness once it has booted");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + bytes.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(bytes);
        let at = Nonce::assume_unique_for_key(nonce);
        self.seal
            .seal_in_place_append_tag(at, Aad::from(context.as_bytes()), &mut sealed)
            .expect("what the server seals is far below 256 GiB");
        sealed.splice(0..0, std::iter::once(SEALED_FORMAT).chain(nonce));
        sealed
    }

    /// Opens what [`seal`](Self::seal) made under the same context.
    ///
    /// # Errors
    /// [`OpenError`]; which of the reasons it is cannot be told.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (format, rest) = sealed.split_first().ok_or(OpenError)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError)?;
        if *format != SEALED_FORMAT {
            return Err(OpenError);
        }
        let mut bytes = rest.to_vec();
        let at = Nonce::assume_unique_for_key(*nonce);
        let length =
            self.seal.open_in_place(at, Aad::from(context.as_bytes()), &mut bytes).map_err(|_| OpenError)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// A keyed hash of `bytes` for one purpose, e.g. `candidate password`: equal inputs give equal tags, and without the
    /// site's key six digits cannot be searched for. Compare with [`tag_matches`](Self::tag_matches).
    pub fn tag(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let mut context = self.tagging(purpose);
        context.update(bytes);
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag` is the tag of `bytes`, in constant time.
    pub fn tag_matches(&self, purpose: &str, bytes: &[u8], tag: &[u8; 32]) -> bool {
        let ours = self.tag(purpose, bytes);
        ours.iter().zip(tag).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }

    /// Length first, so that no purpose and bytes run into those of another.
    fn tagging(&self, purpose: &str) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.tag);
        context.update(&(purpose.len() as u64).to_le_bytes());
        context.update(purpose.as_bytes());
        context
    }

    /// What the server's connection ids and reset tokens come from, so that they survive a restart.
    pub(crate) fn endpoint_secret(&self) -> &[u8; 32] {
        &self.endpoint_secret
    }
}

fn derive(root: &hkdf::Prk, purpose: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let info = [purpose];
    root.expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("32 bytes are one block of HKDF-SHA256");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_only_unchanged_and_under_its_context() {
        let at_rest = AtRest::new(&[7; 32]);
        let sealed = at_rest.seal("roster 1", "张三".as_bytes());
        assert_eq!(at_rest.open("roster 1", &sealed).unwrap(), "张三".as_bytes());
        assert_eq!(at_rest.open("roster 2", &sealed), Err(OpenError));
        assert_eq!(AtRest::new(&[8; 32]).open("roster 1", &sealed), Err(OpenError));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(at_rest.open("roster 1", &changed), Err(OpenError), "byte {at} was changed");
            assert_eq!(at_rest.open("roster 1", &sealed[..at]), Err(OpenError), "cut to {at} bytes");
        }
        assert_ne!(sealed, at_rest.seal("roster 1", "张三".as_bytes()), "a nonce is used once");
    }

    #[test]
    fn a_tag_depends_on_key_purpose_and_bytes() {
        let at_rest = AtRest::new(&[7; 32]);
        let tag = at_rest.tag("password", b"123456");
        assert_eq!(tag, at_rest.tag("password", b"123456"));
        assert!(at_rest.tag_matches("password", b"123456", &tag));
        assert!(!at_rest.tag_matches("password", b"123457", &tag));
        assert_ne!(tag, at_rest.tag("code", b"123456"));
        assert_ne!(at_rest.tag("ab", b"c"), at_rest.tag("a", b"bc"));
        assert_ne!(tag, AtRest::new(&[8; 32]).tag("password", b"123456"));
    }
}
