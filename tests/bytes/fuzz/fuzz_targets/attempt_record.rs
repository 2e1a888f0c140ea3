//! Coverage-guided bytes for the decoder `attempt_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("attempt_record", bytes));
