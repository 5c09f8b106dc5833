//! A device's own connection against the local hub.

use super::local::{LONG, TestHub, brisk, desired, ended, identity_connection, map, next, options, state, view};
use serde_json::json;
use twinscope::client::link::Reconnect;
use twinscope::client::{DeviceLink, HubError, LinkEvent, LinkState, Trust};
use twinscope::local_hub::{FleetChoice, LocalHub};
use twinscope::protocol::rest::IfMatch;
use twinscope::protocol::secret::Secret;
use twinscope::twin::{ConnectionState, TwinId};

fn online(state: &LinkState) -> bool {
    matches!(state, LinkState::Online { .. })
}

fn any(_: &LinkState) -> bool {
    true
}

#[tokio::test]
async fn a_module_sees_reports_and_is_told() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    hub.create(&TwinId::device("d")).await;
    let id = TwinId::module("d", "m");
    let connection = hub.create(&id).await;
    hub.client.patch_twin(&id, &desired(json!({"interval": 60})), &IfMatch::Any).await.unwrap();
    let (link, mut events) = hub.link(&connection, Reconnect::UnlessPushedOut);
    assert_eq!(next(&mut events).await, LinkEvent::State(LinkState::Connecting));
    assert_eq!(next(&mut events).await, LinkEvent::State(LinkState::Online { session_present: false }));
    let LinkEvent::Twin(first) = next(&mut events).await else { panic!("the view comes first") };
    assert_eq!((first.desired.clone(), first.desired_version), (map(json!({"interval": 60})), 2));
    assert_eq!(link.twin().await.unwrap(), first);

    assert_eq!(link.report(&map(json!({"interval": 60, "exact": 1.0}))).await, Ok(2));
    let twin = hub.client.twin(&id).await.unwrap();
    assert_eq!(twin.reported.values, map(json!({"interval": 60, "exact": 1.0})));
    assert_eq!(twin.connection_state, ConnectionState::Connected);

    for (version, interval) in [(3, 122), (4, 123)] {
        hub.client.patch_twin(&id, &desired(json!({"interval": interval, "x": null})), &IfMatch::Any).await.unwrap();
        let patch = map(json!({"interval": interval, "x": null}));
        assert_eq!(next(&mut events).await, LinkEvent::Desired { version, patch });
    }

    let refused = link.report(&map(json!({"$bad": 1}))).await;
    assert!(matches!(refused, Err(HubError::Refused { status: 400, .. })), "{refused:?}");
    link.send(&[("$.ct", Some("application/json")), ("site", None)], b"{}".to_vec()).await.unwrap();
    assert_eq!(crate::support::telemetry(&hub.hub).len(), 1);

    link.close().await;
    assert_eq!(next(&mut events).await, LinkEvent::State(LinkState::Closed));
    ended(&mut events).await;
    assert!(matches!(link.twin().await, Err(HubError::Unreachable { .. })));
}

#[tokio::test]
async fn ids_of_any_character_connect() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    for name in ["50%", "a#b?c", "it's", "a+b", ".."] {
        hub.create(&TwinId::device(name)).await;
        let id = TwinId::module(name, name);
        let connection = hub.create(&id).await;
        let (link, mut events) = hub.link(&connection, Reconnect::UnlessPushedOut);
        view(&mut events).await;
        assert_eq!(link.report(&map(json!({"name": name}))).await, Ok(2), "{name}");
    }
}

#[tokio::test]
async fn who_is_pushed_out_does_not_fight_back() {
    for reconnect in [Reconnect::UnlessPushedOut, Reconnect::Always] {
        let hub = TestHub::start(FleetChoice::Empty).await;
        let connection = hub.create(&TwinId::device("d")).await;
        let (first, mut first_events) = hub.link(&connection, reconnect);
        view(&mut first_events).await;
        let (second, mut second_events) = hub.link(&connection, reconnect);
        view(&mut second_events).await;
        assert_eq!(state(&mut first_events, any).await, LinkState::PushedOut);
        ended(&mut first_events).await;
        assert!(matches!(first.twin().await, Err(HubError::Unreachable { .. })));
        second.report(&map(json!({"still": "here"}))).await.unwrap();
        assert!(second_events.try_recv().is_err(), "the second one is left alone");
    }
}

#[tokio::test]
async fn dropping_the_last_handle_disconnects() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let connection = hub.create(&id).await;
    let (link, mut events) = hub.link(&connection, Reconnect::Always);
    view(&mut events).await;
    let clone = link.clone();
    drop(link);
    assert_eq!(clone.report(&map(json!({"a": 1}))).await, Ok(2));
    drop(clone);
    assert_eq!(state(&mut events, any).await, LinkState::Closed);
    ended(&mut events).await;
    let gone = async {
        while hub.client.twin(&id).await.unwrap().connection_state == ConnectionState::Connected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, gone).await.unwrap();
}

#[tokio::test]
async fn a_hub_that_goes_and_comes_back_is_waited_for() {
    let mut hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let connection = hub.create(&id).await;
    let (link, mut events) = hub.link(&connection, Reconnect::UnlessPushedOut);
    view(&mut events).await;
    let (https, mqtts) = (hub.hub.https(), hub.hub.mqtts());
    hub.hub.stop().await;
    state(&mut events, |state| matches!(state, LinkState::Retrying { .. })).await;
    assert!(matches!(link.twin().await, Err(HubError::Unreachable { .. })));

    let again = twinscope::local_hub::HubOptions { https, mqtts, ..options(hub.dir.path(), FleetChoice::Empty) };
    hub.hub = LocalHub::start(again).await.unwrap();
    hub.client.patch_twin(&id, &desired(json!({"missed": true})), &IfMatch::Any).await.unwrap();
    state(&mut events, online).await;
    let mut seen = view(&mut events).await.desired;
    if seen.is_empty() {
        // It was back before the patch.
        let LinkEvent::Desired { patch, .. } = next(&mut events).await else { panic!("the patch comes by itself") };
        seen = patch;
    }
    assert_eq!(seen, map(json!({"missed": true})));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_not_tried_again() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let connection = hub.create(&id).await;
    let wrong = identity_connection(&id, Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    let unknown = identity_connection(&TwinId::device("nobody"), Secret::new("AAEC"));
    for connection in [&wrong, &unknown] {
        let (_link, mut events) = hub.link(connection, Reconnect::Always);
        assert_eq!(state(&mut events, any).await, LinkState::Connecting);
        let last = state(&mut events, any).await;
        assert!(matches!(last, LinkState::Refused { .. }), "{last:?}");
        ended(&mut events).await;
    }
    let stranger = Trust::new(&[]).unwrap();
    let (_link, mut events) =
        DeviceLink::connect_with(&connection, Some(hub.dial()), &stranger, Reconnect::Always, brisk()).unwrap();
    let last = state(&mut events, |state| *state != LinkState::Connecting).await;
    assert!(matches!(&last, LinkState::Refused { reason } if reason.contains("not trusted")), "{last:?}");

    let service = hub.hub.connection_string();
    let outcome = DeviceLink::connect(&service, None, &hub.trust, Reconnect::Always);
    assert!(matches!(outcome.map(|_| ()), Err(HubError::Refused { status: 0, .. })));
}

#[tokio::test]
async fn a_reader_that_is_far_behind_gets_a_fresh_view() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let connection = hub.create(&id).await;
    let (link, mut events) = hub.link(&connection, Reconnect::Always);
    view(&mut events).await;
    let count: u64 = 400;
    for n in 1..=count {
        hub.client.patch_twin(&id, &desired(json!({"n": n})), &IfMatch::Any).await.unwrap();
    }
    // The answer comes after all notifications, while nobody reads them.
    assert_eq!(link.twin().await.unwrap().desired_version, count + 1);
    let mut known = 1;
    while known < count + 1 {
        match next(&mut events).await {
            LinkEvent::Desired { version, .. } => {
                assert_eq!(version, known + 1, "no gap without a view");
                known = version;
            }
            LinkEvent::Twin(view) => known = view.desired_version,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn numbers_keep_their_spelling_on_every_way() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    let connection = hub.create(&id).await;
    // Not by `json!`, which respells what it takes in.
    let desire = |spelled: &str| {
        let text = format!(r#"{{"properties":{{"desired":{{"n":{spelled}}}}}}}"#);
        map(twinscope::twin::wire::json(text.as_bytes()).unwrap())
    };
    let spelling = |values: &twinscope::twin::JsonMap| values["n"].to_string();
    hub.client.patch_twin(&id, &desire("1E5"), &IfMatch::Any).await.unwrap();
    hub.hub.hub().report(&id, br#"{"n":2.50E+07}"#, None).await.unwrap();
    let (link, mut events) = hub.link(&connection, Reconnect::UnlessPushedOut);
    for seen in [view(&mut events).await, link.twin().await.unwrap()] {
        assert_eq!((spelling(&seen.desired), spelling(&seen.reported)), ("1E5".to_owned(), "2.50E+07".to_owned()));
    }
    let rows = hub.client.query("SELECT properties.desired.n FROM devices", 10, None).await.unwrap().rows;
    assert_eq!(spelling(rows[0].as_object().unwrap()), "1E5");
    hub.client.patch_twin(&id, &desire("3E0"), &IfMatch::Any).await.unwrap();
    let LinkEvent::Desired { patch, .. } = next(&mut events).await else { panic!("a patch") };
    assert_eq!(spelling(&patch), "3E0");
}
