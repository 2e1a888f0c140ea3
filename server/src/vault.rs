//! The data folder: where everything of a site lies, and how a file gets there whole or not at all.
//! Never holds a question in the clear.

use crate::journal;
use anyhow::Context;
use exam_link::private_file;
use exam_protocol::ids::Sha256;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// A data folder. Layout: `journal.db`, `keys/`, `admin/`, `papers/`, `wrapped/`, `photos/`, `bundles/`, `uploads/`,
/// `attachments/`, `mock-keys/`, `logs/`, `run/`, `site-public.json`.
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
    /// Uploads by the administrator and by consoles, until they are taken in.
    Uploads,
    /// Files attached to incidents, sealed under the site's at-rest key and named by what is inside: never served.
    Attachments,
    /// Sealed answer keys of mock papers: never served.
    MockKeys,
}

impl Shelf {
    const ALL: [Shelf; 7] = [
        Shelf::Papers,
        Shelf::Wrapped,
        Shelf::Photos,
        Shelf::Bundles,
        Shelf::Uploads,
        Shelf::Attachments,
        Shelf::MockKeys,
    ];

    fn folder(self) -> &'static str {
        match self {
            Shelf::Papers => "papers",
            Shelf::Wrapped => "wrapped",
            Shelf::Photos => "photos",
            Shelf::Bundles => "bundles",
            Shelf::Uploads => "uploads",
            Shelf::Attachments => "attachments",
            Shelf::MockKeys => "mock-keys",
        }
    }
}

/// Why a folder is not worked in.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No site was ever made there: a misspelt path is the usual reason.
    #[error("{0} is no data folder of a site: check --data, or make a site with `exam-server init`")]
    NoSite(PathBuf),
    /// A data folder is its owner's alone.
    #[error("this account may not look into {0}: use the account that ran `exam-server init`")]
    Forbidden(PathBuf),
    /// One process at a time.
    #[error("another exam-server uses the data folder {0}: stop it first, or use another folder")]
    InUse(PathBuf),
    /// Something is there already.
    #[error("{0} is not empty: nothing is ever overwritten; choose an empty folder")]
    NotEmpty(PathBuf),
    /// The folder one stands in cannot be replaced by a finished one.
    #[error("{0} is the folder this command was started in: start it from another one")]
    Here(PathBuf),
}

/// Whether nothing lies at `dir`, or an empty folder.
///
/// # Errors
/// It is a file, or cannot be looked into.
pub fn is_free(dir: &Path) -> anyhow::Result<bool> {
    if !dir.exists() {
        return Ok(true);
    }
    Ok(fs::read_dir(dir).with_context(|| format!("looking into {}", dir.display()))?.next().is_none())
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

    /// Refuses a folder in which no site was made, before anything is made there by mistake.
    ///
    /// # Errors
    /// [`VaultError::NoSite`], [`VaultError::Forbidden`].
    pub fn require_site(&self) -> Result<(), VaultError> {
        for file in [self.site_public(), self.dir.join(journal::FILE_NAME)] {
            match fs::metadata(file) {
                Ok(there) if there.is_file() => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(VaultError::Forbidden(self.dir.clone()));
                }
                Ok(_) | Err(_) => {}
            }
        }
        Err(VaultError::NoSite(self.dir.clone()))
    }

    /// Makes the folders.
    ///
    /// # Errors
    /// The disk says no.
    pub fn create_folders(&self) -> io::Result<()> {
        for shelf in Shelf::ALL {
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
    /// No site is there, another process has it, or the disk says no.
    pub fn claim(&self) -> anyhow::Result<File> {
        self.require_site()?;
        let claiming = || format!("claiming the data folder {}", self.dir.display());
        fs::create_dir_all(self.dir.join("run")).with_context(claiming)?;
        let lock = File::create(self.dir.join("run").join("lock")).with_context(claiming)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(VaultError::InUse(self.dir.clone()).into()),
            Err(TryLockError::Error(error)) => Err(error).with_context(claiming),
        }
    }

    /// Copies everything a server needs to go on elsewhere into an empty folder, and checks the copy (P14). The journal
    /// is copied first and from one consistent moment: a fact comes after the blobs it names, so all of them are there.
    ///
    /// # Errors
    /// The folder is not empty, the disk says no, or the copy does not check; then nothing is left of it.
    pub fn back_up(&self, to: &Path) -> anyhow::Result<(u64, u64)> {
        if !is_free(to)? {
            return Err(VaultError::NotEmpty(to.to_owned()).into());
        }
        let was_there = to.exists();
        self.copy_all(to).inspect_err(|_| {
            let _ = fs::remove_dir_all(to); // half a backup looks like one; the first error is the one to tell
            if was_there {
                let _ = fs::create_dir(to);
            }
        })
    }

    fn copy_all(&self, to: &Path) -> anyhow::Result<(u64, u64)> {
        private_file::private_folder(to).with_context(|| format!("making {}", to.display()))?;
        let facts = journal::back_up(&self.dir, to)?;
        let copied = to.join(journal::FILE_NAME);
        let mut bytes = fs::metadata(&copied)?.len();
        sync(&copied)?;
        private_file::sync_folder(&copied)?;
        for folder in kept_folders() {
            private_file::private_folder(&to.join(folder))?;
        }
        for file in self.kept_files()? {
            bytes +=
                copy(&self.dir.join(&file), &to.join(&file)).with_context(|| format!("copying {}", file.display()))?;
        }
        Ok((facts, bytes))
    }

    /// Everything beside the journal that a server needs to go on elsewhere, relative to the data folder.
    ///
    /// # Errors
    /// A folder cannot be looked into.
    pub fn kept_files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in kept_folders() {
            let entries = match fs::read_dir(self.dir.join(folder)) {
                Ok(entries) => entries,
                // A standing backup has only the folders that hold something.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    files.push(Path::new(folder).join(entry.file_name()));
                }
            }
        }
        files.extend([crate::site::PUBLIC_FILE, crate::site::MINISIGN_PUBLIC_FILE].map(PathBuf::from));
        Ok(files)
    }
}

/// Folders of a backup: not logs, not `run`, not what is only on its way in.
fn kept_folders() -> impl Iterator<Item = &'static str> {
    let shelves = Shelf::ALL.into_iter().filter(|shelf| *shelf != Shelf::Uploads).map(Shelf::folder);
    [crate::site::KEYS_FOLDER, crate::site::ADMIN_FOLDER].into_iter().chain(shelves)
}

/// A copy that survives a power cut.
fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    let bytes = fs::copy(from, to)?;
    sync(to)?;
    Ok(bytes)
}

/// Windows flushes only what is open for writing.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_site_is_neither_claimed_nor_touched() {
        let dir = tempfile::tempdir().unwrap();
        let misspelt = dir.path().join("misspelt");
        let error = Vault::new(&misspelt).claim().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(VaultError::NoSite(_))), "{error}");
        assert!(!misspelt.exists(), "nothing may be made by a misspelt path");
    }

    #[test]
    fn one_process_claims_a_site_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(dir.path().join("site"));
        crate::init::init(vault.dir(), "考点", None).unwrap();
        let lock = vault.claim().unwrap();
        let error = vault.claim().unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(VaultError::InUse(_))), "{error}");
        drop(lock);
        vault.claim().unwrap();
    }

    #[test]
    fn a_backup_that_fails_leaves_nothing_and_one_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(dir.path().join("site"));
        crate::init::init(vault.dir(), "考点", None).unwrap();
        let to = dir.path().join("copy");
        let journal = vault.dir().join(journal::FILE_NAME);
        fs::rename(&journal, dir.path().join("away")).unwrap();
        vault.back_up(&to).unwrap_err();
        assert!(!to.exists(), "half a backup looks like one");
        fs::rename(dir.path().join("away"), &journal).unwrap();
        vault.back_up(&to).unwrap();
        let error = vault.back_up(&to).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(VaultError::NotEmpty(_))), "{error}");
    }
}
