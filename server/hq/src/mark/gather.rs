//! Opened bundles (成绩包) in a folder: manifest, roster and every candidate's record.
//! Never takes a folder as it stands if its own list of hashes says otherwise.

use crate::{disk, exit::Exit};
use anyhow::Context;
use exam_protocol::ids::{AdmissionNo, Sha256};
use exam_sealed::{
    bundle::{self, AttemptRecord, BUNDLE_FORMAT, BundleManifest},
    json,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Most bundles of one run.
const BUNDLES_MAX: usize = 5_000;
/// Largest member read.
const MEMBER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One opened bundle.
pub(super) struct Opened {
    /// Where it lies, for sentences.
    pub(super) folder: PathBuf,
    pub(super) manifest: BundleManifest,
    pub(super) people: BTreeMap<AdmissionNo, Who>,
    pub(super) records: BTreeMap<AdmissionNo, AttemptRecord>,
}

/// What `roster.csv` says of a candidate.
#[derive(Clone, Default)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) id_number: String,
}

/// The bundle at `dir`, or every bundle one level below it, by folder name.
pub(super) fn bundles(dir: &Path) -> anyhow::Result<Vec<Opened>> {
    if dir.join(bundle::MANIFEST).is_file() {
        return Ok(vec![open(dir)?]);
    }
    let mut folders = Vec::new();
    let entries = fs::read_dir(dir).map_err(|error| {
        Exit::NotFound.of(anyhow::Error::new(error).context(format!("the folder {} cannot be read", dir.display())))
    })?;
    for entry in entries {
        let path = entry.with_context(|| format!("the folder {} cannot be read", dir.display()))?.path();
        if path.join(bundle::MANIFEST).is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    if folders.is_empty() {
        let problem = format!("no opened bundle in {}: open them first with `exam-hq bundle open`", dir.display());
        return Err(Exit::NotFound.error(problem));
    }
    if folders.len() > BUNDLES_MAX {
        return Err(
            Exit::Validation.error(format!("more than {BUNDLES_MAX} bundles in {}: mark them in parts", dir.display()))
        );
    }
    folders.iter().map(|folder| open(folder)).collect()
}

fn open(folder: &Path) -> anyhow::Result<Opened> {
    let sums = sums(folder)?;
    let member = |name: &str| -> anyhow::Result<Vec<u8>> {
        let path = folder.join(name);
        let bytes = disk::read(&path, MEMBER_BYTES_MAX)?;
        match sums.get(name) {
            Some(sum) if *sum != Sha256::of(&bytes) => {
                Err(Exit::Integrity.error(format!("{} was changed after it was opened", path.display())))
            }
            _ => Ok(bytes),
        }
    };
    let invalid = |name: &str, why: String| Exit::Validation.error(format!("{}: {why}", folder.join(name).display()));
    let manifest: BundleManifest = json::read_versioned(&member(bundle::MANIFEST)?, BUNDLE_FORMAT)
        .map_err(|fault| invalid(bundle::MANIFEST, fault.to_string()))?;
    let people = people(&member(bundle::ROSTER)?).map_err(|why| invalid(bundle::ROSTER, why))?;
    let mut records = BTreeMap::new();
    for admission_no in people.keys() {
        let name = bundle::answers_member(admission_no);
        let record: AttemptRecord = json::read(&member(&name)?).map_err(|fault| invalid(&name, fault.to_string()))?;
        if record.admission_no != *admission_no {
            return Err(invalid(&name, "the record is another candidate's".to_owned()));
        }
        records.insert(admission_no.clone(), record);
    }
    if records.len() != manifest.candidates as usize {
        let why = format!("{} candidates are listed, the manifest says {}", records.len(), manifest.candidates);
        return Err(Exit::Integrity.of(invalid(bundle::ROSTER, why)));
    }
    Ok(Opened { folder: folder.to_owned(), manifest, people, records })
}

/// `SHA256SUMS` of the bundle, where it is still beside the files.
fn sums(folder: &Path) -> anyhow::Result<BTreeMap<String, Sha256>> {
    let path = folder.join(bundle::SUMS);
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let text = String::from_utf8(disk::read(&path, MEMBER_BYTES_MAX)?)
        .map_err(|_| Exit::Integrity.error(format!("{} is damaged", path.display())))?;
    text.lines()
        .map(|line| line.split_once("  ").and_then(|(sum, name)| Some((name.to_owned(), sum.parse().ok()?))))
        .collect::<Option<_>>()
        .ok_or_else(|| Exit::Integrity.error(format!("{} is damaged", path.display())))
}

fn people(csv: &[u8]) -> Result<BTreeMap<AdmissionNo, Who>, String> {
    let bare = csv.strip_prefix("\u{feff}".as_bytes()).unwrap_or(csv);
    let mut reader = csv::ReaderBuilder::new().has_headers(true).flexible(true).from_reader(bare);
    let headers = reader.headers().map_err(|_| "the header cannot be read".to_owned())?.clone();
    let column = |name: &str| {
        headers.iter().position(|header| header == name).ok_or_else(|| format!("the column {name} is missing"))
    };
    let (number_at, name_at, id_at) = (column("准考证号")?, column("姓名")?, column("证件号码")?);
    let mut people = BTreeMap::new();
    for (index, record) in reader.records().enumerate() {
        let line = index + 2;
        let record = record.map_err(|_| format!("line {line} cannot be read"))?;
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let number: AdmissionNo = cell(number_at).parse().map_err(|bad| format!("line {line}: {bad}"))?;
        people.insert(number, Who { name: without_guard(cell(name_at)), id_number: without_guard(cell(id_at)) });
    }
    Ok(people)
}

/// The bundle's writer puts an apostrophe before what a spreadsheet would compute; workbook cells need none.
fn without_guard(cell: String) -> String {
    let is_guarded =
        cell.strip_prefix('\'').is_some_and(|rest| rest.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']));
    if is_guarded { cell.chars().skip(1).collect() } else { cell }
}
