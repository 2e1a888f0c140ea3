//! Void results (成绩无效, HB-29): decided by people, told to marking as a list.
//! Never decides anything itself.

use crate::{disk, exit::Exit, paper};
use exam_content::{
    fault::Findings,
    fold,
    header::{self, Column},
    table::{self, Cell, Format},
};
use exam_protocol::{ids::AdmissionNo, paper::Subject};
use std::{collections::BTreeMap, path::Path};

const COLUMNS: &[Column] = &[
    Column::required("准考证号", &["准考证号码", "准考证", "考号"]),
    Column::optional("科目", &["考试科目", "考核科目"]),
];

/// Whose results are void, and in which subject; without one, in both.
#[derive(Default)]
pub(super) struct Void(BTreeMap<AdmissionNo, Vec<Option<Subject>>>);

impl Void {
    /// Whether a candidate's result in `subject` is void.
    pub(super) fn holds(&self, candidate: &AdmissionNo, subject: Subject) -> bool {
        self.0
            .get(candidate)
            .is_some_and(|subjects| subjects.iter().any(|only| only.is_none_or(|only| only == subject)))
    }

    /// Everybody on the list.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &AdmissionNo> {
        self.0.keys()
    }
}

/// Reads the list.
pub(super) fn read(path: &Path) -> anyhow::Result<Void> {
    let name = paper::name_of(path);
    let bytes = disk::read(path, table::FILE_BYTES_MAX as u64)?;
    let book = table::read(&bytes, &name, Format::Auto).map_err(|faults| Exit::Validation.of(faults))?;
    let (sheet, header) = header::find(&book, &name, COLUMNS).map_err(|faults| Exit::Validation.of(faults))?;
    let mut findings = Findings::default();
    let mut void = Void::default();
    for row in (header.row + 1..sheet.row_count()).filter(|row| !sheet.is_row_empty(*row)) {
        let cell = |wanted: usize| header.column(wanted).map_or(&Cell::Empty, |column| sheet.cell(row, column));
        let Some(number) = number(cell(0)) else {
            findings.fault(
                sheet.at_row(row),
                "准考证号 is not a text of 6 to 32 digits",
                "format the column as text and enter it again",
            );
            continue;
        };
        match subject(&cell(1).text()) {
            Some(subject) => void.0.entry(number).or_default().push(subject),
            None => findings.fault(
                sheet.at_row(row),
                "科目 is neither 理论 nor 实操",
                "correct it, or leave it empty for both",
            ),
        }
    }
    findings
        .finish(void, book.encoding, sheet.name.clone())
        .map(|read| read.value)
        .map_err(|faults| Exit::Validation.of(faults))
}

fn number(cell: &Cell) -> Option<AdmissionNo> {
    match cell {
        Cell::Text(text) => fold::code(text).parse().ok(),
        Cell::Empty | Cell::Number(_) | Cell::Bool(_) | Cell::Date(_) => None,
    }
}

fn subject(text: &str) -> Option<Option<Subject>> {
    match fold::word(text).as_str() {
        "" | "全部" => Some(None),
        "理论" | "theory" => Some(Some(Subject::Theory)),
        "实操" | "practical" => Some(Some(Subject::Practical)),
        _ => None,
    }
}
