//! Reading the journal: replaying it into a site, checking it, lines for a bundle, and verified copies.
//! Changes nothing.

use super::{FILE_NAME, JournalError, at, fact_text, schema};
use exam_protocol::{
    chain::{ChainCheck, FactText},
    ids::{Sha256, SiteId},
    time::{Now, SiteMs, WallMs},
};
use exam_room::{Fact, Scope, Site};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// One row, as it stands on disk.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number.
    pub seq: u64,
    /// Start of the server that wrote it.
    pub boot: u64,
    /// When.
    pub now: Now,
    /// Whom it concerns.
    pub scope: String,
    /// Its kind.
    pub kind: String,
    /// Its fields, JSON.
    pub body: String,
    /// Chain hash.
    pub hash: Sha256,
}

impl Row {
    /// The exact text that is hashed.
    pub fn text(&self) -> String {
        fact_text(self.seq, self.boot, self.now, &self.scope, &self.kind, &self.body)
    }

    /// The fact in it.
    ///
    /// # Errors
    /// Not a fact of this version.
    pub fn fact(&self) -> Result<Fact, JournalError> {
        Fact::read(&self.kind, &self.body).map_err(|source| JournalError::Fact { seq: self.seq, source })
    }
}

/// What a whole pass over the journal found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replayed {
    pub(super) facts: u64,
    pub(super) head: Sha256,
    pub(super) last: Now,
}

/// Rebuilds the site, checking every hash on the way.
pub(super) fn replay(connection: &Connection, path: &Path) -> Result<(Site, Replayed), JournalError> {
    let id = site_id(connection, path)?;
    let mut site = Site::new(id.clone());
    let replayed = walk(connection, path, &id, |row| {
        let fact = row.fact()?;
        if row.now.at < site.latest {
            return Err(JournalError::Damaged(format!("line {} is earlier than the one before", row.seq)));
        }
        site.apply(row.now, &fact);
        Ok(())
    })?;
    Ok((site, replayed))
}

fn site_id(connection: &Connection, path: &Path) -> Result<SiteId, JournalError> {
    let text: Option<String> =
        connection.query_row(schema::SELECT_SITE, [], |row| row.get(0)).optional().map_err(at(path))?;
    text.and_then(|id| id.parse().ok()).ok_or_else(|| JournalError::Foreign(path.to_owned()))
}

/// Walks all rows in order, checks the chain, and hands each row on.
fn walk(
    connection: &Connection,
    path: &Path,
    site: &SiteId,
    mut visit: impl FnMut(&Row) -> Result<(), JournalError>,
) -> Result<Replayed, JournalError> {
    let mut check = ChainCheck::new(site);
    let mut last = Now::default();
    let mut statement = connection.prepare(schema::SELECT_ALL).map_err(at(path))?;
    let mut rows = statement.query([]).map_err(at(path))?;
    while let Some(raw) = rows.next().map_err(at(path))? {
        let row = read_row(raw, check.facts() + 1).map_err(at(path))??;
        let body: &RawValue = serde_json::from_str(&row.body).map_err(|e| damaged(row.seq, &e.to_string()))?;
        if body.get() != row.body {
            return Err(damaged(row.seq, "blanks around the fact, which nobody wrote"));
        }
        let text = FactText {
            seq: row.seq,
            at: row.now.at,
            boot: row.boot,
            wall: row.now.wall,
            scope: &row.scope,
            kind: &row.kind,
            body,
        };
        check.fact(&text, &row.hash)?;
        last = row.now;
        visit(&row)?;
    }
    Ok(Replayed { facts: check.facts(), head: check.head(), last })
}

fn damaged(seq: u64, why: &str) -> JournalError {
    JournalError::Damaged(format!("line {seq}: {why}"))
}

/// Reads one row; a value of the wrong shape is damage at that line, not an error of SQLite.
fn read_row(raw: &rusqlite::Row<'_>, line: u64) -> rusqlite::Result<Result<Row, JournalError>> {
    let natural = |index: usize| -> rusqlite::Result<Option<u64>> { Ok(u64::try_from(raw.get::<_, i64>(index)?).ok()) };
    let hash = raw.get_ref(7)?.as_blob()?;
    let (Some(seq), Some(at_ms), Some(boot), Ok(hash)) =
        (natural(0)?, natural(1)?, natural(2)?, <[u8; 32]>::try_from(hash))
    else {
        return Ok(Err(damaged(line, "a number or hash has the wrong size")));
    };
    let now = Now { at: SiteMs(at_ms), wall: WallMs(raw.get(3)?) };
    Ok(Ok(Row {
        seq,
        boot,
        now,
        scope: raw.get(4)?,
        kind: raw.get(5)?,
        body: raw.get(6)?,
        hash: Sha256::from_bytes(hash),
    }))
}

/// A count of rows is never negative.
fn natural(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// A reading end beside the clerk's writing one: sees what is committed, disturbs nobody.
#[derive(Debug)]
pub struct JournalReader {
    connection: Connection,
    path: PathBuf,
    site: SiteId,
}

impl JournalReader {
    /// Opens the journal of a data folder for reading.
    ///
    /// # Errors
    /// There is none, or it is not ours.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(FILE_NAME);
        if !path.exists() {
            return Err(JournalError::Missing(path));
        }
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(at(&path))?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(at(&path))?;
        schema::check_file(&connection, &path)?;
        connection.pragma_update(None, "query_only", true).map_err(at(&path))?;
        let site = site_id(&connection, &path)?;
        Ok(Self { connection, path, site })
    }

    /// Whose journal it is.
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// Facts committed.
    ///
    /// # Errors
    /// The disk says no.
    pub fn facts(&self) -> Result<u64, JournalError> {
        self.connection.query_row(schema::COUNT, [], |row| row.get(0).map(natural)).map_err(at(&self.path))
    }

    /// Number of the last fact of a scope; none if nothing has happened in it.
    ///
    /// # Errors
    /// The disk says no.
    pub fn last_of(&self, scope: &Scope) -> Result<Option<u64>, JournalError> {
        self.connection
            .query_row(schema::SELECT_LAST_OF_SCOPE, [scope.to_string()], |row| row.get::<_, Option<i64>>(0))
            .map(|last| last.map(natural))
            .map_err(at(&self.path))
    }

    /// The hash of the fact with this number, if there is one; not checked against the chain.
    ///
    /// # Errors
    /// The disk says no.
    pub fn hash_at(&self, seq: u64) -> Result<Option<Vec<u8>>, JournalError> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.connection.query_row(schema::SELECT_HASH, [seq], |row| row.get(0)).optional().map_err(at(&self.path))
    }

    /// Walks rows 1 to `to` in order with every hash checked, inside one read transaction.
    ///
    /// # Errors
    /// Chain breaks, damage, or what `visit` says.
    pub fn each(&self, to: u64, mut visit: impl FnMut(&Row) -> Result<(), JournalError>) -> Result<(), JournalError> {
        walk(&self.connection, &self.path, &self.site, |row| if row.seq <= to { visit(row) } else { Ok(()) })
            .map(|_| ())
    }

    /// Checks SQLite's own structures and every hash.
    ///
    /// # Errors
    /// The first thing that is wrong, naming the place.
    pub fn verify(&self) -> Result<(u64, Sha256), JournalError> {
        let replayed = walk(&self.connection, &self.path, &self.site, |row| row.fact().map(|_| ()))?;
        let verdict: String =
            self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(at(&self.path))?;
        if verdict != "ok" {
            return Err(JournalError::Damaged(verdict));
        }
        Ok((replayed.facts, replayed.head))
    }
}

/// Checks the journal of a data folder.
///
/// # Errors
/// The first thing that is wrong, naming the place.
pub fn verify(dir: &Path) -> Result<(u64, Sha256), JournalError> {
    schema::check_library()?;
    JournalReader::open(dir)?.verify()
}

/// Writes a copy of the journal into `to` (one consistent moment, the clerk goes on writing) and checks the copy.
///
/// # Errors
/// The disk says no, or the copy does not check.
pub fn back_up(dir: &Path, to: &Path) -> Result<u64, JournalError> {
    let reader = JournalReader::open(dir)?;
    let copy = to.join(FILE_NAME);
    let name = copy.to_string_lossy().into_owned();
    reader.connection.pragma_update(None, "query_only", false).map_err(at(&reader.path))?;
    reader.connection.execute("VACUUM INTO ?1", [name]).map_err(at(&copy))?;
    let (facts, _) = verify(to)?;
    Ok(facts)
}
