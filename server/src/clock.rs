//! The exam clock: a timeline in milliseconds that only moves forward, across restarts too (DESIGN §5).
//! Reads the machine's monotonic clock for rules, wall time only for display. Wall clocks may jump as they like.

use exam_protocol::time::{Now, SiteMs, WallMs, minutes};
use exam_room::{Site, rules::founding::ClockAnchor};
use std::{fmt, sync::Arc};

/// After a restart of the whole machine only wall time can measure the gap; more than this is not believed (HB-27 gives a
/// power cut 60 minutes), because a wrong clock must not end an exam.
pub const WALL_GAP_BELIEVED_MS: u64 = minutes(60);

/// The clocks of the machine under the server. There is one real one; a rig brings its own.
pub trait MachineClock: fmt::Debug + Send + Sync {
    /// Names one start of the machine: readings of the monotonic clock compare within it only.
    fn start_name(&self) -> String;

    /// Milliseconds since the machine started, sleep included; the same for every process of one machine start.
    fn monotonic_ms(&self) -> u64;

    /// Wall time, right or wrong.
    fn wall(&self) -> WallMs;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl MachineClock for SystemClock {
    fn start_name(&self) -> String {
        machine_start()
    }

    fn monotonic_ms(&self) -> u64 {
        monotonic_ms()
    }

    fn wall(&self) -> WallMs {
        wall_now()
    }
}

/// The site's clock in this process.
#[derive(Clone, Debug)]
pub struct SiteClock {
    machine: Arc<dyn MachineClock>,
    anchor: ClockAnchor,
    /// What both clocks said at the last fact, when the timeline could be continued exactly.
    before: Option<Now>,
}

/// Notices when wall time moves otherwise than time passes.
#[derive(Clone, Copy, Debug)]
pub struct WallWatch {
    last: Option<Now>,
}

impl WallWatch {
    /// Begins with what the clocks last said, if that is comparable.
    pub fn new(before: Option<Now>) -> Self {
        Self { last: before }
    }

    /// By how much wall time jumped since the last look, and the watch that has seen it. A caller that could not record
    /// the jump keeps the old watch and sees it again.
    pub fn look(self, now: Now) -> (i64, Self) {
        let by_ms = self.last.map_or(0, |last| {
            let passed = i64::try_from(now.at.since(last.at)).unwrap_or(i64::MAX);
            now.wall.0.saturating_sub(last.wall.0).saturating_sub(passed)
        });
        (by_ms, Self { last: Some(now) })
    }
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
        Self::resume_on(Arc::new(SystemClock), site, last_wall)
    }

    /// As [`resume`](Self::resume), on the clocks of `machine`.
    pub fn resume_on(machine: Arc<dyn MachineClock>, site: &Site, last_wall: WallMs) -> (Self, Gap) {
        let (monotonic, wall) = (machine.monotonic_ms(), machine.wall());
        let (anchor, before, gap) = Self::resume_at(site, last_wall, machine.start_name(), monotonic, wall);
        (Self { machine, anchor, before }, gap)
    }

    fn resume_at(
        site: &Site,
        last_wall: WallMs,
        machine: String,
        monotonic: u64,
        wall: WallMs,
    ) -> (ClockAnchor, Option<Now>, Gap) {
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
        let before = continued.map(|_| Now { at: site.latest, wall: last_wall });
        (ClockAnchor { machine, offset_ms }, before, gap)
    }

    /// How this process's timeline rests on the machine's clock: journalled at the start.
    pub fn anchor(&self) -> ClockAnchor {
        self.anchor.clone()
    }

    /// A watch over wall time that also sees a jump made while no server ran.
    pub fn wall_watch(&self) -> WallWatch {
        WallWatch::new(self.before)
    }

    /// Now.
    pub fn now(&self) -> Now {
        Now { at: timeline(self.anchor.offset_ms, self.machine.monotonic_ms()), wall: self.machine.wall() }
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
            let (anchor, _, gap) =
                SiteClock::resume_at(&site(latest, anchor), WallMs(last_wall), machine.to_owned(), mono, WallMs(wall));
            assert_eq!(timeline(anchor.offset_ms, mono), SiteMs(at));
            assert_eq!((gap.machine_restarted, gap.implausible), (restarted, implausible));
        }
    }

    #[test]
    fn a_jump_of_the_wall_clock_is_seen_once_and_a_slow_look_is_none() {
        let now = |at: u64, wall: i64| Now { at: SiteMs(at), wall: WallMs(wall) };
        let day = 24 * 3_600_000;
        // readings, and the jump seen at each
        let rows = [
            (now(0, 1_000_000), 0),
            (now(1_000, 1_001_000), 0),
            (now(61_000, 1_061_000), 0), // the clerk was busy for a minute: both clocks went on
            (now(62_000, 1_062_000 + day), day),
            (now(63_000, 1_063_000 + day), 0),
            (now(64_000, 1_064_000), -day),
            (now(65_000, 1_065_100), 100), // a network time service pulls gently
        ];
        let mut watch = WallWatch::new(None);
        for (reading, jump) in rows {
            let (by_ms, seen) = watch.look(reading);
            assert_eq!(by_ms, jump, "{reading:?}");
            watch = seen;
        }
    }

    #[test]
    fn a_jump_made_while_no_server_ran_is_seen_at_the_first_look() {
        let resume = |machine: &str, wall| {
            let site = site(5_000, Some(("a", 1_000)));
            SiteClock::resume_at(&site, WallMs(700_000), machine.to_owned(), 9_000, WallMs(wall)).1
        };
        let first = |before, wall| WallWatch::new(before).look(Now { at: SiteMs(10_000), wall: WallMs(wall) }).0;
        assert_eq!(first(resume("a", 705_000), 705_000), 0);
        assert_eq!(first(resume("a", 0), 0), -705_000);
        assert_eq!(first(resume("b", 0), 0), 0, "after a restart of the machine nothing but wall time is known");
    }

    #[test]
    fn the_clock_never_runs_backwards() {
        let (clock, _) = SiteClock::resume(&site(7, None), WallMs(0));
        let first = clock.now().at;
        assert!(first >= SiteMs(7));
        assert!(clock.now().at >= first);
    }
}
