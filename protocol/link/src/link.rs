//! One connection to the site's server: requests find their replies, pushes are handed on, every queue has an end.
//! Says nothing before TLS has proven the server, and never repeats a request by itself.

use crate::{
    close::CloseCode,
    error::LinkError,
    identity::Identity,
    transport,
    trust::Trust,
    wire::{FrameReader, WireError},
};
use exam_protocol::{
    SERVER_NAME,
    frame::{DOWN_FRAME_BYTES_MAX, PUSH, RequestId},
    message::hello::{Hello, Welcome},
    tag::{Down, Up},
    version::SPOKEN,
};
use quinn::{Connection, Endpoint, SendStream};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// One attempt to connect, from the first packet to `Welcome`.
pub const CONNECT_MS_MAX: u64 = 4_000;
/// Requests on their way at once; more wait their turn. The server reads no more than this either.
pub const REQUESTS_MAX: usize = 64;
/// Pushes that may wait for the program. Each is a whole view, so a program this far behind starts over.
pub const PUSHES_MAX: usize = 64;

/// Whom to call, and as whom.
#[derive(Clone)]
pub struct Dial {
    /// The UDP socket to use; see [`crate::client_endpoint`].
    pub endpoint: Endpoint,
    /// The site.
    pub trust: Trust,
    /// This machine's identity there; none for a guest.
    pub identity: Option<Identity>,
    /// Where the server is.
    pub addr: SocketAddr,
    /// Program and version, for the server's log.
    pub build: String,
}

/// A connection that stands. Clones share it; when the last one is dropped it is closed.
#[derive(Clone)]
pub struct Link {
    inner: Arc<Inner>,
}

struct Inner {
    connection: Connection,
    outbox: mpsc::Sender<Vec<u8>>,
    room: Semaphore,
    waiting: Arc<Waiting>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        CloseCode::Ended.close(&self.connection);
    }
}

/// What the server says without being asked.
pub struct Pushes(mpsc::Receiver<Down>);

impl Pushes {
    /// The next push; `None` when the connection is gone.
    pub async fn next(&mut self) -> Option<Down> {
        self.0.recv().await
    }
}

/// The askers of requests that have no reply yet. At most [`REQUESTS_MAX`] entries.
#[derive(Default)]
struct Waiting(Mutex<Askers>);

#[derive(Default)]
struct Askers {
    last: u32,
    over: bool,
    by_request: BTreeMap<u32, oneshot::Sender<Down>>,
}

impl Waiting {
    fn lock(&self) -> std::sync::MutexGuard<'_, Askers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request id nobody waits for, and where its reply will come. `None` when the connection is over.
    fn enter(&self) -> Option<(RequestId, oneshot::Receiver<Down>)> {
        let mut askers = self.lock();
        if askers.over {
            return None;
        }
        let id = loop {
            askers.last = askers.last.wrapping_add(1);
            if askers.last != PUSH.0 && !askers.by_request.contains_key(&askers.last) {
                break askers.last;
            }
        };
        let (tell, reply) = oneshot::channel();
        askers.by_request.insert(id, tell);
        Some((RequestId(id), reply))
    }

    fn leave(&self, id: RequestId) -> Option<oneshot::Sender<Down>> {
        self.lock().by_request.remove(&id.0)
    }

    /// Nobody will be answered any more.
    fn end(&self) {
        let mut askers = self.lock();
        askers.over = true;
        askers.by_request.clear();
    }
}

/// Forgets a request whose asker went away.
struct Entered<'a>(&'a Waiting, RequestId);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

impl Link {
    /// Connects, says `Hello` and hears `Welcome`, all within [`CONNECT_MS_MAX`].
    ///
    /// # Errors
    /// [`LinkError`] tells apart what a person has to do. With [`LinkError::NotTrusted`] nothing at all was said to the
    /// server: it was TLS that stopped.
    pub async fn connect(dial: &Dial) -> Result<(Link, Welcome, Pushes), LinkError> {
        let attempt = Self::attempt(dial);
        tokio::time::timeout(Duration::from_millis(CONNECT_MS_MAX), attempt)
            .await
            .unwrap_or_else(|_| Err(LinkError::Unreachable(format!("no answer within {CONNECT_MS_MAX} ms"))))
    }

    async fn attempt(dial: &Dial) -> Result<(Link, Welcome, Pushes), LinkError> {
        let here = |e: &dyn std::error::Error| LinkError::Here(e.to_string());
        let config = dial.trust.client_config(dial.identity.as_ref()).map_err(|e| here(&e))?;
        let connecting = dial.endpoint.connect_with(config, dial.addr, SERVER_NAME).map_err(|e| here(&e))?;
        let connection = connecting.await.map_err(|e| LinkError::not_reached(&e))?;
        let (send, receive) = connection.open_bi().await.map_err(|e| LinkError::not_reached(&e))?;
        // Cannot fail on a stream just opened, and would only cost speed.
        let _ = send.set_priority(transport::CONTROL_PRIORITY);
        let (link, pushes) = Self::over(connection, send, FrameReader::new(receive, DOWN_FRAME_BYTES_MAX));
        let hello = Hello { versions: SPOKEN, build: dial.build.clone() };
        match link.ask(hello).await.map_err(Self::closed_is_unreachable)? {
            Down::Welcome(welcome) if welcome.site == dial.trust.public().site => Ok((link, welcome, pushes)),
            Down::Welcome(welcome) => Err(LinkError::NotTrusted(format!("it calls itself site {}", welcome.site))),
            other => Err(unexpected("Hello", &other)),
        }
    }

    fn closed_is_unreachable(error: LinkError) -> LinkError {
        match error {
            LinkError::Closed(why) => LinkError::Unreachable(why),
            other => other,
        }
    }

    fn over(connection: Connection, send: SendStream, receive: FrameReader) -> (Link, Pushes) {
        let waiting = Arc::new(Waiting::default());
        let (outbox, outgoing) = mpsc::channel(REQUESTS_MAX);
        let (push, pushes) = mpsc::channel(PUSHES_MAX);
        tokio::spawn(write_frames(send, outgoing));
        tokio::spawn(read_frames(receive, connection.clone(), Arc::clone(&waiting), push));
        let inner = Inner { connection, outbox, room: Semaphore::new(REQUESTS_MAX), waiting };
        (Link { inner: Arc::new(inner) }, Pushes(pushes))
    }

    /// Sends a message and waits for its reply, whatever it is: `Refused` and `Failed` are replies like any other. Many may
    /// be on their way at once; they are sent in the order of the calls. Has no time limit of its own: a dead server ends
    /// the connection after 30 s of silence, sooner if it restarts.
    ///
    /// # Errors
    /// [`LinkError::Closed`] or what ended the connection. Whether the server took the message is then unknown.
    pub async fn request(&self, message: impl Into<Up>) -> Result<Down, LinkError> {
        let inner = &*self.inner;
        let _permit = inner.room.acquire().await.map_err(|_| self.why_closed())?;
        let Some((id, reply)) = inner.waiting.enter() else { return Err(self.why_closed()) };
        let _entered = Entered(&inner.waiting, id);
        inner.outbox.send(message.into().to_frame(id)).await.map_err(|_| self.why_closed())?;
        reply.await.map_err(|_| self.why_closed())
    }

    /// As [`request`](Self::request), but a refusal or a failure is an error: for programs that can only go on with a yes.
    ///
    /// # Errors
    /// As [`request`](Self::request), and [`LinkError::Refused`] and [`LinkError::Failed`].
    pub async fn ask(&self, message: impl Into<Up>) -> Result<Down, LinkError> {
        match self.request(message).await? {
            Down::Refused(refused) => Err(LinkError::Refused(refused.refusal)),
            Down::Failed(failed) => Err(LinkError::Failed(failed.error)),
            reply => Ok(reply),
        }
    }

    /// Waits until the connection is gone, and says why.
    pub async fn closed(&self) -> LinkError {
        LinkError::lost(&self.inner.connection.closed().await)
    }

    /// Ends the connection now.
    pub fn close(&self) {
        CloseCode::Ended.close(&self.inner.connection);
    }

    /// The QUIC connection underneath, for bulk streams and for figures such as the round trip.
    pub fn connection(&self) -> &Connection {
        &self.inner.connection
    }

    fn why_closed(&self) -> LinkError {
        match self.inner.connection.close_reason() {
            Some(reason) => LinkError::lost(&reason),
            None => LinkError::Closed("the server ended the control stream".to_owned()),
        }
    }
}

/// The reply makes no sense for the question.
pub(crate) fn unexpected(question: &str, reply: &Down) -> LinkError {
    LinkError::Protocol(format!("it answered {question} with {}", reply.name()))
}

/// Writes what waits, many frames at once. Ends when the link is dropped or the connection is gone.
async fn write_frames(mut send: SendStream, mut outgoing: mpsc::Receiver<Vec<u8>>) {
    let mut frames = Vec::with_capacity(REQUESTS_MAX);
    while outgoing.recv_many(&mut frames, REQUESTS_MAX).await > 0 {
        if send.write_all(&frames.concat()).await.is_err() {
            return;
        }
        frames.clear();
    }
    // The stream is over with the link; nothing is left to say.
    let _ = send.finish();
}

async fn read_frames(
    mut receive: FrameReader,
    connection: Connection,
    waiting: Arc<Waiting>,
    push: mpsc::Sender<Down>,
) {
    match hand_on(&mut receive, &waiting, &push).await {
        Ok(code) => code.close(&connection),
        // A reset stream or a lost connection: closing a closed connection changes nothing.
        Err(WireError::Gone(_)) => CloseCode::Ended.close(&connection),
        Err(error @ (WireError::Frame(_) | WireError::Truncated)) => {
            tracing::warn!(%error, "the server sent what is no message");
            CloseCode::Malformed.close(&connection);
        }
    }
    waiting.end();
}

/// Hands replies and pushes on until there is a reason to close.
async fn hand_on(
    receive: &mut FrameReader,
    waiting: &Waiting,
    push: &mpsc::Sender<Down>,
) -> Result<CloseCode, WireError> {
    while let Some(raw) = receive.frame().await? {
        let message = Down::from_frame(&raw)?;
        if raw.request != PUSH {
            // Nobody waits for it any more: its asker went away. That is no mistake of the server's.
            if let Some(asker) = waiting.leave(raw.request) {
                let _ = asker.send(message);
            }
            continue;
        }
        if let Err(mpsc::error::TrySendError::Full(_)) = push.try_send(message) {
            return Ok(CloseCode::Slow);
        }
    }
    Ok(CloseCode::Ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_skip_zero_and_those_still_waiting() {
        let waiting = Waiting::default();
        waiting.lock().last = u32::MAX - 1;
        let (a, _reply_a) = waiting.enter().unwrap();
        let (b, _reply_b) = waiting.enter().unwrap();
        assert_eq!((a.0, b.0), (u32::MAX, 1), "zero marks a push");
        waiting.lock().last = u32::MAX - 1;
        assert_eq!(waiting.enter().unwrap().0.0, 2, "ids that still wait are not given twice");
    }

    #[test]
    fn nobody_enters_a_connection_that_is_over() {
        let waiting = Waiting::default();
        let (_, mut reply) = waiting.enter().unwrap();
        waiting.end();
        assert!(reply.try_recv().is_err());
        assert!(waiting.enter().is_none());
    }
}
