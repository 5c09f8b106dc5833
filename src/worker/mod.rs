//! The background half.
