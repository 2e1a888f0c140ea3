//! Fetching a blob into a file: chunk by chunk into `FILE.part`, a few asked for ahead, and under its name only once its
//! hash is right. Never trusts a part that an earlier try left: it is hashed with the rest.

use super::{BulkError, on_disk, open, reply};
use crate::{
    error::LinkError,
    link::{Link, unexpected},
    private_file,
};
use exam_protocol::{
    ids::Sha256,
    message::transfer::{BLOB_BYTES_MAX, CHUNK_BYTES_MAX, GetChunk},
    tag::Down,
};
use sha2::Digest;
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use tokio::task::JoinSet;

/// Chunks asked for before the first has been written: enough to keep a gigabit busy, few enough to leave streams free.
const CHUNKS_AHEAD: usize = 3;
/// Bytes hashed at once when a part is taken up again.
const READ_BYTES: usize = 256 * 1024;

/// Fetches `blob` into `path` and returns its size. A file that already has that hash is left alone; a `.part` of an
/// earlier try is continued.
///
/// # Errors
/// [`BulkError`]; what has arrived stays in `.part`, except when the hash was wrong.
pub async fn fetch_blob(link: &Link, blob: Sha256, path: &Path) -> Result<u64, BulkError> {
    if let Some(size) = already_there(blob, path).await? {
        return Ok(size);
    }
    let part = Part::open(part_path(path)).await?;
    let resumed = part.have > 0;
    match fetch_rest(link, blob, part, path).await {
        // The part may be the rest of something else, or damaged: once, begin anew.
        Err(BulkError::WrongHash { .. } | BulkError::WrongSize) if resumed => {
            let fresh = Part::open(part_path(path)).await?;
            fetch_rest(link, blob, fresh, path).await
        }
        other => other,
    }
}

fn part_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

async fn already_there(blob: Sha256, path: &Path) -> Result<Option<u64>, BulkError> {
    let file = path.to_owned();
    on_disk(path, move || match File::open(&file) {
        Ok(mut file) => {
            let mut hasher = sha2::Sha256::new();
            let size = hash_all(&mut file, &mut hasher)?;
            Ok((hasher.finalize()[..] == blob.as_bytes()[..]).then_some(size))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    })
    .await
}

pub(super) fn hash_all(file: &mut File, hasher: &mut sha2::Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(size),
            n => {
                hasher.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
}

/// `FILE.part`: what has arrived, and its hash so far.
struct Part {
    path: PathBuf,
    file: File,
    hasher: sha2::Sha256,
    have: u64,
}

impl Part {
    async fn open(path: PathBuf) -> Result<Part, BulkError> {
        let at = path.clone();
        on_disk(&at, move || {
            let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
            let mut hasher = sha2::Sha256::new();
            let have = hash_all(&mut file, &mut hasher)?;
            Ok(Part { path, file, hasher, have })
        })
        .await
    }

    async fn append(mut self, bytes: Vec<u8>) -> Result<Part, BulkError> {
        let at = self.path.clone();
        on_disk(&at, move || {
            self.file.write_all(&bytes)?;
            self.hasher.update(&bytes);
            self.have += bytes.len() as u64;
            Ok(self)
        })
        .await
    }

    async fn throw_away(self) -> Result<(), BulkError> {
        let at = self.path.clone();
        on_disk(&at, move || fs::remove_file(&self.path)).await
    }

    /// Gives the file its name, if it is what it should be.
    async fn finish(self, blob: Sha256, path: &Path) -> Result<u64, BulkError> {
        if self.hasher.clone().finalize()[..] != blob.as_bytes()[..] {
            self.throw_away().await?;
            return Err(BulkError::WrongHash { blob });
        }
        let (at, path) = (self.path.clone(), path.to_owned());
        on_disk(&at, move || {
            self.file.sync_all()?;
            drop(self.file);
            fs::rename(&self.path, &path)?;
            private_file::sync_folder(&path)?;
            Ok(self.have)
        })
        .await
    }
}

struct Piece {
    total: u64,
    bytes: Vec<u8>,
}

async fn fetch_rest(link: &Link, blob: Sha256, mut part: Part, path: &Path) -> Result<u64, BulkError> {
    // The first chunk tells the size; the others can then be asked for ahead.
    let first = fetch_piece(link.clone(), blob, part.have).await?;
    let total = first.total;
    if total > BLOB_BYTES_MAX || part.have > total {
        part.throw_away().await?;
        return Err(BulkError::WrongSize);
    }
    part = part.append(first.bytes).await?;
    let mut ahead =
        Ahead { link: link.clone(), blob, total, next: part.have, tasks: JoinSet::new(), order: VecDeque::new() };
    while part.have < total {
        let piece = ahead.piece().await?;
        if piece.total != total || piece.bytes.is_empty() {
            return Err(BulkError::WrongSize);
        }
        let short = (piece.bytes.len() as u64) < (total - part.have).min(u64::from(CHUNK_BYTES_MAX));
        part = part.append(piece.bytes).await?;
        if short {
            ahead.begin_at(part.have);
        }
    }
    part.finish(blob, path).await
}

async fn fetch_piece(link: Link, blob: Sha256, offset: u64) -> Result<Piece, BulkError> {
    let question = GetChunk { blob, offset, bytes_max: CHUNK_BYTES_MAX };
    let (mut send, mut receive) = open(&link, question.into()).await?;
    // A stream that cannot be finished is gone; the reply will say so.
    let _ = send.finish();
    match reply(&link, &mut receive).await? {
        Down::Chunk(chunk)
            if chunk.bytes <= CHUNK_BYTES_MAX && u64::from(chunk.bytes) <= chunk.total.saturating_sub(offset) =>
        {
            let bytes = receive.raw(chunk.bytes as usize).await.map_err(|e| super::broken(&link, e))?;
            Ok(Piece { total: chunk.total, bytes })
        }
        Down::Chunk(_) => Err(BulkError::WrongSize),
        other => Err(unexpected("GetChunk", &other).into()),
    }
}

/// Chunks on their way, in the order of their places. Dropping it gives them up.
struct Ahead {
    link: Link,
    blob: Sha256,
    total: u64,
    next: u64,
    tasks: JoinSet<()>,
    order: VecDeque<tokio::sync::oneshot::Receiver<Result<Piece, BulkError>>>,
}

impl Ahead {
    /// The server gave less than asked for: what is on its way has the wrong places.
    fn begin_at(&mut self, offset: u64) {
        self.tasks.abort_all();
        self.order.clear();
        self.next = offset;
    }

    fn ask_more(&mut self) {
        while self.order.len() < CHUNKS_AHEAD && self.next < self.total {
            let (tell, hear) = tokio::sync::oneshot::channel();
            let (link, blob, offset) = (self.link.clone(), self.blob, self.next);
            self.tasks.spawn(async move {
                // Nobody listening means the fetch was given up.
                let _ = tell.send(fetch_piece(link, blob, offset).await);
            });
            self.order.push_back(hear);
            self.next += u64::from(CHUNK_BYTES_MAX);
        }
        while self.tasks.try_join_next().is_some() {}
    }

    async fn piece(&mut self) -> Result<Piece, BulkError> {
        self.ask_more();
        let Some(first) = self.order.pop_front() else { return Err(BulkError::WrongSize) };
        first.await.unwrap_or_else(|_| Err(BulkError::Link(LinkError::Closed("the transfer was given up".to_owned()))))
    }
}
