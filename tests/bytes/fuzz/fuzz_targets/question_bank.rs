//! Coverage-guided bytes for the decoder `question_bank`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("question_bank", bytes));
