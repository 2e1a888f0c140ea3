//! `exam-promises`: reads `tests/promises.toml` beside what a run left behind (test results, the rigs' reports, the simulator's, the
//! bench's) and writes one report that marks every promise. Never marks proven what did not run.

mod evidence;
mod mark;

use anyhow::{Context, Result};
use clap::Parser;
use evidence::Evidence;
use mark::{Judged, Mark, Promise, judge};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};

/// Marks every promise by what a run left behind.
#[derive(Parser, Debug)]
#[command(
    name = "exam-promises",
    version,
    after_help = "Exit codes: 0 nothing is broken, 1 a promise is, 2 wrong use."
)]
struct Options {
    /// The checkout: its tests/promises.toml, and the sources the tests are named by.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Folder of a run: tests.txt, rigs/*.json, sim.json, bench.json; what is not there did not run.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// The commit that ran, as it will stand in the report.
    #[arg(long, default_value = "unknown")]
    commit: String,
    /// Where the report goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match report(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("exam-promises: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the report. Returns whether nothing is broken.
fn report(options: &Options) -> Result<bool> {
    let named = options.root.join("tests").join("promises.toml");
    let text = fs::read_to_string(&named).with_context(|| format!("{}", named.display()))?;
    let promises: BTreeMap<String, Promise> = toml::from_str(&text).with_context(|| format!("{}", named.display()))?;
    let evidence = Evidence::read(&options.run)?;
    let judged: BTreeMap<&str, Judged<'_>> =
        promises.iter().map(|(id, promise)| (id.as_str(), judge(promise, &evidence, &options.root))).collect();
    let mut ids: Vec<_> = judged.keys().copied().collect();
    ids.sort_by_key(|id| id.trim_start_matches('P').parse::<u32>().unwrap_or(u32::MAX));
    eprintln!("\n{:<5} {:<8} promise", "", "mark");
    for id in &ids {
        let Judged { promise, mark, counts, why, .. } = &judged[id];
        eprintln!("{id:<5} {:<8} {}: {counts}", mark.word(), promise.promise);
        why.iter().for_each(|why| eprintln!("{:14} {why}", ""));
    }
    let (passed, failed) = evidence.test_counts();
    let whole = json!({
        "commit": options.commit,
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "promises": ids.iter().map(|id| judged[id].as_json(id)).collect::<Vec<Value>>(),
        "tests": { "passed": passed, "failed": failed },
        "rigs": evidence.rigs,
        "simulator": evidence.simulator,
        "bench": evidence.bench,
    });
    fs::write(&options.out, format!("{}\n", serde_json::to_string_pretty(&whole)?))
        .with_context(|| format!("{}", options.out.display()))?;
    eprintln!("report: {}", options.out.display());
    Ok(judged.values().all(|judged| judged.mark != Mark::Broken))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::tests_of;

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn promises() -> BTreeMap<String, Promise> {
        toml::from_str(&fs::read_to_string(root().join("tests/promises.toml")).unwrap()).unwrap()
    }

    #[test]
    fn every_promise_has_an_entry_with_evidence_that_exists() {
        let promises = promises();
        let ids: Vec<String> = (1..=19).map(|n| format!("P{n}")).collect();
        assert!(ids.iter().all(|id| promises.contains_key(id)) && promises.len() == ids.len());
        for (id, promise) in &promises {
            let nothing = promise.tests.is_empty() && promise.rigs.is_empty() && promise.seeds == 0;
            assert!(!nothing || promise.missing.is_some(), "{id} names neither evidence nor what is missing");
            for test in &promise.tests {
                assert!(tests_of(&root(), test).is_ok_and(|names| !names.is_empty()), "{id} names {test}");
            }
            for rig in promise.rigs.keys() {
                let source = root().join("tests/rigs/src/rig").join(format!("{}.rs", rig.replace('-', "_")));
                assert!(source.is_file(), "{id} names the rig {rig}");
            }
        }
    }
}
