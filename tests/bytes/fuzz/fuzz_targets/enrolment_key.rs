//! Coverage-guided bytes for the decoder `enrolment_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("enrolment_key", bytes));
