//! What the targets share: a hub in memory, and the bytes of a client that is let into it.

use std::sync::{Arc, LazyLock};
use twinscope::local_hub::clock::Moment;
use twinscope::local_hub::commit::Committer;
use twinscope::local_hub::events::Log;
use twinscope::local_hub::hub::{Hub, Parts};
use twinscope::local_hub::mqtt::Sessions;
use twinscope::local_hub::policies::Policies;
use twinscope::local_hub::registry::Registry;
use twinscope::local_hub::store::Items;
use twinscope::local_hub::x509::Authorities;
use twinscope::local_hub::{FleetChoice, Tuning, fleet};
use twinscope::protocol::identity::{Authentication, IdentityRequest};
use twinscope::protocol::rest::IfMatch;
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{AuthKind, TwinId};

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
/// In the year 2100.
const EXPIRY_S: u64 = 4_102_444_800;

/// The device that is fuzzed, its module, and the neighbour who must not notice.
pub fn ids() -> [TwinId; 3] {
    [TwinId::device("d"), TwinId::module("d", "m"), TwinId::device("good")]
}

/// A hub with the three of [`ids`], as fresh as the last. It has its own committing thread, which ends with it.
pub fn hub() -> Arc<Hub> {
    static FRESH: LazyLock<(Registry, Policies)> = LazyLock::new(|| {
        let now = Moment::now();
        let mut registry = fleet::fresh(FleetChoice::Empty, &now);
        for id in ids() {
            let key = || Some(Secret::new(KEY));
            let authentication = Authentication {
                kind: AuthKind::Sas,
                primary_key: key(),
                secondary_key: key(),
                primary_thumbprint: None,
                secondary_thumbprint: None,
            };
            let request = IdentityRequest { authentication: Some(authentication), ..IdentityRequest::new(id) };
            registry.put_identity(&request, &IfMatch::Absent, &now).expect("an identity that can be");
        }
        (registry, Policies::new())
    });
    let (registry, policies) = FRESH.clone();
    let sessions = Arc::new(Sessions::default());
    let events = Arc::new(Log::default());
    let committer = Committer::start(None, sessions.clone(), events.clone()).expect("a thread");
    let (tuning, items, authorities) = (Tuning::default(), Items::default(), Authorities::default());
    Arc::new(Hub::new(Parts { registry, policies, committer, sessions, events, tuning, items, authorities }))
}

/// A CONNECT that is let in.
pub fn connect(id: &TwinId, clean: bool, keep_alive_s: u16) -> Vec<u8> {
    let token = sas::sign(&sas::resource("localhost", Some(id)), &Secret::new(KEY), EXPIRY_S, None).expect("a key");
    let user_name = format!("localhost/{id}/?api-version=2021-04-12&DeviceClientType=fuzz");
    let mut body = counted(b"MQTT");
    body.extend([4, 0xc0 | u8::from(clean) << 1]);
    body.extend(keep_alive_s.to_be_bytes());
    for text in [id.to_string().as_str(), &user_name, token.reveal()] {
        body.extend(counted(text.as_bytes()));
    }
    packet(0x10, &body)
}

pub fn publish(first: u8, packet_id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = counted(topic.as_bytes());
    if first & 0b110 != 0 {
        body.extend(packet_id.to_be_bytes());
    }
    body.extend(payload);
    packet(first, &body)
}

pub fn subscribe(packet_id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    for (filter, qos) in filters {
        body.extend(counted(filter.as_bytes()));
        body.push(*qos);
    }
    packet(0x82, &body)
}

pub fn unsubscribe(packet_id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    filters.iter().for_each(|filter| body.extend(counted(filter.as_bytes())));
    packet(0xa2, &body)
}

/// Fixed header and body.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length = body.len();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

/// Two bytes of length, then the bytes; cut at what two bytes can count.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[..bytes.len().min(usize::from(u16::MAX))];
    let mut out = (bytes.len() as u16).to_be_bytes().to_vec();
    out.extend(bytes);
    out
}
