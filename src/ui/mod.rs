//! Paints and listens.
