//! The client against the local hub and against servers that misbehave.

mod bad_server;
mod misbehaviour;
mod words;
