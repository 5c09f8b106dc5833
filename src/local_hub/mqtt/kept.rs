//! What is kept of a session beyond the hub's own life: an item `session/{id}` with its filters. Clients subscribe once in their
//! life and count on the session after that, also when the hub was started again meanwhile.
//!
//! A session without filters is worth as much as none, so there is an item only once something was subscribed.

use super::packet::Qos;
use crate::local_hub::commit::Item;
use crate::local_hub::store::Items;
use crate::twin::{Json, TwinId};
use serde_json::json;

const KIND: &str = "session/";

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSession {
    pub id: TwinId,
    /// The identity's `generationId`: a session is not for another identity of the same name.
    pub identity: String,
    /// Filters as the client wrote them.
    pub filters: Vec<(String, Qos)>,
}

impl KeptSession {
    pub fn item(id: &TwinId, identity: &str, filters: &[(String, Qos)]) -> Item {
        let filters: Vec<Json> =
            filters.iter().map(|(filter, qos)| json!([filter, u8::from(*qos >= Qos::AtLeastOnce)])).collect();
        let value = json!({"identity": identity, "filters": filters}).to_string().into_bytes();
        Item { value: Some(value), ..removal(id) }
    }

    /// `None` for what this program did not write.
    fn read(key: &str, value: &[u8]) -> Option<Self> {
        let id = key.strip_prefix(KIND)?.parse().ok()?;
        let value: Json = serde_json::from_slice(value).ok()?;
        let filter = |pair: &Json| {
            let qos = if pair.get(1)?.as_u64()? == 0 { Qos::AtMostOnce } else { Qos::AtLeastOnce };
            Some((pair.get(0)?.as_str()?.to_owned(), qos))
        };
        let filters = value.get("filters")?.as_array()?.iter().map(filter).collect::<Option<_>>()?;
        Some(Self { id, identity: value.get("identity")?.as_str()?.to_owned(), filters })
    }
}

/// Takes the session out of the file, if it is in there.
#[must_use]
pub fn removal(id: &TwinId) -> Item {
    Item { key: format!("{KIND}{id}"), value: None }
}

/// Every kept session; `Err` has the item that takes one out of the file that cannot be read.
pub fn read_all(items: &Items) -> impl Iterator<Item = Result<KeptSession, Item>> {
    let of_kind = items.range(KIND.to_owned()..).take_while(|(key, _)| key.starts_with(KIND));
    of_kind.map(|(key, value)| {
        KeptSession::read(key, value).ok_or_else(|| {
            tracing::warn!(%key, "a kept MQTT session cannot be read and is forgotten");
            Item { key: key.clone(), value: None }
        })
    })
}
