//! Unpacking.
