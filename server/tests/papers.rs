//! Papers over the real wire, from a sealed package to a sealed bundle: a mock sitting marked at once, a backup paper for one
//! seat, evidence brought by a console, and what the bundle says of all of it. The server is real, the people are invented.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use exam_link::{
    Dial, Link, LinkError, MachineKey,
    bulk::{BulkError, fetch_blob, put_blob},
    client_endpoint,
    enrol::Enrolment,
    link::Pushes,
};
use exam_protocol::{
    answer::Answer,
    code::{ErrorCode, Refusal, SeatState},
    ids::{AdmissionNo, SeatNo, SeatRef, Sha256, SittingId},
    incident::{ATTACHMENT_BYTES_MAX, IncidentCode, Measure, RecordNo},
    key::{ItemKey, ItemKeys},
    message::{
        admin::*,
        candidate::*,
        duty::{self, PeopleCall, StopCause, TimeCall, Whose},
        hello::Role,
        incident::{About, AddToIncident, AskRecords, RecordIncident, RecordViolation},
        readiness::*,
    },
    paper::{Choice, Item, ItemKind, PAPER_FORMAT, Paper, Subject},
    plan::{AdmissionPolicy, Place, RoomPlan, RuleOverrides, SittingPlan},
    staff::StaffRole,
    tag::{Down, Up},
    time::{SiteMs, WallMs},
};
use exam_sealed::{
    bundle,
    code::UnlockCode,
    keys::{SealingPair, SigningPair, generate_age, generate_minisign},
    manifest::RosterEntry,
    package::{self, CandidateInput, PackageInput, PaperInput},
};
use exam_server::{client, config::Config, init, run, site::SiteKeys};
use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle};

/// Longer than anything here takes; only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    dir: tempfile::TempDir,
    sealing: SealingPair,
    signing: SigningPair,
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn number(n: u16) -> AdmissionNo {
    id(&format!("99000000000000000000{n:06}"))
}

fn seat_no(n: u16) -> SeatNo {
    n.try_into().unwrap()
}

fn code(paper: &str) -> UnlockCode {
    UnlockCode::from_random([paper.as_bytes()[0]; 10])
}

/// Two questions of 2 points; the items of each paper have names of their own.
fn paper(name: &str) -> Paper {
    let choice = |letter: &str| Choice { id: id(letter), text: letter.to_owned() };
    let item = |n: u8| Item {
        id: id(&format!("{name}-{n}")),
        points_tenths: 20,
        stem: vec!["题".into()],
        kind: ItemKind::SingleChoice { options: vec![choice("A"), choice("B")] },
    };
    Paper { format: PAPER_FORMAT, id: id(name), title: "卷".into(), items: vec![item(1), item(2)] }
}

/// B is right everywhere.
fn key(name: &str) -> ItemKeys {
    paper(name).items.into_iter().map(|item| (item.id, ItemKey::Single { option: id("B") })).collect()
}

impl World {
    /// A site whose server runs, with a package: mock sitting `mock` with paper m, real sitting `real` with p, backup b of p.
    async fn open() -> World {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        init::init(&data, "样例考点", None).unwrap();
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        let ready = run::prepare(&data, &config).await.unwrap();
        let addr = ready.address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(ready.serve(async {
            drop(stopped.await);
        }));
        let (sealing, signing) = (generate_age(), generate_minisign().unwrap());
        let world = World { dir, sealing, signing, addr, stop, serving };
        world.import("样例考试").await.unwrap();
        world
    }

    /// HQ builds the package, the administrator brings it.
    async fn import(&self, title: &str) -> Result<Down, LinkError> {
        let site = SiteKeys::load(&self.data()).unwrap().public().clone();
        let sitting = |name: &str, paper: &str, mock: bool| SittingPlan {
            sitting: id(name),
            title: name.to_owned(),
            room: id("r1"),
            subject: Subject::Theory,
            level: "中级".to_owned(),
            paper: id(paper),
            planned_start: WallMs(0),
            duration_min: 90,
            admission: AdmissionPolicy::Automatic,
            hq_grants: vec![],
            group_waits: false,
            mock,
        };
        let candidate = |n: u16| {
            let places = ["mock", "real"].map(|name| Place { sitting: id(name), seat: seat_no(n) });
            let id_number = format!("00000019000101{n:03}X");
            let (admission_no, name) = (number(n), format!("考生{n}"));
            let entry = RosterEntry { admission_no, name, id_number, places: places.into(), photo: None };
            CandidateInput { entry, photo: None }
        };
        let sealed = |name: &str, backup_of: Option<&str>, mock_key| PaperInput {
            paper: paper(name),
            code: code(name),
            backup_of: backup_of.map(id),
            mock_key,
        };
        let built = package::build(PackageInput {
            exam: id("e1"),
            exam_title: title.to_owned(),
            built_at: WallMs(0),
            server_min: "0.1.0".to_owned(),
            site,
            hq_recipient: self.sealing.recipient.clone(),
            hq_secret: self.signing.secret_file.clone(),
            rooms: vec![RoomPlan {
                room: id("r1"),
                name: "一考场".to_owned(),
                seats: vec![seat_no(1), seat_no(2)],
                spares: vec![],
            }],
            sittings: vec![sitting("mock", "m", true), sitting("real", "p", false)],
            rules: RuleOverrides {
                seal_required: Some(false),
                hand_in_needs_consent: Some(false),
                early_hand_in_theory_min: Some(90),
                ..RuleOverrides::default()
            },
            candidates: vec![candidate(1), candidate(2)],
            papers: vec![sealed("m", None, Some(key("m"))), sealed("p", None, None), sealed("b", Some("p"), None)],
        });
        let file = self.dir.path().join("p.exam");
        fs::write(&file, built.unwrap().bytes).unwrap();
        let admin = self.admin().await;
        let package = put_blob(&admin, &file).await.unwrap();
        admin.ask(ImportPackage { package }).await
    }

    async fn close(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    async fn admin(&self) -> Link {
        client::connect(&self.data(), Some(self.addr)).await.unwrap().0
    }

    async fn machine(&self, role: Role) -> Dial {
        let admin = self.admin().await;
        let Down::IssuedCode(code) = admin.ask(IssueCodes { role, uses: 1 }).await.unwrap() else { panic!("no code") };
        let trust = SiteKeys::load(&self.data()).unwrap().trust().clone();
        let endpoint = client_endpoint(self.addr).unwrap();
        let dial = Dial { endpoint, trust, identity: None, addr: self.addr, build: "test 0".into() };
        let enrolment = Enrolment { code: code.code, key: MachineKey::generate().unwrap(), host: "pc".into() };
        let identity = exam_link::enrol::enrol(&dial, enrolment).await.unwrap();
        Dial { identity: Some(identity), ..dial }
    }

    /// A console where the chief is signed on.
    async fn chief(&self) -> Link {
        let make = duty::MakeAccount {
            account: id("chief"),
            name: "李四".to_owned(),
            role: StaffRole::Chief,
            room: None,
            stands_in_for: None,
            reason: String::new(),
            password: "password of chief".to_owned(),
        };
        fine(&self.admin().await, PeopleCall::Make(make)).await;
        let console = Link::connect(&self.machine(Role::Console).await).await.unwrap().0;
        let on = duty::SignOn { account: id("chief"), password: "password of chief".to_owned() };
        fine(&console, PeopleCall::SignOn(on)).await;
        console
    }

    async fn seat(&self, n: u16) -> Seat {
        let dial = self.machine(Role::Station).await;
        let (link, _, pushes) = Link::connect(&dial).await.unwrap();
        fine(&link, TakeSeat { seat: SeatRef { room: id("r1"), seat: seat_no(n) } }).await;
        Seat { n, dial, link, pushes }
    }

    /// A file on this machine.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

struct Seat {
    n: u16,
    dial: Dial,
    link: Link,
    pushes: Pushes,
}

impl Seat {
    async fn sign_in(&mut self) {
        let (admission_no, password) = (number(self.n), number(self.n).initial_password().to_owned());
        fine(&self.link, SignIn { admission_no, password }).await;
    }

    /// Reads pushes until the seat's view is as wanted; what else was pushed until then.
    async fn until(&mut self, wanted: impl Fn(&SeatView) -> bool) -> (SeatView, Vec<Down>) {
        let mut others = Vec::new();
        let search = async {
            loop {
                match self.pushes.next().await.expect("the connection holds") {
                    Down::SeatView(view) if wanted(&view) => return view,
                    other => others.push(other),
                }
            }
        };
        let view = tokio::time::timeout(PATIENCE, search).await.expect("the server says it");
        (view, others)
    }

    async fn released(&mut self, paper: &str) -> AttemptId {
        let released = |view: &SeatView| {
            let attempt = view.attempt.as_ref()?;
            (attempt.release.as_ref()?.paper.as_str() == paper).then_some(attempt.attempt)
        };
        let (view, _) = self.until(|view| released(view).is_some()).await;
        released(&view).unwrap()
    }

    async fn answers(&self, attempt: AttemptId, item: &str, option: &str) {
        let answer = Answer::Single(id(option));
        let saved = SaveAnswer { attempt, item: id(item), number: 1, answer, made_at: SiteMs(0) };
        assert!(matches!(self.link.ask(saved).await, Ok(Down::Saved(_))));
    }

    async fn hands_in(&self, attempt: AttemptId, items: &[&str]) {
        let newest = items.iter().map(|item| Newest { item: id(item), number: 1 }).collect();
        assert!(matches!(self.link.ask(HandIn { attempt, newest }).await, Ok(Down::HandedIn(_))));
    }

    async fn points(&mut self) -> SeatPoints {
        let search = async {
            loop {
                if let Down::SeatPoints(points) = self.pushes.next().await.expect("the connection holds") {
                    return points;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("the points are told")
    }
}

async fn fine(link: &Link, message: impl Into<Up>) {
    let reply = link.ask(message).await;
    assert!(matches!(reply, Ok(Down::Done(_))), "{reply:?}");
}

async fn refusal(link: &Link, message: impl Into<Up>) -> Refusal {
    match link.ask(message).await {
        Err(LinkError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

async fn start(link: &Link, sitting: &str, paper: &str) {
    fine(link, StartSitting { sitting: id(sitting), code: code(paper).to_string() }).await;
}

fn points(right: u32) -> Points {
    Points { points_tenths: u64::from(right) * 20, max_tenths: 40, by_hand_tenths: 0, right, items: 2 }
}

async fn table(link: &Link) -> MockPoints {
    match link.ask(AskMockPoints { sitting: id("mock") }).await.unwrap() {
        Down::MockPoints(table) => table,
        other => panic!("no table: {}", other.name()),
    }
}

#[tokio::test]
async fn a_mock_is_marked_at_once_for_seat_and_console_and_a_real_sitting_never() {
    let world = World::open().await;
    let admin = world.admin().await;
    let (mut first, mut second) = (world.seat(1).await, world.seat(2).await);
    fine(&admin, OpenAdmission { sitting: id("mock") }).await;
    for seat in [&mut first, &mut second] {
        seat.sign_in().await;
    }
    start(&admin, "mock", "m").await;
    let (a, b) = (first.released("m").await, second.released("m").await);
    first.answers(a, "m-1", "B").await;
    first.answers(a, "m-2", "A").await;
    second.answers(b, "m-1", "B").await;
    second.answers(b, "m-2", "B").await;
    let shown: Vec<_> = table(&admin).await.rows.into_iter().map(|row| (row.state, row.points)).collect();
    assert_eq!(shown, [(SeatState::Working, None); 2], "nobody is told anything before it is over");

    first.hands_in(a, &["m-1", "m-2"]).await;
    assert_eq!(first.points().await, SeatPoints { attempt: a, points: points(1) }, "at once");
    fine(&admin, EndSitting { sitting: id("mock") }).await;
    assert_eq!(second.points().await, SeatPoints { attempt: b, points: points(2) }, "at the end");
    let told = table(&admin).await;
    assert!(told.has_key);
    let shown: Vec<_> = told.rows.into_iter().map(|row| (row.seat, row.points)).collect();
    assert_eq!(shown, [(seat_no(1), Some(points(1))), (seat_no(2), Some(points(2)))]);
    let (link, _, pushes) = Link::connect(&first.dial).await.unwrap();
    (first.link, first.pushes) = (link, pushes);
    assert_eq!(first.points().await.points, points(1), "and again after a reconnect");

    // A run that is over does not stand in the way of a corrected package; its attempts are gone from the table.
    world.import("样例考试（更正）").await.unwrap();
    assert!(table(&admin).await.rows.iter().all(|row| row.points.is_none() && row.attempt.is_none()));

    assert_eq!(refusal(&admin, AskMockPoints { sitting: id("real") }).await, Refusal::MarkedAtHq);
    fine(&admin, OpenAdmission { sitting: id("real") }).await;
    first.sign_in().await;
    start(&admin, "real", "p").await;
    let attempt = first.released("p").await;
    first.answers(attempt, "p-1", "B").await;
    first.hands_in(attempt, &["p-1"]).await;
    let (_, until_handed_in) = first.until(|view| view.state == SeatState::HandedIn).await;
    fine(&admin, EndSitting { sitting: id("real") }).await;
    let ended = |view: &SeatView| view.sitting.as_ref().is_some_and(|s| s.phase == exam_protocol::code::Phase::Ended);
    let (_, until_ended) = first.until(ended).await;
    let marks = until_handed_in.iter().chain(&until_ended).filter(|down| matches!(down, Down::SeatPoints(_)));
    assert_eq!(marks.count(), 0, "a real sitting never shows a mark");
    assert_eq!(refusal(&admin, AskMockPoints { sitting: id("real") }).await, Refusal::MarkedAtHq);
    let refused = world.import("样例考试（再更正）").await;
    assert!(matches!(refused, Err(LinkError::Refused(Refusal::SittingBegun { .. }))), "{refused:?}");
    world.close().await;
}

fn incident(attachments: Vec<Sha256>) -> RecordIncident {
    RecordIncident {
        sitting: Some(id("real")),
        seat: None,
        item: None,
        occurred_at: None,
        code: IncidentCode::Emergency,
        text: "水管爆裂".to_owned(),
        attachments,
    }
}

const PHOTO: &[u8] = b"\xff\xd8\xff\xe0 the flooded corner";

#[tokio::test]
async fn a_console_brings_photos_and_scans_and_nothing_else() {
    let world = World::open().await;
    let console = world.chief().await;
    let photo = put_blob(&console, &world.file("a.jpg", PHOTO)).await.unwrap();
    let program = put_blob(&console, &world.file("b.jpg", b"MZ\x90 a program")).await.unwrap();
    let unfit = Refusal::AttachmentUnfit { max_mib: 16 };
    assert_eq!(refusal(&console, incident(vec![photo, program])).await, unfit, "its name does not make it a photo");
    let gone = console.ask(incident(vec![Sha256::of(b"never brought")])).await;
    assert!(matches!(gone, Err(LinkError::Failed(ErrorCode::BlobUnknown))), "{gone:?}");
    let large = world.dir.path().join("c.jpg");
    fs::File::create(&large).unwrap().set_len(ATTACHMENT_BYTES_MAX + 1).unwrap();
    let refused = put_blob(&console, &large).await;
    assert!(matches!(&refused, Err(BulkError::Link(LinkError::Refused(no))) if *no == unfit), "{refused:?}");
    let seat = world.seat(1).await;
    let refused = put_blob(&seat.link, &world.file("d.jpg", PHOTO)).await;
    assert!(matches!(refused, Err(BulkError::Link(LinkError::Refused(Refusal::RoleMayNot)))), "{refused:?}");
    assert!(matches!(console.ask(incident(vec![photo])).await, Ok(Down::Recorded(_))));
    world.close().await;
}

#[tokio::test]
async fn paper_evidence_and_decisions_of_the_room_are_in_the_bundle() {
    let world = World::open().await;
    let (chief, admin) = (world.chief().await, world.admin().await);
    fine(&chief, RequestBackupPaper { sitting: id("real"), reason: "第二考场漏水".to_owned() }).await;
    let Down::Records(records) = chief.ask(AskRecords { sitting: None, after: RecordNo(0) }).await.unwrap() else {
        panic!("no records")
    };
    assert_eq!(records.reports[0].about, About::BackupRequest(1), "HQ's queue has it");

    let (mut first, mut second) = (world.seat(1).await, world.seat(2).await);
    fine(&chief, OpenAdmission { sitting: id("real") }).await;
    for seat in [&mut first, &mut second] {
        seat.sign_in().await;
    }
    start(&chief, "real", "p").await;
    let (a, b) = (first.released("p").await, second.released("p").await);
    first.answers(a, "p-1", "A").await;

    // One seat gets the backup paper while the other goes on.
    let whose = Whose::Seat(seat_no(2));
    let sitting = || id::<SittingId>("real");
    let backup = || {
        let (seat, code, reason) = (Some(seat_no(2)), code("b").to_string(), "试卷显示不全".to_owned());
        UseBackupPaper { sitting: sitting(), seat, paper: id("b"), code, reason }
    };
    assert_eq!(
        refusal(&chief, backup()).await,
        Refusal::WrongSeatState { state: SeatState::Working },
        "its clock stands still first"
    );
    let (cause, reason) = (StopCause::Machine, "黑屏".to_owned());
    fine(&chief, TimeCall::Stop(duty::StopClock { sitting: sitting(), whose, cause, reason })).await;
    fine(&chief, backup()).await;
    fine(&chief, TimeCall::Run(duty::RunClock { sitting: sitting(), whose })).await;
    assert_eq!(second.released("b").await, b);
    second.answers(b, "b-1", "B").await;

    let photo = put_blob(&chief, &world.file("a.jpg", PHOTO)).await.unwrap();
    let Down::Recorded(flood) = chief.ask(incident(vec![photo])).await.unwrap() else { panic!("not recorded") };
    let scan = put_blob(&chief, &world.file("a.pdf", b"%PDF-1.4 the plumber's note")).await.unwrap();
    let more = AddToIncident { record: flood.record, text: "维修单".to_owned(), attachments: vec![scan] };
    fine(&chief, more).await;
    let violation = RecordViolation {
        sitting: sitting(),
        seat: seat_no(1),
        measure: Measure::Void,
        facts: "抄袭".to_owned(),
        incident: None,
        occurred_at: None,
    };
    let Down::Recorded(void) = chief.ask(violation).await.unwrap() else { panic!("not recorded") };
    fine(&chief, EndSitting { sitting: sitting() }).await;

    let report = world.bundle(&admin).await;
    let [one, two] = &report.attempts[..] else { panic!("two candidates") };
    assert_eq!((one.paper.clone(), one.void), (Some(id("p")), Some(void.record)));
    assert_eq!((two.paper.clone(), two.void), (Some(id("b")), None));
    assert_eq!(report.members[&bundle::attachment_member(PHOTO)], PHOTO);
    assert!(report.members.contains_key(&format!("attachments/{scan}.pdf")));
    assert_eq!(world.bundle(&admin).await.content, report.content, "two exports are equal");

    // A photo lost with a disk stops no result, and is not passed over in silence.
    fs::remove_file(world.data().join("attachments").join(photo.hex())).unwrap();
    let report = world.bundle(&admin).await;
    assert_eq!(report.manifest.attachments_lost, [photo]);
    assert!(report.members.contains_key(&format!("attachments/{scan}.pdf")));
    world.close().await;
}

impl World {
    /// The bundle as HQ gets it, opened and verified.
    async fn bundle(&self, admin: &Link) -> bundle::BundleReport {
        let ready = match admin.ask(ExportBundle { sitting: id("real") }).await.unwrap() {
            Down::BundleReady(ready) => ready,
            other => panic!("no bundle: {}", other.name()),
        };
        let file = self.dir.path().join(ready.content.hex());
        fetch_blob(admin, ready.sealed, &file).await.unwrap();
        let zip = bundle::open(&fs::read(file).unwrap(), &self.sealing.identity_file).unwrap();
        let site = SiteKeys::load(&self.data()).unwrap().public().clone();
        bundle::verify(&zip, &site.minisign, &site.site).unwrap()
    }
}
