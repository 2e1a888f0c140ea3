//! Every transport limit of both sides, in one place: set, never defaulted (quinn's own default receive window has no
//! limit). Never depends on who the peer is.

use exam_protocol::message::transfer::CHUNK_BYTES_MAX;
use quinn::{TransportConfig, VarInt};
use std::time::Duration;

/// A LAN's round trip, generously: lost first packets come again after 3 × this, not after a second.
pub const INITIAL_RTT_MS: u64 = 50;
/// Silence after which a connection is dead.
pub const IDLE_MS_MAX: u32 = 30_000;
/// The client says something at least so often, so that silence means death.
pub const KEEP_ALIVE_MS: u64 = 5_000;
/// Bulk streams a client has open at once.
pub const BULK_STREAMS_MAX: u32 = 8;
/// Bidirectional streams a server allows: the control stream and the bulk ones.
pub const BIDI_STREAMS_MAX: u32 = 1 + BULK_STREAMS_MAX;
/// Unread bytes a peer may leave with us, one stream.
pub const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// Unread bytes a peer may leave with us, all streams.
pub const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// Bytes we keep for a peer that has not acknowledged them.
pub const SEND_WINDOW_BYTES: u64 = 8 * 1024 * 1024;
/// Handshake bytes buffered out of order.
const CRYPTO_BUFFER_BYTES: usize = 16 * 1024;

const _: () = assert!(STREAM_WINDOW_BYTES > CHUNK_BYTES_MAX); // else a chunk would need two rounds of credit
const _: () = assert!(CONNECTION_WINDOW_BYTES > STREAM_WINDOW_BYTES); // else one stalled stream would stop the others
const _: () = assert!(KEEP_ALIVE_MS * 3 < IDLE_MS_MAX as u64); // else one lost packet could end a quiet connection

/// Priority of the control stream's bytes.
pub const CONTROL_PRIORITY: i32 = 1;
/// Priority of bulk streams' bytes: only what the control stream leaves.
pub const BULK_PRIORITY: i32 = -1;

fn both_sides() -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .initial_rtt(Duration::from_millis(INITIAL_RTT_MS))
        .max_idle_timeout(Some(VarInt::from_u32(IDLE_MS_MAX).into()))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES))
        .send_window(SEND_WINDOW_BYTES)
        .crypto_buffer_size(CRYPTO_BUFFER_BYTES)
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .allow_spin(false);
    config
}

/// The client's side: opens streams, accepts none, keeps the connection alive.
pub fn client_transport() -> TransportConfig {
    let mut config = both_sides();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .keep_alive_interval(Some(Duration::from_millis(KEEP_ALIVE_MS)));
    config
}

/// The server's side: accepts the control stream and the bulk ones, opens none.
pub fn server_transport() -> TransportConfig {
    let mut config = both_sides();
    config.max_concurrent_bidi_streams(VarInt::from_u32(BIDI_STREAMS_MAX));
    config
}
