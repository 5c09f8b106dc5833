//! The service API, through sockets, by raw bytes.
