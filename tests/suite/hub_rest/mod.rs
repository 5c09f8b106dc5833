//! The service API, through sockets, by raw bytes.

mod access;
mod bounds;
mod bulk;
mod changes;
mod fleet;
mod generations;
mod hostile;
mod identities;
mod index;
mod query;
mod recorded;
mod twins;
mod wire;
