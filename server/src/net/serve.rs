//! One connection: who it is, its greeting, its requests and replies, its pushes. Never judges what a message means, never
//! answers before the counter has, and lets no peer's mistake reach another connection.

use super::{
    CONNECTIONS_MAX, CONSOLE_FRAMES_MAX, Counter, GUEST_MS_MAX, GUESTS_MAX, HELLO_MS_MAX, OUTBOX_FRAMES_MAX,
    PUSHES_MAX, Peer, REQUESTS_MAX,
    bulk::{self, BulkHall},
};
use exam_link::{
    CloseCode, transport,
    wire::{FrameReader, WireError},
};
use exam_protocol::{
    code::{ErrorCode, Refusal},
    frame::{DOWN_FRAME_BYTES_MAX, LEN_BYTES, PUSH, RawFrame, RequestId, UP_FRAME_BYTES_MAX},
    ids::Sha256,
    message::hello::{Failed, Hello, Refused, Role},
    tag::{Down, Up},
    version::{SPOKEN, agree},
};
use quinn::{Connection, SendStream};
use rustls::pki_types::CertificateDer;
use std::{pin::Pin, sync::Arc, task::Poll, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// How much of a program's name goes into the log.
const BUILD_CHARS_MAX: usize = 64;
/// How long a last word may take to be heard.
const LAST_WORD_MS_MAX: u64 = 1_000;
/// How long packets on their way to a slow peer get to be acknowledged before the close: some round trips of a LAN.
const UNLOAD_MS: u64 = 200;

/// What all connections share.
pub(super) struct Hall<C> {
    pub(super) counter: Arc<C>,
    pub(super) bulk: BulkHall,
    connections: Semaphore,
    guests: Semaphore,
}

impl<C: Counter> Hall<C> {
    pub(super) fn new(counter: Arc<C>) -> Self {
        Hall {
            counter,
            bulk: BulkHall::default(),
            connections: Semaphore::new(CONNECTIONS_MAX),
            guests: Semaphore::new(GUESTS_MAX),
        }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve_connection<C: Counter>(hall: Arc<Hall<C>>, connection: Connection) {
    let code = match admit(&hall, &connection).await {
        Ok((peer, _places)) => converse(&hall, &connection, peer).await,
        Err(code) => code,
    };
    code.close(&connection);
}

/// Places taken among the connections; given back when dropped.
type Places<'a> = (tokio::sync::SemaphorePermit<'a>, Option<tokio::sync::SemaphorePermit<'a>>);

/// Who this is, and whether there is room.
async fn admit<'a, C: Counter>(hall: &'a Hall<C>, connection: &Connection) -> Result<(Peer, Places<'a>), CloseCode> {
    let place = hall.connections.try_acquire().map_err(|_| CloseCode::Full)?;
    let address = connection.remote_address();
    let Some(certificate) = certificate(connection) else {
        let guest = hall.guests.try_acquire().map_err(|_| CloseCode::Full)?;
        return Ok((Peer { role: Role::Guest, station: None, address }, (place, Some(guest))));
    };
    let known = hall.counter.peer(&certificate).await.map_err(|error| {
        tracing::warn!(%address, %error, "who this is cannot be looked up now; it has to come again");
        CloseCode::Full
    })?;
    let Some((role, station)) = known else {
        tracing::warn!(%address, certificate = %certificate, "a certificate of this site's CA that the journal does not know");
        return Err(CloseCode::UnknownCertificate);
    };
    Ok((Peer { role, station: Some(station), address }, (place, None)))
}

/// SHA-256 of the certificate TLS has verified; none for a guest.
fn certificate(connection: &Connection) -> Option<Sha256> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    chain.first().map(|own| Sha256::of(own))
}

/// The greeting, then everything else, until there is a reason to close.
async fn converse<C: Counter>(hall: &Arc<Hall<C>>, connection: &Connection, peer: Peer) -> CloseCode {
    let limit = Duration::from_millis(HELLO_MS_MAX);
    let greeting = match tokio::time::timeout(limit, greet(connection, &peer)).await {
        Ok(Ok(greeting)) => greeting,
        Ok(Err(code)) => return code,
        Err(_) => return CloseCode::LateHello,
    };
    let peer = Arc::new(peer);
    let welcome = Down::Welcome(hall.counter.welcome(&peer, greeting.version));
    let frames_max = if peer.role == Role::Console { CONSOLE_FRAMES_MAX } else { OUTBOX_FRAMES_MAX };
    let (outbox, frames) = mpsc::channel(frames_max);
    if outbox.try_send(welcome.to_frame(greeting.request)).is_err() {
        return CloseCode::Ended;
    }
    let (_membership, pushes) = join(hall, &peer);
    let desk = Desk { hall: Arc::clone(hall), peer: Arc::clone(&peer), outbox: outbox.clone() };
    let mut send = greeting.send;
    let code = tokio::select! {
        biased; // each is polled at every wake; the order is the same in every run
        code = desk.listen(greeting.reader) => code,
        code = write_frames(&mut send, frames) => code,
        code = push(pushes, &outbox, peer.role) => code,
        code = bulk::accept(hall, connection, &peer) => code,
        () = tokio::time::sleep(Duration::from_millis(GUEST_MS_MAX)), if peer.role == Role::Guest => CloseCode::GuestOver,
        _ = connection.closed() => CloseCode::Ended,
    };
    if code == CloseCode::Slow {
        unload(connection, send).await;
    }
    code
}

/// Takes back what a slow peer has not read. While data waits for the congestion window quinn does not send a close at all
/// (closed connections hear no acknowledgements any more), and the peer would learn of it only from a stateless reset.
async fn unload(connection: &Connection, mut send: SendStream) {
    // A stream that cannot be reset is gone already.
    let _ = send.reset(CloseCode::Slow.number().into());
    let _ = tokio::time::timeout(Duration::from_millis(UNLOAD_MS), connection.closed()).await;
}

struct Greeting {
    version: u16,
    request: RequestId,
    send: SendStream,
    reader: FrameReader,
}

/// The first frame of the first stream must be `Hello`, in a version we speak.
async fn greet(connection: &Connection, peer: &Peer) -> Result<Greeting, CloseCode> {
    let (send, receive) = connection.accept_bi().await.map_err(|_| CloseCode::Ended)?;
    // Cannot fail on a stream just opened, and would only cost speed.
    let _ = send.set_priority(transport::CONTROL_PRIORITY);
    let mut reader = FrameReader::new(receive, UP_FRAME_BYTES_MAX);
    let raw = next_frame(&mut reader, peer).await?;
    let request = raw.request;
    match understood(&raw, peer)? {
        Up::Hello(hello) => {
            let Some(version) = agree(SPOKEN, hello.versions) else {
                tracing::warn!(address = %peer.address, build = %shown(&hello), "a program of another protocol version");
                last_word(send, refused(Refusal::VersionUnknown { server: SPOKEN }).to_frame(request)).await;
                return Err(CloseCode::Refused);
            };
            tracing::debug!(address = %peer.address, station = station(peer), role = ?peer.role, build = %shown(&hello), version, "connected");
            Ok(Greeting { version, request, send, reader })
        }
        other => {
            tracing::warn!(address = %peer.address, message = other.name(), "a message before Hello");
            last_word(send, Down::Failed(Failed { error: ErrorCode::OutOfPlace }).to_frame(request)).await;
            Err(CloseCode::Refused)
        }
    }
}

pub(super) fn refused(refusal: Refusal) -> Down {
    Down::Refused(Refused { refusal })
}

fn station(peer: &Peer) -> &str {
    peer.station.as_ref().map_or("guest", |station| station.as_str())
}

/// A program's name without anything that could disturb a log line.
fn shown(hello: &Hello) -> String {
    hello.build.chars().filter(|c| !c.is_control()).take(BUILD_CHARS_MAX).collect()
}

/// Sends a frame and waits until it was heard: closing at once would swallow it.
async fn last_word(mut send: SendStream, frame: Vec<u8>) {
    let heard = async {
        send.write_all(&frame).await.ok()?;
        send.finish().ok()?;
        send.stopped().await.ok()
    };
    // Whether it was heard or not, the connection ends.
    let _ = tokio::time::timeout(Duration::from_millis(LAST_WORD_MS_MAX), heard).await;
}

pub(super) async fn next_frame(reader: &mut FrameReader, peer: &Peer) -> Result<RawFrame, CloseCode> {
    match reader.frame().await {
        Ok(Some(raw)) if raw.request == PUSH => Err(malformed(peer, &"a request without an id")),
        Ok(Some(raw)) => Ok(raw),
        Ok(None) | Err(WireError::Gone(_)) => Err(CloseCode::Ended),
        Err(error) => Err(malformed(peer, &error)),
    }
}

pub(super) fn understood(raw: &RawFrame, peer: &Peer) -> Result<Up, CloseCode> {
    Up::from_frame(raw).map_err(|error| malformed(peer, &error))
}

/// The error names tag and length, never what was in the message.
fn malformed(peer: &Peer, error: &dyn std::fmt::Display) -> CloseCode {
    tracing::warn!(address = %peer.address, station = station(peer), %error, "a peer sent what is no message; its connection is closed");
    CloseCode::Malformed
}

/// Tells the counter when the connection ends, whatever ends it.
struct Membership<C: Counter> {
    hall: Arc<Hall<C>>,
    peer: Arc<Peer>,
    ticket: u64,
}

impl<C: Counter> Drop for Membership<C> {
    fn drop(&mut self) {
        self.hall.counter.gone(&self.peer, self.ticket);
    }
}

/// Stations and consoles hear pushes; guests and command lines only replies.
fn join<C: Counter>(hall: &Arc<Hall<C>>, peer: &Arc<Peer>) -> (Option<Membership<C>>, Option<mpsc::Receiver<Down>>) {
    match peer.role {
        Role::Guest | Role::Admin => (None, None),
        Role::Station | Role::Console => {
            let (tell, pushes) = mpsc::channel(if peer.role == Role::Console { 1 } else { PUSHES_MAX });
            let ticket = hall.counter.joined(peer, tell);
            (Some(Membership { hall: Arc::clone(hall), peer: Arc::clone(peer), ticket }), Some(pushes))
        }
    }
}

/// Hands pushes to the stream. A seat that does not read is closed: it reconnects and gets a whole view. A console's pushes
/// wait instead: what it has not been told is merged where they come from.
async fn push(pushes: Option<mpsc::Receiver<Down>>, outbox: &mpsc::Sender<Vec<u8>>, role: Role) -> CloseCode {
    let Some(mut pushes) = pushes else { return std::future::pending().await };
    while let Some(message) = pushes.recv().await {
        if role == Role::Console {
            if outbox.send(frame_of(&message, PUSH)).await.is_err() {
                return CloseCode::Ended;
            }
            continue;
        }
        match outbox.try_send(frame_of(&message, PUSH)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return CloseCode::Slow,
            Err(mpsc::error::TrySendError::Closed(_)) => return CloseCode::Ended,
        }
    }
    CloseCode::LetGo
}

/// Writes what waits, many frames at once.
async fn write_frames(send: &mut SendStream, mut frames: mpsc::Receiver<Vec<u8>>) -> CloseCode {
    let mut waiting = Vec::new();
    while frames.recv_many(&mut waiting, OUTBOX_FRAMES_MAX).await > 0 {
        let written = match waiting.as_slice() {
            [one] => send.write_all(one).await,
            many => send.write_all(&many.concat()).await,
        };
        if written.is_err() {
            break;
        }
        waiting.clear();
    }
    CloseCode::Ended
}

/// A frame the peer will accept. A reply too long for the wire is our mistake and becomes a failure, not a broken stream.
fn frame_of(message: &Down, request: RequestId) -> Vec<u8> {
    let frame = message.to_frame(request);
    if frame.len() <= LEN_BYTES + DOWN_FRAME_BYTES_MAX {
        return frame;
    }
    tracing::error!(message = message.name(), bytes = frame.len(), "a message is too long for the wire");
    Down::Failed(Failed { error: ErrorCode::Internal }).to_frame(request)
}

/// Where one peer's requests are taken.
struct Desk<C> {
    hall: Arc<Hall<C>>,
    peer: Arc<Peer>,
    outbox: mpsc::Sender<Vec<u8>>,
}

type Answer = Pin<Box<dyn Future<Output = Down> + Send>>;

impl<C: Counter> Desk<C> {
    /// Takes requests until the stream ends. While [`REQUESTS_MAX`] are in work the next stays unread.
    async fn listen(&self, mut reader: FrameReader) -> CloseCode {
        let in_work = Arc::new(Semaphore::new(REQUESTS_MAX));
        loop {
            let taken = async {
                let raw = next_frame(&mut reader, &self.peer).await?;
                let message = understood(&raw, &self.peer)?;
                let permit = Arc::clone(&in_work).acquire_owned().await.map_err(|_| CloseCode::Ended)?;
                Ok::<_, CloseCode>((raw.request, message, permit))
            };
            match taken.await {
                Ok((request, message, permit)) => self.take(request, message, permit).await,
                Err(code) => return code,
            }
        }
    }

    async fn take(&self, request: RequestId, message: Up, permit: OwnedSemaphorePermit) {
        if let Some(no) = out_of_place(&message, self.peer.role) {
            return self.reply(request, &no).await;
        }
        let (hall, peer) = (Arc::clone(&self.hall), Arc::clone(&self.peer));
        let mut answer: Answer = Box::pin(async move { hall.counter.answer(&peer, message).await });
        // The first poll is here, one request after the other: so they queue in the order in which they came.
        match std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
            Poll::Ready(down) => self.reply(request, &down).await,
            Poll::Pending => {
                let outbox = self.outbox.clone();
                tokio::spawn(async move {
                    let frame = frame_of(&answer.await, request);
                    // A peer that is gone asks again after it has reconnected.
                    let _ = outbox.send(frame).await;
                    drop(permit);
                });
            }
        }
    }

    async fn reply(&self, request: RequestId, down: &Down) {
        // A closed outbox means the connection is over, which the caller sees by itself.
        let _ = self.outbox.send(frame_of(down, request)).await;
    }
}

/// What is said without asking the counter: role × message, and messages that belong elsewhere.
fn out_of_place(message: &Up, role: Role) -> Option<Down> {
    if !message.senders().contains(&role) {
        return Some(refused(Refusal::RoleMayNot));
    }
    matches!(message, Up::Hello(_) | Up::GetChunk(_) | Up::PutChunk(_))
        .then_some(Down::Failed(Failed { error: ErrorCode::OutOfPlace }))
}
