//! The long shape: one row an option under a title row; the question's cells stand in its first row and are blank in
//! those that follow (or are repeated there).
//! Never gives an option to a question it does not stand under.

use super::{
    ANSWER, ANY_ORDER, KIND, POINTS, STEM,
    raw::{Columns, Raw, RawOption, content, letter, yes_or_no},
};
use crate::{
    fault::{Faults, Findings},
    header::{self, Column, Header},
    table::{Book, Sheet},
};
use exam_protocol::paper::OPTIONS_MAX;

const OPTION_TEXT: Column = Column::required("选项内容", &["选项文本", "选项描述", "答案选项内容"]);
const IS_RIGHT: Column = Column::optional(
    "是否正确项",
    &["是否正确选项", "是否正确", "是否为正确项", "是否正确答案", "正确项", "iscorrect"],
);
const NUMBER: Column = Column::optional("题目序号", &["序号", "题号", "试题序号", "编号"]);
const WANTED: &[Column] = &[KIND, STEM, ANSWER, POINTS, ANY_ORDER, OPTION_TEXT, IS_RIGHT, NUMBER];
const OPTION_TEXT_AT: usize = 5;
const IS_RIGHT_AT: usize = 6;
const NUMBER_AT: usize = 7;

/// Whether a sheet of the book has a column of option texts.
pub(super) fn is_long(book: &Book) -> bool {
    book.sheets
        .iter()
        .any(|sheet| header::best(sheet, WANTED).is_some_and(|header| header.column(OPTION_TEXT_AT).is_some()))
}

pub(super) fn read<'a>(
    book: &'a Book,
    file: &str,
    findings: &mut Findings,
) -> Result<(&'a Sheet, Vec<Raw<'a>>), Faults> {
    let (sheet, header) = header::find(book, file, WANTED)?;
    if header.column(IS_RIGHT_AT).is_none() && header.column(2).is_none() {
        let problem = format!("the column {} (or {}) is missing", IS_RIGHT.name, ANSWER.name);
        return Err(std::mem::take(findings).refuse(sheet.at_row(header.row), problem, "add it to the header row"));
    }
    header::warn_of_others(book, sheet, WANTED, findings);
    let columns = Columns {
        kind: header.column(0),
        stem: header.column(1),
        answer: header.column(2),
        points: header.column(3),
        any_order: header.column(4),
    };
    let mut raws: Vec<Raw<'a>> = Vec::new();
    let mut number = String::new();
    for row in (header.row + 1..sheet.row_count()).filter(|row| !sheet.is_row_empty(*row)) {
        let fresh = Raw::new(sheet, row, &columns, findings);
        let own_number = text(sheet, &header, row, NUMBER_AT);
        if begins(raws.last(), &fresh, &number, &own_number) {
            number = own_number;
            raws.push(fresh);
        }
        match raws.last_mut() {
            Some(raw) => option(raw, sheet, &header, row, findings),
            None => findings.fault(
                sheet.at_row(row),
                "an option without a question above it",
                "fill in the question's own cells",
            ),
        }
    }
    raws.iter_mut().for_each(Raw::strip_letters);
    Ok((sheet, raws))
}

/// Whether a row begins a question: it has cells of its own that differ from the one above.
fn begins(above: Option<&Raw<'_>>, fresh: &Raw<'_>, number: &str, own_number: &str) -> bool {
    let Some(above) = above else { return !fresh.stem.is_empty() || !own_number.is_empty() };
    let is_new_number = !own_number.is_empty() && own_number != number;
    let is_new_stem = !fresh.stem.is_empty() && fresh.stem != above.stem;
    is_new_number || is_new_stem
}

fn text(sheet: &Sheet, header: &Header, row: usize, wanted: usize) -> String {
    header.column(wanted).map_or_else(String::new, |column| sheet.cell(row, column).text())
}

fn option(raw: &mut Raw<'_>, sheet: &Sheet, header: &Header, row: usize, findings: &mut Findings) {
    let written =
        header.column(OPTION_TEXT_AT).map_or_else(String::new, |column| content(sheet, row, column, findings));
    let right = header.column(IS_RIGHT_AT).map(|column| sheet.cell(row, column));
    let at = header.column(OPTION_TEXT_AT).map_or_else(|| sheet.at_row(row), |column| sheet.at(row, column));
    if written.is_empty() {
        if right.and_then(yes_or_no) == Some(true) {
            findings.fault(
                at,
                "a right option without a text (选项内容)",
                "fill in the text; a picture alone cannot be imported",
            );
        }
        return;
    }
    let is_unclear = right.is_some_and(|cell| !cell.is_empty() && yes_or_no(cell).is_none());
    if is_unclear {
        let place = header.column(IS_RIGHT_AT).map_or_else(|| sheet.at_row(row), |column| sheet.at(row, column));
        findings.fault(
            place,
            "是否正确项 says neither yes nor no",
            "write 是 or 否 (also 1/0, 对/错, √/×, true/false)",
        );
    }
    match letter(raw.options.len()) {
        Some(letter) => raw.options.push(RawOption {
            letter,
            text: written,
            at,
            right: right.map(|cell| yes_or_no(cell).unwrap_or(false)),
        }),
        None => findings.fault(at, format!("the question has more than {OPTIONS_MAX} options"), "delete some"),
    }
}
