//! Devices and modules that prove themselves by certificate, through real TLS sockets.

// clippy's own exception for tests sees only functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

mod accepted;
mod files;
mod key;
mod link;
pub mod made;
mod refused;
pub mod stage;
