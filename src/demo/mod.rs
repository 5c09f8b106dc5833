//! Plays the demo fleet: simulated devices that are real MQTT clients of the local hub, through the same client code as everything else.
//!
//! They know the fleet's cast list (`local_hub::fleet`) and otherwise only sockets: each fetches its own key by the service API,
//! connects, takes desired patches and reports (`device`). What each says is pure (`reply`).

mod device;
pub mod reply;

use crate::client::link::Dial;
use crate::client::{HubClient, HubError, Trust};
use crate::local_hub::fleet::{Behaviour, DemoIdentity, demo_identities};
use crate::protocol::connection_string::ConnectionString;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The name the local hub's certificate is made for.
const HOST: &str = "localhost";

/// The running play. Dropping it disconnects all devices.
pub struct Demo {
    _curtain: DropGuard,
}

/// How fast the devices are. Tests shorten it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Between a desired patch and the report, at random.
    pub reply: Range<Duration>,
    /// Between two measurements of a device that measures: each device has a rhythm of its own, the same in every run.
    pub measure: Range<Duration>,
    /// The devices connect one by one over this time.
    pub entrance: Duration,
    /// How often a device that cannot or must not connect looks whether it may.
    pub away: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            reply: Duration::from_millis(300)..Duration::from_millis(1500),
            measure: Duration::from_secs(20)..Duration::from_secs(40),
            entrance: Duration::from_millis(1500),
            away: Duration::from_secs(20),
        }
    }
}

impl Demo {
    /// Starts the devices of the demo fleet against the hub of this service connection string, whose MQTT listener is at
    /// `mqtts`. Must be called inside a tokio runtime; returns at once.
    ///
    /// # Errors
    /// When the connection string is not a policy's.
    pub fn start(connection: &ConnectionString, mqtts: SocketAddr, trust: &Trust) -> Result<Self, HubError> {
        Self::start_with(connection, mqtts, trust, demo_identities(), Pace::default())
    }

    /// As [`Self::start`], with another cast and pace.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(
        connection: &ConnectionString,
        mqtts: SocketAddr,
        trust: &Trust,
        identities: Vec<DemoIdentity>,
        pace: Pace,
    ) -> Result<Self, HubError> {
        let stage = Arc::new(device::Stage {
            // What the simulated devices ask is not the user's doing and has no place among the user's requests.
            client: HubClient::new(connection, trust, Arc::new(|_| {}))?,
            host_name: connection.host().to_owned(),
            dial: Dial { host: HOST.to_owned(), port: mqtts.port() },
            trust: trust.clone(),
            pace,
        });
        let curtain = CancellationToken::new();
        let actors: Vec<_> = identities
            .into_iter()
            .filter(|part| !matches!(part.behaviour, Behaviour::Offline | Behaviour::Disabled))
            .collect();
        let step = stage.pace.entrance / u32::try_from(actors.len().max(1)).unwrap_or(u32::MAX);
        // The list begins with `myFirstDevice` and its module, which the window shows first.
        for (position, part) in (0..).zip(actors) {
            let play = device::play(part, stage.clone(), step * position);
            let curtain = curtain.clone();
            tokio::spawn(async move { curtain.run_until_cancelled(play).await });
        }
        Ok(Self { _curtain: curtain.drop_guard() })
    }
}
