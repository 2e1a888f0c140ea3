//! What the journal itself says of each attempt, to hold the records in `answers/` against. This is the one place that knows
//! fields of facts. Never reads a fact of another sitting.

use super::{AnswerVersion, AttemptRecord, newest};
use exam_protocol::{
    answer::Answer,
    chain::FactText,
    ids::{AdmissionNo, ItemId},
    message::candidate::AttemptId,
    time::SiteMs,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// One attempt, told by facts alone.
#[derive(Debug)]
pub(super) struct Witness {
    admission_no: AdmissionNo,
    order_seed: u64,
    versions: Vec<AnswerVersion>,
    handed_in: Option<(SiteMs, String)>,
}

/// All attempts of a sitting.
#[derive(Debug, Default)]
pub(super) struct Witnesses(BTreeMap<AttemptId, Witness>);

#[derive(Deserialize)]
struct SignedIn {
    attempt: AttemptId,
    admission_no: AdmissionNo,
    order_seed: u64,
}

#[derive(Deserialize)]
struct AnswerSaved {
    attempt: AttemptId,
    item: ItemId,
    number: u32,
    answer: Answer,
    made_at: SiteMs,
}

#[derive(Deserialize)]
struct HandedIn {
    attempt: AttemptId,
    receipt: String,
}

impl Witnesses {
    /// Hears one fact of the sitting; the error says what is wrong with it.
    pub(super) fn hear(&mut self, fact: &FactText<'_>) -> Result<(), &'static str> {
        const UNKNOWN: &str = "it names an attempt that nobody began";
        match fact.kind {
            "signed_in" => {
                let SignedIn { attempt, admission_no, order_seed } = body(fact)?;
                let witness = Witness { admission_no, order_seed, versions: Vec::new(), handed_in: None };
                if self.0.insert(attempt, witness).is_some() {
                    return Err("it begins an attempt that had already begun");
                }
            }
            "answer_saved" => {
                let AnswerSaved { attempt, item, number, answer, made_at } = body(fact)?;
                let version = AnswerVersion { item, number, answer, made_at, at: fact.at, seq: fact.seq };
                self.0.get_mut(&attempt).ok_or(UNKNOWN)?.versions.push(version);
            }
            "handed_in" => {
                let HandedIn { attempt, receipt } = body(fact)?;
                self.0.get_mut(&attempt).ok_or(UNKNOWN)?.handed_in = Some((fact.at, receipt));
            }
            _ => {}
        }
        Ok(())
    }

    /// Holds one record against its facts and takes them off the list. The error says what differs.
    pub(super) fn confirm(&mut self, record: &AttemptRecord) -> Result<(), String> {
        let Some(attempt) = record.attempt else {
            let empty = record.versions.is_empty() && record.newest.is_empty() && record.handed_in.is_none();
            return if empty { Ok(()) } else { Err("it has answers but no attempt".into()) };
        };
        let witness = self.0.remove(&attempt).ok_or("the journal has no such attempt, or another record has it too")?;
        if witness.admission_no != record.admission_no || Some(witness.order_seed) != record.order_seed {
            return Err("candidate or order seed is not the one that signed in".into());
        }
        for (index, version) in record.versions.iter().enumerate() {
            if witness.versions.get(index) != Some(version) {
                return Err(format!(
                    "version {} of item {} is not what journal line {} says",
                    version.number, version.item, version.seq
                ));
            }
        }
        if let Some(lost) = witness.versions.get(record.versions.len()) {
            return Err(format!(
                "version {} of item {} (journal line {}) is missing",
                lost.number, lost.item, lost.seq
            ));
        }
        if record.newest != newest(&record.versions) {
            return Err("its newest answers are not the ones with the highest numbers".into());
        }
        let handed_in = witness.handed_in.map_or((None, None), |(at, receipt)| (Some(at), Some(receipt)));
        if handed_in != (record.handed_in, record.receipt.clone()) {
            return Err("time or receipt of the hand-in is not what the journal says".into());
        }
        Ok(())
    }

    /// An attempt nobody's record mentioned.
    pub(super) fn left_over(&self) -> Option<&AdmissionNo> {
        self.0.values().next().map(|witness| &witness.admission_no)
    }
}

fn body<T: DeserializeOwned>(fact: &FactText<'_>) -> Result<T, &'static str> {
    serde_json::from_str(fact.body.get()).map_err(|_| "its fields are not those of its kind")
}
