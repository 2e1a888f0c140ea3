//! Figures of many rounds: medians and spread. Judges nothing.

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

    /// Rounds so far.
    pub(crate) fn rounds(&self) -> usize {
        self.0.values().map(Vec::len).max().unwrap_or(0)
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

/// For people, and for `DESIGN.md`.
pub(crate) fn table(of: &str, figures: &BTreeMap<String, Figure>) -> String {
    let mut text = format!("| {of} | median | least | most | rounds |\n|---|---|---|---|---|\n");
    for (name, Figure { median, least, most, rounds }) in figures {
        let _ = writeln!(text, "| {name} | {} | {} | {} | {rounds} |", short(*median), short(*least), short(*most));
    }
    text
}

pub(crate) fn short(value: f64) -> String {
    match value {
        v if v >= 1_000.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.3}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn settled(pairs: &[(&str, &[f64])]) -> BTreeMap<String, Figure> {
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
}
