//! Any order of blocks.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| xbproto::lane::fuzz::reassembler(script));
