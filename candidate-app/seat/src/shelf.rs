//! One attempt's journal and the records that wait for it. Never forgets a record the disk did not take: it is tried again.

use crate::{disk::Appended, journal::Journal};
use exam_session::{Lacking, Record, RecordId};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Records written at once.
const RECORDS_AT_ONCE: usize = 256;
/// A disk that failed is tried again after this.
const RETRY: Duration = Duration::from_millis(1_000);

/// A journal and its queue. The session bounds the queue: it makes no version of an item before the last one is journalled
/// or acknowledged.
pub(crate) struct Shelf {
    journal: Option<Box<Journal>>,
    waiting: VecDeque<(RecordId, Record)>,
    /// Last record of what is being written.
    under_way: Option<RecordId>,
    /// What is to be read back when nothing can be written.
    wanted: Option<Lacking>,
    /// Whether the journal is being read.
    read: bool,
    retry_at: Option<Instant>,
    /// When a journal that could not be opened is tried again.
    reopen_at: Option<Instant>,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self {
            journal: None,
            waiting: VecDeque::new(),
            under_way: None,
            wanted: None,
            read: false,
            retry_at: None,
            reopen_at: None,
        }
    }

    pub(crate) fn opened(&mut self, journal: Box<Journal>) {
        self.journal = Some(journal);
    }

    /// The journal could not be opened.
    pub(crate) fn not_opened(&mut self, now: Instant) {
        self.reopen_at = Some(now + RETRY);
    }

    /// Whether the journal is to be opened again now.
    pub(crate) fn reopen(&mut self, now: Instant) -> bool {
        self.reopen_at.take_if(|at| *at <= now).is_some()
    }

    pub(crate) fn has_journal(&self) -> bool {
        self.journal.is_some() || self.under_way.is_some() || self.read
    }

    pub(crate) fn put(&mut self, id: RecordId, record: Record) {
        self.waiting.push_back((id, record));
    }

    /// What can be written now, with the journal to write it to.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(Box<Journal>, Vec<Record>)> {
        if self.waiting.is_empty() || self.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        let journal = self.journal.take()?;
        let count = self.waiting.len().min(RECORDS_AT_ONCE);
        self.under_way = self.waiting.get(count - 1).map(|(id, _)| *id);
        Some((journal, self.waiting.iter().take(count).map(|(_, record)| record.clone()).collect()))
    }

    /// These versions are to be read back.
    pub(crate) fn want(&mut self, lacking: Lacking) {
        self.wanted = Some(lacking);
    }

    /// What can be read back now, with the journal to read: when nothing can be written.
    pub(crate) fn take_reading(&mut self) -> Option<(Box<Journal>, Lacking)> {
        self.wanted.as_ref()?;
        let journal = self.journal.take()?;
        self.read = true;
        self.wanted.take().map(|lacking| (journal, lacking))
    }

    /// The journal was read.
    pub(crate) fn was_read(&mut self, journal: Box<Journal>) {
        self.journal = Some(journal);
        self.read = false;
    }

    /// The disk has answered. Returns up to where records are durable now, or why they are not.
    pub(crate) fn appended(&mut self, appended: Appended, now: Instant) -> Result<RecordId, String> {
        self.journal = Some(appended.journal);
        let through = self.under_way.take().unwrap_or_default();
        match appended.result {
            Ok(()) => {
                self.retry_at = None;
                self.waiting.retain(|(id, _)| *id > through);
                Ok(through)
            }
            Err(error) => {
                self.retry_at = Some(now + RETRY);
                Err(error.to_string())
            }
        }
    }

    /// Nothing waits and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_none() && !self.read
    }

    /// When a failed disk is to be tried again.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        let retry = self.retry_at.filter(|_| self.under_way.is_none() && !self.waiting.is_empty());
        [retry, self.reopen_at].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{Place, newest},
        vault::Vault,
    };
    use exam_protocol::{message::candidate::AttemptId, time::SiteMs};
    use std::sync::Arc;

    #[test]
    fn what_a_failing_disk_did_not_take_is_given_to_it_again_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::load_or_create(dir.path()).unwrap());
        let place = Place { folder: dir.path().to_owned(), site: "s".parse().unwrap(), attempt: AttemptId(1), vault };
        let (journal, ..) = Journal::open(place).unwrap();
        let record = |n| Record::HandInAsked { at: SiteMs(n) };
        let (mut shelf, start) = (Shelf::new(), Instant::now());
        shelf.opened(Box::new(journal));
        shelf.put(RecordId(1), record(1));
        let (journal, records) = shelf.take(start).unwrap();
        assert_eq!(records, [record(1)]);
        shelf.put(RecordId(2), record(2));
        assert!(shelf.take(start).is_none(), "one write at a time");
        let full = Err(std::io::ErrorKind::StorageFull.into());
        assert!(shelf.appended(Appended { journal, result: full }, start).is_err());
        assert!(shelf.take(start).is_none(), "not without a pause");
        let (journal, records) = shelf.take(start + RETRY).unwrap();
        assert_eq!(records, [record(1), record(2)]);
        assert_eq!(shelf.appended(Appended { journal, result: Ok(()) }, start), Ok(RecordId(2)));
        assert!(shelf.is_idle());
        assert_eq!(newest(dir.path()), Some(AttemptId(1)));
    }
}
