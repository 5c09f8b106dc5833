//! Direct methods: a call waits for the identity's answer over MQTT.
//!
//! Nothing is queued: a call either reaches a client that is connected and subscribed, or waits for one as long as its caller
//! said, and is forgotten with the caller.

use super::hub::{Hub, Refused};
use super::mqtt::NotSent;
use super::mqtt::packet::Outgoing;
use crate::protocol::error::ErrorCode;
use crate::protocol::event::What;
use crate::protocol::method::{self, MethodAnswer, MethodCall, PAYLOAD_MAX};
use crate::protocol::mqtt::ToDevice;
use crate::twin::{Status, TwinId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Calls of one identity at once. The documents name the error, not the number.
const IN_FLIGHT_MAX: usize = 100;
/// How long a client that drops during a call may stay away. SDKs connect anew to renew their token, and answer afterwards what
/// they were asked before; a client that stays away will not answer at all.
const RETURN: Duration = Duration::from_secs(5);

/// Calls that wait for an answer.
#[derive(Debug, Default)]
pub struct Calls {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_rid: u64,
    /// By request id.
    waiting: HashMap<String, Waiting>,
    in_flight: HashMap<TwinId, usize>,
}

#[derive(Debug)]
struct Waiting {
    id: TwinId,
    /// The `generationId` of the identity that was called.
    identity: String,
    answer: oneshot::Sender<Result<MethodAnswer, Refused>>,
}

/// A call's place among those in flight, given back when the caller has its answer or goes away.
struct Place<'a> {
    calls: &'a Calls,
    id: &'a TwinId,
    rid: String,
}

impl Calls {
    /// How many calls wait, for their device to come or to answer.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight.values().sum()
    }

    /// The identity answered. An answer that nobody waits for (late, of another identity, to a call never made) is dropped.
    pub fn answered(&self, id: &TwinId, identity: &str, (rid, status, payload): (&str, i64, &[u8])) {
        let waiting = {
            let mut state = self.lock();
            match state.waiting.get(rid) {
                Some(waiting) if waiting.id == *id && waiting.identity == identity => state.waiting.remove(rid),
                _ => None,
            }
        };
        let Some(waiting) = waiting else {
            tracing::debug!(%id, status, "the answer to a method comes too late, or to no call");
            return;
        };
        // The caller may have gone this very moment.
        drop(waiting.answer.send(read(status, payload)));
    }

    fn enter<'a>(
        &'a self,
        id: &'a TwinId,
        identity: &str,
    ) -> Result<(Place<'a>, oneshot::Receiver<Result<MethodAnswer, Refused>>), Refused> {
        let mut state = self.lock();
        let count = state.in_flight.get(id).copied().unwrap_or_default();
        if count >= IN_FLIGHT_MAX {
            return Err(too_many(format!("{count} calls of {id} wait already")));
        }
        state.in_flight.insert(id.clone(), count + 1);
        state.last_rid += 1;
        // The service's own request ids are short hexadecimal numbers too.
        let rid = format!("{:x}", state.last_rid);
        let (answer, answered) = oneshot::channel();
        state.waiting.insert(rid.clone(), Waiting { id: id.clone(), identity: identity.to_owned(), answer });
        Ok((Place { calls: self, id, rid }, answered))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.calls.lock();
        state.waiting.remove(&self.rid);
        if let Some(count) = state.in_flight.get_mut(self.id) {
            *count -= 1;
            if *count == 0 {
                state.in_flight.remove(self.id);
            }
        }
    }
}

/// Calls the method and waits for the answer. Dropping the future ends the wait; the device may carry the call out all the same.
///
/// # Errors
/// 404001 for an unknown identity; 404103 when it is not connected and subscribed in time; 403800 when too many calls wait;
/// 404104 when its connection ends and it does not come back; 504101 when no answer comes in time; 502101 for an answer that is
/// none.
pub async fn call(hub: &Hub, id: &TwinId, call: &MethodCall) -> Result<MethodAnswer, Refused> {
    let identity = may_be_called(hub, id)?;
    run_told(hub, (id, &identity), call).await
}

/// As [`call`], of this generation of the identity: one that is made under its id meanwhile is not called.
///
/// # Errors
/// As there; 404001 also when another identity has the id.
pub async fn call_as(hub: &Hub, id: &TwinId, identity: &str, call: &MethodCall) -> Result<MethodAnswer, Refused> {
    may_be_called(hub, id)?;
    hub.read(|registry| registry.check_generation(id, identity))?;
    run_told(hub, (id, identity), call).await
}

/// Runs it, and notes what became of it.
async fn run_told(hub: &Hub, (id, identity): (&TwinId, &str), call: &MethodCall) -> Result<MethodAnswer, Refused> {
    let started = Instant::now();
    let outcome = run(hub, (id, identity), call).await;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let told = outcome.as_ref().map(|answer| answer.status).map_err(|refused| refused.code.number);
    hub.happened(id, What::Method { name: call.name.clone(), outcome: told, ms });
    outcome
}

async fn run(hub: &Hub, id: (&TwinId, &str), call: &MethodCall) -> Result<MethodAnswer, Refused> {
    let (place, answer) = hub.calls().enter(id.0, id.1)?;
    let gone = deliver(hub, id, call, &place.rid).await?;
    let deadline = Instant::now() + Duration::from_secs(call.response_timeout_s.into());
    wait(hub, id, answer, gone, deadline).await
}

/// The `generationId` of the identity.
fn may_be_called(hub: &Hub, id: &TwinId) -> Result<String, Refused> {
    hub.read(|registry| {
        let gone = || Refused { code: ErrorCode::DEVICE_NOT_FOUND, message: id.to_string() };
        let identity = registry.generation(id).ok_or_else(gone)?;
        match registry.device(&id.device).ok_or_else(gone)?.record.status {
            // A disabled device cannot connect, so it is answered for as one that is offline. What the service says is
            // unconfirmed; 403012 would be the other guess.
            Status::Disabled => Err(offline()),
            Status::Enabled => Ok(identity),
        }
    })
}

/// Gets the call to a client, the one that is there or the one that comes in time. The token is cancelled when its connection goes.
async fn deliver(
    hub: &Hub,
    (id, identity): (&TwinId, &str),
    call: &MethodCall,
    rid: &str,
) -> Result<CancellationToken, Refused> {
    let patience = Instant::now() + Duration::from_secs(call.connect_timeout_s.into());
    let packet = Outgoing::Publish {
        topic: ToDevice::Method { name: call.name.clone(), rid: rid.to_owned() }.topic(),
        payload: method::payload_text(&call.payload).into(),
    };
    // Before the first try: who arrives between a try and the wait must not be missed.
    let mut arrival = hub.sessions().arrival(id);
    loop {
        match hub.sessions().send((id, identity), |filter| method::is_for(filter, &call.name), &packet) {
            Ok(gone) => return Ok(gone),
            Err(NotSent::Full) => return Err(too_many(format!("{id} does not read what it is sent"))),
            Err(NotSent::Offline | NotSent::Unsubscribed) if call.connect_timeout_s == 0 => return Err(offline()),
            Err(NotSent::Offline | NotSent::Unsubscribed) => {}
        }
        tokio::select! {
            () = arrival.next() => {}
            () = sleep_until(patience) => return Err(offline()),
        }
        // Who arrived may be another of that id.
        hub.read(|registry| registry.check_generation(id, identity))?;
    }
}

/// Waits for the answer, across a reconnect of the client if it is a short one.
async fn wait(
    hub: &Hub,
    (id, identity): (&TwinId, &str),
    mut answer: oneshot::Receiver<Result<MethodAnswer, Refused>>,
    gone: CancellationToken,
    deadline: Instant,
) -> Result<MethodAnswer, Refused> {
    let mut arrival = hub.sessions().arrival(id);
    let mut connection = Some(gone);
    let mut patience = deadline;
    loop {
        let change = async {
            match &connection {
                Some(gone) => gone.cancelled().await,
                None => arrival.next().await,
            }
        };
        tokio::select! {
            // An answer that has come counts, however late it is looked at.
            biased;
            answer = &mut answer => return answer.unwrap_or_else(|_closed| Err(unanswered())),
            () = sleep_until(patience) => {
                return Err(if connection.is_some() { unanswered() } else { dropped() });
            }
            () = change => {}
        }
        connection = hub.sessions().gone(id, identity);
        patience = if connection.is_some() { deadline } else { deadline.min(Instant::now() + RETURN) };
    }
}

/// What the device said. A payload that is no JSON is refused as the service refuses it (reported by users of its SDKs); for one
/// that is too large its answer is unconfirmed, and 413 would blame the caller's own request.
fn read(status: i64, payload: &[u8]) -> Result<MethodAnswer, Refused> {
    let unusable = |message| Refused { code: ErrorCode::INVALID_RESPONSE_WHILE_PROXYING, message };
    if payload.len() > PAYLOAD_MAX {
        let bytes = payload.len();
        return Err(unusable(format!("the device's answer has {bytes} bytes, at most {PAYLOAD_MAX} are allowed")));
    }
    let payload =
        method::read_payload(payload).ok_or_else(|| unusable("the device's answer is not JSON".to_owned()))?;
    Ok(MethodAnswer { status, payload })
}

// The words of the service, as they stand in its users' reports.

fn offline() -> Refused {
    let message = "Timed out waiting for device to connect.".to_owned();
    Refused { code: ErrorCode::DEVICE_NOT_ONLINE, message }
}

fn unanswered() -> Refused {
    let message = "Timed out waiting for the response from device.".to_owned();
    Refused { code: ErrorCode::GATEWAY_TIMEOUT, message }
}

// And those of which no report says how they go on.

fn dropped() -> Refused {
    let message = "the device's connection ended before it answered".to_owned();
    Refused { code: ErrorCode::DEVICE_CONNECTION_CLOSED_REMOTELY, message }
}

fn too_many(message: String) -> Refused {
    Refused { code: ErrorCode::DEVICE_MAXIMUM_INFLIGHT_METHOD_EXCEEDED, message }
}
