//! What a rig found: one JSON object a rig, one line for people. Never calls a rig good whose control was not found out.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Milliseconds something took, round by round.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<u64>);

impl Times {
    pub(crate) fn add(&mut self, took: std::time::Duration) {
        self.0.push(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }

    pub(crate) fn take(&mut self, others: Times) {
        self.0.extend(others.0);
    }

    pub(crate) fn add_ms(&mut self, ms: u64) {
        self.0.push(ms);
    }

    /// What so many of a hundred did not exceed; none of nothing.
    pub(crate) fn within(&mut self, percent: usize) -> Option<u64> {
        self.0.sort_unstable();
        self.0.get((self.0.len() * percent / 100).min(self.0.len().saturating_sub(1))).copied()
    }

    /// Half of them, almost all, and the longest.
    pub(crate) fn figures(mut self) -> Value {
        let [half, almost_all, longest] = [50, 99, 100].map(|percent| self.within(percent));
        serde_json::json!({ "p50": half, "p99": almost_all, "max": longest })
    }
}

/// One rig's run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) rig: &'static str,
    pub(crate) seed: u64,
    pub(crate) rounds: u64,
    pub(crate) rounds_wanted: u64,
    pub(crate) seconds: u64,
    /// Whether the promise held in every round, and the control was found out.
    pub(crate) ok: bool,
    /// Whether the weakened run was found out, as it must be.
    pub(crate) control_found: bool,
    /// Why it could not run here.
    pub(crate) skipped: Option<String>,
    /// What broke the promise.
    pub(crate) problems: Vec<String>,
    /// Promised numbers that this run exceeded; a busy machine does that too, so the promise is not shown, and not broken.
    pub(crate) over: Vec<String>,
    pub(crate) figures: BTreeMap<&'static str, Value>,
}

/// Problems that are listed; more say nothing new.
const PROBLEMS_MAX: usize = 20;

impl Report {
    pub(crate) fn new(rig: &'static str, seed: u64, rounds_wanted: u64) -> Self {
        let (problems, over, figures) = Default::default();
        let (rounds, seconds, ok, control_found, skipped) = (0, 0, false, false, None);
        Self { rig, seed, rounds, rounds_wanted, seconds, ok, control_found, skipped, problems, over, figures }
    }

    pub(crate) fn skip(mut self, why: impl Into<String>) -> Self {
        self.skipped = Some(why.into());
        self
    }

    pub(crate) fn figure(&mut self, name: &'static str, value: impl Into<Value>) {
        self.figures.insert(name, value.into());
    }

    pub(crate) fn problem(&mut self, what: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(what.into());
        }
    }

    /// Notes a problem unless `holds`.
    pub(crate) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.problem(what());
        }
    }

    /// Notes a promised number that was exceeded unless `holds`.
    pub(crate) fn within(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.over.len() < PROBLEMS_MAX {
            self.over.push(what());
        }
    }

    pub(crate) fn judge(&mut self) {
        self.ok = self.skipped.is_none() && self.rounds > 0 && self.control_found && self.problems.is_empty();
    }

    /// Whether it is no failure: good, or not possible here.
    pub(crate) fn is_no_failure(&self) -> bool {
        self.ok || self.skipped.is_some()
    }

    pub(crate) fn in_words(&self) -> String {
        if let Some(why) = &self.skipped {
            return format!("{}: skipped: {why}", self.rig);
        }
        let verdict = if self.ok { "ok" } else { "FAILED" };
        let control = if self.control_found { "found out" } else { "NOT FOUND OUT: the run proves nothing" };
        let figures: Vec<_> = self.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let Self { rig, seed, rounds, rounds_wanted, seconds, .. } = self;
        let mut words = format!(
            "{rig}: {verdict}: seed {seed}, {rounds} of {rounds_wanted} rounds in {seconds} s, control {control}"
        );
        let over = self.over.iter().map(|over| format!("over its number: {over}"));
        for line in figures.into_iter().chain(over).chain(self.problems.iter().cloned()) {
            words.push_str("\n    ");
            words.push_str(&line);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_a_found_control_is_void() {
        let mut report = Report::new("kill", 1, 2);
        report.rounds = 2;
        report.judge();
        assert!(!report.ok);
        report.control_found = true;
        report.judge();
        assert!(report.ok);
        report.problem("an answer was lost");
        report.judge();
        assert!(!report.ok && !report.is_no_failure());
    }

    #[test]
    fn what_could_not_run_is_neither_good_nor_a_failure() {
        let mut report = Report::new("power-cut", 1, 2).skip("needs root");
        report.judge();
        assert!(!report.ok && report.is_no_failure());
        assert!(report.in_words().starts_with("power-cut: skipped: needs root"));
    }

    #[test]
    fn the_longest_of_a_hundred_is_not_the_middle() {
        let mut times = Times::default();
        (1..=100).for_each(|ms| times.add(std::time::Duration::from_millis(ms)));
        assert_eq!(times.figures(), serde_json::json!({ "p50": 51, "p99": 100, "max": 100 }));
    }
}
