//! The candidate and the room: what the server notes beside the view, the choice about a replaced machine's answers, wishes,
//! and the account of when nobody could work. Never grants or takes time.

use crate::{
    attempt::HandInState,
    event::Record,
    limits::ALIVE_EVERY_MS,
    orphans::OrphanView,
    session::Session,
    view::{Closed, Notice},
    wishes::Due,
};
use exam_protocol::{
    answer::Answer,
    code::SeatState,
    message::attendance::{SeatNotes, UnableWhy},
    tag::Down,
};
use std::sync::Arc;

impl Session {
    /// Notes come before the view they belong to; an attempt not yet in hand hears of them when its journal is read.
    pub(crate) fn noted(&mut self, notes: SeatNotes) {
        if notes.identity_confirmed {
            self.wishes.confirm = Due::No;
        }
        self.notes = Some(notes);
        self.notes_fresh = true;
    }

    pub(crate) fn step_notes(&mut self) {
        let (Some(notes), true) = (&self.notes, self.notes_fresh) else { return };
        let ours = |attempt: &&mut crate::attempt::Attempt| attempt.loaded && attempt.id == notes.attempt;
        if let Some(attempt) = self.attempt.as_mut().filter(ours) {
            attempt.orphans.noted(notes.orphans);
            if attempt.on_screen.is_none() {
                attempt.on_screen.clone_from(&notes.resume_at); // where the candidate was, at another machine or before a restart
            }
            self.notes_fresh = false;
        }
    }

    /// What the server noted about the attempt on screen.
    pub(crate) fn notes(&self) -> Option<&SeatNotes> {
        self.notes.as_ref().filter(|notes| self.named_attempt() == Some(notes.attempt))
    }

    pub(crate) fn confirm_identity(&mut self) {
        let confirmed = self.notes().is_some_and(|notes| notes.identity_confirmed);
        if self.named_attempt().is_some() && !confirmed && self.wishes.confirm == Due::No {
            self.wishes.confirm = Due::Yes;
        }
    }

    /// Taking an answer is as good as typing it: the same rules say when it may be done.
    pub(crate) fn adopt_orphan(&mut self, orphan: u32) {
        if let Some(closed) = self.closed() {
            return self.notice = Some(Notice::Closed(closed));
        }
        let listed = self.attempt.as_ref().and_then(|attempt| attempt.orphans.open(orphan));
        let Some(listed) = listed else { return };
        let fits = self.open_paper().and_then(|open| Some(listed.answer.fits(open.paper.item(&listed.item)?)));
        match fits {
            Some(Ok(())) => {}
            Some(Err(misfit)) => return self.notice = Some(Notice::Misfit(misfit)),
            None => return,
        }
        let (item, at) = (listed.item.clone(), self.site_now.unwrap_or_default());
        if let Some(attempt) = self.attempt.as_mut().filter(|attempt| !attempt.answers.queue.adopts(orphan)) {
            attempt.answers.left(&item); // what is half typed becomes a version of its own first
            attempt.orphans.adopt(orphan, at);
        }
    }

    pub(crate) fn dismiss_orphan(&mut self, orphan: u32) {
        let Some(attempt) = &mut self.attempt else { return };
        if attempt.orphans.open(orphan).is_some() && !attempt.answers.queue.adopts(orphan) {
            attempt.orphans.dismiss(orphan);
            attempt.journal(Record::OrphanDismissed { orphan }, &mut self.out);
        }
    }

    pub(crate) fn step_adoptions(&mut self) {
        if let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.loaded) {
            attempt.make_adopted(self.now, &mut self.out);
        }
    }

    /// Answers of the replaced machine beside the current ones, in the order of the paper.
    pub(crate) fn orphan_views(&self) -> Vec<OrphanView> {
        let Some(attempt) = self.attempt.as_ref().filter(|attempt| !attempt.fenced) else { return Vec::new() };
        let place = |view: &OrphanView| {
            let open = self.open_paper()?;
            open.order.items.iter().position(|index| open.paper.items.get(*index).is_some_and(|i| i.id == view.item))
        };
        let nothing = Arc::new(Answer::Empty);
        let listed = attempt.orphans.listed(|orphan| attempt.answers.queue.adopts(orphan));
        let mut views: Vec<_> = listed
            .map(|(orphan, listed, choice)| OrphanView {
                orphan,
                item: listed.item.clone(),
                theirs: listed.answer.clone(),
                typed_at: listed.made_at,
                mine: attempt.answers.current(&listed.item).unwrap_or_else(|| nothing.clone()),
                mine_typed_at: attempt.answers.typed_at(&listed.item),
                choice,
            })
            .collect();
        views.sort_by_key(|view| (place(view), view.orphan));
        views
    }

    /// Keeps the account of when the candidate could not work, and a sign of life while they can.
    pub(crate) fn step_account(&mut self) {
        let (now, site, why) = (self.now, self.site_now, self.unable());
        let working = why.is_none() && self.closed().is_none();
        let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.loaded) else { return };
        attempt.account.look(now, why);
        for told in attempt.account.place(&self.clock) {
            attempt.journal(Record::Unable(told), &mut self.out);
        }
        let due = attempt.alive.is_none_or(|last| now >= last.plus(ALIVE_EVERY_MS));
        let takes = attempt.failing.is_none() && !attempt.is_far_behind();
        if let (true, true, true, Some(at)) = (working, due, takes, site) {
            attempt.alive = Some(now);
            attempt.journal(Record::Alive { at }, &mut self.out);
        }
    }

    /// Why the candidate cannot work though the clock runs.
    fn unable(&self) -> Option<UnableWhy> {
        let attempt = self.attempt.as_ref()?;
        let working = self.seen.as_ref()?.state == SeatState::Working && self.named_attempt() == Some(attempt.id);
        if !working || self.is_over() || attempt.fenced || attempt.hand_in != HandInState::Open {
            return None;
        }
        let kept_nowhere = attempt.failing.is_some() && self.link.is_none();
        match self.closed() {
            Some(Closed::Loading) => Some(UnableWhy::PaperClosed),
            Some(_) => None,
            None => kept_nowhere.then_some(UnableWhy::NotKept),
        }
    }

    /// The server says that this machine was replaced.
    pub(crate) fn replaced(&mut self) {
        let at = self.site_now.unwrap_or_default();
        if let Some(attempt) = &mut self.attempt {
            attempt.replaced(at, &mut self.out);
        }
    }

    /// Whether this machine was replaced, and the room has not gone on to another sitting.
    pub(crate) fn is_swapped_out(&self) -> bool {
        let Some(attempt) = self.attempt.as_ref().filter(|attempt| attempt.fenced) else { return false };
        let here = self.seen.as_ref().and_then(|view| view.sitting.as_ref()).map(|sitting| &sitting.sitting);
        here.is_none() || attempt.sitting.is_none() || here == attempt.sitting.as_ref()
    }

    pub(crate) fn confirm_reply(&mut self, down: Down) {
        match down {
            Down::Done(_) => self.wish_served(|wishes| wishes.confirm = Due::No),
            Down::Refused(no) => {
                self.wishes.confirm = Due::No;
                self.notice = Some(Notice::Refused(no.refusal));
            }
            _ => self.wish_failed(|wishes| wishes.confirm.again()),
        }
    }

    pub(crate) fn hand_reply(&mut self, serial: u32, down: Down) {
        match down {
            Down::Done(_) => self.wish_served(|wishes| wishes.hand_heard(serial)),
            Down::Refused(no) => {
                self.wishes.hand_heard(serial);
                self.notice = Some(Notice::Refused(no.refusal));
            }
            _ => self.wish_failed(|wishes| wishes.hand_again(serial)),
        }
    }

    pub(crate) fn wish_served(&mut self, settle: impl FnOnce(&mut crate::wishes::Wishes)) {
        settle(&mut self.wishes);
        self.served();
    }

    pub(crate) fn wish_failed(&mut self, again: impl FnOnce(&mut crate::wishes::Wishes)) {
        again(&mut self.wishes);
        self.back_off();
    }
}
