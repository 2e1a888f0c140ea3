//! One promise and what its evidence says. Never better than the weakest of it.

use crate::evidence::Evidence;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// An entry of `tests/promises.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promise {
    pub(crate) promise: String,
    pub(crate) number: String,
    /// Rig → rounds it must have run.
    #[serde(default)]
    pub(crate) rigs: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) tests: Vec<String>,
    /// Of the simulator.
    #[serde(default)]
    pub(crate) seeds: u64,
    #[serde(default)]
    pub(crate) seats: u64,
    /// What nothing shows yet.
    #[serde(default)]
    pub(crate) missing: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Proven,
    NotYet,
    Broken,
}

impl Mark {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mark::Proven => "proven",
            Mark::NotYet => "not yet",
            Mark::Broken => "BROKEN",
        }
    }
}

/// A promise with its mark.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) promise: &'a Promise,
    pub(crate) mark: Mark,
    /// What ran, in words.
    pub(crate) counts: String,
    /// What keeps it from a better mark.
    pub(crate) why: Vec<String>,
    ran: Value,
}

impl Judged<'_> {
    pub(crate) fn as_json(&self, id: &str) -> Value {
        json!({
            "id": id, "promise": self.promise.promise, "number": self.promise.number, "mark": self.mark.word(),
            "ran": self.ran, "why": self.why,
        })
    }
}

/// The mark so far, and why it is no better.
struct Verdict {
    mark: Mark,
    why: Vec<String>,
}

impl Verdict {
    fn add(&mut self, mark: Mark, why: String) {
        self.mark = self.mark.max(mark);
        self.why.push(why);
    }
}

/// Marks a promise.
pub(crate) fn judge<'a>(promise: &'a Promise, evidence: &Evidence, root: &Path) -> Judged<'a> {
    let mut verdict = Verdict { mark: Mark::Proven, why: Vec::new() };
    let mut counts = Vec::new();
    if let Some(missing) = &promise.missing {
        verdict.add(Mark::NotYet, missing.clone());
    }
    let rigs = judge_rigs(promise, evidence, &mut verdict, &mut counts);
    let seeds = judge_seeds(promise, evidence, &mut verdict, &mut counts);
    let passed = judge_tests(promise, evidence, root, &mut verdict, &mut counts);
    let ran = json!({ "rigs": rigs, "seeds": seeds, "tests": passed });
    Judged { promise, mark: verdict.mark, counts: counts.join(", "), why: verdict.why, ran }
}

fn judge_rigs(
    promise: &Promise,
    evidence: &Evidence,
    verdict: &mut Verdict,
    counts: &mut Vec<String>,
) -> BTreeMap<String, u64> {
    let mut rounds = BTreeMap::new();
    for (name, wanted) in &promise.rigs {
        let Some(report) = evidence.rigs.get(name) else {
            verdict.add(Mark::NotYet, format!("the rig {name} did not run"));
            continue;
        };
        rounds.insert(name.clone(), report.rounds);
        counts.push(format!("{name} {} of {wanted} rounds (seed {})", report.rounds, report.seed));
        if let Some(why) = &report.skipped {
            verdict.add(Mark::NotYet, format!("the rig {name} was skipped: {why}"));
        } else if !report.ok {
            let first = report.problems.first().map_or("its control was not found out", String::as_str);
            verdict.add(Mark::Broken, format!("the rig {name} failed: {first}"));
        } else if let Some(over) = report.over.first() {
            verdict.add(Mark::NotYet, format!("the rig {name} exceeded a number: {over}"));
        } else if report.rounds < *wanted {
            verdict.add(Mark::NotYet, format!("the rig {name} ran {} of {wanted} rounds", report.rounds));
        }
    }
    rounds
}

fn judge_seeds(promise: &Promise, evidence: &Evidence, verdict: &mut Verdict, counts: &mut Vec<String>) -> u64 {
    let Promise { seeds: wanted, seats, .. } = promise;
    if *wanted == 0 {
        return 0;
    }
    let Some(simulated) = &evidence.simulator else {
        verdict.add(Mark::NotYet, format!("the simulator did not run with {seats} seats"));
        return 0;
    };
    counts.push(format!("{} of {wanted} seeds of {} seats", simulated.seeds, simulated.seats));
    if !simulated.failed.is_empty() {
        verdict.add(Mark::Broken, format!("seeds that did not hold: {:?}", simulated.failed));
    }
    if simulated.seeds < *wanted || simulated.seats < *seats {
        verdict
            .add(Mark::NotYet, format!("{} of {wanted} seeds, {} of {seats} seats", simulated.seeds, simulated.seats));
    }
    simulated.seeds
}

fn judge_tests(
    promise: &Promise,
    evidence: &Evidence,
    root: &Path,
    verdict: &mut Verdict,
    counts: &mut Vec<String>,
) -> u64 {
    let mut passed = 0;
    for test in &promise.tests {
        let names = match tests_of(root, test) {
            Ok(names) => names,
            Err(error) => {
                verdict.add(Mark::Broken, format!("{error:#}"));
                continue;
            }
        };
        for name in names {
            let module = name.strip_suffix("::*");
            let results =
                module.map_or_else(|| evidence.test(&name).into_iter().collect(), |module| evidence.module(module));
            passed += results.iter().filter(|well| **well).count() as u64;
            if results.is_empty() {
                verdict.add(Mark::NotYet, format!("{name} did not run"));
            } else if results.contains(&false) {
                verdict.add(Mark::Broken, format!("{name} failed"));
            }
        }
    }
    if !promise.tests.is_empty() {
        counts.push(format!("{passed} tests"));
    }
    passed
}

/// Names of the tests an entry means: `file::name`, `file::*` for all test functions in a file, `file::module::*` for tests that a macro
/// makes in that module.
///
/// # Errors
/// No such file, or no such test in it.
pub(crate) fn tests_of(root: &Path, entry: &str) -> Result<Vec<String>> {
    let (file, rest) = entry.split_once("::").with_context(|| format!("{entry} names no test"))?;
    let text = fs::read_to_string(root.join(file)).with_context(|| format!("{entry}: {file} cannot be read"))?;
    let all = functions(&text);
    match rest.split_once("::") {
        _ if rest == "*" => Ok(all),
        None if all.iter().any(|name| name == rest) => Ok(vec![rest.to_owned()]),
        Some((module, "*")) if text.contains(&format!("mod {module} ")) => Ok(vec![rest.to_owned()]),
        _ => bail!("{entry}: there is no such test"),
    }
}

/// Functions that stand under a test attribute.
fn functions(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            if marked {
                names.extend(rest.split('(').next().map(str::to_owned));
            }
            marked = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(text: &str) -> Promise {
        toml::from_str(&format!("promise = 'p'\nnumber = 'n'\n{text}")).unwrap()
    }

    fn evidence(ok: bool, rounds: u64, skipped: Option<&str>) -> Evidence {
        ran(ok, rounds, skipped, &[])
    }

    fn ran(ok: bool, rounds: u64, skipped: Option<&str>, over: &[&str]) -> Evidence {
        let report = json!([{
            "rig": "kill", "seed": 1, "rounds": rounds, "rounds_wanted": 9, "seconds": 2, "ok": ok, "control_found": true,
            "skipped": skipped, "problems": [], "over": over, "figures": {},
        }]);
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("rigs")).unwrap();
        fs::write(dir.path().join("rigs/kill.json"), report.to_string()).unwrap();
        fs::write(dir.path().join("tests.txt"), "test a::good_one ... ok\ntest bad_one ... FAILED\n").unwrap();
        Evidence::read(dir.path()).unwrap()
    }

    fn mark(text: &str, evidence: &Evidence) -> Mark {
        judge(&promise(text), evidence, Path::new("/")).mark
    }

    #[test]
    fn a_promise_is_proven_only_by_all_of_its_rounds() {
        let kill = "rigs = { kill = 5 }";
        for (ok, rounds, skipped, wanted) in [
            (true, 5, None, Mark::Proven),
            (true, 4, None, Mark::NotYet),
            (false, 5, None, Mark::Broken),
            (false, 0, Some("no root"), Mark::NotYet),
        ] {
            assert_eq!(mark(kill, &evidence(ok, rounds, skipped)), wanted, "{ok} {rounds} {skipped:?}");
        }
        assert_eq!(mark(kill, &ran(true, 5, None, &["p99 of 2 s"])), Mark::NotYet);
        let whole = evidence(true, 5, None);
        assert_eq!(mark("rigs = { flood = 1 }", &whole), Mark::NotYet);
        assert_eq!(mark("rigs = { kill = 5 }\nmissing = 'the other half'", &whole), Mark::NotYet);
        assert_eq!(mark("seeds = 3\nseats = 4", &whole), Mark::NotYet);
    }

    #[test]
    fn a_test_that_failed_breaks_and_one_that_did_not_run_proves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let source =
            "#[test]\nfn good_one() {}\n#[test]\nfn bad_one() {}\n#[tokio::test]\nasync fn absent() {}\nfn none() {}\n";
        fs::write(dir.path().join("t.rs"), source).unwrap();
        let evidence = evidence(true, 5, None);
        let mark = |test: &str| {
            let text = format!("tests = ['{test}']");
            judge(&promise(&text), &evidence, dir.path()).mark
        };
        assert_eq!(mark("t.rs::good_one"), Mark::Proven);
        assert_eq!(mark("t.rs::bad_one"), Mark::Broken);
        assert_eq!(mark("t.rs::absent"), Mark::NotYet);
        assert_eq!(mark("t.rs::none"), Mark::Broken, "no test function");
        assert_eq!(mark("t.rs::*"), Mark::Broken);
        assert_eq!(tests_of(dir.path(), "t.rs::*").unwrap(), ["good_one", "bad_one", "absent"]);
    }
}
