//! The seat's own journal of one attempt (本机日志): an append-only file of sealed records, each durable before anybody hears
//! of it. Never holds a clear word of an answer or a paper, and never drops a damaged record in silence.
//!
//! ```text
//! file    = header | record*
//! header  = "EXAMSEAT" | format u16 | attempt u64 | file id, 16 random bytes          (little endian)
//! record  = len u32 | !len u32 | nonce 12 | ciphertext and tag, len - 12 bytes
//! sealed with header | number of the record u64 | site id, so that no record fits elsewhere
//! ```

mod file;
mod scan;

use crate::vault::{Nonces, Vault, random};
use exam_link::private_file;
use exam_protocol::{frame, ids::SiteId, message::candidate::AttemptId};
use exam_session::Record;
pub use file::{Files, JournalFile, SystemFiles};
pub use scan::Recovery;
use scan::{Scan, scan};
use std::{
    fs::{self, TryLockError},
    io::{self, Read, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Newest format this build reads and writes.
pub const JOURNAL_FORMAT: u16 = 1;
/// Largest sealed record: a full answer with room around it.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Largest journal that is read back.
pub const JOURNAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;
const MAGIC: &[u8; 8] = b"EXAMSEAT";
pub(crate) const HEADER_BYTES: usize = 8 + 2 + 8 + 16;
/// `len` and its complement: a damaged length is told apart from a torn tail.
pub(crate) const LEN_BYTES: usize = 4 + 4;
const _: () = assert!(frame::UP_FRAME_BYTES_MAX < RECORD_BYTES_MAX); // else an answer could be sent and not journalled

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system said no.
    #[error("the journal {file} cannot be read or written")]
    File {
        /// Its name.
        file: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Written by a newer program.
    #[error("the journal {file} has format {found}; this program reads up to {JOURNAL_FORMAT}: use a newer program")]
    NewerFormat {
        /// Its name.
        file: String,
        /// What it says.
        found: u16,
    },
    /// Another process has it open.
    #[error("the journal {file} is in use by another program")]
    InUse {
        /// Its name.
        file: String,
    },
}

/// Where a journal is, whose it is, and what opens it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The seat's journal folder.
    pub folder: PathBuf,
    /// Records of another site do not open.
    pub site: SiteId,
    /// Whose answers.
    pub attempt: AttemptId,
    /// The seat's key.
    pub vault: Arc<Vault>,
}

impl Place {
    fn file_name(&self) -> String {
        format!("attempt-{}.journal", self.attempt.0)
    }

    /// What a record is bound to.
    fn aad(&self, header: &[u8; HEADER_BYTES], number: u64) -> Vec<u8> {
        [header.as_slice(), &number.to_le_bytes(), self.site.as_str().as_bytes()].concat()
    }
}

/// The newest attempt with a journal in `folder`. The server counts attempts up.
pub fn newest(folder: &Path) -> Option<AttemptId> {
    let names = fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let numbers = names.filter_map(|name| name.strip_prefix("attempt-")?.strip_suffix(".journal")?.parse().ok());
    numbers.max().map(AttemptId)
}

/// How far the file is good.
#[derive(Clone, Copy, Debug)]
struct Mark {
    bytes: u64,
    records: u64,
}

/// An open journal. One process at a time.
#[derive(Debug)]
pub struct Journal {
    place: Place,
    file: Box<dyn JournalFile>,
    header: [u8; HEADER_BYTES],
    nonces: Nonces,
    written: Mark,
    durable: Mark,
    sync_due: bool,
}

impl Journal {
    /// Opens the journal, or begins it, and reads back what is in it. A torn tail is cut off, a damaged file is kept beside
    /// the new one under another name; the [`Recovery`] says so.
    ///
    /// # Errors
    /// [`JournalError`]; then nothing was changed.
    pub fn open(place: Place) -> Result<(Journal, Vec<Record>, Recovery), JournalError> {
        Self::open_on(&SystemFiles, place)
    }

    /// As [`open`](Self::open), on files of another disk.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_on(files: &dyn Files, place: Place) -> Result<(Journal, Vec<Record>, Recovery), JournalError> {
        let file = place.file_name();
        let failed = |source| JournalError::File { file: place.file_name(), source };
        private_file::private_folder(&place.folder).map_err(failed)?;
        let mut handle = files.open(&place.folder.join(&file)).map_err(failed)?;
        match handle.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { file }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let bytes = read_all(&mut *handle).map_err(failed)?;
        if let Some(found) = format_of(&bytes).filter(|found| *found > JOURNAL_FORMAT) {
            return Err(JournalError::NewerFormat { file, found });
        }
        let found = scan(&place, &bytes);
        Self::take_over(files, place, handle, found).map_err(|source| JournalError::File { file, source })
    }

    fn take_over(
        files: &dyn Files,
        place: Place,
        file: Box<dyn JournalFile>,
        found: Scan,
    ) -> io::Result<(Journal, Vec<Record>, Recovery)> {
        let Scan { header, records, good_bytes, recovery } = found;
        let Some(header) = header.filter(|_| !recovery.is_damaged()) else {
            let fresh = if recovery.is_damaged() { Self::set_aside(files, &place)? } else { file };
            let mut journal = Self::begin(place, fresh)?;
            journal.write(&records)?;
            journal.sync_due = true;
            journal.sync()?;
            return Ok((journal, records, recovery));
        };
        let mark = Mark { bytes: good_bytes, records: records.len() as u64 };
        let nonces = Nonces::fresh()?;
        let mut journal = Journal { place, file, header, nonces, written: mark, durable: mark, sync_due: false };
        if recovery.cut_bytes > 0 {
            journal.roll_back()?;
            journal.file.sync_all()?;
        }
        Ok((journal, records, recovery))
    }

    /// Gives the damaged file another name, as evidence, and makes room for a new one.
    fn set_aside(files: &dyn Files, place: &Place) -> io::Result<Box<dyn JournalFile>> {
        let path = place.folder.join(place.file_name());
        let aside = |n: u32| place.folder.join(format!("{}.damaged-{n}", place.file_name()));
        let free = (1..=1_000).map(aside).find(|aside| !aside.exists());
        fs::rename(&path, free.ok_or_else(|| io::Error::other("a thousand damaged journals: look at this disk"))?)?;
        let file = files.open(&path)?;
        file.try_lock()?;
        Ok(file)
    }

    fn begin(place: Place, mut file: Box<dyn JournalFile>) -> io::Result<Journal> {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(MAGIC);
        header[8..10].copy_from_slice(&JOURNAL_FORMAT.to_le_bytes());
        header[10..18].copy_from_slice(&place.attempt.0.to_le_bytes());
        header[18..].copy_from_slice(&random::<16>()?);
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)?;
        file.sync_all()?;
        private_file::sync_folder(&place.folder.join(place.file_name()))?;
        let mark = Mark { bytes: HEADER_BYTES as u64, records: 0 };
        let nonces = Nonces::fresh()?;
        Ok(Journal { place, file, header, nonces, written: mark, durable: mark, sync_due: false })
    }

    /// Writes records at the end. They count only after [`sync`](Self::sync).
    ///
    /// # Errors
    /// The system's; then the file is as it was at the last sync.
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        let written = self.seal(records).and_then(|bytes| {
            self.file.seek(SeekFrom::Start(self.written.bytes))?;
            self.file.write_all(&bytes)?;
            Ok(bytes.len() as u64)
        });
        match written {
            Ok(bytes) => {
                self.written.bytes += bytes;
                self.written.records += records.len() as u64;
                self.sync_due |= records.iter().any(Record::must_be_durable);
                Ok(())
            }
            Err(e) => Err(self.undo(e)),
        }
    }

    /// Makes everything written durable, if any of it has to be.
    ///
    /// # Errors
    /// The system's; then the file is as it was at the last sync: a disk that failed once to sync may have thrown the bytes
    /// away, so they are written again.
    pub fn sync(&mut self) -> io::Result<()> {
        if !self.sync_due {
            return Ok(());
        }
        match self.file.sync_data() {
            Ok(()) => {
                self.durable = self.written;
                self.sync_due = false;
                Ok(())
            }
            Err(e) => Err(self.undo(e)),
        }
    }

    /// Reads again what is in the file. Nothing is changed.
    ///
    /// # Errors
    /// The system's.
    pub fn read_again(&mut self) -> io::Result<Vec<Record>> {
        self.file.seek(SeekFrom::Start(0))?;
        let bytes = read_all(&mut *self.file)?;
        Ok(scan(&self.place, &bytes).records)
    }

    /// Records in the file.
    pub fn records(&self) -> u64 {
        self.written.records
    }

    fn seal(&self, records: &[Record]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (number, record) in (self.written.records + 1..).zip(records) {
            let aad = self.place.aad(&self.header, number);
            let sealed = self.place.vault.seal(&self.nonces, &aad, &frame::encode(record))?;
            let len = u32::try_from(sealed.len()).ok().filter(|_| sealed.len() <= RECORD_BYTES_MAX);
            let len = len.ok_or_else(|| io::Error::other("the record is too large"))?;
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(&(!len).to_le_bytes());
            bytes.extend_from_slice(&sealed);
        }
        Ok(bytes)
    }

    fn undo(&mut self, error: io::Error) -> io::Error {
        self.written = self.durable;
        self.sync_due = false;
        match self.roll_back() {
            Ok(()) => error,
            // What is left behind is cut off, or overwritten, by the next write.
            Err(_) => error,
        }
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.durable.bytes)
    }
}

fn read_all(file: &mut dyn JournalFile) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(JOURNAL_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > JOURNAL_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the journal is larger than 1 GiB"));
    }
    Ok(bytes)
}

fn format_of(bytes: &[u8]) -> Option<u16> {
    let rest = bytes.strip_prefix(MAGIC)?;
    Some(u16::from_le_bytes(*rest.first_chunk()?))
}

/// The header at the beginning of `bytes`, if it is one of this attempt.
fn header_of(place: &Place, bytes: &[u8]) -> Option<[u8; HEADER_BYTES]> {
    let header = *bytes.first_chunk::<HEADER_BYTES>()?;
    let ours = format_of(&header) == Some(JOURNAL_FORMAT) && header[10..18] == place.attempt.0.to_le_bytes();
    ours.then_some(header)
}
