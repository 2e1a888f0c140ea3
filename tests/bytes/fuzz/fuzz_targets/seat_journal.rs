//! Coverage-guided bytes for the decoder `seat_journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("seat_journal", bytes));
