//! Which words do both ends use? Connection strings, SAS, REST routes, headers and error bodies, MQTT topics and property
//! bags. Each file holds both directions, so that client and hub cannot drift apart. Pure: no runtime, no clock (time is
//! a value passed in, seconds since 1970), no sockets.

pub mod bag;
pub mod connection_string;
pub mod duration;
pub mod error;
pub mod event;
pub mod fault;
pub mod feedback;
pub mod identity;
pub mod job;
pub mod lenient;
pub mod message;
pub mod method;
pub mod mqtt;
mod percent;
pub mod policy;
pub mod rest;
pub mod sas;
pub mod secret;
pub mod x509;
