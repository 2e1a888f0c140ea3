//! Question banks in both shapes and every way of writing an answer.

use crate::fixture::{Put, row, sheet};
use exam_content::{
    bank::{self, BankOptions},
    fault::{Faults, Imported},
    table::Format,
};
use exam_protocol::{
    key::{ItemKey, KeyedPaper},
    paper::ItemKind,
};

const WIDE: [&str; 9] = ["题型", "问题内容", "难度", "正确选项", "分值", "A", "B", "C", "D"];
const LONG: [&str; 11] = [
    "题目序号",
    "题目类型",
    "题目内容",
    "整体解析",
    "题目图片",
    "题目视频",
    "所属题库",
    "是否正确项",
    "选项内容",
    "选项解析",
    "选项图片",
];

fn read_bytes(bytes: &[u8]) -> Result<Imported<KeyedPaper>, Faults> {
    let options = BankOptions {
        id: "p1".parse().unwrap(),
        title: "数字营销理论".into(),
        points_tenths: 10,
        format: Format::Auto,
    };
    bank::read(bytes, "bank.xlsx", &options)
}

fn read(rows: Vec<Vec<Put>>) -> Result<Imported<KeyedPaper>, Faults> {
    read_bytes(&sheet(rows))
}

fn wide(questions: &[&[&str]]) -> Vec<Vec<Put>> {
    std::iter::once(row(&WIDE)).chain(questions.iter().map(|question| row(question))).collect()
}

fn long(number: &str, kind: Put, stem: &str, options: &[(&str, &str)]) -> Vec<Vec<Put>> {
    let line = |index: usize, right: &str, text: &str| {
        let own =
            if index == 0 { [Put::from(number), kind.clone(), Put::from(stem)] } else { ["", "", ""].map(Put::from) };
        [own.to_vec(), row(&["", "", "", "", right, text])].concat()
    };
    options.iter().enumerate().map(|(index, (right, text))| line(index, right, text)).collect()
}

fn long_bank(questions: Vec<Vec<Vec<Put>>>) -> Vec<Vec<Put>> {
    [vec![row(&["试题导入模板"]), row(&LONG)], questions.concat()].concat()
}

/// The key in a few characters: `A`, `AB`, `T`, `F`, `甲|乙;丙`, `hand`.
fn short(key: &ItemKey) -> String {
    match key {
        ItemKey::Single { option } => option.to_string(),
        ItemKey::Multiple { options } => options.iter().map(|option| option.as_str()).collect(),
        ItemKey::TrueFalse { right } => if *right { "T" } else { "F" }.to_owned(),
        ItemKey::Blanks { accepted, any_order } => {
            let blanks: Vec<String> = accepted.iter().map(|texts| texts.join("|")).collect();
            format!("{}{}", if *any_order { "*" } else { "" }, blanks.join(";"))
        }
        ItemKey::ByHand { reference } => format!("hand:{reference}"),
    }
}

fn keys(paper: &KeyedPaper) -> Vec<String> {
    paper.paper.items.iter().map(|item| short(&paper.keys[&item.id])).collect()
}

#[test]
fn a_wide_bank_with_every_kind_is_read() {
    let read = read(wide(&[
        &["单选题", "首页的英文是？", "简单", "B", "2", "page", "home", "site", ""],
        &["多选题", "哪些是渠道？\n选出全部。", "中等", "A、C", "2.5分", "搜索", "抽屉", "邮件", ""],
        &["判断题", "点击率等于点击除以展示。", "简单", "A", "", "正确", "错误", "", ""],
        &["判断", "=1+1 是公式。", "", "错", "", "", "", "", ""],
        &["填空题", "____ 与 ____ 是搜索引擎。", "", "百度；必应/Bing", "4", "", "", "", ""],
        &["简答题", "说明漏斗。", "困难", "从认知到转化。", "10", "", "", "", ""],
    ]))
    .unwrap();
    let paper = &read.value;
    assert_eq!(keys(paper), ["B", "AC", "T", "F", "百度;必应|Bing|必应/Bing", "hand:从认知到转化。"]);
    assert_eq!(paper.paper.items.iter().map(|item| item.points_tenths).collect::<Vec<_>>(), [20, 25, 10, 10, 40, 100]);
    assert_eq!(paper.paper.items[1].stem, ["哪些是渠道？", "选出全部。"]);
    assert_eq!(paper.paper.items[3].stem, ["=1+1 是公式。"], "what looks like a formula is just text");
    assert_eq!(paper.paper.items[5].id.as_str(), "q006");
    assert!(matches!(paper.paper.items[4].kind, ItemKind::FillIn { blanks: 2 }));
    paper.paper.check().unwrap();
}

#[test]
fn answers_are_taken_however_they_are_written() {
    for written in ["AB", "A,B", "A，B", "A、B", "ＡＢ", "b a", "A;B"] {
        let read = read(wide(&[&["多选", "题", "", written, "", "甲", "乙", "丙"]])).unwrap();
        assert_eq!(keys(&read.value), ["AB"], "{written}");
    }
    for (written, wanted) in [
        ("对", "T"),
        ("错", "F"),
        ("正确", "T"),
        ("错误", "F"),
        ("√", "T"),
        ("×", "F"),
        ("true", "T"),
        ("FALSE", "F"),
        ("B", "F"),
    ] {
        for options in [&["正确", "错误"][..], &[][..]] {
            let question = [&["判断", "题", "", written, ""][..], options].concat();
            let read = read(wide(&[&question])).unwrap();
            assert_eq!(keys(&read.value), [wanted], "{written} with {options:?}");
        }
    }
    let bool_cell = vec![row(&WIDE), vec![Put::from("判断"), Put::from("题"), Put::from(""), Put::Bool(false)]];
    assert_eq!(keys(&read(bool_cell).unwrap().value), ["F"]);
}

#[test]
fn a_long_bank_is_read_with_blank_continuation_rows() {
    let read = read(long_bank(vec![
        long("1", "单选题".into(), "首页是？", &[("否", "A. page"), ("是", "B. home"), ("", "C. site")]),
        long("2", "多选题".into(), "渠道？", &[("1", "搜索"), ("0", "抽屉"), ("1", "邮件")]),
        long("3", "判断题".into(), "对吗？", &[("√", "正确"), ("×", "错误")]),
        long("4", "填空题".into(), "（ ）和（ ）", &[("是", "甲"), ("是", "乙/丙")]),
        long("5", "简答题".into(), "说明。", &[("", "要点一"), ("", "要点二")]),
    ]))
    .unwrap();
    assert_eq!(keys(&read.value), ["B", "AC", "T", "甲;乙|丙|乙/丙", "hand:要点一\n要点二"]);
    assert_eq!(read.value.paper.items[0].kind.options()[1].text, "home", "the author's own letter is taken off");
}

#[test]
fn a_csv_bank_in_gbk_is_read() {
    let text = "题型,题干,答案,选项A,选项B\n单选题,首页是？,B,page,home\n";
    let bytes = encoding_rs::GBK.encode(text).0.into_owned();
    assert_eq!(keys(&read_bytes(&bytes).unwrap().value), ["B"]);
}

#[test]
fn options_and_marks_may_be_numbered_columns() {
    let head = row(&["type", "question", "option1", "isCorrect1", "option2", "isCorrect2"]);
    let question = vec!["single".into(), "题".into(), "甲".into(), Put::Bool(false), "乙".into(), Put::Bool(true)];
    assert_eq!(keys(&read(vec![head, question]).unwrap().value), ["B"]);
}

#[test]
fn number_codes_are_read_by_what_the_file_shows_and_told() {
    let bank = |codes: [f64; 3]| {
        let [single, judgement, multiple] = codes.map(Put::Number);
        long_bank(vec![
            long("1", single, "一？", &[("0", "甲"), ("1", "乙"), ("0", "丙")]),
            long("2", judgement, "二。", &[("1", "正确"), ("0", "错误")]),
            long("3", multiple, "三？", &[("1", "甲"), ("1", "乙"), ("0", "丙")]),
        ])
    };
    for (codes, told) in
        [([0.0, 1.0, 2.0], "0 = 单选, 1 = 判断, 2 = 多选"), ([1.0, 3.0, 2.0], "1 = 单选, 2 = 多选, 3 = 判断")]
    {
        let read = read(bank(codes)).unwrap();
        assert_eq!(keys(&read.value), ["B", "T", "AB"]);
        assert!(read.warnings.iter().any(|warning| warning.problem.contains(told)), "{:?}", read.warnings);
    }
}

#[test]
fn any_order_is_marked_in_the_answer_or_in_a_column() {
    let by_answer = read(wide(&[&["填空", "____和____", "", "甲；乙（不分先后）"]])).unwrap();
    assert_eq!(keys(&by_answer.value), ["*甲;乙"]);
    let head = row(&["题型", "题干", "答案", "任意顺序"]);
    let by_column = read(vec![head, row(&["填空", "____和____", "甲；乙", "是"])]).unwrap();
    assert_eq!(keys(&by_column.value), ["*甲;乙"]);
}

#[test]
fn every_bad_row_is_told_with_its_place() {
    let long_text = "长".repeat(8_001);
    let said = read(wide(&[
        &["单选题", "没有答案？", "", "", "", "甲", "乙"],
        &["连线题", "不认识的题型？", "", "A", "", "甲", "乙"],
        &["单选题", "不存在的选项？", "", "D", "", "甲", "乙"],
        &["单选题", "两个答案？", "", "AB", "", "甲", "乙"],
        &["判断题", "说不清？", "", "大概", ""],
        &["单选题", "", "", "A", "", "甲", "乙"],
        &["单选题", "分值？", "", "A", "两分", "甲", "乙"],
        &["单选题", &long_text, "", "A", "", "甲", "乙"],
        &["", "没有题型？", "", "A", "", "甲", "乙"],
        &["单选题", "一个选项？", "", "A", "", "甲"],
        &["填空题", "____和____", "", "只有一个", ""],
        &["单选题", "数字答案？", "", "1", "", "甲", "乙"],
    ]))
    .unwrap_err()
    .to_string();
    for words in [
        "bank.xlsx, sheet Sheet1, row 2, column D (cell D2): the question has no answer",
        "(cell A3): the kind (题型) is not one of those known",
        "(cell D4): the answer names option D, which does not exist",
        "(cell D5): a single choice (单选) with two answers",
        "(cell D6): the answer of a judgement (判断) is not 对 or 错",
        "(cell B7): the question has no text",
        "(cell E8): the points (分值)",
        "(cell B9): the text has more than 8000 characters",
        "(cell A10): the kind (题型) is missing",
        "(cell B11): the question has fewer than 2 options",
        "(cell D12): the question shows 2 blanks, its answer fills 1",
        "(cell D13): the answer does not name options by their letters",
    ] {
        assert!(said.contains(words), "{words} in:\n{said}");
    }
    assert_eq!(said.lines().count(), 12, "{said}");
}

#[test]
fn a_long_bank_tells_its_faults_too() {
    let said = read(long_bank(vec![
        vec![[row(&["", "", ""]), row(&["", "", "", "", "是", "没有题目的选项"])].concat()],
        long("1", "单选题".into(), "没有答案？", &[("否", "甲"), ("否", "乙")]),
        long("2", "单选题".into(), "两个？", &[("是", "甲"), ("是", "乙")]),
        long("3", "单选题".into(), "也许？", &[("是", "甲"), ("也许", "乙")]),
    ]))
    .unwrap_err()
    .to_string();
    for words in [
        "row 3: an option without a question above it",
        "row 4: the question has no answer",
        "row 6: a single choice",
        "(cell H9): 是否正确项",
    ] {
        assert!(said.contains(words), "{words} in:\n{said}");
    }
}

#[test]
fn missing_columns_are_named() {
    let said =
        read(vec![row(&["题型", "问题内容", "A", "B"]), row(&["单选题", "x", "1", "2"])]).unwrap_err().to_string();
    assert!(said.contains("the column 正确答案 (also known as 答案"), "{said}");
    let said = read(vec![row(&["问题内容", "答案", "A"]), row(&["x", "A", "2"])]).unwrap_err().to_string();
    assert!(said.contains("the column 题型"), "{said}");
    let said = read(vec![row(&["题型", "题干", "答案", "A", "B", "A"]), row(&["单选", "x", "A", "1", "2"])])
        .unwrap_err()
        .to_string();
    assert!(said.contains("the column of option A is there twice"), "{said}");
}

#[test]
fn the_same_question_twice_is_a_warning() {
    let question: &[&str] = &["判断", "同一题。", "", "对"];
    let read = read(wide(&[question, question])).unwrap();
    assert!(read.warnings[0].to_string().contains("rows 2 and 3 ask the same question"));
}

#[test]
fn what_excel_shows_otherwise_is_not_taken_in_silence() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let (percent, date) = (
        rust_xlsxwriter::Format::new().set_num_format("0%"),
        rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd"),
    );
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["题型", "题干", "答案", "A", "B"]).unwrap();
    sheet.write_row(1, 0, ["单选题", "点击率？", "A"]).unwrap();
    sheet.write_number_with_format(1, 3, 0.05, &percent).unwrap().write_string(1, 4, "6%").unwrap();
    let read = read_bytes(&book.save_to_buffer().unwrap()).unwrap();
    assert!(read.warnings[0].to_string().contains("(cell D2): the cell holds the number 0.05"), "{:?}", read.warnings);
    let sheet = book.worksheet_from_index(0).unwrap();
    sheet.write_number_with_format(1, 3, 45_000.0, &date).unwrap();
    let said = read_bytes(&book.save_to_buffer().unwrap()).unwrap_err().to_string();
    assert!(said.contains("(cell D2): the cell is a date to Excel"), "{said}");
}

#[test]
fn a_control_character_in_a_workbook_is_refused() {
    let said = read(wide(&[&["单选题", "钟\u{7}声？", "", "A", "", "甲", "乙"]])).unwrap_err().to_string();
    assert!(said.contains("(cell B2): the cell holds a binary or control character (U+0007)"), "{said}");
}

#[test]
fn two_options_with_the_same_text_are_a_warning_that_names_the_second() {
    let read = read(wide(&[&["单选题", "几个？", "", "A", "", "一个", "两个", "一个"]])).unwrap();
    let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.iter().any(|said| said.contains("(cell H2)") && said.contains("options A and C have the same text")),
        "{warnings:?}"
    );
}
