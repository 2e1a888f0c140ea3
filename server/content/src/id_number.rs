//! Numbers of identity documents: the check digit of the resident identity card (居民身份证, GB 11643).
//! Never says whose number it is; a wrong check digit is for a person to judge.

use serde::{Deserialize, Serialize};

/// Characters of a resident card's number (HB-08).
pub const CARD_CHARS: usize = 18;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// 证件类型: which document the number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKind {
    /// 居民身份证.
    ResidentCard,
    /// Passport, military card, travel permit and others: no check digit known.
    Other,
}

/// The check character of 17 digits, or `None` if they are not 17 ASCII digits.
pub fn check_digit(seventeen: &str) -> Option<char> {
    if seventeen.len() != 17 || !seventeen.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let sum: u32 = seventeen.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    CHECK.get((sum % 11) as usize).copied()
}

/// Whether `text` has the shape of a resident card's number: 17 digits and a digit or `X`.
pub fn is_card_shape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == CARD_CHARS
        && bytes[..17].iter().all(u8::is_ascii_digit)
        && (bytes[17].is_ascii_digit() || bytes[17] == b'X')
}

/// Whether the check character of a number of that shape is right.
pub fn is_check_right(card: &str) -> bool {
    is_card_shape(card) && check_digit(&card[..17]) == card.chars().last()
}

/// Whether `text` may be the number of another document: 4 to 30 letters, digits, `-`, `(`, `)`.
pub fn is_other_shape(text: &str) -> bool {
    (4..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-()".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_number_checks() {
        assert!(is_check_right("11010519491231002X"));
        for wrong in ["110105194912310021", "11010519491231002x", "1101051949123100", "", "11010519491231002七"] {
            assert!(!is_check_right(wrong), "{wrong}");
        }
    }
}
