//! Coverage-guided bytes for the decoder `age_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("age_file", bytes));
