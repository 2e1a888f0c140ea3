//! What the server's words mean to the session. Never takes a word as an answer to something that was not asked.

use crate::{
    attempt::{HandInState, Merging},
    clock::SeatMs,
    event::{AskId, Note, Record},
    older::Errand,
    queue::Place,
    session::Session,
    view::Notice,
};
use exam_protocol::{
    code::Refusal,
    message::{
        candidate::{AttemptId, HandedIn, SeatView},
        duty::{MessageId, SeatMessages},
    },
    tag::Down,
};

/// What was asked over the connection there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    TakeSeat,
    SignIn,
    Save(AttemptId, Place),
    /// A version the server has lost.
    Older(AttemptId, Errand),
    Fetch(AttemptId),
    HandIn(AttemptId),
    Heartbeat {
        sent: SeatMs,
    },
    /// A page of what the replaced machine had.
    Orphans(AttemptId),
    /// The candidate does not want one of them.
    Dismiss(AttemptId, u32),
    Unable(AttemptId),
    Confirm,
    /// A wish about the hand, by its serial number.
    Hand(u32),
    Read(MessageId),
    Report,
}

impl Session {
    pub(crate) fn push(&mut self, down: Down) {
        match down {
            Down::SeatView(view) => self.absorb(view),
            Down::SeatNotes(notes) => self.noted(notes),
            Down::HandStands(stands) => self.wishes.hand_stands(stands),
            Down::SeatMessages(SeatMessages { messages }) => self.wishes.told(messages),
            Down::SeatPoints(points) => self.points = Some(points),
            _ => {} // a word this seat has no use for
        }
    }

    pub(crate) fn reply(&mut self, ask: AskId, down: Down) {
        let Some(asked) = self.asked.remove(&ask) else { return };
        match asked {
            Asked::TakeSeat => self.desk_reply(down),
            Asked::SignIn => self.sign_in_reply(down),
            Asked::Save(attempt, place) if self.is_ours(attempt) => self.save_reply(place, down),
            Asked::Older(attempt, errand) if self.is_ours(attempt) => self.older_reply(errand, down),
            Asked::Fetch(attempt) if self.is_ours(attempt) => self.fetch_reply(down),
            Asked::HandIn(attempt) if self.is_ours(attempt) => self.hand_in_reply(down),
            Asked::Orphans(attempt) if self.is_ours(attempt) => self.orphans_reply(down),
            Asked::Dismiss(attempt, orphan) if self.is_ours(attempt) => self.dismiss_reply(orphan, down),
            Asked::Unable(attempt) if self.is_ours(attempt) => self.unable_reply(&down),
            Asked::Save(..) | Asked::Older(..) | Asked::Fetch(_) | Asked::HandIn(_) => {}
            Asked::Orphans(_) | Asked::Dismiss(..) | Asked::Unable(_) => {}
            Asked::Confirm => self.confirm_reply(down),
            Asked::Hand(serial) => self.hand_reply(serial, down),
            Asked::Read(message) => match down {
                Down::Done(_) | Down::Refused(_) => self.wish_served(|wishes| wishes.read_heard(message)),
                _ => self.wish_failed(|wishes| wishes.read_again(message)),
            },
            Asked::Report => match down {
                Down::Done(_) | Down::Refused(_) => self.wish_served(|wishes| wishes.report_heard()),
                _ => self.wish_failed(|wishes| wishes.report_again()),
            },
            Asked::Heartbeat { sent } => {
                if let Down::Heard(heard) = down {
                    self.clock.exchange(sent, self.now, heard.now.at);
                }
            }
        }
    }

    fn absorb(&mut self, view: SeatView) {
        let Some(link) = &mut self.link else { return };
        let older = |seen: &SeatView| link.view_seen && view.now.at < seen.now.at;
        if self.seen.as_ref().is_some_and(older) {
            return;
        }
        link.view_seen = true;
        self.clock.hint(self.now, view.now.at);
        let released = |view: &SeatView| {
            view.attempt.as_ref().and_then(|attempt| attempt.release.as_ref()).map(|key| key.paper.clone())
        };
        let news = released(&view).is_some() && self.seen.as_ref().is_none_or(|seen| released(seen) != released(&view));
        self.follow(&view);
        self.seen = Some(view);
        if news {
            self.note(Note::Released);
        }
    }

    /// What a new view means for the attempt in hand and for what was said at the desk.
    fn follow(&mut self, view: &SeatView) {
        let sitting = view.sitting.as_ref().map(|sitting| &sitting.sitting);
        self.wishes.belongs_to(sitting);
        let (before, after) = (self.named_attempt(), view.attempt.as_ref().map(|attempt| attempt.attempt));
        let Some(attempt) = &mut self.attempt else { return };
        if after == Some(attempt.id) {
            attempt.named(sitting.cloned());
        } else if before == Some(attempt.id) && after.is_none() && !matches!(attempt.hand_in, HandInState::Done(_)) {
            (attempt.parted, attempt.merging) = (true, Merging::Due { after: None });
        }
    }

    fn desk_reply(&mut self, down: Down) {
        match down {
            Down::SeatView(view) => self.absorb(view),
            Down::Done(_) => self.served(),
            Down::Refused(refused) => self.notice = Some(Notice::Refused(refused.refusal)),
            _ => {
                self.back_off();
                if let Some(link) = &mut self.link {
                    link.desk_asked = false;
                }
            }
        }
    }

    fn sign_in_reply(&mut self, down: Down) {
        self.signing_in = false;
        match down {
            Down::SeatView(view) => self.absorb(view),
            Down::Done(_) => self.served(),
            Down::Refused(refused) => self.notice = Some(Notice::Refused(refused.refusal)),
            Down::Failed(failed) => self.notice = Some(Notice::Failed(failed.error)),
            _ => self.notice = Some(Notice::Failed(exam_protocol::code::ErrorCode::Internal)),
        }
    }

    fn save_reply(&mut self, place: Place, down: Down) {
        match down {
            Down::Saved(_) => self.acked(place),
            Down::Refused(refused) => self.save_refused(place, refused.refusal),
            _ => {
                self.back_off();
                if let Some(attempt) = &mut self.attempt {
                    attempt.answers.queue.again(place);
                }
            }
        }
    }

    fn acked(&mut self, place: Place) {
        self.served();
        let Some(attempt) = &mut self.attempt else { return };
        if let Some(pending) = attempt.answers.acked(place) {
            attempt.acked(pending, &mut self.out);
        }
    }

    fn save_refused(&mut self, place: Place, refusal: Refusal) {
        let Some(attempt) = &mut self.attempt else { return };
        if refusal != Refusal::Fenced && attempt.answers.queue.go_as_typed(place) {
            attempt.orphans.refresh();
            return;
        }
        let Some(pending) = attempt.answers.refused(place, refusal.clone(), self.now) else { return };
        let record = Record::Refused { item: pending.item, number: pending.number, refusal: refusal.clone() };
        attempt.journal(record, &mut self.out);
        match refusal {
            Refusal::Fenced => self.replaced(),
            other => self.notice = Some(Notice::Refused(other)),
        }
    }

    /// Saved or refused, the candidate has nothing to do about it: it was acknowledged once, and something newer stands.
    fn older_reply(&mut self, errand: Errand, down: Down) {
        let Some(attempt) = &mut self.attempt else { return };
        match down {
            Down::Saved(_) => {
                attempt.older.settle(errand);
                self.served();
            }
            Down::Refused(no) if no.refusal == Refusal::Fenced => self.replaced(),
            Down::Refused(no) => {
                if let Some(made) = attempt.older.settle(errand) {
                    attempt.older_refused(made, no.refusal, &mut self.out);
                }
            }
            _ => {
                attempt.older.again(errand);
                self.back_off();
            }
        }
    }

    fn fetch_reply(&mut self, down: Down) {
        let now = self.now;
        let Some(attempt) = &mut self.attempt else { return };
        match down {
            Down::Answers(page) => {
                attempt.merge(now, page, &mut self.out);
                attempt.parted &= attempt.merging != Merging::Done;
                self.served();
            }
            Down::Refused(no) if no.refusal == Refusal::Fenced => self.replaced(),
            Down::Refused(_) if attempt.parted && attempt.unsaved() == 0 => {
                (attempt.parted, attempt.merging) = (false, Merging::Due { after: None }); // it is nobody's, and nothing waits
            }
            _ => {
                attempt.merging = Merging::Due { after: None };
                self.back_off();
            }
        }
    }

    fn hand_in_reply(&mut self, down: Down) {
        let now = self.now;
        let Some(attempt) = &mut self.attempt else { return };
        match down {
            Down::HandedIn(HandedIn { receipt, at }) => {
                attempt.handed_in(HandedIn { receipt, at }, &mut self.out);
                self.served();
            }
            Down::Refused(no) if no.refusal == Refusal::Fenced => self.replaced(),
            Down::Refused(refused) => {
                if attempt.hand_in_refused(now, &refused.refusal, &mut self.out) {
                    self.notice = Some(Notice::Refused(refused.refusal));
                } else {
                    self.back_off();
                }
            }
            _ => {
                attempt.hand_in_again();
                self.back_off();
            }
        }
    }

    fn orphans_reply(&mut self, down: Down) {
        let Some(attempt) = &mut self.attempt else { return };
        match down {
            Down::OrphanPage(page) => {
                attempt.orphans.page(page);
                self.served();
            }
            Down::Refused(no) => {
                attempt.orphans.not_listed();
                if no.refusal == Refusal::Fenced {
                    self.replaced();
                }
            }
            _ => {
                attempt.orphans.unlinked();
                self.back_off();
            }
        }
    }

    fn dismiss_reply(&mut self, orphan: u32, down: Down) {
        let Some(attempt) = &mut self.attempt else { return };
        match down {
            Down::Done(_) => {
                attempt.orphans.settled(orphan);
                self.served();
            }
            Down::Refused(no) => {
                attempt.orphans.settled(orphan);
                attempt.orphans.refresh();
                self.notice = Some(Notice::Refused(no.refusal));
            }
            _ => {
                attempt.orphans.dismiss_again(orphan);
                self.back_off();
            }
        }
    }

    /// Whatever a rule says about it, the journal keeps the account.
    fn unable_reply(&mut self, down: &Down) {
        let Some(attempt) = &mut self.attempt else { return };
        if matches!(down, Down::Done(_) | Down::Refused(_)) {
            attempt.account.told();
            self.served();
        } else {
            attempt.account.again();
            self.back_off();
        }
    }

    fn is_ours(&self, attempt: AttemptId) -> bool {
        self.attempt.as_ref().is_some_and(|ours| ours.id == attempt)
    }
}
