//! Coverage-guided bytes for the decoder `room_list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("room_list", bytes));
