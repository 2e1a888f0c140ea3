//! Coverage-guided bytes for the decoder `server_journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("server_journal", bytes));
