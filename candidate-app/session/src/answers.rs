//! One candidate's answers, item by item: typed, on the seat's disk, on the server's. Never numbers two versions alike,
//! and never drops a refused one.

use crate::{
    clock::SeatMs,
    event::RecordId,
    limits::{DEBOUNCE_MS, DRAFT_AGE_MS_MAX, EVIDENCE_MAX},
    older::Lacking,
    orphans::Adoption,
    queue::{Pending, Place, Queue},
};
use exam_protocol::{
    answer::Answer,
    code::Refusal,
    ids::ItemId,
    message::candidate::{Gap, KnownAnswer, Newest},
    time::SiteMs,
};
use std::{collections::BTreeMap, sync::Arc};

/// Where the newest version of an answer is (F-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Saved {
    /// Nothing was ever given.
    Untouched,
    /// 未保存: typed, on no disk.
    Unsaved,
    /// 本机已存: on the seat's disk.
    OnSeat,
    /// 服务器已存: on the server's disk.
    OnServer,
    /// The server refused it; it is kept as evidence.
    Refused,
}

/// A version the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
    /// What was given.
    pub answer: Arc<Answer>,
    /// Which rule.
    pub refusal: Refusal,
}

/// A version: just made and without its record, or read back from one.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) item: ItemId,
    pub(crate) number: u32,
    pub(crate) answer: Arc<Answer>,
    pub(crate) made_at: SiteMs,
}

#[derive(Clone, Debug)]
struct Draft {
    answer: Arc<Answer>,
    made_at: SiteMs,
    first: SeatMs,
    last: SeatMs,
    at_once: bool,
}

impl Draft {
    fn due(&self) -> SeatMs {
        if self.at_once { self.first } else { self.last.plus(DEBOUNCE_MS).min(self.first.plus(DRAFT_AGE_MS_MAX)) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Queued,
    OnServer,
    Refused,
}

/// One item's answer. Invariant: `newest` is the highest number any version of it has here or is known to have there.
#[derive(Clone, Debug)]
struct Given {
    newest: u32,
    answer: Arc<Answer>,
    made_at: SiteMs,
    standing: Standing,
    /// Highest number the server is known to have.
    server: u32,
    /// Highest number it named when it was last asked what it has.
    told: u32,
    draft: Option<Draft>,
}

/// All answers of an attempt.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    items: BTreeMap<ItemId, Given>,
    pub(crate) queue: Queue,
    evidence: Vec<Evidence>,
}

impl Answers {
    /// The candidate changed an answer. Typing what is already there makes no version.
    pub(crate) fn typed(&mut self, now: SeatMs, at: SiteMs, item: &ItemId, answer: Answer) {
        let given = self.items.entry(item.clone()).or_insert_with(|| Given::none(at));
        if *given.answer == answer && given.standing != Standing::Refused {
            given.draft = None;
            return;
        }
        let at_once = matches!(answer, Answer::Single(_) | Answer::TrueFalse(_));
        let first = given.draft.as_ref().map_or(now, |draft| draft.first);
        given.draft = Some(Draft { answer: Arc::new(answer), made_at: at, first, last: now, at_once });
    }

    /// The field was left: its draft is due now.
    pub(crate) fn left(&mut self, item: &ItemId) {
        if let Some(draft) = self.items.get_mut(item).and_then(|given| given.draft.as_mut()) {
            draft.at_once = true;
        }
    }

    /// Every draft is due now: hand-in, or the end.
    pub(crate) fn left_all(&mut self) {
        self.items.values_mut().filter_map(|given| given.draft.as_mut()).for_each(|draft| draft.at_once = true);
    }

    /// Makes versions of the drafts that are due, at most one an item that the seat's disk does not have yet. `record`
    /// journals a version and says where.
    pub(crate) fn make_due(&mut self, now: SeatMs, mut record: impl FnMut(Made) -> Option<RecordId>) {
        for (item, given) in &mut self.items {
            let due = given.draft.as_ref().is_some_and(|draft| draft.due() <= now);
            if !due || self.queue.awaits_disk(item) {
                continue;
            }
            let Some(draft) = given.draft.take() else { continue };
            given.newest += 1;
            given.answer = draft.answer.clone();
            given.made_at = draft.made_at;
            given.standing = Standing::Queued;
            let made =
                Made { item: item.clone(), number: given.newest, answer: draft.answer.clone(), made_at: draft.made_at };
            let record = record(made);
            let (answer, made_at) = (draft.answer, draft.made_at);
            self.queue.push(Pending {
                item: item.clone(),
                number: given.newest,
                answer,
                made_at,
                made: now,
                record,
                sent: None,
                adopts: None,
            });
        }
    }

    /// Whether a version of this item can be made at once: nothing is half typed, and the seat's disk has the last one.
    pub(crate) fn is_at_rest(&self, item: &ItemId) -> bool {
        let typing = self.items.get(item).is_some_and(|given| given.draft.is_some());
        !typing && !self.queue.awaits_disk(item)
    }

    /// Makes a version of an answer of the replaced machine, of an item that [`is_at_rest`](Self::is_at_rest).
    pub(crate) fn adopt(&mut self, now: SeatMs, adoption: &Adoption, record: impl FnOnce(Made) -> Option<RecordId>) {
        let Adoption { orphan, item, answer, at } = adoption;
        let given = self.items.entry(item.clone()).or_insert_with(|| Given::none(*at));
        given.newest += 1;
        (given.answer, given.made_at, given.standing) = (answer.clone(), *at, Standing::Queued);
        let (number, adopts) = (given.newest, Some(*orphan));
        let record = record(Made { item: item.clone(), number, answer: answer.clone(), made_at: *at });
        let (item, answer, made_at) = (item.clone(), answer.clone(), *at);
        self.queue.push(Pending { item, number, answer, made_at, made: now, record, sent: None, adopts });
    }

    /// When the next draft is due, leaving out those that wait for the disk.
    pub(crate) fn next_due(&self) -> Option<SeatMs> {
        let makeable = self.items.iter().filter(|(item, _)| !self.queue.awaits_disk(item));
        makeable.filter_map(|(_, given)| given.draft.as_ref()).map(Draft::due).min()
    }

    /// The server has this version. Returns it, unless it was known already.
    pub(crate) fn acked(&mut self, place: Place) -> Option<Pending> {
        let pending = self.queue.settle(place)?;
        self.on_server(&pending.item, pending.number);
        Some(pending)
    }

    /// The server refused this version. It becomes evidence; after a conflict of numbers its content is made anew with the
    /// next free number, unless something newer stands.
    pub(crate) fn refused(&mut self, place: Place, refusal: Refusal, now: SeatMs) -> Option<Pending> {
        let pending = self.queue.settle(place)?;
        self.add_evidence(&pending.item, pending.number, pending.answer.clone(), refusal.clone());
        if let Some(given) = self.items.get_mut(&pending.item)
            && given.newest == pending.number
        {
            given.standing = Standing::Refused;
            if matches!(refusal, Refusal::AnswerConflict { .. }) && given.draft.is_none() {
                let answer = pending.answer.clone();
                given.draft = Some(Draft { answer, made_at: pending.made_at, first: now, last: now, at_once: true });
            }
        }
        Some(pending)
    }

    /// Before asking the server what it has: nothing is taken for granted.
    pub(crate) fn begin_merge(&mut self) {
        self.items.values_mut().for_each(|given| (given.server, given.told) = (0, 0));
    }

    /// What the server has of one item. Its newer version wins over what is here; what is newer here stays, and so does
    /// what is equally new but not acknowledged: if the two differ, the server will refuse and ours gets the next number.
    pub(crate) fn merge(&mut self, known: &KnownAnswer) -> Merged {
        let given = self.items.entry(known.item.clone()).or_insert_with(|| Given::none(SiteMs(0)));
        given.server = given.server.max(known.number);
        given.told = known.number;
        let same = *given.answer == known.answer;
        let settled = given.standing != Standing::Queued;
        if known.number > given.newest || (known.number == given.newest && settled && !same) {
            *given = Given { answer: Arc::new(known.answer.clone()), ..Given::known(known.number, given.draft.take()) };
            return Merged::Learned;
        }
        if known.number < given.newest || !same {
            return Merged::OursStays;
        }
        given.standing = Standing::OnServer;
        match self.queue.remove(&known.item, known.number) {
            Some(pending) => Merged::Acked(Box::new(pending)),
            None => Merged::OursStays,
        }
    }

    /// The server has said all it has: versions it once acknowledged and does not have any more (a restored disk) are
    /// sent again.
    pub(crate) fn end_merge(&mut self, now: SeatMs) {
        let items =
            self.items.iter().filter(|(_, given)| given.standing == Standing::OnServer && given.server < given.newest);
        let missing: Vec<ItemId> = items.map(|(item, _)| item.clone()).collect();
        missing.iter().for_each(|item| self.send_again(item, now));
    }

    /// Older versions that the server did not name and that are not on their way: another disk may have had them.
    pub(crate) fn lacking(&self, gaps: &[Gap]) -> Lacking {
        let mut lacking = Lacking::default();
        for (item, given) in &self.items {
            lacking.add(item, given.told + 1, given.newest);
        }
        for gap in gaps {
            let newest = self.newest(&gap.item);
            lacking.add(&gap.item, gap.from.max(1), gap.to.min(newest));
        }
        self.queue.numbers().for_each(|(item, number)| lacking.remove(item, number, number));
        self.evidence.iter().for_each(|old| lacking.remove(&old.item, old.number, old.number));
        lacking
    }

    /// Sends the newest version of this item again: the server says it lacks it.
    pub(crate) fn send_again(&mut self, item: &ItemId, now: SeatMs) {
        let Some(given) = self.items.get_mut(item) else { return };
        if given.newest == 0 || self.queue.find(item, given.newest).is_some() {
            return;
        }
        given.standing = Standing::Queued;
        let (number, answer, made_at) = (given.newest, given.answer.clone(), given.made_at);
        let record = Some(RecordId(0));
        let item = item.clone();
        self.queue.push(Pending { item, number, answer, made_at, made: now, record, sent: None, adopts: None });
    }

    /// A version read back from the journal; `adopts` names the answer of the replaced machine it was taken from.
    pub(crate) fn restore_answered(&mut self, now: SeatMs, made: Made, adopts: Option<u32>) {
        let Made { item, number, answer, made_at } = made;
        let given = self.items.entry(item.clone()).or_insert_with(|| Given::none(made_at));
        if number > given.newest {
            *given = Given {
                newest: number,
                answer: answer.clone(),
                made_at,
                standing: Standing::Queued,
                server: given.server,
                told: given.told,
                draft: None,
            };
        }
        let record = Some(RecordId(0));
        self.queue.push(Pending { item, number, answer, made_at, made: now, record, sent: None, adopts });
    }

    /// A version of the server's, read back from the journal.
    pub(crate) fn restore_known(&mut self, known: &KnownAnswer) {
        self.merge(known);
    }

    /// An acknowledgement read back from the journal.
    pub(crate) fn restore_acked(&mut self, item: &ItemId, number: u32) {
        self.queue.remove(item, number);
        self.on_server(item, number);
    }

    /// A refusal read back from the journal.
    pub(crate) fn restore_refused(&mut self, item: &ItemId, number: u32, refusal: Refusal) {
        let Some(pending) = self.queue.remove(item, number) else { return };
        self.add_evidence(item, number, pending.answer, refusal);
        if let Some(given) = self.items.get_mut(item)
            && given.newest == number
        {
            given.standing = Standing::Refused;
        }
    }

    /// The answer on screen: the draft, or else the newest version.
    pub(crate) fn current(&self, item: &ItemId) -> Option<Arc<Answer>> {
        let given = self.items.get(item)?;
        Some(given.draft.as_ref().map_or(&given.answer, |draft| &draft.answer).clone())
    }

    /// When the answer on screen was typed, if that is known here.
    pub(crate) fn typed_at(&self, item: &ItemId) -> Option<SiteMs> {
        let given = self.items.get(item)?;
        let at = given.draft.as_ref().map_or(given.made_at, |draft| draft.made_at);
        Some(at).filter(|at| *at > SiteMs(0) && (given.newest > 0 || given.draft.is_some()))
    }

    /// Number of the newest version; zero if there is none.
    pub(crate) fn newest(&self, item: &ItemId) -> u32 {
        self.items.get(item).map_or(0, |given| given.newest)
    }

    /// Where the newest version is.
    pub(crate) fn saved(&self, item: &ItemId) -> Saved {
        let Some(given) = self.items.get(item) else { return Saved::Untouched };
        if given.draft.is_some() {
            return Saved::Unsaved;
        }
        match given.standing {
            _ if given.newest == 0 => Saved::Untouched,
            Standing::OnServer => Saved::OnServer,
            Standing::Refused => Saved::Refused,
            Standing::Queued => match self.queue.find(item, given.newest) {
                Some(pending) if !self.queue.is_journalled(pending) => Saved::Unsaved,
                _ => Saved::OnSeat,
            },
        }
    }

    /// Items with an answer given.
    pub(crate) fn answered(&self) -> usize {
        let current = |given: &Given| given.draft.as_ref().map_or(&given.answer, |draft| &draft.answer).is_given();
        self.items.values().filter(|given| current(given)).count()
    }

    /// Drafts, and versions the server has not acknowledged.
    pub(crate) fn unsaved(&self) -> usize {
        self.queue.len() + self.drafts().count()
    }

    pub(crate) fn has_drafts(&self) -> bool {
        self.drafts().next().is_some()
    }

    /// When the oldest of the [`unsaved`](Self::unsaved) began.
    pub(crate) fn oldest_unsaved(&self) -> Option<SeatMs> {
        self.drafts().map(|draft| draft.first).chain(self.queue.oldest()).min()
    }

    /// What a hand-in names: the newest version of every item, leaving out what the server refused for good.
    pub(crate) fn hand_in(&self) -> Vec<Newest> {
        let number = |given: &Given| if given.standing == Standing::Refused { given.server } else { given.newest };
        let all = self.items.iter().map(|(item, given)| Newest { item: item.clone(), number: number(given) });
        all.filter(|newest| newest.number > 0).collect()
    }

    /// What the server refused, oldest first.
    pub(crate) fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.items.values().filter_map(|given| given.draft.as_ref())
    }

    fn on_server(&mut self, item: &ItemId, number: u32) {
        let Some(given) = self.items.get_mut(item) else { return };
        given.server = given.server.max(number);
        if given.newest == number {
            given.standing = Standing::OnServer;
        }
    }

    /// A version the server refused is kept for the screen; the journal keeps all of them.
    pub(crate) fn add_evidence(&mut self, item: &ItemId, number: u32, answer: Arc<Answer>, refusal: Refusal) {
        if self.evidence.len() < EVIDENCE_MAX {
            self.evidence.push(Evidence { item: item.clone(), number, answer, refusal });
        }
    }
}

/// What a version of the server's meant here.
#[derive(Clone, Debug)]
pub(crate) enum Merged {
    /// It is newer, or other, than what was here, and stands now.
    Learned,
    /// It is what waited to be acknowledged: the acknowledgement itself was lost on the way.
    Acked(Box<Pending>),
    /// Nothing changed.
    OursStays,
}

impl Given {
    fn known(number: u32, draft: Option<Draft>) -> Self {
        Given {
            newest: number,
            standing: Standing::OnServer,
            server: number,
            told: number,
            draft,
            ..Given::none(SiteMs(0))
        }
    }

    fn none(at: SiteMs) -> Self {
        let answer = Arc::new(Answer::Empty);
        Given { newest: 0, answer, made_at: at, standing: Standing::Queued, server: 0, told: 0, draft: None }
    }
}
