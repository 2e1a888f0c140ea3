//! What the journal itself says of each attempt, to hold the records in `answers/` against. This is the one place that knows
//! fields of facts. Never reads a fact of another sitting.

use super::{AnswerVersion, AttemptRecord, Termination, newest};
use exam_protocol::{
    answer::Answer,
    chain::FactText,
    ids::{AdmissionNo, ExamId, ItemId, PaperId, Sha256},
    incident::{Measure, RecordNo},
    message::{attendance::EndWhy, candidate::AttemptId},
    time::SiteMs,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// One attempt, told by facts alone.
#[derive(Debug)]
pub(super) struct Witness {
    admission_no: AdmissionNo,
    order_seed: u64,
    versions: Vec<AnswerVersion>,
    handed_in: Option<(SiteMs, String)>,
    terminated: Option<Termination>,
    void: Option<RecordNo>,
}

/// All attempts of a sitting, who sits which paper, and the files the record names.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    attempts: BTreeMap<AttemptId, Witness>,
    paper: Option<PaperId>,
    own_papers: BTreeMap<AttemptId, PaperId>,
    attachments: BTreeSet<Sha256>,
}

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

#[derive(Deserialize)]
struct Started {
    paper: PaperId,
}

#[derive(Deserialize)]
struct BackupUsed {
    target: Target,
    paper: PaperId,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Target {
    Attempt(AttemptId),
    Sitting,
}

#[derive(Deserialize)]
struct AttemptEnded {
    attempt: AttemptId,
    why: EndWhy,
}

#[derive(Deserialize)]
struct EndedForViolation {
    attempt: AttemptId,
    violation: RecordNo,
}

#[derive(Deserialize)]
struct Reopened {
    attempt: AttemptId,
}

#[derive(Deserialize)]
struct ViolationRecorded {
    number: RecordNo,
    attempt: AttemptId,
    measure: Measure,
}

#[derive(Deserialize)]
struct PackageTaken {
    exam: ExamId,
}

#[derive(Deserialize)]
struct Attached {
    attachments: Vec<Sha256>,
}

#[derive(Deserialize)]
struct WithDetails {
    details: Attached,
}

impl Witnesses {
    /// Hears one fact of the sitting; the error says what is wrong with it.
    pub(super) fn hear(&mut self, fact: &FactText<'_>) -> Result<(), &'static str> {
        match fact.kind {
            "signed_in" => self.sign_in(body(fact)?),
            "answer_saved" => {
                let AnswerSaved { attempt, item, number, answer, made_at } = body(fact)?;
                let version = AnswerVersion { item, number, answer, made_at, at: fact.at, seq: fact.seq };
                self.of(attempt)?.versions.push(version);
                Ok(())
            }
            "handed_in" => {
                let HandedIn { attempt, receipt } = body(fact)?;
                self.of(attempt)?.handed_in = Some((fact.at, receipt));
                Ok(())
            }
            "sitting_started" => {
                self.paper = Some(body::<Started>(fact)?.paper);
                Ok(())
            }
            "sitting_called_off" => {
                self.begin_anew(); // who had signed in is signed out, and signs in again when the door opens again
                Ok(())
            }
            "backup_paper_used" => self.change_paper(body(fact)?),
            "attempt_ended" | "exam_ended_for_violation" | "attempt_reopened" | "violation_recorded" => {
                self.decide(fact)
            }
            _ => Ok(()),
        }
    }

    fn sign_in(&mut self, SignedIn { attempt, admission_no, order_seed }: SignedIn) -> Result<(), &'static str> {
        let witness =
            Witness { admission_no, order_seed, versions: Vec::new(), handed_in: None, terminated: None, void: None };
        match self.attempts.insert(attempt, witness) {
            None => Ok(()),
            Some(_) => Err("it begins an attempt that had already begun"),
        }
    }

    /// Who has finished keeps the paper it was finished with.
    fn change_paper(&mut self, BackupUsed { target, paper }: BackupUsed) -> Result<(), &'static str> {
        match target {
            Target::Attempt(attempt) => {
                self.of(attempt)?;
                self.own_papers.insert(attempt, paper);
            }
            Target::Sitting => {
                let over = |w: &Witness| w.handed_in.is_some() || w.terminated.is_some();
                let kept = self.attempts.iter().filter(|(_, witness)| over(witness));
                self.own_papers = kept.filter_map(|(id, _)| Some((*id, self.paper_of(*id)?.clone()))).collect();
                self.paper = Some(paper);
            }
        }
        Ok(())
    }

    /// What people decided about one attempt.
    fn decide(&mut self, fact: &FactText<'_>) -> Result<(), &'static str> {
        let at = fact.at;
        match fact.kind {
            "attempt_ended" => {
                let AttemptEnded { attempt, why } = body(fact)?;
                self.of(attempt)?.terminated = Some(Termination { at, why, violation: None });
            }
            "exam_ended_for_violation" => {
                let EndedForViolation { attempt, violation } = body(fact)?;
                let violation = Some(violation);
                self.of(attempt)?.terminated = Some(Termination { at, why: EndWhy::Violation, violation });
            }
            "attempt_reopened" => {
                let witness = self.of(body::<Reopened>(fact)?.attempt)?;
                (witness.handed_in, witness.terminated) = (None, None);
            }
            _ => {
                let ViolationRecorded { number, attempt, measure } = body(fact)?;
                let witness = self.of(attempt)?;
                witness.void = if measure == Measure::Void { Some(number) } else { witness.void };
            }
        }
        Ok(())
    }

    fn of(&mut self, attempt: AttemptId) -> Result<&mut Witness, &'static str> {
        self.attempts.get_mut(&attempt).ok_or("it names an attempt that nobody began")
    }

    fn paper_of(&self, attempt: AttemptId) -> Option<&PaperId> {
        self.own_papers.get(&attempt).or(self.paper.as_ref())
    }

    fn begin_anew(&mut self) {
        let attachments = std::mem::take(&mut self.attachments);
        *self = Self { attachments, ..Self::default() };
    }

    /// Hears what a fact of the whole site, or of the sitting, means for any bundle: the files it names, and a package of the
    /// exam, which replaces all its sittings.
    pub(super) fn hear_any(&mut self, fact: &FactText<'_>, exam: &ExamId) -> Result<(), &'static str> {
        match fact.kind {
            "package_taken" if body::<PackageTaken>(fact)?.exam == *exam => self.begin_anew(),
            "incident_recorded" | "incident_corrected" => {
                self.attachments.extend(body::<WithDetails>(fact)?.details.attachments);
            }
            "incident_followed_up" => self.attachments.extend(body::<Attached>(fact)?.attachments),
            _ => {}
        }
        Ok(())
    }

    /// Every file the record names.
    pub(super) fn attachments(&self) -> &BTreeSet<Sha256> {
        &self.attachments
    }

    /// Holds one record against its facts and takes them off the list. The error says what differs.
    pub(super) fn confirm(&mut self, record: &AttemptRecord) -> Result<(), String> {
        let Some(attempt) = record.attempt else {
            let empty = record.versions.is_empty() && record.newest.is_empty() && record.handed_in.is_none();
            let judged = record.paper.is_some() || record.terminated.is_some() || record.void.is_some();
            return match (empty, judged) {
                (true, false) => Ok(()),
                (false, _) => Err("it has answers but no attempt".into()),
                (true, true) => Err("it has a paper or a decision but no attempt".into()),
            };
        };
        if self.paper_of(attempt) != record.paper.as_ref() {
            return Err("the paper is not the one the journal says it was sat with".into());
        }
        let witness =
            self.attempts.remove(&attempt).ok_or("the journal has no such attempt, or another record has it too")?;
        witness.confirm(record)
    }

    /// An attempt nobody's record mentioned.
    pub(super) fn left_over(&self) -> Option<&AdmissionNo> {
        self.attempts.values().next().map(|witness| &witness.admission_no)
    }
}

impl Witness {
    fn confirm(self, record: &AttemptRecord) -> Result<(), String> {
        if self.admission_no != record.admission_no || Some(self.order_seed) != record.order_seed {
            return Err("candidate or order seed is not the one that signed in".into());
        }
        for (index, version) in record.versions.iter().enumerate() {
            if self.versions.get(index) != Some(version) {
                return Err(format!(
                    "version {} of item {} is not what journal line {} says",
                    version.number, version.item, version.seq
                ));
            }
        }
        if let Some(lost) = self.versions.get(record.versions.len()) {
            return Err(format!(
                "version {} of item {} (journal line {}) is missing",
                lost.number, lost.item, lost.seq
            ));
        }
        if record.newest != newest(&record.versions) {
            return Err("its newest answers are not the ones with the highest numbers".into());
        }
        let handed_in = self.handed_in.map_or((None, None), |(at, receipt)| (Some(at), Some(receipt)));
        if handed_in != (record.handed_in, record.receipt.clone()) {
            return Err("time or receipt of the hand-in is not what the journal says".into());
        }
        if self.terminated != record.terminated {
            return Err("the end by decision (终止考核) is not what the journal says".into());
        }
        if self.void != record.void {
            return Err("whether the result is void (成绩无效) is not what the journal says".into());
        }
        Ok(())
    }
}

fn body<T: DeserializeOwned>(fact: &FactText<'_>) -> Result<T, &'static str> {
    serde_json::from_str(fact.body.get()).map_err(|_| "its fields are not those of its kind")
}
