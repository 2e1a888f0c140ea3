//! The journal on a real disk: what is appended comes back, what is changed is refused, what cannot be written is not
//! acknowledged.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use exam_protocol::{
    ids::{Sha256, SiteId},
    time::{Now, SiteMs, WallMs},
};
use exam_room::{
    Ask, Fact, Reply, Site, Tell,
    rules::{
        enrolment::IssueCode,
        founding::{ClockAnchor, Found, NoteServer, ServerEvent},
    },
};
use exam_server::{
    clerk::{Clerk, No},
    clock::SiteClock,
    error_text,
    journal::{self, FILE_NAME, Journal, JournalError},
};
use rusqlite::Connection;
use std::path::Path;

fn site_id() -> SiteId {
    "site-test".parse().unwrap()
}

fn found() -> Found {
    Found {
        name: "示范考点".to_owned(),
        admin: "admin-1".parse().unwrap(),
        certificate: Sha256::of(b"a"),
        hq_minisign: None,
    }
}

fn code(n: u32) -> IssueCode {
    let role = exam_protocol::message::hello::Role::Station;
    IssueCode { tag: Sha256::of(&n.to_le_bytes()), role, uses: 1, valid_until: SiteMs(u64::MAX / 2) }
}

fn started() -> NoteServer {
    let anchor = ClockAnchor { machine: "m".to_owned(), offset_ms: 0 };
    NoteServer { event: ServerEvent::Started, version: "0".to_owned(), gap_ms: 0, machine_restarted: false, anchor }
}

fn append(journal: &mut Journal, site: &mut Site, at: u64, ask: impl Into<Ask>) {
    let now = Now { at: SiteMs(at), wall: WallMs(at as i64) };
    let facts: Vec<(Now, Fact)> = site.decide(now, &ask.into()).unwrap().into_iter().map(|fact| (now, fact)).collect();
    journal.append(&facts).unwrap();
    facts.iter().for_each(|(now, fact)| site.apply(*now, fact));
}

/// A journal with a few facts.
fn filled(dir: &Path) {
    Journal::create(dir, &site_id()).unwrap();
    let (mut journal, mut site, _) = Journal::open(dir).unwrap();
    append(&mut journal, &mut site, 1, found());
    append(&mut journal, &mut site, 2, started());
    for n in 0..20 {
        append(&mut journal, &mut site, 3 + u64::from(n), code(n));
    }
    journal.close().unwrap();
}

#[test]
fn what_was_appended_rebuilds_the_same_site() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let (journal, site, last) = Journal::open(dir.path()).unwrap();
    assert_eq!((journal.facts(), journal.boot(), last.at), (23, 2, SiteMs(22)));
    assert_eq!((site.codes.len(), site.stations.len(), site.server_starts), (20, 1, 1));
    assert_eq!(journal::verify(dir.path()).unwrap().0, 23);
}

#[test]
fn every_changed_value_is_refused_and_the_line_is_named() {
    for (column, value) in
        [("at", "at + 1"), ("boot", "9"), ("wall", "wall - 1"), ("scope", "'sitting:x'"), ("kind", "'signed_in'")]
    {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        tamper(dir.path(), &format!("UPDATE fact SET {column} = {value} WHERE seq = 7"));
        let error = journal::verify(dir.path()).unwrap_err();
        assert!(matches!(error, JournalError::Chain(_)), "{column}: {error}");
        assert!(error.to_string().contains("line 7"), "{column}: {error}");
        assert!(Journal::open(dir.path()).is_err(), "a server must not start on it");
    }
}

/// P8. One change a journal: a bit of any value, a line cut out, put in, or exchanged with another.
#[test]
fn ten_thousand_changes_to_a_journal_are_all_refused_and_the_line_is_named() {
    const CHANGES: u32 = 10_000;
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let whole = journal::verify(dir.path()).unwrap();
    let facts = whole.0;
    let connection = Connection::open(dir.path().join(FILE_NAME)).unwrap();
    // No flush a change: nothing here is about power cuts.
    connection
        .execute_batch(
            "PRAGMA synchronous = OFF; DROP TRIGGER fact_is_never_changed; DROP TRIGGER fact_is_never_deleted;
             CREATE TEMP TABLE kept AS SELECT * FROM fact;",
        )
        .unwrap();
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut dice = seed;
    let mut below = |n: u64| {
        // Numerical Recipes' 64-bit linear congruence; the high bits are the good ones.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % n
    };
    let mut changes = 0;
    while changes < CHANGES {
        let (line, other) = (1 + below(facts), 1 + below(facts));
        let (first, sql) = match below(8) {
            // A shorter chain still holds by itself: whoever cuts off the end is found by the bundle's signature and the seats.
            0 => (line.min(facts - 1), format!("DELETE FROM fact WHERE seq = {}", line.min(facts - 1))),
            1 => {
                let copy = format!(
                    "SELECT {}, at, boot, wall, scope, kind, body, hash FROM fact WHERE seq = {line}",
                    facts + 1
                );
                (facts + 1, format!("INSERT INTO fact {copy}"))
            }
            2 if line != other => {
                let values = "(at, boot, wall, scope, kind, body, hash)";
                let of = |seq| format!("(SELECT at, boot, wall, scope, kind, body, hash FROM kept WHERE seq = {seq})");
                let put = |seq, from| format!("UPDATE fact SET {values} = {} WHERE seq = {seq};", of(from));
                (line.min(other), format!("{}{}", put(line, other), put(other, line)))
            }
            3 => (line, format!("UPDATE fact SET body = body || ' ' WHERE seq = {line}")),
            4 => {
                let at = below(31) + 1;
                let flipped = format!("substr(hash, 1, {at}) || char(120) || substr(hash, {at} + 2)");
                (line, format!("UPDATE fact SET hash = CAST({flipped} AS BLOB) WHERE seq = {line}"))
            }
            5 => {
                let cut = format!("substr(body, 1, {})", below(8));
                (line, format!("UPDATE fact SET body = {cut} WHERE seq = {line}"))
            }
            6 => {
                let column = ["scope", "kind", "body"][below(3) as usize];
                (
                    line,
                    format!(
                        "UPDATE fact SET {column} = substr({column}, 1, 3) || 'x' || substr({column}, 5) WHERE seq = {line}"
                    ),
                )
            }
            _ => {
                let column = ["at", "boot", "wall"][below(3) as usize];
                let bit = 1_u64 << below(40);
                (line, format!("UPDATE fact SET {column} = ({column} | {bit}) - ({column} & {bit}) WHERE seq = {line}"))
            }
        };
        connection.execute_batch(&sql).unwrap();
        const CHANGED: &str = "SELECT (SELECT count(*) FROM fact) <> (SELECT count(*) FROM kept)
             OR EXISTS (SELECT * FROM fact EXCEPT SELECT * FROM kept)";
        if !connection.query_row(CHANGED, [], |row| row.get::<_, bool>(0)).unwrap() {
            continue; // an x where there was one
        }
        changes += 1;
        let error = journal::verify(dir.path()).err().map(|error| error_text(&error));
        let error = error.unwrap_or_else(|| panic!("seed {seed}, change {changes} went unnoticed: {sql}"));
        let named: Option<u64> =
            error.split("line ").nth(1).and_then(|rest| rest.split([' ', ':', ',']).next()?.parse().ok());
        assert!(named.is_some_and(|named| named >= first && named <= first + 1), "{sql}: {error}");
        connection.execute_batch("DELETE FROM fact; INSERT INTO fact SELECT * FROM kept;").unwrap();
    }
    assert_eq!(journal::verify(dir.path()).unwrap(), whole, "put back, it checks again");
}

#[test]
fn one_flipped_byte_of_a_stored_fact_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let path = dir.path().join(FILE_NAME);
    let clean = std::fs::read(&path).unwrap();
    let needle = b"\"uses\":1";
    let places: Vec<usize> =
        clean.windows(needle.len()).enumerate().filter(|(_, w)| w == needle).map(|(i, _)| i).collect();
    let refused = places.iter().filter(|place| {
        let mut bytes = clean.clone();
        bytes[**place + needle.len() - 1] = b'7';
        std::fs::write(&path, bytes).unwrap();
        journal::verify(dir.path()).is_err()
    });
    // Page splits leave stale copies in unused space, where a flip changes nothing anybody reads; the 20 facts count.
    assert_eq!(refused.count(), 20, "each fact's own byte is guarded");
    std::fs::write(&path, clean).unwrap();
    assert!(journal::verify(dir.path()).is_ok(), "the untouched journal checks");
}

#[test]
fn a_removed_or_added_line_is_refused() {
    for sql in [
        "DELETE FROM fact WHERE seq = 5",
        "UPDATE fact SET seq = 99 WHERE seq = 23",
        "INSERT INTO fact SELECT 24, at, boot, wall, scope, kind, body, hash FROM fact WHERE seq = 23",
    ] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        tamper(dir.path(), sql);
        assert!(journal::verify(dir.path()).is_err(), "{sql}");
    }
}

#[test]
fn facts_cannot_be_changed_through_sql() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let connection = Connection::open(dir.path().join(FILE_NAME)).unwrap();
    assert!(connection.execute("UPDATE fact SET at = 0", []).is_err());
    assert!(connection.execute("DELETE FROM fact", []).is_err());
}

#[test]
fn a_newer_or_foreign_file_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    tamper(dir.path(), "PRAGMA user_version = 2");
    assert!(matches!(Journal::open(dir.path()), Err(JournalError::Newer { found: 2, known: 1 })));
    tamper(dir.path(), "PRAGMA application_id = 1");
    assert!(matches!(Journal::open(dir.path()), Err(JournalError::Foreign(_))));
    std::fs::write(dir.path().join(FILE_NAME), b"not a database, but long enough to look at").unwrap();
    assert!(Journal::open(dir.path()).is_err());
}

#[test]
fn a_copy_of_a_journal_in_use_checks() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(dir.path());
    let (mut journal, mut site, _) = Journal::open(dir.path()).unwrap();
    append(&mut journal, &mut site, 99, code(500));
    assert_eq!(
        journal::back_up(dir.path(), to.path()).unwrap(),
        24,
        "what is only in the write-ahead log is copied too"
    );
    append(&mut journal, &mut site, 100, code(501));
    assert_eq!(journal::verify(to.path()).unwrap().0, 24);
}

#[tokio::test]
async fn what_cannot_be_written_is_not_acknowledged_and_works_again_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let (journal, site, last) = Journal::open(dir.path()).unwrap();
    let (clock, _) = SiteClock::resume(&site, last.wall);
    let (clerk, ended) = Clerk::start(journal, site, clock, Box::new(|_, _, _| {})).unwrap();
    let full = Connection::open(dir.path().join(FILE_NAME)).unwrap();
    full.execute_batch("CREATE TRIGGER full BEFORE INSERT ON fact BEGIN SELECT raise(ABORT, 'disk full'); END")
        .unwrap();
    assert!(matches!(clerk.ask(code(100)).await, Err(No::Error(_))), "no acknowledgement");
    let codes = clerk.read(|site, _| site.codes.len()).await.unwrap();
    assert_eq!(codes, 20, "memory went back to what the disk has");
    full.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(clerk.ask(code(100)).await, Ok(Reply::Done));
    clerk.stop(started()).await;
    ended.await.unwrap();
    assert_eq!(journal::verify(dir.path()).unwrap().0, 25);
}

#[tokio::test]
async fn who_connects_while_the_disk_fails_is_shown_what_is_on_disk_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let (journal, site, last) = Journal::open(dir.path()).unwrap();
    let (clock, _) = SiteClock::resume(&site, last.wall);
    let (show, shown) = std::sync::mpsc::channel();
    let outbox = Box::new(move |site: &Site, _, _| show.send(site.codes.len()).unwrap_or(()));
    let (clerk, ended) = Clerk::start(journal, site, clock, outbox).unwrap();
    let full = Connection::open(dir.path().join(FILE_NAME)).unwrap();
    // The clerk waits for this lock with the first code in hand; all that follows is one batch.
    full.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = tokio::spawn({
        let clerk = clerk.clone();
        async move { clerk.ask(code(100)).await }
    });
    tokio::task::yield_now().await;
    let second = tokio::spawn({
        let clerk = clerk.clone();
        async move { clerk.ask(code(101)).await }
    });
    tokio::task::yield_now().await;
    let look = tokio::spawn({
        let clerk = clerk.clone();
        async move { clerk.read(|site, _| site.codes.len()).await }
    });
    tokio::task::yield_now().await;
    clerk.tell(Tell::Seat("station-1".parse().unwrap())).unwrap();
    full.execute_batch("CREATE TRIGGER full BEFORE INSERT ON fact BEGIN SELECT raise(ABORT, 'disk full'); END; COMMIT")
        .unwrap();
    assert_eq!(tokio::task::spawn_blocking(move || shown.recv()).await.unwrap(), Ok(20), "no code that is not on disk");
    assert_eq!(look.await.unwrap(), Ok(20), "a neighbour's failed write disturbs nobody who only asks");
    assert!(first.await.unwrap().is_err() && second.await.unwrap().is_err());
    full.execute_batch("DROP TRIGGER full").unwrap();
    clerk.stop(started()).await;
    ended.await.unwrap();
}

#[tokio::test]
async fn many_askers_share_few_commits_and_all_of_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let (journal, site, last) = Journal::open(dir.path()).unwrap();
    let (clock, _) = SiteClock::resume(&site, last.wall);
    let (clerk, ended) = Clerk::start(journal, site, clock, Box::new(|_, _, _| {})).unwrap();
    let asks = (1000..2000).map(|n| {
        let clerk = clerk.clone();
        tokio::spawn(async move { clerk.ask(code(n)).await })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_eq!(ask.await.unwrap(), Ok(Reply::Done));
    }
    clerk.stop(started()).await;
    ended.await.unwrap();
    assert_eq!(journal::verify(dir.path()).unwrap().0, 23 + 1000 + 1);
}

/// Changes a journal as somebody with the disk in hand would.
fn tamper(dir: &Path, sql: &str) {
    let connection = Connection::open(dir.join(FILE_NAME)).unwrap();
    connection
        .execute_batch("DROP TRIGGER IF EXISTS fact_is_never_changed; DROP TRIGGER IF EXISTS fact_is_never_deleted;")
        .unwrap();
    connection.execute_batch(sql).unwrap();
}
