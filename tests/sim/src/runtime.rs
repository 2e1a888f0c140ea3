//! The runtime of a run: one thread, virtual time, and work aside (files, scrypt) that begins only when everything else has
//! come to rest. So it never depends on a real race what happened first. Never used by the product.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// Work aside begins after this even if the runtime does not rest: it is being taken down.
const REST_WAIT_MAX: Duration = Duration::from_secs(2);

/// Whether the runtime rests.
#[derive(Default)]
struct Rest {
    rests: Mutex<bool>,
    bell: Condvar,
}

impl Rest {
    fn set(&self, rests: bool) {
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = rests;
        self.bell.notify_all();
    }

    fn wait(&self) {
        let rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.bell.wait_timeout_while(rests, REST_WAIT_MAX, |rests| !*rests));
    }
}

/// A runtime on virtual time.
///
/// # Errors
/// The system's.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let rest = Arc::new(Rest::default());
    let (parks, wakes, starts) = (rest.clone(), rest.clone(), rest);
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // One thread for each piece of work aside, one after the other: its start is where it waits.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::ZERO)
        .on_thread_park(move || parks.set(true))
        .on_thread_unpark(move || wakes.set(false))
        .on_thread_start(move || starts.wait())
        .build()
}
