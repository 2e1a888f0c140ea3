//! What goes to the server: asked for after every event, each as soon as it is due and may go. Never sends what the seat's disk
//! does not have, unless that disk fails, and never sends anything before the server has said how the seat stands.

use crate::{
    attempt::{self, Merging},
    clock::SeatMs,
    event::{AskId, Effect, Note},
    limits::{HEARTBEAT_MS, HEARTBEATS_UNHEARD_MAX, RETRY_MS_MAX, RETRY_MS_MIN},
    reply::Asked,
    session::Session,
};
use exam_protocol::{
    message::{
        attendance::{ConfirmIdentity, OrphanWish, Orphans, SeatUnable},
        candidate::{AttemptId, Heartbeat, TakeSeat},
        duty::ReadMessage,
    },
    tag::Up,
};

impl Session {
    /// Everything that is due and may go.
    pub(crate) fn step_to_server(&mut self) {
        if self.may_send() && self.now >= self.retry_at {
            self.step_desk();
            self.step_sends();
            self.step_orphans();
            self.step_wishes();
        }
    }

    fn step_desk(&mut self) {
        let here = self.seen.as_ref().and_then(|view| view.seat.as_ref());
        let Some(desk) = self.desk.clone().filter(|desk| Some(desk) != here) else { return };
        if let Some(link) = self.link.as_mut().filter(|link| !link.desk_asked) {
            link.desk_asked = true;
            self.ask(Asked::TakeSeat, TakeSeat { seat: desk });
        }
    }

    fn step_sends(&mut self) {
        let ours = self.named_attempt();
        // A backup from before the start knows the attempt and no clock for it: what it refused would be evidence and not an answer.
        let begun = self.seen.as_ref().and_then(|view| view.attempt.as_ref()).is_some_and(|own| own.started.is_some());
        let now = self.now;
        let mut ups = Vec::new();
        if let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.loaded) {
            let (id, named) = (attempt.id, ours == Some(attempt.id));
            // The desk may belong to the room's next sitting by now, or another machine may have taken over: what this one
            // left unsent still goes.
            let left_over = ours.is_none() && attempt.unsaved() > 0;
            let asks = !attempt.fenced && (named || left_over || attempt.parted);
            if let Some(fetch) = asks.then(|| attempt.ask_merge()).flatten() {
                ups.push((Asked::Fetch(id), Up::from(fetch)));
            }
            // Without the server's word that it knows the attempt, a refusal would be taken for the end of an answer.
            let known = attempt.fenced || (named && begun) || (left_over && attempt.merging == Merging::Done);
            while known && let Some((place, pending)) = attempt.answers.queue.send_next(now, attempt.failing.is_some())
            {
                ups.push((Asked::Save(id, place), attempt::save(id, pending)));
            }
            let older = known && !attempt.fenced && attempt.answers.queue.all_sent();
            while older && let Some((errand, made)) = attempt.older.send_next() {
                ups.push((Asked::Older(id, errand), attempt::save_again(id, made)));
            }
            if let Some(hand_in) = (named && begun && !attempt.fenced).then(|| attempt.send_hand_in()).flatten() {
                ups.push((Asked::HandIn(id), hand_in.into()));
            }
            if let Some(stretches) = attempt.account.ask() {
                ups.push((Asked::Unable(id), SeatUnable { attempt: id, stretches }.into()));
            }
        }
        ups.into_iter().for_each(|(asked, up)| self.ask(asked, up));
    }

    /// The list of what the replaced machine had, and what the candidate does not want of it.
    fn step_orphans(&mut self) {
        let named = self.named_attempt();
        let ours = |attempt: &&mut attempt::Attempt| attempt.loaded && !attempt.fenced && named == Some(attempt.id);
        let Some(attempt) = self.attempt.as_mut().filter(ours) else { return };
        let id = attempt.id;
        let mut ups = Vec::new();
        if let Some(after) = attempt.orphans.ask() {
            ups.push((Asked::Orphans(id), OrphanWish::List { after }));
        }
        while let Some(orphan) = attempt.orphans.dismissal() {
            ups.push((Asked::Dismiss(id, orphan), OrphanWish::Dismiss { orphan }));
        }
        ups.into_iter().for_each(|(asked, wish)| self.ask(asked, Orphans { attempt: id, wish }));
    }

    fn step_wishes(&mut self) {
        if let Some(report) = self.wishes.report() {
            self.ask(Asked::Report, report);
        }
        if let Some(attempt) = self.named_attempt()
            && self.wishes.confirm.take()
        {
            self.ask(Asked::Confirm, ConfirmIdentity { attempt });
        }
        if let Some((serial, hand)) = self.wishes.hand_to_send() {
            self.ask(Asked::Hand(serial), hand);
        }
        while let Some(message) = self.wishes.read_to_send() {
            self.ask(Asked::Read(message), ReadMessage { message });
        }
    }

    pub(crate) fn step_beat(&mut self) {
        if self.now < self.last_beat.plus(HEARTBEAT_MS) {
            return;
        }
        self.last_beat = self.now;
        let Some(link) = &mut self.link else { return };
        let unheard = self.asked.values().filter(|asked| matches!(asked, Asked::Heartbeat { .. })).count();
        if unheard < HEARTBEATS_UNHEARD_MAX {
            self.ask(Asked::Heartbeat { sent: self.now }, self.heartbeat());
        } else if !std::mem::replace(&mut link.given_up, true) {
            self.out.push(Effect::HangUp);
        }
    }

    /// The shell writes the wall clock in: a session has none.
    fn heartbeat(&self) -> Heartbeat {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let (lock, since) = self.lock;
        let beat = Heartbeat { lock, lock_for_ms: small(self.now.since(since)), ..Heartbeat::default() };
        let Some(attempt) = &self.attempt else { return beat };
        Heartbeat {
            unsaved: small(attempt.unsaved() as u64),
            unsaved_age_ms: small(attempt.answers.oldest_unsaved().map_or(0, |since| self.now.since(since))),
            answered: small(attempt.answers.answered() as u64),
            item: attempt.on_screen.clone(),
            ..beat
        }
    }

    pub(crate) fn ask(&mut self, asked: Asked, up: impl Into<Up>) {
        let ask = AskId(self.next_ask);
        self.next_ask += 1;
        self.asked.insert(ask, asked);
        self.out.push(Effect::Send { ask, up: Box::new(up.into()) });
    }

    /// The server failed: nothing but heartbeats is sent for a while, longer each time.
    pub(crate) fn back_off(&mut self) {
        if self.retry_at <= self.now {
            self.retry_ms = (self.retry_ms * 2).clamp(RETRY_MS_MIN, RETRY_MS_MAX);
            self.retry_at = self.now.plus(self.retry_ms);
        }
    }

    /// The server did what it was asked.
    pub(crate) fn served(&mut self) {
        self.retry_ms = 0;
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.out.push(Effect::Note(note));
    }

    pub(crate) fn may_send(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.view_seen)
    }

    /// The attempt the server's newest view names for this machine.
    pub(crate) fn named_attempt(&self) -> Option<AttemptId> {
        self.seen.as_ref()?.attempt.as_ref().map(|attempt| attempt.attempt)
    }

    /// When the server may be asked again after a failure.
    pub(crate) fn next_retry(&self) -> Option<SeatMs> {
        Some(self.retry_at).filter(|at| *at > self.now)
    }
}
