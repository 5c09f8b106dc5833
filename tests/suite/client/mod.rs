//! The client against the local hub and against servers that misbehave.

pub mod bad_server;
mod largest;
mod link;
pub mod local;
mod messages;
mod methods;
mod misbehaviour;
mod operations;
mod tls;
mod words;
