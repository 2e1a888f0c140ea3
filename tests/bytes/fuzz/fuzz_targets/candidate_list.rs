//! Coverage-guided bytes for the decoder `candidate_list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("candidate_list", bytes));
