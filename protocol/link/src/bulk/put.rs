//! Bringing a file to the server as a blob, chunk by chunk from where an earlier try ended.
//! Never sends what the server already has.

use super::{BulkError, on_disk, open, reply};
use crate::{
    error::LinkError,
    link::{Link, unexpected},
};
use exam_protocol::{
    ids::Sha256,
    message::transfer::{BLOB_BYTES_MAX, CHUNK_BYTES_MAX, PutChunk},
    tag::Down,
};
use sha2::Digest;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Brings the file at `path` to the server and returns its name there. The file must not change meanwhile.
///
/// # Errors
/// [`BulkError`]; the server keeps what it has, and the next try goes on from there.
pub async fn put_blob(link: &Link, path: &Path) -> Result<Sha256, BulkError> {
    let (blob, total) = hash_file(path).await?;
    if total > BLOB_BYTES_MAX {
        return Err(BulkError::WrongSize);
    }
    // A chunk without bytes asks how much is there.
    let mut have = put_piece(link, PutChunk { blob, total, offset: 0, bytes: 0 }, Vec::new()).await?;
    while have < total {
        let bytes = read_at(path, have).await?;
        let length = u32::try_from(bytes.len()).map_err(|_| BulkError::WrongSize)?;
        if length == 0 {
            return Err(BulkError::WrongSize);
        }
        let now = put_piece(link, PutChunk { blob, total, offset: have, bytes: length }, bytes).await?;
        if now <= have {
            return Err(LinkError::Protocol("the transfer does not advance".to_owned()).into());
        }
        have = now;
    }
    Ok(blob)
}

async fn put_piece(link: &Link, chunk: PutChunk, bytes: Vec<u8>) -> Result<u64, BulkError> {
    let total = chunk.total;
    let (mut send, mut receive) = open(link, chunk.into()).await?;
    // A refusal stops the stream before all is written: the reply says why, so a failed write is not the news.
    let _ = send.write_all(&bytes).await;
    let _ = send.finish();
    match reply(link, &mut receive).await? {
        Down::ChunkStored(stored) if stored.have <= total => Ok(stored.have),
        Down::ChunkStored(_) => Err(BulkError::WrongSize),
        other => Err(unexpected("PutChunk", &other).into()),
    }
}

async fn hash_file(path: &Path) -> Result<(Sha256, u64), BulkError> {
    let file = path.to_owned();
    on_disk(path, move || {
        let mut hasher = sha2::Sha256::new();
        let size = super::fetch::hash_all(&mut File::open(file)?, &mut hasher)?;
        Ok((Sha256::from_bytes(hasher.finalize().into()), size))
    })
    .await
}

async fn read_at(path: &Path, offset: u64) -> Result<Vec<u8>, BulkError> {
    let file = path.to_owned();
    on_disk(path, move || -> io::Result<Vec<u8>> {
        let mut file = File::open(file)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(u64::from(CHUNK_BYTES_MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
    .await
}
