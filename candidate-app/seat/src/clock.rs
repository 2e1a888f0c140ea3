//! The seat's monotonic clock: milliseconds since the machine started where the system tells, else since the app did. The
//! machine's wall clock is only read for the server to compare (F-42, F-51); never is anything timed by it.

use exam_protocol::time::WallMs;
use exam_session::{BootId, SeatMs};
use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;
use tokio::time::Instant;

/// The clock of one process. Copies show the same time.
#[derive(Clone, Copy, Debug)]
pub struct SeatClock {
    origin: Instant,
    origin_ms: u64,
    boot: BootId,
}

impl SeatClock {
    /// The clock, from now on.
    pub fn start() -> Self {
        let machine = machine_clock();
        let (origin_ms, boot) = machine.unwrap_or_else(|| (0, BootId(random())));
        Self::on(origin_ms, boot)
    }

    /// A clock that shows `origin_ms` now, in the run `boot` of its machine.
    pub fn on(origin_ms: u64, boot: BootId) -> Self {
        Self { origin: Instant::now(), origin_ms, boot }
    }

    /// Now.
    pub fn now(&self) -> SeatMs {
        let ms = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        SeatMs(self.origin_ms.saturating_add(ms))
    }

    /// The instant at which this clock will show `at`.
    pub fn instant(&self, at: SeatMs) -> Instant {
        self.origin + Duration::from_millis(at.0.saturating_sub(self.origin_ms))
    }

    /// The machine's wall clock, for the server to compare with its own.
    pub fn wall(&self) -> WallMs {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 is as wrong as one can be; zero says so.
        WallMs(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Which run of the machine's clock this is.
    pub fn boot(&self) -> BootId {
        self.boot
    }
}

/// Milliseconds since the machine started, sleep included, and a number for this start.
#[cfg(target_os = "linux")]
fn machine_clock() -> Option<(u64, BootId)> {
    let text = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
    let hash = exam_protocol::ids::Sha256::of(&text);
    let boot = u64::from_le_bytes(*hash.as_bytes().first_chunk()?);
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let ms = u64::try_from(now.tv_sec).ok()? * 1_000 + u64::try_from(now.tv_nsec).ok()? / 1_000_000;
    Some((ms, BootId(boot)))
}

#[cfg(not(target_os = "linux"))]
fn machine_clock() -> Option<(u64, BootId)> {
    None
}

/// Without randomness every start of the app counts as the same run of the clock only if it draws zero twice: then the time
/// shown is off until the server is back.
fn random() -> u64 {
    let mut bytes = [0_u8; 8];
    let _ = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back_and_finds_its_own_moments() {
        let clock = SeatClock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second);
        assert!(clock.instant(first.plus(60_000)) > Instant::now());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn two_starts_on_one_machine_share_their_time() {
        let (a, b) = (SeatClock::start(), SeatClock::start());
        assert_eq!(a.boot(), b.boot());
        assert!(a.now().0.abs_diff(b.now().0) < 1_000);
    }
}
