//! Unlock codes (启封码): 80 random bits that a person reads from paper and types at the start. A slip of the fingers is told
//! from a wrong code before anything is tried. Never prints itself except on purpose.

use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Random bytes of a code.
pub const CODE_BYTES: usize = 10;
/// Characters that carry the bits: 5 bits each.
const DATA_CHARS: usize = 16;
/// Characters of a code, check characters included, dashes not.
const CODE_CHARS: usize = 18;
/// Characters between two dashes.
const GROUP_CHARS: usize = 6;
/// Longest text worth looking at.
const TYPED_CHARS_MAX: usize = 256;
/// Crockford's base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const _: () = assert!(CODE_BYTES * 8 == DATA_CHARS * 5);
const _: () = assert!(CODE_CHARS < 32); // positions are powers of a generator of GF(32): they must differ

/// An unlock code. Invariant: its check characters fit.
///
/// The 18 characters are a word of a Reed–Solomon code over GF(32) with distance 3: any two wrong characters show, hence
/// any single wrong one and any two that changed places.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct UnlockCode([u8; CODE_CHARS]);

/// Not a code: the fingers slipped. Nothing was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistyped {
    /// Too few or too many characters.
    #[error("an unlock code has 18 characters, this has {found}")]
    Length {
        /// Characters typed, dashes and spaces not counted.
        found: usize,
    },
    /// A character no code has.
    #[error("character {position} is not one a code can have")]
    Character {
        /// From 1, dashes and spaces not counted.
        position: usize,
    },
    /// A character is wrong or two have changed places.
    #[error("the check characters do not fit: a character is wrong or two have changed places")]
    Check,
}

impl UnlockCode {
    /// The code of these random bytes; the caller draws them.
    pub fn from_random(mut random: [u8; CODE_BYTES]) -> Self {
        let mut symbols = [0_u8; CODE_CHARS];
        for (index, symbol) in symbols[..DATA_CHARS].iter_mut().enumerate() {
            *symbol = (0..5).fold(0, |bits, bit| (bits << 1) | bit_at(&random, index * 5 + bit));
        }
        random.zeroize();
        let (sum, weighted) = syndromes(&symbols);
        let (first, second) = (0..32_u8)
            .map(|first| (first, first ^ sum))
            .find(|(first, second)| {
                times(*first, power(DATA_CHARS)) ^ times(*second, power(DATA_CHARS + 1)) == weighted
            })
            .expect("two different positions leave exactly one solution");
        symbols[DATA_CHARS] = first;
        symbols[DATA_CHARS + 1] = second;
        Self(symbols)
    }

    /// Reads what a person typed: any case, full-width or not, with or without dashes and spaces; O is 0, I and L are 1.
    ///
    /// # Errors
    /// [`Mistyped`] if this cannot be any code.
    pub fn parse(typed: &str) -> Result<Self, Mistyped> {
        let mut symbols = [0_u8; CODE_CHARS];
        let mut found = 0;
        for c in typed.chars().take(TYPED_CHARS_MAX).map(half_width).filter(|c| !is_filler(*c)) {
            if let Some(slot) = symbols.get_mut(found) {
                *slot = symbol(c).ok_or(Mistyped::Character { position: found + 1 })?;
            }
            found += 1;
        }
        if found != CODE_CHARS {
            return Err(Mistyped::Length { found });
        }
        if syndromes(&symbols) != (0, 0) {
            return Err(Mistyped::Check);
        }
        Ok(Self(symbols))
    }

    /// The characters alone, without dashes: what HQ's time grants are hashed from (`exam_protocol::grant`).
    pub fn folded(&self) -> String {
        self.0.iter().map(|symbol| char::from(ALPHABET[usize::from(*symbol)])).collect()
    }
}

/// `XXXXXX-XXXXXX-XXXXXX`: also the passphrase that stock `age` takes.
impl fmt::Display for UnlockCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, symbol) in self.0.iter().enumerate() {
            if index > 0 && index % GROUP_CHARS == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(ALPHABET[usize::from(*symbol)]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for UnlockCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnlockCode(…)")
    }
}

fn bit_at(bytes: &[u8], bit: usize) -> u8 {
    bytes[bit / 8] >> (7 - bit % 8) & 1
}

/// Full-width forms (U+FF01…FF5E) as typed with a Chinese input method become ASCII.
fn half_width(c: char) -> char {
    match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

fn is_filler(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200B}' | '\u{FEFF}')
}

fn symbol(c: char) -> Option<u8> {
    let folded = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|a| char::from(*a) == folded).and_then(|index| u8::try_from(index).ok())
}

/// Both check sums of a word; zero for a code.
fn syndromes(symbols: &[u8; CODE_CHARS]) -> (u8, u8) {
    symbols.iter().enumerate().fold((0, 0), |(sum, weighted), (index, s)| (sum ^ s, weighted ^ times(*s, power(index))))
}

/// The generator 2 of GF(32)* to the power `n`.
fn power(n: usize) -> u8 {
    (0..n).fold(1, |value, _| times(value, 2))
}

/// Product in GF(32) modulo x⁵ + x² + 1.
fn times(a: u8, b: u8) -> u8 {
    let product = (0..5).filter(|bit| b >> bit & 1 == 1).fold(0_u16, |sum, bit| sum ^ (u16::from(a) << bit));
    let reduced = (5..9).rev().fold(product, |p, bit| if p >> bit & 1 == 1 { p ^ (0b10_0101 << (bit - 5)) } else { p });
    u8::try_from(reduced).expect("five bits are left")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<UnlockCode> {
        let mut seeds = vec![[0; 10], [255; 10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]];
        seeds.extend(
            (0..9_u8).map(|n| std::array::from_fn(|i| (i as u8).wrapping_mul(37).wrapping_add(n.wrapping_mul(91)))),
        );
        seeds.into_iter().map(UnlockCode::from_random).collect()
    }

    #[test]
    fn a_printed_code_reads_back() {
        for code in samples() {
            let text = code.to_string();
            assert_eq!(text.len(), 20, "three groups of six and two dashes");
            assert!(UnlockCode::parse(&text).unwrap() == code);
        }
    }

    #[test]
    fn every_single_wrong_character_is_noticed() {
        for code in samples() {
            for position in 0..CODE_CHARS {
                for wrong in (0..32).filter(|s| *s != code.0[position]) {
                    let mut symbols = code.0;
                    symbols[position] = wrong;
                    assert_eq!(UnlockCode::parse(&UnlockCode(symbols).to_string()).err(), Some(Mistyped::Check));
                }
            }
        }
    }

    #[test]
    fn every_swap_of_two_characters_is_noticed() {
        for code in samples() {
            for a in 0..CODE_CHARS {
                for b in (a + 1..CODE_CHARS).filter(|b| code.0[a] != code.0[*b]) {
                    let mut symbols = code.0;
                    symbols.swap(a, b);
                    assert_eq!(UnlockCode::parse(&UnlockCode(symbols).to_string()).err(), Some(Mistyped::Check));
                }
            }
        }
    }

    #[test]
    fn people_may_type_it_their_way() {
        let code = UnlockCode::from_random([0x08, 0x42, 0x10, 0x84, 0x21, 0, 0, 0, 0, 0]);
        let text = code.to_string();
        let full_width: String = text.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
        let ways = [
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('-', "—"),
            text.replace('0', "O").replace('1', "l"),
            text.replace('0', "o").replace('1', "I"),
            format!("  {text}\u{3000}\r\n"),
            full_width,
        ];
        for typed in ways {
            assert!(UnlockCode::parse(&typed).unwrap() == code, "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_told_apart() {
        let text = samples()[2].to_string();
        assert_eq!(UnlockCode::parse("").err(), Some(Mistyped::Length { found: 0 }));
        assert_eq!(UnlockCode::parse(&text[..19]).err(), Some(Mistyped::Length { found: 17 }));
        assert_eq!(UnlockCode::parse(&format!("{text}0")).err(), Some(Mistyped::Length { found: 19 }));
        assert_eq!(
            UnlockCode::parse(&text.replacen(&text[..1], "U", 1)).err(),
            Some(Mistyped::Character { position: 1 })
        );
        assert!(UnlockCode::parse(&"考".repeat(100_000)).is_err());
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        assert_eq!(format!("{:?}", samples()[0]), "UnlockCode(…)");
    }
}
