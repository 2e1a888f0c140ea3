//! Rogues without TLS: they answer with packets the true server once sent to somebody else, or with packets anybody can make. Never more
//! than a few packets for one.

use super::{Heard, lock};
use anyhow::{Context, Result};
use exam_link::{Dial, Link, Trust, client_endpoint};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::CertificateDer;
use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::UdpSocket;

/// Largest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_536;
/// Packets kept of a recording.
const RECORDED_MAX: usize = 16;
/// First byte of a long header; the version and the two connection ids follow.
const LONG_HEADER: u8 = 0x80;
/// Versions nobody speaks.
const VERSIONS: [u8; 8] = [0x1a, 0x2a, 0x3a, 0x4a, 0xfa, 0xce, 0xb0, 0x02];

pub(super) enum Answers {
    Recorded(Vec<Vec<u8>>),
    Noise,
}

/// The ids in a long header.
struct Ids<'a> {
    to: &'a [u8],
    from: &'a [u8],
}

fn ids(packet: &[u8]) -> Option<Ids<'_>> {
    let rest = packet.get(5..).filter(|_| packet[0] & LONG_HEADER != 0)?;
    let (to, rest) = rest.split_first().and_then(|(len, rest)| rest.split_at_checked(usize::from(*len)))?;
    let from = rest.split_first().and_then(|(len, rest)| rest.get(..usize::from(*len)))?;
    Some(Ids { to, from })
}

pub(super) async fn serve(socket: UdpSocket, answers: Answers, heard: Arc<Mutex<Heard>>) {
    let (mut packet, mut known) = (vec![0; DATAGRAM_BYTES_MAX], BTreeSet::new());
    // An error is a caller who went away.
    loop {
        let Ok((length, from)) = socket.recv_from(&mut packet).await else { continue };
        let packet = &packet[..length];
        lock(&heard).note(packet);
        let Some(Ids { to, from: back }) = ids(packet) else { continue };
        if known.insert(to.to_vec()) {
            lock(&heard).called(from);
        }
        for answer in answers.to(to, back) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

impl Answers {
    /// Everything there is to say to a caller with these ids.
    fn to(&self, to: &[u8], back: &[u8]) -> Vec<Vec<u8>> {
        match self {
            // As it was, and with the caller's own id in it.
            Answers::Recorded(packets) => {
                let addressed = packets.iter().filter_map(|packet| {
                    let at = 6..6 + ids(packet)?.to.len();
                    let mut packet = packet.clone();
                    packet.get_mut(at)?.copy_from_slice(back.get(..)?.get(..ids_len(packets)?)?);
                    Some(packet)
                });
                packets.iter().cloned().chain(addressed).collect()
            }
            Answers::Noise => {
                let mut noise = vec![0; 1_200];
                // Zeros are noise enough where there is no randomness.
                let _ = SystemRandom::new().fill(&mut noise);
                let head = |first: u8, version: u32| {
                    let mut packet = vec![first];
                    packet.extend(version.to_be_bytes());
                    for id in [back, to] {
                        packet.push(u8::try_from(id.len()).unwrap_or(0));
                        packet.extend(id);
                    }
                    packet
                };
                let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
                let [initial, handshake, retry] =
                    [0xc3, 0xe3, 0xf0].map(|first| [head(first, 1), noise.clone()].concat());
                let other_versions = [head(0x8a, 0), VERSIONS.to_vec()].concat();
                vec![plain, noise.clone(), initial, handshake, retry, other_versions]
            }
        }
    }
}

/// Length of the ids in a recording: all of one caller.
fn ids_len(packets: &[Vec<u8>]) -> Option<usize> {
    Some(ids(packets.first()?)?.to.len())
}

/// A guest's greeting to the true server, with somebody listening on the way.
pub(super) async fn overhear(server: SocketAddr, trust: &Trust) -> Result<(Vec<Vec<u8>>, Vec<u8>)> {
    let [near, far] = [UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?, UdpSocket::bind((server.ip(), 0)).await?];
    let addr = near.local_addr()?;
    let recorded = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let record = Arc::clone(&recorded);
    let tap = tokio::spawn(async move {
        let (mut up, mut down, mut caller) = (vec![0; DATAGRAM_BYTES_MAX], vec![0; DATAGRAM_BYTES_MAX], None);
        loop {
            tokio::select! {
                Ok((length, from)) = near.recv_from(&mut up) => {
                    caller = Some(from);
                    let _ = far.send_to(&up[..length], server).await;
                }
                Ok((length, _)) = far.recv_from(&mut down) => {
                    keep(&record, &down[..length]);
                    if let Some(caller) = caller {
                        let _ = near.send_to(&down[..length], caller).await;
                    }
                }
            }
        }
    });
    let endpoint = client_endpoint(addr)?;
    let dial = Dial { endpoint, trust: trust.clone(), identity: None, addr, build: "exam-rig".to_owned() };
    let (link, _, _pushes) = Link::connect(&dial).await?;
    let shown = link.connection().peer_identity().and_then(|shown| shown.downcast::<Vec<CertificateDer<'_>>>().ok());
    let certificate = shown.and_then(|chain| Some(chain.first()?.to_vec())).context("the server's certificate")?;
    tap.abort();
    let packets = std::mem::take(&mut *recorded.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((packets, certificate))
}

fn keep(record: &Mutex<Vec<Vec<u8>>>, packet: &[u8]) {
    let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
    if record.len() < RECORDED_MAX {
        record.push(packet.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_off_a_long_header_and_off_nothing_else() {
        let packet = [&[0xc3, 0, 0, 0, 1, 3][..], b"abc", &[2], b"de", b"rest"].concat();
        let found = ids(&packet).unwrap();
        assert_eq!((found.to, found.from), (&b"abc"[..], &b"de"[..]));
        assert!(ids(&packet[..8]).is_none() && ids(b"").is_none() && ids(b"\x40short header").is_none());
    }
}
