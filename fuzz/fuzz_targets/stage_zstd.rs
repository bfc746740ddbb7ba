//! Any bytes as a file of zstd frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbproto::stage::fuzz::zstd(bytes));
