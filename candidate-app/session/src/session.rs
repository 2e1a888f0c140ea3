//! The session: takes events in, says what to do, one effect after another. Never asks for the time and never does anything.
//!
//! Every event first changes what is known; then [`Session::step`] looks at all that is known and asks for whatever is due
//! and not under way. So nothing can be forgotten: what could not be done now is due again at the next event.

use crate::{
    attempt::{Attempt, HandInState, Merging},
    clock::{BootId, SeatMs, SiteClock},
    event::{Act, AskId, Effect, Event, Record},
    limits::HEARTBEAT_MS,
    papers::{PaperStep, Papers},
    reminder,
    reply::Asked,
    view::{Closed, Notice},
    wishes::Wishes,
};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{ItemId, SeatRef},
    message::{
        attendance::SeatNotes,
        candidate::{AttemptId, LockState, SeatView, SignIn},
        duty::SeatHand,
        hello::Welcome,
        readiness::SeatPoints,
    },
    paper::Paper,
    time::SiteMs,
};
use std::{collections::BTreeMap, sync::Arc};

/// The connection there is.
#[derive(Debug)]
pub(crate) struct LinkUp {
    /// Whether the server has told how this seat stands since the connection began: before, nothing is asked of it.
    pub(crate) view_seen: bool,
    pub(crate) desk_asked: bool,
    /// Whether it is being ended because the server is silent.
    pub(crate) given_up: bool,
}

/// One candidate's sitting at one machine. See the crate's documentation.
#[derive(Debug)]
pub struct Session {
    pub(crate) now: SeatMs,
    boot: BootId,
    pub(crate) clock: SiteClock,
    pub(crate) site_now: Option<SiteMs>,
    pub(crate) link: Option<LinkUp>,
    pub(crate) turned_away: Option<Refusal>,
    pub(crate) seen: Option<SeatView>,
    pub(crate) desk: Option<SeatRef>,
    pub(crate) papers: Papers,
    pub(crate) attempt: Option<Attempt>,
    pub(crate) asked: BTreeMap<AskId, Asked>,
    pub(crate) next_ask: u64,
    pub(crate) signing_in: bool,
    pub(crate) notice: Option<Notice>,
    pub(crate) points: Option<SeatPoints>,
    pub(crate) started: bool,
    /// What the server said beside its views.
    pub(crate) notes: Option<SeatNotes>,
    /// The attempt in hand has not heard of them yet.
    pub(crate) notes_fresh: bool,
    pub(crate) wishes: Wishes,
    /// How the desktop's lock stands as read back, and since when.
    pub(crate) lock: (LockState, SeatMs),
    pub(crate) retry_ms: u64,
    pub(crate) retry_at: SeatMs,
    pub(crate) last_beat: SeatMs,
    pub(crate) out: Vec<Effect>,
}

impl Session {
    /// A session of an app that has just begun, on this run of the seat's clock. [`Event::Started`] comes first.
    pub fn new(boot: BootId) -> Self {
        Self {
            now: SeatMs(0),
            boot,
            clock: SiteClock::default(),
            site_now: None,
            link: None,
            turned_away: None,
            seen: None,
            desk: None,
            papers: Papers::default(),
            attempt: None,
            asked: BTreeMap::new(),
            next_ask: 1,
            signing_in: false,
            notice: None,
            points: None,
            started: false,
            notes: None,
            notes_fresh: false,
            wishes: Wishes::default(),
            lock: (LockState::NotAvailable, SeatMs(0)),
            retry_ms: 0,
            retry_at: SeatMs(0),
            last_beat: SeatMs(0),
            out: Vec::new(),
        }
    }

    /// Takes one event at `now` and returns what to do, in order. `now` never goes back.
    pub fn handle(&mut self, now: SeatMs, event: Event) -> Vec<Effect> {
        self.now = self.now.max(now);
        self.site_now = self.clock.advance(self.now);
        self.take(event);
        self.site_now = self.clock.advance(self.now);
        self.step();
        std::mem::take(&mut self.out)
    }

    /// When [`handle`](Self::handle) must be called with [`Event::Tick`] at the latest.
    pub fn next_wake(&self) -> SeatMs {
        let beat = self.last_beat.plus(HEARTBEAT_MS);
        let draft = self.attempt.as_ref().and_then(|attempt| attempt.answers.next_due());
        let ends = self.ends().and_then(|ends| self.clock.seat_moment(ends)).filter(|at| *at > self.now);
        let reminds = self.ends().zip(self.site_now).and_then(|(ends, now)| reminder::next(ends, now));
        let reminds = reminds.and_then(|at| self.clock.seat_moment(at)).filter(|at| *at > self.now);
        let retry = self.next_retry();
        let papers = self.papers.next_wake(self.now);
        [draft, ends, reminds, retry, papers].into_iter().flatten().fold(beat, SeatMs::min)
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Started { newest } => {
                self.started = true;
                if let Some(id) = newest {
                    self.begin_attempt(id);
                }
            }
            Event::Restored { attempt, records, trouble } => self.restored(attempt, records, trouble),
            Event::ReadBack { attempt: id, versions, more } => {
                if let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.id == id) {
                    attempt.older.found(versions, more);
                }
            }
            Event::Linked(welcome) => self.linked(&welcome),
            Event::Unlinked => self.unlinked(),
            Event::TurnedAway(refusal) => self.turned_away = Some(refusal),
            Event::Reply { ask, down } => self.reply(ask, *down),
            Event::Push(down) => self.push(*down),
            Event::Journalled { through } => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.journalled(through);
                }
            }
            Event::JournalFailing { why } => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.failing = Some(why);
                }
            }
            Event::PaperFetched { hash } => self.papers.fetched(hash),
            Event::PaperNotFetched { .. } => self.papers.not_fetched(self.now),
            Event::PaperOpened(paper) => self.paper_opened(paper),
            Event::PaperNotOpened { hash, why } => self.papers.not_opened(self.now, hash, why),
            Event::Probed(report) => self.wishes.probed(report),
            Event::LockRead(state) if state == self.lock.0 => {}
            Event::LockRead(state) => self.lock = (state, self.now),
            Event::Acted(act) => self.acted(act),
            Event::Tick => {}
        }
    }

    fn begin_attempt(&mut self, id: AttemptId) {
        self.attempt = Some(Attempt::new(id));
        self.out.push(Effect::Restore(id));
    }

    fn restored(&mut self, id: AttemptId, records: Vec<Record>, trouble: Option<String>) {
        let (now, boot) = (self.now, self.boot);
        let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.id == id && !attempt.loaded) else { return };
        let latest = records.iter().filter_map(moment).max();
        let Some(Record::Seen { view, site, seat, boot: then }) = attempt.restore(now, records, trouble) else {
            return;
        };
        match latest {
            _ if then == boot && seat <= now => self.clock.restore(site, seat),
            Some(latest) => self.clock.restore_bound(latest, now),
            None => {}
        }
        let at_work = view.state == SeatState::Working && attempt.hand_in == HandInState::Open && !attempt.fenced;
        if let Some(latest) = latest.filter(|_| at_work) {
            attempt.account.was_down(latest);
        }
        self.seen.get_or_insert(view);
    }

    fn linked(&mut self, welcome: &Welcome) {
        self.clock.restart(self.now, welcome.now.at);
        self.link = Some(LinkUp { view_seen: false, desk_asked: false, given_up: false });
        self.turned_away = None;
        self.retry_ms = 0;
        self.retry_at = self.now;
        self.wishes.linked();
        if let Some(attempt) = &mut self.attempt {
            attempt.orphans.linked();
            // Its disk may be another, older one: a backup that took over may even count the same number of starts.
            attempt.merging = Merging::Due { after: None };
        }
    }

    fn unlinked(&mut self) {
        self.link = None;
        self.asked.clear();
        self.wishes.unlinked();
        if std::mem::take(&mut self.signing_in) {
            self.notice = Some(Notice::NotConnected);
        }
        if let Some(attempt) = &mut self.attempt {
            attempt.unlinked();
        }
    }

    fn paper_opened(&mut self, paper: Arc<Paper>) {
        let seed = self.seen.as_ref().and_then(|view| view.attempt.as_ref()).map_or(0, |attempt| attempt.order_seed);
        self.papers.opened(paper, seed);
    }

    fn acted(&mut self, act: Act) {
        match act {
            Act::ChooseSeat(desk) => {
                self.desk = Some(desk);
                self.notice = None;
                if let Some(link) = &mut self.link {
                    link.desk_asked = false;
                }
            }
            Act::SignIn { admission_no, password } => {
                if self.signing_in {
                    return;
                }
                if !self.may_send() {
                    self.notice = Some(Notice::NotConnected);
                    return;
                }
                self.notice = None;
                self.signing_in = true;
                self.ask(Asked::SignIn, SignIn { admission_no, password });
            }
            Act::Show(item) => self.show(item),
            Act::Type { item, answer } => self.typed(&item, answer),
            Act::Leave(item) => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.answers.left(&item);
                }
            }
            Act::HandIn => self.hand_in(),
            Act::DismissNotice => self.notice = None,
            Act::DismissReminder => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.reminders.dismiss();
                }
            }
            Act::ConfirmIdentity => self.confirm_identity(),
            Act::RaiseHand { kind, text } => self.wishes.hand(SeatHand::Raise { kind, text }),
            Act::LowerHand => self.wishes.hand(SeatHand::Lower),
            Act::ReadMessage(message) => self.wishes.read(message),
            Act::AdoptOrphan { orphan } => self.adopt_orphan(orphan),
            Act::DismissOrphan { orphan } => self.dismiss_orphan(orphan),
        }
    }

    fn show(&mut self, item: ItemId) {
        let Some(attempt) = &mut self.attempt else { return };
        if let Some(before) = attempt.on_screen.replace(item) {
            attempt.answers.left(&before);
        }
    }

    fn typed(&mut self, item: &ItemId, answer: exam_protocol::answer::Answer) {
        if let Some(closed) = self.closed() {
            self.notice = Some(Notice::Closed(closed));
            return;
        }
        let fits = self.open_paper().and_then(|open| open.paper.item(item).map(|item| answer.fits(item)));
        match fits {
            Some(Ok(())) => {}
            Some(Err(misfit)) => return self.notice = Some(Notice::Misfit(misfit)),
            None => return,
        }
        let at = self.site_now.unwrap_or_default();
        if let Some(attempt) = &mut self.attempt {
            attempt.answers.typed(self.now, at, item, answer);
        }
    }

    fn hand_in(&mut self) {
        if let Some(closed) = self.closed() {
            self.notice = Some(Notice::Closed(closed));
            return;
        }
        let at = self.site_now.unwrap_or_default();
        if let Some(attempt) = &mut self.attempt {
            self.notice = None;
            attempt.ask_hand_in(self.now, at, &mut self.out);
        }
    }

    /// Asks for everything that is due and not under way.
    fn step(&mut self) {
        self.step_attempt();
        self.step_notes();
        self.step_view();
        self.step_papers();
        self.step_drafts();
        self.step_adoptions();
        self.step_reminder();
        self.step_account();
        self.step_read_back();
        self.step_to_server();
        self.step_beat();
    }

    /// The server names another attempt than this seat has in hand: its journal is read first.
    fn step_attempt(&mut self) {
        let Some(id) = self.named_attempt() else { return };
        if self.started && self.attempt.as_ref().is_none_or(|attempt| attempt.id != id) {
            self.begin_attempt(id);
            let sitting = self.seen.as_ref().and_then(|view| view.sitting.as_ref()).map(|s| s.sitting.clone());
            self.attempt.iter_mut().for_each(|attempt| attempt.sitting = sitting.clone());
        }
    }

    fn step_view(&mut self) {
        let (Some(view), Some(attempt), Some(site)) = (&self.seen, &mut self.attempt, self.site_now) else { return };
        let from_server = self.link.as_ref().is_some_and(|link| link.view_seen);
        if from_server && attempt.loaded && view.attempt.as_ref().is_some_and(|seen| seen.attempt == attempt.id) {
            let (seat, boot) = (self.now, self.boot);
            attempt.record_view(view, |view| Record::Seen { view, site, seat, boot }, &mut self.out);
        }
    }

    fn step_papers(&mut self) {
        let Some(view) = &self.seen else { return };
        let over =
            matches!(view.state, SeatState::HandedIn | SeatState::Stopped | SeatState::Absent | SeatState::Terminated);
        if over || self.is_swapped_out() {
            self.papers.close();
            return;
        }
        while let Some(step) = self.papers.step(self.now, view) {
            self.out.push(match step {
                PaperStep::Fetch(sealed) => Effect::Fetch(sealed),
                PaperStep::Open(sealed, key) => Effect::OpenPaper { sealed, key },
            });
        }
    }

    fn step_drafts(&mut self) {
        let at_work = self.seen.as_ref().is_some_and(|view| view.state == SeatState::Working) && !self.is_over();
        let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.loaded) else { return };
        if !at_work {
            attempt.answers.left_all(); // what was typed before the end, or before the clock stopped, still counts
        }
        attempt.make_due(self.now, &mut self.out);
    }

    fn step_read_back(&mut self) {
        if let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.loaded) {
            attempt.read_back(&mut self.out);
        }
    }

    fn step_reminder(&mut self) {
        let (true, Some(ends), Some(now)) = (self.clock_runs(), self.ends(), self.site_now) else { return };
        let ours = |attempt: &&mut Attempt| attempt.loaded && attempt.hand_in == HandInState::Open;
        let Some(attempt) = self.attempt.as_mut().filter(ours) else { return };
        if let Some(minutes) = attempt.reminders.look(ends, now) {
            attempt.journal(Record::Reminded { minutes, ends }, &mut self.out);
        }
    }

    /// Whether the candidate's time is running, at the desk or out with an escort (HB-24).
    pub(crate) fn clock_runs(&self) -> bool {
        self.seen.as_ref().is_some_and(|view| matches!(view.state, SeatState::Working | SeatState::Away))
    }

    /// Milliseconds left: as the server said while the clock stands still, else counted from the site's time.
    pub(crate) fn left_ms(&self) -> Option<u64> {
        let frozen = self.seen.as_ref().and_then(|view| view.attempt.as_ref()).and_then(|attempt| attempt.left_ms);
        frozen.or_else(|| self.ends().zip(self.site_now).map(|(ends, now)| ends.since(now)))
    }

    /// When the attempt on screen ends; none while its clock stands still.
    pub(crate) fn ends(&self) -> Option<SiteMs> {
        self.seen.as_ref()?.attempt.as_ref()?.ends
    }

    /// Whether nothing more may be typed because the attempt's time is over.
    pub(crate) fn is_over(&self) -> bool {
        let stopped = self.seen.as_ref().is_some_and(|view| {
            matches!(view.state, SeatState::Stopped | SeatState::HandedIn | SeatState::Absent | SeatState::Terminated)
        });
        stopped || self.ends().zip(self.site_now).is_some_and(|(ends, now)| now >= ends)
    }

    /// Why nothing can be typed now, if so.
    pub(crate) fn closed(&self) -> Option<Closed> {
        let (Some(view), Some(attempt)) = (&self.seen, &self.attempt) else { return Some(Closed::NotWorking) };
        if self.is_swapped_out() {
            return Some(Closed::SwappedOut);
        }
        if attempt.hand_in != HandInState::Open || view.state == SeatState::HandedIn {
            return Some(Closed::HandedIn);
        }
        match view.state {
            SeatState::Terminated => return Some(Closed::Terminated),
            _ if self.is_over() => return Some(Closed::TimeOver),
            SeatState::Paused => return Some(Closed::Paused),
            SeatState::Away => return Some(Closed::Away),
            SeatState::Denied => return Some(Closed::Denied),
            SeatState::Waiting
            | SeatState::SignedIn
            | SeatState::Admitted
            | SeatState::Working
            | SeatState::Stopped
            | SeatState::HandedIn
            | SeatState::Absent => {}
        }
        let ours = view.attempt.as_ref().is_some_and(|seen| seen.attempt == attempt.id);
        if !ours || view.state != SeatState::Working {
            return Some(Closed::NotWorking);
        }
        let unmerged = self.link.is_some() && !attempt.merged_once;
        (!attempt.loaded || unmerged || self.open_paper().is_none()).then_some(Closed::Loading)
    }
}

/// The moment on the site's timeline a record speaks of.
fn moment(record: &Record) -> Option<SiteMs> {
    match record {
        Record::Seen { site, .. } => Some(*site),
        Record::Answered { made_at, .. } => Some(*made_at),
        Record::HandInAsked { at } => Some(*at),
        Record::HandedIn(receipt) => Some(receipt.at),
        Record::Fenced { at } | Record::Alive { at } => Some(*at),
        Record::Unable(told) => Some(told.to),
        Record::Adopting { .. } | Record::OrphanDismissed { .. } => None,
        Record::Acked { .. }
        | Record::Known(_)
        | Record::Refused { .. }
        | Record::HandInRefused { .. }
        | Record::Reminded { .. } => None,
    }
}
