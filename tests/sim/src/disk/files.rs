//! Seats' journal files on the simulated disk.

use super::{Disk, Handle, Taken};
use exam_seat::journal::{Files, JournalFile, SystemFiles};
use std::{
    fs::TryLockError,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// A seat's disk.
#[derive(Clone, Debug)]
pub struct SimFiles(pub Disk);

#[derive(Debug)]
struct SimFile {
    file: Box<dyn JournalFile>,
    at: u64,
    handle: Handle,
}

impl Files for SimFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        let handle = Handle::open(&self.0, path);
        if !handle.is_alive() {
            return Err(dead());
        }
        Ok(Box::new(SimFile { file: SystemFiles.open(path)?, at: 0, handle }))
    }
}

fn dead() -> io::Error {
    io::Error::other("the machine is off")
}

fn ready(taken: Taken) -> io::Result<()> {
    match taken {
        Taken::Yes => Ok(()),
        Taken::Full => Err(io::ErrorKind::StorageFull.into()),
        Taken::Dead => Err(dead()),
    }
}

impl Read for SimFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.handle.is_alive() {
            return Err(dead());
        }
        let read = self.file.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Write for SimFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        ready(self.handle.write(self.at, bytes))?;
        self.file.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for SimFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

impl JournalFile for SimFile {
    fn try_lock(&self) -> Result<(), TryLockError> {
        self.file.try_lock()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        ready(self.handle.set_len(bytes))?;
        self.file.set_len(bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        ready(self.handle.sync())
    }

    fn sync_all(&self) -> io::Result<()> {
        ready(self.handle.sync())
    }
}
