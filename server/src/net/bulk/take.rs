//! Taking a chunk of an upload into `HEX.part`, and giving the file its name once its hash is right.
//! Never two writers on one blob, never a byte beyond what was announced.

use super::{failed, give::on_disk, storage};
use exam_link::{private_file, wire::FrameReader};
use exam_protocol::{
    code::ErrorCode,
    ids::Sha256,
    message::transfer::{BLOB_BYTES_MAX, CHUNK_BYTES_MAX, ChunkStored, PutChunk},
    tag::Down,
};
use sha2::Digest;
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

const READ_BYTES: usize = 256 * 1024;

type Uploads = Arc<Mutex<BTreeSet<Sha256>>>;

pub(super) async fn take(uploads: &Uploads, dir: PathBuf, put: PutChunk, reader: &mut FrameReader) -> Down {
    match try_take(uploads, dir, put, reader).await {
        Ok(have) => Down::ChunkStored(ChunkStored { have }),
        Err(error) => failed(error),
    }
}

async fn try_take(uploads: &Uploads, dir: PathBuf, put: PutChunk, reader: &mut FrameReader) -> Result<u64, ErrorCode> {
    let end = put.offset.checked_add(u64::from(put.bytes)).ok_or(ErrorCode::BlobDamaged)?;
    if put.total > BLOB_BYTES_MAX || put.bytes > CHUNK_BYTES_MAX || end > put.total {
        return Err(ErrorCode::BlobDamaged);
    }
    let bytes = reader.raw(put.bytes as usize).await.map_err(|_| ErrorCode::BlobDamaged)?;
    let writer = Writer::of(uploads, put.blob).ok_or(ErrorCode::Busy)?;
    let stored = on_disk(move || {
        // Held until the disk is done, even when the peer is gone meanwhile.
        let _writer = writer;
        store(&dir, put, &bytes)
    });
    stored.await.map_err(|error| storage("writing", &error))?
}

/// The one writer of a blob.
struct Writer(Uploads, Sha256);

impl Writer {
    fn of(uploads: &Uploads, blob: Sha256) -> Option<Writer> {
        let fresh = uploads.lock().unwrap_or_else(PoisonError::into_inner).insert(blob);
        fresh.then(|| Writer(Arc::clone(uploads), blob))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// Appends the bytes if they belong where the file ends; otherwise only says how much is there.
fn store(dir: &Path, put: PutChunk, bytes: &[u8]) -> io::Result<Result<u64, ErrorCode>> {
    let whole = dir.join(put.blob.hex());
    match fs::metadata(&whole) {
        Ok(there) if there.len() == put.total => return Ok(Ok(put.total)),
        Ok(_) => return Ok(Err(ErrorCode::BlobDamaged)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    private_file::private_folder(dir)?;
    let part = dir.join(format!("{}.part", put.blob.hex()));
    let mut file = OpenOptions::new().append(true).create(true).open(&part)?;
    let mut have = file.metadata()?.len();
    if have == put.offset && !bytes.is_empty() {
        file.write_all(bytes)?;
        have += bytes.len() as u64;
    }
    if have < put.total {
        return Ok(Ok(have));
    }
    if have > put.total || hash(&part)? != put.blob {
        fs::remove_file(&part)?;
        return Ok(Err(ErrorCode::BlobDamaged));
    }
    file.sync_all()?;
    fs::rename(&part, &whole)?;
    private_file::sync_folder(&whole)?;
    Ok(Ok(have))
}

fn hash(path: &Path) -> io::Result<Sha256> {
    let mut file = File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Sha256::from_bytes(hasher.finalize().into())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(blob: Sha256, total: u64, offset: u64, bytes: u32) -> PutChunk {
        PutChunk { blob, total, offset, bytes }
    }

    #[test]
    fn an_upload_is_whole_only_when_its_hash_is_right() {
        let dir = tempfile::tempdir().unwrap();
        let blob = Sha256::of(b"abcdef");
        let store = |put, bytes: &[u8]| store(dir.path(), put, bytes).unwrap();
        assert_eq!(store(put(blob, 6, 0, 0), b""), Ok(0), "a question");
        assert_eq!(store(put(blob, 6, 0, 3), b"abc"), Ok(3));
        assert_eq!(store(put(blob, 6, 0, 3), b"abc"), Ok(3), "a repeated chunk changes nothing");
        assert_eq!(store(put(blob, 6, 3, 3), b"xyz"), Err(ErrorCode::BlobDamaged));
        assert!(!dir.path().join(blob.hex()).exists());
        assert_eq!(store(put(blob, 6, 0, 6), b"abcdef"), Ok(6), "after damage it begins anew");
        assert_eq!(fs::read(dir.path().join(blob.hex())).unwrap(), b"abcdef");
        assert_eq!(store(put(blob, 6, 0, 6), b"abcdef"), Ok(6));
        assert_eq!(
            store(put(blob, 7, 0, 7), b"abcdefg"),
            Err(ErrorCode::BlobDamaged),
            "another size under the same name"
        );
        let empty = Sha256::of(b"");
        assert_eq!(store(put(empty, 0, 0, 0), b""), Ok(0));
        assert!(dir.path().join(empty.hex()).exists());
    }

    #[test]
    fn a_blob_has_one_writer() {
        let uploads = Uploads::default();
        let blob = Sha256::of(b"x");
        let first = Writer::of(&uploads, blob).unwrap();
        assert!(Writer::of(&uploads, blob).is_none());
        drop(first);
        assert!(Writer::of(&uploads, blob).is_some());
    }
}
