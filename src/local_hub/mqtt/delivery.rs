//! Cloud-to-device messages on their way over one connection: a bounded number in flight, each until its PUBACK. What is not
//! acknowledged when the connection ends goes back to the queue, to be sent again with DUP under the same packet id.

use super::connect::put;
use super::lease::Lease;
use super::limits::{MAX_IN_FLIGHT, MAX_UNSENT};
use super::packet::{CleanSession, Outgoing, Qos};
use crate::local_hub::hub::Hub;
use crate::local_hub::messages::{self, Scope};
use bytes::BytesMut;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// What a connection that subscribed to its device's messages delivers.
pub struct Deliveries {
    hub: Arc<Hub>,
    device: String,
    /// The `generationId` of the device the connection is of.
    identity: String,
    scope: Scope,
    /// `None` after an UNSUBSCRIBE: what is in flight is still acknowledged.
    qos: Option<Qos>,
    news: watch::Receiver<()>,
    /// Packet id to sequence number.
    in_flight: BTreeMap<u16, u64>,
    last_packet_id: u16,
    /// Whether there may be something to send.
    hungry: bool,
}

impl Deliveries {
    fn new(lease: &Lease) -> Self {
        let (hub, device) = (&lease.hub, &lease.id.device);
        Self {
            hub: Arc::clone(hub),
            device: device.clone(),
            identity: lease.identity().to_owned(),
            scope: Scope::Kept,
            qos: None,
            news: hub.messages().listen(device),
            in_flight: BTreeMap::new(),
            last_packet_id: 0,
            hungry: false,
        }
    }

    /// Goes by what the session was granted now.
    fn granted(&mut self, granted: Option<(Qos, CleanSession)>) {
        let before = self.qos;
        self.qos = granted.map(|(qos, _)| qos);
        match granted {
            Some((_, CleanSession::Kept)) => self.scope = Scope::Kept,
            Some((_, CleanSession::Clean)) if before.is_none() => {
                self.scope = Scope::After(self.hub.messages().last_sequence());
            }
            _ => {}
        }
        self.hungry = true;
    }

    /// Sends what waits, as far as there is room.
    pub fn fill(&mut self, unsent: &mut BytesMut) {
        let Some(qos) = self.qos else { return };
        while self.hungry && unsent.len() < MAX_UNSENT && self.in_flight.len() < MAX_IN_FLIGHT {
            let Some(taken) = self.hub.messages().next(&self.hub, (&self.device, &self.identity), self.scope) else {
                self.hungry = false;
                return;
            };
            let (topic, payload) = (messages::topic(&taken.message), taken.message.payload.clone());
            let sequence = taken.message.sequence;
            if qos == Qos::AtMostOnce {
                put(&Outgoing::Publish { topic, payload }, unsent);
                // Nobody will ever say more about it.
                self.hub.messages().acknowledged(&self.hub, &self.device, sequence);
                continue;
            }
            let packet_id = self.packet_id(taken.sent_as);
            self.in_flight.insert(packet_id, sequence);
            put(&Outgoing::Delivery { topic, payload, packet_id, again: taken.sent_as.is_some() }, unsent);
        }
    }

    /// A PUBACK; one for a packet that is not in flight means nothing.
    pub fn acknowledged(&mut self, packet_id: u16) {
        if let Some(sequence) = self.in_flight.remove(&packet_id) {
            self.hub.messages().acknowledged(&self.hub, &self.device, sequence);
            self.hungry = true;
        }
    }

    /// The one it went out under before, if that is free, else the next that is.
    fn packet_id(&mut self, before: Option<u16>) -> u16 {
        let free = |id: u16| id != 0 && !self.in_flight.contains_key(&id);
        if let Some(before) = before.filter(|id| free(*id)) {
            return before;
        }
        let mut id = self.last_packet_id.wrapping_add(1);
        // The window is far smaller than the range.
        while !free(id) {
            id = id.wrapping_add(1);
        }
        self.last_packet_id = id;
        id
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        let sent: Vec<(u16, u64)> = std::mem::take(&mut self.in_flight).into_iter().collect();
        self.hub.messages().unlisten(&self.device);
        if !sent.is_empty() {
            self.hub.messages().give_back(&self.hub, &self.device, &sent);
        }
    }
}

/// Begins, changes or pauses the deliveries of a connection by what it is subscribed to. Modules are sent no such messages.
pub fn follow(deliveries: &mut Option<Box<Deliveries>>, lease: &Lease) {
    if lease.id.module.is_some() {
        return;
    }
    let granted = lease.hub.sessions().granted(&lease.id, lease.generation());
    match deliveries {
        Some(deliveries) => deliveries.granted(granted),
        None if granted.is_some() => {
            let mut begun = Box::new(Deliveries::new(lease));
            begun.granted(granted);
            *deliveries = Some(begun);
        }
        None => {}
    }
}

/// Waits until there may be something to send; for ever, when nothing is delivered here.
pub async fn news(deliveries: Option<&mut Deliveries>) {
    match deliveries {
        Some(deliveries) => {
            if deliveries.news.changed().await.is_err() {
                return std::future::pending().await;
            }
            deliveries.hungry = true;
        }
        None => std::future::pending().await,
    }
}
