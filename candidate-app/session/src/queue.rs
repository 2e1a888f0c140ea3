//! Answers on their way to the server, in the order they were made. Never forgets one before the server has answered it.

use crate::{clock::SeatMs, event::RecordId, limits::SAVES_IN_FLIGHT_MAX};
use exam_protocol::{answer::Answer, ids::ItemId, time::SiteMs};
use std::{collections::BTreeMap, sync::Arc};

/// Place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

/// A version the server has not acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) item: ItemId,
    pub(crate) number: u32,
    pub(crate) answer: Arc<Answer>,
    pub(crate) made_at: SiteMs,
    pub(crate) made: SeatMs,
    /// Its record in the journal; none if the journal is so far behind that it was left out.
    pub(crate) record: Option<RecordId>,
    /// When it was sent over the connection there is.
    pub(crate) sent: Option<SeatMs>,
    /// The answer of the replaced machine it was taken from: the server is told so instead of being told the answer.
    pub(crate) adopts: Option<u32>,
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: BTreeMap<Place, Pending>,
    /// Where each version waits.
    places: BTreeMap<ItemId, BTreeMap<u32, Place>>,
    next: u64,
    in_flight: usize,
    durable: RecordId,
}

impl Queue {
    pub(crate) fn push(&mut self, pending: Pending) {
        let place = Place(self.next);
        self.next += 1;
        self.places.entry(pending.item.clone()).or_default().insert(pending.number, place);
        self.waiting.insert(place, pending);
    }

    /// Every record up to `through` is on the seat's disk.
    pub(crate) fn journalled(&mut self, through: RecordId) {
        self.durable = self.durable.max(through);
    }

    pub(crate) fn is_journalled(&self, pending: &Pending) -> bool {
        pending.record.is_some_and(|record| record <= self.durable)
    }

    /// The next version to send at `now`; it counts as sent. `without_journal` lets versions go that no disk of the seat
    /// holds: only while that disk fails.
    pub(crate) fn send_next(&mut self, now: SeatMs, without_journal: bool) -> Option<(Place, &Pending)> {
        if self.in_flight >= SAVES_IN_FLIGHT_MAX {
            return None;
        }
        let durable = self.durable;
        let (place, pending) = self.waiting.iter_mut().find(|(_, pending)| pending.sent.is_none())?;
        // A version that has no record waits for no disk: it would wait for ever.
        if !without_journal && pending.record.is_some_and(|record| record > durable) {
            return None; // the order of sending is the order of making: nothing overtakes
        }
        pending.sent = Some(now);
        self.in_flight += 1;
        Some((*place, pending))
    }

    /// The server has answered: the version leaves the queue.
    pub(crate) fn settle(&mut self, place: Place) -> Option<Pending> {
        let pending = self.waiting.remove(&place)?;
        self.in_flight -= usize::from(pending.sent.is_some());
        if let Some(numbers) = self.places.get_mut(&pending.item) {
            numbers.remove(&pending.number);
        }
        Some(pending)
    }

    /// The server failed: the version waits to be sent again.
    pub(crate) fn again(&mut self, place: Place) {
        if let Some(pending) = self.waiting.get_mut(&place)
            && pending.sent.take().is_some()
        {
            self.in_flight -= 1;
        }
    }

    /// The server did not let it be taken from the replaced machine: it goes as any other version, because the candidate wants
    /// it. Says whether there was such a version.
    pub(crate) fn go_as_typed(&mut self, place: Place) -> bool {
        let adopted = self.waiting.get_mut(&place).and_then(|pending| pending.adopts.take()).is_some();
        if adopted {
            self.again(place);
        }
        adopted
    }

    /// Whether an answer of the replaced machine is on its way to be a version.
    pub(crate) fn adopts(&self, orphan: u32) -> bool {
        self.waiting.values().any(|pending| pending.adopts == Some(orphan))
    }

    /// The connection is gone: all that was on it is sent again.
    pub(crate) fn unlinked(&mut self) {
        self.waiting.values_mut().for_each(|pending| pending.sent = None);
        self.in_flight = 0;
    }

    /// Takes a version out that the server turned out to have.
    pub(crate) fn remove(&mut self, item: &ItemId, number: u32) -> Option<Pending> {
        let place = *self.places.get(item)?.get(&number)?;
        self.settle(place)
    }

    /// Every version in it.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&ItemId, u32)> {
        self.waiting.values().map(|pending| (&pending.item, pending.number))
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn all_sent(&self) -> bool {
        self.in_flight == self.waiting.len()
    }

    pub(crate) fn find(&self, item: &ItemId, number: u32) -> Option<&Pending> {
        self.waiting.get(self.places.get(item)?.get(&number)?)
    }

    /// Whether a version of this item waits for the seat's disk.
    pub(crate) fn awaits_disk(&self, item: &ItemId) -> bool {
        let Some(newest) = self.places.get(item).and_then(|numbers| numbers.last_key_value()) else { return false };
        self.waiting.get(newest.1).is_some_and(|pending| !self.is_journalled(pending))
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the oldest of them was made.
    pub(crate) fn oldest(&self) -> Option<SeatMs> {
        self.waiting.values().next().map(|pending| pending.made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(item: &str, record: Option<RecordId>) -> Pending {
        let (answer, made_at) = (Arc::new(Answer::TrueFalse(true)), SiteMs(1));
        Pending {
            item: item.parse().unwrap(),
            number: 1,
            answer,
            made_at,
            made: SeatMs(0),
            record,
            sent: None,
            adopts: None,
        }
    }

    #[test]
    fn a_version_no_disk_will_ever_hold_does_not_stop_those_behind_it() {
        let mut queue = Queue::default();
        queue.push(pending("q1", None));
        queue.push(pending("q2", Some(RecordId(1))));
        queue.push(pending("q3", Some(RecordId(2))));
        queue.journalled(RecordId(1));
        let mut sent = || queue.send_next(SeatMs(1), false).map(|(_, pending)| pending.item.to_string());
        assert_eq!([sent(), sent(), sent()], [Some("q1".into()), Some("q2".into()), None], "q3 waits for its disk");
    }
}
