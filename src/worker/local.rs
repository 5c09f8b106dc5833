//! The hub inside the program: started first, reached like any other, stopped last.

use super::event::{Fact, LocalHubInfo};
use super::out::Out;
use crate::client::Trust;
use crate::demo::Demo;
use crate::disk::Folders;
use crate::disk::journal::passing;
use crate::local_hub::{Exposure, FleetChoice, HubOptions, LocalHub, StartError, Tuning};
use crate::protocol::connection_string::ConnectionString;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Where the local hub stands.
#[derive(Debug, Clone)]
pub(super) enum LocalState {
    Starting,
    Up(Arc<Face>),
    /// The sentence says why.
    Failed(String),
}

/// What a client needs to know of it.
#[derive(Debug)]
pub(super) struct Face {
    pub(super) connection: ConnectionString,
    pub(super) info: LocalHubInfo,
    /// What the journal files it under when it keeps nothing.
    pub(super) passing: Option<String>,
}

/// The face, once the hub is up or has failed.
pub(super) async fn face(state: &watch::Receiver<LocalState>) -> Result<Arc<Face>, String> {
    let mut state = state.clone();
    let settled = state.wait_for(|state| !matches!(state, LocalState::Starting)).await;
    match settled.as_deref() {
        Ok(LocalState::Up(face)) => Ok(face.clone()),
        Ok(LocalState::Failed(why)) => Err(why.clone()),
        Ok(LocalState::Starting) | Err(_) => Err("the local hub is not running".to_owned()),
    }
}

/// Runs the hub and its demo devices until `stop`, then waits for the last commit.
pub(super) async fn serve(
    folders: Folders,
    fleet: FleetChoice,
    state: watch::Sender<LocalState>,
    out: Out,
    stop: CancellationToken,
) {
    let (hub, passing) = match start(&folders, fleet, &out).await {
        Ok(started) => started,
        Err(error) => {
            let why = error.to_string();
            state.send_replace(LocalState::Failed(why.clone()));
            out.fact(Fact::LocalHub(Err(why))).await;
            return;
        }
    };
    for notice in hub.notices() {
        out.notice(format!("The local hub: {notice}")).await;
    }
    let info = LocalHubInfo { https: hub.https(), mqtts: hub.mqtts(), ca_file: hub.ca_file().to_path_buf() };
    let face = Face { connection: hub.connection_string(), info: info.clone(), passing };
    let face = Arc::new(face);
    state.send_replace(LocalState::Up(face.clone()));
    out.fact(Fact::LocalHub(Ok(info))).await;
    let demo = if hub.fleet() == FleetChoice::Demo { play(&face).await } else { None };
    stop.cancelled().await;
    drop(demo);
    hub.stop().await;
}

/// With its state on disk, or in memory when another window holds it or the disk refuses: then with a name that tells it from
/// every other one.
async fn start(folders: &Folders, fleet: FleetChoice, out: &Out) -> Result<(LocalHub, Option<String>), StartError> {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut options = HubOptions {
        https: free,
        mqtts: free,
        data: Some(folders.local_hub()),
        ca_dir: folders.ca_dir(),
        fleet,
        exposure: Exposure::LoopbackOnly,
        names: Vec::new(),
        tuning: Tuning::default(),
    };
    let (data, ca) = (folders.local_hub(), folders.ca_dir());
    Folders::refuse_link(&ca).map_err(|reason| StartError::Certificates { dir: ca.clone(), reason })?;
    let started = match Folders::refuse_link(&data) {
        Ok(()) => LocalHub::start(options.clone()).await,
        Err(reason) => Err(StartError::Data { dir: data, reason }),
    };
    match started {
        Err(error @ StartError::Data { .. }) => {
            out.notice(format!("The local hub keeps nothing this time: {error}")).await;
            options.data = None;
            let name = passing(&uuid::Uuid::new_v4().simple().to_string());
            Ok((LocalHub::start(options).await?, Some(name)))
        }
        started => Ok((started?, None)),
    }
}

/// The demo devices; the hub is of use without them.
async fn play(face: &Face) -> Option<Demo> {
    let ca_file = face.info.ca_file.clone();
    let trust = match tokio::task::spawn_blocking(move || Trust::new(&[ca_file])).await {
        Ok(trust) => trust.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let demo = trust
        .and_then(|trust| Demo::start(&face.connection, face.info.mqtts, &trust).map_err(|error| error.to_string()));
    if let Err(error) = &demo {
        tracing::warn!(%error, "the demo devices do not play");
    }
    demo.ok()
}
