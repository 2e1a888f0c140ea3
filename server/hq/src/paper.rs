//! `exam-hq paper import` and `paper show`: question banks (题库) to papers with their keys.
//! Never writes half a paper: one fault in the bank, and there is no file.

pub(crate) mod tally;

use crate::{
    disk::{self, Access},
    exit::{Exit, Say},
};
use anyhow::Context;
use clap::{Args, ValueEnum};
use exam_content::{
    bank::{self, BankOptions},
    fault::{Faults, Finding, Imported},
    table::Format,
};
use exam_protocol::{ids::PaperId, key::KeyedPaper};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tally::Tally;

/// Warnings shown on the screen; the report has all of them.
const WARNINGS_SHOWN: usize = 20;

/// How a question bank is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BankFormat {
    /// Told from the file.
    Auto,
    /// Excel.
    Xlsx,
    /// Comma-separated text.
    Csv,
}

/// Arguments of `paper import`.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The question bank (题库).
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) format: BankFormat,
    /// Title shown above the paper.
    #[arg(long)]
    pub(crate) title: String,
    /// Id of the paper in plans and bundles; the name of the output file if not given.
    #[arg(long)]
    pub(crate) id: Option<PaperId>,
    /// Points of a question without a value of its own (分值), e.g. 2 or 2.5.
    #[arg(long, value_name = "N", default_value = "1", value_parser = points_tenths)]
    pub(crate) points: u32,
    /// Where to write the paper.
    #[arg(long, value_name = "FILE.paper")]
    pub(crate) out: PathBuf,
    /// Where to write everything that was noticed, as JSON; written even if the bank is refused.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// Arguments of `paper show`.
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The paper.
    #[arg(value_name = "FILE.paper")]
    pub(crate) paper: PathBuf,
}

fn points_tenths(text: &str) -> Result<u32, &'static str> {
    let points: f64 = text.parse().map_err(|_| "not a number")?;
    bank::points_tenths(points).ok_or("must be 0.1 to 1000 with at most one decimal")
}

/// Imports a question bank.
pub(crate) fn import(args: &ImportArgs, say: &Say) -> anyhow::Result<()> {
    let bytes = disk::read(&args.input, exam_content::table::FILE_BYTES_MAX as u64)?;
    let name = name_of(&args.input);
    let options = BankOptions {
        id: id_of(args)?,
        title: title_of(args)?,
        points_tenths: args.points,
        format: format_of(args.format),
    };
    let imported = match bank::read(&bytes, &name, &options) {
        Ok(imported) => imported,
        Err(faults) => return refuse(args, say, faults),
    };
    let tally = Tally::of(&imported.value);
    let value = json!({
        "ok": true, "out": args.out, "encoding": imported.encoding, "sheet": imported.sheet,
        "paper": tally.json(&imported.value), "warnings": imported.warnings, "faults": [],
    });
    write_report(args, &value)?;
    let mut paper = serde_json::to_vec_pretty(&imported.value).context("the paper cannot be written as JSON")?;
    paper.push(b'\n');
    replace(&args.out, &paper)?;
    say.result(&words(args, &imported, &tally), &value);
    Ok(())
}

/// Shows a paper.
pub(crate) fn show(args: &ShowArgs, say: &Say) -> anyhow::Result<()> {
    let keyed = load(&args.paper)?;
    let tally = Tally::of(&keyed);
    let warnings = tally::warnings(&keyed);
    let mut text = tally.words(&keyed);
    warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
    let mut value = tally.json(&keyed);
    value["warnings"] = json!(warnings);
    say.result(&text, &value);
    Ok(())
}

/// Reads a paper with its key and believes it only after its own check.
pub(crate) fn load(path: &Path) -> anyhow::Result<KeyedPaper> {
    let bytes = disk::read(path, exam_sealed::paper::PAPER_BYTES_MAX)?;
    let refused = |why: String| Exit::Validation.error(format!("{} is not a usable paper: {why}", path.display()));
    let keyed: KeyedPaper = exam_sealed::json::read(&bytes).map_err(|fault| refused(fault.to_string()))?;
    keyed.paper.check().map_err(|fault| refused(fault.to_string()))?;
    Ok(keyed)
}

/// The file's name for sentences and findings, without its folder.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Puts a file that only its owner may read in the place of an older one, in one step: a bank is corrected and imported
/// again many times.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let fresh = path.with_file_name(format!(".{}.new-{}", name_of(path), std::process::id()));
    disk::write_new(&fresh, bytes, Access::Secret)?;
    fs::rename(&fresh, path).or_else(|error| {
        let _ = fs::remove_file(&fresh); // the first error is the one to tell
        Err(error).with_context(|| format!("{} cannot be written", path.display()))
    })
}

fn refuse(args: &ImportArgs, say: &Say, faults: Faults) -> anyhow::Result<()> {
    let value = json!({ "ok": false, "faults": faults.faults, "more": faults.more, "warnings": faults.warnings });
    write_report(args, &value)?;
    let count = faults.faults.len() + faults.more;
    say.note(format_args!("{} was not imported: {count} faults, nothing was written", name_of(&args.input)));
    Err(Exit::Validation.of(faults))
}

fn write_report(args: &ImportArgs, value: &Value) -> anyhow::Result<()> {
    let Some(path) = &args.report else { return Ok(()) };
    let mut report = serde_json::to_vec_pretty(value).context("the report cannot be written as JSON")?;
    report.push(b'\n');
    replace(path, &report)
}

fn id_of(args: &ImportArgs) -> anyhow::Result<PaperId> {
    if let Some(id) = &args.id {
        return Ok(id.clone());
    }
    let stem = args.out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.parse().map_err(|bad| {
        Exit::Validation
            .error(format!("the name of the output file cannot be the paper's id ({bad}): give one with --id"))
    })
}

fn title_of(args: &ImportArgs) -> anyhow::Result<String> {
    let title = exam_content::fold::tidy(&args.title);
    let is_good = !title.is_empty()
        && title.chars().count() <= exam_sealed::plan::TITLE_CHARS_MAX
        && !title.chars().any(char::is_control);
    if is_good { Ok(title) } else { Err(Exit::Validation.error("the title must have 1 to 200 characters on one line")) }
}

fn format_of(format: BankFormat) -> Format {
    match format {
        BankFormat::Auto => Format::Auto,
        BankFormat::Xlsx => Format::Xlsx,
        BankFormat::Csv => Format::Csv,
    }
}

fn words(args: &ImportArgs, imported: &Imported<KeyedPaper>, tally: &Tally) -> String {
    let sheet = if imported.sheet.is_empty() { String::new() } else { format!(", sheet {}", imported.sheet) };
    let mut text = format!(
        "{}{}read as {}{sheet}\n",
        tally.words(&imported.value),
        first_stem(&imported.value),
        imported.encoding
    );
    text.push_str(&warnings_in_words(&imported.warnings));
    text.push_str(&format!("written: {}\n", args.out.display()));
    text
}

/// The first question, so that a person sees at once whether the characters came out right.
fn first_stem(keyed: &KeyedPaper) -> String {
    let first = keyed.paper.items.first().and_then(|item| item.stem.first());
    first.map(|line| format!("q001 begins: {}\n", line.chars().take(40).collect::<String>())).unwrap_or_default()
}

fn warnings_in_words(warnings: &[Finding]) -> String {
    let mut text = format!("warnings: {}\n", warnings.len());
    warnings.iter().take(WARNINGS_SHOWN).for_each(|warning| text.push_str(&format!("  {warning}\n")));
    if warnings.len() > WARNINGS_SHOWN {
        text.push_str(&format!("  … and {} more: see --report\n", warnings.len() - WARNINGS_SHOWN));
    }
    text
}
