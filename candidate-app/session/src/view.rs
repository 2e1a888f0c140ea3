//! All that a screen needs, made whole each time: the window shows it and computes nothing. Never holds a key.

use crate::{
    answers::{Evidence, Saved},
    attempt::{HandInState, Merging},
    orphans::OrphanView,
    papers::Opened,
    reminder::Reminder,
    session::Session,
    wishes::{HandView, MessageView},
};
use exam_protocol::{
    answer::{Answer, Misfit},
    code::{ErrorCode, Phase, Refusal, SeatState},
    ids::{ItemId, SeatRef},
    message::{
        attendance::SeatNotes,
        candidate::{AttemptId, CandidateView, SeatView, SittingView},
        readiness::Points,
    },
    paper::{Order, Paper},
    time::SiteMs,
};
use std::sync::Arc;

/// One for each screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// The app reads its own disk.
    Loading,
    /// No server yet, and nothing to go on with.
    Connecting,
    /// The server refuses this machine.
    TurnedAway(Refusal),
    /// Somebody has to say at which desk the machine stands.
    ChoosingSeat,
    /// No sitting is open for sign-in.
    NoSitting,
    /// 登录.
    SigningIn,
    /// 待核验.
    AwaitingAdmission,
    /// 等待开考.
    AwaitingStart,
    /// The paper is released and being fetched or opened.
    OpeningPaper,
    /// 答题.
    Working,
    /// 交卷中, or pending while cut off (F-58).
    HandingIn,
    /// 已交卷.
    HandedIn,
    /// 时间到.
    Over,
    /// 缺考.
    Absent,
    /// 暂离: covered while the candidate is out (HB-24).
    Away,
    /// 已暂停: the clock stands still.
    Paused,
    /// 已终止: the exam was ended by a decision.
    Terminated,
    /// 未准入: the proctor has not let the candidate in.
    Denied,
    /// 已换机: the candidate goes on at another machine; what this one had goes to the server, and then it has nothing to do.
    SwappedOut,
}

/// Why nothing can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The seat is not at work.
    NotWorking,
    /// Something is still being read.
    Loading,
    /// The attempt's time is over.
    TimeOver,
    /// The paper is handed in, or about to be.
    HandedIn,
    /// The clock stands still; what was typed before is saved.
    Paused,
    /// The candidate is out (HB-24).
    Away,
    /// The exam was ended by a decision.
    Terminated,
    /// The candidate was not let in.
    Denied,
    /// This machine was replaced (HB-25).
    SwappedOut,
}

/// What the candidate has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A rule said no.
    Refused(Refusal),
    /// The server failed.
    Failed(ErrorCode),
    /// It cannot be done without the server.
    NotConnected,
    /// Typing came at the wrong time.
    Closed(Closed),
    /// The answer does not fit the item.
    Misfit(Misfit),
}

/// Whether this seat knows what the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Not yet asked, or under way.
    Pending,
    /// It does.
    Done,
}

/// Where the hand-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandInView {
    /// Not pressed.
    Open,
    /// Pressed; answers or the hand-in itself are not at the server yet.
    Pending,
    /// Done: the receipt the candidate may note.
    Done {
        /// Eight characters.
        receipt: String,
        /// When.
        at: SiteMs,
    },
}

/// The open paper in the order this candidate sees.
#[derive(Clone, Debug)]
pub struct PaperView {
    /// The paper.
    pub paper: Arc<Paper>,
    /// The order.
    pub order: Arc<Order>,
}

/// One item as the candidate stands with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemView {
    /// Which item.
    pub item: ItemId,
    /// The answer on screen.
    pub answer: Arc<Answer>,
    /// Where its newest version is.
    pub saved: Saved,
    /// Number of the newest version; zero if there is none.
    pub number: u32,
}

/// All that a screen needs.
#[derive(Clone, Debug)]
pub struct View {
    /// Which screen.
    pub screen: Screen,
    /// Whether there is a connection.
    pub linked: bool,
    /// The desk this machine stands at.
    pub desk: Option<SeatRef>,
    /// Name of the room.
    pub room_name: String,
    /// The sitting.
    pub sitting: Option<SittingView>,
    /// Who is signed in.
    pub candidate: Option<CandidateView>,
    /// A sign-in is under way.
    pub signing_in: bool,
    /// The site's time as this seat knows it.
    pub site_now: Option<SiteMs>,
    /// Milliseconds left; none before the start. Stands still while the clock does.
    pub left_ms: Option<u64>,
    /// 15, 5 or 1 minutes before the candidate's own end, until it is read (HB-22).
    pub reminder: Option<Reminder>,
    /// The time is a lower bound: the machine was restarted while cut off.
    pub time_uncertain: bool,
    /// The paper, while it may be read.
    pub paper: Option<PaperView>,
    /// Its items, in the candidate's order.
    pub items: Vec<ItemView>,
    /// The item the candidate last chose, also through a pause.
    pub on_screen: Option<ItemId>,
    /// Items with an answer given.
    pub answered: usize,
    /// Versions and drafts the server has not acknowledged.
    pub unsaved: usize,
    /// Age of the oldest of them, milliseconds.
    pub unsaved_age_ms: u64,
    /// Whether this seat knows what the server has.
    pub merge: Merge,
    /// Where the hand-in stands.
    pub hand_in: HandInView,
    /// What a mock paper got (HB-05), once the attempt is over; always none in a real sitting.
    pub points: Option<Points>,
    /// What the candidate has to be told.
    pub notice: Option<Notice>,
    /// What the server refused.
    pub evidence: Vec<Evidence>,
    /// Why the seat's own disk takes no answers at the moment.
    pub journal_failing: Option<String>,
    /// What was wrong with the journal when it was read.
    pub journal_damage: Option<String>,
    /// Why the paper could not be opened at the last try.
    pub paper_trouble: Option<String>,
    /// Why nothing can be typed; none while the candidate can.
    pub closed: Option<Closed>,
    /// What the server notes about the attempt: identity confirmed, when hand-in opens, consent, how long to wait, orphans.
    pub notes: Option<SeatNotes>,
    /// Answers of the replaced machine beside the current ones, until the candidate has chosen (HB-25).
    pub orphans: Vec<OrphanView>,
    /// 举手.
    pub hand: HandView,
    /// Messages of the staff: unread ones first, oldest on top.
    pub messages: Vec<MessageView>,
}

impl Session {
    /// All that a screen needs, as of the last event.
    pub fn view(&self) -> View {
        let seen = self.seen.as_ref();
        let attempt = self.attempt.as_ref();
        View {
            screen: self.screen(),
            linked: self.link.is_some(),
            desk: seen.and_then(|view| view.seat.clone()),
            room_name: seen.map(|view| view.room_name.clone()).unwrap_or_default(),
            sitting: seen.and_then(|view| view.sitting.clone()),
            candidate: seen.and_then(|view| view.candidate.clone()),
            signing_in: self.signing_in,
            site_now: self.site_now,
            left_ms: self.left_ms(),
            reminder: attempt.filter(|_| self.clock_runs() && !self.is_over()).and_then(|a| a.reminders.shown()),
            time_uncertain: self.clock.is_bound_only(),
            paper: self.open_paper().map(|open| PaperView { paper: open.paper.clone(), order: open.order.clone() }),
            items: self.items(),
            on_screen: attempt.and_then(|attempt| attempt.on_screen.clone()),
            answered: attempt.map_or(0, |attempt| attempt.answers.answered()),
            unsaved: attempt.map_or(0, |attempt| attempt.unsaved()),
            unsaved_age_ms: attempt.and_then(|a| a.answers.oldest_unsaved()).map_or(0, |since| self.now.since(since)),
            merge: if attempt.is_some_and(|a| a.merging == Merging::Done) { Merge::Done } else { Merge::Pending },
            hand_in: self.hand_in_view(),
            points: self.points.filter(|told| self.is_over_for(told.attempt)).map(|told| told.points),
            notice: self.notice.clone(),
            evidence: attempt.map(|attempt| attempt.answers.evidence().to_vec()).unwrap_or_default(),
            journal_failing: attempt.and_then(|attempt| attempt.failing.clone()),
            journal_damage: attempt.and_then(|attempt| attempt.damage.clone()),
            paper_trouble: self.papers.trouble().map(str::to_owned),
            closed: self.closed(),
            notes: self.notes().cloned(),
            orphans: self.orphan_views(),
            hand: self.wishes.hand_view(),
            messages: self.wishes.messages(),
        }
    }

    /// Whether this attempt is the one on screen, and over.
    fn is_over_for(&self, attempt: AttemptId) -> bool {
        let Some(seen) = &self.seen else { return false };
        let over = matches!(seen.state, SeatState::HandedIn | SeatState::Stopped | SeatState::Terminated);
        over && seen.attempt.as_ref().is_some_and(|shown| shown.attempt == attempt)
    }

    pub(crate) fn open_paper(&self) -> Option<&Opened> {
        let attempt = self.seen.as_ref()?.attempt.as_ref()?;
        self.papers.open(attempt.release.as_ref()?, attempt.order_seed)
    }

    fn items(&self) -> Vec<ItemView> {
        let (Some(open), Some(attempt)) = (self.open_paper(), &self.attempt) else { return Vec::new() };
        let nothing = Arc::new(Answer::Empty);
        let view = |index: &usize| {
            let item = open.paper.items.get(*index)?.id.clone();
            let answer = attempt.answers.current(&item).unwrap_or_else(|| nothing.clone());
            Some(ItemView { saved: attempt.answers.saved(&item), number: attempt.answers.newest(&item), answer, item })
        };
        open.order.items.iter().filter_map(view).collect()
    }

    fn hand_in_view(&self) -> HandInView {
        match self.attempt.as_ref().map(|attempt| &attempt.hand_in) {
            None | Some(HandInState::Open) => HandInView::Open,
            Some(HandInState::Asked { .. }) => HandInView::Pending,
            Some(HandInState::Done(done)) => HandInView::Done { receipt: done.receipt.clone(), at: done.at },
        }
    }

    fn screen(&self) -> Screen {
        if !self.started || self.attempt.as_ref().is_some_and(|attempt| !attempt.loaded) {
            return Screen::Loading;
        }
        if self.is_swapped_out() {
            return Screen::SwappedOut;
        }
        let Some(view) = &self.seen else {
            return self.turned_away.clone().map_or(Screen::Connecting, Screen::TurnedAway);
        };
        if view.seat.is_none() {
            return Screen::ChoosingSeat;
        }
        match view.state {
            SeatState::Waiting => waiting(view),
            SeatState::SignedIn => Screen::AwaitingAdmission,
            SeatState::Admitted => Screen::AwaitingStart,
            SeatState::Working => self.working(),
            SeatState::Stopped => Screen::Over,
            SeatState::HandedIn => Screen::HandedIn,
            SeatState::Absent => Screen::Absent,
            SeatState::Away if self.is_over() => Screen::Over,
            SeatState::Away => Screen::Away,
            SeatState::Paused => Screen::Paused,
            SeatState::Terminated => Screen::Terminated,
            SeatState::Denied => Screen::Denied,
        }
    }

    fn working(&self) -> Screen {
        match (self.hand_in_view(), self.closed()) {
            (HandInView::Done { .. }, _) => Screen::HandedIn,
            (HandInView::Pending, _) => Screen::HandingIn,
            (HandInView::Open, Some(Closed::TimeOver)) => Screen::Over,
            (HandInView::Open, Some(_)) => Screen::OpeningPaper,
            (HandInView::Open, None) => Screen::Working,
        }
    }
}

fn waiting(view: &SeatView) -> Screen {
    match view.sitting.as_ref().map(|sitting| sitting.phase) {
        Some(Phase::Admitting | Phase::Running | Phase::Paused) => Screen::SigningIn,
        Some(Phase::Prepared | Phase::Sealed | Phase::Ended | Phase::Exported) | None => Screen::NoSitting,
    }
}
