//! First packets made by hand, protected as RFC 9001 says, so that a server has to take them for real ones. Never a whole connection.

use anyhow::{Context, Result};
use exam_link::trust::provider;
use exam_protocol::{ALPN, SERVER_NAME};
use rustls::{
    ClientConfig, RootCertStore, Side,
    quic::{ClientConnection, Version},
};
use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

/// A first packet has at least so many bytes.
const PACKET_BYTES: usize = 1_200;
const ID_BYTES: usize = 8;
/// What the caller calls itself; the greeting says so too.
const OWN_ID: [u8; ID_BYTES] = *b"attacker";
const NUMBER_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
/// Frames: the TLS greeting's bytes from some offset on.
const CRYPTO: u8 = 0x06;
/// Largest number a two-byte field holds.
const TWO_BYTES_MAX: u64 = 0x3fff;
/// Packets of one caller who begins in pieces.
pub(crate) const PIECES_OF_ONE: u64 = 32;
/// Pieces in a packet, one byte each, with a hole of one byte after it.
const PIECES: u64 = 200;

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    /// Calls or requests that got somewhere, or packets that came back.
    pub(crate) answered: u64,
}

impl Sent {
    pub(crate) fn send(&mut self, from: &UdpSocket, bytes: &[u8], to: SocketAddr) {
        if from.send_to(bytes, to).is_ok() {
            self.count += 1;
            self.bytes += bytes.len() as u64;
        }
    }

    /// Counts what has come back.
    pub(crate) fn look(&mut self, at: &UdpSocket) {
        while at.recv(&mut [0; 1]).is_ok() {
            self.answered += 1;
        }
    }
}

/// A TLS greeting as our clients send it.
pub(crate) fn greeting() -> Result<Vec<u8>> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Transport parameter 15: the caller's own connection id.
    let parameters = [&[0x0f, ID_BYTES as u8], &OWN_ID[..]].concat();
    let mut tls = ClientConnection::new(Arc::new(config), Version::V1, SERVER_NAME.try_into()?, parameters)?;
    let mut hello = Vec::new();
    tls.write_hs(&mut hello);
    Ok(hello)
}

/// The frames of a whole greeting.
pub(crate) fn whole(hello: &[u8]) -> Vec<u8> {
    [&[CRYPTO, 0][..], &two_bytes(hello.len() as u64), hello].concat()
}

/// The frames of a greeting in pieces: every second byte is missing.
pub(crate) fn pieces(number: u64) -> Vec<u8> {
    let from = number % PIECES_OF_ONE * 2 * PIECES;
    let piece = |n: u64| [&[CRYPTO][..], &two_bytes((from + 2 * n + 1) & TWO_BYTES_MAX), &[1, 0]].concat();
    (0..PIECES).flat_map(piece).collect()
}

/// A number up to [`TWO_BYTES_MAX`] as QUIC writes it.
fn two_bytes(n: u64) -> [u8; 2] {
    (0x4000 | (n & TWO_BYTES_MAX) as u16).to_be_bytes()
}

/// Somebody who calls for the first time.
pub(crate) struct Caller {
    server_id: [u8; ID_BYTES],
    keys: rustls::quic::Keys,
}

impl Caller {
    pub(crate) fn new() -> Result<Self> {
        let server_id = super::random()?;
        let suite = provider().cipher_suites[0].tls13().and_then(|suite| suite.quic_suite()).context("TLS 1.3")?;
        Ok(Self { server_id, keys: suite.keys(&server_id, Side::Client, Version::V1) })
    }

    /// A first packet with these frames, filled up with zeros.
    pub(crate) fn packet(&self, number: u64, frames: &[u8]) -> Result<Vec<u8>> {
        let mut packet = vec![0xc0 | (NUMBER_BYTES as u8 - 1), 0, 0, 0, 1, ID_BYTES as u8];
        packet.extend(self.server_id);
        packet.push(ID_BYTES as u8);
        packet.extend(OWN_ID);
        packet.push(0); // no token
        let head = packet.len() + 2 + NUMBER_BYTES;
        let mut payload = frames.to_vec();
        payload.resize(frames.len().max(PACKET_BYTES - head - TAG_BYTES), 0);
        packet.extend(two_bytes((NUMBER_BYTES + payload.len() + TAG_BYTES) as u64));
        packet.extend(u32::try_from(number)?.to_be_bytes());
        let tag = self.keys.local.packet.encrypt_in_place(number, &packet, &mut payload)?;
        packet.extend(payload);
        packet.extend(tag.as_ref());
        let (before, from_number) = packet.split_at_mut(head - NUMBER_BYTES);
        let (number, rest) = from_number.split_at_mut(NUMBER_BYTES);
        let sample = rest.get(..self.keys.local.header.sample_len()).context("a sample")?;
        self.keys.local.header.encrypt_in_place(sample, &mut before[0], number)?;
        Ok(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_packet_is_as_long_as_it_must_be_and_opens_with_the_servers_keys() {
        let caller = Caller::new().unwrap();
        let hello = greeting().unwrap();
        assert!(hello.len() < 1_000, "it fits into one packet");
        let mut packet = caller.packet(7, &whole(&hello)).unwrap();
        assert_eq!(packet.len(), PACKET_BYTES);
        let suite = provider().cipher_suites[0].tls13().unwrap().quic_suite().unwrap();
        let keys = suite.keys(&caller.server_id, Side::Server, Version::V1);
        let at = packet.len() - TAG_BYTES;
        let number_at = packet[..at].len() - (PACKET_BYTES - 26 - TAG_BYTES);
        let (head, rest) = packet.split_at_mut(number_at + NUMBER_BYTES);
        let (before, number) = head.split_at_mut(number_at);
        keys.remote.header.decrypt_in_place(&rest[..16], &mut before[0], number).unwrap();
        assert_eq!(number, [0, 0, 0, 7]);
        let head = head.to_vec();
        let plain = keys.remote.packet.decrypt_in_place(7, &head, rest).unwrap();
        assert_eq!(plain[..4], whole(&hello)[..4]);
    }

    #[test]
    fn pieces_leave_holes_and_fit_into_a_packet() {
        for number in 0..PIECES_OF_ONE {
            assert!(pieces(number).len() + 64 < PACKET_BYTES, "{number}");
        }
        assert_ne!(pieces(0), pieces(1));
    }
}
