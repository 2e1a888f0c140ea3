//! A site in each phase of its one sitting, as a journal that was written beforehand, and a real server on a copy of it. Every
//! speaker has a machine of its own, and the person it needs is signed on there already.

use exam_link::{Dial, Identity, Link, MachineKey, client_endpoint};
use exam_protocol::{
    code::Phase,
    grant::commitment,
    ids::{AccountId, AdmissionNo, PaperId, SealedBytes, SeatRef, Sha256, SittingId, StationId},
    incident::{FindingKind, IncidentCode, Measure},
    message::{
        candidate::AttemptId,
        duty::{Canned, HandKind, Recipients},
        hello::{Enrolled, Role},
    },
    paper::{SealedPaper, Subject},
    plan::{AdmissionPolicy, Place, RoomPlan, RuleOverrides, SittingPlan},
    staff::StaffRole,
    time::{Now, WallMs},
};
use exam_room::{
    Ask, Fact, Site,
    authority::Actor,
    rules::{
        admission::{AdmitSeats, OpenDoor},
        ending::Stop,
        enrolment::StationEnrolled,
        export::NoteExport,
        finding::NoteFinding,
        hand::RaiseHand,
        incident::{Account, RecordIncident},
        message::Say,
        package::{CandidateListed, PackageTaken, PaperTaken, TakePackage},
        pause::StopClock,
        people::{AccountMade, SignedOn},
        seal::RoomSealed,
        seating::TakeDesk,
        sign_in::EnterNumber,
        start::Begin,
        violation::RecordViolation,
    },
    state::{PauseCause, Stretch, Subject as About, Target},
};
use exam_sealed::{code::UnlockCode, keys::generate_age};
use exam_server::{
    clock::SiteClock,
    config::Config,
    init,
    journal::{Journal, JournalReader},
    passwords::Passwords,
    reception::{Identity as Person, context, password_tag},
    run,
    site::SiteKeys,
};
use std::{
    collections::BTreeMap,
    fmt, fs,
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::{sync::oneshot, task::JoinHandle};
use zeroize::Zeroizing;

/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// A desk with a machine and nobody at it.
pub(crate) const SPARE: u16 = 5;
/// In the order of the table's columns.
pub(crate) const PHASES: [Phase; 7] =
    [Phase::Prepared, Phase::Sealed, Phase::Admitting, Phase::Running, Phase::Paused, Phase::Ended, Phase::Exported];

pub(crate) fn sitting() -> SittingId {
    "s1".parse().unwrap()
}

pub(crate) fn desk() -> SeatRef {
    SeatRef { room: "r1".parse().unwrap(), seat: 1.try_into().unwrap() }
}

pub(crate) fn number(n: u32) -> AdmissionNo {
    format!("99000000000000000000{n:06}").parse().unwrap()
}

pub(crate) fn hq_code() -> String {
    UnlockCode::from_random([3, 1, 4, 1, 5, 9, 2, 6, 5, 3]).to_string()
}

/// Who speaks: a machine, and the person signed on there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Speaker {
    Guest,
    Station,
    Console(Option<StaffRole>),
    Admin(Option<StaffRole>),
}

impl Speaker {
    pub(crate) fn all() -> Vec<Speaker> {
        let people = || std::iter::once(None).chain(StaffRole::ALL.map(Some));
        let machines = [Speaker::Guest, Speaker::Station].into_iter();
        machines.chain(people().map(Speaker::Console)).chain(people().map(Speaker::Admin)).collect()
    }

    pub(crate) fn machine(self) -> Role {
        match self {
            Speaker::Guest => Role::Guest,
            Speaker::Station => Role::Station,
            Speaker::Console(_) => Role::Console,
            Speaker::Admin(_) => Role::Admin,
        }
    }

    /// As whom the rules judge; the administrator's machine is an administrator without anybody.
    pub(crate) fn person(self) -> Option<StaffRole> {
        match self {
            Speaker::Guest | Speaker::Station | Speaker::Console(None) => None,
            Speaker::Console(role) => role,
            Speaker::Admin(role) => Some(role.unwrap_or(StaffRole::Admin)),
        }
    }

    fn signed_on(self) -> Option<AccountId> {
        match self {
            Speaker::Guest | Speaker::Station => None,
            Speaker::Console(role) | Speaker::Admin(role) => role.map(account_of),
        }
    }

    fn station(self) -> StationId {
        self.to_string().replace(' ', "-").parse().unwrap()
    }
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = super::code(&self.machine());
        match self {
            Speaker::Guest | Speaker::Station => f.write_str(&machine),
            Speaker::Console(None) | Speaker::Admin(None) => write!(f, "{machine} nobody"),
            Speaker::Console(Some(role)) | Speaker::Admin(Some(role)) => write!(f, "{machine} {}", super::code(role)),
        }
    }
}

fn account_of(role: StaffRole) -> AccountId {
    super::code(&role).parse().unwrap()
}

fn chief() -> StationId {
    Speaker::Console(Some(StaffRole::Chief)).station()
}

/// Seven data folders, and an identity for each machine.
pub(crate) struct Prepared {
    dir: tempfile::TempDir,
    identities: BTreeMap<Speaker, Identity>,
}

impl Prepared {
    pub(crate) async fn new() -> Prepared {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("base");
        init::init(&base, "样例考点", None).unwrap();
        let keys = SiteKeys::load(&base).unwrap();
        let (mut identities, mut enrolled) = (BTreeMap::new(), Vec::new());
        for speaker in Speaker::all().into_iter().filter(|speaker| *speaker != Speaker::Guest) {
            let (station, role, key) = (speaker.station(), speaker.machine(), MachineKey::generate().unwrap());
            let certificate = keys.issue(key.public_der(), &station, role).unwrap();
            enrolled.push((speaker, Sha256::of(&certificate)));
            let own = Enrolled { station, role, certificate };
            identities.insert(speaker, Identity::new(keys.site().clone(), own, key));
        }
        let passwords = Passwords::start().unwrap();
        let phc = passwords.hash(Zeroizing::new(PASSWORD.as_bytes().to_vec())).await.unwrap();
        let password = SealedBytes(keys.at_rest().seal(context::STAFF_PASSWORD, phc.as_bytes()));
        let recipient = generate_age().recipient;
        for (index, phase) in PHASES.into_iter().enumerate() {
            let folder = dir.path().join(index.to_string());
            copy(&base, &folder);
            let mut story = Story::begin(&folder);
            story.take(TakePackage { content: package(&keys, &recipient) });
            story.people(&enrolled, &password);
            story.course(&keys, phase);
            story.end();
        }
        Prepared { dir, identities }
    }

    /// A server on a fresh copy of this phase.
    pub(crate) async fn serve(&self, phase: usize) -> Served {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        copy(&self.dir.path().join(phase.to_string()), &data);
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        let ready = run::prepare(&data, &config).await.unwrap();
        let addr = ready.address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(ready.serve(async {
            drop(stopped.await);
        }));
        Served { dir, addr, stop, serving, fresh: AtomicU64::new(1) }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A server that runs.
pub(crate) struct Served {
    dir: tempfile::TempDir,
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
    fresh: AtomicU64,
}

impl Served {
    pub(crate) async fn link(&self, prepared: &Prepared, speaker: Speaker) -> Link {
        let dial = Dial {
            endpoint: client_endpoint(self.addr).unwrap(),
            trust: SiteKeys::load(&self.dir.path().join("data")).unwrap().trust().clone(),
            identity: prepared.identities.get(&speaker).cloned(),
            addr: self.addr,
            build: "matrix 0".to_owned(),
        };
        Link::connect(&dial).await.unwrap().0
    }

    /// A number nobody has used on this server.
    pub(crate) fn fresh(&self) -> u64 {
        self.fresh.fetch_add(1, Ordering::Relaxed)
    }

    /// A folder that does not exist yet.
    pub(crate) fn copy_dir(&self) -> String {
        self.dir.path().join(format!("copy-{}", self.fresh())).to_str().unwrap().to_owned()
    }

    /// Kinds of all facts so far.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let (reader, mut kinds) = (JournalReader::open(&self.dir.path().join("data")).unwrap(), Vec::new());
        reader
            .each(u64::MAX, |row| {
                kinds.push(row.kind.clone());
                Ok(())
            })
            .unwrap();
        kinds
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

/// A journal in the writing.
struct Story {
    journal: Journal,
    site: Site,
    clock: SiteClock,
}

impl Story {
    fn begin(dir: &Path) -> Story {
        let (journal, site, last) = Journal::open(dir).unwrap();
        let (clock, _) = SiteClock::resume(&site, last.wall);
        Story { journal, site, clock }
    }

    fn now(&self) -> Now {
        let now = self.clock.now();
        Now { at: now.at.max(self.site.latest), ..now }
    }

    fn happened(&mut self, fact: impl Into<Fact>) {
        let (now, fact) = (self.now(), fact.into());
        self.site.apply(now, &fact);
        self.journal.append(&[(now, fact)]).unwrap();
    }

    fn take(&mut self, ask: impl Into<Ask>) {
        let ask = ask.into();
        for fact in self.site.decide(self.now(), &ask).unwrap_or_else(|no| panic!("{}: {no}", ask.name())) {
            self.happened(fact);
        }
    }

    fn end(self) {
        self.journal.close().unwrap();
    }

    /// Machines, accounts, and who is signed on where.
    fn people(&mut self, enrolled: &[(Speaker, Sha256)], password: &SealedBytes) {
        let mut stations: Vec<_> = enrolled.iter().map(|(who, hash)| (who.station(), who.machine(), *hash)).collect();
        stations.push(("spare".parse().unwrap(), Role::Station, Sha256::of(b"spare")));
        for (station, role, certificate) in stations {
            self.happened(StationEnrolled { station, role, certificate, code: None, host: "pc".to_owned() });
        }
        let accounts = StaffRole::ALL.into_iter().map(|role| (account_of(role), role));
        for (account, role) in accounts.chain([("absent".parse().unwrap(), StaffRole::Proctor)]) {
            self.happened(AccountMade {
                account,
                name: "张三".to_owned(),
                role,
                room: None,
                stands_in_for: None,
                reason: String::new(),
                password: password.clone(),
                by: Actor { station: chief(), account: None },
            });
        }
        for (speaker, account) in enrolled.iter().filter_map(|(who, _)| Some((who, who.signed_on()?))) {
            self.happened(SignedOn { station: speaker.station(), account });
        }
        self.take(TakeDesk { station: Speaker::Station.station(), seat: desk() });
        let spare = SeatRef { seat: SPARE.try_into().unwrap(), ..desk() };
        self.take(TakeDesk { station: "spare".parse().unwrap(), seat: spare });
    }

    /// The sitting as far as this phase, and something of everything people may speak of.
    fn course(&mut self, keys: &SiteKeys, phase: Phase) {
        let (reached, by, station) =
            (|wanted: Phase| order(phase) >= order(wanted), chief(), Speaker::Station.station());
        let words = || "样例".to_owned();
        self.take(Say { to: Recipients::All, canned: Some(Canned::GoOn), text: String::new(), by: by.clone() });
        let (code, attachments) = (IncidentCode::Machine, Vec::new());
        let account = Account { seat: None, item: None, occurred_at: None, code, text: words(), attachments };
        self.take(RecordIncident { sitting: Some(sitting()), account, by: by.clone() });
        let (kind, at) = (FindingKind::LostContact, self.now().at);
        let subject = About { kind, sitting: sitting(), attempt: None, station: Some(station.clone()) };
        self.take(NoteFinding { subject, stretch: Stretch { from: at, to: at } });
        if phase == Phase::Sealed {
            let (administrator, staff) = (account_of(StaffRole::Admin), account_of(StaffRole::Staff));
            let by = Actor { station: by.clone(), account: Some(account_of(StaffRole::Chief)) };
            self.happened(RoomSealed { sitting: sitting(), administrator, staff, by });
        }
        if reached(Phase::Admitting) {
            self.take(OpenDoor { sitting: sitting(), by: by.clone() });
            let password_tag = password_tag(keys, &number(1), number(1).initial_password());
            self.take(RaiseHand { station: station.clone(), kind: HandKind::Machine, text: String::new() });
            self.take(EnterNumber { station, admission_no: number(1), password_tag, order_seed: 7 });
        }
        if reached(Phase::Running) {
            self.take(AdmitSeats { sitting: sitting(), seats: Vec::new(), by: by.clone() });
            let secret = SealedBytes(keys.at_rest().seal(context::PAPER_KEY, b"AGE-SECRET-KEY-1SAMPLE"));
            self.take(Begin { sitting: sitting(), paper: paper("p1"), secret, by: by.clone() });
            let (seat, measure, incident, occurred_at) = (desk().seat, Measure::Warn, None, None);
            let facts = words();
            self.take(RecordViolation {
                sitting: sitting(),
                seat,
                measure,
                facts,
                incident,
                occurred_at,
                by: by.clone(),
            });
        }
        if phase == Phase::Paused {
            let (target, cause, reason) = (Target::Sitting, PauseCause::PowerCut, words());
            self.take(StopClock { sitting: sitting(), target, cause, reason, by: by.clone() });
        }
        if reached(Phase::Ended) {
            self.take(Stop { sitting: sitting(), by: by.clone() });
        }
        if reached(Phase::Exported) {
            let (content, sealed) = (Sha256::of(b"content"), Sha256::of(b"sealed"));
            self.take(NoteExport { sitting: sitting(), content, sealed, by });
        }
        let there = self.site.sittings[&sitting()].phase();
        assert_eq!(there, phase, "the sitting is where the table means it to be");
        let attempt = self.site.attempts.contains_key(&AttemptId(1));
        assert_eq!(attempt, reached(Phase::Admitting), "and so is its candidate");
    }
}

fn order(phase: Phase) -> usize {
    PHASES.iter().position(|one| *one == phase).unwrap()
}

fn paper(id: &str) -> PaperId {
    id.parse().unwrap()
}

/// One room, two candidates, one sitting with a backup paper.
fn package(keys: &SiteKeys, recipient: &str) -> PackageTaken {
    let person = Person { name: "欧阳灯塔".to_owned(), id_number: "00000019000101002X".to_owned() };
    let identity = SealedBytes(keys.at_rest().seal(context::IDENTITY, &serde_json::to_vec(&person).unwrap()));
    let code = UnlockCode::parse(&hq_code()).unwrap();
    let plan = SittingPlan {
        sitting: sitting(),
        title: "理论".to_owned(),
        room: desk().room,
        subject: Subject::Theory,
        level: "中级".to_owned(),
        paper: paper("p1"),
        planned_start: WallMs(0),
        duration_min: 90,
        admission: AdmissionPolicy::Proctor,
        hq_grants: vec![commitment(&sitting(), 20, &code.folded())],
        group_waits: false,
        mock: false,
    };
    let candidate = |n: u16| CandidateListed {
        admission_no: number(n.into()),
        password_tag: password_tag(keys, &number(n.into()), number(n.into()).initial_password()),
        identity: identity.clone(),
        places: vec![Place { sitting: sitting(), seat: n.try_into().unwrap() }],
    };
    let taken = |id: &str, backup_of| PaperTaken {
        sealed: SealedPaper { paper: paper(id), hash: Sha256::of(id.as_bytes()), bytes: 1 },
        wrapped_key: Sha256::of(b"k"),
        backup_of,
        mock_key: None,
    };
    PackageTaken {
        package: Sha256::of(b"package"),
        exam: "e1".parse().unwrap(),
        title: "样例考试".to_owned(),
        hq_minisign: "hq".to_owned(),
        hq_recipient: recipient.to_owned(),
        rooms: vec![RoomPlan {
            room: desk().room,
            name: "一考场".to_owned(),
            seats: vec![desk().seat, 2.try_into().unwrap()],
            spares: vec![SPARE.try_into().unwrap()],
        }],
        papers: vec![taken("p1", None), taken("p2", Some(paper("p1")))],
        sittings: vec![plan],
        rules: RuleOverrides { seal_required: Some(false), ..RuleOverrides::default() },
        candidates: vec![candidate(1), candidate(2)],
    }
}
