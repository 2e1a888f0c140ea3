//! Bulk: blobs by hash on streams of their own, so that a 50 MB paper never delays an answer (DESIGN §6).
//! The bytes themselves follow the frame raw; they are never decoded here.

use crate::ids::Sha256;
use serde::{Deserialize, Serialize};

/// Largest chunk one request asks for.
pub const CHUNK_BYTES_MAX: u32 = 1024 * 1024;
/// Largest blob: a package or a bundle. FAT32 and zip without its 64-bit extension end at 4 GiB; ours end well before.
pub const BLOB_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Client → server, first frame of a bulk stream: send me this part of this blob. Resuming is asking from further on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetChunk {
    /// Which blob.
    pub blob: Sha256,
    /// From which byte.
    pub offset: u64,
    /// At most so many bytes, up to [`CHUNK_BYTES_MAX`].
    pub bytes_max: u32,
}

/// Server → client: `bytes` raw bytes follow, then the stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Size of the whole blob.
    pub total: u64,
    /// Bytes that follow.
    pub bytes: u32,
}

/// Client → server, first frame of a bulk stream: `bytes` raw bytes follow and belong at `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutChunk {
    /// Which blob.
    pub blob: Sha256,
    /// Size of the whole blob.
    pub total: u64,
    /// Where these bytes belong; must be what the server has so far.
    pub offset: u64,
    /// Bytes that follow, up to [`CHUNK_BYTES_MAX`].
    pub bytes: u32,
}

/// Server → client: so much of the blob is here now. At `total` the hash has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkStored {
    /// Bytes the server has.
    pub have: u64,
}
