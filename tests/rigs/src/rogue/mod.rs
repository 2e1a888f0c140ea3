//! A server that is not the site's, in the place where the site's is expected. It passes on what it hears and notes everything it could read.
//! Never better than its papers: all that differs from case to case is what it can prove.

pub(crate) mod papers;
mod relay;
mod senseless;

use anyhow::Result;
use papers::Papers;
use relay::Upstream;
use std::{
    collections::BTreeMap,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::runtime::Runtime;

/// Bytes that are kept of what a rogue reads.
const READ_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a rogue has heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Everything it could read: what it decrypted, or what came in the clear.
    pub(crate) read: Vec<u8>,
    /// Who called, and how often: one address a seat.
    pub(crate) calls: BTreeMap<SocketAddr, u32>,
    /// Seats that believed it.
    pub(crate) believed: u32,
}

impl Heard {
    fn note(&mut self, bytes: &[u8]) {
        if self.read.len() + bytes.len() <= READ_BYTES_MAX {
            self.read.extend_from_slice(bytes);
        }
    }

    fn called(&mut self, from: SocketAddr) {
        *self.calls.entry(from).or_default() += 1;
    }
}

/// What it works with.
pub(crate) enum Means {
    /// A real QUIC server with these papers, which passes everything on to the true one.
    Papers(Papers),
    /// Packets the true server once sent to somebody.
    Recording(Vec<Vec<u8>>),
    /// Packets that anybody can make: other versions, plain text, noise.
    Noise,
}

/// A rogue at work until it is dropped.
pub(crate) struct Rogue {
    heard: Arc<Mutex<Heard>>,
    at: SocketAddr,
    runtime: Option<Runtime>,
}

impl Rogue {
    /// Begins to answer at any port of `at`'s address. `server` is the true one.
    ///
    /// # Errors
    /// The system's; papers that are no papers.
    pub(crate) fn begin(at: SocketAddr, server: SocketAddr, means: Means) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let heard = Arc::<Mutex<Heard>>::default();
        let inside = runtime.enter();
        let at = match means {
            Means::Papers(papers) => {
                let config = relay::server_config(&papers)?;
                let socket = exam_link::socket::endpoint_socket(at)?;
                let endpoint = exam_link::socket::endpoint_over(socket, Default::default(), Some(config))?;
                let at = endpoint.local_addr()?;
                let upstream = Upstream::new(server, papers)?;
                runtime.spawn(relay::serve(endpoint, Arc::new(upstream), Arc::clone(&heard)));
                at
            }
            Means::Recording(packets) => Self::senseless(&runtime, at, &heard, senseless::Answers::Recorded(packets))?,
            Means::Noise => Self::senseless(&runtime, at, &heard, senseless::Answers::Noise)?,
        };
        drop(inside);
        Ok(Self { heard, at, runtime: Some(runtime) })
    }

    fn senseless(
        runtime: &Runtime,
        at: SocketAddr,
        heard: &Arc<Mutex<Heard>>,
        answers: senseless::Answers,
    ) -> Result<SocketAddr> {
        let socket = UdpSocket::bind(at)?;
        socket.set_nonblocking(true)?;
        let socket = tokio::net::UdpSocket::from_std(socket)?;
        let at = socket.local_addr()?;
        runtime.spawn(senseless::serve(socket, answers, Arc::clone(heard)));
        Ok(at)
    }

    /// Where it answers.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard)
    }
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Packets that the true server sends to a caller who is a guest, and its certificate.
///
/// # Errors
/// It does not answer.
pub(crate) fn overhear(server: SocketAddr, trust: &exam_link::Trust) -> Result<(Vec<Vec<u8>>, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(senseless::overhear(server, trust))
}
