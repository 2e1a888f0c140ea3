//! Reads rule tables an examiner could write and plays them against the core. The only test code that knows the API.
//!
//! A line is `HH:MM:SS  act -> outcome`. Acts and outcomes are the sentences matched below; `#` begins a comment, an empty
//! line is nothing. Candidate `n` has desk `n` and the made-up admission number `9000…n`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(dead_code, reason = "each test file uses its own part")]

mod attendance;
mod duty;
mod incident;
mod readiness;

use exam_protocol::{
    answer::Answer,
    code::Refusal,
    ids::{AdmissionNo, PaperId, SealedBytes, SeatNo, SeatRef, Sha256, SittingId, StationId},
    message::{
        candidate::{AttemptId, Newest},
        hello::Role,
    },
    paper::{SealedPaper, Subject},
    plan::{AdmissionPolicy, Place, RoomPlan, RuleOverrides, SittingPlan},
    time::{Now, SiteMs, WallMs},
};
use exam_room::{
    Ask, Reply, Site,
    rules::{
        admission::{AdmitSeats, OpenDoor},
        answers::Save,
        call_off::CallOff,
        ending::{Clock, Stop},
        enrolment::{EnrolStation, IssueCode},
        export::NoteExport,
        extension::{Extend, ExtendByHq},
        founding::{ClockAnchor, Found, NoteServer, ServerEvent},
        hand_in::GiveIn,
        package::{CandidateListed, PackageTaken, PaperTaken, TakePackage},
        password::{ChangePassword, ResetPassword},
        pause::{RunClock, RunEverywhere, StopClock, StopEverywhere, TakeOut},
        people::{MakeAccount, SignOff, SignOn},
        power_cut::DecideCut,
        seating::TakeDesk,
        sign_in::EnterNumber,
        start::{Begin, NoteWrongCode},
    },
    state::{End, PauseCause, Target},
};

/// Plays a whole table; panics with file, line and both outcomes where they differ.
pub(crate) fn check(name: &str, table: &str) {
    let mut script = Script::default();
    for (index, line) in table.lines().enumerate() {
        let line = line.split('#').next().unwrap().trim();
        if line.is_empty() {
            continue;
        }
        let (time, rest) = line.split_once(char::is_whitespace).expect("a line begins with its time");
        let (act, wanted) = rest.split_once("->").expect("a line ends with `-> outcome`");
        let got = script.play(clock_ms(time), act.trim());
        assert_eq!(got, wanted.trim(), "{name}, line {}: {}", index + 1, act.trim());
    }
}

/// The site under the script.
pub(crate) struct Script {
    pub(crate) site: Site,
    pub(crate) now: Now,
    pub(crate) facts: Vec<(Now, exam_room::Fact)>,
}

impl Default for Script {
    fn default() -> Self {
        let mut script = Self { site: Site::new("s1".parse().unwrap()), now: Now::default(), facts: Vec::new() };
        let found = Found {
            name: "示范考点".to_owned(),
            admin: station("admin"),
            certificate: Sha256::of(b"admin"),
            hq_minisign: None,
        };
        script.ask(found).unwrap();
        script
    }
}

impl Script {
    pub(crate) fn ask(&mut self, ask: impl Into<Ask>) -> Result<Reply, Refusal> {
        let ask = ask.into();
        let before = format!("{:?}", self.site);
        let decided = self.site.decide(self.now, &ask);
        assert_eq!(before, format!("{:?}", self.site), "judging must change nothing");
        let facts = match &decided {
            Ok(facts) => facts.clone(),
            Err(refusal) => self.site.trace(self.now, &ask, refusal),
        };
        for fact in &facts {
            let again = exam_room::Fact::read(fact.kind(), &fact.body()).expect("a fact can be read back");
            assert_eq!(&again, fact, "a fact comes back from the journal as it was");
            self.site.apply(self.now, fact);
            self.site.tell(fact);
            self.facts.push((self.now, fact.clone()));
        }
        decided.map(|_| self.site.reply(&ask))
    }

    pub(crate) fn play(&mut self, at: u64, act: &str) -> String {
        self.now = Now { at: SiteMs(at), wall: WallMs(at as i64) };
        let words: Vec<&str> = act.split_whitespace().collect();
        if !words.starts_with(&["server", "was", "off"]) {
            self.clock_runs_to(at); // nobody looks at the clock while the server is off
        }
        self.now.at = SiteMs(at);
        if let Some(said) = attendance::say(self, &words) {
            return said;
        }
        if let Some(said) = incident::play(self, &words) {
            return said;
        }
        if let Some(said) = readiness::said(self, &words) {
            return said;
        }
        if let Some(said) = duty::said(self, &words) {
            return said;
        }
        match words.as_slice() {
            ["state", "of", "seat", n] => self.state(n),
            ["phase"] => format!("{:?}", self.site.sittings[&sitting()].phase()).to_lowercase(),
            ["absent"] => self.site.sittings[&sitting()].absent.iter().map(seat_of).collect::<Vec<_>>().join(" "),
            ["end", "of", "seat", n] => self.end_of(n),
            ["mark", "of", "seat", n, version] => self.mark_of(n, version),
            ["clock"] => "ok".to_owned(),
            words => match self.act(words) {
                Ok(Reply::HandedIn { receipt, .. }) => format!("receipt of {} characters", receipt.len()),
                outcome => said(&outcome),
            },
        }
    }

    fn clock_runs_to(&mut self, at: u64) {
        while let Some(wake) = self.site.next_wake().filter(|wake| wake.0 <= at) {
            self.now.at = wake.max(self.site.latest);
            self.ask(Clock).unwrap();
        }
    }

    fn act(&mut self, words: &[&str]) -> Result<Reply, Refusal> {
        match words {
            ["server", "was", "off", "since", from] => self.server_is_back(from, true),
            ["server", "was", "off", "since", from, "by", "itself"] => self.server_is_back(from, false),
            ["cut", choice @ ("counts" | "does-not-count"), "because", reason @ ..] => self.ask(DecideCut {
                sitting: sitting(),
                counts: *choice == "counts",
                reason: reason.join(" "),
                by: station("admin"),
            }),
            ["call", "off", "because", reason @ ..] => {
                self.ask(CallOff { sitting: sitting(), reason: reason.join(" "), by: station("admin") })
            }
            ["package", minutes, policy, overrides @ ..] => self.ask(package(minutes, policy, overrides, 4)),
            ["code", name, "for", uses, "until", until] => self.ask(IssueCode {
                tag: Sha256::of(name.as_bytes()),
                role: Role::Station,
                uses: uses.parse().unwrap(),
                valid_until: SiteMs(clock_ms(until)),
            }),
            ["machine", n, "enrols", "with", code] => self.ask(EnrolStation {
                tag: Sha256::of(code.as_bytes()),
                station: station(n),
                role: Role::Station,
                certificate: Sha256::of(n.as_bytes()),
                host: format!("pc-{n}"),
            }),
            ["machine", n, "takes", "desk", desk] => self.ask(TakeDesk { station: station(n), seat: desk_ref(desk) }),
            ["door", "opens"] => self.ask(OpenDoor { sitting: sitting(), by: station("admin") }),
            ["admit", "all"] => self.ask(AdmitSeats { sitting: sitting(), seats: vec![], by: station("admin") }),
            ["admit", n] => self.ask(AdmitSeats { sitting: sitting(), seats: vec![seat(n)], by: station("admin") }),
            ["seat", n, "signs", "in"] => self.ask(enter(n, n, n)),
            ["seat", n, "signs", "in", "as", other] => self.ask(enter(n, other, other)),
            ["seat", n, "signs", "in", "wrongly"] => self.ask(enter(n, n, "wrong")),
            ["wrong", "code"] => self.ask(NoteWrongCode { sitting: sitting(), by: station("admin") }),
            ["start"] => self.ask(Begin {
                sitting: sitting(),
                paper: paper(),
                secret: SealedBytes(vec![1]),
                by: station("admin"),
            }),
            ["seat", n, "saves", version, text] => self.save(n, version, text, self.now.at),
            ["seat", n, "saves", version, text, "made", at] => self.save(n, version, text, SiteMs(clock_ms(at))),
            ["seat", n, "hands", "in", versions @ ..] => self.hand_in(n, versions),
            ["account", name, role, room @ ..] if matches!(room, [] | ["in", _]) => self.ask(MakeAccount {
                account: name.parse().unwrap(),
                name: format!("张{name}"),
                role: serde_json::from_value(serde_json::Value::String((*role).to_owned())).unwrap(),
                room: room.last().map(|room| room.parse().unwrap()),
                stands_in_for: None,
                reason: String::new(),
                password: SealedBytes(vec![]),
                by: station("admin"),
            }),
            ["account", name, role, "for", absent, "because", reason] => self.ask(MakeAccount {
                account: name.parse().unwrap(),
                name: format!("张{name}"),
                role: serde_json::from_value(serde_json::Value::String((*role).to_owned())).unwrap(),
                room: None,
                stands_in_for: Some(absent.parse().unwrap()),
                reason: (*reason).to_owned(),
                password: SealedBytes(vec![]),
                by: station("admin"),
            }),
            [name, "changes", "password"] => self.ask(ChangePassword {
                account: name.parse().unwrap(),
                password: SealedBytes(vec![2]),
                station: station("admin"),
            }),
            [name, "gets", "a", "new", "password"] => self.ask(ResetPassword {
                account: name.parse().unwrap(),
                password: SealedBytes(vec![3]),
                by: station("admin"),
            }),
            [name, "signs", "on"] => self.ask(SignOn { station: station("admin"), account: name.parse().unwrap() }),
            ["signs", "off"] => self.ask(SignOff { station: station("admin") }),
            ["pause", "everywhere", cause, "because", reason @ ..] => {
                self.ask(StopEverywhere { cause: self.cause(cause), reason: reason.join(" "), by: station("admin") })
            }
            ["resume", "everywhere"] => self.ask(RunEverywhere { by: station("admin") }),
            ["pause", whose, cause, "because", reason @ ..] => self.ask(StopClock {
                sitting: sitting(),
                target: self.target(whose),
                cause: self.cause(cause),
                reason: reason.join(" "),
                by: station("admin"),
            }),
            ["resume", whose] => {
                self.ask(RunClock { sitting: sitting(), target: self.target(whose), by: station("admin") })
            }
            ["take", "out", whose, from, "to", to, cause] => self.ask(TakeOut {
                sitting: sitting(),
                target: self.target(whose),
                from: SiteMs(clock_ms(from)),
                to: SiteMs(clock_ms(to)),
                cause: self.cause(cause),
                reason: "停电".to_owned(),
                by: station("admin"),
            }),
            ["extend", whose, minutes, "by", agreed @ ..] => self.ask(Extend {
                sitting: sitting(),
                target: self.target(whose),
                minutes: minutes.parse().unwrap(),
                reason: "换机".to_owned(),
                agreed: agreed.iter().map(|account| account.parse().unwrap()).collect(),
                by: station("admin"),
            }),
            ["extend", whose, minutes, "on", "HQ", "code", code] => self.ask(ExtendByHq {
                sitting: sitting(),
                target: self.target(whose),
                minutes: minutes.parse().unwrap(),
                reason: "停电".to_owned(),
                code: grant(minutes, code),
                by: station("admin"),
            }),
            ["end"] => self.ask(Stop { sitting: sitting(), by: station("admin") }),
            ["export"] => self.ask(NoteExport {
                sitting: sitting(),
                content: Sha256::of(b"c"),
                sealed: Sha256::of(b"s"),
                by: station("admin"),
            }),
            other => panic!("no such act: {other:?}"),
        }
    }

    fn server_is_back(&mut self, from: &str, machine_restarted: bool) -> Result<Reply, Refusal> {
        let anchor = ClockAnchor { machine: "m".to_owned(), offset_ms: 0 };
        let (event, version, gap_ms) =
            (ServerEvent::Started, "0".to_owned(), self.now.at.since(SiteMs(clock_ms(from))));
        let reply = self.ask(NoteServer { event, version, gap_ms, machine_restarted, anchor })?;
        self.clock_runs_to(self.now.at.0);
        Ok(reply)
    }

    fn save(&mut self, n: &str, version: &str, text: &str, made_at: SiteMs) -> Result<Reply, Refusal> {
        let (item, number) = version.split_once('/').expect("a version is item/number");
        let Some(attempt) = self.site.sittings[&sitting()].attempts.get(&number_of(n)).copied() else {
            return Err(Refusal::AttemptUnknown);
        };
        self.ask(Save {
            station: station(n),
            attempt,
            item: item.parse().unwrap(),
            number: number.parse().unwrap(),
            answer: Answer::Text(text.to_owned()),
            made_at,
        })
    }

    fn hand_in(&mut self, n: &str, versions: &[&str]) -> Result<Reply, Refusal> {
        let newest = versions.iter().map(|v| v.split_once('/').unwrap());
        let newest = newest
            .map(|(item, number)| Newest { item: item.parse().unwrap(), number: number.parse().unwrap() })
            .collect();
        let attempt = self.site.sittings[&sitting()].attempts[&number_of(n)];
        self.ask(GiveIn { station: station(n), attempt, newest })
    }

    fn target(&self, whose: &str) -> Target {
        match whose {
            "all" => Target::Sitting,
            n => Target::Attempt(
                self.site.sittings[&sitting()].attempts.get(&number_of(n)).copied().unwrap_or(AttemptId(0)),
            ),
        }
    }

    fn cause(&self, word: &str) -> PauseCause {
        serde_json::from_value(serde_json::Value::String(word.to_owned())).expect("a cause is one of the coded ones")
    }

    fn state(&self, n: &str) -> String {
        let desk = self.site.desk(&station(n), self.now.at).expect("the machine is known");
        let release = if desk.release.is_some() { " with paper" } else { "" };
        format!("{:?}{release}", desk.state).to_lowercase()
    }

    fn mark_of(&self, n: &str, version: &str) -> String {
        let attempt = self.site.sittings[&sitting()].attempts[&number_of(n)];
        let (item, number) = version.split_once('/').unwrap();
        let saved = self.facts.iter().find_map(|(_, fact)| match fact {
            exam_room::Fact::AnswerSaved(saved)
                if saved.attempt == attempt && saved.item.as_str() == item && saved.number.to_string() == number =>
            {
                Some(saved)
            }
            _ => None,
        });
        match saved.expect("the version was saved").mark {
            None => "none".to_owned(),
            Some(mark) => serde_json::to_value(mark).unwrap().as_str().unwrap().to_owned(),
        }
    }

    fn end_of(&self, n: &str) -> String {
        let attempt = self.site.sittings[&sitting()].attempts[&number_of(n)];
        let text = |ms: u64| format!("{:02}:{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        match self.site.end(&self.site.attempts[&attempt]) {
            End::NotBegun => "none".to_owned(),
            End::At(SiteMs(ms)) => text(ms),
            End::Frozen(left) => format!("{} left", text(left)),
        }
    }
}

fn said(outcome: &Result<Reply, Refusal>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => format!("refused {}", code(refusal)),
    }
}

/// A package with one room of six desks and `candidates` candidates.
pub(crate) fn package(minutes: &str, policy: &str, overrides: &[&str], candidates: u16) -> TakePackage {
    // Most tables are not about consent or the seal; those that are say so.
    let mut rules =
        RuleOverrides { hand_in_needs_consent: Some(false), seal_required: Some(false), ..RuleOverrides::default() };
    let (ready, overrides) = readiness::overrides(overrides, &mut rules);
    for one in &overrides {
        match one.split_once('=').expect("an override is name=minutes") {
            ("hand-in", m) => rules.early_hand_in_theory_min = Some(m.parse().unwrap()),
            ("late", m) => rules.late_entry_bar_min = Some(m.parse().unwrap()),
            ("consent", "handbook") => rules.hand_in_needs_consent = None,
            ("group", "waits") => {}
            other => panic!("no such override: {other:?}"),
        }
    }
    let admission = match policy {
        "automatic" => AdmissionPolicy::Automatic,
        "proctor" => AdmissionPolicy::Proctor,
        other => panic!("no such policy: {other}"),
    };
    let room = RoomPlan {
        room: "r1".parse().unwrap(),
        name: "一考场".to_owned(),
        seats: (1..=6).map(|n| n.try_into().unwrap()).collect(),
        spares: vec![],
    };
    let other = RoomPlan {
        room: "r2".parse().unwrap(),
        name: "二考场".to_owned(),
        seats: (1..=6).map(|n| n.try_into().unwrap()).collect(),
        spares: vec![],
    };
    let plan = SittingPlan {
        sitting: sitting(),
        title: "理论".to_owned(),
        room: room.room.clone(),
        subject: Subject::Theory,
        level: "中级".to_owned(),
        paper: paper(),
        planned_start: ready.planned_start,
        duration_min: minutes.trim_end_matches('m').parse().unwrap(),
        admission,
        hq_grants: vec![grant("20", "GOOD"), grant("20", "TWIN"), grant("120", "LONG")],
        group_waits: overrides.contains(&"group=waits"),
        mock: ready.mock,
    };
    let taken = |id: &PaperId, backup_of| PaperTaken {
        sealed: SealedPaper { paper: id.clone(), hash: Sha256::of(id.as_str().as_bytes()), bytes: 1 },
        wrapped_key: Sha256::of(b"k"),
        backup_of,
        mock_key: ready.keyed.contains(id).then(|| Sha256::of(b"answers")),
    };
    let backups = ready.backups.iter().map(|(id, backup_of)| taken(id, Some(backup_of.clone())));
    let loose = ready.loose.iter().map(|id| taken(id, None));
    let papers = std::iter::once(taken(&paper(), None)).chain(backups).chain(loose).collect();
    let listed = |n: u16| CandidateListed {
        admission_no: number_of(&n.to_string()),
        password_tag: Sha256::of(n.to_string().as_bytes()),
        identity: SealedBytes(vec![]),
        places: vec![Place { sitting: sitting(), seat: n.try_into().unwrap() }],
    };
    TakePackage {
        content: PackageTaken {
            package: Sha256::of(format!("{minutes}{policy}{overrides:?}{candidates}{:?}", ready.keyed).as_bytes()),
            exam: "e1".parse().unwrap(),
            title: "数字营销".to_owned(),
            hq_minisign: "hq".to_owned(),
            hq_recipient: "age1".to_owned(),
            rooms: vec![room, other],
            sittings: vec![plan],
            papers,
            rules,
            candidates: (1..=candidates).map(listed).collect(),
        },
    }
}

fn enter(n: &str, candidate: &str, password: &str) -> EnterNumber {
    EnterNumber {
        station: station(n),
        admission_no: number_of(candidate),
        password_tag: Sha256::of(password.as_bytes()),
        order_seed: 7,
    }
}

pub(crate) fn station(n: &str) -> StationId {
    format!("m{n}").parse().unwrap()
}

pub(crate) fn sitting() -> SittingId {
    "t1".parse().unwrap()
}

fn grant(minutes: &str, code: &str) -> Sha256 {
    exam_protocol::grant::commitment(&sitting(), minutes.parse().unwrap(), code)
}

fn paper() -> PaperId {
    "p1".parse().unwrap()
}

fn desk_ref(n: &str) -> SeatRef {
    SeatRef { room: "r1".parse().unwrap(), seat: seat(n) }
}

fn seat(n: &str) -> SeatNo {
    SeatNo::try_from(n.parse::<u16>().unwrap()).unwrap()
}

pub(crate) fn number_of(n: &str) -> AdmissionNo {
    format!("90000000000000000000{:06}", n.parse::<u32>().unwrap()).parse().unwrap()
}

fn seat_of(no: &AdmissionNo) -> String {
    no.initial_password().trim_start_matches('0').to_owned()
}

fn clock_ms(text: &str) -> u64 {
    let parts: Vec<u64> = text.split(':').map(|part| part.parse().expect("a time is HH:MM:SS")).collect();
    (parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1000
}

/// The refusal's code as it is on the wire.
fn code(refusal: &Refusal) -> String {
    match serde_json::to_value(refusal).unwrap() {
        serde_json::Value::String(code) => code,
        serde_json::Value::Object(map) => map.keys().next().unwrap().clone(),
        other => panic!("a refusal is a code or a code with parameters, not {other}"),
    }
}
