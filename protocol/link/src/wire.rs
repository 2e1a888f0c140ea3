//! Frames on a QUIC stream, both ways, for both sides. Never holds more than one frame and one read of bytes.

use exam_protocol::frame::{self, FrameError, RawFrame};
use quinn::{ReadError, RecvStream};

/// Bytes taken from the stream at once.
const READ_BYTES_MAX: usize = 64 * 1024;
/// Buffer an idle stream may keep: hundreds of seats are idle most of the time.
const IDLE_BYTES_MAX: usize = 4 * 1024;

/// Why no frame came.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The bytes are no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The stream ended inside a frame or before its promised bytes.
    #[error("the stream ended early")]
    Truncated,
    /// The stream or the connection is gone.
    #[error("the stream is gone")]
    Gone(#[from] ReadError),
}

/// Reads frames off a stream.
pub struct FrameReader {
    stream: RecvStream,
    waiting: Vec<u8>,
    taken: usize,
    frame_bytes_max: usize,
}

impl FrameReader {
    /// A reader that refuses frames longer than `frame_bytes_max`.
    pub fn new(stream: RecvStream, frame_bytes_max: usize) -> FrameReader {
        FrameReader { stream, waiting: Vec::new(), taken: 0, frame_bytes_max }
    }

    /// The next frame, or `None` when the stream ended between two frames. Not to be called again after an error.
    ///
    /// # Errors
    /// [`WireError`]: the peer sent what is no frame, or is gone.
    pub async fn frame(&mut self) -> Result<Option<RawFrame>, WireError> {
        loop {
            if let Some((frame, used)) = frame::take_frame(&self.waiting[self.taken..], self.frame_bytes_max)? {
                self.taken += used;
                return Ok(Some(frame));
            }
            if !self.more().await? {
                return if self.taken == self.waiting.len() { Ok(None) } else { Err(WireError::Truncated) };
            }
        }
    }

    /// Exactly `bytes` raw bytes that follow a frame.
    ///
    /// # Errors
    /// [`WireError::Truncated`] when fewer come.
    pub async fn raw(&mut self, bytes: usize) -> Result<Vec<u8>, WireError> {
        let mut raw = self.waiting.split_off(self.taken);
        self.waiting.clear();
        self.taken = 0;
        if raw.len() > bytes {
            self.waiting = raw.split_off(bytes);
        }
        let have = raw.len();
        raw.resize(bytes, 0);
        let mut at = have;
        while at < bytes {
            at += self.stream.read(&mut raw[at..]).await?.ok_or(WireError::Truncated)?;
        }
        Ok(raw)
    }

    /// Appends what the stream has. False at its end.
    async fn more(&mut self) -> Result<bool, WireError> {
        self.waiting.drain(..self.taken);
        self.taken = 0;
        if self.waiting.is_empty() && self.waiting.capacity() > IDLE_BYTES_MAX {
            self.waiting = Vec::new();
        }
        let Some(chunk) = self.stream.read_chunk(READ_BYTES_MAX, true).await? else { return Ok(false) };
        self.waiting.extend_from_slice(&chunk.bytes);
        Ok(true)
    }
}
