//! What comes over the network, and what a person types that goes over it.

#![allow(clippy::unwrap_used, reason = "a sample that cannot be made stops the test")]

use crate::{Decoder, sample};
use exam_link::Trust;
use exam_protocol::{
    frame::{DOWN_FRAME_BYTES_MAX, RawFrame, UP_FRAME_BYTES_MAX, take_frame},
    ids::{AdmissionNo, ItemId, RoomId, SeatRef, SiteId, StationId},
    message::hello::Role,
    tag::{Down, Up},
};
use exam_sealed::code::UnlockCode;
use exam_server::site::SiteKeys;

/// P10: at most four times the largest frame of the direction, beside the frame itself.
const TIMES: usize = 4;
/// What serde reserves for a vector on the word of its length, and how many vectors lie in one another in our messages.
const RESERVED: usize = 2 * 1024 * 1024;
/// Whatever a decoder needs for itself.
const SMALL: usize = 64 * 1024;

fn each_frame(bytes: &[u8], max: usize, read: impl Fn(&RawFrame)) {
    let mut rest = bytes;
    while let Ok(Some((raw, used))) = take_frame(rest, max) {
        read(&raw);
        rest = &rest[used..];
    }
}

pub(super) fn up(name: &'static str) -> Decoder {
    Decoder {
        name,
        samples: sample::frames("up"),
        decode: Box::new(|bytes| {
            each_frame(bytes, UP_FRAME_BYTES_MAX, |raw| {
                let _ = Up::from_frame(raw).map(|message| message.senders().len());
            })
        }),
        bytes_max: |len| len + TIMES * UP_FRAME_BYTES_MAX + RESERVED + SMALL,
        one_in: 1,
    }
}

pub(super) fn down(name: &'static str) -> Decoder {
    Decoder {
        name,
        samples: sample::frames("down"),
        decode: Box::new(|bytes| {
            each_frame(bytes, DOWN_FRAME_BYTES_MAX, |raw| {
                let _ = Down::from_frame(raw).map(|message| message.name());
            })
        }),
        bytes_max: |len| len + TIMES * DOWN_FRAME_BYTES_MAX + RESERVED + SMALL,
        one_in: 1,
    }
}

/// The server signs a certificate over a key that a stranger with an enrolment code has sent.
pub(super) fn enrolment_key(name: &'static str) -> Decoder {
    let dir = tempfile::tempdir().unwrap();
    SiteKeys::create(dir.path(), "样例考点").unwrap();
    let keys = SiteKeys::load(dir.path()).unwrap();
    let station: StationId = "st-1".parse().unwrap();
    Decoder {
        name,
        samples: vec![sample::machine_key()],
        decode: Box::new(move |bytes| drop(keys.issue(bytes, &station, Role::Station))),
        bytes_max: |len| 16 * len + SMALL,
        one_in: 20,
    }
}

/// Codes and numbers as people type them.
pub(super) fn typed_words(name: &'static str) -> Decoder {
    let texts = ["990000000000000000000000001", "r1/12", "ABCD-EFGH-JKMN-PQRS", "s1", "２０２６"];
    Decoder {
        name,
        samples: texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
        decode: Box::new(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let _ = UnlockCode::parse(&text).map(|code| code.folded());
            let _ = text.parse::<AdmissionNo>().map(|number| number.initial_password().len());
            let _ = (text.parse::<SiteId>(), text.parse::<StationId>(), text.parse::<RoomId>());
            let _ = (text.parse::<ItemId>(), serde_json::from_slice::<SeatRef>(bytes));
        }),
        bytes_max: |len| 16 * len + SMALL,
        one_in: 1,
    }
}

/// `site-public.json`, as a stick brings it to a machine.
pub(super) fn trust_file(name: &'static str) -> Decoder {
    let dir = tempfile::tempdir().unwrap();
    SiteKeys::create(dir.path(), "样例考点").unwrap();
    let public = SiteKeys::load(dir.path()).unwrap().public().clone();
    Decoder {
        name,
        samples: vec![serde_json::to_vec(&public).unwrap()],
        decode: Box::new(|bytes| {
            let _ = Trust::from_json(bytes).map(|trust| trust.client_config(None).is_ok());
        }),
        bytes_max: |len| 16 * len + 1024 * 1024,
        one_in: 5,
    }
}
