//! Cloud-to-device messages: sent, purged, received over a link, and their feedback.

use super::bad_server::{BadServer, JSON, Reply, answer, certificates};
use super::local::{LONG, TestHub, brisk, identity_connection, next, state, view};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twinscope::client::link::{Dial, Receipt, Reconnect};
use twinscope::client::{DeviceLink, HubError, LinkEvent, LinkState, Trust};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::message::{Ack, DEVICE_BOUND_MAX, Outcome, Properties, System};
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

fn properties(id: &str, ack: Ack) -> Properties {
    let mut properties = Properties::default();
    properties.set(System::MessageId, id);
    properties.set(System::Ack, ack.word());
    properties
}

type Events = tokio::sync::mpsc::Receiver<LinkEvent>;

/// The next message the link tells of.
async fn message(events: &mut Events) -> (Receipt, Properties, Vec<u8>) {
    loop {
        if let LinkEvent::Message { receipt, properties, body } = next(events).await {
            return (receipt, properties, body.to_vec());
        }
    }
}

/// A device that listened once: from then on the hub queues for it over MQTT.
async fn known(hub: &TestHub, id: &TwinId) -> (DeviceLink, Events) {
    let (link, mut events) = hub.link(&hub.create(id).await, Reconnect::UnlessPushedOut);
    view(&mut events).await;
    (link, events)
}

async fn waiting(hub: &TestHub, id: &TwinId) -> u64 {
    hub.client.identity(id).await.unwrap().cloud_to_device_message_count
}

#[tokio::test]
async fn sent_while_offline_received_later_and_confirmed_by_feedback() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let connection = hub.create(&id).await;
    let (link, mut events) = known(&hub, &id).await;
    link.close().await;
    state(&mut events, |state| *state == LinkState::Closed).await;

    let mut sent = properties("m 1/ö", Ack::Full);
    sent.set(System::CorrelationId, "c");
    sent.set(System::ContentType, "application/json");
    sent.set(System::ContentEncoding, "utf-8");
    sent.app.push(("Alert".to_owned(), Some("größer & mehr".to_owned())));
    let body = b"{\"n\": 1.50}\x00\xff";
    hub.client.send_message("d", &sent, body).await.unwrap();
    assert_eq!(waiting(&hub, &id).await, 1);
    assert_eq!(hub.client.feedback().await.unwrap(), None);

    let (link, mut events) = hub.link(&connection, Reconnect::UnlessPushedOut);
    let (receipt, came, payload) = message(&mut events).await;
    assert_eq!(payload, body);
    assert_eq!(came.get(System::MessageId), Some("m 1/ö"));
    assert_eq!(came.get(System::CorrelationId), Some("c"));
    assert_eq!(came.get(System::ContentType), Some("application/json"));
    assert_eq!(came.app, [("alert".to_owned(), Some("größer & mehr".to_owned()))]);
    // Nobody said that it was taken.
    assert_eq!(waiting(&hub, &id).await, 1);
    link.acknowledge(receipt).await.unwrap();
    let hub_says = hub.hub.hub();
    crate::hub_mqtt::place::eventually("the hub lets go of it", || {
        hub_says.read(|registry| registry.record(&id).is_some_and(|record| record.messages == 0))
    })
    .await;

    let batch = hub.client.feedback().await.unwrap().unwrap();
    let record = &batch.records[0];
    assert_eq!((batch.records.len(), record.message_id.as_deref()), (1, Some("m 1/ö")));
    assert_eq!((record.device.as_str(), record.outcome()), ("d", Some(Outcome::Success)));
    // It is locked, then given back, then taken.
    assert_eq!(hub.client.feedback().await.unwrap(), None);
    hub.client.abandon_feedback(&batch.lock).await.unwrap();
    let again = hub.client.feedback().await.unwrap().unwrap();
    assert_eq!(again.records, batch.records);
    let error = hub.client.complete_feedback(&batch.lock).await.unwrap_err();
    assert!(matches!(&error, HubError::Conflict { service } if service.number == Some(412_002)), "{error:?}");
    hub.client.complete_feedback(&again.lock).await.unwrap();
    assert_eq!(hub.client.feedback().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let connection = hub.create(&id).await;
    let (link, mut events) = known(&hub, &id).await;
    hub.client.send_message("d", &Properties::default(), b"").await.unwrap();
    let (old, _, body) = message(&mut events).await;
    assert_eq!(body, b"");
    link.close().await;
    let (link, mut events) = hub.link(&connection, Reconnect::UnlessPushedOut);
    let (receipt, ..) = message(&mut events).await;
    // A receipt of an earlier connection means nothing on this one.
    assert_ne!(old, receipt);
    assert_eq!(waiting(&hub, &id).await, 1);
    link.acknowledge(receipt).await.unwrap();
    let hub_says = hub.hub.hub();
    crate::hub_mqtt::place::eventually("the hub lets go of it", || {
        hub_says.read(|registry| registry.record(&id).is_some_and(|record| record.messages == 0))
    })
    .await;
}

#[tokio::test]
async fn odd_ids_and_modules_still_connect() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    for id in [TwinId::device("a#b+c"), TwinId::device("d'(x)")] {
        known(&hub, &id).await;
        hub.client.send_message(&id.device, &Properties::default(), b"x").await.unwrap();
        assert_eq!(waiting(&hub, &id).await, 1, "{id}");
    }
    hub.create(&TwinId::device("d")).await;
    let (link, mut events) = known(&hub, &TwinId::module("d", "m")).await;
    hub.client.send_message("d", &Properties::default(), b"for the device").await.unwrap();
    assert!(link.twin().await.is_ok());
    assert!(events.try_recv().is_err(), "nothing of it comes to the module");
}

#[tokio::test]
async fn purging_says_how_many() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    hub.create(&id).await;
    for n in 0..3 {
        hub.client.send_message("d", &properties(&n.to_string(), Ack::Negative), b"x").await.unwrap();
    }
    assert_eq!(hub.client.purge_messages("d").await, Ok(3));
    assert_eq!(hub.client.purge_messages("d").await, Ok(0));
    assert_eq!(waiting(&hub, &id).await, 0);
    let batch = hub.client.feedback().await.unwrap().unwrap();
    let outcomes: Vec<_> =
        batch.records.iter().map(|record| (record.message_id.as_deref(), record.outcome())).collect();
    let purged = |id| (Some(id), Some(Outcome::Purged));
    assert_eq!(outcomes, [purged("0"), purged("1"), purged("2")]);
}

#[tokio::test]
async fn what_the_hub_refuses_has_its_code_and_advice() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    hub.create(&TwinId::device("d")).await;
    let expiring = |text: &str| {
        let mut properties = Properties::default();
        properties.set(System::Expiry, text);
        properties
    };
    let send = async |properties: &Properties| hub.client.send_message("d", properties, b"x").await;
    let error = send(&expiring("2100-01-01T00:00:00Z")).await.unwrap_err();
    assert!(matches!(&error, HubError::Forbidden { service } if service.number == Some(403_009)), "{error:?}");
    assert!(error.advice().contains("two days"), "{}", error.advice());
    let error = send(&expiring("2020-01-01T00:00:00Z")).await.unwrap_err();
    assert!(matches!(&error, HubError::Refused { status: 400, .. } | HubError::Forbidden { .. }), "{error:?}");
    for _ in 0..50 {
        send(&Properties::default()).await.unwrap();
    }
    let error = send(&Properties::default()).await.unwrap_err();
    assert!(matches!(&error, HubError::Forbidden { service } if service.number == Some(403_004)), "{error:?}");
    assert!(error.advice().contains("purge the queue"), "{}", error.advice());
    let error = hub.client.send_message("nobody", &Properties::default(), b"x").await.unwrap_err();
    assert!(matches!(error, HubError::NotFound { .. }), "{error:?}");
    let reader = hub.client_of("registryRead");
    let error = reader.send_message("d", &Properties::default(), b"x").await.unwrap_err();
    assert!(matches!(error, HubError::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn what_no_hub_takes_is_not_sent() {
    let server = BadServer::start(Vec::new()).await;
    let with = |name: &str, value: &str| Properties {
        app: vec![(name.to_owned(), Some(value.to_owned()))],
        ..Properties::default()
    };
    let large = vec![b'x'; DEVICE_BOUND_MAX - 1];
    for (properties, body) in [
        (with("two words", "x"), &b"x"[..]),
        (with("", "x"), b"x"),
        (with("größe", "x"), b"x"),
        (with("a", "line\nbreak"), b"x"),
        (with("a", "b"), &large),
    ] {
        let error = server.client().send_message("d", &properties, body).await.unwrap_err();
        assert!(matches!(error, HubError::Refused { status: 0, .. }), "{error:?}");
    }
    assert!(server.requests().is_empty());
}

type Check = fn(&HubError) -> bool;

#[tokio::test]
async fn a_message_is_sent_once_and_nonsense_is_told() {
    let unknown: Check = |error| matches!(error, HubError::OutcomeUnknown { .. });
    for (reply, check) in [(Reply::Close, unknown), (answer("500 Error", "", "<html>proxy</html>"), unknown)] {
        let server = BadServer::start(vec![reply, answer("204 No Content", "", "")]).await;
        let error = server.client().send_message("d", &Properties::default(), b"x").await.unwrap_err();
        assert!(check(&error), "{error:?}");
        assert_eq!(server.requests().len(), 1);
    }
    for body in ["{}", "[]", r#"{"totalMessagesPurged":"3"}"#] {
        let server = BadServer::start(vec![answer("200 OK", JSON, body)]).await;
        let error = server.client().purge_messages("d").await.unwrap_err();
        assert!(unknown(&error), "{error:?}");
    }
    let etag = format!("{JSON}ETag: \"lock\"\r\n");
    for (headers, body) in [(JSON, "[]"), (etag.as_str(), "{}"), (etag.as_str(), "[")] {
        let server = BadServer::start(vec![answer("200 OK", headers, body)]).await;
        let error = server.client().feedback().await.unwrap_err();
        assert!(matches!(error, HubError::Nonsense { .. }), "{error:?}");
    }
    // Records that are none are passed over.
    let body = r#"[1, {"deviceId":"d"}, {"deviceId":"d","statusCode":"expired","originalMessageId":""}]"#;
    let server = BadServer::start(vec![answer("200 OK", &etag, body)]).await;
    let batch = server.client().feedback().await.unwrap().unwrap();
    assert_eq!((batch.lock.as_str(), batch.records.len()), ("lock", 1));
    assert_eq!((batch.records[0].outcome(), &batch.records[0].message_id), (Some(Outcome::Expired), &None));
}

/// One packet: its first byte and what follows the length.
async fn packet(stream: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    let first = stream.read_u8().await.unwrap();
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let byte = stream.read_u8().await.unwrap();
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await.unwrap();
    (first, rest)
}

#[tokio::test]
async fn what_waited_is_acknowledged_before_the_subscription_is() {
    let dir = tempfile::tempdir().unwrap();
    let tls = certificates(&dir.path().join("ca.pem"));
    let trust = Trust::new(&[dir.path().join("ca.pem")]).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let dial = Dial { host: "localhost".to_owned(), port: listener.local_addr().unwrap().port() };
    let hub = tokio::spawn(async move {
        let mut stream = tls.accept(listener.accept().await.unwrap().0).await.unwrap();
        assert_eq!(packet(&mut stream).await.0, 0x10, "CONNECT");
        // CONNACK with a session that is present, and at once what waited in it, as packet 7.
        let topic = b"devices/d/messages/devicebound/%24.mid=m";
        let length = u8::try_from(2 + topic.len() + 2 + 2).unwrap();
        let mut bytes = vec![0x20, 2, 1, 0, 0x32, length, 0, u8::try_from(topic.len()).unwrap()];
        bytes.extend_from_slice(topic);
        bytes.extend_from_slice(&[0, 7, b'h', b'i']);
        stream.write_all(&bytes).await.unwrap();
        // No SUBACK is ever sent.
        loop {
            let (first, rest) = packet(&mut stream).await;
            if first == 0x40 {
                return rest;
            }
        }
    });
    let connection =
        identity_connection(&TwinId::device("d"), Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    let (link, mut events) =
        DeviceLink::connect_with(&connection, Some(dial), &trust, Reconnect::UnlessPushedOut, brisk()).unwrap();
    let (receipt, _, body) = message(&mut events).await;
    assert_eq!(body, b"hi");
    link.acknowledge(receipt).await.unwrap();
    let acknowledged = tokio::time::timeout(LONG, hub).await.expect("PUBACK in time").unwrap();
    assert_eq!(acknowledged, [0, 7]);
}
