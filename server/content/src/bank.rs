//! Question banks (题库) as spreadsheets: one row a question (wide) or one row an option (long), to a paper with its key.
//! Never guesses in silence: what had to be interpreted is among the warnings.

mod answer;
mod blanks;
mod build;
mod kind;
mod long;
mod raw;
mod wide;

use crate::{
    fault::{Faults, Findings, Imported},
    header::Column,
    table::{self, Format},
};
use exam_protocol::{
    ids::PaperId,
    key::KeyedPaper,
    paper::{ITEMS_MAX, PAPER_FORMAT, Paper},
};
use raw::Raw;
use std::collections::BTreeMap;

/// Longest answer to a short-text item (简答), in characters.
pub const SHORT_TEXT_CHARS_MAX: u32 = 2_000;
/// Tenths of a point an item may carry at most.
pub const POINTS_TENTHS_MAX: u32 = 10_000;
/// Tenths of a point of an item, where neither the file nor the administrator says.
pub const POINTS_TENTHS_DEFAULT: u32 = 10;

/// What the file does not say about the paper.
#[derive(Clone, Debug)]
pub struct BankOptions {
    /// Id of the paper.
    pub id: PaperId,
    /// Title shown above it.
    pub title: String,
    /// Tenths of a point for an item without 分值.
    pub points_tenths: u32,
    /// How to read the file.
    pub format: Format,
}

const KIND: Column = Column::required("题型", &["题目类型", "试题类型", "题类", "类型", "试题题型", "type", "kind"]);
const STEM: Column = Column::required(
    "题目内容",
    &[
        "问题内容",
        "试题内容",
        "题目",
        "题干",
        "试题",
        "试题题干",
        "题干内容",
        "题目名称",
        "问题",
        "question",
        "content",
        "stem",
    ],
);
const ANSWER: Column = Column::optional(
    "正确答案",
    &["答案", "正确选项", "标准答案", "参考答案", "试题答案", "答案内容", "题目答案", "answer", "answers"],
);
const POINTS: Column =
    Column::optional("分值", &["分数", "题目分值", "试题分值", "分", "得分", "题目分数", "score", "points"]);
const ANY_ORDER: Column = Column::optional("任意顺序", &["不分先后", "顺序不限", "答案无序", "填空无序", "anyorder"]);

/// Reads a question bank in either shape. Item ids are `q001`, `q002`… in the order of the file.
///
/// # Errors
/// Every fault of the file, up to the cap: missing columns, a row without an answer, an unknown kind, an answer naming an
/// option that does not exist, a single choice with two answers, over-long or binary cells.
pub fn read(bytes: &[u8], file_name: &str, options: &BankOptions) -> Result<Imported<KeyedPaper>, Faults> {
    let book = table::read(bytes, file_name, options.format)?;
    let mut findings = Findings::default();
    let (sheet, raws) = if long::is_long(&book) {
        long::read(&book, file_name, &mut findings)?
    } else {
        wide::read(&book, file_name, &mut findings)?
    };
    if raws.is_empty() && findings.is_clean() {
        findings.fault(sheet.place(), "there is no question below the header", "fill in the questions");
    }
    if raws.len() > ITEMS_MAX {
        findings.fault(
            sheet.place(),
            format!("the bank has {} questions, a paper at most {ITEMS_MAX}", raws.len()),
            "split it",
        );
        return findings.finish(nothing(options), book.encoding, sheet.name.clone());
    }
    let keyed = keyed(&raws, options, &mut findings);
    if findings.is_clean()
        && let Err(fault) = keyed.paper.check()
    {
        findings.fault(sheet.place(), fault.to_string(), "correct the question");
    }
    findings.finish(keyed, book.encoding, sheet.name.clone())
}

/// A number of points in tenths, if it can be one: more than nothing, at most one decimal.
pub fn points_tenths(points: f64) -> Option<u32> {
    let tenths = (points * 10.0).round();
    let is_exact = (points * 10.0 - tenths).abs() < 1e-6;
    (is_exact && (1.0..=f64::from(POINTS_TENTHS_MAX)).contains(&tenths)).then_some(tenths as u32)
}

fn nothing(options: &BankOptions) -> KeyedPaper {
    let paper = Paper { format: PAPER_FORMAT, id: options.id.clone(), title: options.title.clone(), items: Vec::new() };
    KeyedPaper { paper, keys: BTreeMap::new() }
}

fn keyed(raws: &[Raw<'_>], options: &BankOptions, findings: &mut Findings) -> KeyedPaper {
    let mut keyed = nothing(options);
    let codes = kind::Codes::of(raws, findings);
    for (index, raw) in raws.iter().enumerate() {
        let Ok(id) = format!("q{:03}", index + 1).parse() else { continue };
        if let Some((item, key)) = build::item(raw, id, &codes, options.points_tenths, findings) {
            keyed.keys.insert(item.id.clone(), key);
            keyed.paper.items.push(item);
        }
    }
    doubled_stems(raws, findings);
    keyed
}

fn doubled_stems(raws: &[Raw<'_>], findings: &mut Findings) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for raw in raws {
        if let Some(first) = seen.insert(crate::fold::word(&raw.stem), raw.row) {
            let problem = format!("rows {} and {} ask the same question", first + 1, raw.row + 1);
            findings.warn(raw.sheet.at_row(raw.row), problem, "keep one of them, unless both are meant");
        }
    }
}
