//! The demo's folder: what lies where, and the mark that says it is ours to replace.
//! Never deletes a folder that does not carry the mark.

use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The file that marks a folder as left by an earlier demo.
const MARK: &str = ".kaodian-demo";

/// Everything one exam leaves behind, in one folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// A fresh folder at `root`. An earlier demo's folder is replaced, an empty one used.
    ///
    /// # Errors
    /// There is something else at `root`, or it cannot be written.
    pub fn fresh(root: &Path) -> Result<Self> {
        if root.is_dir() {
            let empty = fs::read_dir(root)?.next().is_none();
            if !empty && !root.join(MARK).is_file() {
                bail!("{} exists and was not left by a demo: name another folder with --out", root.display());
            }
            if !empty {
                fs::remove_dir_all(root).with_context(|| format!("{} cannot be replaced", root.display()))?;
            }
        }
        fs::create_dir_all(root).with_context(|| format!("{} cannot be made", root.display()))?;
        let folder = Self { root: root.canonicalize()? };
        fs::write(
            folder.root.join(MARK),
            "Left by cargo xtask demo, which replaces this folder when it runs again.\n",
        )?;
        for dir in [folder.package(), folder.bundle(), folder.logs()] {
            fs::create_dir_all(dir)?;
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// HQ's keys and the site's public files.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Spreadsheets as people have them.
    pub fn input(&self) -> PathBuf {
        self.root.join("input")
    }

    /// The sealed package and what HQ keeps beside it.
    pub fn package(&self) -> PathBuf {
        self.root.join("package")
    }

    /// The package file.
    pub fn package_file(&self) -> PathBuf {
        self.package().join("demo.exam")
    }

    /// The server's data folder.
    pub fn server(&self) -> PathBuf {
        self.root.join("server")
    }

    /// The seats' data folders.
    pub fn seats(&self) -> PathBuf {
        self.root.join("seats")
    }

    /// The spare machines' data folders.
    pub fn spares(&self) -> PathBuf {
        self.root.join("spares")
    }

    /// The signed, sealed result bundle.
    pub fn bundle(&self) -> PathBuf {
        self.root.join("bundle")
    }

    /// A second export of the same sitting.
    pub fn bundle_again(&self) -> PathBuf {
        self.root.join("bundle-again")
    }

    /// The bundle, opened by HQ.
    pub fn opened(&self) -> PathBuf {
        self.root.join("opened")
    }

    /// The result table.
    pub fn results(&self) -> PathBuf {
        self.root.join("results.xlsx")
    }

    /// Everything the programs said.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// One line for every answer a seat saw acknowledged.
    pub fn ack_log(&self) -> PathBuf {
        self.logs().join("acks.jsonl")
    }

    /// The same of the spare machines.
    pub fn ack_log_of_spares(&self) -> PathBuf {
        self.logs().join("acks-spares.jsonl")
    }

    /// Every command with what it said.
    pub fn command_log(&self) -> PathBuf {
        self.logs().join("commands.log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_s_folder_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.docx"), "years of work").unwrap();
        assert!(Folder::fresh(dir.path()).is_err());
        assert!(dir.path().join("thesis.docx").is_file());
    }

    #[test]
    fn an_earlier_demo_s_folder_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::fresh(dir.path()).unwrap();
        fs::write(folder.logs().join("old.log"), "").unwrap();
        let folder = Folder::fresh(dir.path()).unwrap();
        assert!(!folder.logs().join("old.log").exists());
    }
}
