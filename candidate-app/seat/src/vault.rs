//! The key that seals this seat's records, and the sealing. Never leaves the machine, and never uses a nonce twice.

use exam_link::private_file;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

/// Bytes of a nonce, written in front of what it sealed.
pub(crate) const NONCE_BYTES: usize = NONCE_LEN;
const KEY: &str = "journal.key";
const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 8;
const _: () = assert!(SALT_BYTES + size_of::<u32>() == NONCE_BYTES);

/// The seat's record key. ChaCha20-Poly1305, because it is fast on machines without AES.
pub struct Vault {
    key: LessSafeKey,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// The key in `folder`, made there if there is none (file mode 0600).
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::InvalidData`] if the file is no key: without it the journal cannot be read.
    pub fn load_or_create(folder: &Path) -> io::Result<Self> {
        let path = folder.join(KEY);
        let bytes = match private_file::read_limited(&path, KEY_BYTES as u64) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                private_file::private_folder(folder)?;
                let fresh = random::<KEY_BYTES>()?;
                private_file::write_whole(&path, &fresh)?;
                fresh.to_vec()
            }
            read => read?,
        };
        let wrong =
            |_| io::Error::new(io::ErrorKind::InvalidData, format!("{KEY} does not hold a key of {KEY_BYTES} bytes"));
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(wrong)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Seals `plain` and returns nonce and ciphertext.
    pub(crate) fn seal(&self, nonces: &Nonces, aad: &[u8], plain: &[u8]) -> io::Result<Vec<u8>> {
        let nonce = nonces.next()?;
        let mut sealed = Vec::with_capacity(NONCE_BYTES + plain.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(plain);
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce_used, Aad::from(aad), &mut sealed)
            .map_err(|_| io::Error::other("the record could not be sealed"))?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// Opens what [`seal`](Self::seal) returned; none if a bit of it, or of `aad`, is not as it was.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let mut bytes = ciphertext.to_vec();
        let plain = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut bytes).ok()?;
        let len = plain.len();
        bytes.truncate(len);
        Some(bytes)
    }
}

/// Nonces of one opening of a journal: eight random bytes and a counter. A record that is written again, because the disk
/// failed or a torn tail was cut off, never meets its old nonce.
#[derive(Debug)]
pub(crate) struct Nonces {
    salt: [u8; SALT_BYTES],
    count: AtomicU32,
}

impl Nonces {
    pub(crate) fn fresh() -> io::Result<Self> {
        Ok(Self { salt: random()?, count: AtomicU32::new(0) })
    }

    fn next(&self) -> io::Result<[u8; NONCE_BYTES]> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        if count == u32::MAX {
            return Err(io::Error::other("four thousand million records in one run: start the app again"));
        }
        let mut nonce = [0; NONCE_BYTES];
        nonce[..SALT_BYTES].copy_from_slice(&self.salt);
        nonce[SALT_BYTES..].copy_from_slice(&count.to_le_bytes());
        Ok(nonce)
    }
}

pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system has no randomness"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let nonces = Nonces::fresh().unwrap();
        let sealed = Vault::load_or_create(dir.path()).unwrap().seal(&nonces, b"aad", b"words").unwrap();
        let again = Vault::load_or_create(dir.path()).unwrap();
        assert_eq!(again.open(b"aad", &sealed).unwrap(), b"words");
        assert_eq!(again.open(b"other", &sealed), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join(KEY)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(KEY), [0; 31]).unwrap();
        assert!(Vault::load_or_create(dir.path()).is_err());
    }

    #[test]
    fn no_nonce_comes_twice() {
        let (a, b) = (Nonces::fresh().unwrap(), Nonces::fresh().unwrap());
        let drawn = [a.next(), a.next(), b.next(), b.next()].map(Result::unwrap);
        assert!((1..4).all(|i| !drawn[..i].contains(&drawn[i])));
    }
}
