//! Any bytes as the zstd frame of a block.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbrecv::decode::fuzz::frame(bytes));
