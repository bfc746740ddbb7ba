//! Any bytes as a block's header.
#![no_main]

libfuzzer_sys::fuzz_target!(|header: &[u8]| xbproto::wire::fuzz::block_header(header));
