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

/// Chunks on their way down at once, to all connections; more wait. Enough to fill a gigabit, few enough that no seat's answer
/// waits behind every other seat's paper.
const GIVEN_AT_ONCE_MAX: usize = 8;
/// Chunks on their way up at once. Apart, because one console that stalls must not hold up the papers.
const TAKEN_AT_ONCE_MAX: usize = 64;
/// Time for a question, and for its chunk once it has its turn: 1 MiB at a poor 35 KB/s.
const CHUNK_MS_MAX: u64 = 30_000;

/// What all bulk streams share.
pub(super) struct BulkHall {
    giving: Semaphore,
    taking: Semaphore,
    /// Blobs some stream is writing now: one writer each.
    uploads: Arc<Mutex<BTreeSet<Sha256>>>,
}

impl Default for BulkHall {
    fn default() -> Self {
        BulkHall {
            giving: Semaphore::new(GIVEN_AT_ONCE_MAX),
            taking: Semaphore::new(TAKEN_AT_ONCE_MAX),
            uploads: Arc::default(),
        }
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

/// A stream that takes too long is given up, not its connection: both its halves are dropped, and the client asks again. What a
/// question waits for its turn is not counted: that is the others' doing.
async fn in_time<C: Counter>(
    hall: Arc<Hall<C>>,
    peer: Arc<Peer>,
    send: SendStream,
    receive: RecvStream,
) -> Result<(), CloseCode> {
    let limit = Duration::from_millis(CHUNK_MS_MAX);
    // Cannot fail on a stream just opened, and would only cost fairness.
    let _ = send.set_priority(transport::BULK_PRIORITY);
    let mut reader = FrameReader::new(receive, UP_FRAME_BYTES_MAX);
    let Ok(asked) = tokio::time::timeout(limit, next_frame(&mut reader, &peer)).await else { return Ok(()) };
    let raw = match asked {
        // A stream that was given up before it asked anything.
        Err(CloseCode::Ended) => return Ok(()),
        other => other?,
    };
    let message = understood(&raw, &peer)?;
    let turns = if matches!(message, Up::GetChunk(_)) { &hall.bulk.giving } else { &hall.bulk.taking };
    let Ok(_permit) = turns.acquire().await else { return Ok(()) };
    let answered = answer(&hall, &peer, Asked { message, request: raw.request }, reader, send);
    let _ = tokio::time::timeout(limit, answered).await;
    Ok(())
}

/// The question of a bulk stream.
struct Asked {
    message: Up,
    request: RequestId,
}

async fn answer<C: Counter>(hall: &Hall<C>, peer: &Peer, asked: Asked, mut reader: FrameReader, mut send: SendStream) {
    let Asked { message, request } = asked;
    if !message.senders().contains(&peer.role) {
        return say(&mut send, request, &refused(Refusal::RoleMayNot)).await;
    }
    match message {
        Up::GetChunk(get) => give::give(hall.counter.blob_path(peer, &get.blob), get, request, send).await,
        Up::PutChunk(put) => {
            let (counter, peer) = (Arc::clone(&hall.counter), peer.clone());
            let asked = move || Ok(counter.upload_dir(&peer, &put.blob, put.total));
            let reply = match give::on_disk(asked).await.unwrap_or(Err(UploadNo::Error(ErrorCode::Internal))) {
                Ok(dir) => take::take(&hall.bulk.uploads, dir, put, &mut reader).await,
                Err(UploadNo::Refusal(refusal)) => refused(refusal),
                Err(UploadNo::Error(error)) => failed(error),
            };
            say(&mut send, request, &reply).await;
        }
        _ => say(&mut send, request, &failed(ErrorCode::OutOfPlace)).await,
    }
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
