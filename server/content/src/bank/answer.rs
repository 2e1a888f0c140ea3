//! Answers as people write them: `AB`, `A,B`, `A，B`, `A、B`, `对`, `√`, `false`.
//! Never takes a digit for a letter: nobody knows whether options count from 0 or 1.

use super::raw::{Raw, RawOption};
use crate::fold;
use std::collections::BTreeSet;

/// A word for right or wrong, if it is one.
pub(super) fn truth(text: &str) -> Option<bool> {
    match fold::word(text).as_str() {
        "对" | "正确" | "√" | "✓" | "✔" | "☑" | "是" | "真" | "t" | "true" | "y" | "yes" | "right" | "1" => {
            Some(true)
        }
        "错" | "错误" | "不正确" | "不对" | "×" | "✗" | "✘" | "✖" | "x" | "否" | "假" | "f" | "false" | "n" | "no"
        | "wrong" | "0" => Some(false),
        _ => None,
    }
}

/// The letters an answer names; an error says why it names none.
pub(super) fn letters(text: &str, options: &[RawOption]) -> Result<BTreeSet<char>, String> {
    let folded = fold::word(text).to_uppercase();
    let named: String =
        folded.chars().filter(|c| !matches!(c, ',' | '、' | ';' | '/' | '|' | '.' | '+' | '&' | '和')).collect();
    if !named.is_empty() && named.chars().all(|c| c.is_ascii_uppercase()) {
        return Ok(named.chars().collect());
    }
    let spelled: BTreeSet<char> = options
        .iter()
        .filter(|option| fold::word(&option.text) == fold::word(text))
        .map(|option| option.letter)
        .collect();
    if spelled.len() == 1 {
        Ok(spelled)
    } else {
        Err("the answer does not name options by their letters, as in A or A,B".to_owned())
    }
}

/// Whether options spell right and wrong (判断 written as a choice).
pub(super) fn spell_truth(options: &[RawOption]) -> bool {
    let spelled: BTreeSet<Option<bool>> = options.iter().map(|option| truth(&option.text)).collect();
    options.len() == 2 && spelled == BTreeSet::from([Some(false), Some(true)])
}

/// What a judgement's answer says; `None` if it says nothing clear.
pub(super) fn judgement(raw: &Raw<'_>) -> Option<bool> {
    let of_letter =
        |letter: char| raw.options.iter().find(|option| option.letter == letter).and_then(|option| truth(&option.text));
    if let Some(marked) = raw.marked()
        && raw.answer.is_empty()
    {
        return match (marked.as_slice(), raw.options.len()) {
            ([letter], _) => of_letter(*letter),
            // One option row that says 正确 and is marked as not right.
            ([], 1) => truth(&raw.options[0].text).map(|said| !said),
            _ => None,
        };
    }
    let folded = fold::word(&raw.answer);
    match folded.as_str() {
        "a" => of_letter('A').or(raw.options.is_empty().then_some(true)),
        "b" => of_letter('B').or(raw.options.is_empty().then_some(false)),
        _ => truth(&folded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_however_they_are_written() {
        for (written, wanted) in [
            ("AB", "AB"),
            ("A,B", "AB"),
            ("A，B", "AB"),
            ("A、B", "AB"),
            ("Ｂ Ａ", "AB"),
            ("a；c", "AC"),
            ("A|B|D", "ABD"),
            ("BB", "B"),
        ] {
            let found: String = letters(written, &[]).unwrap().into_iter().collect();
            assert_eq!(found, wanted, "{written}");
        }
        for bad in ["", "1,2", "甲", "A1", "，"] {
            assert!(letters(bad, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn right_and_wrong_have_many_words() {
        for (written, wanted) in [
            ("对", Some(true)),
            ("错", Some(false)),
            (" 正确 ", Some(true)),
            ("错误", Some(false)),
            ("√", Some(true)),
            ("×", Some(false)),
            ("Ｘ", Some(false)),
            ("TRUE", Some(true)),
            ("False", Some(false)),
            ("大概", None),
            ("", None),
        ] {
            assert_eq!(truth(written), wanted, "{written}");
        }
    }
}
