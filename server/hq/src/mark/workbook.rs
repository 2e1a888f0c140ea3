//! The workbook of results (成绩表): candidates, what people have to mark, and how each item went.
//! Never writes a formula, and never a long number as a number.

use super::settle::{Candidate, HandItem, ItemCount, Settled};
use crate::paper::tally::{kind_word, points};
use anyhow::Context;
use exam_content::mark::{Outcome, Part, Presence, Reason, percent_tenths};
use exam_protocol::{
    ids::{ItemId, PaperId},
    key::{ItemKey, KeyedPaper},
    paper::Subject,
};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use std::collections::BTreeMap;

/// Longest text of a cell that Excel keeps, in characters (counted as UTF-16 by Excel: half is always safe).
const CELL_CHARS_MAX: usize = 16_000;
/// Characters of a stem shown beside its statistics.
const STEM_CHARS: usize = 60;

const CANDIDATE_HEAD: [&str; 9] =
    ["准考证号", "姓名", "证件号码", "级别", "理论(100分)", "实操(100分)", "总分", "结果", "备注"];
const HAND_HEAD: [&str; 10] = ["准考证号", "科目", "场次", "试卷", "试题", "满分", "作答", "参考答案", "原因", "得分"];
const ITEM_HEAD: [&str; 13] =
    ["试卷", "试题", "题型", "题干", "满分", "人数", "答对", "部分对", "答错", "未答", "待人工", "异常", "得分率%"];

/// A cell of a made row.
enum Put {
    Text(String),
    Number(f64),
}

/// The whole workbook as bytes; the same results give the same bytes.
pub(super) fn write(settled: &Settled, papers: &BTreeMap<PaperId, KeyedPaper>) -> anyhow::Result<Vec<u8>> {
    build(settled, papers).context("the workbook cannot be written")
}

fn build(settled: &Settled, papers: &BTreeMap<PaperId, KeyedPaper>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // A fixed date, so that the same results give the same file.
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2026, 1, 1)?));
    let candidates = settled.candidates.values().map(candidate_row);
    fill(book.add_worksheet().set_name("成绩")?, &CANDIDATE_HEAD, &[30, 14, 22, 10, 12, 12, 10, 10, 30], candidates)?;
    let hand = settled.hand.iter().map(|item| hand_row(item, papers));
    fill(book.add_worksheet().set_name("待人工评分")?, &HAND_HEAD, &[30, 8, 16, 16, 8, 8, 60, 40, 16, 8], hand)?;
    let items = settled.items.iter().map(|((paper, item), count)| item_row((paper, item), count, papers));
    fill(book.add_worksheet().set_name("试题统计")?, &ITEM_HEAD, &[16, 8, 8, 60, 8, 8, 8, 8, 8, 8, 8, 8, 10], items)?;
    book.save_to_buffer()
}

fn fill(
    sheet: &mut Worksheet,
    head: &[&str],
    widths: &[u16],
    rows: impl Iterator<Item = Vec<Put>>,
) -> Result<(), XlsxError> {
    let text = Format::new().set_num_format("@");
    let bold = Format::new().set_bold();
    for ((column, name), width) in (0_u16..).zip(head).zip(widths) {
        sheet.set_column_width(column, f64::from(*width))?;
        sheet.write_string_with_format(0, column, *name, &bold)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (row, cells) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Put::Text(content) => sheet.write_string_with_format(row, column, clean(&content), &text)?,
                Put::Number(number) => sheet.write_number(row, column, number)?,
            };
        }
    }
    Ok(())
}

/// Text that Excel takes: no control characters, not over-long.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(CELL_CHARS_MAX).collect()
}

fn text(content: impl Into<String>) -> Put {
    Put::Text(content.into())
}

fn tenths(number: u64) -> Put {
    Put::Number(number as f64 / 10.0)
}

fn candidate_row(candidate: &Candidate) -> Vec<Put> {
    let (total, result) = match candidate.outcome {
        Outcome::Passed { total_tenths } => (tenths(total_tenths), "合格"),
        Outcome::Failed { total_tenths } => (tenths(total_tenths), "不合格"),
        Outcome::Absent => (text(""), "缺考"),
        Outcome::Void => (text(""), "成绩无效"),
        Outcome::Pending => (text("待定"), "待定"),
    };
    let (theory, practical) = (part_cell(candidate.theory), part_cell(candidate.practical));
    let points = [("理论", candidate.theory), ("实操", candidate.practical)].into_iter().filter_map(remark);
    let remarks: Vec<String> = points.chain(candidate.notes.iter().cloned()).collect();
    vec![
        text(candidate.admission_no.as_str()),
        text(&candidate.who.name),
        text(&candidate.who.id_number),
        text(&candidate.level),
        theory,
        practical,
        total,
        text(result),
        text(remarks.join("；")),
    ]
}

fn part_cell(presence: Presence) -> Put {
    match presence {
        Presence::Marked(part) => tenths(percent_tenths(part)),
        Presence::Pending(_) => text("待评"),
        Presence::Absent => text("缺考"),
        Presence::Void => text("无效"),
        Presence::Missing => text("无成绩"),
    }
}

fn remark((subject, presence): (&str, Presence)) -> Option<String> {
    let raw = |part: Part| format!("{}/{}", points(part.points_tenths), points(part.max_tenths));
    match presence {
        Presence::Marked(part) => Some(format!("{subject}原始分 {}", raw(part))),
        Presence::Pending(part) => Some(format!("{subject}机评 {}，另有待人工评分", raw(part))),
        Presence::Absent | Presence::Void | Presence::Missing => None,
    }
}

fn hand_row(item: &HandItem, papers: &BTreeMap<PaperId, KeyedPaper>) -> Vec<Put> {
    let reference = match papers.get(&item.paper).and_then(|keyed| keyed.keys.get(&item.item)) {
        Some(ItemKey::ByHand { reference }) => reference.clone(),
        Some(
            ItemKey::Single { .. } | ItemKey::Multiple { .. } | ItemKey::TrueFalse { .. } | ItemKey::Blanks { .. },
        )
        | None => String::new(),
    };
    vec![
        text(item.admission_no.as_str()),
        text(match item.subject {
            Subject::Theory => "理论",
            Subject::Practical => "实操",
        }),
        text(item.sitting.as_str()),
        text(item.paper.as_str()),
        text(item.item.as_str()),
        tenths(item.max_tenths.into()),
        text(&item.answer),
        text(reference),
        text(match item.reason {
            Reason::Misfit => "作答与试题不符",
            Reason::NoKey => "试题无答案",
            Reason::NeedsHand | Reason::Right | Reason::Partial | Reason::Wrong | Reason::NotAnswered => "人工评分",
        }),
        text(""),
    ]
}

fn item_row((paper, id): (&PaperId, &ItemId), count: &ItemCount, papers: &BTreeMap<PaperId, KeyedPaper>) -> Vec<Put> {
    let item = papers.get(paper).and_then(|keyed| keyed.paper.item(id));
    let of = |reasons: &[Reason]| {
        Put::Number(reasons.iter().filter_map(|reason| count.by_reason.get(reason)).sum::<u64>() as f64)
    };
    let max = item.map_or(0, |item| u64::from(item.points_tenths));
    let rate = percent_tenths(Part { points_tenths: count.points_tenths, max_tenths: max * count.sat });
    vec![
        text(paper.as_str()),
        text(id.as_str()),
        text(item.map_or("", |item| kind_word(&item.kind))),
        text(item.map_or_else(String::new, |item| item.stem.join(" ").chars().take(STEM_CHARS).collect())),
        tenths(max),
        Put::Number(count.sat as f64),
        of(&[Reason::Right]),
        of(&[Reason::Partial]),
        of(&[Reason::Wrong]),
        of(&[Reason::NotAnswered]),
        of(&[Reason::NeedsHand]),
        of(&[Reason::Misfit, Reason::NoKey]),
        tenths(rate),
    ]
}
