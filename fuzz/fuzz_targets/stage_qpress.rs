//! Any bytes as a qpress archive.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbproto::stage::fuzz::qpress(bytes));
