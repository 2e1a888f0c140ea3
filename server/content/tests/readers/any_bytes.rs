//! No file can make a reader panic: random bytes, random tables, damaged workbooks.

use crate::fixture::{raw_sheet, row, sheet};
use exam_content::{
    bank::{self, BankOptions},
    photos, rooms, roster,
    table::Format,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Every reader on the same bytes; what they answer does not matter here.
fn read_all(bytes: &[u8]) {
    let options = BankOptions { id: "p".parse().unwrap(), title: "t".into(), points_tenths: 10, format: Format::Auto };
    let _ = roster::read(bytes, "a");
    let _ = rooms::read(bytes, "a");
    let _ = bank::read(bytes, "a", &options);
    let _ = photos::read(bytes, "a.zip", &BTreeSet::new());
}

fn header_and_cells() -> impl Strategy<Value = String> {
    let head = prop_oneof![
        Just("姓名,证件号码,准考证号,考位号,场次"),
        Just("题型,题干,答案,分值,A,B,C"),
        Just("题目序号,题目类型,题目内容,是否正确项,选项内容"),
        Just("考场名称,考位数,备用机数"),
    ];
    let cell = prop_oneof![
        "\\PC{0,8}",
        Just("单选题".to_owned()),
        Just("填空".to_owned()),
        Just("判断".to_owned()),
        Just("____（ ）".to_owned()),
        Just("AB".to_owned()),
        Just("是".to_owned()),
        "[0-9]{1,30}",
        Just(r"a\/b/|；".to_owned()),
        Just(String::new()),
    ];
    let rows = prop::collection::vec(prop::collection::vec(cell, 0..8), 0..8);
    (head, rows).prop_map(|(head, rows)| {
        let lines: Vec<String> = rows.iter().map(|cells| cells.join(",")).collect();
        format!("{head}\n{}", lines.join("\n"))
    })
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        read_all(&bytes);
    }

    #[test]
    fn random_tables_never_panic(text in header_and_cells()) {
        read_all(text.as_bytes());
    }

    #[test]
    fn a_damaged_workbook_never_panics(at in 0_usize..4096, with in any::<u8>(), cut in 0_usize..4096) {
        let mut bytes = sheet(vec![row(&["姓名", "证件号码", "准考证号"]), row(&["甲", "乙", "丙"])]);
        let at = at % bytes.len();
        bytes[at] = with;
        read_all(&bytes);
        bytes.truncate(cut);
        read_all(&bytes);
    }

    #[test]
    fn a_damaged_sheet_never_panics(xml in "<worksheet><sheetData>(<row r=\"[0-9]{1,9}\">(<c r=\"[A-Z]{0,4}[0-9]{0,12}\" t=\"(s|n|b|str|d|e)\" s=\"[0-9]{1,3}\"><v>[-0-9Ee.]{0,20}</v></c>){0,3}</row>){0,3}</sheetData></worksheet>") {
        read_all(&raw_sheet(&xml));
    }
}
