//! Who is connected, and what was subscribed: one entry per identity, which outlives the connection when the client asked for that.
//!
//! A connection goes through *claim* (it is the identity's only one from now on, the one before is told to go), *open* (the one
//! before is gone) and *release*. Its number, the generation, tells a connection that was replaced from the one that replaced it.
//! Nothing in here waits, and nothing calls back into the hub: the hub calls in while it holds its own lock. What changes of a kept
//! session goes into `keep`, under the lock, so that the order of keeping is the order of the changes; `keep` only queues.

use super::arrivals::{Arrival, Arrivals};
use super::kept::{self, KeptSession};
use super::limits::{MAX_FILTER, MAX_KEPT_SESSIONS, MAX_SUBSCRIPTIONS};
use super::outbox::Outbox;
use super::packet::{CleanSession, Grant, Outgoing, Qos, encode};
use crate::local_hub::commit::Item;
use crate::local_hub::store::Items;
use crate::protocol::mqtt::{DESIRED_PATCHES, ToDevice, device_bound};
use crate::twin::{Json, JsonMap, TwinId};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Who is connected, and what was subscribed. Kept sessions outlive their connection (clean session 0).
#[derive(Default)]
pub struct Sessions {
    state: Mutex<State>,
    arrivals: Arrivals,
}

/// Why a packet was not put on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    Offline,
    /// Connected, but not subscribed to such.
    Unsubscribed,
    /// Too much waits for this connection already.
    Full,
}

#[derive(Default)]
struct State {
    entries: HashMap<TwinId, Entry>,
    /// Kept sessions without a connection, the one that is away longest first.
    away: BTreeMap<u64, TwinId>,
    /// Counts generations and departures.
    counter: u64,
    connected: usize,
}

/// One identity's session.
#[derive(Default)]
struct Entry {
    connection: Option<Connection>,
    /// Filters as the client wrote them.
    subscriptions: Vec<(String, Qos)>,
    /// Whether it stays when the connection goes.
    kept: bool,
    /// Its place in `away`.
    away_since: Option<u64>,
    /// The `generationId` of the identity it is a session of.
    identity: String,
    /// Whether the file has it, or is about to.
    stored: bool,
}

/// An entry's connection, as its session's task sees it too.
#[derive(Debug, Clone)]
pub struct Connection {
    pub generation: u64,
    /// Tells the connection to go.
    pub evict: CancellationToken,
    /// The connection says that it is gone: socket closed, hub told.
    pub gone: CancellationToken,
    outbox: Outbox,
    phase: Phase,
    /// `$version` of the newest notification.
    notified: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits for the connection before it to go.
    Claiming,
    Open,
}

/// A claim, and the connection it replaces.
pub struct Claim {
    pub connection: Connection,
    pub before: Option<CancellationToken>,
}

/// A session that began. `K` is what keeping gave.
pub struct Begun<K> {
    /// Whether a kept one was resumed.
    pub present: bool,
    /// A kept one ended instead: what it was subscribed to.
    pub ended: Option<(K, Vec<(String, Qos)>)>,
}

impl Sessions {
    /// Tells the identity, if it is connected and subscribed, that desired changed: `patch` as submitted, `version` put into body and topic.
    /// Versions must come in rising order: one that is not above the last is dropped. A connection that does not keep up is closed: it reads
    /// the twin when it comes back.
    pub fn desired_changed(&self, id: &TwinId, version: u64, patch: &JsonMap) {
        let mut state = self.lock();
        let Some(entry) = state.entries.get_mut(id) else { return };
        let subscribed = entry.is_subscribed(DESIRED_PATCHES);
        let Some(connection) = entry.connection.as_mut().filter(|c| c.phase == Phase::Open && subscribed) else {
            return;
        };
        if version <= connection.notified {
            tracing::warn!(%id, version, notified = connection.notified, "a desired change came out of order and is not sent");
            return;
        }
        connection.notified = version;
        let sent = notification(version, patch).is_some_and(|packet| connection.outbox.put(packet).is_ok());
        if !sent {
            tracing::debug!(%id, "does not keep up with its notifications");
            connection.evict.cancel();
        }
    }

    /// Puts a packet on its way to this generation of the identity, if it is connected and subscribed to a filter that `wanted` takes. The token is
    /// cancelled when that connection is gone.
    ///
    /// # Errors
    /// When it is not on its way; nothing was sent then.
    pub fn send(
        &self,
        (id, identity): (&TwinId, &str),
        wanted: impl Fn(&str) -> bool,
        packet: &Outgoing,
    ) -> Result<CancellationToken, NotSent> {
        let mut bytes = BytesMut::new();
        // What MQTT has no form for will never fit.
        encode(packet, &mut bytes).map_err(|_too_large| NotSent::Full)?;
        let state = self.lock();
        let entry = state.entries.get(id).ok_or(NotSent::Offline)?;
        let connection = entry.open_connection().filter(|_| entry.identity == identity).ok_or(NotSent::Offline)?;
        if !entry.subscriptions.iter().any(|(filter, _)| wanted(filter)) {
            return Err(NotSent::Unsubscribed);
        }
        connection.outbox.put(bytes.freeze()).map_err(|_full| NotSent::Full)?;
        Ok(connection.gone.clone())
    }

    /// Cancelled when the open connection of this generation of the identity is gone; `None` when it has none.
    #[must_use]
    pub fn gone(&self, id: &TwinId, identity: &str) -> Option<CancellationToken> {
        let state = self.lock();
        let entry = state.entries.get(id).filter(|entry| entry.identity == identity)?;
        entry.open_connection().map(|connection| connection.gone.clone())
    }

    /// Wakes when the identity connects or subscribes, from now on.
    #[must_use]
    pub fn arrival(&self, id: &TwinId) -> Arrival<'_> {
        self.arrivals.of(id)
    }

    /// Closes the identity's connection: disabled, or with other keys. A kept session stays: SDKs subscribe once in their life,
    /// and would never again hear of desired changes.
    pub fn evict(&self, id: &TwinId) {
        if let Some(connection) = self.lock().entries.get(id).and_then(|entry| entry.connection.as_ref()) {
            connection.evict.cancel();
        }
    }

    /// Closes the identity's connection and forgets its session: deleted.
    pub fn forget(&self, id: &TwinId) {
        let mut state = self.lock();
        let Some(entry) = state.entries.get_mut(id) else { return };
        entry.subscriptions.clear();
        entry.kept = false;
        // Who has the identity removed from the file removes the session with it.
        entry.stored = false;
        // The entry stays while its connection takes leave, so that the next one waits for that.
        match &entry.connection {
            Some(connection) => connection.evict.cancel(),
            None => state.forget(id),
        }
    }

    #[must_use]
    pub fn is_connected(&self, id: &TwinId) -> bool {
        self.lock().entries.get(id).and_then(|e| e.connection.as_ref()).is_some_and(|c| c.phase == Phase::Open)
    }

    /// Takes back what was kept before the hub was started, of identities that are there still. What it returns is to be kept:
    /// the removal of the others.
    pub fn restore(&self, items: &Items, generation: impl Fn(&TwinId) -> Option<String>) -> Vec<Item> {
        let mut state = self.lock();
        let mut gone = Vec::new();
        for session in kept::read_all(items) {
            match session {
                Ok(KeptSession { id, identity, filters }) if generation(&id).as_ref() == Some(&identity) => {
                    let entry =
                        Entry { subscriptions: filters, kept: true, identity, stored: true, ..Entry::default() };
                    state.entries.insert(id.clone(), entry);
                    gone.extend(state.put_away(&id));
                }
                Ok(KeptSession { id, .. }) => gone.push(kept::removal(&id)),
                Err(unreadable) => gone.push(unreadable),
            }
        }
        gone
    }

    /// Open connections.
    #[must_use]
    pub fn connected_count(&self) -> usize {
        self.lock().connected
    }

    /// Makes a new connection the identity's only one; the one before is told to go.
    pub(super) fn claim(&self, id: &TwinId, outbox: Outbox) -> Claim {
        let mut state = self.lock();
        let generation = state.count();
        let connection = Connection {
            generation,
            evict: CancellationToken::new(),
            gone: CancellationToken::new(),
            outbox,
            phase: Phase::Claiming,
            notified: 0,
        };
        let entry = state.entries.entry(id.clone()).or_default();
        let before = entry.connection.replace(connection.clone());
        let was_away = entry.away_since.take();
        if let Some(place) = was_away {
            state.away.remove(&place);
        }
        if let Some(before) = &before {
            if before.phase == Phase::Open {
                state.connected -= 1;
            }
            before.evict.cancel();
        }
        Claim { connection, before: before.map(|b| b.gone) }
    }

    /// The connection before is gone: the session begins, of the identity with this `generationId`. `None` when it is no longer
    /// ours to begin.
    pub(super) fn open<K>(
        &self,
        id: &TwinId,
        generation: u64,
        clean: CleanSession,
        identity: String,
        keep: impl FnOnce(Vec<Item>) -> K,
    ) -> Option<Begun<K>> {
        let mut state = self.lock();
        let entry = state.entries.get_mut(id)?;
        let connection = entry.connection.as_mut().filter(|c| c.generation == generation && !c.evict.is_cancelled())?;
        connection.phase = Phase::Open;
        // What the identity before it left is not for this one.
        let present = entry.kept && entry.identity == identity && clean == CleanSession::Kept;
        let before = if present { Vec::new() } else { std::mem::take(&mut entry.subscriptions) };
        entry.kept = clean == CleanSession::Kept;
        entry.identity = identity;
        let ended = !present && std::mem::take(&mut entry.stored);
        state.connected += 1;
        let ended = ended.then(|| (keep(vec![kept::removal(id)]), before));
        drop(state);
        self.arrivals.tell(id);
        Some(Begun { present, ended })
    }

    /// The end of a kept session could not be kept: it is there again, for who connects next.
    pub(super) fn restore_ended(&self, id: &TwinId, generation: u64, before: Vec<(String, Qos)>) {
        let mut state = self.lock();
        if let Some(entry) = state.ours(id, generation) {
            (entry.subscriptions, entry.kept, entry.stored) = (before, true, true);
        }
    }

    /// What was subscribed could not be kept: it is again what it was before.
    pub(super) fn revert(&self, id: &TwinId, generation: u64, before: Vec<(String, Qos)>, owe: impl FnOnce(Vec<Item>)) {
        let mut state = self.lock();
        let Some(entry) = state.entries.get_mut(id) else { return };
        // Another connection may have changed them since.
        if entry.connection.as_ref().is_some_and(|connection| connection.generation != generation) {
            return;
        }
        entry.subscriptions = before;
        entry.stored = entry.kept && !entry.subscriptions.is_empty();
        owe(vec![if entry.stored {
            KeptSession::item(id, &entry.identity, &entry.subscriptions)
        } else {
            kept::removal(id)
        }]);
    }

    /// Grants every filter, at most at `QoS` 1, also those that will never match; refuses what exceeds the bounds. Beside the
    /// grants what `keep` returned, if there was something to keep.
    pub(super) fn subscribe<K>(
        &self,
        id: &TwinId,
        generation: u64,
        filters: Vec<(String, Qos)>,
        keep: impl FnOnce(Vec<Item>, Vec<(String, Qos)>) -> K,
    ) -> (Vec<Grant>, Option<K>) {
        let mut state = self.lock();
        let Some(entry) = state.ours(id, generation) else { return (vec![Grant::Refused; filters.len()], None) };
        let before = entry.subscriptions.clone();
        let grants = filters.into_iter().map(|(filter, qos)| entry.subscribe(filter, qos)).collect();
        let kept = entry.changed(id, &before).map(|items| keep(items, before));
        drop(state);
        self.arrivals.tell(id);
        (grants, kept)
    }

    /// What `keep` returned, if there was something to keep.
    pub(super) fn unsubscribe<K>(
        &self,
        id: &TwinId,
        generation: u64,
        filters: &[String],
        keep: impl FnOnce(Vec<Item>, Vec<(String, Qos)>) -> K,
    ) -> Option<K> {
        let mut state = self.lock();
        let entry = state.ours(id, generation)?;
        let before = entry.subscriptions.clone();
        entry.subscriptions.retain(|(filter, _)| !filters.contains(filter));
        entry.changed(id, &before).map(|items| keep(items, before))
    }

    pub(super) fn is_subscribed(&self, id: &TwinId, generation: u64, filter: &str) -> bool {
        self.lock().ours(id, generation).is_some_and(|entry| entry.is_subscribed(filter))
    }

    /// What the session was granted for the messages to its device; `None` when it did not subscribe to them.
    pub(super) fn granted(&self, id: &TwinId, generation: u64) -> Option<(Qos, CleanSession)> {
        let filter = device_bound(&id.device);
        let mut state = self.lock();
        let entry = state.ours(id, generation)?;
        let (_, qos) = entry.subscriptions.iter().find(|(known, _)| *known == filter)?;
        Some((*qos, if entry.kept { CleanSession::Kept } else { CleanSession::Clean }))
    }

    /// Whether messages to the device are meant for MQTT too: it has a kept session, or is connected and subscribed to them.
    #[must_use]
    pub fn takes_messages(&self, id: &TwinId, identity: &str) -> bool {
        let state = self.lock();
        let Some(entry) = state.entries.get(id).filter(|entry| entry.identity == identity) else { return false };
        entry.kept || (entry.open_connection().is_some() && entry.is_subscribed(&device_bound(&id.device)))
    }

    /// The connection is gone; its session stays if it is a kept one, and another may have to go for it.
    pub(super) fn release(&self, id: &TwinId, generation: u64, owe: impl FnOnce(Vec<Item>)) {
        let mut state = self.lock();
        let Some(entry) = state.ours(id, generation) else { return };
        let kept = entry.kept;
        let was_open = entry.connection.take().is_some_and(|c| c.phase == Phase::Open);
        if was_open {
            state.connected -= 1;
        }
        if !kept {
            state.forget(id);
            return;
        }
        owe(state.put_away(id));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together, so what a panicking holder left is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The entry, while this generation holds it.
    fn ours(&mut self, id: &TwinId, generation: u64) -> Option<&mut Entry> {
        self.entries.get_mut(id).filter(|e| e.connection.as_ref().is_some_and(|c| c.generation == generation))
    }

    /// What is pushed out of the file by it.
    fn put_away(&mut self, id: &TwinId) -> Vec<Item> {
        let place = self.count();
        if let Some(entry) = self.entries.get_mut(id) {
            entry.away_since = Some(place);
            self.away.insert(place, id.clone());
        }
        let mut gone = Vec::new();
        while self.away.len() > MAX_KEPT_SESSIONS {
            if let Some((_, longest)) = self.away.pop_first()
                && self.entries.remove(&longest).is_some_and(|entry| entry.stored)
            {
                gone.push(kept::removal(&longest));
            }
        }
        gone
    }

    fn forget(&mut self, id: &TwinId) {
        if let Some(place) = self.entries.remove(id).and_then(|entry| entry.away_since) {
            self.away.remove(&place);
        }
    }
}

impl Entry {
    fn open_connection(&self) -> Option<&Connection> {
        self.connection.as_ref().filter(|connection| connection.phase == Phase::Open)
    }

    /// Only the documented filters mean something, to the letter: there are no general wildcards.
    fn is_subscribed(&self, wanted: &str) -> bool {
        self.subscriptions.iter().any(|(filter, _)| filter == wanted)
    }

    /// What is to be kept, if the subscriptions of a kept session are others than `before`.
    fn changed(&mut self, id: &TwinId, before: &[(String, Qos)]) -> Option<Vec<Item>> {
        if !self.kept || self.subscriptions == before {
            return None;
        }
        self.stored = true;
        Some(vec![KeptSession::item(id, &self.identity, &self.subscriptions)])
    }

    fn subscribe(&mut self, filter: String, qos: Qos) -> Grant {
        let qos = qos.min(Qos::AtLeastOnce);
        let grant = if qos == Qos::AtMostOnce { Grant::AtMostOnce } else { Grant::AtLeastOnce };
        if let Some(known) = self.subscriptions.iter_mut().find(|(known, _)| *known == filter) {
            known.1 = qos;
        } else if filter.len() > MAX_FILTER || self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Grant::Refused;
        } else {
            self.subscriptions.push((filter, qos));
        }
        grant
    }
}

/// The encoded packet; `None` for what MQTT cannot carry, which the size limits of desired rule out.
fn notification(version: u64, patch: &JsonMap) -> Option<Bytes> {
    let mut body = patch.clone();
    body.insert("$version".to_owned(), Json::from(version));
    let payload = Bytes::from(serde_json::to_vec(&body).ok()?);
    let mut packet = BytesMut::new();
    encode(&Outgoing::Publish { topic: ToDevice::DesiredPatch { version }.topic(), payload }, &mut packet).ok()?;
    Some(packet.freeze())
}
