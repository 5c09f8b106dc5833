//! Somebody else at the same hub: a client beside the program's.

use crate::worker::rig::{OwnHub, client, desired};
use serde_json::Value;
use std::path::Path;
use twinscope::client::link::{Dial, Reconnect};
use twinscope::client::{DeviceLink, HubClient, HubError, LinkEvent, LinkState, Trust};
use twinscope::disk::Folders;
use twinscope::local_hub::{Exposure, FleetChoice, HubOptions, LocalHub, Tuning};
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::protocol::identity::{Identity, IdentityRequest};
use twinscope::protocol::rest::IfMatch;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{Twin, TwinId};
use twinscope::worker::event::LocalHubInfo;

pub struct Second {
    pub runtime: tokio::runtime::Runtime,
    client: HubClient,
}

impl Second {
    pub fn at(hub: &OwnHub) -> Self {
        Self { runtime: runtime(), client: hub.client() }
    }

    pub fn create(&self, id: &TwinId) {
        let request = IdentityRequest::new(id.clone());
        self.runtime.block_on(self.client.create_or_get(&request)).unwrap();
    }

    /// Merges into desired, whatever the version.
    pub fn patch(&self, id: &TwinId, values: Value) -> Twin {
        self.runtime.block_on(self.client.patch_twin(id, &desired(values), &IfMatch::Any)).unwrap()
    }

    pub fn twin(&self, id: &TwinId) -> Twin {
        self.runtime.block_on(self.client.twin(id)).unwrap()
    }

    pub fn desired(&self, id: &TwinId) -> Value {
        Value::Object(self.twin(id).desired.values)
    }

    pub fn reported(&self, id: &TwinId) -> Value {
        Value::Object(self.twin(id).reported.values)
    }

    /// A device's own connection over MQTT, which is up when it has sent something.
    pub fn device(&self, hub: &OwnHub, id: &TwinId) -> DeviceLink {
        let key = self.identity(id).unwrap().authentication.primary_key.unwrap();
        let connection = ConnectionString {
            host_name: "localhost".to_owned(),
            gateway_host_name: None,
            who: Who::Identity { id: id.clone(), proof: Proof::Key(key) },
        };
        let dial = Dial { host: "localhost".to_owned(), port: hub.mqtts().port() };
        let trust = Trust::new(&[hub.ca_file()]).unwrap();
        self.runtime.block_on(async {
            let (link, mut events) =
                DeviceLink::connect(&connection, Some(dial), &trust, Reconnect::UnlessPushedOut).unwrap();
            let online = async {
                while let Some(event) = events.recv().await {
                    if matches!(event, LinkEvent::State(LinkState::Online { .. })) {
                        return;
                    }
                }
                panic!("the link ended");
            };
            tokio::time::timeout(crate::worker::rig::LIMIT, online).await.unwrap();
            // Somebody must listen, or the link waits.
            tokio::spawn(async move { while events.recv().await.is_some() {} });
            link
        })
    }

    pub fn send(&self, device: &DeviceLink, properties: &[(&str, Option<&str>)], payload: &[u8]) {
        self.runtime.block_on(device.send(properties, payload.to_vec())).unwrap();
    }

    pub fn delete(&self, id: &TwinId) {
        self.runtime.block_on(self.client.delete_identity(id, &IfMatch::Any)).unwrap();
    }

    pub fn identity(&self, id: &TwinId) -> Result<Identity, HubError> {
        self.runtime.block_on(self.client.identity(id))
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The key of the hub inside the program: it is only told to the program, so the hub is started once before.
pub struct InnerHub {
    key: Secret,
}

impl InnerHub {
    pub fn prepare(dir: &Path, fleet: FleetChoice) -> Self {
        let folders = Folders::find(Some(dir)).unwrap();
        let free = ([127, 0, 0, 1], 0).into();
        let options = HubOptions {
            https: free,
            mqtts: free,
            data: Some(folders.local_hub()),
            ca_dir: folders.ca_dir(),
            fleet,
            exposure: Exposure::LoopbackOnly,
            names: Vec::new(),
            tuning: Tuning::default(),
        };
        let key = runtime().block_on(async {
            let hub = LocalHub::start(options).await.unwrap();
            let Who::Service { proof: Proof::Key(key), .. } = hub.connection_string().who else {
                panic!("the owner has a key")
            };
            hub.stop().await;
            key
        });
        Self { key }
    }

    pub fn second(&self, info: &LocalHubInfo) -> Second {
        let connection = ConnectionString {
            host_name: format!("localhost:{}", info.https.port()),
            gateway_host_name: None,
            who: Who::Service { policy: "iothubowner".to_owned(), proof: Proof::Key(self.key.clone()) },
        };
        Second { runtime: runtime(), client: client(&connection, &info.ca_file) }
    }
}
