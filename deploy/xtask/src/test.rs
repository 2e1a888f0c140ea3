//! `cargo xtask test`: every check this machine can make, one after the other, all in the release profile.
//! Never stops at the first failure: the table at the end shows them all.

use crate::{
    build,
    evidence::{self, Evidence},
    report::{Outcome, Report},
    system,
};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// Seats of one room, and of a campus.
const DEMOS: [(&str, &str); 2] = [("demo, 40 seats", "40"), ("demo, 500 seats", "500")];

/// Seeds of forty seats in a test run; `cargo xtask sim --long` takes 20,000.
const WHOLE_ROOMS: &str = "100";

/// Rigs and what they are called in the table.
const RIGS: [(&str, &str); 9] = [
    ("rig: kill -9", "kill"),
    ("rig: power cut", "power-cut"),
    ("rig: disk full", "disk-full"),
    ("rig: wall clocks", "clock"),
    ("rig: backup", "backup"),
    ("rig: server burnt", "disk-gone"),
    ("rig: bad networks", "network"),
    ("rig: rogue servers", "rogue"),
    ("rig: floods", "flood"),
];

/// Runs everything. Returns whether nothing failed.
pub(crate) fn everything() -> bool {
    let mut report = Report::default();
    report.step("system packages", stock_tools);
    report.step("formatting", || component("fmt", &["fmt", "--all", "--check"]));
    report.step("lints", || {
        component("clippy", &["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"])
    });
    report.step("licences, bans, sources", || component("deny", &["deny", "check", "licenses", "bans", "sources"]));
    report.step("programs", || Outcome::of(build::programs()));
    // The simulator apart: built with it, every program would get its tokio, which can stop time.
    let evidence = Evidence::of_this_commit().cleared();
    report.step("tests", || tests(&["--workspace", "--exclude", "exam-sim"], &evidence));
    report.step("simulator, 20 seeds twice", || tests(&["--package", "exam-sim"], &evidence));
    report.step("simulator, whole rooms", || whole_rooms(&evidence));
    for (step, seats) in DEMOS {
        report.step(step, || demo(seats));
    }
    for (step, name) in RIGS {
        report.step(step, || run_rig(name, &evidence));
    }
    report.step("bench, smoke", || bench(&evidence));
    report.step("promises", || Outcome::of(evidence.report()));
    report.print()
}

/// Every measurement of one room once, as short as it can be. Its times say nothing on a busy machine and fail nothing.
fn bench(evidence: &Evidence) -> Outcome {
    let mut command = build::program("exam-bench");
    command.args(["--commit", &build::commit(), "--seats", "40", "--rounds", "1", "--seconds", "1", "--report"]);
    command.arg(evidence.file("bench.json"));
    Outcome::of(command.status().is_ok_and(|status| status.success()))
}

/// A rig with its report among the evidence.
pub(crate) fn rig(name: &str, evidence: &Evidence) -> Command {
    let mut command = build::program("exam-rig");
    command.arg(name).arg("--report").arg(evidence.file(&format!("rigs/{name}.json")));
    command
}

/// Some seeds of the simulator with forty seats.
fn whole_rooms(evidence: &Evidence) -> Outcome {
    if !build::simulator() {
        return Outcome::of(false);
    }
    let mut command = build::program("exam-sim");
    command.args(["--seeds", WHOLE_ROOMS, "--seats", "40", "--report"]).arg(evidence.file("sim.json"));
    Outcome::of(command.status().is_ok_and(|status| status.success()))
}

/// A rig in the budget of a test run. What it says goes on to the terminal; a rig that cannot run here says why.
fn run_rig(name: &str, evidence: &Evidence) -> Outcome {
    let Ok(mut child) = rig(name, evidence).stderr(Stdio::piped()).spawn() else {
        return Outcome::of(false);
    };
    let mut skipped = None;
    for line in child.stderr.take().into_iter().flat_map(|said| BufReader::new(said).lines().map_while(Result::ok)) {
        eprintln!("{line}");
        skipped = skipped.or_else(|| line.strip_prefix(name)?.strip_prefix(": skipped: ").map(str::to_owned));
    }
    let well = child.wait().is_ok_and(|status| status.success());
    match skipped {
        Some(why) if well => Outcome::Skipped(why),
        _ => Outcome::of(well),
    }
}

fn stock_tools() -> Outcome {
    if system::setup() {
        return Outcome::Passed(1);
    }
    let missing = system::missing_tools().join(", ");
    if missing.is_empty() {
        return Outcome::Skipped("what a rig needs is not installed: that rig is skipped".to_owned());
    }
    Outcome::Skipped(format!("{missing} not installed: the demos leave out what these would check on the bundle"))
}

/// A cargo subcommand that may be missing.
fn component(name: &str, args: &[&str]) -> Outcome {
    let here = build::cargo().args([name, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !here.is_ok_and(|status| status.success()) {
        return Outcome::Skipped(format!("cargo {name} is not installed"));
    }
    Outcome::of(build::cargo().args(args).status().is_ok_and(|status| status.success()))
}

/// All tests of these packages, counted one by one.
fn tests(packages: &[&str], evidence: &Evidence) -> Outcome {
    let mut results = evidence.tests();
    let mut command = build::cargo();
    command.args(["test", "--release", "--no-fail-fast"]).args(packages).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return Outcome::of(false) };
    let (mut passed, mut failed) = (0, 0);
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines().map_while(Result::ok)) {
        println!("{line}");
        evidence::note(results.as_mut(), &line);
        if let Some((p, f)) = counts(&line) {
            passed += p;
            failed += f;
        }
    }
    let well = child.wait().is_ok_and(|status| status.success());
    match (well, failed) {
        (true, 0) => Outcome::Passed(passed),
        // A test program that did not build or died has no result line of its own.
        _ => Outcome::Failed { passed, failed: failed.max(1) },
    }
}

/// Reads `test result: ok. 14 passed; 0 failed; …`.
fn counts(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let number =
        |word: &str| rest.split([';', '.']).find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok());
    Some((number("passed")?, number("failed")?))
}

fn demo(seats: &str) -> Outcome {
    let out = build::target_dir().join("demo").join(format!("{seats}-seats"));
    let mut command = build::program("exam-demo");
    command.args(["--seats", seats, "--out"]).arg(out);
    if system::missing_tools().is_empty() {
        command.arg("--require-stock-tools");
    }
    Outcome::of(command.status().is_ok_and(|status| status.success()))
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn a_result_line_is_counted_and_no_other() {
        let line = "test result: FAILED. 14 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(counts(line), Some((14, 2)));
        assert_eq!(counts("test result_is_ok ... ok"), None);
        assert_eq!(counts("running 7 tests"), None);
    }
}
