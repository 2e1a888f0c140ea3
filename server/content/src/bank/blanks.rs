//! Blanks of a fill-in question (填空): how many the stem shows, and what goes into each.
//! Between blanks stand `；` `;` `|||` or a line break; between texts that are equally right `/` or `|` (`\/` and `\|`
//! are the characters themselves). Never splits an answer at a comma without saying so.

use crate::fold;

/// Texts that may count as right for one blank.
pub(super) const ALTERNATIVES_MAX: usize = 50;

/// Marks that say the blanks may be filled in any order, at either end of the answer.
const ANY_ORDER: [&str; 6] = ["任意顺序", "不分先后", "顺序不限", "不分顺序", "顺序可调", "anyorder"];

/// What an answer cell says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answers {
    /// Blank by blank, the texts that count as right.
    pub(super) accepted: Vec<Vec<String>>,
    pub(super) any_order: bool,
    /// What a person should check, if anything.
    pub(super) notice: Option<&'static str>,
}

/// Number of blanks a stem shows: `____`; where there are none `（ ）`, `( )` and `【】`.
pub(super) fn in_stem(stem: &str) -> usize {
    let lines = runs(stem, |c| matches!(c, '_' | '＿')).filter(|run| run.chars().count() >= 2).count();
    if lines > 0 { lines } else { brackets(stem) }
}

fn runs(text: &str, is_part: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = &str> {
    text.split(move |c| !is_part(c)).filter(|run| !run.is_empty())
}

fn brackets(stem: &str) -> usize {
    let mut open: Option<(char, usize)> = None;
    let mut found = 0;
    for c in stem.chars() {
        open = match (c, open) {
            ('（' | '(' | '【', _) => Some((c, 0)),
            (')' | '）', Some(('(', blanks))) => {
                found += usize::from(blanks > 0); // an empty pair of ASCII brackets is a function's
                None
            }
            (')' | '）', Some(('（', _))) | ('】', Some(('【', _))) => {
                found += 1;
                None
            }
            (c, Some((mark, blanks))) if c.is_whitespace() => Some((mark, blanks + 1)),
            _ => None,
        };
    }
    found
}

/// Reads an answer for a stem that shows `shown` blanks (0: the answer alone says how many).
pub(super) fn answers(written: &str, shown: usize) -> Result<Answers, String> {
    let (rest, any_order) = without_mark(written);
    let mut parts: Vec<&str> =
        if rest.contains("|||") { rest.split("|||").collect() } else { rest.split(['；', ';', '\n']).collect() };
    if parts.last().is_some_and(|last| last.trim().is_empty()) && parts.len() > 1 {
        parts.pop();
    }
    let mut notice = None;
    if parts.len() == 1 && shown > 1 {
        let commas: Vec<&str> = rest.split(['、', '，', ',']).collect();
        if commas.len() == shown {
            parts = commas;
            notice = Some("the answer was split at its commas, one text a blank");
        }
    }
    if shown > 0 && parts.len() != shown {
        return Err(format!("the question shows {shown} blanks, its answer fills {}", parts.len()));
    }
    let accepted: Vec<Vec<String>> = parts.iter().map(|part| alternatives(part)).collect();
    if accepted.iter().any(Vec::is_empty) {
        return Err("a blank has no answer".to_owned());
    }
    if accepted.iter().any(|texts| texts.len() > ALTERNATIVES_MAX) {
        return Err(format!("a blank has more than {ALTERNATIVES_MAX} answers that count as right"));
    }
    if accepted.iter().any(|texts| texts.len() > 1) {
        notice = notice.or(Some("the answer was split at / or |: each part counts as right, and so does the whole"));
    }
    Ok(Answers { accepted, any_order, notice })
}

/// The answer without a mark such as `[任意顺序]`, and whether there was one.
fn without_mark(written: &str) -> (&str, bool) {
    let text = written.trim();
    let is_mark = |inner: &str| ANY_ORDER.contains(&fold::word(inner).as_str());
    for (open, close) in [('[', ']'), ('【', '】'), ('（', '）'), ('(', ')')] {
        if let Some((inner, rest)) = text.strip_prefix(open).and_then(|rest| rest.split_once(close))
            && is_mark(inner)
        {
            return (rest.trim(), true);
        }
        if let Some((rest, inner)) = text.strip_suffix(close).and_then(|rest| rest.rsplit_once(open))
            && is_mark(inner)
        {
            return (rest.trim(), true);
        }
    }
    (text, false)
}

/// Texts that count as right for one blank; the whole as well, so that `TCP/IP` written in full is right too.
fn alternatives(part: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut chars = part.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|next| matches!(next, '/' | '|' | '\\')) => {
                let literal = chars.next();
                texts.last_mut().into_iter().for_each(|text| text.extend(literal));
            }
            '/' | '|' | '／' | '｜' => texts.push(String::new()),
            other => texts.last_mut().into_iter().for_each(|text| text.push(other)),
        }
    }
    let mut found: Vec<String> = texts.iter().map(|text| fold::tidy(text)).filter(|text| !text.is_empty()).collect();
    if found.len() > 1 {
        found.push(fold::tidy(part));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_counted_as_authors_draw_them() {
        for (stem, count) in [
            ("域名是____的一部分。", 1),
            ("先____后____。", 2),
            ("先（ ）后（　）再（）。", 3),
            ("先( )后【】。", 2),
            ("调用 print() 输出（ ）。", 1),
            ("snake_case 是写法", 0),
            ("（括号里有字）", 0),
            ("先____后（ ）", 1),
        ] {
            assert_eq!(in_stem(stem), count, "{stem}");
        }
    }

    #[test]
    fn answers_split_at_semicolons_and_slashes_only() {
        let accepted = |written: &str, shown| answers(written, shown).map(|a| (a.accepted, a.any_order));
        let texts = |list: &[&[&str]]| {
            list.iter().map(|blank| blank.iter().map(|t| (*t).to_owned()).collect()).collect::<Vec<Vec<String>>>()
        };
        assert_eq!(accepted("北京；上海", 2), Ok((texts(&[&["北京"], &["上海"]]), false)));
        assert_eq!(accepted("北京|||上海", 0), Ok((texts(&[&["北京"], &["上海"]]), false)));
        assert_eq!(accepted("网站/站点", 1), Ok((texts(&[&["网站", "站点", "网站/站点"]]), false)));
        assert_eq!(accepted(r"TCP\/IP", 1), Ok((texts(&[&["TCP/IP"]]), false)));
        assert_eq!(accepted("甲；乙（不分先后）", 2), Ok((texts(&[&["甲"], &["乙"]]), true)));
        assert_eq!(accepted("[任意顺序]甲、乙", 2), Ok((texts(&[&["甲"], &["乙"]]), true)));
        assert!(accepted("甲；乙", 1).is_err(), "more texts than blanks");
        assert!(accepted("甲；；乙", 3).is_err(), "an empty blank");
        assert!(accepted("", 0).is_err(), "nothing at all");
    }
}
