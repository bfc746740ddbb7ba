//! Any bytes as a file of LZ4 frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbproto::stage::fuzz::lz4(bytes));
