//! What a process has used, as the system counts it. Linux only; elsewhere these figures are left out.

use anyhow::{Context, Result};
use std::{collections::BTreeMap, fs};

/// A look at one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    /// Processor time, seconds.
    pub(crate) cpu_s: f64,
    /// Resident now, KiB.
    pub(crate) resident_kib: f64,
    /// Resident at most, KiB.
    pub(crate) peak_kib: f64,
}

/// Looks at a process.
pub(crate) fn used(pid: u32) -> Result<Used> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the system shows no process figures")?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
    };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    Ok(Used { cpu_s: cpu_s(&stat), resident_kib: kib("VmRSS:"), peak_kib: kib("VmHWM:") })
}

/// From now on the peak is that of what follows.
pub(crate) fn forget_peak(pid: u32) -> Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("the system does not forget a peak")
}

/// Processor seconds of each thread's name.
pub(crate) fn by_thread(pid: u32) -> BTreeMap<String, f64> {
    let mut seconds: BTreeMap<String, f64> = BTreeMap::new();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for stat in tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok()) {
        let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("?", |(name, _)| name);
        *seconds.entry(name.to_owned()).or_default() += cpu_s(&stat);
    }
    seconds
}

/// User and system time of a `stat` line: fields 14 and 15, counted behind the name.
fn cpu_s(stat: &str) -> f64 {
    let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = behind.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_use_is_seen() {
        let sum: u64 = (0..20_000_000_u64).map(std::hint::black_box).sum();
        let ours = used(std::process::id()).unwrap();
        assert!(sum > 0 && ours.peak_kib >= ours.resident_kib && ours.resident_kib > 500.0, "{ours:?}");
        let stat = "7 (a b) c) S 1 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0";
        assert!((cpu_s(stat) * rustix::param::clock_ticks_per_second() as f64 - 300.0).abs() < 1e-6);
    }
}
