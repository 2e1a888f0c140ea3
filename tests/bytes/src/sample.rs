//! Valid bytes of every kind, made by our own programs' code. Invented people only.

#![allow(clippy::unwrap_used, reason = "a sample that cannot be made stops the test")]

#[path = "../../../protocol/sealed/tests/sample/mod.rs"]
pub(crate) mod exam;

use exam_link::MachineKey;
use exam_protocol::{
    answer::Answer,
    chain,
    code::SeatState,
    ids::SiteId,
    message::candidate::{AttemptId, SeatView},
    time::{Now, SiteMs},
};
use exam_seat::{
    journal::{Files, Journal, JournalFile, Place},
    vault::Vault,
};
use exam_session::{BootId, Record, SeatMs};
use std::{
    fs::{self, TryLockError},
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// The frozen frames whose names begin with `direction`.
pub(crate) fn frames(direction: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol/vectors/v1");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let ours = |path: &&std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(direction);
    let read = |path: &std::path::PathBuf| {
        let text: String = fs::read_to_string(path).unwrap().split_whitespace().collect();
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    };
    files.iter().filter(ours).map(read).collect()
}

/// A journal file that is nowhere but in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Memory {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(Cursor::new(bytes.to_vec()))))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Cursor<Vec<u8>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Files for Memory {
    fn open(&self, _: &Path) -> io::Result<Box<dyn JournalFile>> {
        self.with(|file| file.set_position(0));
        Ok(Box::new(self.clone()))
    }
}

impl Read for Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.with(|file| file.read(into))
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.with(|file| file.seek(to))
    }
}

impl JournalFile for Memory {
    fn try_lock(&self) -> Result<(), TryLockError> {
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.with(|file| file.get_mut().resize(usize::try_from(bytes).unwrap_or(0), 0));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the seat's journals of the tests belong: its folder holds the key and nothing else.
pub(crate) fn place(folder: &Path) -> Place {
    let vault = Arc::new(Vault::load_or_create(folder).unwrap());
    Place { folder: folder.to_owned(), site: "s1".parse().unwrap(), attempt: AttemptId(3), vault }
}

/// What a seat writes down.
pub(crate) fn records() -> Vec<Record> {
    let item = || "q1".parse().unwrap();
    let answered = |number: u32| Record::Answered {
        item: item(),
        number,
        answer: Answer::Text(format!("第{number}版")),
        made_at: SiteMs(u64::from(number)),
    };
    let view = SeatView {
        now: Now::default(),
        station: "st-1".parse().unwrap(),
        seat: None,
        room_name: "第一考场".into(),
        state: SeatState::Waiting,
        sitting: None,
        candidate: None,
        attempt: None,
        prefetch: Vec::new(),
    };
    let seen = Record::Seen { view, site: SiteMs(5), seat: SeatMs(5), boot: BootId(1) };
    vec![answered(1), Record::Acked { item: item(), number: 1 }, answered(2), seen]
}

/// A seat's journal with those records.
pub(crate) fn seat_journal(place: &Place) -> Vec<u8> {
    let files = Memory::default();
    let (mut journal, ..) = Journal::open_on(&files, place.clone()).unwrap();
    journal.write(&records()).unwrap();
    journal.sync().unwrap();
    drop(journal);
    files.with(|file| file.get_ref().clone())
}

/// Lines of a bundle's journal.
pub(crate) fn chain_lines(site: &SiteId) -> Vec<u8> {
    let _ = chain::genesis(site);
    exam::journal(site, &exam::facts()).into_bytes()
}

/// What an enrolling machine sends as its key.
pub(crate) fn machine_key() -> Vec<u8> {
    MachineKey::generate().unwrap().public_der().to_vec()
}

/// A server's journal that nothing has happened in but its founding.
pub(crate) fn server_journal(folder: &Path) -> Vec<u8> {
    exam_server::init::init(folder, "样例考点", None).unwrap();
    fs::read(folder.join(exam_server::journal::FILE_NAME)).unwrap()
}
