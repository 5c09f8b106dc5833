//! Is a hub: a complete IoT Hub on loopback, with real TLS sockets. Reached only through them, by the same client that
//! reaches Azure; there is no other way in.
//!
//! `registry` holds what the hub knows and changes it by synchronous functions that return what changed; `hub` shares it
//! between the sockets, commits it to disk and tells who must know; `rest` and `mqtt` are the two faces; `certs` makes the
//! certificates; `store` keeps the registry in a file; `fleet` seeds the demo and synthetic devices.

pub mod certs;
pub mod fleet;
pub mod hub;
pub mod mqtt;
pub mod registry;
pub mod rest;
pub mod store;

use crate::protocol::connection_string::ConnectionString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Which devices a fresh hub starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FleetChoice {
    /// `myFirstDevice` with `myFirstModule`, and two dozen devices in three sites.
    Demo,
    Empty,
    /// So many synthetic devices, up to a million.
    Synthetic(u32),
}

/// Whether the hub may listen beyond loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    LoopbackOnly,
    /// Only after the person said so by name.
    Exposed,
}

#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Port 0 takes a free one.
    pub https: SocketAddr,
    /// Port 0 takes a free one.
    pub mqtts: SocketAddr,
    /// Where the state is kept; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// Where the CA and its key live (made once, the key readable by its owner alone).
    pub ca_dir: PathBuf,
    pub fleet: FleetChoice,
    pub exposure: Exposure,
}

/// Why the hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{addr} is taken by another program: choose another port, or 0 for a free one")]
    PortTaken { addr: SocketAddr },
    #[error("cannot listen on {addr}: {reason}")]
    Listen { addr: SocketAddr, reason: String },
    #[error("{addr} is reachable from other machines: say --expose to allow that")]
    NotLoopback { addr: SocketAddr },
    #[error("cannot prepare the certificates in {}: {reason}", dir.display())]
    Certificates { dir: PathBuf, reason: String },
    #[error("cannot open the data in {}: {reason}", dir.display())]
    Data { dir: PathBuf, reason: String },
}

/// A running hub. Dropping it stops the listeners, drops the connections and waits for nothing; [`LocalHub::stop`] waits for the last commit.
pub struct LocalHub {
    hub: std::sync::Arc<hub::Hub>,
    https: SocketAddr,
    mqtts: SocketAddr,
    ca_file: PathBuf,
    stop: tokio_util::sync::CancellationToken,
}

impl LocalHub {
    /// Listens, serves, and returns when ready.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: HubOptions) -> Result<Self, StartError> {
        let _ = options;
        todo!()
    }

    /// The service connection string of `iothubowner`: `HostName=localhost:{https port};…`.
    #[must_use]
    pub fn connection_string(&self) -> ConnectionString {
        todo!()
    }

    #[must_use]
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    #[must_use]
    pub fn mqtts(&self) -> SocketAddr {
        self.mqtts
    }

    /// The CA certificate (PEM) that clients must believe.
    #[must_use]
    pub fn ca_file(&self) -> &std::path::Path {
        &self.ca_file
    }

    /// The hub behind the sockets, for tests that must look inside.
    #[must_use]
    pub fn hub(&self) -> &std::sync::Arc<hub::Hub> {
        &self.hub
    }

    /// Stops cleanly: no new connections, open ones closed, everything acknowledged is on disk.
    pub async fn stop(self) {
        self.stop.cancel();
        todo!()
    }
}

impl Drop for LocalHub {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
