//! One row of a roster, cell by cell.
//! Never stops at the first fault of a row.

use super::{FIELD_CHARS_MAX, RosterRow, Want};
use crate::{
    fault::{Findings, Place},
    fold,
    header::Header,
    id_number::{self, IdKind},
    table::{Cell, Sheet},
};
use exam_protocol::{
    ids::{AdmissionNo, SeatNo},
    paper::Subject,
};

const AS_TEXT: &str = "format the column as text (文本) in Excel and enter or export the numbers again: the lost digits cannot be restored";

/// Reads the cells of one row.
pub(super) struct Reader<'a> {
    pub(super) sheet: &'a Sheet,
    pub(super) header: &'a Header,
    pub(super) row: usize,
    pub(super) findings: &'a mut Findings,
}

impl Reader<'_> {
    /// The candidate of this row; `None` if something is wrong, which is then among the findings.
    pub(super) fn candidate(mut self) -> Option<RosterRow> {
        let name = self.words(Want::Name);
        if let Some(None) = &name {
            self.fault(Want::Name, "the name (姓名) is missing", "fill it in");
        }
        let id = self.id_number();
        let admission_no = self.admission_no();
        let seat = self.seat();
        let (room, room_code, session) =
            (self.words(Want::Room), self.words(Want::RoomCode), self.words(Want::Session));
        let subject = self.subject();
        let (id_kind, id_number) = id?;
        Some(RosterRow {
            row: u32::try_from(self.row + 1).ok()?,
            name: name??,
            id_kind,
            id_number,
            admission_no: admission_no?,
            room: room?,
            room_code: room_code?,
            seat: seat?,
            session: session?,
            subject: subject?,
        })
    }

    fn cell(&self, want: Want) -> &Cell {
        const NOTHING: &Cell = &Cell::Empty;
        self.header.column(want as usize).map_or(NOTHING, |column| self.sheet.cell(self.row, column))
    }

    fn place(&self, want: Want) -> Place {
        self.header
            .column(want as usize)
            .map_or_else(|| self.sheet.at_row(self.row), |column| self.sheet.at(self.row, column))
    }

    fn fault(&mut self, want: Want, problem: &str, remedy: &str) {
        let place = self.place(want);
        self.findings.fault(place, problem, remedy);
    }

    fn warn(&mut self, want: Want, problem: &str, remedy: &str) {
        let place = self.place(want);
        self.findings.warn(place, problem, remedy);
    }

    /// Words on one line; the outer `None` is a fault, the inner one an empty cell.
    fn words(&mut self, want: Want) -> Option<Option<String>> {
        let text = self.cell(want).text();
        if text.contains(['\n', '\r', '\t']) {
            self.fault(want, "the cell holds a line break or a tab", "write it on one line");
            return None;
        }
        if text.chars().count() > FIELD_CHARS_MAX {
            self.fault(want, &format!("the cell holds more than {FIELD_CHARS_MAX} characters"), "shorten it");
            return None;
        }
        if want == Want::Name && !matches!(self.cell(want), Cell::Text(_) | Cell::Empty) {
            self.fault(want, "the name (姓名) is not text", "write the name");
            return None;
        }
        Some((!text.is_empty()).then_some(text))
    }

    /// A number that is text: refuses numeric cells and what Excel made of them.
    fn digits(&mut self, want: Want, what: &str) -> Option<String> {
        match self.cell(want) {
            Cell::Empty => {
                self.fault(want, &format!("the {what} is missing"), "fill it in");
                None
            }
            Cell::Number(_) | Cell::Bool(_) | Cell::Date(_) => {
                self.fault(
                    want,
                    &format!("the {what} is a numeric cell: Excel keeps only 15 digits, the rest is lost"),
                    AS_TEXT,
                );
                None
            }
            Cell::Text(text) => {
                let code = fold::code(text);
                if is_scientific(&code) {
                    self.fault(
                        want,
                        &format!("the {what} was saved as a rounded number such as 4.1E+25: its digits are lost"),
                        AS_TEXT,
                    );
                    return None;
                }
                Some(code)
            }
        }
    }

    fn admission_no(&mut self) -> Option<AdmissionNo> {
        let code = self.digits(Want::AdmissionNo, "admission number (准考证号)")?;
        AdmissionNo::try_from(code)
            .map_err(|bad| {
                self.fault(Want::AdmissionNo, &format!("the admission number (准考证号) {}", bad.rule), "correct it")
            })
            .ok()
    }

    fn id_number(&mut self) -> Option<(IdKind, String)> {
        let stated = fold::word(&self.cell(Want::IdKind).text());
        let number = self.digits(Want::IdNumber, "ID number (证件号码)")?.to_ascii_uppercase();
        let kind = match stated.as_str() {
            "" if id_number::is_card_shape(&number) => IdKind::ResidentCard,
            "" | "居民身份证" | "身份证" | "二代身份证" | "中国居民身份证" | "1" | "01" => {
                IdKind::ResidentCard
            }
            _ => IdKind::Other,
        };
        if kind == IdKind::ResidentCard && !id_number::is_card_shape(&number) {
            self.fault(
                Want::IdNumber,
                "the ID number (证件号码) is not 17 digits and a digit or X",
                "correct it, or say in a column 证件类型 which other document it is of",
            );
            return None;
        }
        if kind == IdKind::Other && !id_number::is_other_shape(&number) {
            self.fault(Want::IdNumber, "the ID number (证件号码) is not 4 to 30 letters and digits", "correct it");
            return None;
        }
        if kind == IdKind::ResidentCard && !id_number::is_check_right(&number) {
            self.warn(
                Want::IdNumber,
                "the ID number's (证件号码) check digit is wrong",
                "compare it with the card; it is imported as written",
            );
        }
        Some((kind, number))
    }

    fn seat(&mut self) -> Option<Option<SeatNo>> {
        let number = match self.cell(Want::Seat) {
            Cell::Empty => return Some(None),
            Cell::Number(number) if number.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(number) => {
                Some(*number as u16)
            }
            Cell::Text(text) => fold::code(text).trim_end_matches('号').parse::<u16>().ok(),
            Cell::Number(_) | Cell::Bool(_) | Cell::Date(_) => None,
        };
        let seat = number.and_then(|number| SeatNo::try_from(number).ok());
        if seat.is_none() {
            self.fault(Want::Seat, "the seat number (考位号) is not a number from 1 to 999", "correct it");
        }
        seat.map(Some)
    }

    fn subject(&mut self) -> Option<Option<Subject>> {
        let word = fold::word(&self.cell(Want::Subject).text());
        let (theory, practical) = (
            word.contains("理论") || word == "theory",
            word.contains("实操") || word.contains("实践") || word == "practical",
        );
        Some(match (theory, practical) {
            (true, false) => Some(Subject::Theory),
            (false, true) => Some(Subject::Practical),
            // Both, none or another word: the sittings of the plan say what is sat.
            (true, true) | (false, false) => None,
        })
    }
}

fn is_scientific(code: &str) -> bool {
    let Some((mantissa, exponent)) =
        code.to_ascii_uppercase().split_once("E+").map(|(m, e)| (m.to_owned(), e.to_owned()))
    else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    digits(&mantissa) && digits(&exponent)
}
