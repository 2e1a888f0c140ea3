//! Ways of making texts comparable: full width to half width, all kinds of blanks, case.
//! Never changes what a name means: `·` and `•` and rare characters stay as they are.

/// Characters that show nothing but are not white space to Rust: zero-width spaces and joiners, direction marks, BOM.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{00ad}')
}

/// Full-width ASCII (`Ａ１（`) and the ideographic space to their half-width forms.
pub fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

/// Text as it is kept: invisible characters gone, no-break and ideographic spaces trimmed at both ends.
pub fn tidy(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    visible.trim().to_owned()
}

/// A number that is text (准考证号, 证件号码): half width, no blanks, without the leading apostrophe or the `="…"` that
/// people put around it so that Excel leaves it alone.
pub fn code(text: &str) -> String {
    let plain: String = half_width(text).chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).collect();
    let bare = plain.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(&plain);
    bare.trim_start_matches(['\'', '’', '‘', '`']).to_owned()
}

/// A word to be recognised (header, kind, yes or no): half width, no blanks, lower case.
pub fn word(text: &str) -> String {
    half_width(text).chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).flat_map(char::to_lowercase).collect()
}

/// A header: [`word`] without leading `*`, trailing `:` and a remark in brackets such as `(必填)`.
pub fn header(text: &str) -> String {
    let folded = word(text);
    let bare = folded.trim_matches(['*', ':']);
    let cut = bare.find(['(', '[', '【']).filter(|at| *at > 0).unwrap_or(bare.len());
    bare[..cut].trim_matches(['*', ':']).to_owned()
}

/// An answer typed into a blank, as marking compares it: [`word`] with curly quotation marks made straight.
pub fn answer(text: &str) -> String {
    word(text)
        .chars()
        .map(|c| match c {
            '“' | '”' => '"',
            '‘' | '’' => '\'',
            '。' => '.',
            '、' => ',',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headers_match_however_they_are_dressed() {
        for dressed in ["姓名", "*姓名", "＊ 姓　名", " 姓\u{a0}名 ", "姓名：", "姓名（必填）", "\u{feff}姓名"]
        {
            assert_eq!(header(dressed), "姓名", "{dressed:?}");
        }
        assert_eq!(header("（必填）"), "(必填)", "a remark alone is not cut to nothing");
    }

    #[test]
    fn codes_lose_what_people_put_around_them() {
        for written in [
            "11010519491231002X",
            "'11010519491231002X",
            "１１０１０５１９４９１２３１００２Ｘ",
            "=\"11010519491231002X\"",
            " 110105 19491231 002X\u{a0}",
        ] {
            assert_eq!(code(written), "11010519491231002X", "{written:?}");
        }
    }

    #[test]
    fn names_keep_their_dots_and_rare_characters() {
        assert_eq!(tidy("\u{a0}阿卜杜拉·买买提\u{3000}"), "阿卜杜拉·买买提");
        assert_eq!(tidy("古丽•𠮷"), "古丽•𠮷");
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC*") {
            for fold in [half_width, tidy, code, word, header, answer] as [fn(&str) -> String; 6] {
                let once = fold(&text);
                prop_assert_eq!(fold(&once), once);
            }
        }
    }
}
