//! The client against the local hub and against servers that misbehave.

mod bad_server;
mod link;
pub mod local;
mod misbehaviour;
mod operations;
mod words;
