//! Giving a chunk of a blob's file. Never holds more of it in memory than one piece.

use super::{failed, say, storage};
use exam_protocol::{
    code::ErrorCode,
    frame::RequestId,
    message::transfer::{CHUNK_BYTES_MAX, Chunk, GetChunk},
    tag::Down,
};
use quinn::SendStream;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
    time::Duration,
};

/// Bytes read and sent at once.
const PIECE_BYTES: u32 = 256 * 1024;
/// How long a chunk that was sent keeps its place until it is acknowledged: eight of them take less over 100 Mbit/s.
const DELIVERY_MS_MAX: u64 = 1_000;

pub(super) async fn give(path: Option<PathBuf>, get: GetChunk, request: RequestId, mut send: SendStream) {
    let (file, chunk) = match open(path, get).await {
        Ok(opened) => opened,
        Err(error) => return say(&mut send, request, &failed(error)).await,
    };
    if send.write_all(&Down::Chunk(chunk).to_frame(request)).await.is_err() {
        return;
    }
    match send_bytes(file, chunk.bytes, &mut send).await {
        // Either it was sent, or the peer is gone.
        Ok(()) => delivered(send).await,
        Err(error) => {
            storage("reading", &error);
            // The peer must not take a cut chunk for a whole one: it counts, and sees the stream broken.
            let _ = send.reset(0_u32.into());
        }
    }
}

/// Ends the stream and waits until the peer has everything: only then is there room for the next chunk. Bytes that merely wait
/// in send windows would fill memory with every seat's next chunks, and answers would wait behind them. A peer that is slow or
/// gone does not keep the others waiting; what it has not acknowledged goes on being sent.
async fn delivered(mut send: SendStream) {
    if send.finish().is_ok() {
        let _ = tokio::time::timeout(Duration::from_millis(DELIVERY_MS_MAX), send.stopped()).await;
    }
}

async fn open(path: Option<PathBuf>, get: GetChunk) -> Result<(File, Chunk), ErrorCode> {
    let path = path.ok_or(ErrorCode::BlobUnknown)?;
    let opened = on_disk(move || {
        let mut file = File::open(path)?;
        let total = file.metadata()?.len();
        let left = total.saturating_sub(get.offset);
        let most = get.bytes_max.min(CHUNK_BYTES_MAX);
        let bytes = u32::try_from(left).map_or(most, |left| left.min(most));
        if bytes > 0 {
            file.seek(SeekFrom::Start(get.offset))?;
        }
        Ok((file, Chunk { total, bytes }))
    });
    opened.await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ErrorCode::BlobUnknown,
        _ => storage("opening", &error),
    })
}

async fn send_bytes(mut file: File, mut left: u32, send: &mut SendStream) -> io::Result<()> {
    while left > 0 {
        let take = left.min(PIECE_BYTES);
        let (back, piece) = on_disk(move || {
            let mut piece = vec![0; take as usize];
            file.read_exact(&mut piece)?;
            Ok((file, piece))
        })
        .await?;
        if send.write_all(&piece).await.is_err() {
            return Ok(());
        }
        file = back;
        left -= take;
    }
    Ok(())
}

/// Runs file work where it may block.
pub(super) async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("the work was cut off")))
}
