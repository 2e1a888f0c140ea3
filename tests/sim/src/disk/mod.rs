//! The simulated disk: real files for reading, and beside each an image of what a power cut would leave. What was written
//! and not synced is lost, or partly lost, as the dice say. Never loses what was synced, unless it is told to lie.

mod files;
mod vfs;

pub use files::SimFiles;
pub use vfs::install;

use crate::{dice::Dice, power::Power};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Smallest piece a disk writes whole, bytes.
const SECTOR_BYTES: usize = 512;

/// A change that is not synced.
#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { at, bytes } => {
                if content.len() < at + bytes.len() {
                    content.resize(at + bytes.len(), 0);
                }
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Length(length) => content.resize(*length, 0),
        }
    }
}

/// What a file would be after a power cut.
#[derive(Debug, Default)]
struct Image {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

impl Image {
    fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable);
        }
    }

    /// What is left: the synced bytes, and of the rest what the dice let through.
    fn after_cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.durable.clone();
        match dice.below(4) {
            0 => {} // nothing had left the cache
            1 => {
                let kept = dice.below(self.pending.len() as u64 + 1) as usize;
                self.pending[..kept].iter().for_each(|change| change.apply(&mut content));
            }
            _ => self.pending.iter().for_each(|change| torn(change, dice, &mut content)),
        }
        content
    }
}

/// Some sectors of a change arrive, in any order.
fn torn(change: &Change, dice: &mut Dice, content: &mut Vec<u8>) {
    match change {
        Change::Length(_) => {
            if dice.chance(500) {
                change.apply(content);
            }
        }
        Change::Write { at, bytes } => {
            let mut from = 0;
            while from < bytes.len() {
                let to = (SECTOR_BYTES - (at + from) % SECTOR_BYTES + from).min(bytes.len());
                if dice.chance(500) {
                    Change::Write { at: at + from, bytes: bytes[from..to].to_vec() }.apply(content);
                }
                from = to;
            }
        }
    }
}

/// One machine's disk.
#[derive(Clone, Debug)]
pub struct Disk {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    power: Power,
    images: BTreeMap<PathBuf, Image>,
    /// A disk that says it has synced and has not: the planted fault.
    lies: bool,
    /// Files open now.
    open: usize,
}

/// What a disk says to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Yes,
    Full,
    /// The process is dead: nothing it does reaches the disk.
    Dead,
}

impl Disk {
    /// The disk whose files are in `folder`. All that is there now is durable.
    pub fn new(folder: &Path) -> Self {
        let inner =
            Inner { folder: folder.to_owned(), power: Power::default(), images: BTreeMap::new(), lies: false, open: 0 };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// From now on files are opened by the process of `power`.
    pub fn used_by(&self, power: Power) {
        self.lock().power = power;
    }

    /// A disk that lies about syncing, for negative controls.
    pub fn lie(&self) {
        self.lock().lies = true;
    }

    /// Files open now.
    pub fn open_files(&self) -> usize {
        self.lock().open
    }

    /// The machine lost its power: files become what had reached the disk. No file may be open any more.
    ///
    /// # Errors
    /// The system's.
    pub fn cut(&self, dice: &mut Dice) -> io::Result<()> {
        let mut inner = self.lock();
        assert_eq!(inner.open, 0, "a file that is open would be written on");
        for (path, image) in &mut inner.images {
            let content = image.after_cut(dice);
            if path.exists() || !content.is_empty() {
                fs::write(path, &content)?;
            }
            *image = Image { durable: content, pending: Vec::new() };
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open file, as the image knows it.
#[derive(Debug)]
struct Handle {
    disk: Disk,
    power: Power,
    path: PathBuf,
}

impl Handle {
    fn open(disk: &Disk, path: &Path) -> Handle {
        let mut inner = disk.lock();
        inner.open += 1;
        let durable = || Image { durable: fs::read(path).unwrap_or_default(), pending: Vec::new() };
        inner.images.entry(path.to_owned()).or_insert_with(durable);
        Handle { disk: disk.clone(), power: inner.power.clone(), path: path.to_owned() }
    }

    fn is_alive(&self) -> bool {
        self.power.is_on()
    }

    fn write(&self, at: u64, bytes: &[u8]) -> Taken {
        self.change(Change::Write { at: at as usize, bytes: bytes.to_vec() })
    }

    fn set_len(&self, length: u64) -> Taken {
        self.change(Change::Length(length as usize))
    }

    fn change(&self, change: Change) -> Taken {
        if !self.power.operate() {
            return Taken::Dead;
        }
        let grows = matches!(change, Change::Write { .. });
        if grows && self.power.is_full() {
            return Taken::Full;
        }
        let mut inner = self.disk.lock();
        if let Some(image) = inner.images.get_mut(&self.path) {
            image.pending.push(change);
        }
        Taken::Yes
    }

    fn sync(&self) -> Taken {
        if !self.power.operate() {
            return Taken::Dead;
        }
        if self.power.is_full() {
            return Taken::Full;
        }
        let mut inner = self.disk.lock();
        if !inner.lies
            && let Some(image) = inner.images.get_mut(&self.path)
        {
            image.sync();
        }
        Taken::Yes
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.disk.lock().open -= 1;
    }
}

/// The disk a path lies on, among those that are simulated.
static DISKS: Mutex<Vec<(PathBuf, Disk)>> = Mutex::new(Vec::new());

/// From now on SQLite's files in the folder of `disk` are on it. Forgotten when the mount is dropped.
pub fn mount(disk: &Disk) -> Mount {
    let folder = disk.lock().folder.clone();
    disks().push((folder.clone(), disk.clone()));
    Mount(folder)
}

/// See [`mount`].
#[derive(Debug)]
pub struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        disks().retain(|(folder, _)| *folder != self.0);
    }
}

fn disks() -> MutexGuard<'static, Vec<(PathBuf, Disk)>> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn disk_of(path: &Path) -> Option<Disk> {
    disks().iter().find(|(folder, _)| path.starts_with(folder)).map(|(_, disk)| disk.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_survives_every_cut_and_what_was_not_never_survives_all_of_them() {
        let mut lost = 0;
        for seed in 0..50 {
            let mut image = Image::default();
            image.pending.push(Change::Write { at: 0, bytes: vec![1; 2_000] });
            image.sync();
            image.pending.push(Change::Write { at: 2_000, bytes: vec![2; 2_000] });
            let left = image.after_cut(&mut Dice::new(seed));
            assert!(left.len() >= 2_000 && left[..2_000].iter().all(|byte| *byte == 1));
            lost += usize::from(left.len() < 4_000 || left[2_000..].contains(&0));
        }
        assert!(lost > 10, "unsynced bytes were lost in {lost} of 50 cuts");
    }
}
