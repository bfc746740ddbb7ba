//! Any bytes as the files in which a backup says what it is.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbproto::backup::fuzz::metadata(bytes));
