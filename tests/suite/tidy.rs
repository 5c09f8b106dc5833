//! Holds the house rules by reading the source.
