//! Coverage-guided bytes for the decoder `wrapped_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("wrapped_key", bytes));
