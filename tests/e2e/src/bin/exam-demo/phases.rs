//! What people see while the demo runs: one line a phase, Chinese first, with its time. Never writes to stdout.

use anyhow::Result;
use std::{collections::BTreeMap, time::Instant};

/// A phase: its key in `summary.json`, and its names for people.
#[derive(Clone, Copy)]
pub(crate) struct Phase {
    /// Key in `summary.json`.
    pub(crate) key: &'static str,
    /// 中文.
    pub(crate) zh: &'static str,
    /// English.
    pub(crate) en: &'static str,
}

/// The clock of the whole demo.
pub(crate) struct Phases {
    begun: Instant,
    seconds: BTreeMap<&'static str, f64>,
}

impl Phases {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), seconds: BTreeMap::new() }
    }

    /// Runs a phase and says what came of it; `run` returns the remark at the end of its line.
    pub(crate) fn run(&mut self, phase: Phase, run: impl FnOnce(&Self) -> Result<String>) -> Result<()> {
        let begun = Instant::now();
        let remark = run(self).inspect_err(|_| self.line("✗", &format!("{} {}", phase.zh, phase.en)))?;
        let took = begun.elapsed().as_secs_f64();
        self.seconds.insert(phase.key, (took * 1000.0).round() / 1000.0);
        self.line("✓", &format!("{} {}  {took:.1} s  {remark}", phase.zh, phase.en));
        Ok(())
    }

    /// A line within a phase.
    pub(crate) fn note(&self, text: &str) {
        self.line("·", text);
    }

    /// Seconds of every phase so far, and of the whole.
    pub(crate) fn seconds(&self) -> BTreeMap<&'static str, f64> {
        let mut seconds = self.seconds.clone();
        seconds.insert("total", (self.begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0);
        seconds
    }

    fn line(&self, sign: &str, text: &str) {
        eprintln!("[{:6.1} s] {sign} {}", self.begun.elapsed().as_secs_f64(), text.trim_end());
    }
}
