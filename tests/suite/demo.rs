//! The simulated devices.

use crate::client::local::{LONG, TestHub, brisk, desired, identity_connection, map, state, view};
use serde_json::{Value, json};
use std::time::Duration;
use twinscope::client::HubClient;
use twinscope::client::link::{DeviceLink, Reconnect};
use twinscope::demo::{Demo, Pace, reply};
use twinscope::local_hub::FleetChoice;
use twinscope::local_hub::fleet::{Behaviour, DemoIdentity, demo_identities};
use twinscope::protocol::method::MethodCall;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::{ConnectionState, Twin, TwinId};

fn pace() -> Pace {
    Pace {
        reply: Duration::from_millis(1)..Duration::from_millis(20),
        measure: Duration::from_millis(50)..Duration::from_millis(100),
        entrance: Duration::from_millis(50),
        away: Duration::from_millis(50),
    }
}

/// Plays these of the cast.
fn play(hub: &TestHub, choose: impl Fn(&DemoIdentity) -> bool) -> Demo {
    let cast = demo_identities().into_iter().filter(choose).collect();
    Demo::start_with(&hub.hub.connection_string(), hub.hub.mqtts(), &hub.trust, cast, pace()).unwrap()
}

/// Reads the twin until it is as wanted.
async fn until(client: &HubClient, id: &TwinId, wanted: impl Fn(&Twin) -> bool) -> Twin {
    let reading = async {
        loop {
            let twin = client.twin(id).await.unwrap();
            if wanted(&twin) {
                return twin;
            }
            // Not to wait for something: to leave the hub time for it.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, reading).await.unwrap_or_else(|_| panic!("{id} does not come to it"))
}

fn first(behaviour: Behaviour, module: &str) -> TwinId {
    let fits = |part: &DemoIdentity| part.behaviour == behaviour && part.id.module.as_deref() == Some(module);
    demo_identities().into_iter().find(fits).expect("the fleet has one").id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_module_takes_a_patch_by_itself() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let id = TwinId::module("myFirstDevice", "myFirstModule");
    let _demo = play(&hub, |part| part.id.device == "myFirstDevice");
    until(&hub.client, &id, |twin| twin.reported.values == twin.desired.values).await;
    let patch = desired(json!({"telemetryInterval": 122, "enabled": null, "limits": {"humidity": null}}));
    hub.client.patch_twin(&id, &patch, &IfMatch::Any).await.unwrap();
    let twin = until(&hub.client, &id, |twin| twin.reported.values.get("telemetryInterval") == Some(&json!(122))).await;
    assert_eq!(twin.reported.values, twin.desired.values);
    assert!(!twin.reported.values.contains_key("enabled"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_acknowledges_one_refuses_one_drifts() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let (acknowledges, refuses, drifts) = (
        first(Behaviour::Acknowledges, "control"),
        first(Behaviour::Refuses, "safety"),
        first(Behaviour::Drifts, "control"),
    );
    let _demo = play(&hub, |part| [&acknowledges, &refuses, &drifts].contains(&&part.id));

    let twin = until(&hub.client, &acknowledges, |twin| twin.reported.values.contains_key("setpoint")).await;
    let answer = &twin.reported.values["setpoint"];
    assert_eq!(answer["value"], twin.desired.values["setpoint"]);
    assert_eq!((&answer["ac"], &answer["av"]), (&json!(200), &json!(twin.desired.version)));

    let twin = until(&hub.client, &refuses, |twin| twin.reported.values.contains_key("maxForce")).await;
    let answer = &twin.reported.values["maxForce"];
    assert_eq!((&answer["ac"], &answer["ad"]), (&json!(400), &json!("1200 is more than 1000")));
    assert_eq!(twin.reported.values["lightCurtain"]["ac"], json!(200), "the rest is taken");
    hub.client.patch_twin(&refuses, &desired(json!({"maxForce": 900})), &IfMatch::Any).await.unwrap();
    let taken = |twin: &Twin| twin.reported.values["maxForce"]["ac"] == json!(200);
    let twin = until(&hub.client, &refuses, taken).await;
    assert_eq!(twin.reported.values["maxForce"]["value"], json!(900));

    let mut seen: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let twin = until(&hub.client, &drifts, |twin| {
            twin.reported.values.get("setpoint").is_some_and(|value| !seen.contains(value))
        })
        .await;
        let reported = twin.reported.values["setpoint"].clone();
        assert_ne!(reported, twin.desired.values["setpoint"]);
        seen.push(reported);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_yields_to_who_takes_its_part_and_returns_afterwards() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let id = TwinId::module("myFirstDevice", "myFirstModule");
    let _demo = play(&hub, |part| part.id == id);
    until(&hub.client, &id, |twin| twin.reported.values == twin.desired.values).await;

    let key = hub.client.identity(&id).await.unwrap().authentication.primary_key.unwrap();
    let connection = identity_connection(&id, key);
    let (link, mut events) =
        DeviceLink::connect_with(&connection, Some(hub.dial()), &hub.trust, Reconnect::UnlessPushedOut, brisk())
            .unwrap();
    view(&mut events).await;
    // Long enough for the device to have looked a dozen times whether it may come back.
    let left_alone = tokio::time::timeout(Duration::from_millis(1200), state(&mut events, |_| true)).await;
    assert!(left_alone.is_err(), "{left_alone:?}");
    link.report(&map(json!({"by": "a person"}))).await.unwrap();

    link.close().await;
    hub.client.patch_twin(&id, &desired(json!({"telemetryInterval": 5})), &IfMatch::Any).await.unwrap();
    let twin = until(&hub.client, &id, |twin| twin.reported.values.get("telemetryInterval") == Some(&json!(5))).await;
    assert_eq!(twin.connection_state, ConnectionState::Connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_does_not_push_out_who_was_there_before() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let id = TwinId::module("myFirstDevice", "myFirstModule");
    let key = hub.client.identity(&id).await.unwrap().authentication.primary_key.unwrap();
    let connection = identity_connection(&id, key);
    let (link, mut events) =
        DeviceLink::connect_with(&connection, Some(hub.dial()), &hub.trust, Reconnect::UnlessPushedOut, brisk())
            .unwrap();
    view(&mut events).await;
    let _demo = play(&hub, |part| part.id.device == "myFirstDevice");
    // Its device is on stage, so its own turn has come many times.
    let device = TwinId::device("myFirstDevice");
    until(&hub.client, &device, |twin| twin.reported.values.contains_key("temperature")).await;
    let left_alone = tokio::time::timeout(Duration::from_millis(600), state(&mut events, |_| true)).await;
    assert!(left_alone.is_err(), "{left_alone:?}");
    link.report(&map(json!({"by": "a person"}))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_fleet_plays_and_stops_when_dropped() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let demo = play(&hub, |_| true);
    let away = |part: &DemoIdentity| matches!(part.behaviour, Behaviour::Offline | Behaviour::Disabled);
    let expected = demo_identities().iter().filter(|part| !away(part)).count();
    let sessions = |count: usize| {
        let hub = hub.hub.hub().clone();
        async move {
            while hub.sessions().connected_count() != count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    tokio::time::timeout(LONG, sessions(expected)).await.unwrap();
    let telemetry = async {
        while crate::support::telemetry(&hub.hub).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, telemetry).await.unwrap();
    for part in demo_identities().iter().filter(|part| away(part)) {
        let twin = hub.client.twin(&part.id).await.unwrap();
        assert_eq!(twin.connection_state, ConnectionState::Disconnected, "{}", part.id);
    }
    drop(demo);
    tokio::time::timeout(LONG, sessions(0)).await.unwrap();
}

#[test]
fn what_devices_say() {
    let check = |behaviour, desired: Value, reported: Value, expected: Value| {
        let said = reply::wanted(behaviour, &map(desired.clone()), 7, &map(reported), &["gone".to_owned()]);
        assert_eq!(Value::Object(said), expected, "{behaviour:?} {desired}");
    };
    let own = json!({"temperature": 20, "gone": 1});
    check(Behaviour::Prompt, json!({"a": {"b": 1}}), own.clone(), json!({"temperature": 20, "a": {"b": 1}}));
    let taken = json!({"value": 1, "ac": 200, "av": 3, "ad": "taken"});
    check(Behaviour::Acknowledges, json!({"a": 1}), json!({"a": taken}), json!({"a": taken}));
    let anew = json!({"value": 2, "ac": 200, "av": 7, "ad": "taken"});
    check(Behaviour::Acknowledges, json!({"a": 2}), json!({"a": taken}), json!({"a": anew}));
    let refused = json!({"value": 60, "ac": 400, "av": 7, "ad": "4000 is more than 3600"});
    let before = json!({"telemetryInterval": {"value": 60, "ac": 200, "av": 3, "ad": "taken"}});
    check(Behaviour::Refuses, json!({"telemetryInterval": 4000}), before, json!({"telemetryInterval": refused}));
    check(Behaviour::Drifts, json!({"mode": "auto", "n": 12}), json!({}), json!({"mode": "auto", "n": 12}));
    check(Behaviour::Drifts, json!({"x": 2.5}), json!({"x": 2.6}), json!({"x": 2.6}));
    check(Behaviour::Drifts, json!({"x": 2.5}), json!({"x": 2.5}), json!({"x": 2.56}));
    for _ in 0..100 {
        let drift = reply::drift(&map(json!({"x": 2.5, "n": 3, "s": "t"})));
        let value = drift["x"].as_f64().unwrap();
        assert!(drift.len() == 1 && (0.005..0.25).contains(&(value - 2.5).abs()), "{drift:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_are_answered() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let id = TwinId::module("myFirstDevice", "myFirstModule");
    let _demo = play(&hub, |part| part.id.device == "myFirstDevice");
    // They come by themselves: the calls wait for them.
    let call = async |name: &str, payload: Value| {
        let call = MethodCall { connect_timeout_s: 20, ..MethodCall::new(name, payload) };
        let answer = hub.client.call_method(&id, &call).await.unwrap();
        (answer.status, answer.payload)
    };
    let pong = json!({"pong": "myFirstDevice/myFirstModule", "payload": [1]});
    assert_eq!(call("ping", json!([1])).await, (200, pong));
    for (payload, seconds) in [(json!(null), 0), (json!({"delay": 5}), 5), (json!(7), 7), (json!({"delay": "x"}), 0)] {
        let (status, answer) = call("reboot", payload).await;
        assert_eq!((status, &answer["delaySeconds"]), (200, &json!(seconds)));
    }
    let (status, report) = call("getMaxMinReport", json!(null)).await;
    let number = |key: &str| report[key].as_f64().unwrap();
    assert!(
        status == 200 && number("minTemp") <= number("avgTemp") && number("avgTemp") <= number("maxTemp"),
        "{report}"
    );
    assert_eq!(report["telemetryInterval"], 60);
    let (status, unknown) = call("fly", json!(null)).await;
    assert_eq!((status, &unknown["error"]), (404, &json!("this device has no method fly")));
}

#[test]
fn each_device_measures_in_a_rhythm_of_its_own() {
    let range = Pace::default().measure;
    let pauses =
        |id: &str| -> Vec<_> { (0..50).map(|n| reply::pause(&range, &TwinId::device(id), n).as_millis()).collect() };
    let (one, other) = (pauses("north-chiller-01"), pauses("north-chiller-02"));
    assert_eq!(one, pauses("north-chiller-01"), "the same in every run");
    assert_ne!(one, other);
    for all in [&one, &other] {
        assert!(all.iter().all(|ms| (20_000..=40_000).contains(ms)), "{all:?}");
        let spread = all.iter().max().unwrap() - all.iter().min().unwrap();
        assert!(spread > 15_000, "{all:?}");
    }
}
