//! Coverage-guided bytes for the decoder `chain`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("chain", bytes));
