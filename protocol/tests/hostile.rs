//! Hostile bytes: whatever a peer sends, decoding ends soon, allocates within limits and never panics (P10).
//! Never trusts a length, a tag or a variant number that came from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot build its own input has failed")]

mod samples;

use exam_protocol::{
    frame::{DOWN_FRAME_BYTES_MAX, FrameError, RawFrame, RequestId, UP_FRAME_BYTES_MAX, take_frame},
    tag::{Down, Up},
};
use proptest::prelude::*;
use samples::{REQUEST, downs, ups};

/// bincode's mark for "an eight-byte number follows", then 2⁴⁰, then 2⁶⁴ − 1.
const CLAIMS: [[u8; 9]; 2] = [[253, 0, 0, 0, 0, 0, 1, 0, 0], [253, 255, 255, 255, 255, 255, 255, 255, 255]];

fn payloads() -> Vec<RawFrame> {
    let request = RequestId(REQUEST);
    let up = ups().into_iter().map(|(_, sample)| sample.to_frame(request));
    let down = downs().into_iter().map(|(_, sample)| sample.to_frame(request));
    up.chain(down).map(|frame| take_frame(&frame, DOWN_FRAME_BYTES_MAX).unwrap().unwrap().0).collect()
}

/// Decodes in both directions, as a confused or hostile peer might ask for.
fn decode_both(raw: &RawFrame) {
    let _ = Up::from_frame(raw).map(|message| message.to_frame(raw.request));
    let _ = Down::from_frame(raw).map(|message| message.to_frame(raw.request));
}

#[test]
fn a_giant_length_claim_anywhere_in_any_message_ends_at_once() {
    for original in payloads() {
        for at in 0..=original.payload.len() {
            for claim in CLAIMS {
                for tail in [0, 4_096] {
                    let mut raw = original.clone();
                    raw.payload.truncate(at);
                    raw.payload.extend_from_slice(&claim);
                    raw.payload.resize(raw.payload.len() + tail, 0);
                    decode_both(&raw);
                }
            }
        }
    }
}

#[test]
fn a_message_of_no_size_has_no_room_for_a_claim() {
    let empty: Vec<RawFrame> = payloads().into_iter().filter(|raw| raw.payload.is_empty()).collect();
    assert_eq!(empty.len(), 3, "VerifyJournal, AskStatus and Done");
    for original in empty {
        for claim in CLAIMS {
            let raw = RawFrame { payload: claim.to_vec(), ..original.clone() };
            assert!(Up::from_frame(&raw).is_err() && Down::from_frame(&raw).is_err(), "tag {}", raw.tag);
        }
    }
}

#[test]
fn no_truncated_message_is_read() {
    for original in payloads() {
        for len in 0..original.payload.len() {
            let raw = RawFrame { payload: original.payload[..len].to_vec(), ..original.clone() };
            assert!(
                Up::from_frame(&raw).is_err() && Down::from_frame(&raw).is_err(),
                "tag {} cut to {len} bytes was read",
                raw.tag
            );
        }
    }
}

#[test]
fn a_stray_byte_after_any_message_is_refused() {
    for mut raw in payloads() {
        raw.payload.push(0);
        let refused = |result: Result<(), FrameError>| matches!(result, Err(FrameError::Trailing { extra: 1, .. }));
        assert!(
            refused(Up::from_frame(&raw).map(drop)) || refused(Down::from_frame(&raw).map(drop)),
            "tag {}",
            raw.tag
        );
    }
}

#[test]
fn a_client_s_largest_frame_is_refused_one_byte_later() {
    let frame = |body: usize| [&u32::try_from(body).unwrap().to_le_bytes()[..], &vec![0; body]].concat();
    assert!(take_frame(&frame(UP_FRAME_BYTES_MAX), UP_FRAME_BYTES_MAX).is_ok());
    assert!(take_frame(&frame(UP_FRAME_BYTES_MAX + 1), UP_FRAME_BYTES_MAX).is_err());
}

fn any_known_tag() -> impl Strategy<Value = u16> {
    let known: Vec<u16> = Up::TAGS.iter().chain(Down::TAGS).map(|(tag, _)| *tag).collect();
    prop_oneof![9 => prop::sample::select(known), 1 => any::<u16>()]
}

/// What may happen to a frame: a byte changed, put in, taken out, or the rest cut off.
#[derive(Clone, Debug)]
enum Mutation {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(i, b)| Mutation::Set(i, b)),
        2 => (at(), any::<u8>()).prop_map(|(i, b)| Mutation::Insert(i, b)),
        2 => at().prop_map(Mutation::Remove),
        1 => at().prop_map(Mutation::Cut),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    match mutation {
        Mutation::Set(at, byte) => *at.get_mut(bytes) = *byte,
        Mutation::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
        Mutation::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
        Mutation::Cut(at) => bytes.truncate(at.index(bytes.len())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_under_any_tag_never_panic(tag in any_known_tag(), payload in prop::collection::vec(any::<u8>(), 0..512)) {
        decode_both(&RawFrame { tag, request: RequestId(1), payload });
    }

    #[test]
    fn mutated_frames_never_panic(
        which in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(any_mutation(), 1..6),
    ) {
        thread_local! { static FRAMES: Vec<Vec<u8>> = {
            let request = RequestId(REQUEST);
            ups().iter().map(|(_, m)| m.to_frame(request)).chain(downs().iter().map(|(_, m)| m.to_frame(request))).collect()
        } }
        let mut bytes = FRAMES.with(|frames| which.get(frames).clone());
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        if let Ok(Some((raw, used))) = take_frame(&bytes, UP_FRAME_BYTES_MAX) {
            prop_assert!(used <= bytes.len());
            decode_both(&raw);
        }
    }
}
