//! A site with a pretending counter behind a real server. Knows nothing of rooms or journals.

use exam_link::{Dial, Identity, MachineKey, client_endpoint};
use exam_protocol::{
    answer::Answer,
    code::{ErrorCode, Refusal, SeatState},
    ids::{Sha256, StationId},
    message::{candidate::*, hello::*},
    tag::{Down, Up},
    time::{Now, SiteMs},
};
use exam_server::{
    net::{Counter, Peer, Server, UploadNo},
    site::SiteKeys,
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

/// The code that enrols anybody.
pub(crate) const GOOD_CODE: &str = "GOOD-CODE";

pub(crate) struct FakeCounter {
    pub(crate) keys: SiteKeys,
    pub(crate) known: Mutex<BTreeMap<Sha256, (Role, StationId)>>,
    pub(crate) outboxes: Mutex<BTreeMap<StationId, (u64, mpsc::Sender<Down>)>>,
    /// Answers to `SaveAnswer` with an odd number wait here.
    pub(crate) gate: Semaphore,
    /// Numbers of `SaveAnswer`, in the order in which they came.
    pub(crate) arrived: Mutex<Vec<u32>>,
    pub(crate) welcomes: AtomicUsize,
    pub(crate) messages: AtomicUsize,
    /// Nobody can be looked up.
    pub(crate) busy: AtomicBool,
    pub(crate) left: mpsc::Sender<u64>,
    next: AtomicU64,
    dir: PathBuf,
}

impl FakeCounter {
    pub(crate) fn enrolled(&self, key: &MachineKey, station: &str, role: Role) -> Enrolled {
        let station: StationId = station.parse().unwrap();
        let certificate = self.keys.issue(key.public_der(), &station, role).unwrap();
        self.known.lock().unwrap().insert(Sha256::of(&certificate), (role, station.clone()));
        Enrolled { station, role, certificate }
    }

    pub(crate) fn outbox(&self, station: &str) -> mpsc::Sender<Down> {
        self.outboxes.lock().unwrap()[&station.parse().unwrap()].1.clone()
    }
}

impl Counter for FakeCounter {
    async fn peer(&self, certificate: &Sha256) -> Result<Option<(Role, StationId)>, ErrorCode> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(ErrorCode::Busy);
        }
        Ok(self.known.lock().unwrap().get(certificate).cloned())
    }

    fn welcome(&self, peer: &Peer, version: u16) -> Welcome {
        self.welcomes.fetch_add(1, Ordering::SeqCst);
        Welcome {
            version,
            build: "fake 0".into(),
            site: self.keys.site().clone(),
            site_name: self.keys.public().name.clone(),
            boot: 1,
            now: Now::default(),
            role: peer.role,
            station: peer.station.clone(),
        }
    }

    async fn answer(&self, peer: &Peer, message: Up) -> Down {
        self.messages.fetch_add(1, Ordering::SeqCst);
        match message {
            Up::Enrol(enrol) if enrol.code != GOOD_CODE => Refused { refusal: Refusal::EnrolCodeInvalid }.into(),
            Up::Enrol(enrol) => {
                let station: StationId = format!("st-{}", self.next.fetch_add(1, Ordering::SeqCst)).parse().unwrap();
                let Ok(certificate) = self.keys.issue(&enrol.public_key, &station, Role::Station) else {
                    return Failed { error: ErrorCode::Internal }.into();
                };
                self.known.lock().unwrap().insert(Sha256::of(&certificate), (Role::Station, station.clone()));
                Enrolled { station, role: Role::Station, certificate }.into()
            }
            Up::Heartbeat(_) => {
                self.gate.add_permits(1);
                Heard { now: Now { at: SiteMs(7), ..Now::default() } }.into()
            }
            Up::SaveAnswer(save) => {
                self.arrived.lock().unwrap().push(save.number);
                if save.number % 2 == 1 {
                    self.gate.acquire().await.unwrap().forget();
                }
                Saved { item: save.item, number: save.number }.into()
            }
            Up::TakeSeat(_) => view(peer.station.as_ref().unwrap(), "after the question").into(),
            _ => Done.into(),
        }
    }

    fn joined(&self, peer: &Peer, outbox: mpsc::Sender<Down>) -> u64 {
        let ticket = self.next.fetch_add(1, Ordering::SeqCst);
        let station = peer.station.clone().unwrap();
        outbox.try_send(view(&station, "hello").into()).unwrap();
        self.outboxes.lock().unwrap().insert(station, (ticket, outbox));
        ticket
    }

    fn gone(&self, peer: &Peer, ticket: u64) {
        let mut outboxes = self.outboxes.lock().unwrap();
        let station = peer.station.as_ref().unwrap();
        if outboxes.get(station).is_some_and(|there| there.0 == ticket) {
            outboxes.remove(station);
        }
        let _ = self.left.try_send(ticket);
    }

    fn blob_path(&self, _: &Peer, blob: &Sha256) -> Option<PathBuf> {
        Some(self.dir.join("blobs").join(blob.hex()))
    }

    fn upload_dir(&self, peer: &Peer, _: &Sha256, _: u64) -> Result<PathBuf, UploadNo> {
        match peer.role {
            Role::Console => Err(UploadNo::Refusal(Refusal::AttachmentUnfit { max_mib: 1 })),
            Role::Admin | Role::Station | Role::Guest => Ok(self.dir.join("blobs")),
        }
    }
}

pub(crate) fn view(station: &StationId, room_name: &str) -> SeatView {
    SeatView {
        now: Now::default(),
        station: station.clone(),
        seat: None,
        room_name: room_name.into(),
        state: SeatState::Waiting,
        sitting: None,
        candidate: None,
        attempt: None,
        prefetch: Vec::new(),
    }
}

pub(crate) fn save(number: u32) -> SaveAnswer {
    let item = format!("q{number}").parse().unwrap();
    SaveAnswer { attempt: AttemptId(1), item, number, answer: Answer::TrueFalse(true), made_at: SiteMs(0) }
}

/// A site whose server runs.
pub(crate) struct Site {
    pub(crate) counter: Arc<FakeCounter>,
    pub(crate) addr: SocketAddr,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) left: mpsc::Receiver<u64>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Site {
    pub(crate) async fn start() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let created = SiteKeys::create(dir.path(), "test site").unwrap();
        let (counter, left) = counter(dir.path());
        counter.known.lock().unwrap().insert(created.admin_certificate, (Role::Admin, created.admin.clone()));
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), &counter.keys).unwrap();
        let addr = server.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(Arc::clone(&counter), async {
            let _ = stopped.await;
        }));
        Site { counter, addr, dir, left, stop: Some(stop), serving: Some(serving) }
    }

    pub(crate) fn guest(&self) -> Dial {
        Dial {
            endpoint: client_endpoint(self.addr).unwrap(),
            trust: self.counter.keys.trust().clone(),
            identity: None,
            addr: self.addr,
            build: "test 0".into(),
        }
    }

    pub(crate) fn machine(&self, station: &str, role: Role) -> Dial {
        let key = MachineKey::generate().unwrap();
        let enrolled = self.counter.enrolled(&key, station, role);
        Dial { identity: Some(Identity::new(self.counter.keys.site().clone(), enrolled, key)), ..self.guest() }
    }

    pub(crate) fn admin(&self) -> Dial {
        let identity = Identity::load(&self.dir.path().join("admin"), self.counter.keys.site()).unwrap();
        Dial { identity: Some(identity), ..self.guest() }
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap().await.unwrap();
    }

    /// Messages and greetings the server has heard.
    pub(crate) fn heard(&self) -> (usize, usize) {
        (self.counter.welcomes.load(Ordering::SeqCst), self.counter.messages.load(Ordering::SeqCst))
    }
}

pub(crate) fn counter(dir: &std::path::Path) -> (Arc<FakeCounter>, mpsc::Receiver<u64>) {
    let (left, leaving) = mpsc::channel(4_096);
    let counter = FakeCounter {
        keys: SiteKeys::load(dir).unwrap(),
        known: Mutex::default(),
        outboxes: Mutex::default(),
        gate: Semaphore::new(0),
        arrived: Mutex::default(),
        welcomes: AtomicUsize::new(0),
        messages: AtomicUsize::new(0),
        busy: AtomicBool::new(false),
        left,
        next: AtomicU64::new(1),
        dir: dir.to_owned(),
    };
    (Arc::new(counter), leaving)
}
