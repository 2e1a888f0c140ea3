//! From bundles and papers to results: every candidate once, every answer judged once.
//! Never takes one of two results in silence.

use super::{
    gather::{Opened, Who},
    void::Void,
};
use crate::exit::Exit;
use exam_content::mark::{self, Outcome, PaperMark, Part, Presence, Reason};
use exam_protocol::{
    answer::Answer,
    code::SeatState,
    ids::{AdmissionNo, ItemId, PaperId, SittingId},
    key::KeyedPaper,
    message::attendance::EndWhy,
    paper::Subject,
};
use exam_sealed::bundle::{self, AttemptRecord};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One candidate's result.
pub(super) struct Candidate {
    pub(super) admission_no: AdmissionNo,
    pub(super) who: Who,
    pub(super) level: String,
    pub(super) theory: Presence,
    pub(super) practical: Presence,
    pub(super) outcome: Outcome,
    /// What people decided: void results, ended exams.
    pub(super) notes: Vec<String>,
}

/// One answer that people have to mark or to look at.
pub(super) struct HandItem {
    pub(super) admission_no: AdmissionNo,
    pub(super) subject: Subject,
    pub(super) sitting: SittingId,
    pub(super) paper: PaperId,
    pub(super) item: ItemId,
    pub(super) max_tenths: u32,
    pub(super) reason: Reason,
    pub(super) answer: String,
}

/// How one item went, over all who sat it.
#[derive(Default)]
pub(super) struct ItemCount {
    pub(super) sat: u64,
    pub(super) by_reason: BTreeMap<Reason, u64>,
    pub(super) points_tenths: u64,
}

/// Everything the workbook shows.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) candidates: BTreeMap<AdmissionNo, Candidate>,
    pub(super) hand: Vec<HandItem>,
    pub(super) items: BTreeMap<(PaperId, ItemId), ItemCount>,
    pub(super) warnings: Vec<String>,
}

impl Candidate {
    /// For programs; no name and no ID number.
    pub(super) fn json(&self) -> Value {
        let total = match self.outcome {
            Outcome::Passed { total_tenths } | Outcome::Failed { total_tenths } => Some(total_tenths as f64 / 10.0),
            Outcome::Absent | Outcome::Void | Outcome::Pending => None,
        };
        let outcome = match self.outcome {
            Outcome::Passed { .. } => "passed",
            Outcome::Failed { .. } => "failed",
            Outcome::Absent => "absent",
            Outcome::Void => "void",
            Outcome::Pending => "pending",
        };
        json!({
            "admission_no": self.admission_no, "theory": presence_json(self.theory), "practical": presence_json(self.practical),
            "total": total, "outcome": outcome, "notes": self.notes,
        })
    }
}

fn presence_json(presence: Presence) -> Value {
    let part = |state: &str, part: Part| {
        let percent = mark::percent_tenths(part) as f64 / 10.0;
        json!({ "state": state, "points": part.points_tenths as f64 / 10.0, "max": part.max_tenths as f64 / 10.0, "percent": percent })
    };
    match presence {
        Presence::Marked(marks) => part("marked", marks),
        Presence::Pending(marks) => part("pending", marks),
        Presence::Absent => json!({ "state": "absent" }),
        Presence::Void => json!({ "state": "void" }),
        Presence::Missing => json!({ "state": "missing" }),
    }
}

/// Marks every record of every bundle.
pub(super) fn settle(
    bundles: &[Opened],
    papers: &BTreeMap<PaperId, KeyedPaper>,
    void: &Void,
) -> anyhow::Result<Settled> {
    check_bundles(bundles)?;
    let mut settled = Settled::default();
    check_papers(bundles, papers)?;
    for bundle in bundles {
        let subject = bundle.manifest.about.subject;
        for record in bundle.records.values() {
            let listed = void.holds(&record.admission_no, subject);
            let presence = match record.paper.as_ref().and_then(|paper| papers.get(paper)) {
                _ if listed || record.void.is_some() => Presence::Void, // nothing of it is marked
                Some(keyed) => presence(record, keyed, bundle, &mut settled),
                None => Presence::Absent,
            };
            enter(record, presence, bundle, &mut settled)?;
            note(record, listed, bundle, &mut settled);
        }
    }
    for candidate in settled.candidates.values_mut() {
        candidate.outcome = mark::combine(candidate.theory, candidate.practical);
    }
    let strangers = void.candidates().filter(|number| !settled.candidates.contains_key(number)).count();
    if strangers > 0 {
        settled.warnings.push(format!("{strangers} candidates on the void list are in none of the bundles"));
    }
    Ok(settled)
}

/// One exam, and no sitting twice.
fn check_bundles(bundles: &[Opened]) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for bundle in bundles {
        let about = &bundle.manifest.about;
        if let Some(first) = seen.insert((&about.site, &about.sitting), bundle) {
            return Err(Exit::Validation.error(format!(
                "{} and {} are both of sitting {}: keep the one that counts",
                first.folder.display(),
                bundle.folder.display(),
                about.sitting
            )));
        }
        if about.exam != bundles[0].manifest.about.exam {
            let problem = format!(
                "{} is of exam {}, others are of {}",
                bundle.folder.display(),
                about.exam,
                bundles[0].manifest.about.exam
            );
            return Err(Exit::Validation.error(format!("{problem}: mark one exam at a time")));
        }
    }
    Ok(())
}

/// Every attempt is marked by the key of the paper it was sat with (HB-32): all of these are needed before anything is marked.
fn check_papers(bundles: &[Opened], papers: &BTreeMap<PaperId, KeyedPaper>) -> anyhow::Result<()> {
    for bundle in bundles {
        let about = &bundle.manifest.about;
        let mut sat: BTreeMap<&PaperId, usize> = BTreeMap::new();
        for record in bundle.records.values().filter(|record| was_there(record)) {
            let paper = record.paper.as_ref().ok_or_else(|| {
                let member = bundle::answers_member(&record.admission_no);
                Exit::Integrity.error(format!("{}: an attempt without its paper", bundle.folder.join(member).display()))
            })?;
            *sat.entry(paper).or_default() += 1;
        }
        if let Some((paper, count)) = sat.into_iter().find(|(paper, _)| !papers.contains_key(*paper)) {
            return Err(Exit::NotFound.error(format!(
                "{count} candidates of sitting {} sat paper {paper}: give that paper with --papers",
                about.sitting
            )));
        }
    }
    Ok(())
}

/// Who never signed in was not there, whether or not somebody pressed the button for it (HB-20).
fn was_there(record: &AttemptRecord) -> bool {
    record.state != SeatState::Absent && record.attempt.is_some()
}

/// What people decided about the attempt, for the list: a void result and an ended exam are never passed over in silence.
fn note(record: &AttemptRecord, listed: bool, bundle: &Opened, settled: &mut Settled) {
    let Some(candidate) = settled.candidates.get_mut(&record.admission_no) else { return };
    let subject = match bundle.manifest.about.subject {
        Subject::Theory => "理论",
        Subject::Practical => "实操",
    };
    if let Some(number) = record.void {
        candidate.notes.push(format!("{subject}成绩无效（违纪记录{}）", number.0));
    } else if listed {
        candidate.notes.push(format!("{subject}成绩无效（无效名单）"));
    }
    if let Some(ended) = record.terminated {
        let why = match ended.why {
            EndWhy::Violation => "违纪",
            EndWhy::Illness => "身体不适",
            EndWhy::Other => "其他",
        };
        let number = ended.violation.map(|number| format!("，违纪记录{}", number.0)).unwrap_or_default();
        candidate.notes.push(format!("{subject}终止考核（{why}{number}）"));
    }
}

fn presence(record: &AttemptRecord, keyed: &KeyedPaper, bundle: &Opened, settled: &mut Settled) -> Presence {
    if !was_there(record) {
        return Presence::Absent;
    }
    let answers: BTreeMap<ItemId, Answer> =
        record.newest.iter().map(|(item, version)| (item.clone(), version.answer.clone())).collect();
    let marked = mark::mark(keyed, &answers);
    let strangers = answers.keys().filter(|item| keyed.paper.item(item).is_none()).count();
    if strangers > 0 {
        let problem = format!(
            "{}: {strangers} answers of one candidate are to items that paper {} does not have",
            bundle.folder.display(),
            keyed.paper.id
        );
        settled.warnings.push(problem);
    }
    count(&marked, &keyed.paper.id, settled);
    let about = &bundle.manifest.about;
    settled.hand.extend(marked.items.iter().filter(|item| needs_people(item.reason)).map(|item| HandItem {
        admission_no: record.admission_no.clone(),
        subject: about.subject,
        sitting: about.sitting.clone(),
        paper: keyed.paper.id.clone(),
        item: item.item.clone(),
        max_tenths: item.max_tenths,
        reason: item.reason,
        answer: answers.get(&item.item).map_or_else(String::new, answer_text),
    }));
    let part = Part { points_tenths: marked.points_tenths, max_tenths: marked.max_tenths };
    if marked.is_complete() { Presence::Marked(part) } else { Presence::Pending(part) }
}

fn needs_people(reason: Reason) -> bool {
    match reason {
        Reason::NeedsHand | Reason::Misfit | Reason::NoKey => true,
        Reason::Right | Reason::Partial | Reason::Wrong | Reason::NotAnswered => false,
    }
}

fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Empty => String::new(),
        Answer::Single(option) => option.to_string(),
        Answer::Multiple(options) => options.iter().map(|option| option.as_str()).collect::<Vec<_>>().join(","),
        Answer::TrueFalse(said) => if *said { "对" } else { "错" }.to_owned(),
        Answer::Blanks(texts) => texts.join("；"),
        Answer::Text(text) => text.clone(),
    }
}

fn count(marked: &PaperMark, paper: &PaperId, settled: &mut Settled) {
    for item in &marked.items {
        let counted = settled.items.entry((paper.clone(), item.item.clone())).or_default();
        counted.sat += 1;
        counted.points_tenths += u64::from(item.points_tenths);
        *counted.by_reason.entry(item.reason).or_default() += 1;
    }
}

/// Puts one subject's result to its candidate. A sitting the candidate really sat outweighs one missed (HB-32: another
/// sitting); two that were sat are for people to decide.
fn enter(record: &AttemptRecord, presence: Presence, bundle: &Opened, settled: &mut Settled) -> anyhow::Result<()> {
    let about = &bundle.manifest.about;
    let number = &record.admission_no;
    let candidate = settled.candidates.entry(number.clone()).or_insert_with(|| Candidate {
        admission_no: number.clone(),
        who: bundle.people.get(number).cloned().unwrap_or_default(),
        level: about.level.clone(),
        theory: Presence::Missing,
        practical: Presence::Missing,
        outcome: Outcome::Pending,
        notes: Vec::new(),
    });
    let slot = match about.subject {
        Subject::Theory => &mut candidate.theory,
        Subject::Practical => &mut candidate.practical,
    };
    match (*slot, presence) {
        (Presence::Missing, _) | (Presence::Absent, _) | (Presence::Void, Presence::Void) => *slot = presence,
        (_, Presence::Absent) => {}
        (Presence::Marked(_) | Presence::Pending(_) | Presence::Void, _) => {
            return Err(Exit::Validation.error(format!(
                "{}: a candidate sat the same subject in another sitting too (answers/{number}.json): keep the one that counts",
                bundle.folder.display()
            )));
        }
    }
    Ok(())
}
