//! Blobs by hash on streams of their own: fetched and brought in chunks, resumable, checked whole before they count.
//! Never lets a half blob be seen under its final name, and never delays the control stream.

mod fetch;
mod put;

pub use fetch::fetch_blob;
pub use put::put_blob;

use crate::{
    error::LinkError,
    link::Link,
    transport,
    wire::{FrameReader, WireError},
};
use exam_protocol::{
    frame::{DOWN_FRAME_BYTES_MAX, RequestId},
    ids::Sha256,
    tag::{Down, Up},
};
use quinn::SendStream;
use std::io;

/// Why a transfer did not come to its end. What has arrived stays, for the next try.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The connection, the server's refusal, or its failure.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// This machine's disk.
    #[error("the file {path} cannot be read or written")]
    Disk {
        /// Which file.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What arrived is not what its name says. It has been thrown away.
    #[error("what arrived is not blob {blob}: its hash differs")]
    WrongHash {
        /// The blob that was asked for.
        blob: Sha256,
    },
    /// Larger than any blob may be, or its size changed on the way.
    #[error("the blob's size is wrong")]
    WrongSize,
}

/// One bulk stream: a question, perhaps bytes, and where the reply comes.
async fn open(link: &Link, question: Up) -> Result<(SendStream, FrameReader), LinkError> {
    let connection = link.connection();
    let (mut send, receive) = connection.open_bi().await.map_err(|e| LinkError::lost(&e))?;
    // Cannot fail on a stream just opened, and would only cost fairness.
    let _ = send.set_priority(transport::BULK_PRIORITY);
    send.write_all(&question.to_frame(RequestId(1))).await.map_err(|_| gone(link))?;
    Ok((send, FrameReader::new(receive, DOWN_FRAME_BYTES_MAX)))
}

async fn reply(link: &Link, receive: &mut FrameReader) -> Result<Down, LinkError> {
    let raw = receive.frame().await.map_err(|e| broken(link, e))?;
    match Down::from_frame(&raw.ok_or_else(|| broken(link, WireError::Truncated))?)? {
        Down::Refused(refused) => Err(LinkError::Refused(refused.refusal)),
        Down::Failed(failed) => Err(LinkError::Failed(failed.error)),
        reply => Ok(reply),
    }
}

fn gone(link: &Link) -> LinkError {
    match link.connection().close_reason() {
        Some(reason) => LinkError::lost(&reason),
        None => LinkError::Closed("the server ended the transfer".to_owned()),
    }
}

fn broken(link: &Link, error: WireError) -> LinkError {
    match error {
        WireError::Frame(error) => error.into(),
        WireError::Truncated | WireError::Gone(_) => gone(link),
    }
}

/// Runs file work where it may block.
async fn on_disk<T: Send + 'static>(
    path: &std::path::Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BulkError> {
    let failed = |source| BulkError::Disk { path: path.display().to_string(), source };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(failed),
        Err(_) => Err(failed(io::Error::other("the work was cut off"))),
    }
}
