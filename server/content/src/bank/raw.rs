//! A question as it stands in the sheet, before anything is understood: texts with their places.
//! Never judges; both shapes are read into this, one builder judges.

use crate::{
    fault::{Findings, Place},
    fold,
    table::{Cell, Sheet},
};

/// One option as written.
pub(super) struct RawOption {
    pub(super) letter: char,
    pub(super) text: String,
    pub(super) at: Place,
    /// 是否正确项, where the file says so beside the option.
    pub(super) right: Option<bool>,
}

/// One question as written.
pub(super) struct Raw<'a> {
    pub(super) sheet: &'a Sheet,
    /// Its first row, from 0.
    pub(super) row: usize,
    pub(super) kind: Cell,
    pub(super) kind_at: Place,
    pub(super) stem: String,
    pub(super) stem_at: Place,
    pub(super) options: Vec<RawOption>,
    pub(super) answer: String,
    pub(super) answer_at: Place,
    pub(super) points: Cell,
    pub(super) points_at: Place,
    pub(super) any_order: bool,
}

/// The columns both shapes have.
pub(super) struct Columns {
    pub(super) kind: Option<usize>,
    pub(super) stem: Option<usize>,
    pub(super) answer: Option<usize>,
    pub(super) points: Option<usize>,
    pub(super) any_order: Option<usize>,
}

impl<'a> Raw<'a> {
    /// The question's own cells in `row`; options come after.
    pub(super) fn new(sheet: &'a Sheet, row: usize, columns: &Columns, findings: &mut Findings) -> Self {
        let cell = |column: Option<usize>| column.map_or(Cell::Empty, |column| sheet.cell(row, column).clone());
        let at = |column: Option<usize>| column.map_or_else(|| sheet.at_row(row), |column| sheet.at(row, column));
        Self {
            sheet,
            row,
            kind: cell(columns.kind),
            kind_at: at(columns.kind),
            stem: columns.stem.map_or_else(String::new, |column| content(sheet, row, column, findings)),
            stem_at: at(columns.stem),
            options: Vec::new(),
            answer: columns.answer.map_or_else(String::new, |column| content(sheet, row, column, findings)),
            answer_at: at(columns.answer),
            points: cell(columns.points),
            points_at: at(columns.points),
            any_order: yes_or_no(&cell(columns.any_order)) == Some(true),
        }
    }

    /// Takes the author's `A.`, `B、`… off the options, if every one of them carries its own letter.
    pub(super) fn strip_letters(&mut self) {
        let bare = |option: &RawOption| {
            let rest = fold::half_width(&option.text).strip_prefix(option.letter).map(str::len)?;
            let rest = &option.text[option.text.len().checked_sub(rest)?..];
            let rest = rest.strip_prefix(['.', '、', '．', ':', '：', ')', '）'])?;
            (!rest.trim().is_empty()).then(|| rest.trim().to_owned())
        };
        let bare: Option<Vec<String>> = self.options.iter().map(bare).collect();
        for (option, text) in self.options.iter_mut().zip(bare.unwrap_or_default()) {
            option.text = text;
        }
    }

    /// Letters of the options marked as right beside them; `None` where the file does not mark them.
    pub(super) fn marked(&self) -> Option<Vec<char>> {
        let is_marked = self.options.iter().any(|option| option.right.is_some());
        is_marked.then(|| {
            self.options.iter().filter(|option| option.right == Some(true)).map(|option| option.letter).collect()
        })
    }
}

/// A cell of a question as text. What Excel shows of a date or a share is not what the file holds: a date is a fault, a
/// number that may be a percentage a warning.
pub(super) fn content(sheet: &Sheet, row: usize, column: usize, findings: &mut Findings) -> String {
    let cell = sheet.cell(row, column);
    match cell {
        Cell::Date(_) => findings.fault(
            sheet.at(row, column),
            "the cell is a date to Excel, not a text",
            "format it as text and type it again",
        ),
        Cell::Number(number) if number.fract() != 0.0 && number.abs() < 1.0 => {
            let problem = format!("the cell holds the number {number}");
            findings.warn(
                sheet.at(row, column),
                problem,
                "if Excel shows a percentage, format the cell as text and type it again",
            );
        }
        Cell::Number(_) | Cell::Empty | Cell::Text(_) | Cell::Bool(_) => {}
    }
    cell.text()
}

/// Letter of the option number `index`, from 0.
pub(super) fn letter(index: usize) -> Option<char> {
    u8::try_from(index).ok().filter(|index| *index < 26).map(|index| char::from(b'A' + index))
}

/// A cell that says yes or no: 是/否, 对/错, 正确/错误, √/×, 1/0, true/false, Y/N.
pub(super) fn yes_or_no(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Bool(yes) => Some(*yes),
        Cell::Empty => None,
        Cell::Number(_) | Cell::Text(_) | Cell::Date(_) => super::answer::truth(&cell.text()),
    }
}
