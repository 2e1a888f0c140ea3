//! Kinds of questions (题型), as words or as numbers.
//! Never reads a number without saying how: two numberings are in use, and the file itself shows which one it means.

use super::{answer, blanks, raw::Raw};
use crate::{fault::Findings, fold, table::Cell};

/// What a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Single,
    Multiple,
    Judgement,
    FillIn,
    ShortText,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Single => "单选",
            Kind::Multiple => "多选",
            Kind::Judgement => "判断",
            Kind::FillIn => "填空",
            Kind::ShortText => "简答",
        }
    }
}

/// A numbering of kinds: the kind of each code.
type Numbering = &'static [(u32, Kind)];

/// 0/1/2 = single/judge/multiple: found in exports (FEATURES §5.1).
const FROM_ZERO: Numbering =
    &[(0, Kind::Single), (1, Kind::Judgement), (2, Kind::Multiple), (3, Kind::FillIn), (4, Kind::ShortText)];
/// 1…5 in the order in which papers list their parts.
const FROM_ONE: Numbering =
    &[(1, Kind::Single), (2, Kind::Multiple), (3, Kind::Judgement), (4, Kind::FillIn), (5, Kind::ShortText)];

/// How the numbers of one file are read.
pub(super) struct Codes(Numbering);

impl Codes {
    /// The numbering under which the questions of the file make most sense.
    pub(super) fn of(raws: &[Raw<'_>], findings: &mut Findings) -> Self {
        let coded: Vec<(u32, &Raw<'_>)> = raws.iter().filter_map(|raw| Some((number(&raw.kind)?, raw))).collect();
        let misfits = |numbering: Numbering| {
            let kind = |code: u32| numbering.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind);
            let impossible =
                coded.iter().filter(|(code, raw)| !kind(*code).is_some_and(|kind| is_possible(kind, raw))).count();
            let unlikely = coded.iter().filter(|(code, raw)| kind(*code) != Some(likely(raw))).count();
            (impossible, unlikely)
        };
        let numbering = if misfits(FROM_ONE) < misfits(FROM_ZERO) { FROM_ONE } else { FROM_ZERO };
        if let Some((_, first)) = coded.first() {
            let read: Vec<String> = numbering.iter().map(|(code, kind)| format!("{code} = {}", kind.name())).collect();
            let problem =
                format!("题型 is given as numbers in {} questions and was read as {}", coded.len(), read.join(", "));
            findings.warn(
                first.kind_at.clone(),
                problem,
                "check the counts by kind; write the kinds as words if this is wrong",
            );
        }
        Self(numbering)
    }

    /// The kind a cell names.
    pub(super) fn kind(&self, cell: &Cell) -> Option<Kind> {
        match number(cell) {
            Some(code) => self.0.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind),
            None => word(&cell.text()),
        }
    }
}

fn number(cell: &Cell) -> Option<u32> {
    match cell {
        Cell::Number(number) if number.fract() == 0.0 && (0.0..=99.0).contains(number) => Some(*number as u32),
        Cell::Text(text) => fold::code(text).parse().ok().filter(|code| *code <= 99),
        Cell::Number(_) | Cell::Empty | Cell::Bool(_) | Cell::Date(_) => None,
    }
}

fn word(text: &str) -> Option<Kind> {
    let folded = fold::word(text);
    let bare = folded.strip_suffix('题').unwrap_or(&folded);
    Some(match bare {
        "单选" | "单项选择" | "单项" | "单选择" | "single" | "singlechoice" | "radio" => Kind::Single,
        "多选" | "多项选择" | "多项" | "不定项选择" | "不定项" | "multiple" | "multiplechoice" | "multi"
        | "checkbox" => Kind::Multiple,
        "判断" | "是非" | "对错" | "正误判断" | "judge" | "judgement" | "judgment" | "truefalse" => {
            Kind::Judgement
        }
        "填空" | "fill" | "fillin" | "blank" | "fillblank" => Kind::FillIn,
        "简答" | "问答" | "论述" | "主观" | "shorttext" | "shortanswer" | "essay" => Kind::ShortText,
        _ => return None,
    })
}

/// How many options the file says are right; 0 if that cannot be read.
fn right_count(raw: &Raw<'_>) -> usize {
    let marked = raw.marked().filter(|_| raw.answer.is_empty()).map(|letters| letters.len());
    marked.unwrap_or_else(|| answer::letters(&raw.answer, &raw.options).map_or(0, |letters| letters.len()))
}

fn is_possible(kind: Kind, raw: &Raw<'_>) -> bool {
    match kind {
        Kind::Single => raw.options.len() >= 2 && right_count(raw) == 1,
        Kind::Multiple => raw.options.len() >= 2 && right_count(raw) >= 1,
        Kind::Judgement => raw.options.len() <= 2 && answer::judgement(raw).is_some(),
        Kind::FillIn | Kind::ShortText => right_count(raw) == 0 || raw.options.is_empty() || raw.marked().is_some(),
    }
}

fn likely(raw: &Raw<'_>) -> Kind {
    if answer::spell_truth(&raw.options) || (raw.options.len() <= 1 && answer::judgement(raw).is_some()) {
        return Kind::Judgement;
    }
    match (raw.options.len(), right_count(raw)) {
        (2.., 2..) if raw.marked().is_none_or(|marked| marked.len() < raw.options.len()) => Kind::Multiple,
        (2.., 1) => Kind::Single,
        _ if blanks::in_stem(&raw.stem) > 0 => Kind::FillIn,
        (2.., _) => Kind::Multiple,
        _ => Kind::ShortText,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_many_words() {
        for (written, wanted) in [
            ("单选题", Some(Kind::Single)),
            ("单项选择题", Some(Kind::Single)),
            (" 多选\u{a0}", Some(Kind::Multiple)),
            ("判断题", Some(Kind::Judgement)),
            ("填空题", Some(Kind::FillIn)),
            ("问答题", Some(Kind::ShortText)),
            ("选择题", None),
            ("题", None),
            ("", None),
        ] {
            assert_eq!(word(written), wanted, "{written}");
        }
    }
}
