//! The server's network side (柜台, the counter where machines are served): handshakes, greetings, roles, frames, bulk. Knows
//! who speaks and in what form; never what a message means, which is the business of whoever implements [`Counter`].

mod bulk;
mod door;
mod listen;
mod serve;

pub use listen::{ListenError, Server, endpoint_config, server_config};

use exam_protocol::{
    code::{ErrorCode, Refusal},
    ids::{Sha256, StationId},
    message::hello::{Role, Welcome},
    tag::{Down, Up},
};
use std::{net::SocketAddr, path::PathBuf};
use tokio::sync::mpsc;

/// Requests of one connection that may be in work at once; further frames stay unread.
pub const REQUESTS_MAX: usize = 64;
/// Pushes that may wait for one connection before it is given up.
pub const PUSHES_MAX: usize = 64;
/// Frames, replies and pushes together, that may wait for one connection's stream.
pub const OUTBOX_FRAMES_MAX: usize = 2 * (REQUESTS_MAX + PUSHES_MAX);
/// Frames that may wait for a console's stream; whatever comes on top waits where it is made.
pub const CONSOLE_FRAMES_MAX: usize = 16;
/// Connections at once. Two thousand seats, and as many again that have not noticed yet that they were replaced.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Connections without a certificate at once.
pub const GUESTS_MAX: usize = 2_048;
/// Time from the end of the handshake to `Hello`.
pub const HELLO_MS_MAX: u64 = 5_000;
/// Time a guest may stay: an enrolment is one question.
pub const GUEST_MS_MAX: u64 = 60_000;
const _: () = assert!(OUTBOX_FRAMES_MAX > REQUESTS_MAX + PUSHES_MAX); // else a busy seat would be taken for a slow one
const _: () = assert!(GUESTS_MAX < CONNECTIONS_MAX); // else strangers could shut out the room
const _: () = assert!(HELLO_MS_MAX < GUEST_MS_MAX);

/// Who speaks, as the certificate and the journal prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What it may do.
    pub role: Role,
    /// Which machine; none for a guest.
    pub station: Option<StationId>,
    /// From where.
    pub address: SocketAddr,
}

/// What the network side asks of the rest of the server.
pub trait Counter: Send + Sync + 'static {
    /// Whose certificate this is (SHA-256 of its DER); None = unknown to the journal → the connection is closed.
    ///
    /// # Errors
    /// It cannot be looked up now: the machine is not turned away for good, it comes again.
    fn peer(&self, certificate: &Sha256) -> impl Future<Output = Result<Option<(Role, StationId)>, ErrorCode>> + Send;

    /// Welcome for a peer (version already agreed).
    fn welcome(&self, peer: &Peer, version: u16) -> Welcome;

    /// Answers one message; replies only after what it caused is on disk. The first poll happens in the order in which the
    /// messages of a connection came in, so what is queued before the first wait keeps that order.
    fn answer(&self, peer: &Peer, message: Up) -> impl Future<Output = Down> + Send;

    /// A station or console is connected: pushes go to `outbox` until `gone` is called with the same ticket. A newer
    /// connection of the same station replaces the older: dropping the older's `outbox` closes it.
    fn joined(&self, peer: &Peer, outbox: mpsc::Sender<Down>) -> u64;

    /// The connection of this ticket has ended.
    fn gone(&self, peer: &Peer, ticket: u64);

    /// The file of a blob this peer may read (named by its SHA-256 in hex); None when it may not, or there is none.
    fn blob_path(&self, peer: &Peer, blob: &Sha256) -> Option<PathBuf>;

    /// Folder where this peer's upload of so many bytes lands: `HEX` when whole and checked, `HEX.part` before. May touch the
    /// disk, so it is asked where that may block.
    ///
    /// # Errors
    /// The peer may not bring this file, or there is no place for it now.
    fn upload_dir(&self, peer: &Peer, blob: &Sha256, bytes: u64) -> Result<PathBuf, UploadNo>;
}

/// Why an upload is not taken.
#[derive(Clone, Debug)]
pub enum UploadNo {
    /// A rule says no.
    Refusal(Refusal),
    /// The world says no.
    Error(ErrorCode),
}
