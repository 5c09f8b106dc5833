//! The MQTT face, through sockets, by raw bytes.

mod connect;
mod hostile;
mod packets;
mod place;
mod publish;
mod sessions;
mod time;
mod twins;
mod wire;
