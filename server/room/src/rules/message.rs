//! Messages from staff to one seat, some, a sitting or all (F-35, C-19): canned or in words, with delivery and reading known
//! for each desk. Never lost over a reconnect, never shown to the next sitting's candidate.

use crate::{
    Fact, Reply, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{numbers::MESSAGES_MAX, people::given},
    state::{Delivery, Message},
};
use exam_protocol::{
    code::Refusal,
    ids::{SeatRef, SittingId, StationId},
    message::duty::{Canned, MESSAGE_CHARS_MAX, MESSAGE_SEATS_MAX, MessageId, Recipients},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Tell seats something.
#[derive(Clone, Debug)]
pub struct Say {
    /// To whom.
    pub to: Recipients,
    /// Canned text.
    pub canned: Option<Canned>,
    /// Own words, or empty.
    pub text: String,
    /// Who says it.
    pub by: StationId,
}

impl Wanted for Say {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Message)?;
        if self.canned.is_none() || !self.text.is_empty() {
            given(&self.text, MESSAGE_CHARS_MAX)?;
        }
        if site.messages.by_id.len() >= MESSAGES_MAX {
            return Err(Refusal::TooMany { max: MESSAGES_MAX as u32 });
        }
        reachable(site, &self.to)?;
        if let Some(own) = site.own_room(&self.by).filter(|own| desks(site, &self.to).iter().any(|d| d.room != **own)) {
            return Err(Refusal::NotYourRoom { yours: own.clone() });
        }
        let message = MessageId(site.messages.by_id.len() as u64 + 1);
        let Self { to, canned, text, .. } = self.clone();
        Ok(vec![MessageSent { message, to, canned, text, by }.into()])
    }

    fn reply(&self, site: &Site) -> Reply {
        Reply::Sent { message: MessageId(site.messages.by_id.len() as u64) }
    }
}

/// Every named desk must have a machine, and somebody must be there to hear.
fn reachable(site: &Site, to: &Recipients) -> Result<(), Refusal> {
    if let Recipients::Seats { sitting, .. } | Recipients::Sitting { sitting } = to {
        site.fits_phase(site.sitting(sitting)?, Act::Message)?;
    }
    let found = desks(site, to).len();
    match to {
        Recipients::Seats { seats, .. } if seats.len() > MESSAGE_SEATS_MAX => {
            Err(Refusal::TooMany { max: MESSAGE_SEATS_MAX as u32 })
        }
        Recipients::Seats { seats, .. } if seats.len() != found => Err(Refusal::SeatUnknown),
        Recipients::Seats { .. } | Recipients::Sitting { .. } | Recipients::All if found == 0 => {
            Err(Refusal::SeatUnknown)
        }
        Recipients::Seats { .. } | Recipients::Sitting { .. } | Recipients::All => Ok(()),
    }
}

/// The desks with a machine among the recipients; a desk that is named twice counts once for each.
fn desks<'a>(site: &'a Site, to: &'a Recipients) -> Vec<&'a SeatRef> {
    let room = |sitting: &SittingId| site.sittings.get(sitting).map(|sitting| &sitting.plan.room);
    match to {
        Recipients::All => site.desks.keys().collect(),
        Recipients::Sitting { sitting } => site.desks.keys().filter(|desk| Some(&desk.room) == room(sitting)).collect(),
        Recipients::Seats { sitting, seats } => {
            let named = |seat| {
                let desk = SeatRef { room: room(sitting)?.clone(), seat };
                site.desks.get_key_value(&desk).map(|(desk, _)| desk)
            };
            seats.iter().filter_map(|seat| named(*seat)).collect()
        }
    }
}

/// 已发送.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageSent {
    /// The new message.
    pub message: MessageId,
    /// To whom.
    pub to: Recipients,
    /// Canned text.
    pub canned: Option<Canned>,
    /// Own words, or empty.
    pub text: String,
    /// Who.
    pub by: Actor,
}

impl Happened for MessageSent {
    fn scope(&self) -> Scope {
        match &self.to {
            Recipients::Seats { sitting, .. } | Recipients::Sitting { sitting } => Scope::Sitting(sitting.clone()),
            Recipients::All => Scope::Site,
        }
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Self { message, to, canned, text, by } = self.clone();
        let fresh = |desk: &SeatRef| {
            let sitting = site.current_sitting(&desk.room).map(|sitting| sitting.id().clone());
            (desk.clone(), Delivery { sitting, delivered_at: None, read_at: None })
        };
        let seats = desks(site, &to).into_iter().map(fresh).collect::<std::collections::BTreeMap<_, _>>();
        for desk in seats.keys() {
            site.messages.unread.entry(desk.clone()).or_default().insert(message);
        }
        site.messages.by_id.insert(message, Message { id: message, to, canned, text, at: now.at, by, seats });
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        let seats = site.messages.by_id.get(&self.message).into_iter().flat_map(|message| message.seats.keys());
        seats.filter_map(|desk| site.desks.get(desk)).map(|station| Tell::Seat(station.clone())).collect()
    }
}

/// The server has handed a message to the connected machine at a desk.
#[derive(Clone, Debug)]
pub struct NoteDelivered {
    /// Which message.
    pub message: MessageId,
    /// To which machine.
    pub station: StationId,
}

impl Wanted for NoteDelivered {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let (message, seat, delivery) = at_desk(site, self.message, &self.station)?;
        if delivery.delivered_at.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![MessageDelivered { message: message.id, sitting: sitting_of(message), seat }.into()])
    }
}

/// The candidate has confirmed a message.
#[derive(Clone, Debug)]
pub struct Read {
    /// Which message.
    pub message: MessageId,
    /// At which machine.
    pub station: StationId,
}

impl Wanted for Read {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let (message, seat, delivery) = at_desk(site, self.message, &self.station)?;
        if delivery.read_at.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![MessageRead { message: message.id, sitting: sitting_of(message), seat }.into()])
    }
}

fn at_desk<'a>(
    site: &'a Site,
    message: MessageId,
    station: &StationId,
) -> Result<(&'a Message, SeatRef, &'a Delivery), Refusal> {
    let seat = site.stations.get(station).and_then(|s| s.seat.clone()).ok_or(Refusal::NoSeat)?;
    let message = site.messages.by_id.get(&message).ok_or(Refusal::RecordUnknown)?;
    let delivery = message.seats.get(&seat).ok_or(Refusal::RecordUnknown)?;
    Ok((message, seat, delivery))
}

fn sitting_of(message: &Message) -> Option<SittingId> {
    match &message.to {
        Recipients::Seats { sitting, .. } | Recipients::Sitting { sitting } => Some(sitting.clone()),
        Recipients::All => None,
    }
}

fn scope_of(sitting: &Option<SittingId>) -> Scope {
    sitting.clone().map_or(Scope::Site, Scope::Sitting)
}

/// 已送达.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageDelivered {
    /// Which message.
    pub message: MessageId,
    /// The sitting it was sent to; none for the whole site.
    pub sitting: Option<SittingId>,
    /// At which desk.
    pub seat: SeatRef,
}

impl Happened for MessageDelivered {
    fn scope(&self) -> Scope {
        scope_of(&self.sitting)
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let message = site.messages.by_id.get_mut(&self.message);
        if let Some(delivery) = message.and_then(|message| message.seats.get_mut(&self.seat)) {
            delivery.delivered_at = Some(now.at);
        }
    }
}

/// 已读.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRead {
    /// Which message.
    pub message: MessageId,
    /// The sitting it was sent to; none for the whole site.
    pub sitting: Option<SittingId>,
    /// At which desk.
    pub seat: SeatRef,
}

impl Happened for MessageRead {
    fn scope(&self) -> Scope {
        scope_of(&self.sitting)
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let message = site.messages.by_id.get_mut(&self.message);
        if let Some(delivery) = message.and_then(|message| message.seats.get_mut(&self.seat)) {
            delivery.delivered_at.get_or_insert(now.at); // what was read had arrived
            delivery.read_at = Some(now.at);
        }
        if let Some(unread) = site.messages.unread.get_mut(&self.seat) {
            unread.remove(&self.message);
        }
    }
}
