//! Coverage-guided bytes for the decoder `sheet_xml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("sheet_xml", bytes));
