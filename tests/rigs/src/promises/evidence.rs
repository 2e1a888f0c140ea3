//! What a run left behind. What is not there did not run; what cannot be read is an error, because a report over half a run would
//! look whole.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// A rig's own report.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RigReport {
    pub(crate) rig: String,
    pub(crate) seed: u64,
    pub(crate) rounds: u64,
    pub(crate) rounds_wanted: u64,
    pub(crate) ok: bool,
    pub(crate) control_found: bool,
    pub(crate) skipped: Option<String>,
    pub(crate) problems: Vec<String>,
    #[serde(default)]
    pub(crate) over: Vec<String>,
    pub(crate) figures: Value,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// The simulator's report, in short.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Simulated {
    pub(crate) seats: u64,
    pub(crate) seeds: u64,
    #[serde(skip_serializing)]
    runs: Vec<Value>,
    /// Seeds that did not hold.
    #[serde(skip_deserializing)]
    pub(crate) failed: Vec<u64>,
    /// Acknowledged answers of all runs.
    #[serde(skip_deserializing)]
    acked: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Test name without its modules, and its name with them → whether it passed wherever it ran.
    tests: BTreeMap<String, bool>,
    passed: u64,
    failed: u64,
    pub(crate) rigs: BTreeMap<String, RigReport>,
    pub(crate) simulator: Option<Simulated>,
    pub(crate) bench: Option<Value>,
}

impl Evidence {
    /// Reads a run's folder.
    ///
    /// # Errors
    /// Something is there and cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut all = Self::default();
        let tests = text(&folder.join("tests.txt"))?.unwrap_or_default();
        tests.lines().for_each(|line| all.test_line(line));
        for file in reports(&folder.join("rigs"))? {
            let told: Vec<RigReport> = parsed(&file)?.unwrap_or_default();
            all.rigs.extend(told.into_iter().map(|report| (report.rig.clone(), report)));
        }
        all.simulator = parsed(&folder.join("sim.json"))?.map(Simulated::counted);
        all.bench = parsed(&folder.join("bench.json"))?;
        Ok(all)
    }

    /// Takes a line of a test program: `test module::name ... ok`.
    pub(crate) fn test_line(&mut self, line: &str) {
        let Some((name, outcome)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else {
            return;
        };
        let name = name.trim_end_matches(" - should panic");
        let well = outcome.starts_with("ok");
        if well {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        let last = name.rsplit("::").next().unwrap_or(name);
        for key in [name, last] {
            let all = self.tests.entry(key.to_owned()).or_insert(true);
            *all &= well;
        }
    }

    /// Whether a test of this name passed wherever it ran; nothing if it did not run.
    pub(crate) fn test(&self, name: &str) -> Option<bool> {
        self.tests.get(name).copied()
    }

    /// Results of all tests of a module.
    pub(crate) fn module(&self, module: &str) -> Vec<bool> {
        let prefix = format!("{module}::");
        self.tests.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(_, well)| *well).collect()
    }

    pub(crate) fn test_counts(&self) -> (u64, u64) {
        (self.passed, self.failed)
    }
}

impl Simulated {
    fn counted(mut self) -> Self {
        let seed = |run: &Value| run["seed"].as_u64().unwrap_or(0);
        self.failed = self.runs.iter().filter(|run| run["well"] != true).map(seed).collect();
        self.acked = self.runs.iter().filter_map(|run| run["figures"]["acked"].as_u64()).sum();
        self
    }
}

fn reports(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                files.push(entry?.path());
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{}", folder.display())),
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

fn text(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{}", file.display())),
    }
}

fn parsed<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<Option<T>> {
    let Some(text) = text(file)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).with_context(|| format!("{} is no report", file.display()))
}
