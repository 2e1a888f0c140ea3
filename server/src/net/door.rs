//! Who may finish a handshake now, who waits, and who must first prove its address. A room that calls all at once gets in
//! as fast as the processor allows; a flood of forged first packets neither fills memory nor shuts the room out.
//! Never answers a packet with more than it cost to send.

use quinn::{Connection, Incoming};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// First packets quinn keeps for us before we look at them.
pub(super) const INCOMING_MAX: usize = 10_240;
/// Handshakes in work at once, of each sort; more wait in line. One costs about half a millisecond and 40 KiB.
const IN_WORK_MAX: usize = 512;
/// Unfinished handshakes from unproven addresses. Beyond it, a Retry makes the caller prove its address; not earlier,
/// because a Retry costs a round trip and in a plain storm makes things worse.
const UNPROVEN_MAX: usize = 4_096;
/// Unfinished handshakes from proven addresses. They have a line of their own, which no forged packet can fill.
const PROVEN_MAX: usize = 4_096;
/// Unfinished handshakes from one address, of each sort: a whole load tool, but not everything.
const PER_ADDRESS_MAX: usize = 2_048;
/// Time in line and in work. A client gives an attempt up after four seconds.
const HANDSHAKE_MS_MAX: u64 = 5_000;
const _: () = assert!(PER_ADDRESS_MAX < UNPROVEN_MAX); // else one machine could shut out the others
const _: () = assert!(UNPROVEN_MAX + PROVEN_MAX < INCOMING_MAX); // else quinn would refuse before we judge
const _: () = assert!(UNPROVEN_MAX > 2_000); // else a campus of two thousand seats would see Retry
const _: () = assert!(HANDSHAKE_MS_MAX > exam_link::link::CONNECT_MS_MAX); // else the server gives up on a client still trying

/// The line before the server.
pub(super) struct Door {
    unfinished: Arc<Mutex<Unfinished>>,
    unproven: Arc<Semaphore>,
    proven: Arc<Semaphore>,
}

impl Default for Door {
    fn default() -> Self {
        let semaphore = || Arc::new(Semaphore::new(IN_WORK_MAX));
        Door { unfinished: Arc::default(), unproven: semaphore(), proven: semaphore() }
    }
}

/// A handshake that may be finished.
pub(super) struct Handshake {
    incoming: Incoming,
    line: Arc<Semaphore>,
    _place: Place,
}

impl Door {
    /// Judges a first packet. `None` when it was answered with a Retry, or not at all: a client that still wants in calls again.
    pub(super) fn receive(&self, incoming: Incoming) -> Option<Handshake> {
        let caller = Caller { address: incoming.remote_address().ip(), proven: incoming.remote_address_validated() };
        let judged = lock(&self.unfinished).judge(caller);
        match judged {
            Verdict::Enter => {
                let line = Arc::clone(if caller.proven { &self.proven } else { &self.unproven });
                let _place = Place { unfinished: Arc::clone(&self.unfinished), caller };
                Some(Handshake { incoming, line, _place })
            }
            Verdict::Prove => {
                if let Err(cannot) = incoming.retry() {
                    cannot.into_incoming().ignore();
                }
                None
            }
            Verdict::Later => {
                incoming.ignore();
                None
            }
        }
    }
}

impl Handshake {
    /// Waits in line, then for TLS. `None` when the peer gave up, took too long, or has no good certificate.
    pub(super) async fn finish(self) -> Option<Connection> {
        let limit = Duration::from_millis(HANDSHAKE_MS_MAX);
        let Ok(Ok(_permit)) = tokio::time::timeout(limit, self.line.acquire()).await else {
            self.incoming.ignore();
            return None;
        };
        let address = self.incoming.remote_address();
        let connecting = self.incoming.accept().ok()?;
        match tokio::time::timeout(limit, connecting).await {
            Ok(Ok(connection)) => Some(connection),
            Ok(Err(error)) => {
                tracing::debug!(%address, %error, "handshake failed");
                None
            }
            Err(_) => None,
        }
    }
}

fn lock(unfinished: &Mutex<Unfinished>) -> std::sync::MutexGuard<'_, Unfinished> {
    unfinished.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who calls. Proven and unproven calls are counted apart: whoever forges a machine's address must not shut that machine out.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Caller {
    address: IpAddr,
    proven: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Counted; in line.
    Enter,
    /// Prove your address first.
    Prove,
    /// Too many: unheard.
    Later,
}

/// Handshakes begun and not finished. Entries are bounded by the limits above.
#[derive(Default)]
struct Unfinished {
    unproven: usize,
    proven: usize,
    by_caller: HashMap<Caller, usize>,
}

impl Unfinished {
    fn judge(&mut self, caller: Caller) -> Verdict {
        let same = self.by_caller.get(&caller).copied().unwrap_or(0);
        let most = if caller.proven { PROVEN_MAX } else { UNPROVEN_MAX };
        if *self.count(caller) >= most || same >= PER_ADDRESS_MAX {
            return if caller.proven { Verdict::Later } else { Verdict::Prove };
        }
        *self.count(caller) += 1;
        *self.by_caller.entry(caller).or_default() += 1;
        Verdict::Enter
    }

    fn leave(&mut self, caller: Caller) {
        *self.count(caller) -= 1;
        if let Some(same) = self.by_caller.get_mut(&caller) {
            *same -= 1;
            if *same == 0 {
                self.by_caller.remove(&caller);
            }
        }
    }

    fn count(&mut self, caller: Caller) -> &mut usize {
        if caller.proven { &mut self.proven } else { &mut self.unproven }
    }
}

/// A place in the count, given back when dropped.
struct Place {
    unfinished: Arc<Mutex<Unfinished>>,
    caller: Caller,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.unfinished).leave(self.caller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(last: u16, proven: bool) -> Caller {
        let [high, low] = last.to_be_bytes();
        Caller { address: IpAddr::from([10, 0, high, low]), proven }
    }

    #[test]
    fn a_campus_of_two_thousand_machines_gets_in_without_a_retry() {
        let mut unfinished = Unfinished::default();
        assert!((0..2_000).all(|machine| unfinished.judge(caller(machine, false)) == Verdict::Enter));
    }

    #[test]
    fn a_load_tool_of_five_hundred_seats_on_one_address_gets_in() {
        let mut unfinished = Unfinished::default();
        assert!((0..500).all(|_| unfinished.judge(caller(1, false)) == Verdict::Enter));
    }

    #[test]
    fn one_address_cannot_fill_the_line() {
        let mut unfinished = Unfinished::default();
        assert!((0..PER_ADDRESS_MAX).all(|_| unfinished.judge(caller(1, true)) == Verdict::Enter));
        assert_eq!(unfinished.judge(caller(1, true)), Verdict::Later);
        assert_eq!(unfinished.judge(caller(2, true)), Verdict::Enter);
        unfinished.leave(caller(1, true));
        assert_eq!(unfinished.judge(caller(1, true)), Verdict::Enter);
    }

    #[test]
    fn forged_packets_make_callers_prove_their_address_and_the_proven_get_in() {
        let mut unfinished = Unfinished::default();
        for machine in 0..UNPROVEN_MAX {
            assert_eq!(unfinished.judge(caller(machine as u16, false)), Verdict::Enter);
        }
        assert_eq!(unfinished.judge(caller(60_000, false)), Verdict::Prove);
        assert_eq!(unfinished.judge(caller(60_000, true)), Verdict::Enter);
        assert_eq!(
            unfinished.judge(caller(1, true)),
            Verdict::Enter,
            "nor is the machine whose address was forged shut out"
        );
    }

    #[test]
    fn places_given_back_leave_nothing_behind() {
        let mut unfinished = Unfinished::default();
        for machine in 0..100 {
            assert_eq!(unfinished.judge(caller(machine % 7, machine % 2 == 0)), Verdict::Enter);
        }
        (0..100).for_each(|machine| unfinished.leave(caller(machine % 7, machine % 2 == 0)));
        assert_eq!((unfinished.unproven, unfinished.proven, unfinished.by_caller.len()), (0, 0, 0));
    }
}
