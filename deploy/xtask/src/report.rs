//! What was checked, and what came of it: the table at the end of `cargo xtask test`.
//! Never counts a check that did not run as passed.

use std::time::{Duration, Instant};

/// What became of one step.
pub(crate) enum Outcome {
    /// So many checks passed.
    Passed(u64),
    /// Some checks of the step passed, some failed.
    Failed {
        /// Checks that passed all the same.
        passed: u64,
        /// Checks that failed, at least one.
        failed: u64,
    },
    /// Could not be checked here.
    Skipped(String),
}

impl Outcome {
    /// One check that went well or not.
    pub(crate) fn of(well: bool) -> Self {
        if well { Outcome::Passed(1) } else { Outcome::Failed { passed: 0, failed: 1 } }
    }
}

struct Row {
    step: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// The table.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Announces a step, runs it, notes what came of it.
    pub(crate) fn step(&mut self, step: &'static str, run: impl FnOnce() -> Outcome) {
        eprintln!("\n== {step}");
        let begun = Instant::now();
        let outcome = run();
        self.rows.push(Row { step, outcome, took: begun.elapsed() });
    }

    /// Prints the table and the totals. Returns whether nothing failed.
    pub(crate) fn print(&self) -> bool {
        println!("\n{:<34} {:>8}  result", "step", "seconds");
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        for row in &self.rows {
            let result = match &row.outcome {
                Outcome::Passed(n) => {
                    passed += n;
                    format!("passed {n}")
                }
                Outcome::Failed { passed: p, failed: f } => {
                    passed += p;
                    failed += f;
                    format!("FAILED {f}, passed {p}")
                }
                Outcome::Skipped(why) => {
                    skipped += 1;
                    format!("skipped: {why}")
                }
            };
            println!("{:<34} {:>8.1}  {result}", row.step, row.took.as_secs_f64());
        }
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        failed == 0
    }
}
