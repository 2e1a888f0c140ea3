//! Hands, messages and visits: asks one way, lists and pushes the other.

use crate::clerk::No;
use crate::reception::{Reception, done};
use exam_protocol::{
    ids::{SittingId, StationId},
    message::duty::{
        AskMessages, HandCall, HandStands, HandView, Hands, MessageOnWay, ReadMessage, SeatDelivery, SeatHand,
        SeatMessage, SeatMessages, SendMessage, SentMessage, SentMessages, SittingVisits, VisitCall, VisitView, Visits,
    },
    tag::Down,
};
use exam_room::{
    Reply, Site,
    rules::{
        hand::{FinishHand, LowerHand, RaiseHand, TakeHand},
        message::{NoteDelivered, Read, Say},
        visit::{BeginVisit, NoteVisit},
    },
    state::{Hand, Message, Sitting, Visit},
};

/// Hands of one list; all open ones of the largest room fit.
const HANDS_SHOWN_MAX: usize = 500;
/// Messages of one page.
const MESSAGES_SHOWN_MAX: usize = 50;
/// Desks of one page, over all its messages: the frame has an end.
const DELIVERIES_SHOWN_MAX: usize = 8_000;

impl Reception {
    pub(in crate::reception) async fn seat_hand(&self, station: StationId, wanted: SeatHand) -> Result<Down, No> {
        done(match wanted {
            SeatHand::Raise { kind, text } => self.inner.clerk.ask(RaiseHand { station, kind, text }).await?,
            SeatHand::Lower => self.inner.clerk.ask(LowerHand { station }).await?,
        })
    }

    pub(in crate::reception) async fn hand_call(&self, by: StationId, wanted: HandCall) -> Result<Down, No> {
        match wanted {
            HandCall::Take { hand } => done(self.inner.clerk.ask(TakeHand { hand, by }).await?),
            HandCall::Finish { hand } => done(self.inner.clerk.ask(FinishHand { hand, by }).await?),
            HandCall::List { sitting } => {
                let list = move |site: &Site, _| {
                    site.sitting(&sitting)?;
                    let hands = site.hands(&sitting).into_iter().take(HANDS_SHOWN_MAX).map(hand_view).collect();
                    Ok::<_, No>(Hands { hands })
                };
                Ok(self.inner.clerk.read(list).await??.into())
            }
        }
    }

    pub(in crate::reception) async fn send_message(&self, by: StationId, wanted: SendMessage) -> Result<Down, No> {
        let SendMessage { to, canned, text } = wanted;
        match self.inner.clerk.ask(Say { to, canned, text, by }).await? {
            Reply::Sent { message } => Ok(MessageOnWay { message }.into()),
            other => done(other),
        }
    }

    pub(in crate::reception) async fn read_message(&self, station: StationId, wanted: ReadMessage) -> Result<Down, No> {
        done(self.inner.clerk.ask(Read { message: wanted.message, station }).await?)
    }

    pub(in crate::reception) async fn ask_messages(&self, wanted: AskMessages) -> Result<Down, No> {
        Ok(self.inner.clerk.read(move |site, _| page(site, wanted)).await?.into())
    }

    pub(in crate::reception) async fn visit_call(&self, by: StationId, wanted: VisitCall) -> Result<Down, No> {
        match wanted {
            VisitCall::Begin { sitting } => done(self.inner.clerk.ask(BeginVisit { sitting, by }).await?),
            VisitCall::Note { visit, findings } => done(self.inner.clerk.ask(NoteVisit { visit, findings, by }).await?),
            VisitCall::List { sitting } => {
                Ok(self.inner.clerk.read(move |site, _| visits(site, sitting)).await??.into())
            }
        }
    }

    /// Shows a seat what is not in its view: its hand, and everything it has not read. What is handed over for the first
    /// time is noted as delivered.
    pub(in crate::reception) fn show_words(&self, site: &Site, station: &StationId) {
        let Some(seat) = site.stations.get(station).and_then(|machine| machine.seat.as_ref()) else { return };
        if let Some(hand) = site.latest_hand(seat).filter(|hand| hand.station == *station) {
            let (stage, since) = hand.stage();
            let stands = HandStands { hand: hand.id, kind: hand.kind, stage, since };
            self.inner.presence.push(station, stands.into());
        }
        let unread = site.unread(seat);
        let messages: Vec<SeatMessage> = unread.iter().map(|message| seat_message(message)).collect();
        if messages.is_empty() || !self.inner.presence.push(station, SeatMessages { messages }.into()) {
            return;
        }
        let new = |message: &&&Message| message.seats.get(seat).is_some_and(|d| d.delivered_at.is_none());
        for message in unread.iter().filter(new) {
            let note = NoteDelivered { message: message.id, station: station.clone() };
            if let Err(no) = self.inner.clerk.note(note) {
                tracing::warn!(%station, %no, "a delivery was not noted; it will be with the next view");
            }
        }
    }
}

fn hand_view(hand: &Hand) -> HandView {
    HandView {
        hand: hand.id,
        seat: hand.seat.clone(),
        kind: hand.kind,
        text: hand.text.clone(),
        stage: hand.stage().0,
        raised_at: hand.raised_at,
        taken_at: hand.taken.as_ref().map(|(at, _)| *at),
        taken_by: hand.taken.as_ref().and_then(|(_, by)| by.account.clone()),
        closed_at: hand.closed.as_ref().map(|(at, _)| *at),
    }
}

fn seat_message(message: &Message) -> SeatMessage {
    SeatMessage { message: message.id, at: message.at, canned: message.canned, text: message.text.clone() }
}

fn page(site: &Site, wanted: AskMessages) -> SentMessages {
    let older = |message: &&Message| wanted.before.is_none_or(|before| message.id < before);
    let mut waiting = site.messages.by_id.values().rev().filter(older).peekable();
    let (mut messages, mut desks) = (Vec::new(), 0);
    while let Some(message) = waiting.peek() {
        desks += message.seats.len();
        if messages.len() >= MESSAGES_SHOWN_MAX || (desks > DELIVERIES_SHOWN_MAX && !messages.is_empty()) {
            break;
        }
        messages.extend(waiting.next().map(sent_message));
    }
    SentMessages { messages, more: waiting.peek().is_some() }
}

fn sent_message(message: &Message) -> SentMessage {
    let delivery = |(seat, d): (&exam_protocol::ids::SeatRef, &exam_room::state::Delivery)| SeatDelivery {
        seat: seat.clone(),
        delivered_at: d.delivered_at,
        read_at: d.read_at,
    };
    SentMessage {
        message: message.id,
        at: message.at,
        by: message.by.account.clone(),
        to: message.to.clone(),
        canned: message.canned,
        text: message.text.clone(),
        seats: message.seats.iter().take(DELIVERIES_SHOWN_MAX).map(delivery).collect(),
    }
}

fn visits(site: &Site, wanted: Option<SittingId>) -> Result<Visits, No> {
    let one = wanted.is_some();
    let sittings: Vec<&Sitting> = match &wanted {
        Some(sitting) => vec![site.sitting(sitting)?],
        None => site.sittings.values().collect(),
    };
    let visited = |sitting: &&Sitting| SittingVisits {
        sitting: sitting.id().clone(),
        room: sitting.plan.room.clone(),
        missing: site.visits_missing(sitting.id()),
        visits: site.visits_of(sitting.id()).map(|visit| visit_view(visit, one)).collect(),
    };
    Ok(Visits { sittings: sittings.iter().map(visited).collect() })
}

fn visit_view(visit: &Visit, with_findings: bool) -> VisitView {
    let newest = visit.notes.last();
    VisitView {
        visit: visit.id,
        part: visit.part,
        by: visit.by.account.clone(),
        began_at: visit.began_at,
        noted_at: newest.map(|note| note.at),
        findings: newest.filter(|_| with_findings).map(|note| note.text.clone()).unwrap_or_default(),
    }
}
