//! Delimited text (.csv, .txt): encoding by BOM, then strict UTF-8, then GB18030; the delimiter by counting.
//! Never drops a blank line: row numbers are those Excel shows.

use super::{Book, COLUMNS_MAX, Cell, Encoding, ROWS_MAX, Sheet, text_fault};
use crate::fault::{Faults, Findings, Place};
use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

/// Lines looked at to find the delimiter.
const SNIFF_LINES: usize = 20;

pub(super) fn read(bytes: &[u8], file_name: &str) -> Result<Book, Faults> {
    let (text, encoding) = decode(bytes).map_err(|problem| {
        Findings::default().refuse(
            Place::file(file_name),
            problem,
            "open it in Excel or 记事本 and save it as CSV UTF-8 or as .xlsx",
        )
    })?;
    let mut sheet = Sheet::new(file_name, "");
    let mut findings = Findings::default();
    fill(&mut sheet, &text, &mut findings);
    findings.finish((), encoding, String::new())?;
    Ok(Book { encoding, sheets: vec![sheet] })
}

fn decode(bytes: &[u8]) -> Result<(String, Encoding), &'static str> {
    let strict = |codec: &'static encoding_rs::Encoding, rest: &[u8]| {
        codec.decode_without_bom_handling_and_without_replacement(rest).map(String::from)
    };
    if let Some(rest) = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]) {
        let text = std::str::from_utf8(rest).map_err(|_| "the file begins like UTF-8 but is damaged further on")?;
        return Ok((text.to_owned(), Encoding::Utf8Bom));
    }
    for (bom, codec, encoding) in
        [([0xff, 0xfe], UTF_16LE, Encoding::Utf16Le), ([0xfe, 0xff], UTF_16BE, Encoding::Utf16Be)]
    {
        if let Some(rest) = bytes.strip_prefix(&bom) {
            return strict(codec, rest)
                .map(|text| (text, encoding))
                .ok_or("the file begins like UTF-16 but is damaged further on");
        }
    }
    if bytes.contains(&0) {
        return Err("the file is binary, not a table of text");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.to_owned(), Encoding::Utf8));
    }
    strict(GB18030, bytes).map(|text| (text, Encoding::Gb18030)).ok_or("the file is neither UTF-8 nor GBK text")
}

/// The delimiter that occurs most in the first lines, outside quotation marks; a comma where none does.
fn delimiter(text: &str) -> u8 {
    let mut counts = [(b',', 0_usize), (b'\t', 0), (b';', 0)];
    let mut quoted = false;
    let mut lines = 0;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => {
                lines += 1;
                if lines == SNIFF_LINES {
                    break;
                }
            }
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(mark, _)| *mark == byte).for_each(|(_, count)| *count += 1),
        }
    }
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(mark, _)| *mark)
}

fn fill(sheet: &mut Sheet, text: &str, findings: &mut Findings) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut row = 0_usize;
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => {
                return findings.fault(
                    sheet.at_row(row),
                    "the line cannot be read",
                    "open the file in Excel and save it again",
                );
            }
        }
        row += blank_lines(text, start);
        if record.iter().all(|field| field.trim().is_empty()) {
            row += 1;
            continue;
        }
        if row >= ROWS_MAX as usize {
            return findings.fault(
                sheet.at_row(row),
                format!("the file has more than {ROWS_MAX} rows"),
                "split the file",
            );
        }
        put_row(sheet, row, &record, findings);
        row += 1;
    }
}

/// Line ends before the next record that the csv reader passes over.
fn blank_lines(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes().get(start..).unwrap_or_default();
    let after_cr = start > 0 && text.as_bytes().get(start - 1) == Some(&b'\r');
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let ends = &bytes[..blank];
    let crlf = ends.windows(2).filter(|pair| pair == b"\r\n").count();
    blank - crlf - usize::from(after_cr && ends.first() == Some(&b'\n'))
}

fn put_row(sheet: &mut Sheet, row: usize, record: &csv::StringRecord, findings: &mut Findings) {
    for (column, field) in record.iter().enumerate() {
        if crate::fold::tidy(field).is_empty() {
            continue;
        }
        if column >= COLUMNS_MAX as usize {
            findings.fault(
                sheet.at(row, column),
                format!("the row has more than {COLUMNS_MAX} columns"),
                "delete what is not needed",
            );
            return;
        }
        match text_fault(field) {
            Some((problem, remedy)) => findings.fault(sheet.at(row, column), problem, remedy),
            None => sheet.put(row, column, Cell::Text(field.to_owned())),
        }
    }
}
