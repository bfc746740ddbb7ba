//! Any bytes as orders for the chunks of a backup that is unpacked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbrecv::extract::fuzz::extraction(bytes));
