//! Bulk streams: one question each, chunks of blobs down or up, with lower priority than anything on the control stream.
//! Never gives a blob the counter does not grant, and never calls an upload whole before its hash is right.

mod give;
mod take;

use super::{
    Counter, Peer, UploadNo,
    serve::{Hall, next_frame, refused, understood},
};
use exam_link::{CloseCode, transport, wire::FrameReader};
use exam_protocol::{
    code::{ErrorCode, Refusal},
    frame::{RequestId, UP_FRAME_BYTES_MAX},
    ids::Sha256,
    message::hello::Failed,
    tag::{Down, Up},
};
use quinn::{Connection, RecvStream, SendStream};
use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Chunks in work at once, of all connections; more wait.
const CHUNKS_MAX: usize = 64;
/// Time for one chunk, question to last byte: 1 MiB at a poor 35 KB/s.
const CHUNK_MS_MAX: u64 = 30_000;

/// What all bulk streams share.
pub(super) struct BulkHall {
    chunks: Semaphore,
    /// Blobs some stream is writing now: one writer each.
    uploads: Arc<Mutex<BTreeSet<Sha256>>>,
}

impl Default for BulkHall {
    fn default() -> Self {
        BulkHall { chunks: Semaphore::new(CHUNKS_MAX), uploads: Arc::default() }
    }
}

/// Takes bulk streams as they come; the transport limits how many are open. Returns only when the connection has to be closed.
pub(super) async fn accept<C: Counter>(hall: &Arc<Hall<C>>, connection: &Connection, peer: &Arc<Peer>) -> CloseCode {
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(done) = streams.join_next(), if !streams.is_empty() => {
                if let Ok(Err(code)) = done {
                    return code;
                }
            }
            stream = connection.accept_bi(), if streams.len() < transport::BULK_STREAMS_MAX as usize => {
                let Ok((send, receive)) = stream else { return CloseCode::Ended };
                streams.spawn(in_time(Arc::clone(hall), Arc::clone(peer), send, receive));
            }
        }
    }
}

/// A stream that takes too long is given up, not its connection: both its halves are dropped, and the client asks again.
async fn in_time<C: Counter>(
    hall: Arc<Hall<C>>,
    peer: Arc<Peer>,
    send: SendStream,
    receive: RecvStream,
) -> Result<(), CloseCode> {
    let limit = Duration::from_millis(CHUNK_MS_MAX);
    tokio::time::timeout(limit, question(&hall, &peer, send, receive)).await.unwrap_or(Ok(()))
}

async fn question<C: Counter>(
    hall: &Hall<C>,
    peer: &Peer,
    mut send: SendStream,
    receive: RecvStream,
) -> Result<(), CloseCode> {
    // Cannot fail on a stream just opened, and would only cost fairness.
    let _ = send.set_priority(transport::BULK_PRIORITY);
    let mut reader = FrameReader::new(receive, UP_FRAME_BYTES_MAX);
    let raw = match next_frame(&mut reader, peer).await {
        // A stream that was given up before it asked anything.
        Err(CloseCode::Ended) => return Ok(()),
        other => other?,
    };
    let message = understood(&raw, peer)?;
    if !message.senders().contains(&peer.role) {
        say(&mut send, raw.request, &refused(Refusal::RoleMayNot)).await;
        return Ok(());
    }
    let Ok(_permit) = hall.bulk.chunks.acquire().await else { return Ok(()) };
    match message {
        Up::GetChunk(get) => give::give(hall.counter.blob_path(peer, &get.blob), get, raw.request, send).await,
        Up::PutChunk(put) => {
            let (counter, peer) = (Arc::clone(&hall.counter), peer.clone());
            let asked = move || Ok(counter.upload_dir(&peer, &put.blob, put.total));
            let reply = match give::on_disk(asked).await.unwrap_or(Err(UploadNo::Error(ErrorCode::Internal))) {
                Ok(dir) => take::take(&hall.bulk.uploads, dir, put, &mut reader).await,
                Err(UploadNo::Refusal(refusal)) => refused(refusal),
                Err(UploadNo::Error(error)) => failed(error),
            };
            say(&mut send, raw.request, &reply).await;
        }
        _ => say(&mut send, raw.request, &failed(ErrorCode::OutOfPlace)).await,
    }
    Ok(())
}

fn failed(error: ErrorCode) -> Down {
    Down::Failed(Failed { error })
}

/// The disk's failure, logged here and told without its details.
fn storage(doing: &'static str, error: &io::Error) -> ErrorCode {
    tracing::error!(%error, doing, "a blob's file failed");
    ErrorCode::Storage
}

/// Says one frame and ends the stream. A peer that is gone does not hear it, and asks again.
async fn say(send: &mut SendStream, request: RequestId, down: &Down) {
    if send.write_all(&down.to_frame(request)).await.is_ok() {
        let _ = send.finish();
    }
}
