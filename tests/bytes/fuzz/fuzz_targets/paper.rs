//! Coverage-guided bytes for the decoder `paper`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("paper", bytes));
