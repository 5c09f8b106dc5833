//! The query language.

// Clippy's own allowance for tests reaches only the functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

mod completion;
mod errors;
mod jobs;
mod language;
mod laws;
mod rows;

use serde_json::Value as Json;
use twinscope::query;
use twinscope::twin::{AuthKind, ConnectionState, Etag, JsonMap, Properties, Status, Twin, TwinId};

/// A twin like a fresh one of the hub, to be changed by the functions below.
struct Made(Twin);

fn device(id: &str) -> Made {
    made(TwinId::device(id))
}

fn module(device: &str, module: &str) -> Made {
    made(TwinId::module(device, module))
}

fn made(id: TwinId) -> Made {
    let section = || Properties {
        values: JsonMap::new(),
        version: 1,
        metadata: read(r#"{"$lastUpdated":"2026-08-15T09:00:00.7654321Z"}"#),
    };
    Made(Twin {
        id,
        etag: Etag("AAAAAAAAAAE=".into()),
        device_etag: Some(Etag("ODAxMjMyNDI2".into())),
        version: 2,
        status: Some(Status::Enabled),
        status_reason: None,
        status_update_time: Some("0001-01-01T00:00:00Z".into()),
        connection_state: ConnectionState::Disconnected,
        last_activity_time: Some("2026-08-15T09:00:00Z".into()),
        cloud_to_device_message_count: 0,
        authentication: Some(AuthKind::Sas),
        primary_thumbprint: None,
        secondary_thumbprint: None,
        model_id: None,
        iot_edge: false,
        tags: JsonMap::new(),
        desired: section(),
        reported: section(),
        extra: JsonMap::new(),
    })
}

impl Made {
    fn tags(self, json: &str) -> Self {
        self.with(|twin| twin.tags = object(json))
    }

    fn desired(self, json: &str) -> Self {
        self.with(|twin| twin.desired.values = object(json))
    }

    fn reported(self, json: &str) -> Self {
        self.with(|twin| twin.reported.values = object(json))
    }

    fn with(mut self, change: impl FnOnce(&mut Twin)) -> Self {
        change(&mut self.0);
        self
    }
}

fn read(json: &str) -> Json {
    serde_json::from_str(json).unwrap()
}

fn object(json: &str) -> JsonMap {
    serde_json::from_str(json).unwrap()
}

/// The rows of an answer, each as compact JSON.
fn rows(text: &str, twins: &[Made]) -> Vec<String> {
    let query = query::parse(text).unwrap_or_else(|error| panic!("{text}: {error} at {:?}", error.span));
    query.run(twins.iter().map(|made| &made.0)).iter().map(Json::to_string).collect()
}

/// Whether a condition holds for one twin.
fn holds(condition: &str, made: &Made) -> bool {
    let text = format!("SELECT * FROM devices WHERE {condition}");
    query::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")).matches(&made.0)
}
