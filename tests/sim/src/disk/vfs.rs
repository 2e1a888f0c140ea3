//! SQLite's files on the simulated disk: a layer over SQLite's own Unix file system, through its C interface, and its default
//! in this process. Files on a folder that is not mounted pass through untouched. The only unsafe code of the simulator.
#![allow(unsafe_code, reason = "SQLite's file systems are tables of C functions")]

use super::{Handle, Taken, disk_of};
use rusqlite::ffi::{
    SQLITE_FULL, SQLITE_IOERR_DELETE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_READ, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE,
    SQLITE_OK, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_filename,
    sqlite3_initialize, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};
use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    ptr,
    sync::OnceLock,
};

/// What SQLite holds of an open file; the file of the real system follows it in memory.
#[repr(C)]
struct Layered {
    base: sqlite3_file,
    /// None for files that are not simulated.
    handle: *mut Handle,
}

/// The registered layer, and the real system below it. Lives as long as the process.
struct Installed {
    real: *mut sqlite3_vfs,
}

// SAFETY: the pointer is to SQLite's own static table, which is never written after it was registered.
unsafe impl Send for Installed {}
// SAFETY: as above.
unsafe impl Sync for Installed {}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// Puts the layer under every SQLite connection this process opens from now on.
pub fn install() {
    INSTALLED.get_or_init(|| {
        // SAFETY: plain calls; a null name finds the default.
        let real = unsafe {
            sqlite3_initialize();
            sqlite3_vfs_find(ptr::null())
        };
        assert!(!real.is_null(), "SQLite has a default file system");
        // SAFETY: `real` is a valid table; the copy is leaked, because SQLite keeps the pointer.
        unsafe {
            let mut layer = *real;
            layer.szOsFile += size_of::<Layered>() as c_int;
            layer.pNext = ptr::null_mut();
            layer.zName = c"exam-sim".as_ptr();
            layer.xOpen = Some(open);
            layer.xDelete = Some(delete);
            let registered = sqlite3_vfs_register(Box::into_raw(Box::new(layer)), 1);
            assert_eq!(registered, SQLITE_OK, "SQLite takes the layer");
        }
        Installed { real }
    });
}

fn real() -> *mut sqlite3_vfs {
    INSTALLED.get().expect("the layer is only reached once it is installed").real
}

/// The real file below `file`.
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite reserved `szOsFile` bytes: ours, then those of the real system.
    unsafe { file.cast::<Layered>().add(1).cast() }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn handle<'a>(file: *mut sqlite3_file) -> Option<&'a Handle> {
    // SAFETY: null or a box that lives until `close`.
    unsafe { (*file.cast::<Layered>()).handle.as_ref() }
}

/// The real method of the same name.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: `below` is an open file of the real system, whose table has this method.
        unsafe {
            let file = below($file);
            match (*(*file).pMethods).$method {
                Some(method) => method(file $(, $argument)*),
                None => SQLITE_OK,
            }
        }
    }};
}

fn code(taken: Taken, dead: c_int) -> Option<c_int> {
    match taken {
        Taken::Yes => None,
        Taken::Full => Some(SQLITE_FULL),
        Taken::Dead => Some(dead),
    }
}

fn path_of(name: *const c_char) -> PathBuf {
    // SAFETY: SQLite's names are terminated strings.
    let name = unsafe { CStr::from_ptr(name) };
    Path::new(OsStr::from_bytes(name.to_bytes())).to_path_buf()
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let kept = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    // SAFETY: SQLite gives `szOsFile` bytes; the real system's part lies behind ours.
    unsafe {
        let layered = file.cast::<Layered>();
        (*layered).base.pMethods = ptr::null();
        (*layered).handle = ptr::null_mut();
        let Some(real_open) = (*real()).xOpen else { return SQLITE_IOERR_READ };
        let opened = real_open(real(), name, below(file), flags, out_flags);
        if opened != SQLITE_OK {
            return opened;
        }
        (*layered).base.pMethods = &METHODS;
        if !name.is_null() && flags & kept != 0 {
            let path = path_of(name);
            if let Some(disk) = disk_of(&path) {
                (*layered).handle = Box::into_raw(Box::new(Handle::open(&disk, &path)));
            }
        }
    }
    SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let path = path_of(name);
    if let Some(disk) = disk_of(&path) {
        let mut inner = disk.lock();
        if !inner.power.is_on() {
            return SQLITE_IOERR_DELETE;
        }
        inner.images.remove(&path);
    }
    // SAFETY: the real system's own function with its own table.
    unsafe {
        match (*real()).xDelete {
            Some(delete) => delete(real(), name, sync_folder),
            None => SQLITE_OK,
        }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the box was made by `open`, and SQLite closes once.
    unsafe {
        let layered = file.cast::<Layered>();
        if !(*layered).handle.is_null() {
            drop(Box::from_raw((*layered).handle));
            (*layered).handle = ptr::null_mut();
        }
    }
    pass!(file, xClose)
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, bytes: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    if unsafe { handle(file) }.is_some_and(|handle| !handle.is_alive()) {
        return SQLITE_IOERR_READ;
    }
    pass!(file, xRead, to, bytes, at)
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, bytes: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: an open file, and `bytes` readable bytes.
    let refused = unsafe {
        handle(file).and_then(|handle| {
            let content = std::slice::from_raw_parts(from.cast::<u8>(), bytes as usize);
            code(handle.write(at as u64, content), SQLITE_IOERR_WRITE)
        })
    };
    refused.unwrap_or_else(|| pass!(file, xWrite, from, bytes, at))
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let refused = unsafe { handle(file) }.and_then(|handle| code(handle.set_len(length as u64), SQLITE_IOERR_TRUNCATE));
    refused.unwrap_or_else(|| pass!(file, xTruncate, length))
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: an open file.
    match unsafe { handle(file) } {
        Some(handle) => code(handle.sync(), SQLITE_IOERR_FSYNC).unwrap_or(SQLITE_OK),
        None => pass!(file, xSync, flags),
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_lock(file: *mut sqlite3_file, held: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, held)
}

unsafe extern "C" fn control(file: *mut sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, what, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn characteristics(file: *mut sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, page, size, extend, to)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    pass!(file, xShmLock, offset, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: an open file of the real system.
    unsafe {
        let file = below(file);
        if let Some(barrier) = (*(*file).pMethods).xShmBarrier {
            barrier(file);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2, // no memory maps
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_lock),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

#[cfg(test)]
mod tests {
    use super::super::{Disk, mount};
    use super::*;
    use crate::{dice::Dice, power::Power};
    use rusqlite::Connection;

    /// Commits rows one by one until the power goes in the middle of some disk operation; returns rows committed and left.
    fn rows_after_a_cut(seed: u64, synchronous: &str) -> (i64, i64) {
        install();
        let dir = tempfile::tempdir().unwrap();
        let (disk, power) = (Disk::new(dir.path()), Power::default());
        disk.used_by(power.clone());
        let _mount = mount(&disk);
        let path = dir.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        connection.pragma_update(None, "synchronous", synchronous).unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let mut dice = Dice::new(seed);
        power.cut_after(dice.between(5, 400));
        let mut committed = 0;
        while connection.execute("INSERT INTO t VALUES (?1)", [committed + 1]).is_ok() {
            committed += 1;
            assert!(committed < 10_000, "the power goes at last");
        }
        drop(connection);
        disk.used_by(Power::default());
        disk.cut(&mut dice).unwrap();
        let again = Connection::open(&path).unwrap();
        let left: i64 = again.query_row("SELECT coalesce(max(n), 0) FROM t", [], |row| row.get(0)).unwrap();
        let whole: i64 = again.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, left, "no row is missing in between");
        (committed, left)
    }

    #[test]
    fn full_synchronisation_loses_no_commit_and_less_of_it_does() {
        let lost = |synchronous| {
            let cuts = (0..30).map(|seed| rows_after_a_cut(seed, synchronous));
            cuts.filter(|(committed, left)| left < committed).count()
        };
        assert_eq!(lost("FULL"), 0);
        assert!(lost("NORMAL") > 5, "the simulated disk forgets what was not synced");
    }
}
