//! Coverage-guided bytes for the decoder `typed_words`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("typed_words", bytes));
