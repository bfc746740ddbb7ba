//! Any bytes as frames of a link over TCP, arriving in two parts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbproto::wire::fuzz::frames(bytes));
