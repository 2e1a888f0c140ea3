//! Coverage-guided bytes for the decoder `package_manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exam_bytes::decode("package_manifest", bytes));
