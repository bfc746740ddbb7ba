//! Whole files, fed in any pieces, cut and damaged anywhere.

mod damage;
mod properties;
mod support;
mod vectors;
