//! The devices a fresh hub starts with: the demo fleet, or any number of synthetic ones.
