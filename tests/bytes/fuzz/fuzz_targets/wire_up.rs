//! Coverage-guided bytes for the decoder `wire_up`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("wire_up", bytes));
