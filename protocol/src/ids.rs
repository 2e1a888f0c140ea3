//! Names of things: ids and newtypes that are parsed once, at the edge, and cannot be wrong inside.
//! Never accepts a value it would have to question later.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a text is not the id it claims to be. The message names the rule, never the text itself: it may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {rule}")]
pub struct BadId {
    /// Which kind of id was expected, e.g. `admission number`.
    pub what: &'static str,
    /// The rule the text breaks, in words.
    pub rule: &'static str,
}

/// Longest short id (room, sitting, paper, item, option, task), in bytes.
pub const SHORT_ID_BYTES_MAX: usize = 48;

/// Declares an id that is a short text of ASCII letters, digits, `-`, `_` and `.`: safe in file names, logs and URLs.
macro_rules! short_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// Invariant: 1 to [`SHORT_ID_BYTES_MAX`] ASCII letters, digits, `-`, `_`, `.`; does not begin with `.`.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                short_text(text, $what)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                short_text(&text, $what)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn short_text(text: &str, what: &'static str) -> Result<(), BadId> {
    if text.is_empty() || text.len() > SHORT_ID_BYTES_MAX {
        return Err(BadId { what, rule: "must have 1 to 48 characters" });
    }
    if text.starts_with('.') || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(BadId { what, rule: "may only hold letters A-Z a-z, digits, '-', '_' and '.', not first a '.'" });
    }
    Ok(())
}

short_id!(
    /// A site (考核站点): one server's domain of trust.
    SiteId,
    "site id"
);
short_id!(
    /// An exam (考试), e.g. `2026-autumn-dm`.
    ExamId,
    "exam id"
);
short_id!(
    /// A room (考场).
    RoomId,
    "room id"
);
short_id!(
    /// A sitting: one session (场次) in one room.
    SittingId,
    "sitting id"
);
short_id!(
    /// A paper (试卷) or backup paper (备用试卷).
    PaperId,
    "paper id"
);
short_id!(
    /// An item (试题) of a paper. Answers name it by id, never by position.
    ItemId,
    "item id"
);
short_id!(
    /// An option (选项) of an item, e.g. `A`. Letters are the author's; what is shown first depends on the order seed.
    OptionId,
    "option id"
);
short_id!(
    /// A station (考生机) or console (监考机), given by the server at enrolment.
    StationId,
    "station id"
);
short_id!(
    /// A staff account (账号).
    AccountId,
    "account id"
);

/// Fewest digits of an admission number: the first password is its last six (HB-15).
pub const ADMISSION_DIGITS_MIN: usize = 6;
/// Most digits of an admission number; the national samples have 26 (HB-06).
pub const ADMISSION_DIGITS_MAX: usize = 32;
/// Digits of the first password (HB-15).
pub const INITIAL_PASSWORD_DIGITS: usize = 6;
const _: () = assert!(ADMISSION_DIGITS_MIN >= INITIAL_PASSWORD_DIGITS); // else there is no first password

/// 准考证号 (admission number). Invariant: ASCII digits only, [`ADMISSION_DIGITS_MIN`] to [`ADMISSION_DIGITS_MAX`] of
/// them; too long for any integer, so always text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AdmissionNo(String);

impl AdmissionNo {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// HB-15: the first password is the last six digits.
    pub fn initial_password(&self) -> &str {
        &self.0[self.0.len() - INITIAL_PASSWORD_DIGITS..]
    }
}

impl FromStr for AdmissionNo {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for AdmissionNo {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        const WHAT: &str = "admission number";
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadId { what: WHAT, rule: "must be digits only" });
        }
        if !(ADMISSION_DIGITS_MIN..=ADMISSION_DIGITS_MAX).contains(&text.len()) {
            return Err(BadId { what: WHAT, rule: "must have 6 to 32 digits" });
        }
        Ok(Self(text))
    }
}

impl From<AdmissionNo> for String {
    fn from(no: AdmissionNo) -> String {
        no.0
    }
}

impl fmt::Display for AdmissionNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows only the last four digits, so that a stray debug line carries no whole number.
impl fmt::Debug for AdmissionNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdmissionNo(…{})", &self.0[self.0.len() - 4..])
    }
}

/// Highest seat number in a room.
pub const SEAT_NO_MAX: u16 = 999;

/// 考位号: the number on a desk, unique in its room. Invariant: 1 to [`SEAT_NO_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct SeatNo(u16);

impl SeatNo {
    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for SeatNo {
    type Error = BadId;
    fn try_from(no: u16) -> Result<Self, BadId> {
        if (1..=SEAT_NO_MAX).contains(&no) {
            Ok(Self(no))
        } else {
            Err(BadId { what: "seat number", rule: "must be 1 to 999" })
        }
    }
}

impl FromStr for SeatNo {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let no: u16 = text.parse().map_err(|_| BadId { what: "seat number", rule: "must be 1 to 999" })?;
        no.try_into()
    }
}

impl From<SeatNo> for u16 {
    fn from(no: SeatNo) -> u16 {
        no.0
    }
}

impl fmt::Display for SeatNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A desk in a room: what a station is bound to and a candidate is assigned to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeatRef {
    /// The room.
    pub room: RoomId,
    /// The number on the desk.
    pub seat: SeatNo,
}

impl fmt::Display for SeatRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.room, self.seat)
    }
}

/// SHA-256 of some bytes: the name by which blobs travel and rest. Lower-case hex in text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "HashRepr", try_from = "HashRepr")]
pub struct Sha256([u8; 32]);

/// JSON shows hex, the wire carries 32 bytes.
#[derive(Serialize, Deserialize)]
struct HashRepr(#[serde(with = "hash_text")] [u8; 32]);

impl From<Sha256> for HashRepr {
    fn from(hash: Sha256) -> Self {
        Self(hash.0)
    }
}

impl From<HashRepr> for Sha256 {
    fn from(repr: HashRepr) -> Self {
        Self(repr.0)
    }
}

mod hash_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.serialize_str(&data_encoding::HEXLOWER.encode(bytes)) } else { bytes.serialize(s) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        if !d.is_human_readable() {
            return <[u8; 32]>::deserialize(d);
        }
        let text = String::deserialize(d)?;
        let bytes =
            data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| D::Error::custom("not lower-case hex"))?;
        bytes.try_into().map_err(|_| D::Error::custom("a SHA-256 has 32 bytes"))
    }
}

impl Sha256 {
    /// Hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// A hash that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits.
    pub fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}

impl FromStr for Sha256 {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { what: "SHA-256", rule: "must be 64 lower-case hex digits" };
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| bad.clone())?;
        Ok(Self(bytes.try_into().map_err(|_| bad)?))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({}…)", &self.hex()[..12])
    }
}

/// A sealed byte string: ciphertext that only the shell can open. The core carries it and never looks inside.
/// Base64 in JSON, bytes on the wire.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedBytes(#[serde(with = "base64_text")] pub Vec<u8>);

impl fmt::Debug for SealedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedBytes({} bytes)", self.0.len())
    }
}

/// Serde for byte strings: base64 in JSON, bytes on the wire.
pub mod base64_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// Writes base64 for people, bytes for the wire.
    pub fn serialize<S: Serializer>(bytes: &Vec<u8>, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.serialize_str(&data_encoding::BASE64.encode(bytes)) } else { bytes.serialize(s) }
    }

    /// Reads what [`serialize`] wrote.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        if !d.is_human_readable() {
            return Vec::<u8>::deserialize(d);
        }
        let text = String::deserialize(d)?;
        data_encoding::BASE64.decode(text.as_bytes()).map_err(|_| D::Error::custom("not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admission_number_is_text_of_6_to_32_digits() {
        for (text, good) in
            [("12345", false), ("123456", true), (&"9".repeat(32), true), (&"9".repeat(33), false), ("12345６", false)]
        {
            assert_eq!(text.parse::<AdmissionNo>().is_ok(), good, "{text}");
        }
        assert_eq!("41000000000000000000123456".parse::<AdmissionNo>().unwrap().initial_password(), "123456");
    }

    #[test]
    fn debug_output_never_shows_a_whole_admission_number() {
        let no: AdmissionNo = "41000000000000000000123456".parse().unwrap();
        assert_eq!(format!("{no:?}"), "AdmissionNo(…3456)");
    }

    #[test]
    fn a_short_id_cannot_leave_its_folder() {
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "房间", "a b", &"x".repeat(49)] {
            assert!(bad.parse::<RoomId>().is_err(), "{bad:?} must be refused");
        }
        assert!("r1-A_2.b".parse::<RoomId>().is_ok());
    }

    #[test]
    fn seat_numbers_have_both_limits() {
        for (no, good) in [(0, false), (1, true), (999, true), (1000, false)] {
            assert_eq!(SeatNo::try_from(no).is_ok(), good, "{no}");
        }
    }

    #[test]
    fn a_hash_is_hex_in_json() {
        let json = serde_json::to_string(&Sha256::of(b"abc")).unwrap();
        assert_eq!(json, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
        assert_eq!(serde_json::from_str::<Sha256>(&json).unwrap(), Sha256::of(b"abc"));
    }
}
