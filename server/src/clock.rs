//! The exam clock: a timeline in milliseconds that only moves forward, across restarts too (DESIGN §5).
//! Reads the machine's monotonic clock for rules, wall time only for display. Wall clocks may jump as they like.

use exam_protocol::time::{Now, SiteMs, WallMs, minutes};
use exam_room::{Site, rules::founding::ClockAnchor};

/// After a restart of the whole machine only wall time can measure the gap; more than this is not believed (HB-27 gives a
/// power cut 60 minutes), because a wrong clock must not end an exam.
pub const WALL_GAP_BELIEVED_MS: u64 = minutes(60);

/// The site's clock in this process.
#[derive(Clone, Debug)]
pub struct SiteClock {
    anchor: ClockAnchor,
}

/// What a start found out about the time since the last fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Milliseconds since the last fact, as they count.
    pub ms: u64,
    /// Whether the machine was restarted in between.
    pub machine_restarted: bool,
    /// Whether wall time told something that was not believed.
    pub implausible: bool,
}

impl SiteClock {
    /// Continues the timeline of `site`, whose last fact was written at wall time `last_wall`.
    pub fn resume(site: &Site, last_wall: WallMs) -> (Self, Gap) {
        Self::resume_at(site, last_wall, machine_start(), monotonic_ms(), wall_now())
    }

    fn resume_at(site: &Site, last_wall: WallMs, machine: String, monotonic: u64, wall: WallMs) -> (Self, Gap) {
        let same_start = site.anchor.as_ref().filter(|anchor| anchor.machine == machine);
        let continued = same_start.map(|anchor| timeline(anchor.offset_ms, monotonic)).filter(|at| *at >= site.latest);
        let (at, gap) = match (continued, &site.anchor) {
            (Some(at), _) => (at, Gap { ms: at.since(site.latest), machine_restarted: false, implausible: false }),
            (None, None) => (site.latest, Gap { ms: 0, machine_restarted: false, implausible: false }),
            (None, Some(_)) => {
                let told = wall.0 - last_wall.0;
                let believed = u64::try_from(told).ok().filter(|ms| *ms <= WALL_GAP_BELIEVED_MS);
                let ms = believed.unwrap_or(0);
                (site.latest.plus(ms), Gap { ms, machine_restarted: true, implausible: believed.is_none() })
            }
        };
        let offset_ms = at.0 as i64 - monotonic as i64;
        (Self { anchor: ClockAnchor { machine, offset_ms } }, gap)
    }

    /// How this process's timeline rests on the machine's clock: journalled at the start.
    pub fn anchor(&self) -> ClockAnchor {
        self.anchor.clone()
    }

    /// Now.
    pub fn now(&self) -> Now {
        Now { at: timeline(self.anchor.offset_ms, monotonic_ms()), wall: wall_now() }
    }
}

fn timeline(offset_ms: i64, monotonic: u64) -> SiteMs {
    SiteMs(u64::try_from(monotonic as i64 + offset_ms).unwrap_or(0))
}

/// Wall time.
pub fn wall_now() -> WallMs {
    WallMs(jiff::Timestamp::now().as_millisecond())
}

/// Milliseconds since the machine started, sleep included; the same for every process of one machine start.
#[cfg(target_os = "linux")]
fn monotonic_ms() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

/// Milliseconds since the machine started: whole seconds from the system once, then this process's own clock.
#[cfg(not(target_os = "linux"))]
fn monotonic_ms() -> u64 {
    use std::{sync::OnceLock, time::Instant};
    static BEGAN: OnceLock<(u64, Instant)> = OnceLock::new();
    let (uptime_ms, began) = BEGAN.get_or_init(|| (sysinfo::System::uptime().unwrap_or(0) * 1000, Instant::now()));
    uptime_ms + began.elapsed().as_millis() as u64
}

/// Names one start of the machine.
fn machine_start() -> String {
    let from_kernel = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let rounded = || format!("started-{}", sysinfo::System::boot_time().unwrap_or(0) / 60);
    from_kernel.map(|id| id.trim().to_owned()).unwrap_or_else(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(latest: u64, anchor: Option<(&str, i64)>) -> Site {
        let mut site = Site::new("s1".parse().unwrap());
        site.latest = SiteMs(latest);
        site.anchor = anchor.map(|(machine, offset_ms)| ClockAnchor { machine: machine.to_owned(), offset_ms });
        site
    }

    #[test]
    fn the_timeline_goes_on_where_the_rule_says() {
        // latest, anchor, last wall, machine now, monotonic now, wall now -> at, restarted, implausible
        let rows = [
            (5_000, None, 0, "a", 900, 99, 5_000, false, false),
            (5_000, Some(("a", 1_000)), 0, "a", 9_000, -5, 10_000, false, false), // same start: wall time is not asked
            (5_000, Some(("a", 1_000)), 0, "b", 10, 3_000, 8_000, true, false),   // machine restarted: 3 s by wall time
            (5_000, Some(("a", 1_000)), 0, "b", 10, 3_600_000, 3_605_000, true, false),
            (5_000, Some(("a", 1_000)), 0, "b", 10, 3_600_001, 5_000, true, true), // not believed: nobody loses time
            (5_000, Some(("a", 1_000)), 0, "b", 10, -1, 5_000, true, true),
        ];
        for (latest, anchor, last_wall, machine, mono, wall, at, restarted, implausible) in rows {
            let (clock, gap) =
                SiteClock::resume_at(&site(latest, anchor), WallMs(last_wall), machine.to_owned(), mono, WallMs(wall));
            assert_eq!(timeline(clock.anchor.offset_ms, mono), SiteMs(at));
            assert_eq!((gap.machine_restarted, gap.implausible), (restarted, implausible));
        }
    }

    #[test]
    fn the_clock_never_runs_backwards() {
        let (clock, _) = SiteClock::resume(&site(7, None), WallMs(0));
        let first = clock.now().at;
        assert!(first >= SiteMs(7));
        assert!(clock.now().at >= first);
    }
}
