//! A whole session over a pipe in memory: a real CONNECT, then whatever comes, while the hub changes the twin and calls methods. The
//! session ends or goes on, what it says is MQTT, nobody stays connected, and a neighbour notices nothing.
#![no_main]

use arbitrary::Arbitrary;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rumqttc::mqttbytes::v4::Packet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, yield_now};
use tokio_util::sync::CancellationToken;
use twinscope::local_hub::hub::Hub;
use twinscope::local_hub::methods;
use twinscope::local_hub::mqtt::{End, Limits, session};
use twinscope::local_hub::registry::Mode;
use twinscope::local_hub::x509::ClientCertificates;
use twinscope::protocol::method::MethodCall;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{Json, TwinId, text};
use twinscope_fuzz::{connect, hub, ids, packet, publish, subscribe, unsubscribe};

/// More than all that is ever asked for.
const ANSWERS_MAX: usize = 64 << 20;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    module: bool,
    clean: bool,
    keep_alive_s: u16,
    /// A bit of the CONNECT to turn, if it has that one.
    turned: Option<u16>,
    /// Bytes that go at once; 0: all.
    cut: u8,
    /// Bytes the pipe holds in each direction.
    room: u16,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Bytes(&'a [u8]),
    Packet {
        first: u8,
        body: &'a [u8],
    },
    Publish {
        flags: u8,
        packet_id: u16,
        topic: Topic<'a>,
        payload: &'a [u8],
    },
    Subscribe {
        packet_id: u16,
        filters: Vec<(Topic<'a>, u8)>,
    },
    Unsubscribe {
        packet_id: u16,
        filters: Vec<Topic<'a>>,
    },
    Ping,
    /// The service writes the twin.
    Desire(&'a str),
    /// The service calls a method, which is answered or not.
    Call(&'a str),
    /// Everything so far is worked off.
    Pause,
}

#[derive(Debug, Arbitrary)]
enum Topic<'a> {
    Any(&'a str),
    GetTwin(&'a str),
    Report(&'a str),
    TwinAnswers,
    Desired,
    Methods,
    MethodAnswer(u8),
    Telemetry(&'a str),
    ModuleTelemetry(&'a str),
    Commands,
}

impl Topic<'_> {
    fn text(&self) -> String {
        match self {
            Self::Any(text) => (*text).to_owned(),
            Self::GetTwin(tail) => format!("$iothub/twin/GET/?$rid=1{tail}"),
            Self::Report(tail) => format!("$iothub/twin/PATCH/properties/reported/?$rid=2{tail}"),
            Self::TwinAnswers => "$iothub/twin/res/#".to_owned(),
            Self::Desired => "$iothub/twin/PATCH/properties/desired/#".to_owned(),
            Self::Methods => "$iothub/methods/POST/#".to_owned(),
            Self::MethodAnswer(rid) => format!("$iothub/methods/res/200/?$rid={rid:x}"),
            Self::Telemetry(bag) => format!("devices/d/messages/events/{bag}"),
            Self::ModuleTelemetry(bag) => format!("devices/d/modules/m/messages/events/{bag}"),
            Self::Commands => "devices/d/messages/devicebound/#".to_owned(),
        }
    }
}

impl Step<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Packet { first, body } => packet(*first, body),
            Self::Publish { flags, packet_id, topic, payload } => {
                publish(0x30 | flags & 0x0f, *packet_id, &topic.text(), payload)
            }
            Self::Subscribe { packet_id, filters } => {
                let filters: Vec<(String, u8)> = filters.iter().map(|(filter, qos)| (filter.text(), qos % 3)).collect();
                let filters: Vec<(&str, u8)> = filters.iter().map(|(filter, qos)| (filter.as_str(), *qos)).collect();
                subscribe(*packet_id, &filters)
            }
            Self::Unsubscribe { packet_id, filters } => {
                let filters: Vec<String> = filters.iter().map(Topic::text).collect();
                unsubscribe(*packet_id, &filters.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Self::Ping => vec![0xc0, 0],
            Self::Desire(_) | Self::Call(_) | Self::Pause => Vec::new(),
        }
    }
}

fn open(hub: &Arc<Hub>, room: usize) -> (DuplexStream, JoinHandle<End>) {
    let (near, far) = tokio::io::duplex(room);
    let limits = Limits { drain: Duration::from_secs(60), ..Limits::default() };
    let end = session::run(far, hub.clone(), ClientCertificates::default(), limits, CancellationToken::new());
    (near, tokio::spawn(end))
}

async fn settle() {
    for _ in 0..8 {
        yield_now().await;
    }
}

async fn desire(hub: &Hub, id: &TwinId, body: &str) {
    let Ok(body) = text::value(&format!("{{\"properties\":{{\"desired\":{body}}}}}")) else { return };
    // What is refused is refused.
    let _written =
        hub.write(|registry, now| Ok(((), registry.write_twin(id, &body, &IfMatch::Any, Mode::Merge, now)?))).await;
}

fn call(hub: &Arc<Hub>, id: &TwinId, payload: &str) -> JoinHandle<()> {
    let call = MethodCall::new("reboot", Json::String(payload.to_owned()));
    let (hub, id) = (hub.clone(), id.clone());
    tokio::spawn(async move {
        let _answered = methods::call(&hub, &id, &call).await;
    })
}

/// A client as it should be gets its twin, at the version it has.
async fn neighbour(hub: &Arc<Hub>) {
    let id = &ids()[2];
    let (mut near, end) = open(hub, 64 * 1024);
    let mut bytes = connect(id, true, 60);
    bytes.extend(subscribe(1, &[("$iothub/twin/res/#", 0)]));
    bytes.extend(publish(0x30, 0, "$iothub/twin/GET/?$rid=9", b""));
    near.write_all(&bytes).await.expect("the hub reads");
    let mut said = BytesMut::new();
    let wanted = b"$iothub/twin/res/200/?$rid=9{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}";
    while !said.ends_with(wanted) {
        let more = near.read_buf(&mut said).await.expect("the hub answers");
        assert!(more > 0, "the neighbour was sent away with {said:?}");
    }
    assert!(said.starts_with(&[0x20, 2, 0, 0]), "{said:?}");
    near.write_all(&[0xe0, 0]).await.expect("the hub reads");
    assert_eq!(end.await.expect("no panic"), End::Disconnected);
}

/// Everything said is a packet that clients know; only the last may be cut.
fn check(said: &[u8]) {
    let mut said = BytesMut::from(said);
    while !said.is_empty() {
        match Packet::read(&mut said, usize::MAX) {
            Ok(_) => {}
            Err(rumqttc::mqttbytes::Error::InsufficientBytes(_)) => return,
            Err(error) => panic!("{error}: {said:?}"),
        }
    }
}

async fn visit(input: &Input<'_>) {
    let hub = hub();
    let id = &ids()[usize::from(input.module)];
    let (near, end) = open(&hub, usize::from(input.room).max(1));
    let (mut reader, mut writer) = tokio::io::split(near);
    let heard = tokio::spawn(async move {
        let (mut said, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
        while let Ok(count @ 1..) = reader.read(&mut piece).await {
            said.extend_from_slice(&piece[..count]);
            assert!(said.len() < ANSWERS_MAX);
        }
        said
    });
    let mut hello = connect(id, input.clean, input.keep_alive_s);
    if let Some(turned) = input.turned
        && let Some(byte) = hello.get_mut(usize::from(turned) / 8)
    {
        *byte ^= 1 << (turned % 8);
    }
    // The hub may close at any moment: that is its right.
    let mut open = writer.write_all(&hello).await.is_ok();
    let mut calls = Vec::new();
    for step in &input.steps {
        match step {
            Step::Desire(body) => desire(&hub, id, body).await,
            Step::Call(payload) => calls.push(call(&hub, id, payload)),
            Step::Pause => settle().await,
            step => {
                let bytes = step.bytes();
                let size = if input.cut == 0 { bytes.len() } else { usize::from(input.cut) };
                for piece in bytes.chunks(size.max(bytes.len() / 64).max(1)) {
                    open = open && writer.write_all(piece).await.is_ok();
                    if input.cut != 0 {
                        yield_now().await;
                    }
                }
            }
        }
    }
    // A closed session's pipe is broken, and then there is nothing to shut.
    let _closed = writer.shutdown().await;
    drop(writer);
    end.await.expect("no panic");
    check(&heard.await.expect("no panic"));
    assert!(!hub.sessions().is_connected(id), "{id} is still connected");
    calls.iter().for_each(JoinHandle::abort);
    neighbour(&hub).await;
    assert_eq!(hub.sessions().connected_count(), 0);
    hub.close().await;
}

fuzz_target!(|input: Input| {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));
    RUNTIME.block_on(visit(&input));
});
