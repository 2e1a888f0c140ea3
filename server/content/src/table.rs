//! One reader for .xlsx and .csv: bytes to sheets of cells with their places, however the file was saved.
//! Never converts a number to text or a text to a number, and never guesses an encoding without saying which.

mod delimited;
mod workbook;

use crate::fault::{Faults, Findings, Place};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest file read, in bytes.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Largest sum of a workbook's unpacked members, in bytes.
pub const UNPACKED_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Most sheets of a workbook.
pub const SHEETS_MAX: usize = 64;
/// Lowest row that may hold anything.
pub const ROWS_MAX: u32 = 20_000;
/// Rightmost column that may hold anything.
pub const COLUMNS_MAX: u32 = 128;
/// Longest text of a cell, in characters: Excel's own limit.
pub const CELL_CHARS_MAX: usize = 32_767;

/// How to read a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// By looking at its first bytes.
    #[default]
    Auto,
    /// As an Excel workbook.
    Xlsx,
    /// As delimited text: commas, semicolons or tabs.
    Csv,
}

/// How the bytes of a file were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// An Excel workbook carries its own encoding.
    Xlsx,
    /// UTF-8 without BOM.
    Utf8,
    /// UTF-8 with BOM.
    Utf8Bom,
    /// GB18030, which covers GBK and GB 2312.
    Gb18030,
    /// UTF-16, little end first, by BOM.
    Utf16Le,
    /// UTF-16, big end first, by BOM.
    Utf16Be,
    /// A zip of files (photos).
    Zip,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encoding::Xlsx => "xlsx",
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf8Bom => "UTF-8 with BOM",
            Encoding::Gb18030 => "GB18030 (GBK)",
            Encoding::Utf16Le => "UTF-16 LE",
            Encoding::Utf16Be => "UTF-16 BE",
            Encoding::Zip => "zip",
        })
    }
}

/// What one cell holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing, or only blanks.
    #[default]
    Empty,
    /// Text as it stands in the file.
    Text(String),
    /// A number: a long one has already lost digits.
    Number(f64),
    /// TRUE or FALSE.
    Bool(bool),
    /// A date or time, as the days Excel counts.
    Date(f64),
}

impl Cell {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        matches!(self, Cell::Empty)
    }

    /// The cell as a person reads it; whole numbers without a decimal point.
    pub fn text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) => crate::fold::tidy(text),
            Cell::Number(number) | Cell::Date(number) => format!("{number}"),
            Cell::Bool(true) => "true".to_owned(),
            Cell::Bool(false) => "false".to_owned(),
        }
    }
}

/// One sheet: rows of cells, addressed from 0 inside the program and from 1 in every sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// Its name; empty for a text file.
    pub name: String,
    rows: Vec<Vec<Cell>>,
    file: String,
}

impl Sheet {
    /// An empty sheet of `file`.
    pub fn new(file: &str, name: &str) -> Self {
        Self { name: name.to_owned(), rows: Vec::new(), file: file.to_owned() }
    }

    /// Puts a cell at its place; empty ones are dropped. The caller keeps to [`ROWS_MAX`] and [`COLUMNS_MAX`].
    pub fn put(&mut self, row: usize, column: usize, cell: Cell) {
        assert!(
            row < ROWS_MAX as usize && column < COLUMNS_MAX as usize,
            "readers refuse cells beyond the limits first"
        );
        if cell.is_empty() {
            return;
        }
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Vec::new);
        }
        let cells = &mut self.rows[row];
        if cells.len() <= column {
            cells.resize(column + 1, Cell::Empty);
        }
        cells[column] = cell;
    }

    /// The cell at a place; empty where nothing is.
    pub fn cell(&self, row: usize, column: usize) -> &Cell {
        const NOTHING: &Cell = &Cell::Empty;
        self.rows.get(row).and_then(|cells| cells.get(column)).unwrap_or(NOTHING)
    }

    /// Number of rows up to the last that holds something.
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The cells of a row up to the last that holds something.
    pub fn row(&self, row: usize) -> &[Cell] {
        self.rows.get(row).map_or(&[], Vec::as_slice)
    }

    /// Whether a row holds nothing.
    pub fn is_row_empty(&self, row: usize) -> bool {
        self.row(row).iter().all(Cell::is_empty)
    }

    /// The place of a cell, for sentences.
    pub fn at(&self, row: usize, column: usize) -> Place {
        Place { column: u32::try_from(column + 1).ok(), ..self.at_row(row) }
    }

    /// The place of a row, for sentences.
    pub fn at_row(&self, row: usize) -> Place {
        Place { row: u32::try_from(row + 1).ok(), ..self.place() }
    }

    /// The place of the whole sheet, for sentences.
    pub fn place(&self) -> Place {
        let sheet = (!self.name.is_empty()).then(|| self.name.clone());
        Place { file: self.file.clone(), sheet, row: None, column: None }
    }
}

/// A file as sheets.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// How it was read.
    pub encoding: Encoding,
    /// Its sheets; exactly one for a text file.
    pub sheets: Vec<Sheet>,
}

const OLE_MAGIC: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// Reads a whole file.
///
/// # Errors
/// A file of another format, too large, damaged, in an unknown encoding, or with a cell that is over-long or binary.
pub fn read(bytes: &[u8], file_name: &str, format: Format) -> Result<Book, Faults> {
    let refuse = |problem: &str, remedy: &str| Err(Findings::default().refuse(Place::file(file_name), problem, remedy));
    if bytes.is_empty() {
        return refuse("the file is empty", "choose the file again; save it in Excel first");
    }
    if bytes.len() > FILE_BYTES_MAX {
        return refuse("the file is larger than 32 MiB", "delete pictures and unused sheets, or split the file");
    }
    if bytes.starts_with(OLE_MAGIC) {
        return refuse(
            "the file is an old .xls workbook or is protected by a password",
            "open it in Excel, remove the password, and save it as .xlsx (Excel 工作簿)",
        );
    }
    let looks_like_zip = bytes.starts_with(ZIP_MAGIC);
    match (format, looks_like_zip) {
        (Format::Auto | Format::Xlsx, true) => workbook::read(bytes, file_name),
        (Format::Xlsx, false) => {
            refuse("the file is not an .xlsx workbook", "save it as .xlsx in Excel, or read it as csv")
        }
        (Format::Csv, true) => {
            refuse("the file is a workbook or a zip, not a text file", "read it as xlsx, or save it as CSV first")
        }
        (Format::Auto | Format::Csv, false) => delimited::read(bytes, file_name),
    }
}

/// Why a text cannot be a cell, if so: over-long, or with characters no person typed.
fn text_fault(text: &str) -> Option<(String, &'static str)> {
    let chars = text.chars().count();
    if chars > CELL_CHARS_MAX {
        return Some((format!("the cell holds {chars} characters, more than {CELL_CHARS_MAX}"), "shorten the text"));
    }
    let bad = text.chars().find(|c| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{fffd}')
    })?;
    Some((
        format!("the cell holds a binary or control character (U+{:04X})", bad as u32),
        "delete the cell and type the text again",
    ))
}
