//! Any valid stream, made and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| xbproto::xbstream::fuzz::roundtrip(script));
