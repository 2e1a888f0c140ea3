//! Reading a journal back: which records are whole, where the tail is torn, what is damaged. Never changes the file.

use super::{HEADER_BYTES, LEN_BYTES, Place, RECORD_BYTES_MAX, header_of};
use crate::vault::NONCE_BYTES;
use exam_protocol::frame;
use exam_session::Record;

/// What was wrong with a journal when it was read. Records count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of an unfinished last record, cut off: the app or the machine died while writing it.
    pub cut_bytes: u64,
    /// Records that are not as they were written.
    pub damaged: Vec<u64>,
    /// From this record on nothing can be found any more.
    pub lost_from: Option<u64>,
}

impl Recovery {
    /// Whether more than a torn tail is wrong.
    pub fn is_damaged(&self) -> bool {
        !self.damaged.is_empty() || self.lost_from.is_some()
    }

    /// In words, for the screen and the log; none if nothing was wrong.
    pub fn in_words(&self) -> Option<String> {
        let mut words = Vec::new();
        if self.cut_bytes > 0 {
            words.push(format!("an unfinished last record ({} bytes) was cut off", self.cut_bytes));
        }
        if !self.damaged.is_empty() {
            let numbers: Vec<_> = self.damaged.iter().map(u64::to_string).collect();
            words.push(format!("record {} was changed or damaged", numbers.join(", ")));
        }
        if let Some(from) = self.lost_from {
            words.push(format!("from record {from} on the journal cannot be read"));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}

pub(super) struct Scan {
    pub(super) header: Option<[u8; HEADER_BYTES]>,
    pub(super) records: Vec<Record>,
    /// Up to here the file is whole.
    pub(super) good_bytes: u64,
    pub(super) recovery: Recovery,
}

/// One record's place in the file.
enum Next<'a> {
    Whole { sealed: &'a [u8], end: usize },
    End,
    Torn,
    Lost,
}

pub(super) fn scan(place: &Place, bytes: &[u8]) -> Scan {
    let mut scan =
        Scan { header: header_of(place, bytes), records: Vec::new(), good_bytes: 0, recovery: Recovery::default() };
    let Some(header) = scan.header else {
        // Shorter than a header, or never written: the app died while beginning. Anything else was something once.
        let never_began = bytes.len() < HEADER_BYTES || bytes.iter().all(|byte| *byte == 0);
        scan.recovery.lost_from = (!never_began).then_some(1);
        return scan;
    };
    let (mut at, mut number) = (HEADER_BYTES, 0);
    loop {
        scan.good_bytes = at as u64;
        number += 1;
        match next(&bytes[at..]) {
            Next::End => return scan,
            Next::Torn => {
                scan.recovery.cut_bytes = (bytes.len() - at) as u64;
                return scan;
            }
            Next::Lost => {
                scan.recovery.lost_from = Some(number);
                return scan;
            }
            Next::Whole { sealed, end } => {
                let plain = place.vault.open(&place.aad(&header, number), sealed);
                match plain.and_then(|plain| frame::decode::<Record, { frame::DOWN_CLAIMS_MAX }>(0, &plain).ok()) {
                    Some(record) => scan.records.push(record),
                    None => scan.recovery.damaged.push(number),
                }
                at += end;
            }
        }
    }
}

fn next(rest: &[u8]) -> Next<'_> {
    if rest.is_empty() {
        return Next::End;
    }
    if rest.iter().all(|byte| *byte == 0) {
        return Next::Torn; // the file had grown, its bytes had not arrived
    }
    let Some((field, check)) = rest.first_chunk::<4>().zip(rest.get(4..LEN_BYTES)) else { return Next::Torn };
    let len = u32::from_le_bytes(*field);
    let end = LEN_BYTES + len as usize;
    if check != (!len).to_le_bytes() || !(NONCE_BYTES..=RECORD_BYTES_MAX).contains(&(len as usize)) {
        return Next::Lost;
    }
    match rest.get(LEN_BYTES..end) {
        Some(sealed) => Next::Whole { sealed, end },
        None => Next::Torn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{journal::*, vault::Vault};
    use exam_protocol::answer::Answer;
    use exam_protocol::time::SiteMs;

    fn place(folder: &Path) -> Place {
        let vault = Arc::new(Vault::load_or_create(folder).unwrap());
        Place { folder: folder.to_owned(), site: "s1".parse().unwrap(), attempt: AttemptId(3), vault }
    }

    fn answered(number: u32) -> Record {
        let answer = Answer::Text(format!("金丝雀-{number}"));
        Record::Answered { item: "q1".parse().unwrap(), number, answer, made_at: SiteMs(u64::from(number)) }
    }

    fn write(folder: &Path, numbers: std::ops::RangeInclusive<u32>) -> Vec<u8> {
        let (mut journal, ..) = Journal::open(place(folder)).unwrap();
        let records: Vec<_> = numbers.map(answered).collect();
        journal.write(&records).unwrap();
        journal.sync().unwrap();
        fs::read(folder.join("attempt-3.journal")).unwrap()
    }

    fn reopen(folder: &Path) -> (Vec<Record>, Recovery) {
        let (_, records, recovery) = Journal::open(place(folder)).unwrap();
        (records, recovery)
    }

    #[test]
    fn what_was_written_is_read_back_and_nothing_of_it_is_in_the_clear() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 1..=3);
        let bytes = write(dir.path(), 4..=5);
        assert!(!bytes.windows("金丝雀".len()).any(|window| window == "金丝雀".as_bytes()));
        let (records, recovery) = reopen(dir.path());
        assert_eq!((records, recovery.in_words()), ((1..=5).map(answered).collect(), None));
        assert_eq!(newest(dir.path()), Some(AttemptId(3)));
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_cut_off_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let two = write(dir.path(), 1..=2).len();
        let whole = write(dir.path(), 3..=3);
        for cut in two + 1..whole.len() {
            fs::write(dir.path().join("attempt-3.journal"), &whole[..cut]).unwrap();
            let (records, recovery) = reopen(dir.path());
            assert_eq!(records.len(), 2, "cut at {cut}");
            assert_eq!(recovery.cut_bytes, (cut - two) as u64);
            assert_eq!(reopen(dir.path()), (records, Recovery::default()), "the second time nothing is wrong");
        }
    }

    #[test]
    fn a_tail_of_zeroes_is_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = write(dir.path(), 1..=2);
        bytes.extend([0; 4096]);
        fs::write(dir.path().join("attempt-3.journal"), &bytes).unwrap();
        let (records, recovery) = reopen(dir.path());
        assert_eq!((records.len(), recovery.cut_bytes, recovery.is_damaged()), (2, 4096, false));
    }

    #[test]
    fn every_flipped_bit_is_found_and_names_its_record() {
        let dir = tempfile::tempdir().unwrap();
        let first = write(dir.path(), 1..=1).len();
        let second = write(dir.path(), 2..=2).len();
        let whole = write(dir.path(), 3..=3);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            let found = scan(&place(dir.path()), &bytes).recovery;
            let number = 1 + u64::from(at >= first) + u64::from(at >= second);
            let named = found.damaged.contains(&number) || found.lost_from == Some(number);
            let header = at < HEADER_BYTES && found.is_damaged();
            assert!(named || header, "byte {at}: {found:?}");
        }
    }

    #[test]
    fn a_damaged_journal_is_kept_and_what_is_good_of_it_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let first = write(dir.path(), 1..=1).len();
        let mut bytes = write(dir.path(), 2..=3);
        bytes[first + 40] ^= 1;
        fs::write(dir.path().join("attempt-3.journal"), &bytes).unwrap();
        let (records, recovery) = reopen(dir.path());
        assert_eq!((records, recovery.damaged), (vec![answered(1), answered(3)], vec![2]));
        assert_eq!(fs::read(dir.path().join("attempt-3.journal.damaged-1")).unwrap(), bytes);
        assert_eq!(reopen(dir.path()), (vec![answered(1), answered(3)], Recovery::default()));
    }

    #[test]
    fn records_do_not_move_to_another_place_site_attempt_or_seat() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = write(dir.path(), 1..=2);
        let here = place(dir.path());
        assert_eq!(scan(&here, &bytes).records.len(), 2);
        let other_site = Place { site: "s2".parse().unwrap(), ..here.clone() };
        assert_eq!(scan(&other_site, &bytes).recovery.damaged, [1, 2]);
        let other_attempt = Place { attempt: AttemptId(4), ..here.clone() };
        assert!(scan(&other_attempt, &bytes).recovery.is_damaged());
        let other_key = tempfile::tempdir().unwrap();
        let other_seat = Place { vault: place(other_key.path()).vault, ..here.clone() };
        assert_eq!(scan(&other_seat, &bytes).recovery.damaged, [1, 2]);
        let swapped = [
            &bytes[..HEADER_BYTES],
            &bytes[HEADER_BYTES + (bytes.len() - HEADER_BYTES) / 2..],
            &bytes[HEADER_BYTES..HEADER_BYTES + (bytes.len() - HEADER_BYTES) / 2],
        ]
        .concat();
        assert_eq!(scan(&here, &swapped).recovery.damaged, [1, 2]);
    }

    #[test]
    fn a_newer_format_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = write(dir.path(), 1..=1);
        bytes[8] = 2;
        fs::write(dir.path().join("attempt-3.journal"), &bytes).unwrap();
        assert!(matches!(Journal::open(place(dir.path())), Err(JournalError::NewerFormat { found: 2, .. })));
        assert_eq!(fs::read(dir.path().join("attempt-3.journal")).unwrap(), bytes);
    }

    #[test]
    fn one_program_at_a_time_has_a_journal() {
        let dir = tempfile::tempdir().unwrap();
        let open = Journal::open(place(dir.path())).unwrap();
        assert!(matches!(Journal::open(place(dir.path())), Err(JournalError::InUse { .. })));
        drop(open);
        assert!(Journal::open(place(dir.path())).is_ok());
    }

    #[test]
    fn a_beginning_that_was_cut_short_begins_again() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("attempt-3.journal"), b"EXAM").unwrap();
        assert_eq!(reopen(dir.path()), (vec![], Recovery::default()));
    }
}
