//! A small server for one seat: it speaks the wire, keeps answers, can be stopped and started on the same port. Never
//! checks who calls.
#![allow(clippy::unwrap_used, reason = "tests")]

use exam_link::{
    Dial, Trust, client_endpoint,
    socket::{endpoint_over, endpoint_socket, server_endpoint_config},
    transport, trust,
    wire::FrameReader,
};
use exam_protocol::{
    ALPN, SERVER_NAME,
    answer::Answer,
    code::{Phase, SeatState},
    frame::{PUSH, UP_FRAME_BYTES_MAX},
    ids::{ItemId, SeatNo, SeatRef, Sha256},
    message::{
        candidate::*,
        hello::{Done, Role, Welcome},
        transfer::Chunk,
    },
    paper::{Item, ItemKind, Paper, SealedPaper, Subject},
    site::SitePublic,
    tag::{Down, Up},
    time::{Now, SiteMs, WallMs},
};
use exam_seat::{SeatConfig, clock::SeatClock, disk::Disk};
use quinn::{Connection, Endpoint, RecvStream, SendStream, crypto::rustls::QuicServerConfig};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Instant,
};

/// A sentence of the paper that must be on no disk.
pub(crate) const CANARY: &str = "金丝雀题干";
pub(crate) const ITEMS: usize = 6;

/// What survives a stop of the server.
pub(crate) struct Site {
    began: Instant,
    tls: rustls::ServerConfig,
    pub(crate) trust: Trust,
    sealed: Vec<u8>,
    secret: String,
    pub(crate) addr: SocketAddr,
    pub(crate) saved: Mutex<BTreeMap<(ItemId, u32), Answer>>,
    pub(crate) signed_in: Mutex<bool>,
}

pub(crate) fn item(index: usize) -> ItemId {
    format!("q{}", index % ITEMS).parse().unwrap()
}

fn paper() -> Paper {
    let kind = ItemKind::ShortText { chars_max: 200 };
    let item = |index| Item { id: item(index), points_tenths: 10, stem: vec![CANARY.into()], kind: kind.clone() };
    Paper { format: 1, id: "p1".parse().unwrap(), title: CANARY.into(), items: (0..ITEMS).map(item).collect() }
}

impl Site {
    pub(crate) fn new() -> Arc<Site> {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca_params = CertificateParams::default();
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = ca_params.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![SERVER_NAME.to_owned()]).unwrap();
        let certificate = leaf.signed_by(&key, &Issuer::new(ca_params, ca_key)).unwrap();
        let mut tls = rustls::ServerConfig::builder_with_provider(trust::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let public = SitePublic {
            format: 1,
            site: "s1".parse().unwrap(),
            name: "站".into(),
            ca_pem: ca.pem(),
            minisign: String::new(),
            age_recipient: String::new(),
        };
        let sealing = exam_sealed::keys::generate_age();
        let (sealed, secret) = seal(&paper(), &sealing);
        let addr = endpoint_socket("127.0.0.1:0".parse().unwrap()).unwrap().local_addr().unwrap();
        let (saved, signed_in) = Default::default();
        Arc::new(Site {
            began: Instant::now(),
            tls,
            trust: Trust::new(public).unwrap(),
            sealed,
            secret,
            addr,
            saved,
            signed_in,
        })
    }

    /// A seat's configuration in `folder`.
    pub(crate) fn seat(&self, folder: &Path) -> SeatConfig {
        let endpoint = client_endpoint(self.addr).unwrap();
        SeatConfig {
            dial: Dial { endpoint, trust: self.trust.clone(), identity: None, addr: self.addr, build: "test".into() },
            folder: folder.to_owned(),
            desk: Some(SeatRef { room: "r1".parse().unwrap(), seat: SeatNo::try_from(1).unwrap() }),
            disk: Disk::start(1).unwrap(),
            clock: SeatClock::start(),
            random: exam_seat::system_random(),
            news: None,
            index: 0,
        }
    }

    /// Starts the server; dropped, it is stopped.
    pub(crate) async fn serve(self: &Arc<Self>, boot: u64) -> Serving {
        let crypto = QuicServerConfig::try_from(self.tls.clone()).unwrap();
        let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        config.transport_config(Arc::new(transport::server_transport()));
        let socket = loop {
            match endpoint_socket(self.addr) {
                Ok(socket) => break socket,
                Err(_) => tokio::task::yield_now().await, // the server before is still letting go of its port
            }
        };
        let endpoint = endpoint_over(socket, server_endpoint_config(&[7; 32]), Some(config)).unwrap();
        let (site, accepting) = (Arc::clone(self), endpoint.clone());
        let task = tokio::spawn(async move {
            while let Some(incoming) = accepting.accept().await {
                let site = Arc::clone(&site);
                tokio::spawn(async move {
                    if let Ok(connection) = incoming.await {
                        site.connection(connection, boot).await;
                    }
                });
            }
        });
        Serving { endpoint, task }
    }

    async fn connection(self: Arc<Self>, connection: Connection, boot: u64) {
        let Ok((send, receive)) = connection.accept_bi().await else { return };
        tokio::spawn(Arc::clone(&self).control(send, receive, boot));
        while let Ok((send, receive)) = connection.accept_bi().await {
            tokio::spawn(Arc::clone(&self).bulk(send, receive));
        }
    }

    async fn control(self: Arc<Self>, mut send: SendStream, receive: RecvStream, boot: u64) {
        let mut frames = FrameReader::new(receive, UP_FRAME_BYTES_MAX);
        while let Ok(Some(raw)) = frames.frame().await {
            let up = Up::from_frame(&raw).unwrap();
            let push = matches!(up, Up::Hello(_) | Up::SignIn(_));
            let mut bytes = self.hear(up, boot).to_frame(raw.request);
            if push {
                bytes.extend(Down::from(self.view()).to_frame(PUSH));
            }
            if send.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }

    async fn bulk(self: Arc<Self>, mut send: SendStream, receive: RecvStream) {
        let mut frames = FrameReader::new(receive, UP_FRAME_BYTES_MAX);
        let Ok(Some(raw)) = frames.frame().await else { return };
        let Up::GetChunk(get) = Up::from_frame(&raw).unwrap() else { return };
        let rest = &self.sealed[usize::try_from(get.offset).unwrap()..];
        let part = &rest[..rest.len().min(get.bytes_max as usize)];
        let chunk = Chunk { total: self.sealed.len() as u64, bytes: part.len() as u32 };
        let mut bytes = Down::from(chunk).to_frame(raw.request);
        bytes.extend(part);
        send.write_all(&bytes).await.unwrap();
        send.finish().unwrap();
        let _ = send.stopped().await;
    }

    fn now(&self) -> Now {
        Now { at: SiteMs(5_000_000 + self.began.elapsed().as_millis() as u64), wall: WallMs(0) }
    }

    fn hear(&self, up: Up, boot: u64) -> Down {
        match up {
            Up::Hello(_) => Welcome {
                version: 1,
                build: "test".into(),
                site: "s1".parse().unwrap(),
                site_name: "站".into(),
                boot,
                now: self.now(),
                role: Role::Station,
                station: Some("st1".parse().unwrap()),
            }
            .into(),
            Up::SaveAnswer(save) => {
                let before = self.saved.lock().unwrap().insert((save.item.clone(), save.number), save.answer.clone());
                assert!(before.is_none_or(|before| before == save.answer), "two contents of one number");
                Saved { item: save.item, number: save.number }.into()
            }
            Up::FetchAnswers(_) => {
                let mut newest = BTreeMap::new();
                for ((item, number), answer) in self.saved.lock().unwrap().iter() {
                    newest.insert(
                        item.clone(),
                        KnownAnswer { item: item.clone(), number: *number, answer: answer.clone() },
                    );
                }
                let gaps = newest.values().filter(|known| known.number > 1);
                let all = |known: &KnownAnswer| Gap { item: known.item.clone(), from: 1, to: known.number - 1 };
                Answers { gaps: gaps.map(all).collect(), answers: newest.into_values().collect(), more: false }.into()
            }
            Up::Heartbeat(_) => Heard { now: self.now() }.into(),
            Up::SignIn(_) => {
                *self.signed_in.lock().unwrap() = true;
                Done.into()
            }
            _ => Done.into(),
        }
    }

    fn view(&self) -> SeatView {
        let working = *self.signed_in.lock().unwrap();
        let attempt = AttemptView {
            attempt: AttemptId(4),
            started: Some(SiteMs(5_000_000)),
            ends: Some(SiteMs(5_000_000 + 3_600_000)),
            order_seed: 9,
            release: Some(PaperKey { paper: "p1".parse().unwrap(), secret: self.secret.clone() }),
            left_ms: None,
        };
        SeatView {
            now: self.now(),
            station: "st1".parse().unwrap(),
            seat: Some(SeatRef { room: "r1".parse().unwrap(), seat: SeatNo::try_from(1).unwrap() }),
            room_name: "机房".into(),
            state: if working { SeatState::Working } else { SeatState::Waiting },
            sitting: Some(SittingView {
                sitting: "x1".parse().unwrap(),
                title: "t".into(),
                subject: Subject::Theory,
                phase: Phase::Running,
                planned_start: WallMs(0),
                duration_ms: 3_600_000,
                paper: "p1".parse().unwrap(),
            }),
            candidate: None,
            attempt: working.then_some(attempt),
            prefetch: vec![SealedPaper {
                paper: "p1".parse().unwrap(),
                hash: Sha256::of(&self.sealed),
                bytes: self.sealed.len() as u64,
            }],
        }
    }
}

fn seal(paper: &Paper, pair: &exam_sealed::keys::SealingPair) -> (Vec<u8>, String) {
    let json = serde_json::to_vec(paper).unwrap();
    (exam_sealed::seal::seal(&json, &pair.recipient).unwrap(), pair.identity_file.lines().last().unwrap().to_owned())
}

/// A running server.
pub(crate) struct Serving {
    endpoint: Endpoint,
    task: tokio::task::JoinHandle<()>,
}

impl Serving {
    /// Stops it, as a power cut would as far as the seat can tell.
    pub(crate) fn stop(self) {
        self.endpoint.close(1_u32.into(), b"");
        self.task.abort();
    }
}
