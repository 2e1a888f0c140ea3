//! Files attached to incidents (evidence, HB-25 to HB-34): taken from the uploads, looked at, sealed, and read again for the bundle.
//! Never believes a file's name, and never keeps more than its shelf may hold.

use crate::{
    reception::context,
    site::SiteKeys,
    vault::{Shelf, Vault},
};
use exam_link::private_file;
use exam_protocol::{
    ids::Sha256,
    incident::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_BYTES_MAX, ATTACHMENTS_FILES_MAX, AttachmentKind},
};
use std::{fs, io, path::Path, time::SystemTime};

/// Most files of consoles that wait in the uploads; the oldest makes room, because nobody attaches it any more.
pub const WAITING_FILES_MAX: usize = 64;

/// Why a file cannot be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// It was never brought, or another file took its place.
    #[error("no uploaded file has this hash")]
    NotThere,
    /// Neither photo nor scan, or too large.
    #[error("the file is no JPEG, PNG or PDF of at most {} MiB", ATTACHMENT_BYTES_MAX / 1024 / 1024)]
    Unfit,
    /// No room.
    #[error("the site has {ATTACHMENTS_FILES_MAX} files or {} MiB of them", ATTACHMENTS_BYTES_MAX / 1024 / 1024)]
    Full,
    /// The disk says no.
    #[error("the file cannot be kept")]
    Disk(#[from] io::Error),
}

/// Takes an uploaded file in: durable and sealed when this returns. Doing it again changes nothing.
///
/// # Errors
/// [`AttachError`]; nothing is kept then.
pub fn keep(vault: &Vault, keys: &SiteKeys, hash: &Sha256) -> Result<(), AttachError> {
    let kept = vault.blob(Shelf::Attachments, hash);
    let uploaded = vault.blob(Shelf::Uploads, hash);
    if !kept.is_file() {
        let length = fs::metadata(&uploaded).map_err(|_| AttachError::NotThere)?.len();
        if length > ATTACHMENT_BYTES_MAX {
            return Err(AttachError::Unfit);
        }
        let bytes = vault.blob_bytes(Shelf::Uploads, hash)?;
        if AttachmentKind::of(&bytes).is_none() {
            return Err(AttachError::Unfit);
        }
        let there = files(&vault.shelf(Shelf::Attachments))?;
        let bytes_there: u64 = there.iter().map(|file| file.bytes).sum();
        if there.len() >= ATTACHMENTS_FILES_MAX || bytes_there + length > ATTACHMENTS_BYTES_MAX {
            return Err(AttachError::Full);
        }
        private_file::write_whole(&kept, &keys.at_rest().seal(&context(hash), &bytes))?;
    }
    if let Err(error) = fs::remove_file(&uploaded)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "an upload could not be removed");
    }
    Ok(())
}

/// Reads a file that was taken in.
///
/// # Errors
/// It is not there, damaged, or sealed elsewhere.
pub fn read(vault: &Vault, keys: &SiteKeys, hash: &Sha256) -> io::Result<Vec<u8>> {
    let sealed = fs::read(vault.blob(Shelf::Attachments, hash))?;
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("attachment {hash} {what}"));
    let bytes = keys.at_rest().open(&context(hash), &sealed).map_err(|_| damaged("does not open"))?;
    if Sha256::of(&bytes) == *hash { Ok(bytes) } else { Err(damaged("is another file")) }
}

/// Lets the oldest uploads go until one more fits.
///
/// # Errors
/// The disk says no.
pub fn make_room(uploads: &Path) -> io::Result<()> {
    let mut waiting = files(uploads)?;
    waiting.sort_by_key(|file| file.changed);
    let too_many = (waiting.len() + 1).saturating_sub(WAITING_FILES_MAX);
    waiting.iter().take(too_many).try_for_each(|file| fs::remove_file(&file.path))
}

struct Waiting {
    path: std::path::PathBuf,
    bytes: u64,
    changed: SystemTime,
}

fn files(folder: &Path) -> io::Result<Vec<Waiting>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_file() {
            files.push(Waiting { path: entry.path(), bytes: about.len(), changed: about.modified()? });
        }
    }
    Ok(files)
}

/// A sealed file opens only as itself.
fn context(hash: &Sha256) -> String {
    format!("{} {hash}", context::ATTACHMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (tempfile::TempDir, Vault, SiteKeys) {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(dir.path().join("site"));
        crate::init::init(vault.dir(), "考点", None).unwrap();
        let keys = SiteKeys::load(vault.dir()).unwrap();
        (dir, vault, keys)
    }

    fn photo(length: usize) -> Vec<u8> {
        let mut bytes = vec![7; length];
        bytes[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
        bytes
    }

    #[test]
    fn a_photo_is_taken_in_sealed_and_comes_out_as_it_was() {
        let (_dir, vault, keys) = site();
        let hash = vault.keep(Shelf::Uploads, &photo(300)).unwrap();
        keep(&vault, &keys, &hash).unwrap();
        keep(&vault, &keys, &hash).unwrap();
        assert_eq!(read(&vault, &keys, &hash).unwrap(), photo(300));
        assert!(!vault.blob(Shelf::Uploads, &hash).exists(), "the upload is not kept");
        let rests = fs::read(vault.blob(Shelf::Attachments, &hash)).unwrap();
        assert!(!rests.windows(8).any(|w| w == [7; 8]), "it rests sealed");
        fs::write(vault.blob(Shelf::Attachments, &hash), &rests[..40]).unwrap();
        assert!(read(&vault, &keys, &hash).is_err(), "a cut file is not passed on");
    }

    #[test]
    fn only_photos_and_scans_below_the_limit_are_taken_in() {
        let (_dir, vault, keys) = site();
        let full = ATTACHMENT_BYTES_MAX as usize;
        for (bytes, good) in
            [(b"MZ program".to_vec(), false), (Vec::new(), false), (photo(full), true), (photo(full + 1), false)]
        {
            let hash = vault.keep(Shelf::Uploads, &bytes).unwrap();
            assert_eq!(keep(&vault, &keys, &hash).is_ok(), good, "{} bytes", bytes.len());
        }
        assert!(matches!(keep(&vault, &keys, &Sha256::of(b"never brought")), Err(AttachError::NotThere)));
    }

    #[test]
    fn the_shelf_takes_what_fits_and_nothing_more() {
        let (_dir, vault, keys) = site();
        let filler = vault.shelf(Shelf::Attachments).join("filler");
        let hash = vault.keep(Shelf::Uploads, &photo(100)).unwrap();
        fs::File::create(&filler).unwrap().set_len(ATTACHMENTS_BYTES_MAX - 99).unwrap();
        assert!(matches!(keep(&vault, &keys, &hash), Err(AttachError::Full)));
        fs::File::create(&filler).unwrap().set_len(ATTACHMENTS_BYTES_MAX - 100).unwrap();
        keep(&vault, &keys, &hash).unwrap();
        fs::remove_file(&filler).unwrap();
        for n in 1..ATTACHMENTS_FILES_MAX - 1 {
            fs::write(vault.shelf(Shelf::Attachments).join(n.to_string()), b"").unwrap();
        }
        let [last, one_more] = [101, 102].map(|length| vault.keep(Shelf::Uploads, &photo(length)).unwrap());
        keep(&vault, &keys, &last).unwrap();
        assert!(matches!(keep(&vault, &keys, &one_more), Err(AttachError::Full)));
    }

    #[test]
    fn a_backup_holds_what_was_taken_in() {
        let (dir, vault, keys) = site();
        let hash = vault.keep(Shelf::Uploads, &photo(300)).unwrap();
        keep(&vault, &keys, &hash).unwrap();
        let copy = Vault::new(dir.path().join("copy"));
        vault.back_up(copy.dir()).unwrap();
        assert_eq!(read(&copy, &SiteKeys::load(copy.dir()).unwrap(), &hash).unwrap(), photo(300));
    }

    #[test]
    fn uploads_nobody_attaches_make_room_for_new_ones() {
        let (_dir, vault, _) = site();
        let uploads = vault.shelf(Shelf::Uploads);
        for n in 0..WAITING_FILES_MAX {
            let path = uploads.join(format!("{n:03}"));
            let file = fs::File::create(path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(n as u64)).unwrap();
        }
        make_room(&uploads).unwrap();
        assert!(!uploads.join("000").exists() && uploads.join("001").exists(), "the oldest went");
        make_room(&uploads).unwrap();
        assert!(uploads.join("001").exists(), "there is room now");
    }
}
