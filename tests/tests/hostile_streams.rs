//! A stream may come from anybody: whatever it says, nothing outside of the directory is touched, and nothing is left of it.

use xbtests::hostile;

#[test]
fn hostile_streams_are_refused_and_leave_nothing() {
    let cases = hostile::refused();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    hostile::run_all(cases);
}

#[test]
fn odd_streams_that_are_legal_are_taken() {
    hostile::run_all(hostile::legal());
}
