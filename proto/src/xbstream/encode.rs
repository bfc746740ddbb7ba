//! The other direction: chunks as bytes.
