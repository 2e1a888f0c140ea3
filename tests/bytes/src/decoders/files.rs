//! Our own files on disks that lie, rot and are edited: the seat's journal, the server's, and the chain in both.

#![allow(clippy::unwrap_used, reason = "a sample that cannot be made stops the test")]

use crate::{
    Decoder,
    sample::{self, Memory, exam},
};
use exam_protocol::{
    chain::ChainCheck,
    frame::{self, DOWN_FRAME_BYTES_MAX},
    ids::SiteId,
};
use exam_room::Fact;
use exam_seat::journal::Journal;
use exam_session::Record;
use std::fs;

const MIB: usize = 1024 * 1024;

/// The whole file, as a seat reads it back at its start. It is not there under its name, so that nothing can be set aside.
pub(super) fn seat_journal(name: &'static str) -> Decoder {
    let dir = tempfile::tempdir().unwrap();
    let place = sample::place(dir.path());
    Decoder {
        name,
        samples: vec![sample::seat_journal(&place)],
        decode: Box::new(move |bytes| {
            let _keep = &dir;
            let _ = Journal::open_on(&Memory::of(bytes), place.clone()).map(|(_, _, recovery)| recovery.in_words());
        }),
        bytes_max: |len| 16 * len + MIB,
        one_in: 5,
    }
}

/// What is inside a record's seal: what a former version, or a thief of the key, may have written.
pub(super) fn seat_record(name: &'static str) -> Decoder {
    Decoder {
        name,
        samples: sample::records().iter().map(frame::encode).collect(),
        decode: Box::new(|bytes| drop(frame::decode::<Record, { frame::DOWN_CLAIMS_MAX }>(0, bytes))),
        bytes_max: |len| len + 4 * DOWN_FRAME_BYTES_MAX + 2 * MIB + 64 * 1024,
        one_in: 1,
    }
}

/// The SQLite file, opened as the server opens it. What SQLite itself allocates is not counted here.
pub(super) fn server_journal(name: &'static str) -> Decoder {
    let dir = tempfile::tempdir().unwrap();
    let sample = sample::server_journal(&dir.path().join("site"));
    let data = dir.path().join("data");
    Decoder {
        name,
        samples: vec![sample],
        decode: Box::new(move |bytes| {
            let _keep = &dir;
            let _ = fs::remove_dir_all(&data);
            fs::create_dir(&data).unwrap();
            fs::write(data.join(exam_server::journal::FILE_NAME), bytes).unwrap();
            let _ = exam_server::journal::verify(&data);
            let _ = exam_server::journal::Journal::open(&data).map(|(journal, ..)| journal.facts());
        }),
        bytes_max: |len| 16 * len + 4 * MIB,
        one_in: 2_000,
    }
}

/// A journal row's body under every kind there is.
pub(super) fn fact(name: &'static str) -> Decoder {
    let bodies = exam::facts().into_iter().map(|(_, kind, body)| format!("{kind} {body}").into_bytes());
    Decoder {
        name,
        samples: bodies.collect(),
        decode: Box::new(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (kind, body) = text.split_once(' ').unwrap_or(("", &text));
            let _ = Fact::read(kind, body).map(|fact| fact.scope());
            for kind in Fact::KINDS {
                let _ = Fact::read(kind, body).map(|fact| (fact.scope(), fact.body()));
            }
        }),
        bytes_max: |len| 256 * len + MIB,
        one_in: 10,
    }
}

/// `journal.jsonl`, line by line.
pub(super) fn chain(name: &'static str) -> Decoder {
    let site: SiteId = "s1".parse().unwrap();
    Decoder {
        name,
        samples: vec![sample::chain_lines(&site)],
        decode: Box::new(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let mut check = ChainCheck::new(&site);
            let _ = text.split_terminator('\n').try_for_each(|line| check.line(line).map(drop));
        }),
        bytes_max: |len| 16 * len + MIB,
        one_in: 1,
    }
}
