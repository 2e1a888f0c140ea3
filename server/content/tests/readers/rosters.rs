//! Rosters and room sheets as schools and the platform write them.

use crate::fixture::{Put, admission_no, id_number, row, sheet, workbook};
use exam_content::{rooms, roster, table::Encoding};
use exam_protocol::paper::Subject;

const HEAD: [&str; 5] = ["*姓名", "*证件号码", "*准考证号", "考场名称", "考位号"];

fn person(serial: u32) -> Vec<Put> {
    row(&[&format!("考生{serial}"), &id_number(serial), &admission_no(serial), "一号机房", &serial.to_string()])
}

fn faults(rows: Vec<Vec<Put>>) -> String {
    roster::read(&sheet(rows), "roster.xlsx").unwrap_err().to_string()
}

#[test]
fn a_platform_sheet_with_a_title_row_is_read() {
    let mut rows = vec![row(&["2026 年秋季考生名单"]), vec![]];
    rows.push(row(&[
        "*学生姓名",
        "姓名拼音",
        "证件类型",
        " 证件\u{a0}号码",
        "＊准考证号",
        "考　场",
        "座位号",
        "场次",
        "科目",
    ]));
    rows.push(row(&[
        "\u{a0}买买提·艾力",
        "x",
        "居民身份证",
        "１１０１０５１９４９１２３１００２ｘ",
        "'99000000000000000000000001",
        "一号",
        "7",
        "上午",
        "理论",
    ]));
    let read = roster::read(&sheet(rows), "roster.xlsx").unwrap();
    let only = &read.value[0];
    assert_eq!((only.row, only.name.as_str(), only.id_number.as_str()), (4, "买买提·艾力", "11010519491231002X"));
    assert_eq!(only.admission_no.as_str(), "99000000000000000000000001");
    assert_eq!(
        (only.seat.unwrap().get(), only.room.as_deref(), only.session.as_deref()),
        (7, Some("一号"), Some("上午"))
    );
    assert_eq!(only.subject, Some(Subject::Theory));
    assert!(read.warnings.is_empty());
    assert_eq!((read.encoding, read.sheet.as_str()), (Encoding::Xlsx, "Sheet1"));
}

#[test]
fn csv_gives_the_same_roster_in_every_encoding() {
    let text = format!(
        "姓名,身份证号,准考证号,座位号\n王小明,{},{},3\n李•雷,=\"{}\",\"{}\",4\n",
        id_number(1),
        admission_no(1),
        id_number(2),
        admission_no(2)
    );
    let wanted = roster::read(text.as_bytes(), "a.csv").unwrap();
    assert_eq!(wanted.value.len(), 2);
    let gbk = encoding_rs::GB18030.encode(&text).0.into_owned();
    let read = roster::read(&gbk, "a.csv").unwrap();
    assert_eq!((read.value, read.encoding), (wanted.value, Encoding::Gb18030));
}

#[test]
fn numeric_cells_are_errors_with_their_place() {
    let mut second = person(2);
    second[2] = Put::Number(9.9e25);
    let mut third = person(3);
    third[1] = Put::Number(110_105_190_001_010_000.0);
    let said = faults(vec![row(&HEAD), person(1), second, third]);
    assert!(
        said.contains(
            "roster.xlsx, sheet Sheet1, row 3, column C (cell C3): the admission number (准考证号) is a numeric cell"
        ),
        "{said}"
    );
    assert!(said.contains("(cell B4): the ID number (证件号码) is a numeric cell"), "{said}");
}

#[test]
fn a_number_that_a_csv_lost_to_excel_is_an_error() {
    let text = format!("姓名,证件号码,准考证号\n甲,{},9.9E+25\n", id_number(1));
    let said = roster::read(text.as_bytes(), "a.csv").unwrap_err().to_string();
    assert!(said.contains("a.csv, row 2, column C (cell C2)") && said.contains("digits are lost"), "{said}");
}

#[test]
fn missing_and_double_columns_are_named() {
    let said = faults(vec![row(&["姓名", "姓 名", "性别", "准考证号"]), row(&["甲", "甲", "男", &admission_no(1)])]);
    assert!(said.contains("the column 证件号码 (also known as 身份证号"), "{said}");
    assert!(said.contains("the column 姓名 is there twice or more: columns A, B"), "{said}");
    let said = faults(vec![row(&["甲", "乙"]), row(&["1", "2"])]);
    assert!(said.contains("no header row found") && said.contains("姓名, 证件号码, 准考证号"), "{said}");
}

#[test]
fn a_wrong_check_digit_is_a_warning_and_only_for_resident_cards() {
    let mut card = person(1);
    card[1] = Put::from("110105190001010000");
    let mut passport = person(2);
    passport[1] = Put::from("E00000000");
    passport.push(Put::from("护照"));
    let mut head = row(&HEAD);
    head.push(Put::from("证件类型"));
    let read = roster::read(&sheet(vec![head, card, passport]), "r.xlsx").unwrap();
    assert_eq!(read.value.len(), 2);
    assert_eq!(read.warnings.len(), 1);
    let warning = read.warnings[0].to_string();
    assert!(warning.contains("(cell B2)") && warning.contains("check digit"), "{warning}");
    assert!(!warning.contains("110105190001010000"), "a warning must not carry the number itself");
}

#[test]
fn duplicate_candidates_name_both_rows() {
    let mut same_id = person(2);
    same_id[1] = Put::from(id_number(1).as_str());
    let mut same_desk = person(4);
    same_desk[4] = Put::from("1");
    let said = faults(vec![row(&HEAD), person(1), same_id, person(1), person(3), same_desk]);
    assert!(said.contains("rows 2 and 3: the same ID number"), "{said}");
    assert!(said.contains("rows 2 and 4: the same admission number"), "{said}");
    assert!(said.contains("rows 2 and 6: two candidates at one desk"), "{said}");
}

#[test]
fn one_candidate_may_sit_two_sessions_under_one_number() {
    let with = |session: &str| [person(1), row(&[session])].concat();
    let head = [row(&HEAD), row(&["场次"])].concat();
    let read = roster::read(&sheet(vec![head.clone(), with("上午"), with("下午")]), "r.xlsx").unwrap();
    assert_eq!(read.value.len(), 2);
    let mut renamed = with("下午");
    renamed[0] = Put::from("别人");
    let said = faults(vec![head, with("上午"), renamed]);
    assert!(said.contains("one admission number (准考证号) with two names or ID numbers"), "{said}");
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let bad = row(&["", "123", "12a", "机房", "1000"]);
    let said = faults(vec![row(&HEAD), bad.clone(), person(1), bad]);
    assert_eq!(said.lines().count(), 8, "four faults in each of two rows:\n{said}");
}

#[test]
fn an_empty_list_is_no_roster() {
    assert!(faults(vec![row(&HEAD)]).contains("no candidate below the header"));
}

#[test]
fn a_second_sheet_with_candidates_is_not_dropped_in_silence() {
    let sheets = [
        ("说明", vec![row(&["请勿改动表头"])]),
        ("一", vec![row(&HEAD), person(1)]),
        ("二", vec![row(&HEAD), person(2)]),
    ];
    let read = roster::read(&workbook(&sheets), "r.xlsx").unwrap();
    assert_eq!((read.value.len(), read.sheet.as_str()), (1, "一"));
    assert!(read.warnings[0].to_string().contains("sheet 二: this sheet was not read"), "{:?}", read.warnings);
}

#[test]
fn rooms_are_read_under_the_platforms_names() {
    let head = row(&["考试计划编号", "*考场编号", "*考场名称", "*考位数", "备用机数", "考场类型"]);
    let rows = vec![
        head,
        row(&["x", "R1", "一号机房", "40", "2", "机考+实操"]),
        vec![Put::from("x"), Put::from(""), Put::from("二号"), Put::Number(60.0)],
    ];
    let read = rooms::read(&sheet(rows), "rooms.xlsx").unwrap().value;
    assert_eq!(
        (read[0].name.as_str(), read[0].code.as_deref(), read[0].seats, read[0].spares),
        ("一号机房", Some("R1"), 40, 2)
    );
    assert_eq!((read[1].seats, read[1].spares), (60, 0));
}

#[test]
fn impossible_rooms_are_refused() {
    let rows = vec![
        row(&["考场名称", "考位数"]),
        row(&["甲", "0"]),
        row(&["乙", "1000"]),
        row(&["", "5"]),
        row(&["丙", "3"]),
        row(&["丙", "4"]),
    ];
    let said = rooms::read(&sheet(rows), "rooms.xlsx").unwrap_err().to_string();
    for words in ["(cell B3)", "row 2: a room has", "row 4: the room's name", "rows 5 and 6: the same room"] {
        assert!(said.contains(words), "{words} in:\n{said}");
    }
}
