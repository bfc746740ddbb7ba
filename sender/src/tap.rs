//! Watches the frames as they pass.
