//! The roster (考生名单): who sits where, as the national platform or a school writes it.
//! Never takes a numeric cell for a number that is text: Excel has already lost its digits.

mod cells;
mod doubles;

use crate::{
    fault::{Faults, Findings, Imported},
    header::{self, Column, Header},
    id_number::IdKind,
    table::{self, Format, Sheet},
};
use exam_protocol::{
    ids::{AdmissionNo, SeatNo},
    paper::Subject,
};
use std::fmt;

/// Most candidates of one roster.
pub const CANDIDATES_MAX: usize = 10_000;
/// Longest name, room or session, in characters.
pub const FIELD_CHARS_MAX: usize = 100;

/// One row of a roster: one candidate in one session (场次). A candidate with two sessions has two rows, which agree in
/// name and ID number.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// Row in the file, from 1, for sentences.
    pub row: u32,
    /// 姓名.
    pub name: String,
    /// 证件类型.
    pub id_kind: IdKind,
    /// 证件号码, upper case.
    pub id_number: String,
    /// 准考证号.
    pub admission_no: AdmissionNo,
    /// 考场名称 or 考场.
    pub room: Option<String>,
    /// 考场编号.
    pub room_code: Option<String>,
    /// 考位号.
    pub seat: Option<SeatNo>,
    /// 场次, in the file's own words.
    pub session: Option<String>,
    /// 科目.
    pub subject: Option<Subject>,
}

/// Shows no name and no ID number: a roster must not end in a log.
impl fmt::Debug for RosterRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RosterRow")
            .field("row", &self.row)
            .field("admission_no", &self.admission_no)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &[Column] = &[
    Column::required("姓名", &["学生姓名", "考生姓名", "名字"]),
    Column::required("证件号码", &["身份证号", "身份证号码", "证件号", "居民身份证号码", "身份证件号码", "身份证"]),
    Column::required("准考证号", &["准考证号码", "准考证", "考号", "考生号"]),
    Column::optional("证件类型", &["证件种类", "身份证件类型"]),
    Column::optional("考场名称", &["考场", "所在考场"]),
    Column::optional("考场编号", &["考场号", "考场代码"]),
    Column::optional("考位号", &["座位号", "机位号", "座号", "考位", "座位", "机位", "考位编号"]),
    Column::optional("场次", &["考试场次", "场次名称", "考核场次", "批次"]),
    Column::optional("科目", &["考试科目", "考核科目"]),
];

/// Index into [`COLUMNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Name,
    IdNumber,
    AdmissionNo,
    IdKind,
    Room,
    RoomCode,
    Seat,
    Session,
    Subject,
}

/// Reads a roster from an .xlsx or a .csv file; the format is seen from the bytes.
///
/// # Errors
/// Every fault of the file, up to the cap: missing or double columns, numeric cells where text is needed, bad numbers,
/// candidates or desks that appear twice.
pub fn read(bytes: &[u8], file_name: &str) -> Result<Imported<Vec<RosterRow>>, Faults> {
    read_as(bytes, file_name, Format::Auto)
}

/// [`read`] with a forced format.
///
/// # Errors
/// As [`read`].
pub fn read_as(bytes: &[u8], file_name: &str, format: Format) -> Result<Imported<Vec<RosterRow>>, Faults> {
    let book = table::read(bytes, file_name, format)?;
    let (sheet, header) = header::find(&book, file_name, COLUMNS)?;
    let mut findings = Findings::default();
    header::warn_of_others(&book, sheet, COLUMNS, &mut findings);
    let rows = read_rows(sheet, &header, &mut findings);
    doubles::check(sheet, &header, &rows, &mut findings);
    if rows.is_empty() && findings.is_clean() {
        findings.fault(
            sheet.at_row(header.row),
            "there is no candidate below the header",
            "fill in the list, one row a candidate",
        );
    }
    findings.finish(rows, book.encoding, sheet.name.clone())
}

fn read_rows(sheet: &Sheet, header: &Header, findings: &mut Findings) -> Vec<RosterRow> {
    let mut rows = Vec::new();
    for row in header.row + 1..sheet.row_count() {
        if sheet.is_row_empty(row) {
            continue;
        }
        if rows.len() == CANDIDATES_MAX {
            findings.fault(
                sheet.at_row(row),
                format!("the roster has more than {CANDIDATES_MAX} rows"),
                "split it by room",
            );
            break;
        }
        rows.extend(cells::Reader { sheet, header, row, findings }.candidate());
    }
    rows
}
