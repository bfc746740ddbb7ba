//! Any bytes as a stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|stream: &[u8]| xbproto::xbstream::fuzz::decode(stream));
