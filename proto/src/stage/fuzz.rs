//! What must hold for any bytes whatsoever. Called by the fuzzers and by the property tests.
