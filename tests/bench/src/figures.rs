//! Figures of many rounds: medians, spread, our share of the limit, and whether a target is met. Judges nothing else.

use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

/// All rounds of one size, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, Vec<f64>>);

/// One name's figures over all rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) rounds: usize,
}

impl Figures {
    pub(crate) fn note(&mut self, name: &str, value: f64) {
        self.0.entry(name.to_owned()).or_default().push(value);
    }

    pub(crate) fn settle(&self) -> BTreeMap<String, Figure> {
        self.0.iter().map(|(name, values)| (name.clone(), Figure::of(values))).collect()
    }
}

impl Figure {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (half, rounds) = (sorted.len() / 2, sorted.len());
        let median = if rounds % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) };
        Self { median, least: sorted[0], most: sorted[rounds - 1], rounds }
    }
}

/// What is to be reached: a figure, or its ratio to another of the same run, on the right side of a limit.
struct Target {
    what: &'static str,
    ours: &'static str,
    /// The machine's own figure; none for a target in plain units.
    limit: Option<&'static str>,
    at_most: bool,
    bound: f64,
    /// Only for rooms of this size.
    seats: Option<u16>,
}

const fn ratio(what: &'static str, ours: &'static str, limit: &'static str, at_most: bool, bound: f64) -> Target {
    Target { what, ours, limit: Some(limit), at_most, bound, seats: None }
}

const fn most(what: &'static str, ours: &'static str, bound: f64, seats: Option<u16>) -> Target {
    Target { what, ours, limit: None, at_most: true, bound, seats }
}

const TARGETS: &[Target] = &[
    ratio(
        "durable acks/s, closed loop, share of bare group commit",
        "ours_acks_per_s",
        "bare_commit_per_s",
        false,
        0.6,
    ),
    ratio("server CPU per ack, times bare group commit", "ours_ack_cpu_us", "bare_commit_cpu_us", true, 1.8),
    ratio(
        "server CPU per sign-in, times bare mTLS handshake",
        "ours_sign_in_cpu_us",
        "bare_handshake_cpu_us",
        true,
        2.0,
    ),
    most("paced ack p99, ms (40 seats)", "ours_paced_p99_ms", 5.0, Some(40)),
    most("paced ack p99, ms (500 seats)", "ours_paced_p99_ms", 10.0, Some(500)),
    most("paced ack p99, ms (2000 seats)", "ours_paced_p99_ms", 30.0, Some(2_000)),
    most("everybody signed in, ms (500 seats)", "ours_sign_in_all_ms", 1_500.0, Some(500)),
    most("everybody signed in, ms (2000 seats)", "ours_sign_in_all_ms", 6_000.0, Some(2_000)),
    most("unlock to open paper p99, ms", "ours_start_p99_ms", 500.0, None),
    most("saved again after kill -9 and restart, ms", "ours_again_all_ms", 5_000.0, None),
    most("memory per connected seat, KiB", "ours_kib_per_seat", 100.0, None),
    most("memory of the idle server, MiB", "ours_idle_mib", 60.0, None),
    most("export, ms", "ours_export_ms", 10_000.0, None),
];

/// A target, and what was reached.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) seats: u16,
    pub(crate) what: &'static str,
    pub(crate) reached: f64,
    pub(crate) bound: f64,
    pub(crate) at_most: bool,
    pub(crate) met: bool,
}

/// Every target that this run can speak to.
pub(crate) fn verdicts(seats: u16, figures: &BTreeMap<String, Figure>) -> Vec<Verdict> {
    let median = |name: &str| figures.get(name).map(|figure| figure.median);
    let judge = |target: &Target| {
        let ours = median(target.ours)?;
        let reached = match target.limit {
            Some(limit) => ours / median(limit).filter(|limit| *limit > 0.0)?,
            None => ours,
        };
        let met = if target.at_most { reached <= target.bound } else { reached >= target.bound };
        let Target { what, at_most, bound, .. } = *target;
        Some(Verdict { seats, what, reached, bound, at_most, met })
    };
    TARGETS.iter().filter(|target| target.seats.is_none_or(|only| only == seats)).filter_map(judge).collect()
}

/// For people, and for `DESIGN.md`.
pub(crate) fn table(of: &str, figures: &BTreeMap<String, Figure>) -> String {
    let mut text = format!("| {of} | median | least | most | rounds |\n|---|---|---|---|---|\n");
    for (name, Figure { median, least, most, rounds }) in figures {
        let _ = writeln!(text, "| {name} | {} | {} | {} | {rounds} |", short(*median), short(*least), short(*most));
    }
    text
}

/// Verdicts for people.
pub(crate) fn verdict_table(verdicts: &[Verdict]) -> String {
    let mut text = "| seats | target | bound | reached | |\n|---|---|---|---|---|\n".to_owned();
    for Verdict { seats, what, reached, bound, at_most, met } in verdicts {
        let (side, word) = (if *at_most { "≤" } else { "≥" }, if *met { "met" } else { "**not met**" });
        let _ = writeln!(text, "| {seats} | {what} | {side} {bound} | {} | {word} |", short(*reached));
    }
    text
}

fn short(value: f64) -> String {
    match value {
        v if v >= 1_000.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(pairs: &[(&str, &[f64])]) -> BTreeMap<String, Figure> {
        let mut figures = Figures::default();
        pairs.iter().for_each(|(name, values)| values.iter().for_each(|value| figures.note(name, *value)));
        figures.settle()
    }

    #[test]
    fn the_median_is_the_middle_and_the_spread_its_ends() {
        let figures = settled(&[("a", &[3.0, 1.0, 9.0]), ("b", &[4.0, 2.0])]);
        assert_eq!(figures["a"], Figure { median: 3.0, least: 1.0, most: 9.0, rounds: 3 });
        assert!((figures["b"].median - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_target_is_met_on_its_side_only_and_of_the_right_room() {
        let met = |acks: f64, p99: f64| {
            let acks = [acks];
            let p99 = [p99];
            let figures =
                settled(&[("ours_acks_per_s", &acks), ("bare_commit_per_s", &[100.0]), ("ours_paced_p99_ms", &p99)]);
            verdicts(40, &figures).iter().map(|verdict| verdict.met).collect::<Vec<_>>()
        };
        assert_eq!(met(60.0, 5.0), [true, true]);
        assert_eq!(met(59.9, 5.1), [false, false]);
        assert!(verdicts(40, &settled(&[("ours_acks_per_s", &[1.0])])).is_empty(), "no ratio without a limit");
    }
}
