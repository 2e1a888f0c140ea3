//! The in-memory network: datagrams with delay, loss, duplicates, disorder, flipped bits and cuts, as the seed has drawn them.
//! What one machine sends another within a millisecond travels together; no two such bundles arrive at the same millisecond, so
//! that everything one of them causes is over before the next: that is what makes runs comparable. Never delivers to, or sends
//! for, a machine without power.

use crate::{dice::Dice, power::Power};
use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// Datagrams a socket keeps for a process that does not read them.
const BUFFER_DATAGRAMS: usize = 4_096;
/// Datagrams under way at once; more are lost, as in a switch.
const UNDER_WAY_MAX: usize = 20_000;

/// How faulty the network is. Shares are in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Weather {
    /// Lost datagrams.
    pub loss: u64,
    /// Datagrams that arrive twice.
    pub twice: u64,
    /// Datagrams with a flipped bit.
    pub flipped: u64,
    /// Datagrams that are overtaken by later ones.
    pub late: u64,
    /// Longest ordinary delay, milliseconds.
    pub delay_ms: u64,
}

impl Weather {
    /// A quiet LAN.
    pub fn clear() -> Self {
        Self { delay_ms: 1, ..Self::default() }
    }
}

/// What became of the datagrams of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Traffic {
    pub sent: u64,
    pub lost: u64,
    pub twice: u64,
    pub flipped: u64,
    pub cut_off: u64,
}

#[derive(Debug)]
struct Datagram {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Port {
    waiting: VecDeque<Datagram>,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Inner {
    began: Instant,
    dice: Dice,
    weather: Weather,
    /// Machines nobody reaches, and for how many reasons.
    cut_off: BTreeMap<IpAddr, u32>,
    /// By the millisecond of arrival.
    under_way: BTreeMap<u64, Vec<Datagram>>,
    ports: BTreeMap<SocketAddr, Arc<Mutex<Port>>>,
    /// The newest bundle from one machine to another.
    bundles: BTreeMap<(IpAddr, IpAddr), Bundle>,
    traffic: Traffic,
}

/// What one machine sends another within a millisecond. Its first two datagrams have one fate: whether a handshake fits into
/// one or needs two depends on the length of random signatures, and must not decide what the dice mean.
#[derive(Clone, Copy, Debug)]
struct Bundle {
    sent: u64,
    arrives: Option<u64>,
    count: u64,
}

/// The network of one run. Clones share it.
#[derive(Clone, Debug)]
pub struct Net {
    inner: Arc<Mutex<Inner>>,
    sooner: Arc<Notify>,
}

impl Net {
    /// A clear network without machines. Time begins now.
    pub fn new(dice: Dice) -> Self {
        let inner = Inner {
            began: Instant::now(),
            dice,
            weather: Weather::clear(),
            cut_off: BTreeMap::new(),
            under_way: BTreeMap::new(),
            ports: BTreeMap::new(),
            bundles: BTreeMap::new(),
            traffic: Traffic::default(),
        };
        Self { inner: Arc::new(Mutex::new(inner)), sooner: Arc::default() }
    }

    /// From now on.
    pub fn set_weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    /// Cuts a machine off for one more reason, or for one less: it is reached again when there is none.
    pub fn cut_off(&self, machine: IpAddr, off: bool) {
        let mut inner = self.lock();
        let reasons = inner.cut_off.entry(machine).or_default();
        *reasons = if off { *reasons + 1 } else { reasons.saturating_sub(1) };
    }

    /// Everybody is reached again.
    pub fn heal(&self) {
        let mut inner = self.lock();
        inner.cut_off.clear();
        inner.weather = Weather::clear();
    }

    /// What became of the datagrams so far.
    pub fn traffic(&self) -> Traffic {
        self.lock().traffic
    }

    /// A socket at `addr` for the process of `power`; an older one there is closed.
    pub fn socket(&self, addr: SocketAddr, power: Power) -> Arc<dyn AsyncUdpSocket> {
        let port: Arc<Mutex<Port>> = Arc::default();
        self.lock().ports.insert(addr, Arc::clone(&port));
        Arc::new(Socket { net: self.clone(), addr, power, port })
    }

    /// Carries datagrams for ever.
    pub async fn carry(self) {
        loop {
            let next = self.lock().under_way.keys().next().copied();
            let sooner = self.sooner.notified();
            let Some(at) = next else {
                sooner.await;
                continue;
            };
            let arrives = self.lock().began + Duration::from_millis(at);
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(arrives) => self.arrive(at),
                () = sooner => {}
            }
        }
    }

    fn arrive(&self, at: u64) {
        let arrived = self.lock().under_way.remove(&at).unwrap_or_default();
        for datagram in arrived {
            let port = {
                let mut inner = self.lock();
                if inner.is_cut_off(&datagram) {
                    inner.traffic.cut_off += 1;
                    continue;
                }
                inner.ports.get(&datagram.to).cloned()
            };
            let Some(port) = port else { continue };
            let mut port = port.lock().unwrap_or_else(PoisonError::into_inner);
            if port.waiting.len() < BUFFER_DATAGRAMS {
                port.waiting.push_back(datagram);
            }
            if let Some(waker) = port.waker.take() {
                waker.wake();
            }
        }
    }

    fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.lock().send(Datagram { from, to, bytes: bytes.to_vec() });
        self.sooner.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_cut_off(&self, datagram: &Datagram) -> bool {
        let off = |machine: IpAddr| self.cut_off.get(&machine).is_some_and(|reasons| *reasons > 0);
        off(datagram.from.ip()) || off(datagram.to.ip())
    }

    fn send(&mut self, mut datagram: Datagram) {
        self.traffic.sent += 1;
        let route = (datagram.from.ip(), datagram.to.ip());
        let now = self.began.elapsed().as_millis() as u64;
        tracing::trace!(now, from = %datagram.from, to = %datagram.to, bytes = datagram.bytes.len());
        let fresh = Bundle { sent: now, arrives: None, count: 0 };
        let bundle = self.bundles.get(&route).copied().filter(|bundle| bundle.sent == now).unwrap_or(fresh);
        self.bundles.insert(route, Bundle { count: bundle.count + 1, ..bundle });
        let named = now * 1_000 + bundle.count.saturating_sub(1);
        let mut dice = self.dice.fork(&format!("{}>{}", route.0, route.1), named);
        let weather = self.weather;
        let (lost, twice, flipped) =
            (dice.chance(weather.loss), dice.chance(weather.twice), dice.chance(weather.flipped));
        if self.is_cut_off(&datagram) {
            self.traffic.cut_off += 1;
            return;
        }
        if lost || self.under_way.len() >= UNDER_WAY_MAX {
            self.traffic.lost += 1;
            return;
        }
        if twice {
            self.traffic.twice += 1;
            let copy = Datagram { bytes: datagram.bytes.clone(), ..datagram };
            let at = self.free_slot(now, &mut dice);
            self.under_way.entry(at).or_default().push(copy);
        }
        if flipped && !datagram.bytes.is_empty() {
            self.traffic.flipped += 1;
            let at = dice.below(datagram.bytes.len() as u64) as usize;
            datagram.bytes[at] ^= 1 << dice.below(8);
        }
        let late = dice.chance(weather.late);
        let delay = if late { dice.between(5, 60) } else { 0 };
        let at = match bundle.arrives.filter(|_| !late) {
            Some(at) => at,
            None => self.free_slot(now + delay, &mut dice),
        };
        if let Some(bundle) = self.bundles.get_mut(&route).filter(|bundle| !late && bundle.arrives.is_none()) {
            bundle.arrives = Some(at);
        }
        self.under_way.entry(at).or_default().push(datagram);
    }

    /// A millisecond at which nothing else arrives.
    fn free_slot(&self, from: u64, dice: &mut Dice) -> u64 {
        let mut at = from + 1 + dice.below(self.weather.delay_ms);
        while self.under_way.contains_key(&at) {
            at += 1;
        }
        at
    }
}

/// A socket of a simulated machine.
struct Socket {
    net: Net,
    addr: SocketAddr,
    power: Power,
    port: Arc<Mutex<Port>>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Socket({})", self.addr)
    }
}

/// The network takes whatever it is given, and loses it if it must.
#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if self.power.is_on() {
            let segment = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
            transmit.contents.chunks(segment).for_each(|bytes| self.net.send(self.addr, transmit.destination, bytes));
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut port = self.port.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.power.is_on() {
            port.waiting.clear();
        }
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), metas.first_mut()) else { return Poll::Ready(Ok(0)) };
        let Some(datagram) = port.waiting.pop_front() else {
            port.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        let len = datagram.bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&datagram.bytes[..len]);
        *meta = RecvMeta { addr: datagram.from, len, stride: len.max(1), ecn: None, dst_ip: None };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}
