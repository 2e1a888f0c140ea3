//! The standing backup (P14, DESIGN §11): while the server serves, a checked copy of the site in a second place, brought up to date
//! every minute; the folder can be served from at once. Never replaces a copy by one that does not check, and never takes the place of
//! a journal that has gone on without this server.

use crate::{
    journal::{self, JournalReader},
    reception::Reception,
    vault::{self, Vault, VaultError},
};
use anyhow::{Context, Result, bail};
use exam_link::private_file;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// From the begin of one refresh to the next.
pub const EVERY: Duration = Duration::from_secs(60);
/// Where a refresh puts together what it is about to move into place.
const NEXT: &str = "run/next";
/// Files up to this size are compared byte by byte, larger ones by length: those are named by their hash.
const COMPARED_BYTES_MAX: u64 = 64 * 1024;

/// Refuses a place where a copy would be worthless or harmful, before the server starts. A place that is not there at all (a stick
/// that is not plugged in) is no reason not to start: every refresh tries again.
///
/// # Errors
/// The folder lies in the data folder, or holds something else than a backup of this site.
pub fn check_place(data: &Path, place: &Path) -> Result<()> {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    if whole(place)?.starts_with(whole(data)?) {
        bail!("the backup folder {} lies in the data folder: choose another disk", place.display());
    }
    let there = Vault::new(place);
    if vault::is_free(place).unwrap_or(true) {
        return Ok(());
    }
    if there.require_site().is_err() && !place.join(NEXT).exists() {
        return Err(VaultError::NotEmpty(place.to_owned()).into());
    }
    match there.require_site() {
        Ok(()) => goes_before(&JournalReader::open(data)?, place),
        Err(_) => Ok(()), // a first refresh that was cut off
    }
}

/// Whether the journal in `place` is the beginning of ours: else a server has served from there, and what it wrote is nowhere else.
fn goes_before(ours: &JournalReader, place: &Path) -> Result<()> {
    let theirs = JournalReader::open(place)?;
    let facts = theirs.facts()?;
    let same = theirs.site() == ours.site() && ours.hash_at(facts)? == theirs.hash_at(facts)?;
    if !same {
        bail!(
            "the backup in {} is no earlier state of this site: a server has served from there, or it is another site's; keep it, and \
             choose another folder",
            place.display()
        );
    }
    Ok(())
}

/// Brings the copy of `data` in `place` up to date and checks it; until the last step the old copy stands. Returns facts in it and bytes
/// written.
///
/// # Errors
/// The disk says no, the copy does not check, or somebody serves from it or has done so; the old copy is as it was.
pub fn refresh(data: &Vault, place: &Path) -> Result<(u64, u64)> {
    private_file::private_folder(place).with_context(|| format!("making {}", place.display()))?;
    let there = Vault::new(place);
    let next = place.join(NEXT);
    let founded = there.require_site().is_ok();
    let _lock = if founded { Some(there.claim()?) } else { None };
    if founded {
        goes_before(&JournalReader::open(data.dir())?, place)?;
    }
    if next.exists() {
        fs::remove_dir_all(&next).with_context(|| format!("clearing {}", next.display()))?;
    }
    fs::create_dir_all(&next).with_context(|| format!("making {}", next.display()))?;
    // The journal first and from one consistent moment: a fact comes after the blobs it names, so all of them are there.
    let facts = journal::back_up(data.dir(), &next)?;
    let mut bytes = fs::metadata(next.join(journal::FILE_NAME))?.len();
    for file in data.kept_files()? {
        bytes += bring(&data.dir().join(&file), &place.join(&file), &next)
            .with_context(|| format!("copying {}", file.display()))?;
    }
    for left in ["-wal", "-shm"] {
        // What a reader that was killed left behind; everything in them has just been read.
        remove(&place.join(format!("{}{left}", journal::FILE_NAME)))?;
    }
    put(&next.join(journal::FILE_NAME), &place.join(journal::FILE_NAME))?;
    Ok((facts, bytes))
}

/// Copies a file that is not there yet, by way of `next`.
fn bring(from: &Path, to: &Path, next: &Path) -> Result<u64> {
    if is_same(from, to)? {
        return Ok(0);
    }
    let folder = to.parent().context("a file lies in a folder")?;
    private_file::private_folder(folder)?;
    let fresh = next.join("file");
    let bytes = fs::copy(from, &fresh)?;
    put(&fresh, to)?;
    Ok(bytes)
}

/// Moves a whole file into place; a power cut finds the old one or the new one.
fn put(fresh: &Path, to: &Path) -> Result<()> {
    vault::sync(fresh)?;
    fs::rename(fresh, to).with_context(|| format!("putting {} in place", to.display()))?;
    private_file::sync_folder(to)?;
    Ok(())
}

fn is_same(from: &Path, to: &Path) -> io::Result<bool> {
    let length = fs::metadata(from)?.len();
    match fs::metadata(to) {
        Ok(there) if there.len() != length => Ok(false),
        Ok(_) if length > COMPARED_BYTES_MAX => Ok(true),
        Ok(_) => Ok(fs::read(from)? == fs::read(to)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Keeps the copy in `place` up to date until it is dropped; without a place it only waits.
pub async fn keep(reception: Reception, place: Option<PathBuf>) {
    let Some(place) = place else { return std::future::pending().await };
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        reception.refresh_backup(&place).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;
    use exam_protocol::{
        ids::Sha256,
        message::hello::Role,
        time::{Now, SiteMs, WallMs},
    };
    use exam_room::rules::enrolment::IssueCode;

    fn site() -> (tempfile::TempDir, Vault, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::new(dir.path().join("site"));
        crate::init::init(vault.dir(), "考点", None).unwrap();
        vault.create_folders().unwrap();
        let place = dir.path().join("stick");
        (dir, vault, place)
    }

    fn one_more_fact(dir: &Path, n: u8) {
        let (mut journal, site, _) = Journal::open(dir).unwrap();
        let ask = IssueCode { tag: Sha256::of(&[n]), role: Role::Station, uses: 1, valid_until: SiteMs(9_000_000) };
        let now = Now { at: SiteMs(u64::from(n) + 10), wall: WallMs(0) };
        let facts: Vec<_> = site.decide(now, &ask.into()).unwrap().into_iter().map(|fact| (now, fact)).collect();
        journal.append(&facts).unwrap();
        journal.close().unwrap();
    }

    #[test]
    fn every_refresh_is_a_whole_site_that_checks_and_copies_only_what_is_new() {
        let (_dir, vault, place) = site();
        let blob = vault.keep(vault::Shelf::Papers, &vec![7; 200_000]).unwrap();
        check_place(vault.dir(), &place).unwrap();
        let (first, all) = refresh(&vault, &place).unwrap();
        one_more_fact(vault.dir(), 1);
        check_place(vault.dir(), &place).unwrap();
        let (second, fresh) = refresh(&vault, &place).unwrap();
        assert_eq!((first + 1, second), (second, journal::verify(&place).unwrap().0));
        assert!(all > 200_000 && fresh < 200_000, "{all} {fresh}");
        assert!(Vault::new(&place).blob_bytes(vault::Shelf::Papers, &blob).is_ok());
        Vault::new(&place).claim().unwrap();
        assert!(Journal::open(&place).is_ok(), "a server can serve from it");
    }

    #[test]
    fn a_copy_that_went_on_by_itself_is_never_written_over() {
        let (_dir, vault, place) = site();
        refresh(&vault, &place).unwrap();
        one_more_fact(&place, 2);
        let theirs = journal::verify(&place).unwrap();
        one_more_fact(vault.dir(), 3);
        assert!(refresh(&vault, &place).is_err());
        one_more_fact(vault.dir(), 4);
        assert!(check_place(vault.dir(), &place).is_err());
        assert_eq!(journal::verify(&place).unwrap(), theirs);
    }

    #[test]
    fn a_damaged_journal_leaves_the_last_good_copy() {
        let (_dir, vault, place) = site();
        one_more_fact(vault.dir(), 5);
        refresh(&vault, &place).unwrap();
        let good = journal::verify(&place).unwrap();
        one_more_fact(vault.dir(), 6);
        let path = vault.dir().join(journal::FILE_NAME);
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch("DROP TRIGGER fact_is_never_changed; UPDATE fact SET wall = 7 WHERE seq = 2").unwrap();
        drop(connection);
        assert!(refresh(&vault, &place).is_err());
        assert_eq!(journal::verify(&place).unwrap(), good);
    }

    #[test]
    fn places_that_would_harm_are_refused_and_a_missing_one_is_not() {
        let (dir, vault, place) = site();
        assert!(check_place(vault.dir(), &vault.dir().join("copy")).is_err());
        let full = dir.path().join("documents");
        fs::create_dir(&full).unwrap();
        fs::write(full.join("letter.txt"), "x").unwrap();
        assert!(check_place(vault.dir(), &full).is_err());
        let other = Vault::new(dir.path().join("other"));
        crate::init::init(other.dir(), "别的考点", None).unwrap();
        assert!(check_place(vault.dir(), other.dir()).is_err());
        check_place(vault.dir(), &place).unwrap();
    }

    #[test]
    fn somebody_who_serves_from_the_copy_is_left_alone() {
        let (_dir, vault, place) = site();
        refresh(&vault, &place).unwrap();
        let serving = Vault::new(&place).claim().unwrap();
        assert!(refresh(&vault, &place).is_err());
        drop(serving);
        refresh(&vault, &place).unwrap();
    }
}
