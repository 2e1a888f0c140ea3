//! The sample's workbooks, dressed as people send them: title rows, `*` before headers, long numbers as text.
//! Never the program's own taste: what is written here must look like a school's file.

use super::{
    ROOMS, SPARES, desks_a_room,
    dice::Dice,
    people::Person,
    questions::{Asked, Question},
};
use anyhow::Context;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

/// A cell of a made sheet.
enum Put {
    Text(String),
    Number(f64),
}

impl<T: Into<String>> From<T> for Put {
    fn from(text: T) -> Self {
        Put::Text(text.into())
    }
}

type Row = Vec<Put>;

fn row<const N: usize>(cells: [&str; N]) -> Row {
    cells.map(Put::from).into()
}

/// 考生名单.
pub(super) fn roster(people: &[Person], desks: u16) -> anyhow::Result<Vec<u8>> {
    let mut rows = vec![row(["考生名单（样例，全部为虚构）"])];
    rows.push(row(["*姓名", "*证件类型", "*证件号码", "*准考证号", "*考场名称", "*考位号", "*场次", "科目"]));
    for (people, (room, sitting)) in people.chunks(usize::from(desks)).zip(ROOMS) {
        rows.extend((1_u16..).zip(people).map(|(desk, person)| {
            let seat = desk.to_string();
            row([&person.name, "居民身份证", &person.id_number, &person.admission_no, room, &seat, sitting, "理论"])
        }));
    }
    sheet("考生名单", rows)
}

/// 考场信息.
pub(super) fn rooms(seats: u16) -> anyhow::Result<Vec<u8>> {
    let head = row(["*考场编号", "*考场名称", "*考位数", "备用机数", "考场类型"]);
    let desks = desks_a_room(seats);
    let mut rows = vec![head];
    rows.extend((1..=seats.div_ceil(desks)).zip(ROOMS).map(|(number, (room, _))| -> Row {
        let here = desks.min(seats - (number - 1) * desks);
        let (here, spares) = (Put::Number(here.into()), Put::Number(SPARES.into()));
        vec![format!("R{number}").into(), room.into(), here, spares, "机考+实操".into()]
    }));
    sheet("考场信息", rows)
}

/// One row a question; answers in all the ways people write them.
pub(super) fn bank_wide(questions: &[Question], dice: &mut Dice) -> anyhow::Result<Vec<u8>> {
    let mut rows = vec![row(["题型", "问题内容", "难度", "正确选项", "分值", "A", "B", "C", "D", "E"])];
    for question in questions {
        let (kind, answer, options) = wide_answer(&question.asked, dice);
        let mut cells: Row = vec![
            kind.into(),
            question.stem.as_str().into(),
            question.difficulty.into(),
            answer.into(),
            Put::Number(question.points.into()),
        ];
        cells.extend(options.into_iter().map(Put::from));
        rows.push(cells);
    }
    sheet("题库", rows)
}

fn wide_answer(asked: &Asked, dice: &mut Dice) -> (&'static str, String, Vec<String>) {
    let spelled = || vec!["正确".to_owned(), "错误".to_owned()];
    match asked {
        Asked::Single { options, right } => ("单选题", letter(*right).to_string(), options.clone()),
        Asked::Multiple { options, right } => {
            let letters: Vec<String> = right.iter().map(|index| letter(*index).to_string()).collect();
            ("多选题", letters.join(dice.pick::<&str>(&["", ",", "，", "、"])), options.clone())
        }
        Asked::Judgement { right } => match dice.below(3) {
            0 => ("判断题", if *right { "A" } else { "B" }.to_owned(), spelled()),
            1 => ("判断题", if *right { "对" } else { "错" }.to_owned(), Vec::new()),
            _ => ("判断题", if *right { "正确" } else { "错误" }.to_owned(), spelled()),
        },
        Asked::FillIn { blanks } => {
            ("填空题", blanks.iter().map(|blank| alternatives(blank)).collect::<Vec<_>>().join("；"), Vec::new())
        }
        Asked::ShortText { reference } => ("简答题", reference.clone(), Vec::new()),
    }
}

/// One row an option, kinds as numbers, question cells blank on the rows that follow.
pub(super) fn bank_long(questions: &[Question]) -> anyhow::Result<Vec<u8>> {
    let mut rows = vec![row(["试题导入模板（样例）"])];
    rows.push(row([
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
        "分值",
    ]));
    for (number, question) in (1_u16..).zip(questions) {
        let (kind, options) = long_options(&question.asked);
        for (index, (right, text)) in options.into_iter().enumerate() {
            let own: Row = if index == 0 {
                vec![Put::Number(number.into()), Put::Number(kind), question.stem.as_str().into()]
            } else {
                row(["", "", ""])
            };
            let points = if index == 0 { Put::Number(question.points.into()) } else { "".into() };
            rows.push(own.into_iter().chain(row(["", "", "", "", right, &text, "", ""])).chain([points]).collect());
        }
    }
    sheet("试题", rows)
}

/// Code of the kind, and for each option whether it is right and what it says.
fn long_options(asked: &Asked) -> (f64, Vec<(&'static str, String)>) {
    let mark = |is_right: bool| if is_right { "是" } else { "否" };
    match asked {
        Asked::Single { options, right } => {
            (1.0, options.iter().enumerate().map(|(index, text)| (mark(index == *right), text.clone())).collect())
        }
        Asked::Multiple { options, right } => (
            2.0,
            options.iter().enumerate().map(|(index, text)| (mark(right.contains(&index)), text.clone())).collect(),
        ),
        Asked::Judgement { right } => {
            (3.0, vec![(mark(*right), "正确".to_owned()), (mark(!*right), "错误".to_owned())])
        }
        Asked::FillIn { blanks } => (4.0, blanks.iter().map(|blank| ("是", alternatives(blank))).collect()),
        Asked::ShortText { reference } => (5.0, vec![("是", reference.clone())]),
    }
}

/// Equal answers of one blank; a slash that belongs to a word is written `\/`.
fn alternatives(blank: &[String]) -> String {
    blank.iter().map(|text| text.replace('/', "\\/")).collect::<Vec<_>>().join("/")
}

fn letter(index: usize) -> char {
    char::from(b'A' + u8::try_from(index).unwrap_or(0))
}

fn sheet(name: &str, rows: Vec<Row>) -> anyhow::Result<Vec<u8>> {
    build(name, rows).with_context(|| format!("the sheet {name} cannot be made"))
}

fn build(name: &str, rows: Vec<Row>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // A fixed date, so that the same seed gives the same file.
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2026, 1, 1)?));
    let sheet = book.add_worksheet().set_name(name)?;
    let text = Format::new().set_num_format("@");
    for (at, cells) in (0_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Put::Text(content) if content.is_empty() => continue,
                Put::Text(content) => sheet.write_string_with_format(at, column, content, &text)?,
                Put::Number(number) => sheet.write_number(at, column, number)?,
            };
        }
    }
    book.save_to_buffer()
}
