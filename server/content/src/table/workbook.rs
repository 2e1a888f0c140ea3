//! Excel workbooks (.xlsx): cells are streamed, so that a lonely cell in the last corner costs nothing, and the zip is
//! unpacked once against a cap before anything else reads it. Never evaluates a formula: it takes the value Excel saved.

use super::{Book, COLUMNS_MAX, Cell, Encoding, ROWS_MAX, SHEETS_MAX, Sheet, UNPACKED_BYTES_MAX, text_fault};
use crate::fault::{Faults, Findings, Place};
use calamine::{DataRef, Reader, Xlsx};
use std::{
    io::{Cursor, Read, copy, sink},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Most members of a workbook's zip.
const MEMBERS_MAX: usize = 2_000;

pub(super) fn read(bytes: &[u8], file_name: &str) -> Result<Book, Faults> {
    let refuse = |problem: String, remedy: &str| Findings::default().refuse(Place::file(file_name), problem, remedy);
    check_zip(bytes).map_err(|problem| refuse(problem, "open the file in Excel and save it again as .xlsx"))?;
    // The library reads what a stranger wrote: should it ever panic, that is a damaged file and not our end.
    let mut findings = Findings::default();
    let read = catch_unwind(AssertUnwindSafe(|| sheets(bytes, file_name, &mut findings)));
    let sheets = match read {
        Ok(Ok(sheets)) => sheets,
        Ok(Err(problem)) => return Err(refuse(problem, "open the file in Excel and save it again as .xlsx")),
        Err(_) => {
            return Err(refuse(
                "the workbook is damaged".to_owned(),
                "open the file in Excel and save it again as .xlsx",
            ));
        }
    };
    findings.finish((), Encoding::Xlsx, String::new())?;
    Ok(Book { encoding: Encoding::Xlsx, sheets })
}

/// Unpacks everything into nothing, counting: what a zip says about its sizes is not believed.
fn check_zip(bytes: &[u8]) -> Result<(), String> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| "the file is damaged or cut short".to_owned())?;
    if archive.len() > MEMBERS_MAX {
        return Err(format!("the workbook holds more than {MEMBERS_MAX} parts"));
    }
    if archive.index_for_name("xl/workbook.xml").is_none() && archive.index_for_name("_rels/.rels").is_none() {
        return Err("the file is a zip, but not an Excel workbook".to_owned());
    }
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let member =
            archive.by_index(index).map_err(|_| "the file is damaged, or protected by a password".to_owned())?;
        let unpacked =
            copy(&mut member.take(left + 1), &mut sink()).map_err(|_| "the file is damaged or cut short".to_owned())?;
        left = left
            .checked_sub(unpacked)
            .ok_or_else(|| format!("the workbook unpacks to more than {UNPACKED_BYTES_MAX} bytes"))?;
    }
    Ok(())
}

fn sheets(bytes: &[u8], file_name: &str, findings: &mut Findings) -> Result<Vec<Sheet>, String> {
    let mut book: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| format!("the workbook cannot be read ({error})"))?;
    let names = book.sheet_names();
    if names.len() > SHEETS_MAX {
        return Err(format!("the workbook has more than {SHEETS_MAX} sheets"));
    }
    let mut sheets = Vec::new();
    for name in names {
        let mut sheet = Sheet::new(file_name, &name);
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue }; // a chart or a macro sheet
        while let Some(cell) = cells.next_cell().map_err(|error| format!("sheet {name} cannot be read ({error})"))? {
            put(&mut sheet, cell.get_position(), cell.get_value(), findings);
        }
        sheets.push(sheet);
    }
    if sheets.is_empty() { Err("the workbook has no sheet".to_owned()) } else { Ok(sheets) }
}

fn put(sheet: &mut Sheet, (row, column): (u32, u32), value: &DataRef<'_>, findings: &mut Findings) {
    let place = |sheet: &Sheet| sheet.at(row as usize, column as usize);
    let cell = match value {
        DataRef::Empty => return,
        DataRef::String(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::Text(text.clone()),
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::Bool(yes) => Cell::Bool(*yes),
        DataRef::DateTime(moment) => Cell::Date(moment.as_f64()),
        DataRef::Error(_) => {
            return findings.fault(
                place(sheet),
                "the cell shows an Excel error such as #N/A",
                "correct the formula or type the value",
            );
        }
    };
    if let Cell::Text(text) = &cell {
        if crate::fold::tidy(text).is_empty() {
            return;
        }
        if let Some((problem, remedy)) = text_fault(text) {
            return findings.fault(place(sheet), problem, remedy);
        }
    }
    if row >= ROWS_MAX || column >= COLUMNS_MAX {
        let problem = format!("the sheet goes beyond row {ROWS_MAX} or column {COLUMNS_MAX}");
        return findings.fault(place(sheet), problem, "delete what is not needed, or split the file");
    }
    sheet.put(row as usize, column as usize, cell);
}
