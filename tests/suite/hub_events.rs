//! The hub's event stream, over HTTPS: what it tells, in which order, and how long it waits.

use crate::hub_methods::{called, caller, invoke, listener, response};
use crate::hub_mqtt::place::Place;
use crate::hub_mqtt::wire::{self, Got};
use crate::support::Caller;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use twinscope::local_hub::events::Log;
use twinscope::protocol::event::{EventPage, HubEvent, What};
use twinscope::twin::{Json, JsonMap, TwinId};

async fn page(caller: &mut Caller, after: u64, wait_s: u64) -> EventPage {
    let reply = caller.get(&format!("/$twinscope/events?after={after}&wait={wait_s}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    // The tests' own reader respells exponents.
    EventPage::from_json(&twinscope::twin::wire::json(reply.text().as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_number_that_is_none_is_refused() {
    let place = Place::start().await;
    let mut owner = caller(&place, "iothubowner").await;
    for (asked, named) in [("after=x", "after"), ("after=1&wait=-1", "wait")] {
        let reply = owner.get(&format!("/$twinscope/events?{asked}")).await;
        assert_eq!(reply.status, 400, "{asked}");
        assert!(reply.text().contains(&format!("{named} is no whole number")), "{}", reply.text());
    }
    let reply = owner.get("/configurations/a").await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("the local hub has no automatic configurations"), "{}", reply.text());
}

/// Every event so far, without numbers and times.
async fn told(caller: &mut Caller) -> Vec<(String, What)> {
    page(caller, 0, 0).await.events.into_iter().map(|event| (event.id.to_string(), event.what)).collect()
}

fn map(value: Value) -> JsonMap {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn telemetry_is_seen_with_its_properties() {
    let (place, id) = Place::with_device().await;
    let mut service = caller(&place, "service").await;
    let mut device = place.connect(&id).await;
    let bag = "%24.mid=m%201&%24.ct=application%2Fjson&level=hot&none&empty=";
    let topic = format!("devices/d/messages/events/{bag}");
    device.ask(&wire::publish(0x32, 7, &topic, br#"{"t": 21.50}"#), Got::PubAck(7)).await;
    device.ask(&wire::publish(0x32, 8, "devices/d/messages/events/", &[0xff, 0x00]), Got::PubAck(8)).await;
    let reply = service.get("/$twinscope/events").await.ok();
    let events = reply["events"].as_array().unwrap();
    let told: Vec<&Value> = events.iter().filter(|event| event["kind"] == "telemetry").collect();
    assert_eq!(told.len(), 2, "{reply}");
    assert_eq!(
        told[0]["properties"],
        json!({"$.mid": "m 1", "$.ct": "application/json", "level": "hot", "none": null, "empty": ""})
    );
    assert_eq!((&told[0]["body"], &told[0]["bytes"]), (&json!(r#"{"t": 21.50}"#), &json!(12)));
    assert_eq!((&told[1]["bodyBase64"], &told[1]["bytes"]), (&json!("/wA="), &json!(2)));
    assert_eq!((&told[0]["deviceId"], told[0].get("moduleId")), (&json!("d"), None));
}

#[tokio::test]
async fn what_happens_is_told_in_its_order() {
    let place = Place::start().await;
    let mut owner = caller(&place, "iothubowner").await;
    let id = TwinId::module("d", "m");
    place.create(&id.parent()).await;
    place.create(&id).await;
    owner.patch("/twins/d/modules/m", json!({"tags": {"site": "A"}, "properties": {"desired": {"a": 1}}})).await.ok();
    owner.put("/twins/d/modules/m", json!({"properties": {"desired": {"b": 2}}})).await.ok();
    let mut client = place.connect_twin(&id).await;
    let report = wire::publish(0x30, 0, "$iothub/twin/PATCH/properties/reported/?$rid=1", br#"{"r":null,"s":1E5}"#);
    client.send(&report).await;
    assert!(matches!(client.get().await, Got::Publish(..)));
    drop(client);
    place.wait_gone(&id).await;
    place.delete(&TwinId::device("d")).await;

    let told = told(&mut owner).await;
    let (device, module) = ("d".to_owned(), "d/m".to_owned());
    let twin = |replaced, version, tags: Option<Value>, desired: Option<(Value, u64)>| What::Twin {
        replaced,
        version,
        tags: tags.map(map),
        desired: desired.map(|(values, version)| (map(values), version)),
        reported: None,
    };
    let reported: JsonMap = serde_json::from_str::<Json>(r#"{"r":null}"#).unwrap().as_object().unwrap().clone();
    assert_eq!(told[0], (device.clone(), What::Created));
    assert_eq!(told[1], (module.clone(), What::Created));
    assert_eq!(told[2], (module.clone(), twin(false, 3, Some(json!({"site": "A"})), Some((json!({"a": 1}), 2)))));
    // A replace tells the device what went, and so does its event.
    let What::Twin { replaced: true, version: 4, desired: Some((values, 3)), .. } = &told[3].1 else {
        panic!("{:?}", told[3]);
    };
    assert_eq!(values.get("b"), Some(&json!(2)));
    assert_eq!(told[4], (module.clone(), What::Connected));
    let What::Twin { reported: Some((values, 2)), version: 5, .. } = &told[5].1 else { panic!("{:?}", told[5]) };
    assert_eq!(values.get("r"), reported.get("r"));
    assert_eq!(values.get("s").map(ToString::to_string).as_deref(), Some("1E5"), "numbers keep their spelling");
    assert_eq!(told[6], (module.clone(), What::Disconnected));
    assert_eq!(told[7..], [(module, What::Deleted), (device, What::Deleted)]);
}

#[tokio::test]
async fn a_method_call_is_told_with_its_outcome() {
    let (place, id) = Place::with_device().await;
    let mut service = caller(&place, "service").await;
    invoke(&place, &id, json!({"methodName": "reboot", "payload": null})).await.await.unwrap();
    let mut device = listener(&place, &id).await;
    let call = invoke(&place, &id, json!({"methodName": "reboot", "payload": null})).await;
    let (_, rid, _) = called(&mut device).await;
    device.send(&response(&rid, "207", "{}")).await;
    call.await.unwrap().ok();
    let calls: Vec<What> =
        told(&mut service).await.into_iter().map(|(_, what)| what).filter(|what| what.kind() == "method").collect();
    assert!(matches!(&calls[0], What::Method { name, outcome: Err(404_103), .. } if name == "reboot"), "{calls:?}");
    assert!(matches!(&calls[1], What::Method { outcome: Ok(207), .. }), "{calls:?}");
}

#[tokio::test]
async fn a_reader_waits_for_news_and_not_longer() {
    let (place, id) = Place::with_device().await;
    let mut service = caller(&place, "service").await;
    let first = page(&mut service, 0, 30).await;
    assert_eq!((first.events.len(), first.next, first.dropped), (1, 1, 0));
    // Nothing in time: an empty page, after the wait.
    let started = Instant::now();
    let none = page(&mut service, first.next, 1).await;
    assert_eq!((none.events.len(), none.next), (0, 1));
    assert!(started.elapsed() >= Duration::from_secs(1));
    // News end the wait.
    let waiting = tokio::spawn(async move { (page(&mut service, 1, 60).await, service) });
    let device = place.connect(&id).await;
    let (news, mut service) = waiting.await.unwrap();
    assert_eq!(news.events[0].what, What::Connected);
    assert_eq!(news.next, 2);
    drop(device);
    // A number of another life of the hub begins at the beginning.
    assert_eq!(page(&mut service, 1_000_000, 0).await.events[0].number, 1);
}

#[tokio::test]
async fn the_stream_is_for_services() {
    let (place, _) = Place::with_device().await;
    for policy in ["device", "registryRead"] {
        caller(&place, policy).await.get("/$twinscope/events").await.refused(401, "IotHubUnauthorizedAccess");
    }
    caller(&place, "service").await.post("/$twinscope/events", json!({})).await.refused(405, "GenericMethodNotAllowed");
}

#[test]
fn the_oldest_go_and_it_is_said() {
    let log = Log::default();
    let id = TwinId::device("d");
    for n in 0..12_000_u64 {
        log.telemetry(&id, n.to_string(), "", b"x");
    }
    assert_eq!((log.newest(), log.telemetry_count()), (12_000, 12_000));
    let page = log.page(0);
    assert_eq!((page.dropped, page.events.len(), page.events[0].number, page.next), (2_000, 1_000, 2_001, 3_000));
    let page = log.page(11_990);
    assert_eq!((page.dropped, page.events.len(), page.next), (0, 10, 12_000));
    // Large ones go by their size, and a page of them is bounded too.
    let big = vec![b'x'; 100_000];
    for _ in 0..9_000 {
        log.telemetry(&id, String::new(), "", &big);
    }
    let page = log.page(0);
    assert!(page.dropped > 14_000, "{}", page.dropped);
    let What::Telemetry { payload, bytes, .. } = &page.events[0].what else { panic!("{:?}", page.events[0]) };
    assert_eq!((payload.len(), *bytes), (4_096, 100_000));
    assert!(page.events.len() < 1_000 && page.events.len() > 900, "{}", page.events.len());
}

fn whats() -> impl Strategy<Value = What> {
    let text = || "[a-z]{1,8}";
    let section = || {
        let map = proptest::collection::hash_map("[a-z]{1,4}", 0..100_u32, 0..4);
        map.prop_map(|map| map.into_iter().map(|(key, value)| (key, Json::from(value))).collect::<JsonMap>())
    };
    let versioned = move || proptest::option::of((section(), any::<u64>()));
    prop_oneof![
        Just(What::Created),
        Just(What::Deleted),
        Just(What::Connected),
        Just(What::Disconnected),
        (proptest::collection::vec(any::<u8>(), 0..40), any::<u32>()).prop_map(|(payload, bytes)| What::Telemetry {
            bag: "%24.mid=1&a%20b=%C3%BC&c".to_owned(),
            payload,
            bytes: bytes as usize,
        }),
        (any::<bool>(), any::<u64>(), proptest::option::of(section()), versioned(), versioned()).prop_map(
            |(replaced, version, tags, desired, reported)| What::Twin { replaced, version, tags, desired, reported }
        ),
        (text(), prop_oneof![any::<i64>().prop_map(Ok), any::<u32>().prop_map(Err)], any::<u64>())
            .prop_map(|(name, outcome, ms)| What::Method { name, outcome, ms }),
        (text(), proptest::option::of(text())).prop_map(|(step, message_id)| What::Message { step, message_id }),
        (text(), text()).prop_map(|(job, step)| What::Job { job, step }),
    ]
}

proptest! {
    #[test]
    fn print_and_parse_are_inverse(what in whats(), number: u64, module: bool) {
        let id = if module { TwinId::module("d", "m") } else { TwinId::device("d") };
        let event = HubEvent { number, time: "2026-08-15T09:07:13.1234567Z".to_owned(), id, what };
        prop_assert_eq!(HubEvent::from_json(&event.to_json()), Some(event));
    }
}
