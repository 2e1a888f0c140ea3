//! Raised hands: the queue of a sitting, and the latest hand of each desk. Nothing but the sum of its facts.

use crate::authority::Actor;
use exam_protocol::{
    ids::{SeatNo, SeatRef, SittingId, StationId},
    message::{
        candidate::AttemptId,
        duty::{HandId, HandKind, HandStage},
    },
    time::SiteMs,
};
use std::collections::BTreeMap;

/// All hands of the site.
#[derive(Clone, Debug, Default)]
pub struct Hands {
    /// Every hand that was ever up.
    pub by_id: BTreeMap<HandId, Hand>,
    /// The latest hand of each desk.
    pub latest: BTreeMap<SeatRef, HandId>,
    /// How often a desk has raised one in a sitting.
    pub count: BTreeMap<(SittingId, SeatNo), u32>,
}

/// One raised hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// Which.
    pub id: HandId,
    /// In which sitting.
    pub sitting: SittingId,
    /// At which desk.
    pub seat: SeatRef,
    /// At which machine.
    pub station: StationId,
    /// Whose; none when nobody has signed in there.
    pub attempt: Option<AttemptId>,
    /// Why.
    pub kind: HandKind,
    /// In words, or empty.
    pub text: String,
    /// When it went up.
    pub raised_at: SiteMs,
    /// When somebody took it, and who.
    pub taken: Option<(SiteMs, Actor)>,
    /// When it came down, and how.
    pub closed: Option<(SiteMs, HandEnd)>,
}

/// How a hand came down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandEnd {
    /// By somebody of the staff.
    Done(Actor),
    /// By the candidate.
    Lowered,
}

impl Hand {
    /// How it stands, and since when.
    pub fn stage(&self) -> (HandStage, SiteMs) {
        match (&self.closed, &self.taken) {
            (Some((at, HandEnd::Done(_))), _) => (HandStage::Done, *at),
            (Some((at, HandEnd::Lowered)), _) => (HandStage::Lowered, *at),
            (None, Some((at, _))) => (HandStage::Taken, *at),
            (None, None) => (HandStage::Raised, self.raised_at),
        }
    }

    /// Whether somebody still has to come or to finish.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

impl crate::Site {
    /// Hands of a sitting: open ones by waiting time, the longest first; then those that came down, the newest first.
    pub fn hands(&self, sitting: &SittingId) -> Vec<&Hand> {
        let of = |open: bool| {
            self.hands.by_id.values().filter(move |hand| &hand.sitting == sitting && hand.is_open() == open)
        };
        of(true).chain(of(false).rev()).collect()
    }

    /// The latest hand of a desk, while it belongs to the sitting the desk is part of.
    pub fn latest_hand(&self, seat: &SeatRef) -> Option<&Hand> {
        let hand = self.hands.by_id.get(self.hands.latest.get(seat)?)?;
        let current = self.current_sitting(&seat.room)?;
        (current.id() == &hand.sitting).then_some(hand)
    }
}
