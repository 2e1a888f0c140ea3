//! The journal: one SQLite file, append-only, every fact hash-chained (DESIGN §11). The only place with SQL.
//! Never forgets, never edits, and never says a fact is kept before the disk has it.

mod read;
mod schema;

pub use read::{JournalReader, Row, back_up, verify};

use exam_protocol::{
    chain::{ChainBreak, FactText, next_hash},
    ids::{Sha256, SiteId},
    time::Now,
};
use exam_room::{Fact, Site, fact::BadFact};
use rusqlite::{Connection, params};
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// File name in the data folder.
pub const FILE_NAME: &str = "journal.db";

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// SQLite or the disk says no.
    #[error("the journal {path} cannot be used")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// There is none.
    #[error("there is no journal at {0}: run `exam-server init` first")]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is already a journal at {0}")]
    Exists(PathBuf),
    /// Made by a newer server.
    #[error("the journal has format {found}, this server knows up to {known}: install the newer server")]
    Newer {
        /// Format of the file.
        found: i64,
        /// Newest known.
        known: i64,
    },
    /// Not a journal of ours.
    #[error("{0} is not a journal of an exam server")]
    Foreign(PathBuf),
    /// The SQLite library has a known defect.
    #[error("SQLite {0} has a known defect; 3.51.3 or newer is needed")]
    OldSqlite(String),
    /// SQLite's own structures are damaged.
    #[error("the journal file is damaged: {0}")]
    Damaged(String),
    /// The chain breaks.
    #[error(transparent)]
    Chain(#[from] ChainBreak),
    /// A row that is no fact.
    #[error("journal line {seq}")]
    Fact {
        /// Which row.
        seq: u64,
        /// Why.
        source: BadFact,
    },
}

/// The writing end. There is one in the whole system, and the clerk owns it.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    boot: u64,
    seq: u64,
    head: Sha256,
}

impl Journal {
    /// Makes an empty journal.
    ///
    /// # Errors
    /// One exists already, or the disk says no.
    pub fn create(dir: &Path, site: &SiteId) -> Result<(), JournalError> {
        let path = dir.join(FILE_NAME);
        if path.exists() {
            return Err(JournalError::Exists(path));
        }
        let connection = Connection::open(&path).map_err(at(&path))?;
        schema::configure(&connection).map_err(at(&path))?;
        schema::create(&connection, site).map_err(at(&path))
    }

    /// Opens the journal, checks it hash by hash, and rebuilds the site from it.
    ///
    /// # Errors
    /// Anything that would make the rebuilt site doubtful.
    pub fn open(dir: &Path) -> Result<(Self, Site, Now), JournalError> {
        let path = dir.join(FILE_NAME);
        if !path.exists() {
            return Err(JournalError::Missing(path));
        }
        let connection = Connection::open(&path).map_err(at(&path))?;
        schema::check_library()?;
        schema::check_file(&connection, &path)?;
        schema::configure(&connection).map_err(at(&path))?;
        schema::migrate(&connection).map_err(at(&path))?;
        let (site, replayed) = read::replay(&connection, &path)?;
        let boot = site.server_starts + 1;
        let journal = Self { connection, path, boot, seq: replayed.facts, head: replayed.head };
        Ok((journal, site, replayed.last))
    }

    /// Reads everything anew: after a failed commit memory may be ahead of the disk.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn rebuild(&mut self) -> Result<Site, JournalError> {
        let (site, replayed) = read::replay(&self.connection, &self.path)?;
        (self.seq, self.head) = (replayed.facts, replayed.head);
        Ok(site)
    }

    /// Appends facts in one transaction; when this returns they are on disk.
    ///
    /// # Errors
    /// Nothing of them is kept: the caller rebuilds its memory.
    pub fn append(&mut self, facts: &[(Now, Fact)]) -> Result<(), JournalError> {
        let (mut seq, mut head) = (self.seq, self.head);
        let transaction = self.connection.transaction().map_err(at(&self.path))?;
        {
            let mut insert = transaction.prepare_cached(schema::INSERT).map_err(at(&self.path))?;
            for (now, fact) in facts {
                seq += 1;
                let (scope, body) = (fact.scope().to_string(), fact.body());
                let text = fact_text(seq, self.boot, *now, &scope, fact.kind(), &body);
                head = next_hash(&head, &Sha256::of(text.as_bytes()));
                insert
                    .execute(params![
                        signed(seq),
                        signed(now.at.0),
                        signed(self.boot),
                        now.wall.0,
                        scope,
                        fact.kind(),
                        body,
                        head.as_bytes()
                    ])
                    .map_err(at(&self.path))?;
            }
        }
        transaction.commit().map_err(at(&self.path))?;
        (self.seq, self.head) = (seq, head);
        Ok(())
    }

    /// Facts kept.
    pub fn facts(&self) -> u64 {
        self.seq
    }

    /// Number of this start of the server; facts carry it.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// Folds the write-ahead log into the file: the last act of a clean shutdown.
    ///
    /// # Errors
    /// The disk says no; nothing is lost, the next start folds it.
    pub fn close(self) -> Result<(), JournalError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(at(&self.path))?;
        self.connection.close().map_err(|(_, source)| JournalError::Sqlite { path: self.path, source })
    }
}

/// SQLite counts to 2⁶³: milliseconds and facts stay far below for longer than the site stands.
fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("counts and milliseconds stay below 2^63")
}

/// The exact text of a fact that goes into the chain.
fn fact_text(seq: u64, boot: u64, now: Now, scope: &str, kind: &str, body: &str) -> String {
    let body: &RawValue = serde_json::from_str(body).expect("our own facts are JSON");
    FactText { seq, at: now.at, boot, wall: now.wall, scope, kind, body }.text()
}

fn at(path: &Path) -> impl Fn(rusqlite::Error) -> JournalError + '_ {
    move |source| JournalError::Sqlite { path: path.to_owned(), source }
}
