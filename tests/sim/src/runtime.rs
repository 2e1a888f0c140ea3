//! The runtime of a run: one thread, virtual time, and work aside (files, scrypt) that begins only when everything else has
//! come to rest. So it never depends on a real race what happened first. Never used by the product.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A wait for the other side ends after this: then the runtime is being taken down, or something hangs and is better seen.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The runtime and its work aside take turns: work begins when the runtime rests, and the runtime goes on when no work is left.
#[derive(Default)]
struct Turns {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    rests: bool,
    /// Threads that work aside.
    at_work: usize,
}

impl Turns {
    fn rest(&self) {
        self.lock().rests = true;
        self.bell.notify_all();
    }

    fn go_on(&self) {
        let mut state = self.lock();
        state.rests = false;
        drop(self.bell.wait_timeout_while(state, WAIT_MAX, |state| state.at_work > 0));
    }

    fn begin_work(&self) {
        let waited = self.bell.wait_timeout_while(self.lock(), WAIT_MAX, |state| !state.rests);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.at_work += 1;
    }

    fn end_work(&self) {
        self.lock().at_work -= 1;
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A runtime on virtual time.
///
/// # Errors
/// The system's.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let turns = Arc::new(Turns::default());
    let (rests, goes_on, begins) = (turns.clone(), turns.clone(), turns.clone());
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // One thread for work aside, in the order in which it was given, and gone when there is none left.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::ZERO)
        .on_thread_park(move || rests.rest())
        .on_thread_unpark(move || goes_on.go_on())
        .on_thread_start(move || begins.begin_work())
        .on_thread_stop(move || turns.end_work())
        .build()
}
