//! How many files and sockets this process may have open. Never raises more than the system allows.

/// Open files of one seat: its socket, its journal, and for moments one more.
const FILES_A_SEAT: u64 = 3;
/// Everything else of the process.
const FILES_BESIDES: u64 = 64;

/// Raises the limit as far as allowed and checks that `seats` fit.
#[cfg(unix)]
pub(crate) fn make_room(seats: u16) -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = u64::from(seats) * FILES_A_SEAT + FILES_BESIDES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    // What counts is what the limit is afterwards.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum });
    let now = getrlimit(Resource::Nofile).current;
    if let Some(current) = now.filter(|current| *current < needed) {
        anyhow::bail!(
            "{seats} seats need {needed} open files, this system allows {current}: raise it (ulimit -n {needed}) or take fewer seats"
        );
    }
    Ok(())
}

/// Other systems have no such limit on sockets.
#[cfg(not(unix))]
pub(crate) fn make_room(_seats: u16) -> anyhow::Result<()> {
    let _ = (FILES_A_SEAT, FILES_BESIDES);
    Ok(())
}
