//! Any bytes as the path of a file in a backup.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbrecv::extract::fuzz::path(bytes));
