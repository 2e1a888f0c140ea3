//! The journal's tables and how the file must be set up. Migrations only add; a newer file is refused in words.

use super::JournalError;
use exam_protocol::ids::SiteId;
use rusqlite::{Connection, params};
use std::path::Path;

/// Newest format this server reads and writes (`user_version`).
pub(super) const FORMAT: i64 = 1;
/// Marks the file as ours: "EXJL".
pub(super) const APPLICATION_ID: i64 = 0x4558_4a4c;
/// First SQLite without the WAL-reset corruption bug: 3.51.3.
const SQLITE_MIN: i32 = 3_051_003;

pub(super) const INSERT: &str =
    "INSERT INTO fact (seq, at, boot, wall, scope, kind, body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
pub(super) const SELECT_ALL: &str = "SELECT seq, at, boot, wall, scope, kind, body, hash FROM fact ORDER BY seq";
pub(super) const SELECT_LAST_OF_SCOPE: &str = "SELECT max(seq) FROM fact WHERE scope = ?1";
pub(super) const SELECT_HASH: &str = "SELECT hash FROM fact WHERE seq = ?1";
pub(super) const COUNT: &str = "SELECT coalesce(max(seq), 0) FROM fact";
pub(super) const SELECT_SITE: &str = "SELECT value FROM meta WHERE key = 'site'";

const CREATE: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE fact (
    seq   INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    boot  INTEGER NOT NULL,
    wall  INTEGER NOT NULL,
    scope TEXT    NOT NULL,
    kind  TEXT    NOT NULL,
    body  TEXT    NOT NULL,
    hash  BLOB    NOT NULL
) STRICT;
CREATE TRIGGER fact_is_never_changed BEFORE UPDATE ON fact BEGIN SELECT raise(ABORT, 'facts are never changed'); END;
CREATE TRIGGER fact_is_never_deleted BEFORE DELETE ON fact BEGIN SELECT raise(ABORT, 'facts are never deleted'); END;
";

/// WAL + FULL is the only fast mode that lost nothing in power cuts; a memory map would show torn pages.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(())
}

pub(super) fn create(connection: &Connection, site: &SiteId) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN; {CREATE} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
    ))?;
    connection.execute("INSERT INTO meta (key, value) VALUES ('site', ?1)", params![site.as_str()])?;
    Ok(())
}

pub(super) fn check_library() -> Result<(), JournalError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(JournalError::OldSqlite(rusqlite::version().to_owned()));
    }
    Ok(())
}

pub(super) fn check_file(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let pragma = |name: &str| -> Result<i64, JournalError> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(super::at(path))
    };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(JournalError::Foreign(path.to_owned()));
    }
    match pragma("user_version")? {
        found if found > FORMAT => Err(JournalError::Newer { found, known: FORMAT }),
        _ => Ok(()),
    }
}

/// Brings an older file up to [`FORMAT`], step by step. There is no older format yet, so there are no steps.
pub(super) fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    const STEPS: &[&str] = &[];
    let from: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (index, step) in STEPS.iter().enumerate().skip(usize::try_from(from - 1).unwrap_or(0)) {
        connection.execute_batch(&format!("BEGIN; {step} PRAGMA user_version = {}; COMMIT;", index + 2))?;
    }
    Ok(())
}
