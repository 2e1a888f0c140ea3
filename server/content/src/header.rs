//! Finding the header row and the columns a reader wants, under their many names.
//! Never takes a column by its position, and never picks one of two that fit.

use crate::{
    fault::{Faults, Findings, Place},
    fold,
    table::{Book, Cell, Sheet},
};

/// Rows looked at for a header: titles and remarks stand above it.
pub const HEADER_ROWS_MAX: usize = 20;

/// A column a reader wants.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name in sentences, and one of the names it is found by.
    pub name: &'static str,
    /// Other names it is found by; compared by [`fold::header`].
    pub aliases: &'static [&'static str],
    /// Whether nothing can be read without it.
    pub required: bool,
}

impl Column {
    /// A column nothing can be read without.
    pub const fn required(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases, required: true }
    }

    /// A column that may be missing.
    pub const fn optional(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases, required: false }
    }

    fn is_called(&self, folded: &str) -> bool {
        std::iter::once(&self.name).chain(self.aliases).any(|name| fold::header(name) == folded)
    }
}

/// A header that was found: its row, and where each wanted column is.
#[derive(Clone, Debug)]
pub struct Header {
    /// Row of the header, from 0; what is below it is content.
    pub row: usize,
    /// For each wanted column, in the order asked: the columns that carry one of its names.
    found: Vec<Vec<usize>>,
}

impl Header {
    /// Where the wanted column number `wanted` is.
    pub fn column(&self, wanted: usize) -> Option<usize> {
        self.found.get(wanted)?.first().copied()
    }

    fn score(&self) -> usize {
        self.found.iter().filter(|columns| !columns.is_empty()).count()
    }

    fn lacks(&self, wanted: &[Column]) -> usize {
        self.found.iter().zip(wanted).filter(|(columns, want)| want.required && columns.is_empty()).count()
    }
}

/// The best header of one sheet: fewest required columns missing, then most columns found, then the highest row.
pub fn best(sheet: &Sheet, wanted: &[Column]) -> Option<Header> {
    (0..sheet.row_count().min(HEADER_ROWS_MAX))
        .map(|row| at(sheet, row, wanted))
        .filter(|header| header.score() > 0)
        .min_by_key(|header| (header.lacks(wanted), usize::MAX - header.score(), header.row))
}

fn at(sheet: &Sheet, row: usize, wanted: &[Column]) -> Header {
    let names: Vec<String> = sheet.row(row).iter().map(header_text).collect();
    let carriers = |want: &Column| (0..names.len()).filter(|column| want.is_called(&names[*column])).collect();
    Header { row, found: wanted.iter().map(carriers).collect() }
}

/// A cell as a header; only text can be one.
pub fn header_text(cell: &Cell) -> String {
    if let Cell::Text(text) = cell { fold::header(text) } else { String::new() }
}

/// The sheet of a book that has all wanted columns, and where they are.
///
/// # Errors
/// No sheet with a header, a missing column, or one that is there twice: all of them are named.
pub fn find<'a>(book: &'a Book, file: &str, wanted: &[Column]) -> Result<(&'a Sheet, Header), Faults> {
    let candidates = book.sheets.iter().filter_map(|sheet| Some((sheet, best(sheet, wanted)?)));
    let Some((sheet, header)) =
        candidates.min_by_key(|(_, header)| (header.lacks(wanted), usize::MAX - header.score()))
    else {
        let names: Vec<&str> = wanted.iter().filter(|want| want.required).map(|want| want.name).collect();
        let problem = format!(
            "no header row found in the first {HEADER_ROWS_MAX} rows: the columns {} are missing",
            names.join(", ")
        );
        return Err(Findings::default().refuse(
            Place::file(file),
            problem,
            "put these names into one row above the data",
        ));
    };
    let mut findings = Findings::default();
    missing(sheet, &header, wanted, &mut findings);
    doubled(sheet, &header, wanted, &mut findings);
    findings.finish((sheet, header), book.encoding, String::new()).map(|imported| imported.value)
}

fn missing(sheet: &Sheet, header: &Header, wanted: &[Column], findings: &mut Findings) {
    for (want, _) in wanted.iter().zip(&header.found).filter(|(want, found)| want.required && found.is_empty()) {
        let also = if want.aliases.is_empty() {
            String::new()
        } else {
            format!(" (also known as {})", want.aliases.join(", "))
        };
        findings.fault(
            sheet.at_row(header.row),
            format!("the column {}{also} is missing", want.name),
            "add it to the header row",
        );
    }
}

fn doubled(sheet: &Sheet, header: &Header, wanted: &[Column], findings: &mut Findings) {
    for (want, found) in wanted.iter().zip(&header.found).filter(|(_, found)| found.len() > 1) {
        let letters: Vec<String> = found
            .iter()
            .filter_map(|column| u32::try_from(column + 1).ok())
            .map(crate::fault::column_letters)
            .collect();
        let problem = format!("the column {} is there twice or more: columns {}", want.name, letters.join(", "));
        findings.fault(sheet.at(header.row, found[1]), problem, "delete or rename all but one");
    }
}

/// Says which other sheets have all required columns and rows below them: they are not read, a person should know.
pub fn warn_of_others(book: &Book, read: &Sheet, wanted: &[Column], findings: &mut Findings) {
    for sheet in book.sheets.iter().filter(|sheet| !std::ptr::eq(*sheet, read)) {
        if best(sheet, wanted).is_some_and(|header| header.lacks(wanted) == 0 && header.row + 1 < sheet.row_count()) {
            findings.warn(
                sheet.place(),
                "this sheet was not read: a file gives one sheet",
                "put all rows into one sheet, or import it by itself",
            );
        }
    }
}
