//! The file under a seat's journal: the one place where the journal meets the disk, so that a rig can put another one there.
//! Never writes by itself.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
};

/// Where journal files are opened.
pub trait Files: fmt::Debug + Send + Sync {
    /// Opens a file for reading and writing, made if there is none, for its owner only.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>>;
}

/// What a journal asks of its file; as [`File`] does it.
pub trait JournalFile: Read + Write + Seek + fmt::Debug + Send {
    /// Claims the file for this process.
    ///
    /// # Errors
    /// Somebody else has it, or the system says no.
    fn try_lock(&self) -> Result<(), TryLockError>;

    /// Cuts the file, or makes it longer.
    ///
    /// # Errors
    /// The system's.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Returns when the bytes are on the disk.
    ///
    /// # Errors
    /// The system's; what became of the bytes is then unknown.
    fn sync_data(&self) -> io::Result<()>;

    /// Returns when bytes and length are on the disk.
    ///
    /// # Errors
    /// As [`sync_data`](Self::sync_data).
    fn sync_all(&self) -> io::Result<()>;
}

/// This machine's disk.
#[derive(Clone, Copy, Debug)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(path)?))
    }
}

impl JournalFile for File {
    fn try_lock(&self) -> Result<(), TryLockError> {
        File::try_lock(self)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        File::set_len(self, bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        File::sync_all(self)
    }
}
