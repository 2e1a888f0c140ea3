//! From a question as written to an item and its key.
//! Never repairs an answer: what does not fit is a fault with its place.

use super::{
    SHORT_TEXT_CHARS_MAX, answer, blanks,
    kind::{Codes, Kind},
    points_tenths,
    raw::Raw,
};
use crate::{
    fault::{Findings, Place},
    fold,
    table::Cell,
};
use exam_protocol::{
    ids::{ItemId, OptionId},
    key::ItemKey,
    paper::{BLANKS_MAX, Choice, Item, ItemKind, TEXT_CHARS_MAX},
};
use std::collections::BTreeSet;

const KINDS: &str = "write 单选题, 多选题, 判断题, 填空题 or 简答题";

/// One thing wrong with a question.
struct Wrong {
    at: Place,
    problem: String,
    remedy: &'static str,
}

type Built<T> = Result<T, Wrong>;

fn wrong<T>(at: &Place, problem: impl Into<String>, remedy: &'static str) -> Built<T> {
    Err(Wrong { at: at.clone(), problem: problem.into(), remedy })
}

/// The item and its key; `None` if something is wrong, which is then among the findings.
pub(super) fn item(
    raw: &Raw<'_>,
    id: ItemId,
    codes: &Codes,
    default_tenths: u32,
    findings: &mut Findings,
) -> Option<(Item, ItemKey)> {
    let mut note = |result: Built<()>| result.map_err(|w| findings.fault(w.at, w.problem, w.remedy)).is_ok();
    let texts_are_good = note(texts(raw));
    let mut tenths = 0;
    let points_are_good = note(points(&raw.points, &raw.points_at, default_tenths).map(|found| tenths = found));
    let content = content(raw, codes, findings).map_err(|w| findings.fault(w.at, w.problem, w.remedy)).ok();
    let (kind, key) = content.filter(|_| texts_are_good && points_are_good)?;
    let stem = raw.stem.lines().map(fold::tidy).filter(|line| !line.is_empty()).collect();
    Some((Item { id, points_tenths: tenths, stem, kind }, key))
}

fn texts(raw: &Raw<'_>) -> Built<()> {
    if raw.stem.is_empty() {
        return wrong(
            &raw.stem_at,
            "the question has no text (题目内容)",
            "fill it in, or delete the row; a picture alone cannot be imported",
        );
    }
    let long = |text: &str| text.chars().count() > TEXT_CHARS_MAX;
    let too_long = format!("the text has more than {TEXT_CHARS_MAX} characters");
    if long(&raw.stem) {
        return wrong(&raw.stem_at, too_long, "shorten it");
    }
    if long(&raw.answer) {
        return wrong(&raw.answer_at, too_long, "shorten it");
    }
    match raw.options.iter().find(|option| long(&option.text)) {
        Some(option) => wrong(&option.at, too_long, "shorten it"),
        None => Ok(()),
    }
}

/// Tenths of a point: `2`, `2.5`, `2分`.
fn points(cell: &Cell, at: &Place, default_tenths: u32) -> Built<u32> {
    let number = match cell {
        Cell::Empty => return Ok(default_tenths),
        Cell::Number(number) => Some(*number),
        Cell::Text(text) => fold::code(text).trim_end_matches('分').parse::<f64>().ok(),
        Cell::Bool(_) | Cell::Date(_) => None,
    };
    match number.and_then(points_tenths) {
        Some(tenths) => Ok(tenths),
        None => wrong(
            at,
            "the points (分值) are not a number from 0.1 to 1000 with at most one decimal",
            "write a number such as 2 or 2.5",
        ),
    }
}

fn content(raw: &Raw<'_>, codes: &Codes, findings: &mut Findings) -> Built<(ItemKind, ItemKey)> {
    if raw.kind.is_empty() {
        return wrong(&raw.kind_at, "the kind (题型) is missing", KINDS);
    }
    let Some(kind) = codes.kind(&raw.kind) else {
        return wrong(&raw.kind_at, "the kind (题型) is not one of those known", KINDS);
    };
    match kind {
        Kind::Single => single(raw, findings),
        Kind::Multiple => multiple(raw, findings),
        Kind::Judgement => judgement(raw, findings),
        Kind::FillIn => fill_in(raw, findings),
        Kind::ShortText => Ok(short_text(raw, findings)),
    }
}

/// Options as the paper has them, and the letters the answer names, all of which exist.
fn choices(raw: &Raw<'_>, findings: &mut Findings) -> Built<(Vec<Choice>, BTreeSet<OptionId>)> {
    if raw.options.len() < 2 {
        return wrong(
            &raw.stem_at,
            "the question has fewer than 2 options",
            "fill in the options, or correct its kind (题型)",
        );
    }
    let letters = named(raw)?;
    if let Some(unknown) = letters.iter().find(|letter| !raw.options.iter().any(|option| option.letter == **letter)) {
        let problem = format!("the answer names option {unknown}, which does not exist or is empty");
        return wrong(&raw.answer_at, problem, "correct the answer or fill in the option");
    }
    let id = |letter: &char| letter.to_string().parse::<OptionId>().ok();
    let twice = raw.options.iter().enumerate().find_map(|(index, option)| {
        let first = raw.options[..index].iter().find(|earlier| earlier.text == option.text)?;
        Some((first.letter, option))
    });
    if let Some((first, second)) = twice {
        let problem = format!("options {first} and {} have the same text", second.letter);
        findings.warn(second.at.clone(), problem, "correct one of them, unless this is meant");
    }
    let choices = raw
        .options
        .iter()
        .filter_map(|option| Some(Choice { id: id(&option.letter)?, text: option.text.clone() }))
        .collect();
    Ok((choices, letters.iter().filter_map(id).collect()))
}

/// The letters named as right, by the answer or beside the options; never none.
fn named(raw: &Raw<'_>) -> Built<BTreeSet<char>> {
    let marked: BTreeSet<char> = raw.marked().unwrap_or_default().into_iter().collect();
    if raw.answer.is_empty() {
        return if marked.is_empty() { missing(raw) } else { Ok(marked) };
    }
    let letters = match answer::letters(&raw.answer, &raw.options) {
        Ok(letters) => letters,
        Err(problem) => return wrong(&raw.answer_at, problem, "write the letters of the right options"),
    };
    if !marked.is_empty() && marked != letters {
        return wrong(&raw.answer_at, "the answer and the marks beside the options disagree", "correct one of them");
    }
    Ok(letters)
}

fn missing<T>(raw: &Raw<'_>) -> Built<T> {
    wrong(&raw.answer_at, "the question has no answer (正确答案)", "fill it in")
}

fn single(raw: &Raw<'_>, findings: &mut Findings) -> Built<(ItemKind, ItemKey)> {
    let (options, mut right) = choices(raw, findings)?;
    if right.len() > 1 {
        return wrong(
            &raw.answer_at,
            "a single choice (单选) with two answers or more",
            "name one option, or make it 多选题",
        );
    }
    match right.pop_first() {
        Some(option) => Ok((ItemKind::SingleChoice { options }, ItemKey::Single { option })),
        None => missing(raw),
    }
}

fn multiple(raw: &Raw<'_>, findings: &mut Findings) -> Built<(ItemKind, ItemKey)> {
    let (choices, options) = choices(raw, findings)?;
    if options.len() == 1 {
        findings.warn(
            raw.answer_at.clone(),
            "a multiple choice (多选) with one right option",
            "check it, or make it 单选题",
        );
    }
    Ok((ItemKind::MultipleChoice { options: choices }, ItemKey::Multiple { options }))
}

fn judgement(raw: &Raw<'_>, findings: &mut Findings) -> Built<(ItemKind, ItemKey)> {
    if raw.answer.is_empty() && raw.marked().is_none_or(|marked| marked.is_empty() && raw.options.len() != 1) {
        return missing(raw);
    }
    let Some(right) = answer::judgement(raw) else {
        return wrong(
            &raw.answer_at,
            "the answer of a judgement (判断) is not 对 or 错",
            "write 对 or 错 (also 正确/错误, √/×, true/false)",
        );
    };
    if raw.options.is_empty() && matches!(fold::word(&raw.answer).as_str(), "a" | "b") {
        findings.warn(raw.answer_at.clone(), "A was read as 正确 and B as 错误", "write 对 or 错 if this is wrong");
    }
    Ok((ItemKind::TrueFalse, ItemKey::TrueFalse { right }))
}

fn fill_in(raw: &Raw<'_>, findings: &mut Findings) -> Built<(ItemKind, ItemKey)> {
    // Without an answer cell each option row or option column holds the answer of one blank.
    let written = if raw.answer.is_empty() { option_texts(raw, "|||") } else { raw.answer.clone() };
    if written.is_empty() {
        return missing(raw);
    }
    let answers = match blanks::answers(&written, blanks::in_stem(&raw.stem)) {
        Ok(answers) => answers,
        Err(problem) => return wrong(&raw.answer_at, problem, "write one text a blank, with ； between them"),
    };
    let Some(blanks) = u8::try_from(answers.accepted.len()).ok().filter(|count| usize::from(*count) <= BLANKS_MAX)
    else {
        return wrong(&raw.answer_at, format!("a question has at most {BLANKS_MAX} blanks"), "split it");
    };
    if let Some(notice) = answers.notice {
        findings.warn(
            raw.answer_at.clone(),
            notice,
            "check it; put ； between blanks, / between equal answers, \\/ for the character itself",
        );
    }
    let any_order = answers.any_order || raw.any_order;
    Ok((ItemKind::FillIn { blanks }, ItemKey::Blanks { accepted: answers.accepted, any_order }))
}

fn short_text(raw: &Raw<'_>, findings: &mut Findings) -> (ItemKind, ItemKey) {
    let reference = if raw.answer.is_empty() { option_texts(raw, "\n") } else { raw.answer.clone() };
    if reference.is_empty() {
        findings.warn(
            raw.answer_at.clone(),
            "a short-text question (简答) without a reference answer",
            "markers will have none to go by",
        );
    }
    (ItemKind::ShortText { chars_max: SHORT_TEXT_CHARS_MAX }, ItemKey::ByHand { reference })
}

fn option_texts(raw: &Raw<'_>, between: &str) -> String {
    raw.options.iter().map(|option| option.text.as_str()).collect::<Vec<_>>().join(between)
}
