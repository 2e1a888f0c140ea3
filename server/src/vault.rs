//! The data folder: where everything of a site lies, and how a file gets there whole or not at all.
//! Never holds a question in the clear.

use crate::journal;
use anyhow::{Context, ensure};
use exam_link::private_file;
use exam_protocol::ids::Sha256;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// A data folder. Layout: `journal.db`, `keys/`, `admin/`, `papers/`, `wrapped/`, `photos/`, `bundles/`, `uploads/`,
/// `logs/`, `run/`, `site-public.json`.
#[derive(Clone, Debug)]
pub struct Vault {
    dir: PathBuf,
}

/// Kinds of blobs, each in a folder of its own: what a seat may fetch lies apart from what it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Sealed papers: any enrolled machine may fetch them.
    Papers,
    /// Wrapped paper keys: never served.
    Wrapped,
    /// Sealed photos.
    Photos,
    /// Sealed bundles: consoles may fetch them.
    Bundles,
    /// Uploads by the administrator.
    Uploads,
}

impl Shelf {
    fn folder(self) -> &'static str {
        match self {
            Shelf::Papers => "papers",
            Shelf::Wrapped => "wrapped",
            Shelf::Photos => "photos",
            Shelf::Bundles => "bundles",
            Shelf::Uploads => "uploads",
        }
    }
}

impl Vault {
    /// A data folder that may not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the folders.
    ///
    /// # Errors
    /// The disk says no.
    pub fn create_folders(&self) -> io::Result<()> {
        for shelf in [Shelf::Papers, Shelf::Wrapped, Shelf::Photos, Shelf::Bundles, Shelf::Uploads] {
            fs::create_dir_all(self.dir.join(shelf.folder()))?;
        }
        fs::create_dir_all(self.logs())?;
        fs::create_dir_all(self.dir.join("run"))
    }

    /// Folder of the logs.
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// Folder of a shelf.
    pub fn shelf(&self, shelf: Shelf) -> PathBuf {
        self.dir.join(shelf.folder())
    }

    /// File that says where the running server listens.
    pub fn address_file(&self) -> PathBuf {
        self.dir.join("run").join("address")
    }

    /// Folder with the administrator's own identity.
    pub fn admin(&self) -> PathBuf {
        self.dir.join(crate::site::ADMIN_FOLDER)
    }

    /// The site's public file.
    pub fn site_public(&self) -> PathBuf {
        self.dir.join(crate::site::PUBLIC_FILE)
    }

    /// Path of a blob, whether it is there or not.
    pub fn blob(&self, shelf: Shelf, hash: &Sha256) -> PathBuf {
        self.shelf(shelf).join(hash.hex())
    }

    /// Keeps bytes under their hash, durable when this returns.
    ///
    /// # Errors
    /// The disk says no.
    pub fn keep(&self, shelf: Shelf, bytes: &[u8]) -> io::Result<Sha256> {
        let hash = Sha256::of(bytes);
        let path = self.blob(shelf, &hash);
        if fs::read(&path).is_ok_and(|there| Sha256::of(&there) == hash) {
            return Ok(hash);
        }
        private_file::write_whole(&path, bytes)?;
        Ok(hash)
    }

    /// Reads a blob and checks it against its name.
    ///
    /// # Errors
    /// It is not there, or it is damaged.
    pub fn blob_bytes(&self, shelf: Shelf, hash: &Sha256) -> io::Result<Vec<u8>> {
        let bytes = fs::read(self.blob(shelf, hash))?;
        if Sha256::of(&bytes) != *hash {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} {hash} is damaged", shelf.folder())));
        }
        Ok(bytes)
    }

    /// Claims the folder for one running process; given back when the lock is dropped or the process dies.
    ///
    /// # Errors
    /// Another process has it.
    pub fn claim(&self) -> io::Result<File> {
        fs::create_dir_all(self.dir.join("run"))?;
        let lock = File::create(self.dir.join("run").join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(_) => Err(io::Error::new(io::ErrorKind::ResourceBusy, "another exam-server uses this data folder")),
        }
    }

    /// Copies everything a server needs to go on elsewhere into an empty folder, and checks the copy (P14). The journal
    /// is copied last and from one consistent moment, so that every blob it names is there.
    ///
    /// # Errors
    /// The folder is not empty, the disk says no, or the copy does not check.
    pub fn back_up(&self, to: &Path) -> anyhow::Result<(u64, u64)> {
        let empty = !to.exists() || fs::read_dir(to)?.next().is_none();
        ensure!(empty, "{} is not empty: a backup never overwrites anything", to.display());
        private_file::private_folder(to)?;
        let mut bytes = 0;
        for folder in [crate::site::KEYS_FOLDER, crate::site::ADMIN_FOLDER, "papers", "wrapped", "photos", "bundles"] {
            bytes +=
                copy_folder(&self.dir.join(folder), &to.join(folder)).with_context(|| format!("copying {folder}"))?;
        }
        for file in [crate::site::PUBLIC_FILE, crate::site::MINISIGN_PUBLIC_FILE] {
            bytes += fs::copy(self.dir.join(file), to.join(file)).with_context(|| format!("copying {file}"))?;
        }
        let facts = journal::back_up(&self.dir, to)?;
        bytes += fs::metadata(to.join(journal::FILE_NAME))?.len();
        File::open(to.join(journal::FILE_NAME))?.sync_all()?;
        Ok((facts, bytes))
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<u64> {
    private_file::private_folder(to)?;
    let mut bytes = 0;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            bytes += fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(bytes)
}
