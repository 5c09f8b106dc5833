//! Opening a hub: where it is, how it is believed, whether the key opens anything.

use super::event::HubInfo;
use super::journal::JournalDesk;
use super::keep::{Keep, LOCAL_NAME, face, first_label};
use super::local::{self, LocalState};
use super::out::{Out, RequestLog};
use super::session::OpenHub;
use super::{Failure, HubRef};
use crate::client::link::Dial;
use crate::client::{HubClient, HubError, Trust};
use crate::protocol::connection_string::{ConnectionString, Who};
use crate::protocol::rest;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// What opening needs of the program.
#[derive(Clone)]
pub(super) struct Opener {
    pub(super) keep: Arc<Keep>,
    pub(super) local: watch::Receiver<LocalState>,
    pub(super) extra_ca: Vec<PathBuf>,
    pub(super) log: RequestLog,
    pub(super) journal: Arc<JournalDesk>,
    pub(super) out: Out,
}

/// A hub as it is known before anything is sent.
struct Target {
    name: String,
    connection: ConnectionString,
    /// Certificates beyond those given to the program.
    ca: Option<PathBuf>,
    dial: Option<Dial>,
}

impl Opener {
    /// Opens a hub and makes sure by a cheap read that it answers and that the key is good for something.
    pub(super) async fn open(self, hub: HubRef) -> Result<OpenHub, Failure> {
        let target = self.target(&hub).await?;
        let trust = self.trust(target.ca).await?;
        let client = HubClient::new(&target.connection, &trust, self.log.observer()).map_err(Failure::Hub)?;
        verify(&client).await.map_err(Failure::Hub)?;
        let (host, policy) = face(&target.connection);
        let info = HubInfo { hub, name: target.name, host, policy, api_version: rest::API_VERSION };
        Ok(OpenHub::new(info, client, target.connection, trust, target.dial, self.journal, self.out))
    }

    /// A client of a hub that is not opened for it, and what drafts of that hub are filed under. Nothing is sent.
    pub(super) async fn client(&self, hub: &HubRef) -> Result<(HubClient, String), Failure> {
        let target = self.target(hub).await?;
        let trust = self.trust(target.ca).await?;
        let client = HubClient::new(&target.connection, &trust, self.log.observer()).map_err(Failure::Hub)?;
        Ok((client, hub.filed(&target.connection.host_name)))
    }

    async fn target(&self, hub: &HubRef) -> Result<Target, Failure> {
        match hub {
            HubRef::Local => {
                let face = local::face(&self.local)
                    .await
                    .map_err(|why| Failure::Local(format!("The local hub is not running: {why}")))?;
                if let Some(name) = &face.passing {
                    self.journal.pass_as(name);
                }
                Ok(Target {
                    name: LOCAL_NAME.to_owned(),
                    connection: face.connection.clone(),
                    ca: Some(face.info.ca_file.clone()),
                    dial: Some(Dial { host: "localhost".to_owned(), port: face.info.mqtts.port() }),
                })
            }
            HubRef::Environment => match self.keep.environment() {
                Some(Ok(ConnectionString { who: Who::Identity { id, .. }, .. })) => Err(Failure::Local(format!(
                    "TWINSCOPE_CONNECTION_STRING holds the connection string of {id}, not that of a policy of the hub. Set it to the one of a policy, such as iothubowner, and start again, or choose another hub"
                ))),
                Some(Ok(connection)) => {
                    Ok(Target { name: first_label(&connection.host_name), connection, ca: None, dial: None })
                }
                Some(Err(error)) => Err(Failure::Local(format!(
                    "TWINSCOPE_CONNECTION_STRING cannot be used: {error}. Correct it or unset it and start again, or choose another hub"
                ))),
                None => Err(Failure::Local("The environment gives no connection string".to_owned())),
            },
            HubRef::Saved(id) => {
                let saved =
                    self.keep.saved(id).ok_or_else(|| Failure::Local("There is no such connection".to_owned()))?;
                let connection = self.keep.connection(&saved).await?;
                Ok(Target { name: saved.name, connection, ca: saved.ca_file, dial: None })
            }
        }
    }

    /// The system's roots, those given to the program, and one more. Reads files.
    pub(super) async fn trust(&self, ca: Option<PathBuf>) -> Result<Trust, Failure> {
        let mut extra = self.extra_ca.clone();
        extra.extend(ca);
        match tokio::task::spawn_blocking(move || Trust::new(&extra)).await {
            Ok(trust) => trust.map_err(|error| Failure::Hub(HubError::Trust(error))),
            Err(error) => Err(Failure::Panicked(error.to_string())),
        }
    }
}

/// One read that the policy may do. A policy that may not read the registry can still query, so its refusal alone says nothing.
async fn verify(client: &HubClient) -> Result<(), HubError> {
    match client.statistics().await {
        Ok(_) => Ok(()),
        Err(HubError::Unauthorized { .. } | HubError::Forbidden { .. }) => {
            client.query("SELECT deviceId FROM devices", 1, None).await.map(drop)
        }
        Err(error) => Err(error),
    }
}
