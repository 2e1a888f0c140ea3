//! Connecting again and again, with patience that grows to two seconds and never ends: a room recovers by itself.
//! Never connects hundreds of machines in the same instant: every wait has a random part.

use crate::{
    error::LinkError,
    link::{Dial, Link, Pushes},
};
use exam_protocol::message::hello::Welcome;
use ring::rand::{SecureRandom, SystemRandom};
use std::{ops::ControlFlow, time::Duration};

/// The first attempt waits up to this long, so that a room switched on at once does not call at once.
pub const FIRST_WAIT_MS_MAX: u64 = 300;
/// Wait after the first failure, before its random part is taken off.
pub const BACKOFF_MS_MIN: u64 = 200;
/// Longest wait between two attempts.
pub const BACKOFF_MS_MAX: u64 = 2_000;
const _: () = assert!(BACKOFF_MS_MIN < BACKOFF_MS_MAX);

/// How long to wait before attempt number `attempt` (0 is the first of all), given a random number.
pub fn delay(attempt: u32, random: u64) -> Duration {
    if attempt == 0 {
        return Duration::from_millis(random % (FIRST_WAIT_MS_MAX + 1));
    }
    let doubled = BACKOFF_MS_MIN.checked_shl((attempt - 1).min(16)).unwrap_or(BACKOFF_MS_MAX);
    let most = doubled.min(BACKOFF_MS_MAX);
    let least = most / 2;
    Duration::from_millis(least + random % (most - least + 1))
}

/// Why endless connecting ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GaveUp {
    /// The caller's stop came first.
    #[error("connecting was stopped")]
    Stopped,
    /// The caller judged this error to be final.
    #[error(transparent)]
    Final(#[from] LinkError),
}

/// Attempts until one succeeds, `stop` is ready, or `judge` breaks. `judge` hears each failure with the number of its attempt,
/// from 0: a seat goes on whatever happens (even a rogue server goes away again), a command line gives up.
///
/// # Errors
/// [`GaveUp`].
pub async fn connect_until(
    dial: &Dial,
    stop: impl Future<Output = ()>,
    mut judge: impl FnMut(u32, &LinkError) -> ControlFlow<()>,
) -> Result<(Link, Welcome, Pushes), GaveUp> {
    let attempts = async {
        let mut attempt = 0_u32;
        loop {
            tokio::time::sleep(delay(attempt, random())).await;
            let error = match Link::connect(dial).await {
                Ok(connected) => return Ok(connected),
                Err(error) => error,
            };
            if judge(attempt, &error).is_break() {
                return Err(GaveUp::Final(error));
            }
            attempt = attempt.saturating_add(1);
        }
    };
    tokio::select! {
        biased;
        () = stop => Err(GaveUp::Stopped),
        connected = attempts => connected,
    }
}

/// Sixty-four random bits. Without randomness all machines wait alike: slower, not wrong.
fn random() -> u64 {
    let mut bytes = [0_u8; 8];
    let _ = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_fifth_of_a_second_to_two_and_stay_there() {
        let ms = |attempt, random| delay(attempt, random).as_millis();
        for (attempt, least, most) in [
            (0, 0, 300),
            (1, 100, 200),
            (2, 200, 400),
            (3, 400, 800),
            (4, 800, 1600),
            (5, 1000, 2000),
            (u32::MAX, 1000, 2000),
        ] {
            assert_eq!(ms(attempt, 0), least, "attempt {attempt}");
            assert!((0..5_000).all(|random| (least..=most).contains(&ms(attempt, random))), "attempt {attempt}");
            assert!((0..5_000).any(|random| ms(attempt, random) == most), "attempt {attempt} may wait {most} ms");
            assert!(ms(attempt, u64::MAX) <= most);
        }
    }
}
