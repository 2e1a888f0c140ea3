//! Messages from staff to seats, with what became of each at each desk. Nothing but the sum of its facts.

use crate::authority::Actor;
use exam_protocol::{
    ids::{SeatRef, SittingId},
    message::duty::{Canned, MessageId, Recipients},
    time::SiteMs,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most unread messages one seat is shown at once, the newest ones.
pub const UNREAD_SHOWN_MAX: usize = 20;

/// All messages of the site.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// Every message.
    pub by_id: BTreeMap<MessageId, Message>,
    /// What each desk has not read yet.
    pub unread: BTreeMap<SeatRef, BTreeSet<MessageId>>,
}

impl Messages {
    /// A candidate moved to another desk: what they have not read goes with them. What was delivered at the old desk stays on
    /// record there, because it was shown; it is unread only where the candidate sits.
    pub(crate) fn follow(&mut self, sitting: &SittingId, from: &SeatRef, to: &SeatRef) {
        let Some(waiting) = self.unread.get_mut(from) else { return };
        let own = |message: &Message| message.seats.get(from).is_some_and(|d| d.sitting.as_ref() == Some(sitting));
        let moving: Vec<_> = waiting.iter().filter(|id| self.by_id.get(id).is_some_and(own)).copied().collect();
        waiting.retain(|id| !moving.contains(id));
        for id in moving {
            let Some(message) = self.by_id.get_mut(&id) else { continue };
            let fresh = Delivery { sitting: Some(sitting.clone()), delivered_at: None, read_at: None };
            if message.seats.entry(to.clone()).or_insert(fresh).read_at.is_none() {
                self.unread.entry(to.clone()).or_default().insert(id);
            }
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// To whom, as it was asked.
    pub to: Recipients,
    /// Canned text.
    pub canned: Option<Canned>,
    /// Own words, or empty.
    pub text: String,
    /// When it was sent.
    pub at: SiteMs,
    /// Who sent it.
    pub by: Actor,
    /// The desks it went to: those that had a machine when it was sent.
    pub seats: BTreeMap<SeatRef, Delivery>,
}

/// How far it came at one desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The sitting the desk was part of when it was sent: the afternoon's candidate does not get the morning's words.
    pub sitting: Option<SittingId>,
    /// 已送达.
    pub delivered_at: Option<SiteMs>,
    /// 已读.
    pub read_at: Option<SiteMs>,
}

impl crate::Site {
    /// What a desk has not read, oldest first; of very many the newest.
    pub fn unread(&self, seat: &SeatRef) -> Vec<&Message> {
        let Some(waiting) = self.messages.unread.get(seat) else { return Vec::new() };
        let current = self.current_sitting(&seat.room).map(|sitting| sitting.id());
        let fits = |message: &&Message| message.seats.get(seat).is_some_and(|d| d.sitting.as_ref() == current);
        let newest = waiting.iter().rev().filter_map(|id| self.messages.by_id.get(id)).filter(fits);
        let mut unread: Vec<_> = newest.take(UNREAD_SHOWN_MAX).collect();
        unread.reverse();
        unread
    }
}
