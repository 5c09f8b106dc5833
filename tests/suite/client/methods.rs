//! Calling direct methods, and answering them over a link.

use super::bad_server::{BadServer, JSON, Reply, answer};
use super::local::{TestHub, next, view};
use serde_json::json;
use std::time::{Duration, Instant};
use twinscope::client::link::Reconnect;
use twinscope::client::{DeviceLink, HubError, LinkEvent};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::method::{MethodAnswer, MethodCall, PAYLOAD_MAX};
use twinscope::twin::{TwinId, wire};

/// The next call the link tells of, answered with what `make` makes of its payload.
async fn serve(
    link: &DeviceLink,
    events: &mut tokio::sync::mpsc::Receiver<LinkEvent>,
    make: impl FnOnce(&str, serde_json::Value) -> MethodAnswer,
) {
    loop {
        if let LinkEvent::Method { name, rid, payload } = next(events).await {
            return link.answer_method(&rid, &make(&name, payload)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_call_and_its_answer() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    hub.create(&TwinId::device("d")).await;
    for id in [TwinId::device("d"), TwinId::module("d", "m")] {
        let (link, mut events) = hub.link(&hub.create(&id).await, Reconnect::UnlessPushedOut);
        view(&mut events).await;
        let payload = wire::json(br#"{"delay":1.50,"name":"\u00f6"}"#).unwrap();
        let call = MethodCall::new("part*reboot", payload.clone());
        let (answer, ()) = tokio::join!(
            hub.client.call_method(&id, &call),
            serve(&link, &mut events, |name, payload| {
                assert_eq!(name, "part*reboot");
                MethodAnswer { status: 500, payload }
            })
        );
        // The device's status is no failure of the call.
        assert_eq!(answer, Ok(MethodAnswer { status: 500, payload }));
    }
}

#[tokio::test]
async fn nobody_listens() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    hub.create(&id).await;
    let call = MethodCall::new("reboot", json!(null));
    let error = hub.client.call_method(&id, &call).await.unwrap_err();
    let HubError::NotOnline { service } = &error else { panic!("{error:?}") };
    assert_eq!(service.number, Some(404_103));
    assert!(service.tracking_id.is_some());
    assert!(error.advice().contains("subscribe to methods"), "{}", error.advice());
    let error = hub.client.call_method(&TwinId::device("nobody"), &call).await.unwrap_err();
    assert!(matches!(error, HubError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_device_that_says_nothing_and_a_caller_that_gives_up() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let (_link, mut events) = hub.link(&hub.create(&id).await, Reconnect::UnlessPushedOut);
    view(&mut events).await;
    let begun = Instant::now();
    let call = MethodCall { response_timeout_s: 5, ..MethodCall::new("silence", json!({})) };
    let error = hub.client.call_method(&id, &call).await.unwrap_err();
    let HubError::NoAnswer { service } = &error else { panic!("{error:?}") };
    assert_eq!((service.number, begun.elapsed().as_secs() >= 5), (Some(504_101), true));
    assert_eq!(error.to_string(), "the device did not answer in time");
    // Dropping the future ends the call on the hub too.
    let waiting = hub.client.call_method(&id, &call);
    assert!(tokio::time::timeout(Duration::from_millis(300), waiting).await.is_err());
    crate::hub_mqtt::place::eventually("the hub forgets it", || hub.hub.hub().calls().in_flight() == 0).await;
}

#[tokio::test]
async fn what_no_hub_takes_is_not_sent() {
    let server = BadServer::start(Vec::new()).await;
    let good = MethodCall::new("m", json!(null));
    for call in [
        MethodCall { name: "a b".into(), ..good.clone() },
        MethodCall { connect_timeout_s: 31, ..good.clone() },
        MethodCall { payload: json!("x".repeat(PAYLOAD_MAX)), ..good.clone() },
    ] {
        let error = server.client().call_method(&TwinId::device("d"), &call).await.unwrap_err();
        assert!(matches!(error, HubError::Refused { status: 0, .. }), "{error:?}");
    }
    assert!(server.requests().is_empty());
}

type Check = fn(&HubError) -> bool;

#[tokio::test]
async fn answers_of_the_hub_are_told_from_those_of_something_between() {
    let nested = |code: u32| {
        let inner = json!({"errorCode": code, "trackingId": "0f1e", "message": "text", "info": {}});
        json!({"Message": inner.to_string(), "ExceptionMessage": ""}).to_string()
    };
    let hubs =
        |status: &str, name: &str, code| answer(status, &format!("{JSON}iothub-errorcode: {name}\r\n"), &nested(code));
    let cases: Vec<(Reply, Check)> = vec![
        (hubs("504 Gateway Timeout", "GatewayTimeout", 504_101), |e| matches!(e, HubError::NoAnswer { .. })),
        (hubs("502 Bad Gateway", "InvalidResponseWhileProxying", 502_101), |e| matches!(e, HubError::NoAnswer { .. })),
        (hubs("404 Not Found", "DeviceConnectionClosedRemotely", 404_104), |e| matches!(e, HubError::NoAnswer { .. })),
        (hubs("404 Not Found", "DeviceNotOnline", 404_103), |e| matches!(e, HubError::NotOnline { .. })),
        (hubs("500 Error", "ServerError", 500_001), |e| matches!(e, HubError::HubFailed { .. })),
        (hubs("403 Forbidden", "DeviceMaximumInflightMethodExceeded", 403_800), |e| {
            matches!(e, HubError::Forbidden { .. }) && e.advice().contains("Too many calls")
        }),
        (answer("504 Gateway Timeout", "", "<html>proxy</html>"), |e| matches!(e, HubError::OutcomeUnknown { .. })),
        (answer("200 OK", JSON, r#"{"payload":1}"#), |e| matches!(e, HubError::OutcomeUnknown { .. })),
        (answer("200 OK", JSON, "[]"), |e| matches!(e, HubError::OutcomeUnknown { .. })),
        (Reply::Close, |e| matches!(e, HubError::OutcomeUnknown { .. })),
    ];
    for (reply, check) in cases {
        // A second request would be answered well: a call is sent once.
        let server = BadServer::start(vec![reply, answer("200 OK", JSON, r#"{"status":200}"#)]).await;
        let outcome = server.client().call_method(&TwinId::device("d"), &MethodCall::new("m", json!(1))).await;
        let error = outcome.unwrap_err();
        assert!(check(&error), "{error:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
    }
}
