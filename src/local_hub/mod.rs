//! Is a hub: a complete IoT Hub on loopback, with real TLS sockets. Reached only through them, by the same client that
//! reaches Azure; there is no other way in.
//!
//! `registry` holds what the hub knows and changes it by synchronous functions that return what changed; `hub` shares it
//! between the sockets; `commit` has changes kept in groups and tells who must know; `store` is the file they are kept in;
//! `index` is the registry as queries see it; `policies` checks tokens; `rest` and `mqtt` are the two faces; `methods`,
//! `messages` and `jobs` are what goes through both; `events` is the log of what happened; `faults` decides what goes wrong on
//! purpose; `listen` opens the listeners, `handshake` makes TLS of what they accept; `certs` makes the hub's certificates, for its `names`, `x509` judges those of clients; `fleet` seeds the demo and synthetic devices;
//! `clock` and `random` are the only places that ask the system for the time and for randomness.

pub mod certs;
pub mod clock;
pub mod commit;
pub mod events;
pub mod faults;
pub mod fleet;
pub mod handshake;
pub mod hub;
pub mod index;
pub mod jobs;
pub mod listen;
pub mod messages;
pub mod methods;
pub mod mqtt;
pub mod names;
pub mod policies;
pub mod random;
pub mod registry;
pub mod rest;
pub mod store;
pub mod x509;

use crate::protocol::connection_string::{ConnectionString, Proof, Who};
use crate::protocol::secret::Secret;
use clock::Moment;
use commit::Committer;
pub use names::HubName;
use policies::Policies;
use registry::Registry;
pub use rest::Limits;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Founding, Layer, Store};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

/// How long a stop waits for connections that are busy.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// The port that clients take when a host name has none.
const HTTPS_PORT: u16 = 443;
/// The policy whose connection string the hub hands out.
const OWNER: &str = "iothubowner";

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
    /// By which clients reach the hub, beside the loopback names: the certificate bears them too, and connection strings the first.
    pub names: Vec<HubName>,
    pub tuning: Tuning,
}

/// How a hub behaves where hubs differ, or where a person wants it otherwise.
#[derive(Debug, Clone, Default)]
pub struct Tuning {
    /// Files (PEM) with the authorities that sign the certificates of `certificateAuthority` identities.
    pub x509_ca: Vec<PathBuf>,
    /// How long a change takes to show in queries and statistics; zero: none.
    pub index_lag: Duration,
    /// How an If-Match without quotes is read on twin writes.
    pub unquoted_if_match: UnquotedIfMatch,
    /// What goes wrong on purpose, to begin with.
    pub faults: crate::protocol::fault::Plan,
}

/// How an If-Match without quotes is read on twin writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnquotedIfMatch {
    /// Not at all, and the write goes through: what users of the real hub report.
    #[default]
    Ignored,
    /// As if it had quotes.
    Honoured,
}

/// Why the hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{addr} is taken by another program: choose another port, or 0 for a free one")]
    PortTaken { addr: SocketAddr },
    #[error(
        "HTTPS and MQTT cannot both listen on port {port} of the same address: choose another port for one, or 0 for a free one"
    )]
    SameAddress { port: u16 },
    #[error("cannot listen on {addr}: {reason}")]
    Listen { addr: SocketAddr, reason: String },
    #[error("{addr} is reachable from other machines: say --expose to allow that")]
    NotLoopback { addr: SocketAddr },
    #[error("cannot prepare the certificates in {}: {reason}", dir.display())]
    Certificates { dir: PathBuf, reason: String },
    #[error(transparent)]
    Authorities(#[from] x509::AuthorityError),
    #[error("cannot open the data in {}: {reason}", dir.display())]
    Data { dir: PathBuf, reason: String },
    #[error("the hub cannot be prepared: {reason}")]
    Preparation { reason: String },
}

/// A running hub. Dropping it stops the listeners, drops the connections and waits for nothing; [`LocalHub::stop`] waits for the last commit.
pub struct LocalHub {
    hub: Arc<hub::Hub>,
    https: SocketAddr,
    mqtts: SocketAddr,
    names: Vec<HubName>,
    ca_file: PathBuf,
    fleet: FleetChoice,
    notices: Vec<String>,
    stop: tokio_util::sync::CancellationToken,
    tasks: TaskTracker,
}

impl LocalHub {
    /// Listens, serves, and returns when ready.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: HubOptions) -> Result<Self, StartError> {
        Self::start_with(options, Limits::default()).await
    }

    /// As [`LocalHub::start`], with other bounds on what a peer may do.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_with(options: HubOptions, limits: Limits) -> Result<Self, StartError> {
        Self::start_on(options, limits, store::no_layer()).await
    }

    /// As [`LocalHub::start_with`], with something between the hub and its data file.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_on(options: HubOptions, limits: Limits, layer: Layer) -> Result<Self, StartError> {
        let ((https, https_addr), (mqtts, mqtts_addr)) =
            listen::open(options.https, options.mqtts, options.exposure).await?;

        let (ca_dir, data, fleet, x509_ca) =
            (options.ca_dir, options.data, options.fleet, options.tuning.x509_ca.clone());
        let (names, on_leaf) = (options.names.clone(), options.names);
        // Key generation and opening the file block for a while; the window must not wait for them.
        let prepared = tokio::task::spawn_blocking(move || {
            let authorities = x509::Authorities::read(&x509_ca)?;
            prepare(&ca_dir, &on_leaf, data.as_deref().map(|dir| (dir, &layer)), fleet)
                .map(|prepared| (prepared, authorities))
        });
        let (prepared, authorities) =
            prepared.await.map_err(|error| StartError::Preparation { reason: error.to_string() })??;
        for notice in &prepared.notices {
            tracing::warn!("{notice}");
        }

        let events = Arc::new(events::Log::default());
        let sessions = Arc::new(mqtt::Sessions::default());
        let committer = Committer::start(prepared.store, sessions.clone(), events.clone())
            .map_err(|error| StartError::Preparation { reason: error.to_string() })?;
        let hub = Arc::new(hub::Hub::new(hub::Parts {
            registry: prepared.registry,
            policies: prepared.policies,
            committer,
            sessions,
            events,
            tuning: options.tuning,
            items: prepared.items,
            authorities,
        }));
        let stop = tokio_util::sync::CancellationToken::new();
        let tasks = TaskTracker::new();
        let certificates = prepared.certificates;
        let door = mqtt::Door::new(limits.mqtt);
        let to_websockets = door.clone();
        tasks.spawn(rest::serve(
            https,
            TlsAcceptor::from(certificates.https),
            hub.clone(),
            limits,
            to_websockets,
            stop.clone(),
        ));
        tasks.spawn(mqtt::serve(door, mqtts, TlsAcceptor::from(certificates.mqtts), hub.clone(), stop.clone()));
        tasks.spawn(jobs::run(hub.clone(), stop.clone()));
        tasks.spawn(messages::run(hub.clone(), stop.clone()));
        tasks.close();
        tracing::info!(https = %https_addr, mqtts = %mqtts_addr, "the local hub is ready");
        let (ca_file, fleet, notices) = (certificates.ca_file, prepared.fleet, prepared.notices);
        Ok(Self { hub, https: https_addr, mqtts: mqtts_addr, names, ca_file, fleet, notices, stop, tasks })
    }

    /// The service connection string of `iothubowner`: `HostName=localhost:{https port};…`, and `HostName=localhost;…` on
    /// HTTPS's own port: Microsoft's device clients and Node's service client take no port in it. With [`HubOptions::names`] it
    /// has the first of those in place of `localhost`.
    #[must_use]
    pub fn connection_string(&self) -> ConnectionString {
        self.connection_string_of(OWNER).unwrap_or_else(|| self.string_with(&self.host(), OWNER, Secret::default()))
    }

    /// The same of another policy; `None` when there is none of that name.
    #[must_use]
    pub fn connection_string_of(&self, policy: &str) -> Option<ConnectionString> {
        let policy = self.hub.policies().by_name(policy)?;
        Some(self.string_with(&self.host(), &policy.name, policy.primary.clone()))
    }

    /// That of the owner for clients on this machine, where the hub's other names need not be known.
    #[must_use]
    pub fn loopback_connection_string(&self) -> ConnectionString {
        let ConnectionString { who, .. } = self.connection_string();
        ConnectionString { host_name: self.host_name(names::LOCALHOST), gateway_host_name: None, who }
    }

    fn string_with(&self, host: &str, policy: &str, key: Secret) -> ConnectionString {
        ConnectionString {
            host_name: self.host_name(host),
            gateway_host_name: None,
            who: Who::Service { policy: policy.to_owned(), proof: Proof::Key(key) },
        }
    }

    fn host_name(&self, host: &str) -> String {
        match self.https.port() {
            HTTPS_PORT => host.to_owned(),
            port => format!("{host}:{port}"),
        }
    }

    /// What clients call the hub, as it stands in `HostName`, without a port: the first of its names, or `localhost`.
    #[must_use]
    pub fn host(&self) -> String {
        self.names.first().map_or_else(|| names::LOCALHOST.to_owned(), HubName::in_host_name)
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
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The fleet the hub was founded with, which is not what [`HubOptions::fleet`] asks for when its data was there already.
    #[must_use]
    pub fn fleet(&self) -> FleetChoice {
        self.fleet
    }

    /// What was found damaged at the start, and what became of it: a sentence each, for the person whose hub it is.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The hub behind the sockets, for tests that must look inside.
    #[must_use]
    pub fn hub(&self) -> &Arc<hub::Hub> {
        &self.hub
    }

    /// Stops cleanly: no new connections, open ones closed, everything acknowledged is on disk.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(STOP_WAIT, self.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        self.hub.close().await;
    }
}

impl Drop for LocalHub {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What blocks while it is made.
struct Prepared {
    certificates: certs::Certificates,
    store: Option<Store>,
    policies: Policies,
    registry: Registry,
    items: store::Items,
    /// What the hub was founded with, now or then.
    fleet: FleetChoice,
    notices: Vec<String>,
}

fn prepare(
    ca_dir: &Path,
    names: &[HubName],
    data: Option<(&Path, &Layer)>,
    fleet: FleetChoice,
) -> Result<Prepared, StartError> {
    let certificates =
        certs::prepare(ca_dir, names).map_err(|reason| StartError::Certificates { dir: ca_dir.to_owned(), reason })?;
    let mut notices: Vec<String> = certificates.notice.iter().cloned().collect();
    let fresh = || Founding { fleet, policies: Policies::new(), registry: fleet::fresh(fleet, &Moment::now()) };
    let (store, loaded) = match data {
        None => (None, store::Loaded::from(fresh())),
        Some((dir, layer)) => {
            let opened = Store::open(dir, layer, fresh);
            let (store, loaded) = opened.map_err(|reason| StartError::Data { dir: dir.to_owned(), reason })?;
            (Some(store), loaded)
        }
    };
    let store::Loaded { fleet, policies, registry, items, damage } = loaded;
    notices.extend(damage.map(|damage| damage.to_string()));
    Ok(Prepared { certificates, store, policies, registry, items, fleet, notices })
}
