//! Reading what the journal keeps: of the open hub and of others, versions and drafts that were thrown away. Only the disk is
//! asked.

use super::event::{HubEntry, Outcome, PastTwin};
use super::keep::{Keep, LOCAL_NAME};
use super::session::OpenHub;
use super::{Failure, HubRef};
use crate::disk::journal::{Entry, EntryKey, is_passing};
use crate::twin::TwinId;
use std::sync::Arc;

/// What is kept of a twin of the hub that is filed under this name, or of the open one.
pub(super) async fn timeline(hub: &OpenHub, filed: Option<String>, id: TwinId) -> Result<Outcome, Failure> {
    hub.journal.flush().await;
    let (journal, filed) = (hub.journal.journal(), filed.unwrap_or_else(|| hub.filed()));
    blocking(move || journal.timeline(&filed, &id)).await.map(|timeline| Outcome::Timeline(Arc::new(timeline)))
}

/// Twins as they were.
pub(super) async fn versions(hub: &OpenHub, entries: Vec<Entry>) -> Result<Outcome, Failure> {
    let journal = hub.journal.journal();
    let read = move || Ok(entries.iter().map(|entry| journal.twin(entry).map(Arc::new)).collect());
    blocking(read).await.map(Outcome::Versions)
}

/// One twin as it was, found anew by its key.
pub(super) async fn version(
    hub: &OpenHub,
    filed: Option<String>,
    id: TwinId,
    key: EntryKey,
) -> Result<Outcome, Failure> {
    hub.journal.flush().await;
    let (journal, filed) = (hub.journal.journal(), filed.unwrap_or_else(|| hub.filed()));
    let read = move || {
        let timeline = journal.timeline(&filed, &id)?;
        let entry = timeline.place(key).and_then(|place| timeline.entries.get(place));
        let twin = entry
            .ok_or_else(|| "that version is no longer in the journal".to_owned())
            .and_then(|entry| journal.twin(entry));
        Ok(vec![twin.map(Arc::new)])
    };
    blocking(read).await.map(Outcome::Versions)
}

/// A draft that was thrown away, and what it is compared with.
pub(super) async fn discarded(hub: &OpenHub, entry: Entry, other: Option<Box<Entry>>) -> Result<Outcome, Failure> {
    let journal = hub.journal.journal();
    let read = move || {
        let draft = Box::new(journal.discarded(&entry)?);
        Ok(Outcome::Discarded { draft, other: other.map(|other| journal.twin(&other).map(Arc::new)) })
    };
    blocking(read).await
}

/// Of which twins there is anything, with the names of their hubs.
pub(super) async fn list(hub: &OpenHub, keep: &Keep) -> Result<Outcome, Failure> {
    hub.journal.flush().await;
    let (journal, here) = (hub.journal.journal(), hub.filed());
    let (hubs, _) = keep.hubs();
    let twins = blocking(move || journal.twins()).await?;
    let told = twins.into_iter().map(|twin| {
        let hub_name = if twin.hub == here {
            String::new()
        } else if twin.is_of_passing_hub() {
            format!("{LOCAL_NAME} of another run")
        } else if twin.hub == HubRef::Local.filed("") && here != twin.hub && is_passing(&here) {
            format!("{LOCAL_NAME} of another window")
        } else {
            name(&hubs, &twin.hub)
        };
        PastTwin { hub: (twin.hub != here).then_some(twin.hub), hub_name, id: twin.id, at_ms: twin.at_ms }
    });
    Ok(Outcome::Past(Arc::new(told.collect())))
}

/// The name of the hub that is filed so; of one that is no longer among the connections, its host.
fn name(hubs: &[HubEntry], filed: &str) -> String {
    let known = hubs.iter().find(|entry| entry.hub.filed(&entry.host) == filed);
    known.map_or_else(|| filed.to_owned(), |entry| entry.name.clone())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Failure::Local),
        Err(error) => Err(Failure::Panicked(error.to_string())),
    }
}
