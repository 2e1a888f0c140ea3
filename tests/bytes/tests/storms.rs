//! P10: hostile bytes stop nothing. Every decoder gets bytes nobody wrote and valid ones cut, flipped, stuffed and spliced:
//! it must not panic, must not hold more memory than it says, and must end.
//!
//! `EXAM_BYTES_CASES` cases a decoder (dear decoders get their share), `EXAM_BYTES_SEED` to repeat a run; both are printed.

#![allow(clippy::unwrap_used, reason = "a test may panic, in its fixtures too")]

use exam_bytes::{
    Decoder, decode,
    decoders::{self, named},
    hostile::{Deed, Hostile, INPUT_BYTES_MAX},
};
use peak_alloc::PeakAlloc;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use std::{
    cell::Cell,
    sync::{Mutex, PoisonError},
    time::Instant,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One storm at a time: the count of bytes is the whole process's.
static ALONE: Mutex<()> = Mutex::new(());

/// Cases of a storm where nobody says otherwise: some seconds a decoder, also without optimisation.
const CASES: u32 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
/// Dear decoders get at least so many.
const CASES_MIN: u32 = 200;
/// Longer than this on one input of at most 96 KiB is a hang.
const HANG_MS: u128 = 10_000;
/// What the test itself may allocate meanwhile, on other threads.
const OURS_BYTES: usize = 64 * 1024;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let at = any::<usize>;
    prop_oneof![
        2 => at().prop_map(Deed::Cut),
        4 => (at(), any::<u8>()).prop_map(|(at, bit)| Deed::Flip(at, bit)),
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Deed::Set(at, byte)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Deed::Insert(at, byte)),
        2 => at().prop_map(Deed::Remove),
        3 => (at(), at()).prop_map(|(at, which)| Deed::Claim(at, which)),
        1 => (at(), prop_oneof![Just(0_u8), any::<u8>()], 0..INPUT_BYTES_MAX).prop_map(|(at, byte, n)| Deed::Stuff(at, byte, n)),
        2 => (at(), at(), at()).prop_map(|(at, other, from)| Deed::Splice(at, other, from)),
        1 => (at(), at()).prop_map(|(at, count)| Deed::Repeat(at, count)),
    ]
}

fn any_hostile() -> impl Strategy<Value = Hostile> {
    prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..512).prop_map(Hostile::MadeUp),
        8 => (any::<usize>(), prop::collection::vec(any_deed(), 1..6)).prop_map(|(which, deeds)| Hostile::Changed(which, deeds)),
    ]
}

/// Held at most while `decode` runs, and how long it ran.
fn measured(decode: &dyn Fn(&[u8]), bytes: &[u8]) -> (usize, u128) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let begun = Instant::now();
    decode(bytes);
    (MEMORY.peak_usage().saturating_sub(before), begun.elapsed().as_millis())
}

/// One input: what it cost, or what is wrong.
fn judged(decoder: &Decoder, bytes: &[u8]) -> Result<(usize, u128), String> {
    let (held, took) = measured(&decoder.decode, bytes);
    let allowed = (decoder.bytes_max)(bytes.len()) + OURS_BYTES;
    if held > allowed {
        return Err(format!("{} bytes of input made it hold {held}, at most {allowed} are allowed", bytes.len()));
    }
    if took > HANG_MS {
        return Err(format!("{} bytes of input kept it for {took} ms", bytes.len()));
    }
    Ok((held, took))
}

/// The worst of a storm.
#[derive(Debug, Default)]
struct Worst {
    held: Cell<usize>,
    took_ms: Cell<u128>,
}

fn storm(decoder: &Decoder, cases: u32, seed: u64) -> Result<Worst, String> {
    let mut seed_bytes = [0; 32];
    seed_bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes);
    let mut runner = TestRunner::new_with_rng(Config { cases, failure_persistence: None, ..Config::default() }, rng);
    let worst = Worst::default();
    let outcome = runner.run(&any_hostile(), |hostile| {
        let (held, took) = judged(decoder, &hostile.bytes(&decoder.samples)).map_err(TestCaseError::fail)?;
        worst.held.set(worst.held.get().max(held));
        worst.took_ms.set(worst.took_ms.get().max(took));
        Ok(())
    });
    match outcome {
        Ok(()) => Ok(worst),
        Err(TestError::Abort(why)) => Err(format!("seed {seed}: {why}")),
        Err(TestError::Fail(why, input)) => Err(format!("seed {seed}: {why}; smallest input: {input:?}")),
    }
}

fn weather(name: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let decoder = named(name).unwrap();
    for sample in &decoder.samples {
        judged(&decoder, sample).unwrap_or_else(|why| panic!("{name}, a valid sample: {why}"));
    }
    let all = from_env("EXAM_BYTES_CASES").map_or(CASES, |cases| cases.try_into().unwrap());
    let cases = (all / decoder.one_in).max(CASES_MIN.min(all));
    let seed = from_env("EXAM_BYTES_SEED").unwrap_or_else(rand_seed);
    println!("{name}: {cases} cases, seed {seed}");
    let begun = Instant::now();
    let worst = storm(&decoder, cases, seed).unwrap_or_else(|why| panic!("{name}: {why}"));
    println!(
        "{name}: held at most {} KiB, longest {} ms, {:.1} s in all",
        worst.held.get() / 1024,
        worst.took_ms.get(),
        begun.elapsed().as_secs_f64()
    );
}

fn rand_seed() -> u64 {
    std::time::UNIX_EPOCH.elapsed().map_or(1, |now| now.as_nanos() as u64)
}

macro_rules! storms {
    ($($name:ident,)*) => {
        const STORMS: &[&str] = &[$(stringify!($name),)*];

        mod hostile_bytes_never_stop {
            $(#[test] fn $name() { super::weather(stringify!($name)); })*
        }
    };
}

storms! {
    wire_up, wire_down, enrolment_key, typed_words, trust_file,
    package, package_manifest, roster, paper, age_file, wrapped_key, signature,
    bundle, bundle_manifest, attempt_record,
    seat_journal, seat_record, server_journal, fact, chain,
    question_bank, candidate_list, room_list, sheet_xml, photos,
}

#[test]
fn every_decoder_has_its_storm_and_its_fuzz_target() {
    let known: Vec<&str> = decoders::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(STORMS, known);
    let manifest = include_str!("../fuzz/Cargo.toml");
    for name in known {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} has no fuzz target");
        let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{name}.rs"));
        assert!(std::fs::read_to_string(target).unwrap().contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn a_fuzz_target_reaches_its_decoder() {
    decode("wire_up", b"\x08\0\0\0\x2a\0\0\0\0\0\0\0");
}

/// A decoder with a known fault, on samples of a length byte and so much text.
fn faulty(decode: fn(&[u8])) -> Decoder {
    Decoder {
        name: "faulty",
        samples: vec![b"\x05\0\0\0hello".to_vec(), b"\x02\0\0\0ok".to_vec()],
        decode: Box::new(decode),
        bytes_max: |len| 4 * len + 1024,
        one_in: 1,
    }
}

fn claimed(bytes: &[u8]) -> usize {
    bytes.first_chunk::<4>().map_or(0, |field| u32::from_le_bytes(*field) as usize)
}

/// The negative control: each of these has a fault we know from somebody's decoder, and a storm must find it.
#[test]
fn a_decoder_that_trusts_a_length_or_an_index_is_found_out() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {})); // hundreds of wanted panics while the input is made small
    let slices = faulty(|bytes| drop(std::hint::black_box(bytes.get(4..).map(|rest| rest[..claimed(bytes)].to_vec()))));
    let reserves = faulty(|bytes| {
        let trusting: Vec<u8> = Vec::with_capacity(claimed(bytes).min(64 << 20));
        drop(std::hint::black_box(trusting));
    });
    let counts = faulty(|bytes| {
        let sum = bytes.iter().skip(4).try_fold(0_u8, |sum, byte| sum.checked_add(byte % 16));
        std::hint::black_box(sum.expect("texts are short"));
    });
    let found = [slices, reserves, counts].map(|decoder| storm(&decoder, 20_000, 1));
    std::panic::set_hook(quiet);
    let words: Vec<String> = found.into_iter().map(|found| found.expect_err("a fault went unnoticed")).collect();
    assert!(words[0].contains("out of range"), "{words:?}");
    assert!(words[1].contains("made it hold"), "{words:?}");
    assert!(words[2].contains("texts are short"), "{words:?}");
    let sound = faulty(|bytes| drop(std::hint::black_box(bytes.get(4..).map(<[u8]>::to_vec))));
    assert!(storm(&sound, 20_000, 1).is_ok(), "a sound decoder is left alone");
}
