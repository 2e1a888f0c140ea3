//! `exam-hq mark`: objective marks of opened bundles, two subjects to one result (HB-06), as a workbook.
//! Never gives a total while people still have marks to give, and never changes a bundle.

mod gather;
mod settle;
mod void;
mod workbook;

use crate::{
    disk::{self, Access},
    exit::{Exit, Say},
    paper,
};
use clap::Args;
use exam_content::mark::Outcome;
use exam_protocol::{ids::PaperId, key::KeyedPaper};
use serde_json::{Value, json};
use settle::Candidate;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Arguments of `mark`.
#[derive(Args)]
pub(crate) struct MarkArgs {
    /// Folder with opened bundles, or one opened bundle.
    #[arg(long, value_name = "DIR")]
    pub(crate) results: PathBuf,
    /// Papers with their keys.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) papers: Vec<PathBuf>,
    /// Where to write the table.
    #[arg(long, value_name = "results.xlsx")]
    pub(crate) out: PathBuf,
    /// Candidates whose result is void (成绩无效, HB-29): .xlsx or .csv with 准考证号, and 科目 if only one is.
    #[arg(long, value_name = "FILE")]
    pub(crate) void: Option<PathBuf>,
}

/// Marks.
pub(crate) fn run(args: &MarkArgs, say: &Say) -> anyhow::Result<()> {
    disk::must_be_free(&args.out)?; // people may have typed marks into it
    let papers = papers(&args.papers)?;
    let bundles = gather::bundles(&args.results)?;
    let void = args.void.as_deref().map(void::read).transpose()?.unwrap_or_default();
    let settled = settle::settle(&bundles, &papers, &void)?;
    settled.warnings.iter().for_each(|warning| say.note(format_args!("warning: {warning}")));
    disk::write_new(&args.out, &workbook::write(&settled, &papers)?, Access::Secret)?;
    let counts = Counts::of(settled.candidates.values());
    let by_hand = settled.hand.len();
    let value = json!({
        "out": args.out, "bundles": bundles.len(), "summary": counts.json(), "by_hand": by_hand, "warnings": settled.warnings,
        "candidates": settled.candidates.values().map(Candidate::json).collect::<Vec<_>>(),
    });
    say.result(&words(&args.out, bundles.len(), &counts, by_hand), &value);
    Ok(())
}

fn papers(paths: &[PathBuf]) -> anyhow::Result<BTreeMap<PaperId, KeyedPaper>> {
    let mut papers = BTreeMap::new();
    for path in paths {
        let keyed = paper::load(path)?;
        let id = keyed.paper.id.clone();
        if papers.insert(id.clone(), keyed).is_some() {
            return Err(Exit::Validation.error(format!("{}: a second paper with the id {id}", path.display())));
        }
    }
    Ok(papers)
}

/// How many candidates there are of each outcome.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    absent: usize,
    void: usize,
    pending: usize,
}

impl Counts {
    fn of<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Self {
        let mut counts = Self::default();
        for candidate in candidates {
            match candidate.outcome {
                Outcome::Passed { .. } => counts.passed += 1,
                Outcome::Failed { .. } => counts.failed += 1,
                Outcome::Absent => counts.absent += 1,
                Outcome::Void => counts.void += 1,
                Outcome::Pending => counts.pending += 1,
            }
        }
        counts
    }

    fn json(&self) -> Value {
        let Self { passed, failed, absent, void, pending } = self;
        json!({ "passed": passed, "failed": failed, "absent": absent, "void": void, "pending": pending })
    }
}

fn words(out: &Path, bundles: usize, counts: &Counts, by_hand: usize) -> String {
    let Counts { passed, failed, absent, void, pending } = counts;
    format!(
        "{bundles} bundles, {} candidates\n  合格 {passed}   不合格 {failed}   缺考 {absent}   成绩无效 {void}   待定 {pending}\n\
         {by_hand} answers wait for people (second sheet)\nwritten: {}\n",
        passed + failed + absent + void + pending,
        out.display()
    )
}
