//! Versions that another server once had (被另一块磁盘带走的旧版本): when a backup takes over, the seat's journal brings back what
//! it lacks, a portion at a time. Never before a fresh answer, and never more of the journal in memory than one portion.

use crate::{
    answers::Made,
    event::{Record, RecordId},
    limits::{OLDER_BYTES_MAX, OLDER_IN_FLIGHT_MAX, OLDER_VERSIONS_MAX},
};
use exam_protocol::{answer::Answer, ids::ItemId, time::SiteMs};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// One version as the seat's journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldVersion {
    /// Which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
    /// When it was typed; zero if another machine did and nobody knows any more.
    pub made_at: SiteMs,
}

/// Numbers of versions, item by item. Invariant: ranges of an item overlap nowhere and none is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking(BTreeMap<ItemId, BTreeMap<u32, u32>>);

impl Lacking {
    /// From this version up to and including that one.
    pub fn add(&mut self, item: &ItemId, from: u32, to: u32) {
        self.remove(item, from, to);
        if from <= to {
            self.0.entry(item.clone()).or_default().insert(from, to);
        }
    }

    /// Whether this version is among them.
    pub fn names(&self, item: &ItemId, number: u32) -> bool {
        let ranges = self.0.get(item);
        ranges.and_then(|ranges| ranges.range(..=number).next_back()).is_some_and(|(_, to)| number <= *to)
    }

    /// Takes versions out.
    pub fn remove(&mut self, item: &ItemId, from: u32, to: u32) {
        let Some(ranges) = self.0.get_mut(item) else { return };
        let touched = |(begin, end): (&u32, &u32)| (*end >= from).then_some((*begin, *end));
        let cut: Vec<_> = ranges.range(..=to).filter_map(touched).collect();
        for (begin, end) in cut {
            ranges.remove(&begin);
            if begin < from {
                ranges.insert(begin, from - 1);
            }
            if end > to {
                ranges.insert(to + 1, end);
            }
        }
        if ranges.is_empty() {
            self.0.remove(item);
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        let of_item =
            |ranges: &BTreeMap<u32, u32>| ranges.iter().map(|(from, to)| (to - from) as usize + 1).sum::<usize>();
        self.0.values().map(of_item).fold(0, usize::saturating_add)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first portion of these that the journal's `records` hold and no server refused, and whether there are more.
    pub fn pick(&self, records: &[Record]) -> (Vec<OldVersion>, bool) {
        let mut held: BTreeMap<(&ItemId, u32), (&Answer, SiteMs)> = BTreeMap::new();
        for record in records {
            match record {
                Record::Answered { item, number, answer, made_at } if self.names(item, *number) => {
                    held.entry((item, *number)).or_insert((answer, *made_at));
                }
                Record::Known(known) if self.names(&known.item, known.number) => {
                    // What a server had stands before what was made here under the same number.
                    let of = (&known.item, known.number);
                    let made_at = held.get(&of).filter(|ours| *ours.0 == known.answer).map_or(SiteMs(0), |ours| ours.1);
                    held.insert(of, (&known.answer, made_at));
                }
                Record::Refused { item, number, .. } => drop(held.remove(&(item, *number))),
                _ => {}
            }
        }
        let (mut picked, mut bytes, all) = (Vec::new(), 0, held.len());
        for ((item, number), (answer, made_at)) in held {
            bytes += answer.weight_bytes();
            if picked.len() == OLDER_VERSIONS_MAX || (bytes > OLDER_BYTES_MAX && !picked.is_empty()) {
                break;
            }
            picked.push(OldVersion { item: item.clone(), number, answer: answer.clone(), made_at });
        }
        let more = picked.len() < all;
        (picked, more)
    }
}

/// Names an older version on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Errand(u64);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Done,
    Due,
    Asked,
}

/// What this attempt's server lacks, and what of it is on its way.
#[derive(Debug, Default)]
pub(crate) struct Older {
    lacking: Lacking,
    /// Every record made until the server told: before it is in the journal there is no use in reading.
    through: RecordId,
    reading: Reading,
    /// Whether the journal holds more than was read.
    more: bool,
    waiting: VecDeque<Made>,
    under_way: BTreeMap<Errand, Made>,
    next: u64,
}

impl Older {
    /// The server is asked anew what it has: nothing is taken for granted.
    pub(crate) fn begin(&mut self) {
        *self = Self { next: self.next, ..Self::default() };
    }

    /// The server has said all it has, and this is what it lacks of the versions up to record `through`.
    pub(crate) fn lacks(&mut self, lacking: Lacking, through: RecordId) {
        self.through = through;
        self.reading = if lacking.is_empty() { Reading::Done } else { Reading::Due };
        self.lacking = lacking;
    }

    /// What is to be read from the journal, if that is due and the journal is `durable` so far.
    pub(crate) fn read(&mut self, durable: RecordId) -> Option<Lacking> {
        let due = self.reading == Reading::Due && self.through <= durable;
        due.then(|| {
            self.reading = Reading::Asked;
            self.lacking.clone()
        })
    }

    /// A portion of the journal was read.
    pub(crate) fn found(&mut self, versions: Vec<OldVersion>, more: bool) {
        if self.reading != Reading::Asked {
            return;
        }
        self.reading = Reading::Done;
        self.more = more;
        self.waiting.extend(versions.into_iter().map(|OldVersion { item, number, answer, made_at }| Made {
            item,
            number,
            answer: Arc::new(answer),
            made_at,
        }));
        self.rest();
    }

    /// The next version to send.
    pub(crate) fn send_next(&mut self) -> Option<(Errand, &Made)> {
        if self.under_way.len() >= OLDER_IN_FLIGHT_MAX {
            return None;
        }
        let made = self.waiting.pop_front()?;
        let errand = Errand(self.next);
        self.next += 1;
        Some((errand, &*self.under_way.entry(errand).or_insert(made)))
    }

    /// The server has answered: there is nothing more to do about this version.
    pub(crate) fn settle(&mut self, errand: Errand) -> Option<Made> {
        let made = self.under_way.remove(&errand)?;
        self.lacking.remove(&made.item, made.number, made.number);
        self.rest();
        Some(made)
    }

    /// The server failed: the version waits to be sent again.
    pub(crate) fn again(&mut self, errand: Errand) {
        self.waiting.extend(self.under_way.remove(&errand));
    }

    /// The connection is gone: what was on it waits until the next server has said what it lacks.
    pub(crate) fn unlinked(&mut self) {
        self.waiting.extend(std::mem::take(&mut self.under_way).into_values());
    }

    /// Versions the server is thought to lack.
    pub(crate) fn len(&self) -> usize {
        self.lacking.count()
    }

    /// A portion is through: the next one is due, or what is left is on no disk of this seat.
    fn rest(&mut self) {
        if !self.waiting.is_empty() || !self.under_way.is_empty() || self.reading != Reading::Done {
            return;
        }
        if std::mem::take(&mut self.more) {
            self.reading = Reading::Due;
        } else {
            self.lacking = Lacking::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exam_protocol::{code::Refusal, message::candidate::KnownAnswer};

    fn q(name: &str) -> ItemId {
        name.parse().unwrap()
    }

    fn answered(number: u32, text: &str) -> Record {
        let answer = Answer::Text(text.to_owned());
        Record::Answered { item: q("q1"), number, answer, made_at: SiteMs(u64::from(number)) }
    }

    fn lacking(from: u32, to: u32) -> Lacking {
        let mut lacking = Lacking::default();
        lacking.add(&q("q1"), from, to);
        lacking
    }

    #[test]
    fn taking_a_version_out_leaves_its_neighbours() {
        let mut lacking = lacking(2, 9);
        lacking.remove(&q("q1"), 4, 5);
        let named: Vec<u32> = (0..12).filter(|number| lacking.names(&q("q1"), *number)).collect();
        assert_eq!((named, lacking.count()), (vec![2, 3, 6, 7, 8, 9], 6));
        lacking.add(&q("q1"), 3, 7);
        assert_eq!(lacking.count(), 8, "nothing is counted twice");
        lacking.remove(&q("q1"), 0, u32::MAX);
        assert!(lacking.is_empty());
        lacking.add(&q("q1"), 5, 4);
        assert!(lacking.is_empty(), "an empty range names nothing");
    }

    #[test]
    fn only_what_is_lacked_and_was_not_refused_is_read_back() {
        let refused = Record::Refused { item: q("q1"), number: 3, refusal: Refusal::TimeOver };
        let records: Vec<_> = (1..=5).map(|n| answered(n, "a")).chain([refused]).collect();
        let (versions, more) = lacking(2, 4).pick(&records);
        assert_eq!((versions.iter().map(|v| v.number).collect::<Vec<_>>(), more), (vec![2, 4], false));
        assert_eq!(versions[1].made_at, SiteMs(4), "it still counts as made before the end");
    }

    #[test]
    fn what_a_server_had_stands_before_what_was_made_here_under_its_number() {
        let known = KnownAnswer { item: q("q1"), number: 1, answer: Answer::Text("theirs".into()) };
        let refusal = Refusal::AnswerConflict { item: q("q1"), number: 1 };
        let records =
            [answered(1, "ours"), Record::Refused { item: q("q1"), number: 1, refusal }, Record::Known(known.clone())];
        let (versions, _) = lacking(1, 1).pick(&records);
        assert_eq!(versions.into_iter().map(|v| v.answer).collect::<Vec<_>>(), [known.answer]);
    }

    #[test]
    fn one_portion_is_read_at_a_time_and_every_version_comes_in_the_end() {
        let long = "字".repeat(8_000);
        let records: Vec<_> = (1..=100).map(|n| answered(n, &long)).collect();
        let mut older = Older::default();
        older.lacks(lacking(1, 100), RecordId(0));
        let (mut sent, mut portions) = (Vec::new(), 0);
        while let Some(wanted) = older.read(RecordId(0)) {
            portions += 1;
            let (versions, more) = wanted.pick(&records);
            assert!(versions.len() * 24_000 <= OLDER_BYTES_MAX);
            older.found(versions, more);
            while let Some((errand, made)) = older.send_next() {
                sent.push(made.number);
                older.settle(errand);
            }
        }
        assert_eq!((sent, older.len()), ((1..=100).collect(), 0));
        assert!(portions > 1);
    }

    #[test]
    fn what_no_journal_holds_is_looked_for_once() {
        let mut older = Older::default();
        older.lacks(lacking(1, 3), RecordId(7));
        assert!(older.read(RecordId(6)).is_none(), "the journal does not have everything yet");
        assert!(older.read(RecordId(7)).is_some());
        older.found(Vec::new(), false);
        assert_eq!((older.read(RecordId(7)), older.len()), (None, 0));
    }
}
