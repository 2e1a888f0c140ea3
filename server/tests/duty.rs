//! A running room over the real wire: hands, messages, people, the clock and the search, with the real clerk and journal.
//! The journal is prepared with the facts a package and a start would leave.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use exam_link::{Dial, Identity, Link, LinkError, MachineKey, client_endpoint, enrol::Enrolment, link::Pushes};
use exam_protocol::{
    code::{Refusal, SeatState},
    grant::commitment,
    ids::{AdmissionNo, SealedBytes, SeatRef, Sha256, SittingId},
    message::{
        admin::IssueCodes,
        board::{SeatNews, WatchBoard},
        candidate::{SignIn, TakeSeat},
        duty::*,
        hello::Role,
    },
    paper::{SealedPaper, Subject},
    plan::{AdmissionPolicy, Place, RoomPlan, RuleOverrides, SittingPlan},
    staff::StaffRole,
    tag::{Down, Up},
    time::WallMs,
};
use exam_room::{
    Ask, Fact,
    authority::Actor,
    rules::{
        package::{CandidateListed, PackageTaken, PaperTaken, TakePackage},
        start::SittingStarted,
    },
};
use exam_sealed::code::UnlockCode;
use exam_server::{
    client,
    clock::SiteClock,
    config::Config,
    init,
    journal::Journal,
    reception::{Identity as Person, context, password_tag},
    run,
    site::SiteKeys,
};
use std::{net::SocketAddr, path::Path, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle};

/// Longer than anything here takes; only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

struct Room {
    dir: tempfile::TempDir,
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

fn sitting() -> SittingId {
    "s1".parse().unwrap()
}

fn number() -> AdmissionNo {
    "99000000000000000000123456".parse().unwrap()
}

fn hq_code() -> UnlockCode {
    UnlockCode::from_random([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
}

fn desk() -> SeatRef {
    SeatRef { room: "r1".parse().unwrap(), seat: 1.try_into().unwrap() }
}

/// What a package says: one room, one candidate, one sitting.
fn package(keys: &SiteKeys) -> PackageTaken {
    let person = Person { name: "欧阳灯塔".to_owned(), id_number: "00000019000101002X".to_owned() };
    let identity = keys.at_rest().seal(context::IDENTITY, &serde_json::to_vec(&person).unwrap());
    let plan = SittingPlan {
        sitting: sitting(),
        title: "理论".to_owned(),
        room: desk().room,
        subject: Subject::Theory,
        level: "中级".to_owned(),
        paper: "p1".parse().unwrap(),
        planned_start: WallMs(0),
        duration_min: 90,
        admission: AdmissionPolicy::Automatic,
        hq_grants: vec![commitment(&sitting(), 20, &hq_code().folded())],
        group_waits: false,
        mock: false,
    };
    PackageTaken {
        package: Sha256::of(b"package"),
        exam: "e1".parse().unwrap(),
        title: "样例考试".to_owned(),
        hq_minisign: "hq".to_owned(),
        hq_recipient: "age1".to_owned(),
        rooms: vec![RoomPlan {
            room: desk().room,
            name: "一考场".to_owned(),
            seats: vec![desk().seat],
            spares: vec![],
        }],
        papers: vec![PaperTaken {
            sealed: SealedPaper { paper: plan.paper.clone(), hash: Sha256::of(b"p"), bytes: 1 },
            wrapped_key: Sha256::of(b"k"),
            backup_of: None,
            mock_key: None,
        }],
        sittings: vec![plan],
        rules: RuleOverrides { seal_required: Some(false), ..RuleOverrides::default() },
        candidates: vec![CandidateListed {
            admission_no: number(),
            password_tag: password_tag(keys, &number(), number().initial_password()),
            identity: SealedBytes(identity),
            places: vec![Place { sitting: sitting(), seat: desk().seat }],
        }],
    }
}

/// A journal with a package and a sitting that runs.
fn prepared(dir: &Path) {
    let created = init::init(dir, "样例考点", None).unwrap();
    let keys = SiteKeys::load(dir).unwrap();
    let (mut journal, site, last) = Journal::open(dir).unwrap();
    let (clock, _) = SiteClock::resume(&site, last.wall);
    let now = clock.now();
    let ask: Ask = TakePackage { content: package(&keys) }.into();
    let mut facts: Vec<Fact> = site.decide(now, &ask).unwrap();
    let secret = SealedBytes(keys.at_rest().seal(context::PAPER_KEY, b"AGE-SECRET-KEY-1SAMPLE"));
    let by = Actor { station: created.admin, account: None };
    facts.push(SittingStarted { sitting: sitting(), paper: "p1".parse().unwrap(), secret, by }.into());
    journal.append(&facts.into_iter().map(|fact| (now, fact)).collect::<Vec<_>>()).unwrap();
    journal.close().unwrap();
}

impl Room {
    async fn open() -> Room {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        prepared(&data);
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        let ready = run::prepare(&data, &config).await.unwrap();
        let addr = ready.address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(ready.serve(async {
            drop(stopped.await);
        }));
        Room { dir, addr, stop, serving }
    }

    async fn close(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }

    fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    async fn admin(&self) -> Link {
        client::connect(&self.data(), Some(self.addr)).await.unwrap().0
    }

    /// A machine of the site with this role.
    async fn machine(&self, admin: &Link, role: Role) -> Dial {
        let Down::IssuedCode(code) = admin.ask(IssueCodes { role, uses: 1 }).await.unwrap() else { panic!("no code") };
        let trust = SiteKeys::load(&self.data()).unwrap().trust().clone();
        let endpoint = client_endpoint(self.addr).unwrap();
        let dial = Dial { endpoint, trust, identity: None, addr: self.addr, build: "test 0".into() };
        let enrolment = Enrolment { code: code.code, key: MachineKey::generate().unwrap(), host: "pc".into() };
        let identity: Identity = exam_link::enrol::enrol(&dial, enrolment).await.unwrap();
        Dial { identity: Some(identity), ..dial }
    }
}

async fn refusal(link: &Link, message: impl Into<Up>) -> Refusal {
    match link.ask(message).await {
        Err(LinkError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

async fn fine(link: &Link, message: impl Into<Up>) {
    assert!(matches!(link.ask(message).await, Ok(Down::Done(_))));
}

async fn pushed<T>(pushes: &mut Pushes, wanted: impl Fn(Down) -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = wanted(pushes.next().await.expect("the connection holds")) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, search).await.expect("the server says it")
}

async fn messages(pushes: &mut Pushes) -> Vec<SeatMessage> {
    pushed(pushes, |down| if let Down::SeatMessages(unread) = down { Some(unread.messages) } else { None }).await
}

async fn sent(admin: &Link) -> SentMessage {
    let Down::SentMessages(page) = admin.ask(AskMessages { before: None }).await.unwrap() else { panic!("no page") };
    page.messages[0].clone()
}

fn make(account: &str, role: StaffRole, password: &str) -> PeopleCall {
    PeopleCall::Make(MakeAccount {
        account: account.parse().unwrap(),
        name: "李四".to_owned(),
        role,
        room: None,
        stands_in_for: None,
        reason: String::new(),
        password: password.to_owned(),
    })
}

fn sign_on(account: &str, password: &str) -> PeopleCall {
    PeopleCall::SignOn(SignOn { account: account.parse().unwrap(), password: password.to_owned() })
}

/// The candidate's machine, signed in.
async fn seat(room: &Room, admin: &Link) -> (Dial, Link, Pushes) {
    let dial = room.machine(admin, Role::Station).await;
    let (link, _, pushes) = Link::connect(&dial).await.unwrap();
    fine(&link, TakeSeat { seat: desk() }).await;
    fine(&link, SignIn { admission_no: number(), password: number().initial_password().to_owned() }).await;
    (dial, link, pushes)
}

#[tokio::test]
async fn a_hand_is_taken_and_a_message_outlives_a_reconnect() {
    let room = Room::open().await;
    let admin = room.admin().await;
    let (dial, link, mut pushes) = seat(&room, &admin).await;

    fine(&link, SeatHand::Raise { kind: HandKind::Machine, text: "键盘失灵".to_owned() }).await;
    let Down::Hands(queue) = admin.ask(HandCall::List { sitting: sitting() }).await.unwrap() else {
        panic!("no queue")
    };
    assert_eq!((queue.hands.len(), queue.hands[0].stage), (1, HandStage::Raised));
    fine(&admin, HandCall::Take { hand: queue.hands[0].hand }).await;
    let taken = |down| matches!(down, Down::HandStands(HandStands { stage: HandStage::Taken, .. })).then_some(());
    pushed(&mut pushes, taken).await;

    let text = "请看黑板".to_owned();
    let to = Recipients::Seats { sitting: sitting(), seats: vec![desk().seat] };
    let on_way = admin.ask(SendMessage { to, canned: None, text: text.clone() }).await.unwrap();
    assert_eq!(messages(&mut pushes).await[0].text, text);
    assert_eq!(on_way, Down::MessageOnWay(MessageOnWay { message: sent(&admin).await.message }));
    let delivery = sent(&admin).await.seats[0].clone();
    assert!(delivery.delivered_at.is_some() && delivery.read_at.is_none(), "delivered is not read: {delivery:?}");

    drop((link, pushes));
    let (link, _, mut pushes) = Link::connect(&dial).await.unwrap();
    let again = messages(&mut pushes).await;
    assert_eq!(again[0].text, text, "what was not read comes again");
    fine(&link, ReadMessage { message: again[0].message }).await;
    assert!(sent(&admin).await.seats[0].read_at.is_some());
    room.close().await;
}

#[tokio::test]
async fn a_message_sent_while_a_seat_is_away_is_delivered_when_it_comes_back() {
    let room = Room::open().await;
    let admin = room.admin().await;
    let (dial, link, pushes) = seat(&room, &admin).await;
    drop((link, pushes));
    // The server notices the end of a connection by itself; until then it would call the message delivered.
    let connected = async {
        loop {
            let Down::SiteStatus(status) = admin.ask(exam_protocol::message::admin::AskStatus).await.unwrap() else {
                panic!("no status")
            };
            if status.stations_connected == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, connected).await.unwrap();
    let words = SendMessage { to: Recipients::All, canned: Some(Canned::GoOn), text: String::new() };
    assert!(matches!(admin.ask(words).await, Ok(Down::MessageOnWay(_))));
    assert!(sent(&admin).await.seats[0].delivered_at.is_none(), "nobody is there");
    let (_link, _, mut pushes) = Link::connect(&dial).await.unwrap();
    assert_eq!(messages(&mut pushes).await[0].canned, Some(Canned::GoOn));
    assert!(sent(&admin).await.seats[0].delivered_at.is_some());
    room.close().await;
}

#[tokio::test]
async fn an_extension_takes_two_people_and_their_passwords_or_hq() {
    let room = Room::open().await;
    let admin = room.admin().await;
    let (_dial, _link, _pushes) = seat(&room, &admin).await;
    assert_eq!(
        refusal(&admin, make("chief", StaffRole::Chief, "1234567")).await,
        Refusal::PasswordTooShort { min_chars: 8 }
    );
    fine(&admin, make("chief", StaffRole::Chief, "password of chief")).await;
    fine(&admin, make("see", StaffRole::Inspector, "password of see")).await;

    let extend = |passwords: [(&str, &str); 2]| {
        let approval = |(account, password): (&str, &str)| Approval {
            account: account.parse().unwrap(),
            password: password.to_owned(),
        };
        let (whose, reason) = (Whose::Seat(desk().seat), "换机".to_owned());
        let approvals = passwords.map(approval).into();
        TimeCall::Extend(ExtendTime { sitting: sitting(), whose, minutes: 10, reason, approvals })
    };
    let chief = ("chief", "password of chief");
    for wrong in [("see", "password of chief"), ("nobody", "password of see"), ("see", "")] {
        assert_eq!(refusal(&admin, extend([chief, wrong])).await, Refusal::WrongAccountOrPassword, "{wrong:?}");
    }
    assert!(matches!(refusal(&admin, extend([chief, chief])).await, Refusal::SecondPersonMissing { .. }));
    fine(&admin, extend([chief, ("see", "password of see")])).await;
    let over = refusal(&admin, extend([chief, ("see", "password of see")])).await;
    assert_eq!(over, Refusal::ExtensionLimit { used_minutes: 10, limit_minutes: 15 });

    fine(&admin, sign_on("chief", "password of chief")).await;
    let by_hq = |code: String| {
        let (whose, reason) = (Whose::All, "停电".to_owned());
        TimeCall::ExtendByHq(ExtendByHqCode { sitting: sitting(), whose, minutes: 20, reason, code })
    };
    assert_eq!(refusal(&admin, by_hq("ABC".to_owned())).await, Refusal::UnlockCodeMistyped);
    fine(&admin, by_hq(hq_code().to_string().to_lowercase())).await;
    assert_eq!(refusal(&admin, by_hq(hq_code().to_string())).await, Refusal::HqCodeUsed);

    let (whose, cause, reason) = (Whose::Seat(desk().seat), StopCause::Machine, "黑屏".to_owned());
    fine(&admin, TimeCall::Stop(StopClock { sitting: sitting(), whose, cause, reason })).await;
    fine(&admin, TimeCall::Run(RunClock { sitting: sitting(), whose })).await;
    let nobody = TimeCall::Run(RunClock { sitting: sitting(), whose: Whose::Seat(9.try_into().unwrap()) });
    assert_eq!(refusal(&admin, nobody).await, Refusal::AttemptUnknown);
    room.close().await;
}

#[tokio::test]
async fn five_wrong_passwords_pause_one_console_and_no_other() {
    let room = Room::open().await;
    let admin = room.admin().await;
    fine(&admin, make("chief", StaffRole::Chief, "password of chief")).await;
    let console = room.machine(&admin, Role::Console).await;
    let (console, _, _pushes) = Link::connect(&console).await.unwrap();
    for account in ["chief", "nobody", "chief", "nobody", "chief"] {
        let wrong = sign_on(account, "not the password");
        assert_eq!(refusal(&console, wrong).await, Refusal::WrongAccountOrPassword, "{account}");
    }
    let right = || sign_on("chief", "password of chief");
    assert!(matches!(refusal(&console, right()).await, Refusal::PasswordPause { .. }));
    fine(&admin, right()).await;
    let Down::People(people) = admin.ask(PeopleCall::List).await.unwrap() else { panic!("no list") };
    assert_eq!(people.own.map(String::from).as_deref(), Some("chief"));
    room.close().await;
}

#[tokio::test]
async fn a_candidate_is_found_by_whoever_answers_for_a_console() {
    let room = Room::open().await;
    let admin = room.admin().await;
    let ask = |query: &str| FindCandidate { query: query.to_owned() };
    for query in ["灯塔", "123456", "002x"] {
        let Down::Found(found) = admin.ask(ask(query)).await.unwrap() else { panic!("no answer") };
        let one = &found.candidates[0];
        assert_eq!((one.name.as_str(), one.id_masked.as_str()), ("欧阳灯塔", "**************002X"), "{query}");
        assert_eq!((&one.seat, one.state, one.room_name.as_str()), (&desk(), SeatState::Waiting, "一考场"));
    }
    let Down::Found(nobody) = admin.ask(ask("19000101")).await.unwrap() else { panic!("no answer") };
    assert!(nobody.candidates.is_empty(), "nobody is found by the middle of an ID number");
    let console = room.machine(&admin, Role::Console).await;
    let (console, _, _pushes) = Link::connect(&console).await.unwrap();
    assert_eq!(refusal(&console, ask("灯塔")).await, Refusal::NobodySignedOn);
    room.close().await;
}

fn change(account: &str, old: &str, new: &str) -> PeopleCall {
    let account = account.parse().unwrap();
    PeopleCall::ChangePassword(ChangePassword { account, old: old.to_owned(), new: new.to_owned() })
}

fn reset(account: &str, new: &str) -> PeopleCall {
    PeopleCall::ResetPassword(ResetPassword { account: account.parse().unwrap(), new: new.to_owned() })
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one_and_reset_by_others() {
    let room = Room::open().await;
    let admin = room.admin().await;
    fine(&admin, make("chief", StaffRole::Chief, "password of chief")).await;
    fine(&admin, make("watch", StaffRole::Proctor, "password of watch")).await;
    let console = room.machine(&admin, Role::Console).await;
    let (console, _, _pushes) = Link::connect(&console).await.unwrap();
    fine(&console, sign_on("watch", "password of watch")).await;

    assert_eq!(refusal(&console, change("watch", "wrong", "a new password")).await, Refusal::WrongAccountOrPassword);
    assert_eq!(refusal(&console, change("nobody", "wrong", "a new password")).await, Refusal::WrongAccountOrPassword);
    let short = Refusal::PasswordTooShort { min_chars: 8 };
    assert_eq!(refusal(&console, change("watch", "password of watch", "1234567")).await, short);
    fine(&console, change("watch", "password of watch", "a new password")).await;
    assert_eq!(refusal(&console, sign_on("watch", "password of watch")).await, Refusal::WrongAccountOrPassword);
    fine(&console, sign_on("watch", "a new password")).await;

    assert!(matches!(refusal(&console, reset("chief", "taken over by me")).await, Refusal::NotYourAct { .. }));
    fine(&admin, sign_on("chief", "password of chief")).await;
    assert_eq!(refusal(&admin, reset("chief", "a shorter way")).await, Refusal::OldPasswordMissing);
    assert_eq!(refusal(&admin, reset("watch", "1234567")).await, short);
    fine(&admin, reset("watch", "handed over in person")).await;
    let Down::People(people) = console.ask(PeopleCall::List).await.unwrap() else { panic!("no list") };
    assert_eq!(people.own, None, "who was signed on with the old password is so no longer");
    assert_eq!(refusal(&console, sign_on("watch", "a new password")).await, Refusal::WrongAccountOrPassword);
    fine(&console, sign_on("watch", "handed over in person")).await;
    for file in std::fs::read_dir(room.data()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        for secret in ["password of watch", "a new password", "handed over in person"] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds a password", file.display());
        }
    }
    room.close().await;
}

#[tokio::test]
async fn wrong_old_passwords_count_as_failed_tries() {
    let room = Room::open().await;
    let admin = room.admin().await;
    fine(&admin, make("chief", StaffRole::Chief, "password of chief")).await;
    for _ in 0..5 {
        let wrong = change("chief", "not the password", "a new password");
        assert_eq!(refusal(&admin, wrong).await, Refusal::WrongAccountOrPassword);
    }
    let right = change("chief", "password of chief", "a new password");
    assert!(matches!(refusal(&admin, right).await, Refusal::PasswordPause { .. }));
    room.close().await;
}

/// News of the board until `wanted` says yes; everything heard meanwhile, merged by desk.
async fn board(pushes: &mut Pushes, wanted: impl Fn(&SeatNews) -> bool) -> (bool, SeatNews) {
    let mut whole = false;
    let heard = pushed(pushes, |down| match down {
        Down::BoardNews(news) => Some(news),
        _ => None,
    });
    let mut news = heard.await;
    loop {
        whole |= news.whole;
        if let Some(seat) = news.seats.iter().find(|seat| wanted(seat)) {
            return (whole, seat.clone());
        }
        news = pushed(pushes, |down| if let Down::BoardNews(news) = down { Some(news) } else { None }).await;
    }
}

#[tokio::test]
async fn a_change_on_a_seat_reaches_the_consoles_that_watch_its_room() {
    let room = Room::open().await;
    let admin = room.admin().await;
    let (_dial, link, _seat_pushes) = seat(&room, &admin).await;
    let dial = room.machine(&admin, Role::Console).await;
    let (console, _, mut pushes) = Link::connect(&dial).await.unwrap();
    assert_eq!(refusal(&console, WatchBoard { room: "r9".parse().ok() }).await, Refusal::SeatUnknown);
    assert_eq!(refusal(&admin, WatchBoard { room: None }).await, Refusal::RoleMayNot, "a command line hears no pushes");
    fine(&console, WatchBoard { room: Some(desk().room) }).await;
    let (whole, first) = board(&mut pushes, |seat| seat.state == SeatState::Working).await;
    assert!(whole && first.connected && first.seat == desk(), "the first is everything: {first:?}");

    let (whose, cause, reason) = (Whose::Seat(desk().seat), StopCause::Machine, "黑屏".to_owned());
    fine(&admin, TimeCall::Stop(StopClock { sitting: sitting(), whose, cause, reason })).await;
    let (whole, paused) = board(&mut pushes, |seat| seat.state == SeatState::Paused).await;
    assert!(!whole && paused.ends.is_none(), "a change is only what changed");
    fine(&link, SeatHand::Raise { kind: HandKind::Machine, text: String::new() }).await;
    let open = |down| matches!(down, Down::BoardNews(news) if news.rooms.iter().any(|room| room.hands_open == 1));
    pushed(&mut pushes, |down| open(down).then_some(())).await;

    drop((link, _seat_pushes));
    board(&mut pushes, |seat| !seat.connected).await;
    drop((console, pushes));
    let (console, _, mut pushes) = Link::connect(&dial).await.unwrap();
    fine(&console, WatchBoard { room: None }).await;
    let (whole, last) = board(&mut pushes, |_| true).await;
    assert!(whole && last.state == SeatState::Paused, "who comes again begins with everything: {last:?}");
    room.close().await;
}

#[tokio::test]
async fn a_console_that_does_not_read_holds_up_nobody_and_catches_up_in_a_few_messages() {
    let room = Room::open().await;
    let admin = room.admin().await;
    let (_dial, link, mut seat_pushes) = seat(&room, &admin).await;
    let dial = room.machine(&admin, Role::Console).await;
    let (console, _, mut pushes) = Link::connect(&dial).await.unwrap();
    fine(&console, WatchBoard { room: None }).await;
    let (whose, reason) = (Whose::Seat(desk().seat), || "黑屏".to_owned());
    const CHANGES: usize = 200;
    for _ in 0..CHANGES / 2 {
        let stop = StopClock { sitting: sitting(), whose, cause: StopCause::Machine, reason: reason() };
        fine(&admin, TimeCall::Stop(stop)).await;
        fine(&admin, TimeCall::Run(RunClock { sitting: sitting(), whose })).await;
        for _stopped_and_running in 0..2 {
            // The seat does read, else it would be let go.
            pushed(&mut seat_pushes, |down| matches!(down, Down::SeatView(_)).then_some(())).await;
        }
    }
    fine(&link, SeatHand::Raise { kind: HandKind::Ill, text: String::new() }).await;
    let mut messages = 0;
    let caught_up = async {
        loop {
            let Some(Down::BoardNews(news)) = pushes.next().await else { panic!("the connection holds") };
            messages += 1;
            if news.rooms.iter().any(|room| room.hands_open == 1) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, caught_up).await.unwrap();
    assert!(messages < CHANGES, "{CHANGES} changes were merged into {messages} messages");
    room.close().await;
}
