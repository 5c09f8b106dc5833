//! The MQTT face, through sockets, by raw bytes.

// clippy's own exception for tests sees only functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

mod connect;
mod fragments;
pub mod frames;
mod generations;
mod hostile;
mod kept;
mod packets;
pub mod place;
mod publish;
mod quiet;
mod sdk;
mod sessions;
mod time;
mod twins;
mod web_socket;
mod web_socket_frames;
pub mod wire;
