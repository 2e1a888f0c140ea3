//! The room sheet (考场信息): which rooms there are and how many desks each has.
//! Never invents a room; desks are numbered from 1 as the labels on them are.

use crate::{
    fault::{Faults, Findings, Imported},
    fold,
    header::{self, Column, Header},
    table::{self, Cell, Format, Sheet},
};
use exam_protocol::ids::SEAT_NO_MAX;
use std::collections::BTreeMap;

/// Most rooms of one sheet.
pub const ROOMS_MAX: usize = 500;
/// Longest name of a room, in characters.
const NAME_CHARS_MAX: usize = 100;

/// One room as the sheet describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRow {
    /// Row in the file, from 1, for sentences.
    pub row: u32,
    /// 考场名称.
    pub name: String,
    /// 考场编号, where given.
    pub code: Option<String>,
    /// 考位数: desks for candidates.
    pub seats: u16,
    /// 备用机数; 0 where the sheet does not say. Spare desks are numbered after the others.
    pub spares: u16,
}

const COLUMNS: &[Column] = &[
    Column::required("考场名称", &["考场", "教室", "机房", "机房名称"]),
    Column::required("考位数", &["考位数量", "座位数", "机位数", "考位", "座位数量", "机器数", "考生机数"]),
    Column::optional("考场编号", &["考场号", "考场代码"]),
    Column::optional("备用机数", &["备用机", "备用考位数", "备用机数量", "备用机台数"]),
];
const NAME: usize = 0;
const SEATS: usize = 1;
const CODE: usize = 2;
const SPARES: usize = 3;

/// Reads a room sheet from an .xlsx or a .csv file; the format is seen from the bytes.
///
/// # Errors
/// Every fault of the file: missing or double columns, a room twice, numbers of desks that cannot be.
pub fn read(bytes: &[u8], file_name: &str) -> Result<Imported<Vec<RoomRow>>, Faults> {
    let book = table::read(bytes, file_name, Format::Auto)?;
    let (sheet, header) = header::find(&book, file_name, COLUMNS)?;
    let mut findings = Findings::default();
    header::warn_of_others(&book, sheet, COLUMNS, &mut findings);
    let mut rooms: Vec<RoomRow> = Vec::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for row in (header.row + 1..sheet.row_count()).filter(|row| !sheet.is_row_empty(*row)) {
        if rooms.len() == ROOMS_MAX {
            findings.fault(sheet.at_row(row), format!("the sheet has more than {ROOMS_MAX} rooms"), "split it");
            break;
        }
        let Some(room) = room(sheet, &header, row, &mut findings) else { continue };
        if let Some(first) = names.insert(fold::word(&room.name), row + 1) {
            let problem = format!("rows {first} and {}: the same room (考场名称) twice", row + 1);
            findings.fault(sheet.at_row(row), problem, "delete or rename one");
        }
        rooms.push(room);
    }
    if rooms.is_empty() && findings.is_clean() {
        findings.fault(
            sheet.at_row(header.row),
            "there is no room below the header",
            "fill in the list, one row a room",
        );
    }
    findings.finish(rooms, book.encoding, sheet.name.clone())
}

fn room(sheet: &Sheet, header: &Header, row: usize, findings: &mut Findings) -> Option<RoomRow> {
    let text = |wanted: usize| {
        header.column(wanted).map(|column| sheet.cell(row, column).text()).filter(|text| !text.is_empty())
    };
    let name = text(NAME);
    let seats = count(sheet, header, (row, SEATS), findings);
    let spares = count(sheet, header, (row, SPARES), findings);
    let is_named =
        name.as_ref().is_some_and(|name| name.chars().count() <= NAME_CHARS_MAX && !name.contains(['\n', '\r', '\t']));
    if !is_named {
        findings.fault(
            sheet.at_row(row),
            "the room's name (考场名称) is missing, too long or broken over lines",
            "write a short name on one line",
        );
        return None;
    }
    let (seats, spares) = (seats?.unwrap_or(0), spares?.unwrap_or(0));
    if seats == 0 || seats + spares > SEAT_NO_MAX {
        findings.fault(
            sheet.at_row(row),
            format!("a room has 1 to {SEAT_NO_MAX} desks (考位数), spare ones included"),
            "correct the number",
        );
        return None;
    }
    Some(RoomRow { row: u32::try_from(row + 1).ok()?, name: name?, code: text(CODE), seats, spares })
}

/// A whole number up to [`SEAT_NO_MAX`]; the outer `None` is a fault, the inner one an empty cell.
fn count(
    sheet: &Sheet,
    header: &Header,
    (row, wanted): (usize, usize),
    findings: &mut Findings,
) -> Option<Option<u16>> {
    let Some(column) = header.column(wanted) else { return Some(None) };
    let number = match sheet.cell(row, column) {
        Cell::Empty => return Some(None),
        Cell::Number(number) if number.fract() == 0.0 && (0.0..=f64::from(SEAT_NO_MAX)).contains(number) => {
            Some(*number as u16)
        }
        Cell::Text(text) => {
            fold::code(text).trim_end_matches(['个', '台']).parse::<u16>().ok().filter(|number| *number <= SEAT_NO_MAX)
        }
        Cell::Number(_) | Cell::Bool(_) | Cell::Date(_) => None,
    };
    if number.is_none() {
        findings.fault(
            sheet.at(row, column),
            format!("the {} is not a whole number up to {SEAT_NO_MAX}", COLUMNS[wanted].name),
            "correct it",
        );
    }
    number.map(Some)
}
