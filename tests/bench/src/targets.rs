//! What is to be reached, and whether it was. The one list of targets; a larger report takes it as it is.

use crate::{
    figures::{Figure, short},
    run::{CAMPUS, ROOM},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

/// A figure, or its ratio to another of the same run, on the right side of a limit.
#[derive(Clone, Copy)]
struct Target {
    name: &'static str,
    ours: &'static str,
    /// The machine's own figure; none for a target in plain units.
    beside: Option<&'static str>,
    at_most: bool,
    limit: f64,
    /// Only for rooms of this size.
    seats: Option<u16>,
    /// Every round has to reach it, not only half of them.
    always: bool,
}

const fn plain(name: &'static str, ours: &'static str, limit: f64) -> Target {
    Target { name, ours, beside: None, at_most: true, limit, seats: None, always: false }
}

impl Target {
    const fn over(self, beside: &'static str) -> Self {
        Self { beside: Some(beside), ..self }
    }

    const fn at_least(self) -> Self {
        Self { at_most: false, ..self }
    }

    const fn of(self, seats: u16) -> Self {
        Self { seats: Some(seats), ..self }
    }

    const fn always(self) -> Self {
        Self { always: true, ..self }
    }
}

const TARGETS: &[Target] = &[
    plain("durable acks a second, closed loop, share of bare group commit", "ours_acks_per_s", 0.6)
        .over("bare_commit_per_s")
        .at_least(),
    plain("durable acks a second, closed loop", "ours_acks_per_s", 8_000.0).at_least().of(CAMPUS),
    plain("server CPU per ack, times bare group commit", "ours_ack_cpu_us", 1.8).over("bare_commit_cpu_us"),
    plain("paced ack p99, ms", "ours_paced_p99_ms", 5.0).of(ROOM),
    plain("paced ack p99, ms", "ours_paced_p99_ms", 10.0).of(CAMPUS),
    plain("paced ack p99, ms", "ours_paced_p99_ms", 30.0).of(2_000),
    plain("everybody signed in, ms", "ours_sign_in_all_ms", 1_500.0).of(CAMPUS),
    plain("everybody signed in, ms", "ours_sign_in_all_ms", 6_000.0).of(2_000),
    // Of a campus: forty sign-ins take a few of the kernel's ticks of 10 ms.
    plain("server CPU per sign-in, times bare mTLS handshake", "ours_sign_in_cpu_us", 2.0)
        .over("bare_handshake_cpu_us")
        .of(CAMPUS),
    plain("unlock to open paper p99, ms", "ours_start_p99_ms", 500.0).of(CAMPUS),
    plain("prefetch of 20 MB at every seat, share of bare bulk", "ours_prefetch_mib_per_s", 0.7)
        .over("bare_prefetch_mib_per_s")
        .at_least()
        .of(ROOM),
    plain("ack p99 beside the prefetch, times without", "ours_beside_prefetch_p99_ms", 2.0)
        .over("ours_without_prefetch_p99_ms")
        .of(ROOM),
    plain("saved again after kill -9, p99, ms (P13)", "ours_again_p99_ms", 5_000.0).of(ROOM),
    plain("saved again after kill -9, all, ms", "ours_again_all_ms", 5_000.0).of(CAMPUS),
    plain("saved again after kill -9, all, every round, ms (P13)", "ours_again_all_ms", 10_000.0).of(CAMPUS).always(),
    plain("cold start with 500 answers a seat, ms (P13)", "ours_cold_start_ms", 3_000.0).of(ROOM),
    plain("cold start, facts a second read, checked and replayed", "ours_replay_facts_per_s", 200_000.0)
        .at_least()
        .of(ROOM),
    plain("cold start, facts a second, the process's start included", "ours_cold_start_facts_per_s", 200_000.0)
        .at_least()
        .of(ROOM),
    plain("memory per connected seat, KiB", "ours_kib_per_seat", 97.6).of(CAMPUS),
    plain("memory of the idle server, MiB", "ours_idle_mib", 60.0),
    // A KiB a sign-in: a thirtieth of what one forgotten connection would keep.
    plain("memory grown from the 2,000th to the 10,000th sign-in, MiB", "ours_growth_mib", 8.0).of(CAMPUS),
    plain("40 staff sign on at once, ms (P16)", "ours_logins_all_ms", 2_000.0).of(ROOM),
    plain("memory they leave, MiB", "ours_logins_growth_mib", 70.0).of(ROOM),
    plain("commits per save, every seat busy", "ours_commits_per_save_busy", 0.2).of(ROOM),
    plain("flushes per save, one seat", "ours_flushes_per_save_one", 1.0).of(ROOM),
    plain("paced ack p99 with every flush 5 ms slower, ms", "ours_slow_flush_p99_ms", 15.0).of(ROOM),
    plain("frozen for 0.6 s while all connect: all in after waking, ms", "ours_frozen_all_ms", 1_500.0).of(CAMPUS),
    plain("datagrams the server had no room for, lean seats", "ours_udp_drops", 0.0).always(),
    plain("datagrams the server had no room for, whole candidates", "ours_candidates_udp_drops", 0.0).always(),
    plain("export with 60 answers a seat and 50 MB of files, ms", "ours_full_export_ms", 10_000.0).of(CAMPUS),
    // Files, journal, zip and sealed file are in memory at once, and the files twice.
    plain("memory of that export, times its bundle", "ours_full_export_growth_mib", 6.0)
        .over("ours_full_bundle_mib")
        .of(CAMPUS),
];

/// A target, and what was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) seats: u16,
    pub(crate) name: &'static str,
    pub(crate) limit: f64,
    pub(crate) at_most: bool,
    /// What is held against the limit: ours, or its ratio to what it is measured beside.
    pub(crate) measured: f64,
    pub(crate) ours: f64,
    pub(crate) beside: Option<f64>,
    pub(crate) ratio: Option<f64>,
    pub(crate) met: bool,
    pub(crate) rounds: usize,
}

/// Every target that this run can speak to.
pub(crate) fn verdicts(seats: u16, figures: &BTreeMap<String, Figure>) -> Vec<Verdict> {
    let right_size = |target: &&Target| target.seats.is_none_or(|only| only == seats);
    TARGETS.iter().filter(right_size).filter_map(|target| judge(*target, seats, figures)).collect()
}

fn judge(target: Target, seats: u16, figures: &BTreeMap<String, Figure>) -> Option<Verdict> {
    let Target { name, ours, beside, at_most, limit, always, .. } = target;
    let figure = figures.get(ours)?;
    let ours = if always { figure.most } else { figure.median };
    let beside = match beside {
        Some(beside) => Some(figures.get(beside)?.median).filter(|beside| *beside > 0.0),
        None => None,
    };
    if target.beside.is_some() && beside.is_none() {
        return None;
    }
    let ratio = beside.map(|beside| ours / beside);
    let measured = ratio.unwrap_or(ours);
    let met = if at_most { measured <= limit } else { measured >= limit };
    Some(Verdict { seats, name, limit, at_most, measured, ours, beside, ratio, met, rounds: figure.rounds })
}

/// Verdicts for people.
pub(crate) fn verdict_table(verdicts: &[Verdict]) -> String {
    let mut text = "| seats | target | limit | measured | rounds | |\n|---|---|---|---|---|---|\n".to_owned();
    for Verdict { seats, name, limit, at_most, measured, met, rounds, .. } in verdicts {
        let (side, word) = (if *at_most { "≤" } else { "≥" }, if *met { "met" } else { "**not met**" });
        let _ = writeln!(text, "| {seats} | {name} | {side} {limit} | {} | {rounds} | {word} |", short(*measured));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::settled;

    #[test]
    fn a_target_is_met_on_its_side_only_and_of_the_right_room() {
        let met = |acks: f64, p99: f64| {
            let (acks, p99) = ([acks], [p99]);
            let figures =
                settled(&[("ours_acks_per_s", &acks), ("bare_commit_per_s", &[100.0]), ("ours_paced_p99_ms", &p99)]);
            verdicts(40, &figures).iter().map(|verdict| verdict.met).collect::<Vec<_>>()
        };
        assert_eq!(met(60.0, 5.0), [true, true]);
        assert_eq!(met(59.9, 5.1), [false, false]);
        assert!(verdicts(40, &settled(&[("ours_acks_per_s", &[1.0])])).is_empty(), "no ratio without a limit");
    }

    #[test]
    fn one_drop_in_many_rounds_is_a_drop() {
        let met = |drops: &[f64]| verdicts(40, &settled(&[("ours_udp_drops", drops)]))[0].met;
        assert!(met(&[0.0, 0.0, 0.0]));
        assert!(!met(&[0.0, 1.0, 0.0]));
    }
}
