//! What a candidate wants of the room besides answering: to confirm who they are, a hand, messages read; and what the machine
//! says of itself. Each is sent until the server has it. Never raises a hand twice for one wish.

use crate::limits::MESSAGES_KEPT_MAX;
use exam_protocol::{
    ids::SittingId,
    message::{
        duty::{HandId, HandStage, HandStands, MessageId, SeatHand, SeatMessage},
        readiness::SeatReport,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Something the server is to hear once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing to say.
    #[default]
    No,
    /// To be said.
    Yes,
    /// Said, no answer yet.
    Asked,
}

impl Due {
    /// Whether it is to be said now; it counts as said.
    pub(crate) fn take(&mut self) -> bool {
        let due = *self == Due::Yes;
        if due {
            *self = Due::Asked;
        }
        due
    }

    /// No answer will come, or the server failed.
    pub(crate) fn again(&mut self) {
        if *self == Due::Asked {
            *self = Due::Yes;
        }
    }
}

/// The hand as the screen shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandView {
    /// How the latest hand of this desk stands, and since when, as the server says.
    pub stands: Option<HandStands>,
    /// What the candidate wants and the server does not have yet.
    pub sending: Option<SeatHand>,
}

/// One message as the screen shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// The message.
    pub message: SeatMessage,
    /// Whether the candidate has confirmed it.
    pub read: bool,
}

#[derive(Clone, Debug)]
struct HandWish {
    serial: u32,
    wish: SeatHand,
    due: Due,
    /// It was sent at least once: it may have been heard though no answer came.
    sent: bool,
    /// The latest hand known when it was wished.
    before: Option<HandId>,
}

#[derive(Clone, Debug)]
struct Told {
    message: SeatMessage,
    /// Whether the candidate has confirmed it.
    read: bool,
    due: Due,
}

/// All wishes of one desk.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) confirm: Due,
    hand: Option<HandWish>,
    hands: u32,
    stands: Option<HandStands>,
    messages: BTreeMap<MessageId, Told>,
    report: Option<Box<SeatReport>>,
    report_due: Due,
    sitting: Option<SittingId>,
    /// What the server has said since its last view: it belongs to the view that follows.
    fresh: Fresh,
}

#[derive(Debug, Default)]
struct Fresh {
    hand: bool,
    messages: BTreeSet<MessageId>,
}

impl Wishes {
    /// A connection began: the machine says what it found out about itself.
    pub(crate) fn linked(&mut self) {
        if self.report.is_some() {
            self.report_due = Due::Yes;
        }
    }

    /// The connection is gone: what was not answered is said again.
    pub(crate) fn unlinked(&mut self) {
        self.confirm.again();
        self.report_due.again();
        self.messages.values_mut().for_each(|told| told.due.again());
        if let Some(hand) = &mut self.hand {
            hand.due.again();
        }
    }

    /// A view came: the desk is part of this sitting. What was said and wished in another one is another candidate's.
    pub(crate) fn belongs_to(&mut self, sitting: Option<&SittingId>) {
        let fresh = std::mem::take(&mut self.fresh);
        if self.sitting.as_ref() == sitting {
            return;
        }
        if self.sitting.is_some() {
            (self.hand, self.confirm) = (None, Due::No);
            self.stands.take_if(|_| !fresh.hand);
            self.messages.retain(|message, _| fresh.messages.contains(message));
        }
        self.sitting = sitting.cloned();
    }

    /// The machine has looked at itself.
    pub(crate) fn probed(&mut self, report: Box<SeatReport>) {
        if self.report.as_ref() != Some(&report) {
            (self.report, self.report_due) = (Some(report), Due::Yes);
        }
    }

    pub(crate) fn report(&mut self) -> Option<SeatReport> {
        self.report_due.take().then(|| self.report.as_deref().cloned()).flatten()
    }

    pub(crate) fn report_heard(&mut self) {
        if self.report_due == Due::Asked {
            self.report_due = Due::No;
        }
    }

    pub(crate) fn report_again(&mut self) {
        self.report_due.again();
    }

    /// The candidate raises or lowers a hand. Pressing twice is one wish.
    pub(crate) fn hand(&mut self, wish: SeatHand) {
        if self.hand.as_ref().is_some_and(|hand| hand.wish == wish) {
            return;
        }
        self.hands += 1;
        let before = self.stands.as_ref().map(|stands| stands.hand);
        self.hand = Some(HandWish { serial: self.hands, wish, due: Due::Yes, sent: false, before });
    }

    pub(crate) fn hand_to_send(&mut self) -> Option<(u32, SeatHand)> {
        let hand = self.hand.as_mut()?;
        let due = hand.due.take();
        hand.sent |= due;
        due.then(|| (hand.serial, hand.wish.clone()))
    }

    /// The server has taken or refused it.
    pub(crate) fn hand_heard(&mut self, serial: u32) {
        self.hand.take_if(|hand| hand.serial == serial);
    }

    pub(crate) fn hand_again(&mut self, serial: u32) {
        if let Some(hand) = self.hand.as_mut().filter(|hand| hand.serial == serial) {
            hand.due.again();
        }
    }

    /// The server says how the latest hand stands. A wish whose answer was lost has come true if this hand is newer.
    pub(crate) fn hand_stands(&mut self, stands: HandStands) {
        let newer = |hand: &mut HandWish| {
            let raised = hand.before.is_none_or(|before| before < stands.hand);
            let down = matches!(stands.stage, HandStage::Done | HandStage::Lowered);
            hand.sent && if hand.wish == SeatHand::Lower { down } else { raised }
        };
        self.hand.take_if(newer);
        self.stands = Some(stands);
        self.fresh.hand = true;
    }

    pub(crate) fn hand_view(&self) -> HandView {
        HandView { stands: self.stands.clone(), sending: self.hand.as_ref().map(|hand| hand.wish.clone()) }
    }

    /// All the server counts as unread. What was read here already is said again.
    pub(crate) fn told(&mut self, messages: Vec<SeatMessage>) {
        self.fresh.messages = messages.iter().map(|message| message.message).collect();
        for message in messages {
            match self.messages.get_mut(&message.message).filter(|known| known.message == message) {
                Some(known) if known.read && known.due == Due::No => known.due = Due::Yes,
                Some(_) => {}
                None => {
                    self.messages.insert(message.message, Told { message, read: false, due: Due::No });
                }
            }
        }
        while self.messages.len() > MESSAGES_KEPT_MAX {
            self.messages.pop_first();
        }
    }

    /// The candidate has read one.
    pub(crate) fn read(&mut self, message: MessageId) {
        if let Some(told) = self.messages.get_mut(&message).filter(|told| !told.read) {
            (told.read, told.due) = (true, Due::Yes);
        }
    }

    pub(crate) fn read_to_send(&mut self) -> Option<MessageId> {
        self.messages.iter_mut().find_map(|(message, told)| told.due.take().then_some(*message))
    }

    pub(crate) fn read_heard(&mut self, message: MessageId) {
        if let Some(told) = self.messages.get_mut(&message) {
            told.due = Due::No;
        }
    }

    pub(crate) fn read_again(&mut self, message: MessageId) {
        if let Some(told) = self.messages.get_mut(&message) {
            told.due.again();
        }
    }

    /// Unread ones first, oldest on top; then those that were read, newest on top.
    pub(crate) fn messages(&self) -> Vec<MessageView> {
        let view = |told: &Told| MessageView { message: told.message.clone(), read: told.read };
        let unread = self.messages.values().filter(|told| !told.read).map(view);
        unread.chain(self.messages.values().rev().filter(|told| told.read).map(view)).collect()
    }
}
