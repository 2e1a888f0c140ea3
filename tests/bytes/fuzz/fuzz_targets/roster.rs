//! Coverage-guided bytes for the decoder `roster`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("roster", bytes));
