//! The wide shape: one row a question, options in columns `A`, `B`… or `选项1`, `选项2`…, the answer in its own column or
//! as `isCorrect1`, `isCorrect2`… beside the options.
//! Never takes an option column twice.

use super::{
    ANSWER, ANY_ORDER, KIND, POINTS, STEM,
    raw::{Columns, Raw, RawOption, content, letter, yes_or_no},
};
use crate::{
    fault::{Faults, Findings},
    header::{self, Column, Header},
    table::{Book, Sheet},
};
use std::collections::BTreeMap;

const WANTED: &[Column] = &[KIND, STEM, ANSWER, POINTS, ANY_ORDER];

/// Option columns by letter.
#[derive(Default)]
struct OptionColumns {
    text: BTreeMap<char, usize>,
    right: BTreeMap<char, usize>,
}

pub(super) fn read<'a>(
    book: &'a Book,
    file: &str,
    findings: &mut Findings,
) -> Result<(&'a Sheet, Vec<Raw<'a>>), Faults> {
    let (sheet, header) = header::find(book, file, WANTED)?;
    let options = option_columns(sheet, &header, findings);
    if header.column(2).is_none() && options.right.is_empty() {
        let problem = format!("the column {} (also known as {}) is missing", ANSWER.name, ANSWER.aliases.join(", "));
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
    let rows = (header.row + 1..sheet.row_count()).filter(|row| !sheet.is_row_empty(*row));
    Ok((sheet, rows.map(|row| question(sheet, row, (&columns, &options), findings)).collect()))
}

fn question<'a>(
    sheet: &'a Sheet,
    row: usize,
    (columns, options): (&Columns, &OptionColumns),
    findings: &mut Findings,
) -> Raw<'a> {
    let mut raw = Raw::new(sheet, row, columns, findings);
    for (letter, column) in &options.text {
        let text = content(sheet, row, *column, findings);
        if text.is_empty() {
            continue;
        }
        let right = options.right.get(letter).map(|column| yes_or_no(sheet.cell(row, *column)).unwrap_or(false));
        raw.options.push(RawOption { letter: *letter, text, at: sheet.at(row, *column), right });
    }
    raw.strip_letters();
    raw
}

fn option_columns(sheet: &Sheet, header: &Header, findings: &mut Findings) -> OptionColumns {
    let mut found = OptionColumns::default();
    for (column, cell) in sheet.row(header.row).iter().enumerate() {
        let name = header::header_text(cell);
        let (columns, letter) = match (option_letter(&name), right_letter(&name)) {
            (Some(letter), _) => (&mut found.text, letter),
            (None, Some(letter)) => (&mut found.right, letter),
            (None, None) => continue,
        };
        if columns.insert(letter, column).is_some() {
            findings.fault(
                sheet.at(header.row, column),
                format!("the column of option {letter} is there twice"),
                "delete or rename one",
            );
        }
    }
    found
}

/// `a`, `选项a`, `a选项`, `选项1`, `option1`, `optiona`.
fn option_letter(name: &str) -> Option<char> {
    let bare = name.strip_prefix("选项").or_else(|| name.strip_prefix("option")).or_else(|| name.strip_suffix("选项"));
    one_letter(bare.unwrap_or(name)).or_else(|| one_number(bare?))
}

/// `iscorrect1`, `是否正确1`, `是否正确项a`.
fn right_letter(name: &str) -> Option<char> {
    let bare = ["iscorrect", "是否正确项", "是否正确", "正确"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    one_letter(bare).or_else(|| one_number(bare))
}

fn one_letter(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next().filter(|_| chars.next().is_none())?.to_ascii_uppercase();
    first.is_ascii_uppercase().then_some(first)
}

fn one_number(text: &str) -> Option<char> {
    letter(text.trim_start_matches(['_', '-']).parse::<usize>().ok()?.checked_sub(1)?)
}
