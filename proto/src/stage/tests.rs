//! Whole files, fed in any pieces, cut and damaged anywhere.

mod support;
mod vectors;
