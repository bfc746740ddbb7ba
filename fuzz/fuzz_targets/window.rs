//! Any course of events for the sender's copy of a lane.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| xbproto::lane::fuzz::window(script));
