//! The MQTT face, through sockets, by raw bytes.

mod packets;
