//! Files as people have them: workbooks, delimited text, zips of photos.

#![allow(clippy::unwrap_used, reason = "a sample that cannot be made stops the test")]

#[allow(dead_code, unreachable_pub, reason = "shared with the readers' own tests, which use all of it")]
#[path = "../../../../server/content/tests/readers/fixture.rs"]
mod fixture;

use crate::Decoder;
use exam_content::{
    bank::{self, BankOptions},
    photos, rooms, roster,
    table::{CELL_CHARS_MAX, COLUMNS_MAX, Format, ROWS_MAX, UNPACKED_BYTES_MAX},
};
use fixture::{admission_no, id_number, jpeg, png, raw_sheet, row, sheet, zip_of};
use std::collections::BTreeSet;

/// A workbook may unpack to a limit, and a far cell may make the rest of its sheet empty cells.
fn sheet_bytes(len: usize) -> usize {
    let cells = ROWS_MAX as usize * COLUMNS_MAX as usize * size_of::<String>() * 2;
    64 * len + UNPACKED_BYTES_MAX as usize + cells + CELL_CHARS_MAX
}

fn options() -> BankOptions {
    BankOptions { id: "p1".parse().unwrap(), title: "样卷".into(), points_tenths: 10, format: Format::Auto }
}

fn csv(rows: &[&str]) -> Vec<u8> {
    rows.join("\n").into_bytes()
}

pub(super) fn question_bank(name: &'static str) -> Decoder {
    let head = "题型,题目内容,正确答案,分值,选项A,选项B,选项C";
    let rows = ["单选题,天是什么颜色,A,2,蓝,绿,红", "判断题,地是圆的,对,1,,,", "填空题,一加一等于____,2,1,,,"];
    let workbook = |rows: &[&str]| sheet(rows.iter().map(|line| row(&line.split(',').collect::<Vec<_>>())).collect());
    let all = [&[head], &rows[..]].concat();
    Decoder {
        name,
        samples: vec![csv(&all), workbook(&all)],
        decode: Box::new(|bytes| drop(bank::read(bytes, "bank", &options()))),
        bytes_max: sheet_bytes,
        one_in: 20,
    }
}

pub(super) fn candidate_list(name: &'static str) -> Decoder {
    let head = "姓名,证件号码,准考证号,考位号,场次".to_owned();
    let line = |n: u32| format!("考生{n},{},{},{n},1", id_number(n), admission_no(n));
    let lines: Vec<String> = std::iter::once(head).chain((1..=3).map(line)).collect();
    let rows = lines.iter().map(|line| row(&line.split(',').collect::<Vec<_>>())).collect();
    Decoder {
        name,
        samples: vec![lines.join("\n").into_bytes(), sheet(rows)],
        decode: Box::new(|bytes| drop(roster::read(bytes, "list"))),
        bytes_max: sheet_bytes,
        one_in: 20,
    }
}

pub(super) fn room_list(name: &'static str) -> Decoder {
    Decoder {
        name,
        samples: vec![csv(&["考场名称,考位数,备用机数", "第一考场,40,2", "第二考场,30,1"])],
        decode: Box::new(|bytes| drop(rooms::read(bytes, "rooms"))),
        bytes_max: sheet_bytes,
        one_in: 5,
    }
}

/// The XML of a sheet inside a sound zip.
pub(super) fn sheet_xml(name: &'static str) -> Decoder {
    let cell = |at: &str, text: &str| format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#);
    let rows = [
        ["A1", "姓名"],
        ["B1", "证件号码"],
        ["C1", "准考证号"],
        ["A2", "甲"],
        ["B2", "11010519000101001X"],
        ["C2", "990000000000000000000001"],
    ];
    let line = |n: usize| rows[3 * n..3 * n + 3].iter().map(|[at, text]| cell(at, text)).collect::<String>();
    let xml = format!(
        r#"<worksheet><dimension ref="A1:C2"/><sheetData><row r="1">{}</row><row r="2">{}</row></sheetData></worksheet>"#,
        line(0),
        line(1)
    );
    Decoder {
        name,
        samples: vec![xml.into_bytes()],
        decode: Box::new(|bytes| drop(roster::read(&raw_sheet(&String::from_utf8_lossy(bytes)), "list"))),
        bytes_max: sheet_bytes,
        one_in: 20,
    }
}

pub(super) fn photos(name: &'static str) -> Decoder {
    let (first, second) = (format!("{}.jpg", id_number(1)), format!("{}.png", id_number(2)));
    let zip = zip_of(&[(first.as_bytes(), &jpeg(295, 413)), (second.as_bytes(), &png(295, 413))]);
    Decoder {
        name,
        samples: vec![zip],
        decode: Box::new(|bytes| drop(photos::read(bytes, "photos.zip", &BTreeSet::new()))),
        bytes_max: |len| 3 * 1_032 * len + 8 * 1024 * 1024,
        one_in: 10,
    }
}
