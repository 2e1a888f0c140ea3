//! Random timelines: pauses, stretches taken out, time granted, power cuts, restarts, swaps, late comers, early ends, hand-ins and wall clocks
//! that jump, played against the core; a reference that walks the clock second by second must agree on every seat's end.
//! Never uses the core's own arithmetic: the reference knows only what was accepted, and counts.
//!
//! The seed is printed; `TIMELINES_SEED` and `TIMELINES_CASES` play it again, or longer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::disallowed_methods, reason = "the crate is pure, its tests read the seed from the environment")]

mod script;

use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{SealedBytes, Sha256},
    message::{candidate::AttemptId, hello::Role},
    time::{Now, SiteMs, WallMs, minutes},
};
use exam_room::{
    Ask, Fact, Reply, Site,
    explain::{self, Question, Told},
    rules::{
        admission::{AdmitSeats, OpenDoor},
        ending::{Clock, Stop},
        enrolment::{EnrolStation, IssueCode},
        extension::{Extend, ExtendByHq},
        founding::{ClockAnchor, Found, NoteServer, ServerEvent},
        hand_in::GiveIn,
        pause::{RunClock, StopClock, TakeOut},
        people::{MakeAccount, SignOn},
        power_cut::DecideCut,
        seating::TakeDesk,
        sign_in::EnterNumber,
        start::Begin,
        swap::SwapMachine,
    },
    state::{End, PauseCause, Stage, Target},
};
use script::{number_of, package, sitting, station};
use std::collections::BTreeMap;

/// P6, the same in every profile: about a minute without optimisation, a few seconds with it.
const CASES: u64 = 100_000;
/// Printed with every run; any other is as good.
const SEED: u64 = 0x6b61_6f64_6961_6e05;
/// Candidates of a case.
const SEATS: u16 = 3;
/// Spare machines of a case, at the desks after the candidates'.
const SPARES: u16 = 2;
/// Lengths of sittings, minutes: short, so that many fit the time of a test.
const LENGTHS: [&str; 4] = ["5m", "8m", "13m", "20m"];
/// When every sitting here starts at the earliest, seconds on the site's timeline.
const MORNING_S: u64 = 1_000;

/// splitmix64: the whole case follows from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What the reference knows, in whole seconds: the accepted words, nothing derived.
#[derive(Clone, Debug, Default)]
struct Reference {
    started: Option<u64>,
    length: u64,
    admitted: BTreeMap<u64, u64>,
    /// Whose clock (none: everybody's), from, to.
    pauses: Vec<(Option<u64>, u64, Option<u64>)>,
    grants: Vec<(Option<u64>, u64)>,
    stopped_for_all: Option<u64>,
    handed_in: Vec<u64>,
    /// Power cuts that took the server with them, from and to, and nobody has decided about.
    cuts: Vec<(u64, u64)>,
}

/// An end as the reference counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    NotBegun,
    At(u64),
    StandsStill { left: u64 },
}

/// How the reference counts a second that two pauses cover.
#[derive(Clone, Copy)]
enum Overlaps {
    /// Once: right.
    Once,
    /// As often as it is covered: wrong on purpose.
    Twice,
}

impl Reference {
    fn touches(whose: Option<u64>, attempt: Option<u64>) -> bool {
        whose.is_none() || whose == attempt
    }

    /// Walks the clock one second at a time: a second counts unless a pause covers it. A pause that is open covers all
    /// seconds from there on.
    fn walk(&self, attempt: Option<u64>, overlaps: Overlaps) -> Counted {
        let Some(started) = self.started else { return Counted::NotBegun };
        let granted: u64 = self.grants.iter().filter(|g| Self::touches(g.0, attempt)).map(|g| g.1).sum();
        let mine: Vec<_> = self.pauses.iter().filter(|p| Self::touches(p.0, attempt)).collect();
        let mut left = self.length + granted;
        let (mut second, mut too_much) = (started, 0);
        while left > 0 {
            if mine.iter().any(|(_, from, to)| *from <= second && to.is_none()) {
                return Counted::StandsStill { left };
            }
            let covers =
                mine.iter().filter(|(_, from, to)| *from <= second && to.is_some_and(|to| second < to)).count();
            match (covers as u64, overlaps) {
                (0, _) => left -= 1,
                (_, Overlaps::Once) => {}
                (covers, Overlaps::Twice) => too_much += covers - 1,
            }
            second += 1;
        }
        Counted::At(second + too_much)
    }

    /// A seat's end.
    fn end(&self, attempt: u64, overlaps: Overlaps) -> Counted {
        if !self.admitted.contains_key(&attempt) {
            return Counted::NotBegun;
        }
        match (self.walk(Some(attempt), overlaps), self.stopped_for_all) {
            (Counted::At(end), Some(stopped)) => Counted::At(end.min(stopped)),
            (Counted::StandsStill { .. }, Some(stopped)) => Counted::At(stopped),
            (counted, _) => counted,
        }
    }

    /// More time is accepted at `second`: whoever has stopped stood still from their end on.
    fn stood_still(&mut self, whose: Option<u64>, second: u64) {
        let open = self.admitted.keys().filter(|attempt| !self.handed_in.contains(attempt));
        let touched = open.filter(|attempt| Self::touches(whose, Some(**attempt)));
        let idle: Vec<_> = touched
            .filter_map(|attempt| match self.walk(Some(*attempt), Overlaps::Once) {
                Counted::At(end) if end < second => Some((Some(*attempt), end, Some(second))),
                Counted::At(_) | Counted::NotBegun | Counted::StandsStill { .. } => None,
            })
            .collect();
        self.pauses.extend(idle);
    }

    /// When the clock ends the sitting: with the last open seat, not before its own time has run, and not while a power cut
    /// is undecided.
    fn last_end(&self) -> Option<u64> {
        if !self.cuts.is_empty() {
            return None;
        }
        let open = self.admitted.keys().filter(|attempt| !self.handed_in.contains(attempt));
        let ends =
            open.map(|attempt| self.walk(Some(*attempt), Overlaps::Once)).chain([self.walk(None, Overlaps::Once)]);
        ends.map(|end| match end {
            Counted::At(end) => Some(end),
            Counted::NotBegun | Counted::StandsStill { .. } => None,
        })
        .try_fold(0, |last, end| end.map(|end| last.max(end)))
    }
}

/// How a case is played. The timeline is the same, whatever the wall clock says.
#[derive(Clone, Copy)]
struct Play {
    seed: u64,
    wall_jumps: bool,
}

struct Case {
    site: Site,
    facts: Vec<(Now, Fact)>,
    dice: Dice,
    walls: Option<Dice>,
    second: u64,
    reference: Reference,
    swaps: u64,
}

impl Case {
    fn now(&mut self) -> Now {
        let at = SiteMs(self.second * 1_000);
        let day = 24 * 3_600_000_i64;
        let jump = self.walls.as_mut().map_or(0, |dice| dice.below(2 * day as u64) as i64 - day);
        Now { at, wall: WallMs(at.0 as i64 + jump) }
    }

    fn ask(&mut self, ask: impl Into<Ask>) -> Result<Reply, Refusal> {
        let (now, ask) = (self.now(), ask.into());
        let facts = self.site.decide(now, &ask)?;
        for fact in facts {
            self.site.apply(now, &fact);
            self.facts.push((now, fact));
        }
        Ok(self.site.reply(&ask))
    }

    /// Time passes; whatever is due on the way happens at its moment.
    fn pass(&mut self, seconds: u64) {
        let target = self.second + seconds;
        while let Some(wake) = self.site.next_wake().filter(|wake| wake.0 <= target * 1_000) {
            self.second = self.second.max(wake.0.div_ceil(1_000));
            let expected = self.reference.last_end();
            self.ask(Clock).unwrap();
            let Stage::Ended { ended, .. } = self.site.sittings[&sitting()].stage else {
                let closed = self.facts.iter().any(|(_, fact)| matches!(fact, Fact::EntryClosed(_)));
                assert!(closed, "a wake of the clock closes the entry or ends the sitting");
                continue;
            };
            assert_eq!(Some(ended.0), expected.map(|end| end.max(self.last_word()) * 1_000), "the clock ends it then");
            self.reference.stopped_for_all = Some(ended.0 / 1_000);
        }
        self.second = target;
    }

    /// A hand-in may make the end lie in the past: the clock notices at the next look.
    fn last_word(&self) -> u64 {
        self.site.latest.0.max(self.second * 1_000) / 1_000
    }

    fn attempts(&self) -> Vec<AttemptId> {
        self.site.sittings[&sitting()].attempts.values().copied().collect()
    }

    fn target(&mut self) -> (Target, Option<u64>) {
        let attempts = self.attempts();
        match self.dice.below(2) {
            1 if !attempts.is_empty() => {
                let one = attempts[self.dice.below(attempts.len() as u64) as usize];
                (Target::Attempt(one), Some(one.0))
            }
            _ => (Target::Sitting, None),
        }
    }

    fn cause(&mut self) -> PauseCause {
        [PauseCause::PowerCut, PauseCause::Machine, PauseCause::Network, PauseCause::Illness]
            [self.dice.below(4) as usize]
    }

    /// One thing that may happen on an exam day; the reference hears of it only when it was accepted.
    fn step(&mut self) {
        match self.dice.below(20) {
            0..=2 => self.pause(),
            3..=5 => self.resume(),
            6 | 7 => self.take_out(),
            8 => self.extend(),
            9 => self.extend_by_hq(),
            10 => self.restart(),
            11 | 12 => self.come_late(),
            13 | 14 => self.hand_in(),
            15 if self.dice.one_in(6) => self.stop(),
            16 | 17 => self.decide_cut(),
            18 | 19 => self.swap(),
            _ => {}
        }
    }

    fn pause(&mut self) {
        let ((target, whose), cause) = (self.target(), self.cause());
        let ask = StopClock { sitting: sitting(), target, cause, reason: "断网".to_owned(), by: station("admin") };
        if self.ask(ask).is_ok() {
            self.reference.pauses.push((whose, self.second, None));
        }
    }

    fn resume(&mut self) {
        let (target, whose) = self.target();
        if self.ask(RunClock { sitting: sitting(), target, by: station("admin") }).is_ok() {
            let second = self.second;
            let open = self.reference.pauses.iter_mut().filter(|pause| pause.0 == whose && pause.2.is_none());
            open.for_each(|pause| pause.2 = Some(second));
        }
    }

    fn take_out(&mut self) {
        let ((target, whose), cause) = (self.target(), self.cause());
        let since = self.dice.below(900);
        let (from, length) = (self.second.saturating_sub(since), self.dice.below(since + 2));
        let (from_ms, to_ms) = (SiteMs(from * 1_000), SiteMs((from + length) * 1_000));
        let ask = TakeOut {
            sitting: sitting(),
            target,
            from: from_ms,
            to: to_ms,
            cause,
            reason: "停电".to_owned(),
            by: station("admin"),
        };
        if self.ask(ask).is_ok() {
            self.reference.stood_still(whose, self.second);
            self.reference.pauses.push((whose, from, Some(from + length)));
            if whose.is_none() {
                self.reference.cuts.retain(|cut| cut.1 <= from || from + length <= cut.0);
            }
        }
    }

    fn extend(&mut self) {
        let (target, whose) = self.target();
        let minutes = self.dice.below(8) as u32;
        let agreed = ["see", "chief"].map(|account| account.parse().unwrap()).to_vec();
        let reason = "换机".to_owned();
        let ask = Extend { sitting: sitting(), target, minutes, reason, agreed, by: station("admin") };
        if self.ask(ask).is_ok() {
            self.reference.stood_still(whose, self.second);
            self.reference.grants.push((whose, u64::from(minutes) * 60));
        }
    }

    fn extend_by_hq(&mut self) {
        let (target, whose) = self.target();
        let (minutes, name) = [(20, "GOOD"), (20, "TWIN"), (120, "LONG")][self.dice.below(3) as usize];
        let ask = ExtendByHq {
            sitting: sitting(),
            target,
            minutes,
            reason: "停电".to_owned(),
            code: exam_protocol::grant::commitment(&sitting(), minutes, name),
            by: station("admin"),
        };
        if self.ask(ask).is_ok() {
            self.reference.stood_still(whose, self.second);
            self.reference.grants.push((whose, u64::from(minutes) * 60));
        }
    }

    /// The server dies, is away for a while, and rebuilds the site from its journal. When its machine was off too, a
    /// sitting that ran on waits for a decision.
    fn restart(&mut self) {
        let away = if self.dice.one_in(4) { self.dice.below(20) } else { self.dice.below(400) };
        let ended = self.reference.stopped_for_all.is_some();
        let everybody_s = |pause: &(Option<u64>, u64, Option<u64>)| pause.0.is_none() && pause.2.is_none();
        let counted = self.reference.started.is_some() && !ended && !self.reference.pauses.iter().any(everybody_s);
        let machine_restarted = self.dice.one_in(2);
        if machine_restarted && counted && away >= 15 {
            self.reference.cuts.push((self.second, self.second + away));
        }
        self.second += away;
        let mut again = Site::new(self.site.id.clone());
        for (now, fact) in &self.facts {
            again.apply(*now, &Fact::read(fact.kind(), &fact.body()).unwrap());
        }
        self.site = again;
        let anchor = ClockAnchor { machine: "m".to_owned(), offset_ms: self.dice.below(1 << 30) as i64 };
        let (version, gap_ms) = ("0".to_owned(), away * 1_000);
        self.ask(NoteServer { event: ServerEvent::Started, version, gap_ms, machine_restarted, anchor }).unwrap();
    }

    fn decide_cut(&mut self) {
        let counts = self.dice.one_in(3);
        let reason = "停电".to_owned();
        if self.ask(DecideCut { sitting: sitting(), counts, reason, by: station("admin") }).is_ok() {
            let cuts = std::mem::take(&mut self.reference.cuts);
            if !counts {
                self.reference.stood_still(None, self.second);
                self.reference.pauses.extend(cuts.into_iter().map(|(from, to)| (None, from, Some(to))));
            }
        }
    }

    /// A swap moves the candidate, never the clock.
    fn swap(&mut self) {
        let attempts = self.attempts();
        let Some(attempt) = attempts.get(self.dice.below(u64::from(SEATS)) as usize).copied() else { return };
        let to = (1 + SEATS + self.dice.below(u64::from(SPARES)) as u16).try_into().unwrap();
        let since = SiteMs(self.second.saturating_sub(self.dice.below(300)) * 1_000);
        let (trouble_since, reason) = (self.dice.one_in(2).then_some(since), "黑屏".to_owned());
        let ask = SwapMachine {
            attempt,
            to,
            trouble_since,
            last_contact: Some(since),
            on_screen: None,
            reason,
            by: station("admin"),
        };
        if self.ask(ask).is_ok() {
            self.swaps += 1;
        }
    }

    fn come_late(&mut self) {
        let n = 1 + self.dice.below(u64::from(SEATS));
        if self.dice.one_in(2) {
            drop(self.sign_in(n));
        }
        self.admit();
    }

    fn sign_in(&mut self, n: u64) -> Result<Reply, Refusal> {
        let n = n.to_string();
        self.ask(EnterNumber {
            station: station(&n),
            admission_no: number_of(&n),
            password_tag: Sha256::of(n.as_bytes()),
            order_seed: 7,
        })
    }

    fn admit(&mut self) {
        let before: Vec<_> = self.attempts();
        if self.ask(AdmitSeats { sitting: sitting(), seats: vec![], by: station("admin") }).is_ok() {
            for attempt in before {
                self.reference.admitted.entry(attempt.0).or_insert(self.second);
            }
        }
    }

    fn hand_in(&mut self) {
        let attempts = self.attempts();
        let Some(attempt) = attempts.get(self.dice.below(u64::from(SEATS)) as usize).copied() else { return };
        let station = self.site.attempts[&attempt].station.clone();
        if self.ask(GiveIn { station, attempt, newest: vec![] }).is_ok() {
            self.reference.handed_in.push(attempt.0);
        }
    }

    fn stop(&mut self) {
        if self.reference.stopped_for_all.is_none()
            && self.ask(Stop { sitting: sitting(), by: station("admin") }).is_ok()
        {
            self.reference.stopped_for_all = Some(self.second);
        }
    }

    /// The core and the reference name the same end for every seat, to the second; and the seat is shown the same.
    fn agrees(&self) -> Result<(), String> {
        self.agrees_with(Overlaps::Once)
    }

    fn agrees_with(&self, overlaps: Overlaps) -> Result<(), String> {
        for (id, attempt) in &self.site.attempts {
            let (core, counted) = (self.site.end(attempt), self.reference.end(id.0, overlaps));
            let same = match (core, counted) {
                (End::NotBegun, Counted::NotBegun) => true,
                (End::At(at), Counted::At(second)) => at.0 == second * 1_000,
                (End::Frozen(ms), Counted::StandsStill { left }) => ms == left * 1_000,
                _ => false,
            };
            if !same {
                return Err(format!("attempt {}: the core says {core:?}, the reference {counted:?}", id.0));
            }
            self.shown_as_it_is(id, core)?;
        }
        Ok(())
    }

    fn shown_as_it_is(&self, id: &AttemptId, end: End) -> Result<(), String> {
        let at = SiteMs(self.second * 1_000);
        let attempt = &self.site.attempts[id];
        let Some(view) = self.site.desk(&attempt.station, at).and_then(|desk| Some((desk.state, desk.attempt?))) else {
            return Ok(());
        };
        let fits = match (view.0, end) {
            (SeatState::Paused, End::Frozen(left)) => view.1.left_ms == Some(left) && view.1.ends.is_none(),
            (SeatState::Working, End::At(ends)) => view.1.left_ms.is_none() && view.1.ends == Some(ends) && at < ends,
            (SeatState::Working | SeatState::Paused, _) => false,
            _ => true,
        };
        if fits { Ok(()) } else { Err(format!("attempt {}: {view:?} is shown at {at:?} with {end:?}", id.0)) }
    }
}

/// A room of six desks and three candidates, staff at work, the door open: the same for every case of a length.
fn prepared(length: &str) -> (Site, Vec<(Now, Fact)>) {
    let mut case = Case {
        site: Site::new("s1".parse().unwrap()),
        facts: Vec::new(),
        dice: Dice(0),
        walls: None,
        second: 1,
        reference: Reference::default(),
        swaps: 0,
    };
    let admin = station("admin");
    let (name, certificate) = ("示范考点".to_owned(), Sha256::of(b"admin"));
    case.ask(Found { name, admin: admin.clone(), certificate, hq_minisign: None }).unwrap();
    case.ask(package(length, "proctor", &["late=10", "hand-in=5"], SEATS)).unwrap();
    let (tag, role) = (Sha256::of(b"code"), Role::Station);
    case.ask(IssueCode { tag, role, uses: SEATS + SPARES, valid_until: SiteMs(minutes(600)) }).unwrap();
    for n in (1..=SEATS + SPARES).map(|n| n.to_string()) {
        let certificate = Sha256::of(n.as_bytes());
        case.ask(EnrolStation { tag, station: station(&n), role, certificate, host: n.clone() }).unwrap();
        let seat = exam_protocol::ids::SeatRef {
            room: "r1".parse().unwrap(),
            seat: n.parse::<u16>().unwrap().try_into().unwrap(),
        };
        case.ask(TakeDesk { station: station(&n), seat }).unwrap();
    }
    for (account, role) in [("chief", "chief"), ("see", "inspector")] {
        case.ask(MakeAccount {
            account: account.parse().unwrap(),
            name: account.to_owned(),
            role: serde_json::from_value(role.into()).unwrap(),
            room: None,
            stands_in_for: None,
            reason: String::new(),
            password: SealedBytes(vec![]),
            by: admin.clone(),
        })
        .unwrap();
        if account == "chief" {
            case.ask(SignOn { station: admin.clone(), account: account.parse().unwrap() }).unwrap();
        }
    }
    case.ask(OpenDoor { sitting: sitting(), by: admin }).unwrap();
    (case.site, case.facts)
}

/// Plays one case; `look` is called twice: somewhere in the middle and at its end.
fn play(
    rooms: &[(Site, Vec<(Now, Fact)>)],
    how: Play,
    mut look: impl FnMut(&Case) -> Result<(), String>,
) -> Result<Case, String> {
    let mut dice = Dice(how.seed);
    let (length, steps) = (dice.below(LENGTHS.len() as u64) as usize, 4 + dice.below(24));
    let (site, facts) = rooms[length].clone();
    let walls = how.wall_jumps.then_some(Dice(how.seed ^ 0xffff));
    let mut case = Case { site, facts, dice, walls, second: MORNING_S, reference: Reference::default(), swaps: 0 };
    case.reference.length = LENGTHS[length].trim_end_matches('m').parse::<u64>().unwrap() * 60;
    for n in 1..=u64::from(SEATS) {
        if !case.dice.one_in(3) {
            case.sign_in(n).unwrap();
        }
    }
    if !case.dice.one_in(4) {
        case.admit();
    }
    let waiting = case.dice.below(300);
    case.pass(waiting);
    case.ask(Begin {
        sitting: sitting(),
        paper: "p1".parse().unwrap(),
        secret: SealedBytes(vec![1]),
        by: station("admin"),
    })
    .unwrap();
    case.reference.started = Some(case.second);
    let middle = case.dice.below(steps);
    for n in 0..steps {
        let wait = if case.dice.one_in(4) { 0 } else { case.dice.below(240) };
        case.pass(wait);
        case.step();
        if n == middle {
            look(&case)?;
        }
    }
    look(&case)?;
    Ok(case)
}

fn rooms() -> Vec<(Site, Vec<(Now, Fact)>)> {
    LENGTHS.iter().map(|length| prepared(length)).collect()
}

fn from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Every case's seed and what is wrong with it.
fn run(cases: u64, seed: u64, mut look: impl FnMut(&Case) -> Result<(), String>) -> Vec<(u64, String)> {
    let rooms = rooms();
    let mut seeds = Dice(seed);
    let each = (0..cases).map(|_| seeds.roll());
    each.filter_map(|seed| Some((seed, play(&rooms, Play { seed, wall_jumps: true }, &mut look).err()?))).collect()
}

#[test]
fn every_seat_s_end_agrees_with_a_clock_walked_second_by_second() {
    let (cases, seed) = (from_env("TIMELINES_CASES", CASES), from_env("TIMELINES_SEED", SEED));
    println!("timelines: {cases} cases, TIMELINES_SEED={seed}");
    let wrong = run(cases, seed, Case::agrees);
    assert!(wrong.is_empty(), "{} of {cases} timelines disagree, the first: {:?}", wrong.len(), wrong[0]);
}

#[test]
fn a_wall_clock_that_jumps_by_a_day_changes_no_end() {
    let (rooms, mut seeds) = (rooms(), Dice(SEED ^ 1));
    for _ in 0..CASES / 50 {
        let seed = seeds.roll();
        let ends = |wall_jumps| {
            let case = play(&rooms, Play { seed, wall_jumps }, |_| Ok(())).unwrap();
            case.site.attempts.values().map(|attempt| case.site.end(attempt)).collect::<Vec<_>>()
        };
        assert_eq!(ends(true), ends(false), "seed {seed}");
    }
}

/// The random days are worth something only if everything happens in them.
#[test]
fn the_timelines_hold_what_they_promise() {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let cases = 2_000;
    let mut looked = 0;
    let wrong = run(cases, SEED, |case| {
        let r = &case.reference;
        let overlap = |(i, a): (usize, &(Option<u64>, u64, Option<u64>))| {
            r.pauses[i + 1..].iter().any(|b| a.1 < b.2.unwrap_or(u64::MAX) && b.1 < a.2.unwrap_or(u64::MAX))
        };
        let late = r.admitted.values().any(|at| r.started.is_some_and(|started| *at > started));
        let restarts = case.site.server_starts > 0;
        for (what, there) in [
            ("an open pause", r.pauses.iter().any(|pause| pause.2.is_none())),
            ("pauses that overlap", r.pauses.iter().enumerate().any(overlap)),
            ("a pause of one seat", r.pauses.iter().any(|pause| pause.0.is_some())),
            ("time granted", !r.grants.is_empty()),
            ("a restart", restarts),
            ("a late comer", late),
            ("an end for all", r.stopped_for_all.is_some()),
            ("a hand-in", !r.handed_in.is_empty()),
            ("a swap", case.swaps > 0),
            ("time after the end", case.facts.iter().any(|(_, fact)| time_was_up(fact))),
            ("an undecided power cut", !r.cuts.is_empty()),
            ("a seat that has not begun", case.site.attempts.keys().any(|id| !r.admitted.contains_key(&id.0))),
        ] {
            *seen.entry(what).or_default() += u64::from(there);
        }
        looked += 1;
        Ok(())
    });
    assert!(wrong.is_empty());
    println!("of {looked} looks: {seen:?}");
    for (what, times) in seen {
        assert!(times * 50 >= looked, "{what} is too rare: {times} of {looked}");
    }
}

fn time_was_up(fact: &Fact) -> bool {
    matches!(fact, Fact::StretchTakenOut(taken) if taken.cause == PauseCause::TimeWasUp)
}

#[test]
fn a_reference_that_counts_overlaps_twice_is_found_out() {
    let wrong = run(500, SEED, |case| case.agrees_with(Overlaps::Twice));
    assert!(!wrong.is_empty(), "the timelines cannot tell a wrong reference from a right one");
    assert!(run(500, SEED, Case::agrees).is_empty(), "and it is the overlaps that tell");
}

/// What a complaint is answered with: start, plan, what was given back and what was granted add up to the end.
#[test]
fn the_explained_time_account_adds_up_to_the_end() {
    let mut explained = 0;
    let wrong = run(400, SEED ^ 2, |case| {
        let told =
            |(seq, (now, fact)): (usize, &(Now, Fact))| Told { seq: seq as u64 + 1, now: *now, fact: fact.clone() };
        let told: Vec<Told> = case.facts.iter().enumerate().map(told).collect();
        for attempt in case.site.attempts.values() {
            let question = Question { sitting: sitting(), seat: attempt.seat, at: SiteMs(case.second * 1_000) };
            let found = explain::why(&case.site, &question, &told, &|at| at.0.to_string()).unwrap();
            let running = matches!(case.site.sittings[&sitting()].stage, Stage::Running { .. });
            let (Some(started), Some(ends), true) = (found.started, found.ends, running) else { continue };
            let back: u64 = found.removed.iter().map(|stretch| stretch.counted_ms).sum();
            let end = started.plus(found.plan_ms + back + found.granted_ms.iter().sum::<u64>());
            if end != ends {
                return Err(format!("seat {}: {end:?} is told, {ends:?} is true: {:?}", found.seat, found.removed));
            }
            explained += 1;
        }
        Ok(())
    });
    assert!(wrong.is_empty(), "{} accounts do not add up, the first: {:?}", wrong.len(), wrong[0]);
    assert!(explained > 200, "only {explained} accounts were looked at");
}
