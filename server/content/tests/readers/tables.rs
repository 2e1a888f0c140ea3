//! What the table reader takes and what it refuses, in words.

use crate::fixture::{Put, raw_sheet, row, sheet, workbook, zip_of};
use exam_content::table::{self, Cell, Encoding, Format};
use std::io::{Cursor, Write};

fn refusal(bytes: &[u8], format: Format) -> String {
    table::read(bytes, "a-file", format).unwrap_err().to_string()
}

#[test]
fn every_encoding_gives_the_same_table_and_says_which_it_was() {
    let text = "姓名,备注\r\n王·小明,\"两,格\"\r\n";
    let utf16 = |order: fn(u16) -> [u8; 2]| {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
    };
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Encoding::Utf8Bom),
        (encoding_rs::GBK.encode(text).0.into_owned(), Encoding::Gb18030),
        (utf16(u16::to_le_bytes), Encoding::Utf16Le),
        (utf16(u16::to_be_bytes), Encoding::Utf16Be),
    ] {
        let book = table::read(&bytes, "a.csv", Format::Auto).unwrap();
        assert_eq!(book.encoding, encoding);
        assert_eq!(book.sheets[0].cell(1, 0).text(), "王·小明");
        assert_eq!(book.sheets[0].cell(1, 1).text(), "两,格");
    }
}

#[test]
fn delimiters_are_found_by_counting() {
    for text in ["a,b;x,c\n1,2,3\n", "a\tb\tc\n1\t2\t3\n", "a;b;c\n1;2;3\n"] {
        let book = table::read(text.as_bytes(), "a.txt", Format::Auto).unwrap();
        assert_eq!(book.sheets[0].cell(1, 2).text(), "3", "{text}");
    }
}

#[test]
fn blank_lines_count_as_excel_counts_them() {
    for text in ["a,b\n\n\nc,d\n", "a,b\r\n\r\n\r\nc,d\r\n", "a,b\r\n,\r\n\r\nc,d", "a,\"b\nb\"\n\n\nc,d"] {
        let sheet = &table::read(text.as_bytes(), "a.csv", Format::Auto).unwrap().sheets[0];
        assert_eq!(sheet.cell(3, 1).text(), "d", "{text:?}");
    }
}

#[test]
fn other_files_are_refused_with_a_remedy() {
    let ole = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0];
    for (bytes, format, words) in [
        (&b""[..], Format::Auto, "the file is empty"),
        (&ole[..], Format::Auto, ".xls workbook or is protected by a password"),
        (&b"a,b\n1,2"[..], Format::Xlsx, "not an .xlsx workbook"),
        (&zip_of(&[(b"a.txt", b"a")])[..], Format::Auto, "not an Excel workbook"),
        (&sheet(vec![row(&["a"])])[..], Format::Csv, "not a text file"),
        (&b"a,b\x00c\n"[..], Format::Auto, "binary"),
        (&b"a,\xff\xff\xff\n"[..], Format::Auto, "neither UTF-8 nor GBK"),
        (&b"\xef\xbb\xbfa\xff"[..], Format::Auto, "damaged further on"),
    ] {
        let said = refusal(bytes, format);
        assert!(said.contains(words) && said.contains("->"), "{said}");
    }
}

#[test]
fn a_truncated_workbook_is_refused() {
    let whole = sheet(vec![row(&["姓名", "证件号码"]), row(&["甲", "乙"])]);
    for cut in [10, whole.len() / 2, whole.len() - 30] {
        assert!(refusal(&whole[..cut], Format::Auto).contains("damaged or cut short"), "cut at {cut}");
    }
}

#[test]
fn over_long_and_binary_cells_name_their_place() {
    let long = "长".repeat(table::CELL_CHARS_MAX + 1);
    let said = refusal(format!("a,b\n1,{long}\nx\u{7},3\n").as_bytes(), Format::Auto);
    assert!(said.contains("row 2, column B (cell B2): the cell holds 32768 characters"), "{said}");
    assert!(said.contains("(cell A3): the cell holds a binary or control character (U+0007)"), "{said}");
}

#[test]
fn a_lonely_cell_far_away_costs_nothing_and_is_named() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "a").unwrap();
    sheet.write_string(1_048_575, 16_383, "z").unwrap();
    let said = refusal(&book.save_to_buffer().unwrap(), Format::Auto);
    assert!(said.contains("(cell XFD1048576)"), "{said}");
}

#[test]
fn a_zip_bomb_is_stopped_by_counting_not_by_its_word() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("xl/workbook.xml", options).unwrap();
    let zeroes = vec![0_u8; 1024 * 1024];
    for part in 0..5 {
        writer.start_file(format!("xl/worksheets/sheet{part}.xml"), options).unwrap();
        (0..64).for_each(|_| writer.write_all(&zeroes).unwrap());
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(bytes.len() < table::FILE_BYTES_MAX, "the bomb must look harmless from outside");
    assert!(refusal(&bytes, Format::Auto).contains("unpacks to more than"), "320 MiB must not be unpacked");
}

#[test]
fn cells_keep_their_types() {
    let bytes =
        workbook(&[("一", vec![vec![Put::from("文"), Put::Number(2.5), Put::Bool(true)]]), ("二", vec![row(&["x"])])]);
    let book = table::read(&bytes, "a.xlsx", Format::Auto).unwrap();
    assert_eq!(book.sheets.len(), 2);
    assert_eq!(book.sheets[0].row(0), [Cell::Text("文".into()), Cell::Number(2.5), Cell::Bool(true)]);
}

#[test]
fn twenty_six_digits_in_a_numeric_cell_are_a_number_that_lost_them() {
    let xml = r#"<worksheet><sheetData><row r="7"><c r="C7"><v>99000000000000000000123456</v></c></row></sheetData></worksheet>"#;
    let book = table::read(&raw_sheet(xml), "a.xlsx", Format::Auto).unwrap();
    assert!(matches!(book.sheets[0].cell(6, 2), Cell::Number(number) if *number > 9.8e25));
    assert_eq!(book.sheets[0].at(6, 2).cell().as_deref(), Some("C7"));
}
