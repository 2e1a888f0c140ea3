//! Coverage-guided bytes for the decoder `photos`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("photos", bytes));
