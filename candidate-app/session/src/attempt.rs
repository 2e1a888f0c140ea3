//! One attempt at this seat: its journal, its answers, what the server has of it, its hand-in. Never sends what is not
//! journalled, unless the journal fails.

use crate::{
    account::Account,
    answers::{Answers, Made, Merged},
    clock::SeatMs,
    event::{Effect, Note, Record, RecordId},
    limits::RECORDS_UNJOURNALLED_MAX,
    older::Older,
    orphans::Orphans,
    queue::Pending,
    reminder::Reminders,
};
use exam_protocol::{
    code::Refusal,
    ids::{ItemId, SittingId},
    message::{
        attendance::{OrphanWish, Orphans as OrphansAsk},
        candidate::{Answers as AnswersPage, AttemptId, FetchAnswers, Gap, HandIn, HandedIn, SaveAnswer, SeatView},
    },
    tag::Up,
    time::SiteMs,
};
use std::{collections::BTreeMap, sync::Arc};

/// How far this seat has asked what the server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Merging {
    /// To be asked: items up to here are known.
    Due { after: Option<ItemId> },
    /// Asked, no answer yet: this is what is known so far.
    Asked { after: Option<ItemId> },
    /// All known.
    Done,
}

/// Where the hand-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HandInState {
    /// The candidate is at work.
    Open,
    /// Pressed: it goes to the server when everything else is there.
    Asked { sent: bool },
    /// On the server's disk.
    Done(HandedIn),
}

/// An attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) answers: Answers,
    pub(crate) loaded: bool,
    pub(crate) merging: Merging,
    /// Whether it was merged at least once: then numbers made here cannot collide by ignorance.
    pub(crate) merged_once: bool,
    pub(crate) hand_in: HandInState,
    pub(crate) on_screen: Option<ItemId>,
    pub(crate) reminders: Reminders,
    /// What was wrong with the journal when it was read.
    pub(crate) damage: Option<String>,
    /// Why the journal cannot be written at the moment.
    pub(crate) failing: Option<String>,
    /// In which sitting, as far as this seat was told.
    pub(crate) sitting: Option<SittingId>,
    /// The server's view let go of it while it was open: whether this machine was replaced is to be asked.
    pub(crate) parted: bool,
    /// This machine was replaced: what it has goes to the server once, and nothing is done here any more (HB-25).
    pub(crate) fenced: bool,
    pub(crate) orphans: Orphans,
    /// What another server had and this one lost.
    pub(crate) older: Older,
    /// Gaps named by the pages so far.
    gaps: Vec<Gap>,
    pub(crate) account: Account,
    /// Last sign of life in the journal.
    pub(crate) alive: Option<SeatMs>,
    recorded: Option<SeatView>,
    last_record: RecordId,
    durable: RecordId,
    hand_in_record: RecordId,
}

impl Attempt {
    pub(crate) fn new(id: AttemptId) -> Self {
        Self {
            id,
            answers: Answers::default(),
            loaded: false,
            merging: Merging::Due { after: None },
            merged_once: false,
            hand_in: HandInState::Open,
            on_screen: None,
            reminders: Reminders::default(),
            damage: None,
            failing: None,
            sitting: None,
            parted: false,
            fenced: false,
            orphans: Orphans::default(),
            older: Older::default(),
            gaps: Vec::new(),
            account: Account::default(),
            alive: None,
            recorded: None,
            last_record: RecordId(0),
            durable: RecordId(0),
            hand_in_record: RecordId(0),
        }
    }

    /// Rebuilds the attempt from its journal. Returns the last view of the server's in it.
    pub(crate) fn restore(&mut self, now: SeatMs, records: Vec<Record>, damage: Option<String>) -> Option<Record> {
        let mut seen = None;
        let mut adopting = BTreeMap::new();
        for record in records {
            match record {
                Record::Seen { ref view, .. } => {
                    self.sitting = view.sitting.as_ref().map(|sitting| sitting.sitting.clone());
                    self.fenced = false;
                    seen = Some(record);
                }
                Record::Answered { item, number, answer, made_at } => {
                    let adopts = adopting.remove(&(item.clone(), number));
                    let made = Made { item, number, answer: Arc::new(answer), made_at };
                    self.answers.restore_answered(now, made, adopts);
                }
                Record::Acked { item, number } => self.answers.restore_acked(&item, number),
                Record::Known(known) => self.answers.restore_known(&known),
                Record::Refused { item, number, refusal } => self.answers.restore_refused(&item, number, refusal),
                Record::HandInAsked { .. } => self.hand_in = HandInState::Asked { sent: false },
                Record::HandInRefused { .. } => self.hand_in = HandInState::Open,
                Record::HandedIn(receipt) => self.hand_in = HandInState::Done(receipt),
                Record::Reminded { minutes, ends } => self.reminders.restore(minutes, ends),
                Record::Adopting { orphan, item, number } => drop(adopting.insert((item, number), orphan)),
                Record::OrphanDismissed { orphan } => self.orphans.dismiss(orphan),
                Record::Fenced { .. } => self.fenced = true,
                Record::Unable(told) => self.account.restore(told),
                Record::Alive { .. } => {}
            }
        }
        self.loaded = true;
        self.damage = damage;
        seen
    }

    /// Journals the server's view if it says anything new.
    pub(crate) fn record_view(
        &mut self,
        view: &SeatView,
        stamp: impl FnOnce(SeatView) -> Record,
        out: &mut Vec<Effect>,
    ) {
        let timeless = SeatView { now: Default::default(), ..view.clone() };
        if self.recorded.as_ref() != Some(&timeless) {
            self.recorded = Some(timeless);
            self.journal(stamp(view.clone()), out);
        }
    }

    /// Makes versions of the drafts that are due and journals them.
    pub(crate) fn make_due(&mut self, now: SeatMs, out: &mut Vec<Effect>) {
        let Self { answers, last_record, durable, id, .. } = self;
        answers.make_due(now, |made: Made| {
            if last_record.0 - durable.0 >= RECORDS_UNJOURNALLED_MAX as u64 {
                return None;
            }
            last_record.0 += 1;
            let Made { item, number, answer, made_at } = made;
            let record = Record::Answered { item, number, answer: (*answer).clone(), made_at };
            out.push(Effect::Journal { attempt: *id, id: *last_record, record: Box::new(record) });
            Some(*last_record)
        });
    }

    /// Makes versions of the answers of the replaced machine that the candidate took. The journal is told first which they are.
    pub(crate) fn make_adopted(&mut self, now: SeatMs, out: &mut Vec<Effect>) {
        let answers = &self.answers;
        let Some(adoption) = self.orphans.adoption(|item| answers.is_at_rest(item)) else { return };
        let (id, full) = (self.id, self.is_far_behind());
        let Self { answers, last_record, .. } = self;
        answers.adopt(now, &adoption, |Made { item, number, answer, made_at }| {
            if full {
                return None;
            }
            let answered = Record::Answered { item: item.clone(), number, answer: (*answer).clone(), made_at };
            for record in [Record::Adopting { orphan: adoption.orphan, item, number }, answered] {
                last_record.0 += 1;
                out.push(Effect::Journal { attempt: id, id: *last_record, record: Box::new(record) });
            }
            Some(*last_record)
        });
    }

    /// Whether so much waits for the journal that nothing more is given to it.
    pub(crate) fn is_far_behind(&self) -> bool {
        self.last_record.0 - self.durable.0 >= RECORDS_UNJOURNALLED_MAX as u64
    }

    /// The server says that this machine was replaced. What is typed becomes versions, and what was to be handed in is not.
    pub(crate) fn replaced(&mut self, at: SiteMs, out: &mut Vec<Effect>) {
        self.merging = Merging::Due { after: None }; // for a server that names it again
        if self.fenced {
            return;
        }
        (self.fenced, self.parted) = (true, false);
        self.older.begin();
        self.answers.left_all();
        self.journal(Record::Fenced { at }, out);
        if let HandInState::Asked { .. } = self.hand_in {
            self.hand_in = HandInState::Open;
            self.journal(Record::HandInRefused { refusal: Refusal::Fenced }, out);
        }
    }

    /// The server names this machine for the attempt, whatever it said before (a backup may have taken over).
    pub(crate) fn named(&mut self, sitting: Option<SittingId>) {
        if std::mem::take(&mut self.fenced) {
            self.recorded = None; // journalled again, after the record that said otherwise
        }
        (self.parted, self.sitting) = (false, sitting);
    }

    /// Every record up to `through` is durable.
    pub(crate) fn journalled(&mut self, through: RecordId) {
        self.durable = self.durable.max(through);
        self.answers.queue.journalled(through);
        if self.durable >= self.last_record {
            self.failing = None;
        }
    }

    /// The question for the next page of what the server has, if it is due.
    pub(crate) fn ask_merge(&mut self) -> Option<FetchAnswers> {
        let Merging::Due { after } = &mut self.merging else { return None };
        let after = after.take();
        if after.is_none() {
            self.answers.begin_merge();
            self.older.begin();
            self.gaps.clear();
        }
        self.merging = Merging::Asked { after: after.clone() };
        Some(FetchAnswers { attempt: self.id, after })
    }

    /// A page of what the server has.
    pub(crate) fn merge(&mut self, now: SeatMs, page: AnswersPage, out: &mut Vec<Effect>) {
        let AnswersPage { answers, gaps, more } = page;
        self.gaps.extend(gaps);
        let last = answers.last().map(|known| known.item.clone());
        for known in answers {
            match self.answers.merge(&known) {
                Merged::Learned => {
                    self.journal(Record::Known(known), out);
                }
                Merged::Acked(pending) => self.acked(*pending, out),
                Merged::OursStays => {}
            }
        }
        self.merging = match last {
            Some(after) if more => Merging::Due { after: Some(after) },
            _ => {
                self.answers.end_merge(now);
                self.older.lacks(self.answers.lacking(&std::mem::take(&mut self.gaps)), self.last_record);
                self.merged_once = true;
                Merging::Done
            }
        };
    }

    /// The server has this version on its disk: journalled, and noted.
    pub(crate) fn acked(&mut self, pending: Pending, out: &mut Vec<Effect>) {
        let Pending { item, number, answer, made, sent, adopts, .. } = pending;
        adopts.into_iter().for_each(|orphan| self.orphans.settled(orphan));
        self.journal(Record::Acked { item: item.clone(), number }, out);
        out.push(Effect::Note(Note::Acked { item, number, answer, made, sent: sent.unwrap_or(made) }));
    }

    /// The connection is gone.
    pub(crate) fn unlinked(&mut self) {
        self.answers.queue.unlinked();
        self.older.unlinked();
        self.orphans.unlinked();
        self.account.again();
        if let Merging::Asked { after } = &mut self.merging {
            self.merging = Merging::Due { after: after.take() };
        }
        if let HandInState::Asked { sent } = &mut self.hand_in {
            *sent = false;
        }
    }

    /// The candidate presses 交卷: everything typed is saved first, then it is sent by itself.
    pub(crate) fn ask_hand_in(&mut self, now: SeatMs, at: SiteMs, out: &mut Vec<Effect>) {
        self.answers.left_all();
        self.make_due(now, out);
        self.hand_in = HandInState::Asked { sent: false };
        self.hand_in_record = self.journal(Record::HandInAsked { at }, out);
    }

    /// The hand-in, if it is due: pressed, journalled, and everything else at the server.
    pub(crate) fn send_hand_in(&mut self) -> Option<HandIn> {
        let made = !self.answers.has_drafts() && !self.orphans.is_adopting();
        // An old version would be refused after it; one that no disk gives back is not waited for.
        let older_there = self.older.len() == 0 || self.failing.is_some();
        let all_there = self.answers.queue.is_empty() && older_there && made && self.merging == Merging::Done;
        let on_disk = self.hand_in_record <= self.durable || self.failing.is_some();
        let HandInState::Asked { sent: sent @ false } = &mut self.hand_in else { return None };
        if !all_there || !on_disk {
            return None;
        }
        *sent = true;
        Some(HandIn { attempt: self.id, newest: self.answers.hand_in() })
    }

    /// The server refused the hand-in: what it lacks is sent again, and anything else gives the candidate the paper back.
    /// Returns whether the candidate has to be told.
    pub(crate) fn hand_in_refused(&mut self, now: SeatMs, refusal: &Refusal, out: &mut Vec<Effect>) -> bool {
        if let Refusal::AnswersMissing { item, .. } = refusal {
            self.answers.send_again(item, now);
            self.hand_in = HandInState::Asked { sent: false };
            return false;
        }
        self.hand_in = HandInState::Open;
        self.journal(Record::HandInRefused { refusal: refusal.clone() }, out);
        true
    }

    /// The server failed: the hand-in is sent again later.
    pub(crate) fn hand_in_again(&mut self) {
        if let HandInState::Asked { sent } = &mut self.hand_in {
            *sent = false;
        }
    }

    /// On the server's disk.
    pub(crate) fn handed_in(&mut self, receipt: HandedIn, out: &mut Vec<Effect>) {
        self.journal(Record::HandedIn(receipt.clone()), out);
        self.hand_in = HandInState::Done(receipt);
    }

    /// What the server has not acknowledged, or has lost.
    pub(crate) fn unsaved(&self) -> usize {
        self.answers.unsaved() + self.older.len()
    }

    /// The older versions to be read back from the journal, if that is due. They are sent when nothing newer waits.
    pub(crate) fn read_back(&mut self, out: &mut Vec<Effect>) {
        if let Some(lacking) = self.older.read(self.durable) {
            out.push(Effect::ReadBack { attempt: self.id, lacking });
        }
    }

    /// The server refused an older version: it is kept as evidence, and not sent again.
    pub(crate) fn older_refused(&mut self, made: Made, refusal: Refusal, out: &mut Vec<Effect>) {
        let Made { item, number, answer, .. } = made;
        self.answers.add_evidence(&item, number, answer, refusal.clone());
        self.journal(Record::Refused { item, number, refusal }, out);
    }

    /// Journals a record and returns its number.
    pub(crate) fn journal(&mut self, record: Record, out: &mut Vec<Effect>) -> RecordId {
        self.last_record.0 += 1;
        out.push(Effect::Journal { attempt: self.id, id: self.last_record, record: Box::new(record) });
        self.last_record
    }
}

/// The words that carry a version to the server.
pub(crate) fn save(attempt: AttemptId, pending: &Pending) -> Up {
    let number = pending.number;
    if let Some(orphan) = pending.adopts {
        return OrphansAsk { attempt, wish: OrphanWish::Adopt { orphan, number } }.into();
    }
    let (item, answer) = (pending.item.clone(), (*pending.answer).clone());
    SaveAnswer { attempt, item, number, answer, made_at: pending.made_at }.into()
}

/// The words that carry an older version to a server that lost it.
pub(crate) fn save_again(attempt: AttemptId, made: &Made) -> Up {
    let Made { item, number, answer, made_at } = made;
    SaveAnswer { attempt, item: item.clone(), number: *number, answer: (**answer).clone(), made_at: *made_at }.into()
}
