//! UDP sockets with room for a storm, and QUIC endpoints over them. The only place that opens a socket, so that a
//! fallback for systems where quinn's own socket cannot work has one place to go. Never chooses a port by itself.

use quinn::{Endpoint, EndpointConfig, ServerConfig};
use quinn_proto::HashedConnectionIdGenerator;
use ring::hmac;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

/// Buffer asked of the system, each way. 500 first packets of 1,200 bytes arrive at once and take 2,304 bytes of kernel
/// memory each; a default buffer holds 92 of them and the rest would come again only after seconds.
pub const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// What is tried when the larger wish is refused outright.
const SOCKET_BUFFER_BYTES_MIN: usize = 4 * 1024 * 1024;
/// No pause between two resets: after a restart the packets of hundreds of seats are read in batches with one time stamp, and
/// with a pause each batch would get one reset, the others none until they try again after seconds. A flood gains nothing:
/// only ids that this site has made are answered, and never with more bytes than came.
const RESET_EVERY_MS: u64 = 0;
const _: () = assert!(SOCKET_BUFFER_BYTES >= SOCKET_BUFFER_BYTES_MIN);

/// A non-blocking UDP socket bound to `addr`, with buffers as large as the system grants.
///
/// # Errors
/// The system's, e.g. when the address is taken. Small buffers are no error.
pub fn endpoint_socket(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        // Best effort: where it cannot be set, the system's default stands.
        let _ = socket.set_only_v6(false);
    }
    for bytes in [SOCKET_BUFFER_BYTES_MIN, SOCKET_BUFFER_BYTES] {
        let _ = socket.set_recv_buffer_size(bytes);
        let _ = socket.set_send_buffer_size(bytes);
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

/// A QUIC endpoint over `socket`; with a server configuration it also accepts.
///
/// # Errors
/// The system's, or no tokio runtime around.
pub fn endpoint_over(socket: UdpSocket, config: EndpointConfig, server: Option<ServerConfig>) -> io::Result<Endpoint> {
    let runtime =
        quinn::default_runtime().ok_or_else(|| io::Error::other("an endpoint needs a tokio runtime around it"))?;
    Endpoint::new(config, server, socket, Arc::clone(&runtime))
}

/// The endpoint of a server whose connection ids and reset tokens come from `site_secret`: after a crash the restarted
/// server can tell its old peers at their next packet that their connections are gone, instead of leaving them to 30
/// seconds of silence. Packets with made-up ids still get no answer.
pub fn server_endpoint_config(site_secret: &[u8; 32]) -> EndpointConfig {
    let key = hmac::Key::new(hmac::HMAC_SHA256, site_secret);
    let reset_key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, b"quic stateless reset").as_ref());
    let mut id_key = [0_u8; 8];
    id_key.copy_from_slice(&hmac::sign(&key, b"quic connection ids").as_ref()[..8]);
    let id_key = u64::from_le_bytes(id_key);
    let mut config = EndpointConfig::new(Arc::new(reset_key));
    config
        .cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(id_key)))
        .min_reset_interval(Duration::from_millis(RESET_EVERY_MS));
    config
}

/// A client's endpoint on any free port, able to reach `server`. One endpoint may carry many links; a load tool takes one
/// a seat, as real seats would.
///
/// # Errors
/// As [`endpoint_over`].
pub fn client_endpoint(server: SocketAddr) -> io::Result<Endpoint> {
    let any = if server.is_ipv4() {
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
    } else {
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    };
    endpoint_over(endpoint_socket(any)?, EndpointConfig::default(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_bound_and_does_not_block() {
        let socket = endpoint_socket("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(socket.local_addr().unwrap().port(), 0);
        assert_eq!(socket.recv(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
