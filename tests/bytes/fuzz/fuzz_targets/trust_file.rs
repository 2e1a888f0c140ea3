//! Coverage-guided bytes for the decoder `trust_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("trust_file", bytes));
