//! Any bytes as a journal, and as the bodies of its records.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xbrecv::journal::fuzz::journal(bytes));
