//! Any name, and any bytes as its file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbproto::stage::fuzz::chain(bytes));
