//! Everything that goes over the cables of this machine, as it goes: a packet socket. Never changes or delays what it hears.

use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{ErrorKind, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// `AF_PACKET`, and `ETH_P_ALL` as it stands in a packet.
const PACKETS: i32 = 17;
const EVERY_PROTOCOL: u16 = 0x0003;
/// Bytes that are kept.
const BYTES_MAX: usize = 64 * 1024 * 1024;
const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// Between two looks whether it is over.
const LOOK: Duration = Duration::from_millis(50);

/// Listens until it is ended.
pub(crate) struct Tap {
    over: Arc<AtomicBool>,
    listens: JoinHandle<std::io::Result<Vec<u8>>>,
}

impl Tap {
    /// Listens from now on.
    ///
    /// # Errors
    /// Not root, or not Linux.
    pub(crate) fn begin() -> Result<Self> {
        let every = Protocol::from(i32::from(EVERY_PROTOCOL.to_be()));
        let socket = Socket::new(Domain::from(PACKETS), Type::RAW, Some(every)).context("a packet socket")?;
        socket.set_recv_buffer_size(BUFFER_BYTES)?;
        socket.set_read_timeout(Some(LOOK))?;
        let over = Arc::<AtomicBool>::default();
        let until = Arc::clone(&over);
        let listens = thread::Builder::new().name("tap".into()).spawn(move || listen(socket, &until))?;
        Ok(Self { over, listens })
    }

    /// Everything that was heard, packet after packet.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn end(self) -> Result<Vec<u8>> {
        self.over.store(true, Ordering::Relaxed);
        let heard = self.listens.join().map_err(|_| anyhow::anyhow!("the tap died"))?;
        Ok(heard?)
    }
}

fn listen(mut socket: Socket, over: &AtomicBool) -> std::io::Result<Vec<u8>> {
    let (mut heard, mut packet) = (Vec::new(), vec![0; 65_536]);
    while !over.load(Ordering::Relaxed) {
        match socket.read(&mut packet) {
            Ok(length) if heard.len() + length <= BYTES_MAX => heard.extend_from_slice(&packet[..length]),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(heard)
}
