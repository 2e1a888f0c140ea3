//! One sample of every message and of every variant whose bytes differ in shape: the source of the golden vectors and the
//! soil of the hostile-input tests. Never holds real personal data: numbers and names are invented.

#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

mod down;
mod duty;
mod up;

use exam_protocol::{
    answer::Answer,
    ids::{AdmissionNo, ItemId, SeatNo, SeatRef, Sha256},
    message::hello::Role,
    time::{Now, SiteMs, WallMs},
};
use std::{fmt::Debug, str::FromStr};

pub(crate) use down::{downs, errors, package_noes, package_refused, phases, refusals, seat_states};
pub(crate) use up::ups;

/// Request id in every vector: its four bytes differ, so that a swapped byte order shows.
pub(crate) const REQUEST: u32 = 0x0403_0201;

/// A sample with the variant part of its vector's name; empty for the message itself.
pub(crate) type Sample<M> = (&'static str, M);

/// Declares a list with one value per variant. A variant without a row does not compile.
macro_rules! one_of_each {
    ($name:ident: $type:ident { $($variant:ident = $sample:expr,)* }) => {
        pub(crate) fn $name() -> Vec<(&'static str, $type)> {
            fn _every_variant_has_a_row(value: &$type) {
                match value {
                    $($type::$variant { .. } => (),)*
                }
            }
            vec![$((stringify!($variant), $sample),)*]
        }
    };
}
pub(crate) use one_of_each;

one_of_each!(answers: Answer {
    Empty = Answer::Empty,
    Single = Answer::Single(id("B")),
    Multiple = Answer::Multiple([id("A"), id("D")].into()),
    TrueFalse = Answer::TrueFalse(true),
    Blanks = Answer::Blanks(vec!["北京".to_owned(), String::new()]),
    Text = Answer::Text("先备份，再升级。".to_owned()),
});

one_of_each!(roles: Role {
    Guest = Role::Guest,
    Station = Role::Station,
    Console = Role::Console,
    Admin = Role::Admin,
});

/// Parses an id of ours.
pub(crate) fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("samples are well formed")
}

pub(crate) fn item(n: u32) -> ItemId {
    id(&format!("q{n:02}"))
}

pub(crate) fn seat_no(no: u16) -> SeatNo {
    SeatNo::try_from(no).expect("samples are well formed")
}

pub(crate) fn desk() -> SeatRef {
    SeatRef { room: id("r1"), seat: seat_no(13) }
}

pub(crate) fn admission_no() -> AdmissionNo {
    id("41000000000000000000123456")
}

pub(crate) fn hash(of: &str) -> Sha256 {
    Sha256::of(of.as_bytes())
}

/// Large numbers, so that every width of the integer encoding is frozen somewhere.
pub(crate) fn now() -> Now {
    Now { at: SiteMs(5_400_000), wall: WallMs(1_792_000_000_000) }
}
