//! One module client: publishes, takes what comes, and holds every answer against what it knows must come.

use super::args::{PATIENCE, Result};
use super::figures::Times;
use super::mqtt::{Link, Packet, publish};
use super::rest::API;
use super::server::{Server, tomorrow};
use super::shared::{Shared, key};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use twinscope::protocol::sas;

const FILTERS: [&str; 2] = ["$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#"];

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Nothing,
    /// A reported patch; a hub answers it, a broker only acknowledges it.
    Report,
    /// A device-to-cloud message.
    Telemetry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Each client in its own moment of the second.
    OnceASecond,
    /// As soon as the last one is done.
    AtOnce,
}

#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub what: What,
    pub pace: Pace,
    pub start: Instant,
    pub until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Hub,
    /// Knows no twins: nothing is answered.
    Broker,
}

/// What a client measured since it was last asked.
#[derive(Default)]
pub struct Measured {
    /// From a publish to its PUBACK.
    pub acknowledged: Times,
    /// From a reported patch to the answer that it is kept.
    pub answered: Times,
    /// From the request that changed desired to the patch's arrival.
    pub delivered: Times,
    /// From the moment a publish was due to the moment it was sent: what the machine, not the server, kept from the clients.
    pub late: Times,
}

pub struct Module {
    pub index: usize,
    peer: Peer,
    link: Link,
    shared: Arc<Shared>,
    /// Counts what is published.
    counter: u64,
    /// The counter in the last report that was answered; 0 before the first.
    pub reported_counter: u64,
    /// Reported `$version` as last answered.
    pub reported_version: u64,
    /// Desired `$version` of the last patch.
    pub desired_version: u64,
    /// What the last patch set.
    pub desired_set: u64,
    packet_id: u16,
    /// Published and not acknowledged, in order.
    unacknowledged: VecDeque<(u16, Instant)>,
    /// Reported and not answered, in order, by counter.
    unanswered: VecDeque<(u64, Instant)>,
    pub measured: Measured,
    /// Its connection is gone, which has been said.
    lost: bool,
}

impl Module {
    /// Connects, and reads its twin if there is one.
    pub async fn connect(server: &Server, peer: Peer, shared: Arc<Shared>, index: usize) -> Result<Self> {
        let id = &shared.ids[index];
        let name = id.to_string();
        let user = format!("localhost/{name}/?api-version={API}");
        let token = sas::sign(&sas::resource("localhost", Some(id)), &key(), tomorrow(), None)?;
        let user_and_password = (peer == Peer::Hub).then(|| (user.as_str(), token.reveal()));
        let login = super::mqtt::Login { client_id: &name, user_and_password };
        let link = Link::open(server.mqtts, &server.tls, &login, &FILTERS).await?;
        let mut module = Self {
            index,
            peer,
            link,
            shared,
            counter: 0,
            reported_counter: 0,
            reported_version: 0,
            desired_version: 0,
            desired_set: 0,
            packet_id: 0,
            unacknowledged: VecDeque::new(),
            unanswered: VecDeque::new(),
            measured: Measured::default(),
            lost: false,
        };
        if peer == Peer::Hub {
            tokio::time::timeout(PATIENCE, module.read_twin()).await??;
        }
        Ok(module)
    }

    async fn read_twin(&mut self) -> Result<()> {
        self.link.send(&publish(1, "$iothub/twin/GET/?$rid=0", b" ")).await?;
        loop {
            if let Packet::Publish { topic, payload } = self.link.next().await? {
                if topic != "$iothub/twin/res/200/?$rid=0" {
                    return Err(format!("the twin was asked for, {topic} came").into());
                }
                let twin: Value = serde_json::from_slice(&payload)?;
                let version = |section: &str| twin[section]["$version"].as_u64().ok_or("a twin without $version");
                (self.reported_version, self.desired_version) = (version("reported")?, version("desired")?);
                return Ok(());
            }
        }
    }

    /// Works until `work.until`, then waits for every answer that is due, and for all that was written to desired up to `quiet`.
    /// What goes wrong is noted, and ends this client.
    pub async fn run(mut self, work: Work, quiet: CancellationToken) -> Self {
        if !self.lost
            && let Err(error) = self.work(work, &quiet).await
        {
            self.shared.violation(format!("{}: {error}", self.shared.ids[self.index]));
            self.lost = true;
        }
        self
    }

    async fn work(&mut self, work: Work, quiet: &CancellationToken) -> Result<()> {
        let mut due = self.first(work);
        let give_up = work.until + PATIENCE;
        loop {
            let now = Instant::now();
            due = due.filter(|at| *at < work.until);
            let over = now >= work.until;
            if over && quiet.is_cancelled() && self.is_settled() {
                return Ok(());
            }
            if now >= give_up {
                return Err(self.unsettled().into());
            }
            let wake = due.unwrap_or(if over { give_up } else { work.until });
            tokio::select! {
                packet = self.link.next() => {
                    let done = self.take(packet?)?;
                    if done && work.pace == Pace::AtOnce {
                        due = Some(Instant::now());
                    }
                }
                () = sleep_until(wake) => if let Some(at) = due {
                    self.measured.late.add(at.elapsed());
                    self.publish(work.what).await?;
                    due = (work.pace == Pace::OnceASecond).then(|| at + Duration::from_secs(1));
                },
                () = quiet.cancelled(), if over && !quiet.is_cancelled() => {}
            }
        }
    }

    fn first(&self, work: Work) -> Option<Instant> {
        let place = u32::try_from(self.index).ok()?;
        let of = u32::try_from(self.shared.ids.len()).ok()?;
        match (work.what, work.pace) {
            (What::Nothing, _) => None,
            (_, Pace::AtOnce) => Some(work.start),
            (_, Pace::OnceASecond) => Some(work.start + Duration::from_secs(1) * place / of),
        }
    }

    async fn publish(&mut self, what: What) -> Result<()> {
        self.packet_id = self.packet_id.checked_add(1).unwrap_or(1);
        self.counter += 1;
        let topic = if what == What::Report {
            format!("$iothub/twin/PATCH/properties/reported/?$rid={}", self.counter)
        } else {
            let id = &self.shared.ids[self.index];
            let module = id.module.as_deref().unwrap_or_default();
            format!("devices/{}/modules/{module}/messages/events/", id.device)
        };
        let payload = format!(r#"{{"counter":{},"temperature":21.5,"status":"running"}}"#, self.counter);
        let packet = publish(self.packet_id, &topic, payload.as_bytes());
        let now = Instant::now();
        self.unacknowledged.push_back((self.packet_id, now));
        if what == What::Report && self.peer == Peer::Hub {
            self.unanswered.push_back((self.counter, now));
        }
        self.link.send(&packet).await
    }

    /// Whether this ended an operation.
    fn take(&mut self, packet: Packet) -> Result<bool> {
        match packet {
            Packet::PubAck { id } => {
                let Some((expected, sent)) = self.unacknowledged.pop_front() else {
                    return Err(format!("PUBACK {id} for nothing").into());
                };
                if id != expected {
                    return Err(format!("PUBACK {id}, {expected} was next").into());
                }
                self.measured.acknowledged.add(sent.elapsed());
                Ok(self.unanswered.is_empty())
            }
            Packet::Publish { topic, payload } => {
                if let Some(rest) = topic.strip_prefix("$iothub/twin/res/") {
                    self.answered(rest, &payload)?;
                    return Ok(true);
                }
                match topic.strip_prefix("$iothub/twin/PATCH/properties/desired/?$version=") {
                    Some(version) => self.desired(version.parse()?, &payload)?,
                    None => return Err(format!("a message on {topic}").into()),
                }
                Ok(false)
            }
            other => Err(format!("{other:?} was not expected").into()),
        }
    }

    fn answered(&mut self, rest: &str, payload: &[u8]) -> Result<()> {
        let (counter, sent) = self.unanswered.pop_front().ok_or("an answer to nothing")?;
        self.measured.answered.add(sent.elapsed());
        self.reported_version += 1;
        let expected = format!("204/?$rid={counter}&$version={}", self.reported_version);
        if rest != expected {
            let body = String::from_utf8_lossy(payload);
            return Err(format!("a report was answered by {rest} {body}, {expected} was due").into());
        }
        self.reported_counter = counter;
        self.shared.answered.fetch_add(1, Relaxed);
        Ok(())
    }

    fn desired(&mut self, version: u64, payload: &[u8]) -> Result<()> {
        let patch: Value = serde_json::from_slice(payload)?;
        let (set, at) = (patch["set"].as_u64(), patch["at"].as_u64().ok_or("a patch without its time")?);
        self.desired_version += 1;
        self.desired_set += 1;
        let expected = (self.desired_version, Some(self.desired_version), Some(self.desired_set));
        if (version, patch["$version"].as_u64(), set) != expected {
            let due = (self.desired_version, self.desired_set);
            return Err(format!("desired patch {version} {patch}, version and value {due:?} were due").into());
        }
        self.measured.delivered.add(self.shared.since(at));
        self.shared.delivered.fetch_add(1, Relaxed);
        Ok(())
    }

    fn is_settled(&self) -> bool {
        let written = self.shared.written[self.index].load(Relaxed);
        self.unacknowledged.is_empty() && self.unanswered.is_empty() && self.desired_set == written
    }

    fn unsettled(&self) -> String {
        format!(
            "after {PATIENCE:?} {} publishes were not acknowledged, {} reports not answered, desired was {} of {}",
            self.unacknowledged.len(),
            self.unanswered.len(),
            self.desired_set,
            self.shared.written[self.index].load(Relaxed)
        )
    }
}
