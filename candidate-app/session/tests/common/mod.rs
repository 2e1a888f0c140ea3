//! A world around one session: a server that remembers, a wire that can break, a disk that can fail. Shared by the tables
//! and the random runs. Never helps the session: it only does what effects say.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use exam_protocol::{
    answer::Answer,
    code::{ErrorCode, Phase, Refusal, SeatState},
    ids::{ItemId, SeatNo, SeatRef},
    message::{
        attendance::*,
        candidate::*,
        duty::*,
        hello::{Done, Failed, Refused, Role, Welcome},
        readiness::SeatReport,
    },
    paper::{Item, ItemKind, Paper, SealedPaper, Subject},
    tag::{Down, Up},
    time::{Now, SiteMs, WallMs},
};
use exam_session::{Act, AskId, BootId, Effect, Event, Note, Record, RecordId, SeatMs, Session, View};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

pub(crate) const ATTEMPT: AttemptId = AttemptId(7);
pub(crate) const ITEMS: usize = 5;
/// The server's timeline is this far ahead of the seat's clock.
pub(crate) const AHEAD_MS: u64 = 1_000_000;
pub(crate) const STARTS: u64 = AHEAD_MS;

pub(crate) fn item(index: usize) -> ItemId {
    format!("q{}", index % ITEMS).parse().unwrap()
}

pub(crate) fn text(words: &str) -> Answer {
    Answer::Text(words.to_owned())
}

pub(crate) fn paper() -> Paper {
    let kind = ItemKind::ShortText { chars_max: 100 };
    let make = |index| Item { id: item(index), points_tenths: 10, stem: vec!["…".into()], kind: kind.clone() };
    Paper { format: 1, id: "p1".parse().unwrap(), title: "t".into(), items: (0..ITEMS).map(make).collect() }
}

pub(crate) fn sealed() -> SealedPaper {
    SealedPaper { paper: "p1".parse().unwrap(), hash: exam_protocol::ids::Sha256::of(b"sealed"), bytes: 6 }
}

/// The server: what it has on disk.
pub(crate) struct Server {
    pub(crate) boot: u64,
    pub(crate) now_ms: u64,
    pub(crate) state: SeatState,
    pub(crate) ends: u64,
    /// While the clock stands still.
    pub(crate) left_ms: Option<u64>,
    pub(crate) saved: BTreeMap<(ItemId, u32), Answer>,
    pub(crate) applied: u64,
    pub(crate) refusals: u64,
    pub(crate) handed_in: Option<HandedIn>,
    pub(crate) hand_in_too_early: bool,
    pub(crate) busy: bool,
    /// The start has come.
    pub(crate) begun: bool,
    /// What a backup holds.
    pub(crate) backup: BTreeMap<(ItemId, u32), Answer>,
    /// A backup took over at some time.
    pub(crate) burnt: bool,
    /// The room's next sitting is open: the desk is anybody's.
    pub(crate) next_sitting: bool,
    /// A backup from before the sign-in.
    pub(crate) attempt_lost: bool,
    /// Another machine has taken over.
    pub(crate) fenced: bool,
    /// What a fenced machine sent.
    pub(crate) kept: Vec<(ItemId, u32, Answer)>,
    /// Answers of the machine before this one, and what was chosen: the version it became, or none.
    pub(crate) orphans: BTreeMap<u32, (ItemId, Answer, Option<Option<u32>>)>,
    pub(crate) confirmed: bool,
    /// Where the candidate was.
    pub(crate) resume_at: Option<ItemId>,
    /// Every hand that was ever up, the latest last.
    pub(crate) hands: Vec<(HandKind, HandStage)>,
    pub(crate) messages: Vec<SeatMessage>,
    pub(crate) read: Vec<MessageId>,
    pub(crate) unable: Vec<UnableStretch>,
    pub(crate) reports: Vec<SeatReport>,
    pub(crate) beats: Vec<Heartbeat>,
}

impl Server {
    pub(crate) fn now(&self) -> Now {
        Now { at: SiteMs(self.now_ms), wall: WallMs(0) }
    }

    pub(crate) fn view(&self) -> SeatView {
        let key = PaperKey { paper: "p1".parse().unwrap(), secret: "key".into() };
        let release = Some(key).filter(|_| matches!(self.state, SeatState::Working | SeatState::Stopped));
        let ours = !self.next_sitting && !self.fenced;
        SeatView {
            now: self.now(),
            station: "st1".parse().unwrap(),
            seat: Some(SeatRef { room: "r1".parse().unwrap(), seat: SeatNo::try_from(1).unwrap() }),
            room_name: "机房".into(),
            state: if ours { self.state } else { SeatState::Waiting },
            sitting: Some(SittingView {
                sitting: if self.next_sitting { "s2" } else { "s1" }.parse().unwrap(),
                title: "t".into(),
                subject: Subject::Theory,
                phase: Phase::Running,
                planned_start: WallMs(0),
                duration_ms: self.ends - STARTS,
                paper: "p1".parse().unwrap(),
            }),
            candidate: None,
            attempt: ours.then_some(AttemptView {
                attempt: ATTEMPT,
                started: Some(SiteMs(STARTS)).filter(|_| self.begun),
                ends: Some(SiteMs(self.ends)).filter(|_| self.left_ms.is_none()),
                order_seed: 3,
                release,
                left_ms: self.left_ms,
            }),
            prefetch: vec![sealed()],
        }
    }

    fn newest(&self, item: &ItemId) -> u32 {
        self.saved.keys().filter(|(known, _)| known == item).map(|(_, number)| *number).max().unwrap_or(0)
    }

    pub(crate) fn hear(&mut self, up: &Up) -> Down {
        if self.busy && !matches!(up, Up::Heartbeat(_)) {
            return Failed { error: ErrorCode::Busy }.into();
        }
        if self.fenced {
            if let Up::SaveAnswer(SaveAnswer { item, number, answer, .. }) = up {
                self.kept.push((item.clone(), *number, answer.clone()));
            }
            if matches!(up, Up::SaveAnswer(_) | Up::FetchAnswers(_) | Up::HandIn(_) | Up::Orphans(_)) {
                return self.refuse(Refusal::Fenced);
            }
        }
        match up {
            Up::Orphans(asked) => self.orphan(asked),
            Up::ConfirmIdentity(_) => {
                self.confirmed = true;
                Done.into()
            }
            Up::SeatHand(SeatHand::Raise { kind, .. }) => {
                let up = self.hands.last().is_some_and(|(last, stage)| last == kind && is_up(*stage));
                if !up {
                    self.lower();
                    self.hands.push((*kind, HandStage::Raised));
                }
                Done.into()
            }
            Up::SeatHand(SeatHand::Lower) => {
                self.lower();
                Done.into()
            }
            Up::ReadMessage(read) => {
                self.read.push(read.message);
                Done.into()
            }
            Up::SeatUnable(account) => {
                self.unable.extend(account.stretches.iter().copied());
                Done.into()
            }
            Up::SeatReport(report) => {
                self.reports.push(report.clone());
                Done.into()
            }
            Up::SaveAnswer(_) | Up::FetchAnswers(_) if self.attempt_lost => self.refuse(Refusal::AttemptUnknown),
            Up::SaveAnswer(save) => self.save(save),
            Up::FetchAnswers(fetch) => self.fetch(fetch),
            Up::HandIn(hand_in) => self.hand_in(hand_in),
            Up::Heartbeat(beat) => {
                self.beats.push(beat.clone());
                Heard { now: self.now() }.into()
            }
            _ => Done.into(),
        }
    }

    fn lower(&mut self) {
        self.hands
            .last_mut()
            .filter(|(_, stage)| is_up(*stage))
            .into_iter()
            .for_each(|hand| hand.1 = HandStage::Lowered);
    }

    fn open_orphans(&self) -> impl Iterator<Item = (&u32, &(ItemId, Answer, Option<Option<u32>>))> {
        self.orphans.iter().filter(|(_, orphan)| orphan.2.is_none())
    }

    /// As the room judges; two orphans a page.
    fn orphan(&mut self, asked: &Orphans) -> Down {
        match asked.wish {
            OrphanWish::List { after } => {
                let open = self.open_orphans().filter(|(orphan, _)| **orphan > after);
                let made_at = SiteMs(STARTS + 1);
                let mut orphans: Vec<_> = open
                    .map(|(orphan, (item, answer, _))| OrphanAnswer {
                        orphan: *orphan,
                        item: item.clone(),
                        answer: answer.clone(),
                        made_at,
                    })
                    .collect();
                let more = orphans.len() > 2;
                orphans.truncate(2);
                OrphanPage { orphans, more }.into()
            }
            OrphanWish::Adopt { orphan, number } => {
                let Some((item, answer, settled)) = self.orphans.get(&orphan).cloned() else {
                    return self.refuse(Refusal::RecordUnknown);
                };
                if settled.is_some() && settled != Some(Some(number)) {
                    return self.refuse(Refusal::AlreadySettled);
                }
                let save = SaveAnswer { attempt: asked.attempt, item, number, answer, made_at: SiteMs(self.now_ms) };
                let said = self.save(&save);
                if matches!(said, Down::Saved(_)) {
                    self.orphans.get_mut(&orphan).unwrap().2 = Some(Some(number));
                }
                said
            }
            OrphanWish::Dismiss { orphan } => match self.orphans.get_mut(&orphan) {
                None => self.refuse(Refusal::RecordUnknown),
                Some((.., settled @ (None | Some(None)))) => {
                    *settled = Some(None);
                    Done.into()
                }
                Some(_) => self.refuse(Refusal::AlreadySettled),
            },
        }
    }

    /// What is pushed whenever something changes: the view last.
    fn words(&self) -> Vec<Down> {
        let view = self.view();
        let notes = view.attempt.as_ref().map(|attempt| SeatNotes {
            attempt: attempt.attempt,
            identity_confirmed: self.confirmed,
            hand_in_opens: Some(SiteMs(self.ends - 900_000)),
            consent_missing: true,
            wait_until: None,
            orphans: self.open_orphans().count() as u32,
            resume_at: self.resume_at.clone(),
        });
        let hand = self.hands.last().map(|(kind, stage)| HandStands {
            hand: HandId(self.hands.len() as u64),
            kind: *kind,
            stage: *stage,
            since: SiteMs(STARTS),
        });
        let unread = self.messages.iter().filter(|message| !self.read.contains(&message.message));
        let messages: Vec<_> = unread.cloned().collect();
        let messages = (!messages.is_empty()).then_some(SeatMessages { messages });
        let words = [notes.map(Down::from), hand.map(Down::from), messages.map(Down::from), Some(view.into())];
        words.into_iter().flatten().collect()
    }

    fn refuse(&mut self, refusal: Refusal) -> Down {
        self.refusals += 1;
        Refused { refusal }.into()
    }

    fn save(&mut self, save: &SaveAnswer) -> Down {
        let key = (save.item.clone(), save.number);
        match self.saved.get(&key) {
            Some(known) if *known == save.answer => {}
            Some(_) => return self.refuse(Refusal::AnswerConflict { item: save.item.clone(), number: save.number }),
            None if self.handed_in.is_some() => return self.refuse(Refusal::AlreadyHandedIn),
            None if !self.begun => return self.refuse(Refusal::WrongSeatState { state: self.state }),
            None if save.made_at.0 > self.ends => return self.refuse(Refusal::TimeOver),
            None => {
                self.applied += 1;
                self.saved.insert(key, save.answer.clone());
            }
        }
        Saved { item: save.item.clone(), number: save.number }.into()
    }

    /// Two answers a page, so that pages are turned.
    fn fetch(&self, fetch: &FetchAnswers) -> Down {
        let mut newest: BTreeMap<&ItemId, (u32, &Answer)> = BTreeMap::new();
        for ((item, number), answer) in &self.saved {
            newest.insert(item, (*number, answer));
        }
        let after = newest.into_iter().filter(|(item, _)| fetch.after.as_ref().is_none_or(|after| *item > after));
        let mut answers: Vec<_> = after
            .map(|(item, (number, answer))| KnownAnswer { item: item.clone(), number, answer: answer.clone() })
            .collect();
        let more = answers.len() > 2;
        answers.truncate(2);
        // It names too much: everything before the newest, if anything of it is missing.
        let lacks =
            |known: &&KnownAnswer| (1..known.number).any(|n| !self.saved.contains_key(&(known.item.clone(), n)));
        let gap = |known: &KnownAnswer| Gap { item: known.item.clone(), from: 1, to: known.number - 1 };
        let gaps = answers.iter().filter(lacks).map(gap).collect();
        Answers { answers, gaps, more }.into()
    }

    fn hand_in(&mut self, hand_in: &HandIn) -> Down {
        if let Some(done) = &self.handed_in {
            return done.clone().into();
        }
        if self.hand_in_too_early {
            return self.refuse(Refusal::HandInTooEarly { opens_in_s: 60 });
        }
        if let Some(missing) = hand_in.newest.iter().find(|newest| self.newest(&newest.item) < newest.number) {
            return self.refuse(Refusal::AnswersMissing { item: missing.item.clone(), number: missing.number });
        }
        let done = HandedIn { receipt: "ABCD1234".into(), at: SiteMs(self.now_ms) };
        self.handed_in = Some(done.clone());
        self.state = SeatState::HandedIn;
        done.into()
    }
}

fn is_up(stage: HandStage) -> bool {
    matches!(stage, HandStage::Raised | HandStage::Taken)
}

/// The world.
pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) server: Server,
    pub(crate) now: u64,
    pub(crate) linked: bool,
    /// Sent, in order, not yet heard.
    pub(crate) ups: VecDeque<(AskId, Up)>,
    /// Said, not yet heard; taken out in any order.
    pub(crate) downs: Vec<(AskId, Down)>,
    /// On the seat's disk for good.
    pub(crate) disk: Vec<Record>,
    /// Written and not yet durable.
    pub(crate) writing: VecDeque<(RecordId, Record)>,
    pub(crate) disk_fails: bool,
    /// The session was told that the disk fails, and not yet that it works again.
    pub(crate) told_failing: bool,
    /// The disk failed at some time.
    pub(crate) ever_failed: bool,
    pub(crate) acked: BTreeMap<(ItemId, u32), Answer>,
    pub(crate) boot: u64,
    /// Papers are opened slowly.
    pub(crate) hold_papers: bool,
    held_paper: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        let server = Server {
            boot: 1,
            now_ms: AHEAD_MS,
            state: SeatState::Working,
            ends: STARTS + 3_600_000,
            left_ms: None,
            saved: BTreeMap::new(),
            applied: 0,
            refusals: 0,
            handed_in: None,
            hand_in_too_early: false,
            busy: false,
            begun: true,
            backup: BTreeMap::new(),
            burnt: false,
            next_sitting: false,
            attempt_lost: false,
            fenced: false,
            kept: Vec::new(),
            orphans: BTreeMap::new(),
            confirmed: false,
            resume_at: None,
            hands: Vec::new(),
            messages: Vec::new(),
            read: Vec::new(),
            unable: Vec::new(),
            reports: Vec::new(),
            beats: Vec::new(),
        };
        let mut world = World {
            session: Session::new(BootId(1)),
            server,
            now: 0,
            linked: false,
            ups: VecDeque::new(),
            downs: Vec::new(),
            disk: Vec::new(),
            writing: VecDeque::new(),
            disk_fails: false,
            told_failing: false,
            ever_failed: false,
            acked: BTreeMap::new(),
            boot: 1,
            hold_papers: false,
            held_paper: false,
        };
        world.event(Event::Started { newest: None });
        world
    }

    /// Linked, paper open, merged: the candidate may type.
    pub(crate) fn working() -> Self {
        let mut world = Self::new();
        world.link();
        world.settle();
        assert_eq!(world.view().screen, exam_session::Screen::Working);
        world
    }

    pub(crate) fn view(&self) -> View {
        self.session.view()
    }

    pub(crate) fn event(&mut self, event: Event) {
        let effects = self.session.handle(SeatMs(self.now), event);
        effects.into_iter().for_each(|effect| self.perform(effect));
    }

    pub(crate) fn act(&mut self, act: Act) {
        self.event(Event::Acted(act));
    }

    pub(crate) fn type_in(&mut self, index: usize, words: &str) {
        self.act(Act::Type { item: item(index), answer: text(words) });
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Restore(attempt) => {
                let records = if attempt == ATTEMPT { self.disk.clone() } else { Vec::new() };
                self.event(Event::Restored { attempt, records, trouble: None });
            }
            Effect::ReadBack { attempt, lacking } => {
                let (versions, more) = lacking.pick(&self.disk);
                self.event(Event::ReadBack { attempt, versions, more });
            }
            Effect::Journal { id, record, .. } => self.writing.push_back((id, *record)),
            Effect::Send { ask, up } => {
                assert!(self.linked, "nothing is sent without a connection");
                match &*up {
                    Up::SaveAnswer(save) => self.check_journalled(&save.item, save.number),
                    Up::Orphans(Orphans { wish: OrphanWish::Adopt { orphan, number }, .. }) => {
                        let item = self.server.orphans.get(orphan).map(|(item, ..)| item.clone());
                        item.into_iter().for_each(|item| self.check_journalled(&item, *number));
                    }
                    _ => {}
                }
                self.ups.push_back((ask, *up));
            }
            Effect::Fetch(sealed) => self.event(Event::PaperFetched { hash: sealed.hash }),
            Effect::OpenPaper { .. } if self.hold_papers => self.held_paper = true,
            Effect::OpenPaper { .. } => self.event(Event::PaperOpened(Arc::new(paper()))),
            Effect::Note(Note::Acked { item, number, answer, .. }) => {
                let before = self.acked.insert((item, number), (*answer).clone());
                // What only a server had that then burnt is on no disk, and its number is given again.
                let nowhere = self.ever_failed && self.server.burnt;
                let same = before.is_none() || before.as_ref() == Some(&*answer);
                assert!(same || nowhere, "an acknowledged version never changes");
            }
            Effect::Note(Note::Released) => {}
            Effect::HangUp => self.unlink(),
        }
    }

    fn check_journalled(&self, of: &ItemId, version: u32) {
        let same = |record: &Record| matches!(record, Record::Answered { item, number, .. } if item == of && *number == version);
        let known =
            |record: &Record| matches!(record, Record::Known(known) if known.item == *of && known.number == version);
        assert!(self.told_failing || self.disk.iter().any(|r| same(r) || known(r)), "journal before sending");
    }

    /// The paper that was being opened is open.
    pub(crate) fn release_papers(&mut self) {
        self.hold_papers = false;
        if std::mem::take(&mut self.held_paper) {
            self.event(Event::PaperOpened(Arc::new(paper())));
        }
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.server.now_ms += ms;
        self.event(Event::Tick);
    }

    pub(crate) fn link(&mut self) {
        self.linked = true;
        let welcome = Welcome {
            version: 1,
            build: "server".into(),
            site: "site".parse().unwrap(),
            site_name: "站".into(),
            boot: self.server.boot,
            now: self.server.now(),
            role: Role::Station,
            station: None,
        };
        self.event(Event::Linked(Box::new(welcome)));
        self.tell();
    }

    /// The server says everything it has to say.
    pub(crate) fn tell(&mut self) {
        for word in self.server.words() {
            self.event(Event::Push(Box::new(word)));
        }
    }

    /// What the session has on the wire, in order.
    pub(crate) fn sent(&self) -> Vec<&Up> {
        self.ups.iter().map(|(_, up)| up).filter(|up| !matches!(up, Up::Heartbeat(_))).collect()
    }

    /// The server says how the seat stands now.
    pub(crate) fn say(&mut self, state: SeatState) {
        self.server.state = state;
        self.tell();
    }

    /// The clock of this seat stops …
    pub(crate) fn pause(&mut self) {
        self.server.left_ms = Some(self.server.ends - self.server.now_ms);
        self.say(SeatState::Paused);
    }

    /// … and runs again.
    pub(crate) fn resume(&mut self) {
        let left = self.server.left_ms.take().unwrap();
        self.server.ends = self.server.now_ms + left;
        self.say(SeatState::Working);
    }

    /// Time is granted.
    pub(crate) fn grant(&mut self, ms: u64) {
        self.server.ends += ms;
        self.say(self.server.state);
    }

    pub(crate) fn unlink(&mut self) {
        self.linked = false;
        self.ups.clear();
        self.downs.clear();
        self.event(Event::Unlinked);
    }

    /// The server's machine burns; the backup takes over.
    pub(crate) fn burn(&mut self) {
        if self.linked {
            self.unlink();
        }
        self.server.boot += 1;
        self.server.saved = self.server.backup.clone();
        self.server.applied = self.server.saved.len() as u64;
        self.server.burnt = true;
    }

    /// The server hears the oldest word and says its answer.
    pub(crate) fn server_hears(&mut self) {
        if let Some((ask, up)) = self.ups.pop_front() {
            let down = self.server.hear(&up);
            self.downs.push((ask, down));
        }
    }

    /// One of the answers arrives, not necessarily the oldest.
    pub(crate) fn seat_hears(&mut self, which: usize) {
        if !self.downs.is_empty() {
            let (ask, down) = self.downs.remove(which % self.downs.len());
            self.event(Event::Reply { ask, down: Box::new(down) });
        }
    }

    /// The server hears all that was sent, and all its answers arrive.
    pub(crate) fn hear_all(&mut self) {
        while !self.ups.is_empty() || !self.downs.is_empty() {
            self.server_hears();
            self.seat_hears(0);
        }
    }

    /// The seat's disk finishes what is being written, or says that it cannot.
    pub(crate) fn sync(&mut self) {
        if self.writing.is_empty() {
            return;
        }
        self.told_failing = self.disk_fails;
        self.ever_failed |= self.disk_fails;
        if self.disk_fails {
            return self.event(Event::JournalFailing { why: "disk full".into() });
        }
        let (through, _) = *self.writing.back().as_ref().unwrap();
        let through = *through;
        self.disk.extend(self.writing.drain(..).map(|(_, record)| record));
        self.event(Event::Journalled { through });
    }

    /// The app dies; what was not durable is gone (its first `kept` records happened to reach the disk).
    pub(crate) fn restart(&mut self, kept: usize) {
        let kept = kept.min(self.writing.len());
        self.disk.extend(self.writing.drain(..).take(kept).map(|(_, record)| record));
        self.writing.clear();
        self.linked = false;
        self.told_failing = false;
        self.ups.clear();
        self.downs.clear();
        self.session = Session::new(BootId(self.boot));
        let newest = (!self.disk.is_empty()).then_some(ATTEMPT);
        self.event(Event::Started { newest });
    }

    /// Everything under way comes to its end.
    pub(crate) fn settle(&mut self) {
        for _ in 0..2_000 {
            self.sync();
            self.server_hears();
            self.seat_hears(0);
            self.pass(20);
            let view = self.view();
            let quiet = self.writing.is_empty() && self.ups.is_empty() && self.downs.is_empty() && view.unsaved == 0;
            let done = view.merge == exam_session::Merge::Done && view.hand_in != exam_session::HandInView::Pending;
            if quiet && (done || !self.linked) {
                return;
            }
        }
        panic!("it never settles: {:?}", self.view());
    }

    /// The answers in the seat's journal.
    pub(crate) fn journalled(&self) -> BTreeMap<(ItemId, u32), Answer> {
        let answered = self.disk.iter().filter_map(|record| match record {
            Record::Answered { item, number, answer, .. } => Some(((item.clone(), *number), answer.clone())),
            _ => None,
        });
        answered.collect()
    }
}
