//! P10: bytes that are no message end their own connection and nothing else.

use crate::fixture::{Site, save, view};
use exam_link::{CloseCode, Dial, Link, socket::endpoint_socket};
use exam_protocol::{
    SERVER_NAME,
    code::{ErrorCode, Refusal},
    frame::{DOWN_FRAME_BYTES_MAX, RequestId, UP_FRAME_BYTES_MAX, take_frame, write_frame},
    message::{
        candidate::Heartbeat,
        hello::{Hello, Role},
    },
    tag::{Down, Up},
    version::{SPOKEN, VersionRange},
};
use quinn::{Connection, ConnectionError, RecvStream, SendStream};
use ring::rand::{SecureRandom, SystemRandom};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::UdpSocket, task::JoinHandle};

struct Raw {
    connection: Connection,
    send: SendStream,
    receive: RecvStream,
    unread: Vec<u8>,
}

/// TLS is done; nothing has been said.
async fn call(dial: &Dial) -> Raw {
    let config = dial.trust.client_config(dial.identity.as_ref()).unwrap();
    let connection = dial.endpoint.connect_with(config, dial.addr, SERVER_NAME).unwrap().await.unwrap();
    let (send, receive) = connection.open_bi().await.unwrap();
    Raw { connection, send, receive, unread: Vec::new() }
}

fn hello(versions: VersionRange) -> Vec<u8> {
    Up::from(Hello { versions, build: "raw".into() }).to_frame(RequestId(1))
}

async fn greeted(dial: &Dial) -> Raw {
    let mut raw = call(dial).await;
    raw.send.write_all(&hello(SPOKEN)).await.unwrap();
    assert!(matches!(raw.hear().await, Down::Welcome(_)));
    raw
}

impl Raw {
    async fn hear(&mut self) -> Down {
        loop {
            if let Some((frame, used)) = take_frame(&self.unread, DOWN_FRAME_BYTES_MAX).unwrap() {
                self.unread.drain(..used);
                return Down::from_frame(&frame).unwrap();
            }
            self.unread.extend_from_slice(&self.receive.read_chunk(1 << 16, true).await.unwrap().unwrap().bytes);
        }
    }

    async fn close_code(&self) -> Option<CloseCode> {
        match self.connection.closed().await {
            ConnectionError::ApplicationClosed(close) => CloseCode::from_number(close.error_code.into_inner()),
            other => panic!("not closed by the server: {other:?}"),
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_close_only_their_own_connection() {
    let site = Site::start().await;
    let (bystander, _, _pushes) = Link::connect(&site.machine("st-2", Role::Station)).await.unwrap();
    let dial = site.machine("st-1", Role::Station);
    let too_long = ((UP_FRAME_BYTES_MAX + 1) as u32).to_le_bytes().to_vec();
    let stray = write_frame(25, RequestId(2), &[0, 0, 0, 0, 9, 9, 9]);
    for bytes in [
        too_long,
        vec![0xff; 64],
        3_u32.to_le_bytes().to_vec(),
        write_frame(999, RequestId(2), b""),
        write_frame(2, RequestId(2), b""),
        write_frame(22, RequestId(2), &[253, 0, 0, 0, 0, 0, 1, 0, 0]),
        stray,
        Up::from(Heartbeat::default()).to_frame(RequestId(0)),
    ] {
        let mut raw = greeted(&dial).await;
        raw.send.write_all(&bytes).await.unwrap();
        assert_eq!(raw.close_code().await, Some(CloseCode::Malformed), "{bytes:02x?}");
        let mut raw = call(&dial).await;
        raw.send.write_all(&bytes).await.unwrap();
        assert_eq!(raw.close_code().await, Some(CloseCode::Malformed), "instead of Hello: {bytes:02x?}");
        let raw = greeted(&dial).await;
        let (mut bulk, _) = raw.connection.open_bi().await.unwrap();
        bulk.write_all(&bytes).await.unwrap();
        assert_eq!(raw.close_code().await, Some(CloseCode::Malformed), "on a bulk stream: {bytes:02x?}");
    }
    assert!(matches!(bystander.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
    assert_eq!(site.heard().1, 1, "nothing of it reached the counter");
}

#[tokio::test]
async fn a_message_before_hello_and_a_version_from_elsewhere_are_told_why() {
    let site = Site::start().await;
    let dial = site.machine("st-1", Role::Station);
    let mut early = call(&dial).await;
    early.send.write_all(&Up::from(Heartbeat::default()).to_frame(RequestId(5))).await.unwrap();
    assert!(matches!(early.hear().await, Down::Failed(failed) if failed.error == ErrorCode::OutOfPlace));
    assert_eq!(early.close_code().await, Some(CloseCode::Refused));
    let mut newer = call(&dial).await;
    newer.send.write_all(&hello(VersionRange { oldest: 900, newest: 901 })).await.unwrap();
    let told = newer.hear().await;
    assert!(matches!(told, Down::Refused(no) if no.refusal == Refusal::VersionUnknown { server: SPOKEN }));
    assert_eq!(newer.close_code().await, Some(CloseCode::Refused));
    let mut twice = greeted(&dial).await;
    twice.send.write_all(&hello(SPOKEN)).await.unwrap();
    let said = [twice.hear().await, twice.hear().await];
    assert!(
        said.iter().any(|down| matches!(down, Down::Failed(failed) if failed.error == ErrorCode::OutOfPlace)),
        "{said:?}"
    );
    assert_eq!(site.heard().1, 0);
}

#[tokio::test]
async fn whoever_does_not_greet_is_sent_away() {
    let site = Site::start().await;
    let mut silent = call(&site.guest()).await;
    silent.send.write_all(&hello(SPOKEN)[..7]).await.unwrap();
    assert_eq!(silent.close_code().await, Some(CloseCode::LateHello));
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_closed_and_others_are_not() {
    let site = Site::start().await;
    let deaf = greeted(&site.machine("st-1", Role::Station)).await;
    let (other, _, _pushes) = Link::connect(&site.machine("st-2", Role::Station)).await.unwrap();
    let outbox = site.counter.outbox("st-1");
    let large = view(&"st-1".parse().unwrap(), &"长".repeat(30_000));
    let mut sent = 0;
    while outbox.send(large.clone().into()).await.is_ok() {
        sent += 1;
        assert!(sent < 2_000, "a queue without an end");
    }
    assert_eq!(deaf.close_code().await, Some(CloseCode::Slow));
    assert!(matches!(other.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
}

#[tokio::test]
async fn garbage_and_giant_datagrams_stop_neither_server_nor_client() {
    let site = Site::start().await;
    let dial = site.machine("st-1", Role::Station);
    let (link, _, _pushes) = Link::connect(&dial).await.unwrap();
    let seat_port = dial.endpoint.local_addr().unwrap().port();
    let attacker = endpoint_socket("127.0.0.1:0".parse().unwrap()).unwrap();
    let random = SystemRandom::new();
    for round in 0..400_usize {
        let length = match round % 4 {
            0 => 1 + round,
            1 => 1_200,
            2 => 1_473 + round * 160,
            _ => 65_507,
        };
        let mut bytes = vec![0; length.min(65_507)];
        random.fill(&mut bytes).unwrap();
        if round % 3 == 0 {
            // Looks like a first packet of QUIC version 1.
            let head = [0xc3, 0, 0, 0, 1, 8];
            let at = head.len().min(bytes.len());
            bytes[..at].copy_from_slice(&head[..at]);
        }
        // A full buffer here only means the attacker lost one.
        let _ = attacker.send_to(&bytes, site.addr);
        let _ = attacker.send_to(&bytes, ("127.0.0.1", seat_port));
        if round % 40 == 0 {
            assert!(matches!(link.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
        }
    }
    assert!(matches!(link.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
    let (fresh, _, _pushes) = Link::connect(&site.machine("st-2", Role::Station)).await.unwrap();
    assert!(matches!(fresh.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
}

/// Carries datagrams between one client and the server, and keeps every one the client sent.
struct Relay {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    carrying: JoinHandle<()>,
}

impl Relay {
    async fn before(server: SocketAddr) -> Relay {
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (addr, heard) = (front.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let keep = Arc::clone(&heard);
        let carrying = tokio::spawn(async move {
            let (mut client, mut up, mut down) = (None, vec![0; 1 << 16], vec![0; 1 << 16]);
            loop {
                tokio::select! {
                    Ok((len, from)) = front.recv_from(&mut up) => {
                        client = Some(from);
                        keep.lock().unwrap().push(up[..len].to_vec());
                        back.send_to(&up[..len], server).await.unwrap();
                    }
                    Ok((len, _)) = back.recv_from(&mut down) => {
                        if let Some(client) = client {
                            front.send_to(&down[..len], client).await.unwrap();
                        }
                    }
                }
            }
        });
        Relay { addr, heard, carrying }
    }
}

#[tokio::test]
async fn recorded_datagrams_sent_again_from_elsewhere_apply_nothing_twice() {
    let site = Site::start().await;
    let relay = Relay::before(site.addr).await;
    let dial = Dial { addr: relay.addr, ..site.machine("st-1", Role::Station) };
    let (link, _, _pushes) = Link::connect(&dial).await.unwrap();
    for number in 1..=20 {
        assert!(matches!(link.request(save(2 * number)).await.unwrap(), Down::Saved(_)));
    }
    let recorded = relay.heard.lock().unwrap().clone();
    assert!(recorded.len() > 20, "{} datagrams", recorded.len());
    let thief = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let bystander = Link::connect(&site.machine("st-2", Role::Station)).await.unwrap().0;
    // While the connection stands, and when it is gone.
    for closed in [false, true] {
        if closed {
            link.close();
            relay.carrying.abort();
        }
        for datagram in &recorded {
            thief.send_to(datagram, site.addr).await.unwrap();
        }
        assert!(matches!(bystander.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
        if !closed {
            assert!(matches!(link.request(save(100)).await.unwrap(), Down::Saved(_)), "the seat itself goes on");
        }
    }
    let arrived = site.counter.arrived.lock().unwrap().clone();
    assert_eq!(arrived, (1..=20).map(|number| 2 * number).chain([100]).collect::<Vec<_>>());
}
