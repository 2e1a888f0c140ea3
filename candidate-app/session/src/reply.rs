//! What the server's words mean to the session. Never takes a word as an answer to something that was not asked.

use crate::{
    attempt::Merging,
    clock::SeatMs,
    event::{AskId, Note, Record},
    queue::Place,
    session::Session,
    view::Notice,
};
use exam_protocol::{
    code::Refusal,
    message::candidate::{Answers, AttemptId, HandedIn, SeatView},
    tag::Down,
};

/// What was asked over the connection there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    TakeSeat,
    SignIn,
    Save(AttemptId, Place),
    Fetch(AttemptId),
    HandIn(AttemptId),
    Heartbeat { sent: SeatMs },
}

impl Session {
    pub(crate) fn push(&mut self, down: Down) {
        match down {
            Down::SeatView(view) => self.absorb(view),
            Down::SeatPoints(points) => self.points = Some(points),
            _ => {}
        }
    }

    pub(crate) fn reply(&mut self, ask: AskId, down: Down) {
        let Some(asked) = self.asked.remove(&ask) else { return };
        match asked {
            Asked::TakeSeat => self.desk_reply(down),
            Asked::SignIn => self.sign_in_reply(down),
            Asked::Save(attempt, place) if self.is_ours(attempt) => self.save_reply(place, down),
            Asked::Fetch(attempt) if self.is_ours(attempt) => self.fetch_reply(down),
            Asked::HandIn(attempt) if self.is_ours(attempt) => self.hand_in_reply(down),
            Asked::Save(..) | Asked::Fetch(_) | Asked::HandIn(_) => {}
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
        self.seen = Some(view);
        if news {
            self.note(Note::Released);
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
        let Some(pending) = attempt.answers.refused(place, refusal.clone(), self.now) else { return };
        let record = Record::Refused { item: pending.item, number: pending.number, refusal: refusal.clone() };
        attempt.journal(record, &mut self.out);
        self.notice = Some(Notice::Refused(refusal));
    }

    fn fetch_reply(&mut self, down: Down) {
        let now = self.now;
        let Some(attempt) = &mut self.attempt else { return };
        match down {
            Down::Answers(Answers { answers, more }) => {
                attempt.merge(now, answers, more, &mut self.out);
                self.served();
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

    fn is_ours(&self, attempt: AttemptId) -> bool {
        self.attempt.as_ref().is_some_and(|ours| ours.id == attempt)
    }
}
