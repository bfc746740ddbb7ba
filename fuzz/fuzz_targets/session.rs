//! Any course of events between a sender and a receiver.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| xbproto::session::fuzz::session(script));
