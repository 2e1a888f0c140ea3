//! Files as the commands read and write them: reading with a limit, writing whole or not at all, never over something that is
//! there. The only place that makes secret files.

use crate::exit::Exit;
use anyhow::{Context, Result};
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// Largest file a person hands in (a photo zip).
pub(crate) const INPUT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Largest text file (plan, key, public file).
const TEXT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody the folder lets in.
    Shared,
    /// The owner alone (0600). On Windows the folder's permissions decide.
    Secret,
}

/// Reads a whole file of at most `bytes_max`.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Exit::Validation.error(format!("{shown} is a folder: name the file in it")));
    }
    let file = fs::File::open(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Exit::NotFound.error(format!("{shown}: there is no such file")),
        _ => anyhow::Error::new(e).context(format!("{shown} cannot be opened")),
    })?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).with_context(|| format!("{shown} cannot be read"))?;
    if bytes.len() as u64 > bytes_max {
        return Err(
            Exit::Validation.error(format!("{shown} is larger than {bytes_max} bytes: this cannot be the right file"))
        );
    }
    Ok(bytes)
}

/// Reads a small UTF-8 text file, with or without BOM.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let text = String::from_utf8(read(path, TEXT_BYTES_MAX)?)
        .map_err(|_| Exit::Validation.error(format!("{} is not UTF-8 text: save it as UTF-8", path.display())))?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

/// Refuses if something is at `path`.
pub(crate) fn must_be_free(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Exit::Refused.error(format!("{} exists already and is never overwritten", path.display()))),
        Err(_) => Ok(()),
    }
}

/// Writes a new file: complete and on disk under its name, or not there at all. Refuses to overwrite.
pub(crate) fn write_new(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    must_be_free(path)?;
    let part = part_of(path)?;
    let written =
        write_part(&part, bytes, access).and_then(|()| fs::rename(&part, path)).and_then(|()| sync_folder(path));
    written.map_err(|e| {
        let _ = fs::remove_file(&part); // the first error is the one to tell
        anyhow::Error::new(e).context(format!("{} cannot be written", path.display()))
    })
}

/// Fills a new folder by `fill` and gives it its name only when all of it is on disk. Refuses a folder that has anything in it.
pub(crate) fn new_folder(path: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if !is_empty {
        must_be_free(path)?;
    }
    let part = part_of(path)?;
    fs::create_dir(&part).with_context(|| format!("{} cannot be made", part.display()))?;
    let filled = fill(&part).and_then(|()| {
        if is_empty {
            fs::remove_dir(path)?;
        }
        fs::rename(&part, path)
            .and_then(|()| sync_folder(path))
            .with_context(|| format!("{} cannot be made", path.display()))
    });
    if filled.is_err() {
        let _ = fs::remove_dir_all(&part); // the first error is the one to tell
    }
    filled
}

/// Writes one file below a folder that is being filled, making folders on the way.
pub(crate) fn write_below(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
    write_part(&path, bytes, Access::Shared).with_context(|| format!("{} cannot be written", path.display()))
}

fn write_part(path: &Path, bytes: &[u8], access: Access) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    restrict(&mut options, access);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The new name itself must survive a power cut; Windows has no such call and needs none on NTFS.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    fs::File::open(folder_of(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn restrict(options: &mut fs::OpenOptions, access: Access) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(match access {
        Access::Shared => 0o644,
        Access::Secret => 0o600,
    });
}

#[cfg(not(unix))]
fn restrict(_: &mut fs::OpenOptions, _: Access) {}

/// A name beside `path` that no other run uses; its folder must exist, so that the last step is one rename.
fn part_of(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| Exit::Validation.error(format!("{} names no file", path.display())))?;
    let part = format!(".{}.part-{}", name.to_string_lossy(), std::process::id());
    let folder = folder_of(path);
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder.join(part))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::exit_of;

    #[test]
    fn a_file_is_written_once_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        write_new(&path, b"one", Access::Secret).unwrap();
        assert_eq!(exit_of(&write_new(&path, b"two", Access::Shared).unwrap_err()), Exit::Refused);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let failed = new_folder(&path, |part| {
            write_below(part, "a/b", b"x")?;
            anyhow::bail!("no more")
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing half done is left");
        new_folder(&path, |part| write_below(part, "a/b", b"x")).unwrap();
        assert_eq!(fs::read(path.join("a/b")).unwrap(), b"x");
        assert_eq!(exit_of(&new_folder(&path, |_| Ok(())).unwrap_err()), Exit::Refused);
    }

    #[test]
    fn what_is_too_large_or_absent_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(exit_of(&read(&path, 3).unwrap_err()), Exit::NotFound);
        fs::write(&path, b"four").unwrap();
        assert_eq!(exit_of(&read(&path, 3).unwrap_err()), Exit::Validation);
        assert_eq!(read(&path, 4).unwrap(), b"four");
        assert_eq!(exit_of(&read(dir.path(), 3).unwrap_err()), Exit::Validation, "a folder is no file");
    }
}
