//! The same answers, told by four witnesses: what seats saw acknowledged, the server's journal, and the bundle's two
//! accounts (answers and facts). Never forgives a difference: versions are compared one by one, byte for byte.

use crate::search::files_under;
use anyhow::{Context, Result, ensure};
use exam_protocol::{
    answer::Answer,
    ids::{AdmissionNo, ItemId, SiteId},
    message::candidate::AttemptId,
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// One version of one answer of one candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Key {
    /// Whose.
    pub admission_no: AdmissionNo,
    /// To which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
}

/// What one witness says: every version, with the exact text of the answer.
pub type Account = BTreeMap<Key, String>;

#[derive(Deserialize)]
struct Told {
    #[serde(flatten)]
    key: Key,
    answer: Answer,
}

/// Reads lines of `{"admission_no":…,"item":…,"number":…,"answer":…}`: the seats' ack log, or the server's journal.
/// Saying the same thing twice is no contradiction; lines without an `item` are the seats' own totals.
///
/// # Errors
/// A line cannot be read, or the witness contradicts itself.
pub fn from_lines(text: &str) -> Result<Account> {
    let mut account = Account::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Value = serde_json::from_str(line).with_context(|| format!("line {}", index + 1))?;
        if line.get("item").is_none() {
            continue;
        }
        let told: Told = serde_json::from_value(line).with_context(|| format!("line {}", index + 1))?;
        add(&mut account, told.key, &told.answer)?;
    }
    Ok(account)
}

fn add(account: &mut Account, key: Key, answer: &Answer) -> Result<()> {
    let text = serde_json::to_string(answer)?;
    let known = account.entry(key).or_insert_with(|| text.clone());
    ensure!(*known == text, "one version of an answer is told in two ways");
    Ok(())
}

/// What this witness needs of `answers/<admission no>.json`; read without the product's own types on purpose.
#[derive(Deserialize)]
struct AnswerFile {
    admission_no: AdmissionNo,
    versions: Vec<VersionTold>,
}

#[derive(Deserialize)]
struct VersionTold {
    item: ItemId,
    number: u32,
    answer: Answer,
}

/// The answers of an opened bundle, all versions.
///
/// # Errors
/// A file is missing or cannot be read.
pub fn from_bundle(opened: &Path) -> Result<Account> {
    let mut account = Account::new();
    for path in files_under(&opened.join("answers"))? {
        let file: AnswerFile = serde_json::from_slice(&fs::read(&path)?)
            .with_context(|| format!("{}", path.file_name().unwrap_or_default().display()))?;
        for version in file.versions {
            let key = Key { admission_no: file.admission_no.clone(), item: version.item, number: version.number };
            add(&mut account, key, &version.answer)?;
        }
    }
    Ok(account)
}

/// What the facts of an opened bundle tell.
#[derive(Debug, Default)]
pub struct Facts {
    /// Every answer saved.
    pub answers: Account,
    /// Sign-ins, counted: one a candidate, unless somebody had to sign in again.
    pub sign_ins: u64,
    /// Starts of the server.
    pub starts: u32,
    /// Clean stops of the server: a start without a stop before it tells of a kill.
    pub stops: u32,
    /// Answers of replaced machines that were kept for the candidate to choose about (HB-25).
    pub orphans: u64,
    /// Starts of the server in which answers were saved.
    pub starts_with_answers: BTreeSet<u64>,
}

#[derive(Deserialize)]
struct ServerNoted {
    event: String,
}

#[derive(Deserialize)]
struct SignedIn {
    attempt: AttemptId,
    admission_no: AdmissionNo,
}

#[derive(Deserialize)]
struct AnswerSaved {
    attempt: AttemptId,
    item: ItemId,
    number: u32,
    answer: Answer,
}

/// Reads `journal.jsonl` of an opened bundle, checking its hash chain on the way.
///
/// # Errors
/// The chain breaks, or an answer belongs to nobody.
pub fn from_journal(opened: &Path, site: &SiteId) -> Result<Facts> {
    let text = fs::read_to_string(opened.join("journal.jsonl")).context("journal.jsonl of the opened bundle")?;
    let mut chain = exam_protocol::chain::ChainCheck::new(site);
    let mut candidates: BTreeMap<AttemptId, AdmissionNo> = BTreeMap::new();
    let mut facts = Facts::default();
    for line in text.lines() {
        let Some(fact) = chain.line(line)? else { continue };
        match fact.kind {
            "signed_in" => {
                let signed_in: SignedIn = serde_json::from_str(fact.body.get())?;
                candidates.insert(signed_in.attempt, signed_in.admission_no);
                facts.sign_ins += 1;
            }
            "server_noted" => {
                let noted: ServerNoted = serde_json::from_str(fact.body.get())?;
                facts.starts += u32::from(noted.event == "started");
                facts.stops += u32::from(noted.event == "stopped");
            }
            "orphan_kept" => facts.orphans += 1,
            "answer_saved" => {
                facts.starts_with_answers.insert(fact.boot);
                let saved: AnswerSaved = serde_json::from_str(fact.body.get())?;
                let admission_no =
                    candidates.get(&saved.attempt).context("an answer of an attempt nobody began")?.clone();
                add(&mut facts.answers, Key { admission_no, item: saved.item, number: saved.number }, &saved.answer)?;
            }
            _ => {}
        }
    }
    Ok(facts)
}

/// The newest version of each answer: what a marker will look at.
pub fn newest(all: &Account) -> Account {
    let newer = |key: &Key| Key { number: key.number.saturating_add(1), ..key.clone() };
    let is_newest = |(key, _): &(&Key, &String)| {
        let end = Key { number: u32::MAX, ..(*key).clone() };
        all.range(newer(key)..=end).next().is_none()
    };
    all.iter().filter(is_newest).map(|(key, text)| (key.clone(), text.clone())).collect()
}

/// Versions that `all` has and `other` lacks or tells differently.
pub fn missing<'a>(all: &'a Account, other: &Account) -> BTreeSet<&'a Key> {
    all.iter().filter(|(key, text)| other.get(key) != Some(text)).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"{"admission_no":"110000000001","item":"q1","number":1,"answer":{"single":"A"}}
{"admission_no":"110000000001","item":"q1","number":2,"answer":{"text":"二"},"at":7}
"#;

    #[test]
    fn a_repeated_line_is_one_version_and_a_changed_one_a_contradiction() {
        assert_eq!(from_lines(&format!("{TWO}{TWO}")).unwrap().len(), 2);
        assert!(from_lines(&format!("{TWO}{}", TWO.replace("\"A\"", "\"B\""))).is_err());
    }

    #[test]
    fn the_newest_version_is_the_one_with_the_highest_number() {
        let all =
            from_lines(&format!("{TWO}{}", TWO.replace("q1", "q2").replace("\"number\":1", "\"number\":3"))).unwrap();
        let newest: Vec<(String, u32)> =
            newest(&all).into_keys().map(|key| (key.item.to_string(), key.number)).collect();
        assert_eq!(newest, [("q1".to_owned(), 2), ("q2".to_owned(), 3)]);
    }

    #[test]
    fn a_lost_or_changed_version_is_found() {
        let all = from_lines(TWO).unwrap();
        assert!(missing(&all, &all).is_empty());
        assert_eq!(missing(&all, &from_lines(&TWO.replace("二", "三")).unwrap()).len(), 1);
        assert_eq!(missing(&all, &from_lines(TWO.lines().next().unwrap()).unwrap()).len(), 1);
    }
}
