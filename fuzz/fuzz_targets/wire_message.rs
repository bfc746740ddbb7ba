//! Any bytes as a control message.
#![no_main]

libfuzzer_sys::fuzz_target!(|message: &[u8]| xbproto::wire::fuzz::message(message));
