//! The handbook's rules and how each is met: `tests/handbook.toml` has one entry an id, and every test it names exists.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// Every id of the handbook.
const IDS: [&str; 38] = [
    "HB-01", "HB-02", "HB-03", "HB-04", "HB-05", "HB-06", "HB-07", "HB-08", "HB-10", "HB-11", "HB-12", "HB-13",
    "HB-14", "HB-15", "HB-16", "HB-17", "HB-20", "HB-21", "HB-22", "HB-23", "HB-24", "HB-25", "HB-26", "HB-27",
    "HB-28", "HB-29", "HB-30", "HB-31", "HB-32", "HB-33", "HB-34", "HB-40", "HB-41", "HB-42", "HB-43", "HB-44",
    "HB-45", "HB-46",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    how: How,
    #[serde(default)]
    why: Option<String>,
    #[serde(default)]
    tests: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    Code,
    Form,
    People,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn entries(text: &str) -> BTreeMap<String, Entry> {
    toml::from_str(text).unwrap()
}

/// What is wrong with a handbook file, in words.
fn faults(text: &str) -> Vec<String> {
    let entries = entries(text);
    let mut faults = Vec::new();
    faults.extend(IDS.iter().filter(|id| !entries.contains_key(**id)).map(|id| format!("{id} has no entry")));
    faults.extend(
        entries.keys().filter(|id| !IDS.contains(&id.as_str())).map(|id| format!("{id} is no rule of the handbook")),
    );
    for (id, entry) in &entries {
        if entry.rule.trim().is_empty() {
            faults.push(format!("{id} does not say its rule"));
        }
        if entry.how == How::Code && entry.tests.is_empty() {
            faults.push(format!("{id} is met by code and names no test"));
        }
        if entry.how != How::Code && entry.why.as_deref().unwrap_or_default().trim().is_empty() {
            faults.push(format!("{id} is not met by code and does not say why"));
        }
        faults.extend(
            entry
                .tests
                .iter()
                .filter(|test| !exists(test))
                .map(|test| format!("{id} names {test}, which does not exist")),
        );
    }
    faults
}

/// Whether `file::name` is a test function of that file.
fn exists(test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else { return false };
    let Ok(text) = std::fs::read_to_string(root().join(file)) else { return false };
    let declared = format!("fn {name}(");
    let Some(at) = text.find(&declared) else { return false };
    let before = &text[text[..at].rfind("\n\n").unwrap_or(0)..at];
    before.contains("#[test]") || before.contains("#[tokio::test") || text.contains("proptest!")
}

#[test]
fn every_rule_of_the_handbook_has_an_entry_and_every_named_test_exists() {
    let text = std::fs::read_to_string(root().join("tests/handbook.toml")).unwrap();
    let faults = faults(&text);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_missing_entry_or_test_is_noticed() {
    let text = "[HB-01]\nrule = 'r'\nhow = 'code'\n[HB-02]\nrule = 'r'\nhow = 'code'\ntests = ['tests/e2e/tests/handbook.rs::no_such_test']\n[HB-99]\nrule = 'r'\nhow = 'people'\n";
    let faults = faults(text);
    for wanted in [
        "HB-01 is met by code and names no test",
        "no_such_test, which does not exist",
        "HB-99 is no rule",
        "HB-99 is not met by code",
        "HB-03 has no entry",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(wanted)), "{wanted}");
    }
}
