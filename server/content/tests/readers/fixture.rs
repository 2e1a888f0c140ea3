//! Makers of files: workbooks, text in several encodings, zips with GBK names. Invented persons only.

use rust_xlsxwriter::{Format, Workbook};
use std::io::{Cursor, Write};

/// What goes into a cell of a made workbook.
#[derive(Clone, Debug)]
pub(crate) enum Put {
    Text(String),
    Number(f64),
    Bool(bool),
}

impl From<&str> for Put {
    fn from(text: &str) -> Self {
        Put::Text(text.to_owned())
    }
}

/// A row of texts.
pub(crate) fn row(cells: &[&str]) -> Vec<Put> {
    cells.iter().map(|cell| Put::from(*cell)).collect()
}

/// A workbook of sheets, each a name and its rows.
pub(crate) fn workbook(sheets: &[(&str, Vec<Vec<Put>>)]) -> Vec<u8> {
    let mut book = Workbook::new();
    let text = Format::new().set_num_format("@");
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (r, cells) in rows.iter().enumerate() {
            for (c, cell) in cells.iter().enumerate() {
                let (r, c) = (r as u32, c as u16);
                match cell {
                    Put::Text(t) if t.is_empty() => continue,
                    Put::Text(t) => sheet.write_string_with_format(r, c, t, &text).unwrap(),
                    Put::Number(n) => sheet.write_number(r, c, *n).unwrap(),
                    Put::Bool(b) => sheet.write_boolean(r, c, *b).unwrap(),
                };
            }
        }
    }
    book.save_to_buffer().unwrap()
}

/// One sheet.
pub(crate) fn sheet(rows: Vec<Vec<Put>>) -> Vec<u8> {
    workbook(&[("Sheet1", rows)])
}

/// A zip; names are raw bytes, as old Windows packs them (no UTF-8 flag).
pub(crate) fn zip_of(files: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stand_in = |index: usize, bytes: usize| format!("{index:0>bytes$}").replace('0', "~");
    for (index, (name, content)) in files.iter().enumerate() {
        writer.start_file(stand_in(index + 1, name.len()), zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    let mut bytes = writer.finish().unwrap().into_inner();
    for (index, (name, _)) in files.iter().enumerate() {
        let placeholder = stand_in(index + 1, name.len()).into_bytes();
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&placeholder)).collect();
        places.into_iter().for_each(|at| bytes[at..at + name.len()].copy_from_slice(name));
    }
    bytes
}

/// The smallest thing with a PNG header of that size.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];
    bytes.extend(b"IHDR");
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0]);
    bytes
}

/// A JPEG up to its start of frame: APP0, then SOF0.
pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([1, 1, 0x11, 0]);
    bytes
}

/// An obviously invented ID number (born 1900-01-01) with a right check digit.
pub(crate) fn id_number(serial: u32) -> String {
    let digits = format!("11010519000101{serial:03}");
    let check = exam_content::id_number::check_digit(&digits).unwrap();
    format!("{digits}{check}")
}

/// An invented admission number of 26 digits.
pub(crate) fn admission_no(serial: u32) -> String {
    format!("99{serial:024}")
}

/// A workbook around the XML of its only sheet, as other programs may write it.
pub(crate) fn raw_sheet(xml: &str) -> Vec<u8> {
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let links = |kind: &str, target: &str| {
        format!(r#"<Relationships><Relationship Id="r1" Type="{OFFICE}/{kind}" Target="{target}"/></Relationships>"#)
    };
    let workbook =
        format!(r#"<workbook xmlns:r="{OFFICE}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>"#);
    zip_of(&[
        (b"_rels/.rels", links("officeDocument", "xl/workbook.xml").as_bytes()),
        (b"xl/workbook.xml", workbook.as_bytes()),
        (b"xl/_rels/workbook.xml.rels", links("worksheet", "worksheets/sheet1.xml").as_bytes()),
        (b"xl/worksheets/sheet1.xml", xml.as_bytes()),
    ])
}
