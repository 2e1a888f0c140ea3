//! The wire is frozen: every message has golden bytes under `vectors/v1`, and today's code still writes and reads them.
//! Never changes an existing vector: a missing one is written only when `UPDATE_VECTORS=1` is set.
#![allow(clippy::disallowed_methods, reason = "the crate is pure, its tests read files")]

mod samples;

use data_encoding::HEXLOWER;
use exam_protocol::{
    frame::{DOWN_FRAME_BYTES_MAX, RequestId, take_frame},
    message::hello::Role,
    tag::{Down, RETIRED, Up},
};
use samples::{REQUEST, downs, ups};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// Bytes on one line of a vector file.
const LINE_BYTES: usize = 32;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join("v1")
}

/// File name → whole frame, for every sample of both directions.
fn frames() -> BTreeMap<String, Vec<u8>> {
    let request = RequestId(REQUEST);
    let up = ups().into_iter().map(|(variant, m)| (file_name("up", m.name(), variant), m.to_frame(request)));
    let down = downs().into_iter().map(|(variant, m)| (file_name("down", m.name(), variant), m.to_frame(request)));
    let all: Vec<_> = up.chain(down).collect();
    let count = all.len();
    let frames: BTreeMap<_, _> = all.into_iter().collect();
    assert_eq!(frames.len(), count, "two samples share a vector's name");
    frames
}

fn file_name(direction: &str, message: &str, variant: &str) -> String {
    let dash = if variant.is_empty() { "" } else { "-" };
    format!("{direction}-{message}{dash}{variant}.hex")
}

fn to_hex(frame: &[u8]) -> String {
    frame.chunks(LINE_BYTES).map(|line| HEXLOWER.encode(line) + "\n").collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    HEXLOWER.decode(digits.as_bytes()).expect("a vector is lower-case hex")
}

fn frozen(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!("vectors/v1/{name} is missing: run this test once with UPDATE_VECTORS=1 and commit the file")
    });
    from_hex(&text)
}

#[test]
fn every_message_is_written_as_it_was_frozen() {
    let update = std::env::var("UPDATE_VECTORS").is_ok_and(|v| v == "1");
    for (name, frame) in frames() {
        let path = folder().join(&name);
        if update && !path.exists() {
            fs::write(&path, to_hex(&frame)).unwrap();
        }
        assert_eq!(
            to_hex(&frame),
            to_hex(&frozen(&name)),
            "{name}: the bytes of a message never change; add a new message instead"
        );
    }
}

#[test]
fn every_frozen_frame_is_read_as_the_sample_it_was() {
    let raw = |direction: &str, name: &str, variant: &str| {
        let bytes = frozen(&file_name(direction, name, variant));
        let (raw, used) = take_frame(&bytes, DOWN_FRAME_BYTES_MAX).unwrap().unwrap();
        assert_eq!((used, raw.request), (bytes.len(), RequestId(REQUEST)));
        raw
    };
    for (variant, sample) in ups() {
        assert_eq!(
            Up::from_frame(&raw("up", sample.name(), variant)).as_ref(),
            Ok(&sample),
            "{} {variant}",
            sample.name()
        );
    }
    for (variant, sample) in downs() {
        assert_eq!(
            Down::from_frame(&raw("down", sample.name(), variant)).as_ref(),
            Ok(&sample),
            "{} {variant}",
            sample.name()
        );
    }
}

#[test]
fn every_tag_has_a_vector_and_every_vector_a_sample() {
    let names = frames();
    for (direction, tags) in [("up", Up::TAGS), ("down", Down::TAGS)] {
        for (tag, name) in tags {
            let of_message = |file: &String| file.strip_suffix(".hex").and_then(|f| f.split('-').nth(1)) == Some(name);
            assert!(
                names.keys().any(|file| file.starts_with(direction) && of_message(file)),
                "message {tag} {name} has no sample in tests/samples"
            );
        }
    }
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains_key(&file), "vectors/v1/{file} belongs to no sample");
    }
}

#[test]
fn a_tag_means_one_message_in_one_direction_for_ever() {
    let tags: Vec<u16> = Up::TAGS.iter().chain(Down::TAGS).map(|(tag, _)| *tag).collect();
    let distinct: BTreeSet<u16> = tags.iter().copied().collect();
    assert_eq!(distinct.len(), tags.len(), "a tag is used twice");
    assert!(RETIRED.iter().all(|tag| !distinct.contains(tag)), "a retired tag is used again");
    assert!(!distinct.contains(&0), "0 is what zeroed memory says, and is no message");
}

#[test]
fn the_registry_calls_each_sample_by_its_own_tag() {
    for (_, sample) in ups() {
        assert!(Up::TAGS.contains(&(sample.tag(), sample.name())));
        assert!(
            Down::from_frame(&take_frame(&sample.to_frame(RequestId(1)), DOWN_FRAME_BYTES_MAX).unwrap().unwrap().0)
                .is_err()
        );
    }
    for (_, sample) in downs() {
        assert!(Down::TAGS.contains(&(sample.tag(), sample.name())));
    }
}

#[test]
fn every_message_of_a_client_has_senders_and_a_stranger_may_only_introduce_itself() {
    for (_, sample) in ups() {
        let senders = sample.senders();
        assert!(!senders.is_empty(), "{} may be sent by nobody", sample.name());
        let open_to_strangers = senders.contains(&Role::Guest);
        assert_eq!(open_to_strangers, matches!(sample, Up::Hello(_) | Up::Enrol(_)), "{}", sample.name());
    }
}

#[test]
fn no_seat_may_steer_the_room() {
    for (_, sample) in ups() {
        let steers = matches!(
            sample,
            Up::IssueCodes(_)
                | Up::OpenAdmission(_)
                | Up::Admit(_)
                | Up::StartSitting(_)
                | Up::EndSitting(_)
                | Up::ExportBundle(_)
                | Up::ImportPackage(_)
                | Up::VerifyJournal(_)
                | Up::BackUp(_)
                | Up::AskStatus(_)
                | Up::PutChunk(_)
                | Up::DenyCandidate(_)
                | Up::Leave(_)
                | Up::SwapMachine(_)
                | Up::DecideAttempt(_)
                | Up::ConsentHandIn(_)
                | Up::RollCall(_)
                | Up::LostTime(_)
                | Up::AskAttendance(_)
                | Up::AskReadiness(_)
                | Up::ConfirmCheck(_)
                | Up::WithdrawCheck(_)
                | Up::SealRoom(_)
                | Up::TickItem(_)
                | Up::UntickItem(_)
                | Up::RequestBackupPaper(_)
                | Up::UseBackupPaper(_)
                | Up::ResetMock(_)
                | Up::AskMockPoints(_)
        );
        assert!(!(steers && sample.senders().contains(&Role::Station)), "{} is open to seats", sample.name());
    }
}

#[test]
fn only_seats_speak_for_candidates_and_only_staff_for_staff() {
    for (_, sample) in ups() {
        let seats_word = matches!(sample, Up::SeatHand(_) | Up::ReadMessage(_));
        let staff_word = matches!(
            sample,
            Up::HandCall(_)
                | Up::SendMessage(_)
                | Up::AskMessages(_)
                | Up::VisitCall(_)
                | Up::FindCandidate(_)
                | Up::PeopleCall(_)
                | Up::TimeCall(_)
        );
        assert!(!seats_word || sample.senders() == [Role::Station], "{}", sample.name());
        assert!(!staff_word || sample.senders() == [Role::Console, Role::Admin], "{}", sample.name());
    }
}
