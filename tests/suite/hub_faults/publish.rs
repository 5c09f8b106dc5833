//! Faults on what a device publishes: its twin, telemetry, the answers to methods.

use super::Stage;
use crate::hub_mqtt::place::{Over, Tls, eventually};
use crate::hub_mqtt::wire::{Got, PING, publish};
use serde_json::json;
use std::time::{Duration, Instant};
use twinscope::twin::TwinId;

const QOS_1: u8 = 0x32;

fn get(packet_id: u16) -> Vec<u8> {
    publish(QOS_1, packet_id, &format!("$iothub/twin/GET/?$rid={packet_id}"), b"")
}

fn report(packet_id: u16, value: u64) -> Vec<u8> {
    let body = json!({"a": value}).to_string();
    publish(QOS_1, packet_id, &format!("$iothub/twin/PATCH/properties/reported/?$rid={packet_id}"), body.as_bytes())
}

fn telemetry(packet_id: u16) -> Vec<u8> {
    publish(QOS_1, packet_id, "devices/d/messages/events/", b"{}")
}

async fn connect(stage: &Stage) -> Tls {
    stage.place.connect_twin(&stage.d).await
}

/// The topic of the next message begins so.
async fn expect_topic(wire: &mut Tls, start: &str) {
    match wire.get().await {
        Got::Publish(0x30, topic, _) if topic.starts_with(start) => {}
        other => panic!("not {start}: {other:?}"),
    }
}

#[tokio::test]
async fn statuses_in_twin_responses() {
    for over in Over::BOTH {
        let mut stage = Stage::start_over(over).await;
        let mut wire = connect(&stage).await;
        for (text, status, code) in [
            ("429 on=twin-get,report", 429, 429_001),
            ("429:retry-after=5s on=mqtt", 429, 429_001),
            ("500", 500, 500_001),
            ("503 id=d", 503, 503_001),
            ("504", 504, 504_101),
            ("599", 599, 599_000),
        ] {
            stage.set(&[text]).await;
            for request in [get(7), report(7, 1)] {
                wire.ask(&request, Got::PubAck(7)).await;
                let (topic, body) = wire.message().await;
                assert_eq!(topic, format!("$iothub/twin/res/{status}/?$rid=7"), "{text}");
                assert_eq!(body["errorCode"], code, "{text}");
            }
            assert!(stage.reported(&stage.d).is_null(), "{text}: nothing is done");
            assert_eq!(stage.counts().await, [(2, 2)], "{text}");
        }
        stage.clear().await;
        wire.ask(&report(8, 8), Got::PubAck(8)).await;
        expect_topic(&mut wire, "$iothub/twin/res/204/?$rid=8&$version=").await;
    }
}

#[tokio::test]
async fn a_report_dropped_before_did_nothing_one_dropped_after_took_effect() {
    for over in Over::BOTH {
        let mut stage = Stage::start_over(over).await;
        let mut last = 0;
        for (text, is_done, is_acknowledged) in
            [("drop=before", false, false), ("drop=after", true, false), ("drop=halfway", true, true)]
        {
            stage.set(&[&format!("{text} on=report nth=2")]).await;
            let mut wire = connect(&stage).await;
            wire.ask(&report(1, last + 1), Got::PubAck(1)).await;
            expect_topic(&mut wire, "$iothub/twin/res/204").await;
            // What comes behind the drop is not done, even if it came in the same breath.
            wire.send(&[report(2, last + 2), report(3, last + 3)].concat()).await;
            if is_acknowledged {
                wire.expect(Got::PubAck(2)).await;
            }
            wire.expect_end().await;
            stage.place.wait_gone(&stage.d).await;
            last += if is_done { 2 } else { 1 };
            assert_eq!(stage.reported(&stage.d), last, "{over:?} {text}");
            assert_eq!(stage.counts().await, [(2, 1)], "{text}");
            // Back again, all is well.
            let mut wire = connect(&stage).await;
            wire.ask(&get(4), Got::PubAck(4)).await;
            assert_eq!(wire.message().await.1["reported"]["a"], last, "{text}");
        }
    }
}

#[tokio::test]
async fn answers_before_the_drop_arrive() {
    let mut stage = Stage::start().await;
    stage.set(&["drop=before on=report"]).await;
    let mut wire = connect(&stage).await;
    wire.send(&[get(1), report(2, 2)].concat()).await;
    wire.expect(Got::PubAck(1)).await;
    expect_topic(&mut wire, "$iothub/twin/res/200/?$rid=1").await;
    wire.expect_end().await;
}

#[tokio::test]
async fn lost_responses_and_lost_pubacks() {
    let mut stage = Stage::start().await;
    let mut wire = connect(&stage).await;
    stage.set(&["lose=response on=report id=d"]).await;
    wire.ask(&report(1, 1), Got::PubAck(1)).await;
    // An answer would have come before this one's.
    wire.ask(&get(2), Got::PubAck(2)).await;
    assert_eq!(wire.message().await.1["reported"]["a"], 1);
    assert_eq!(stage.counts().await, [(1, 1)]);

    stage.set(&["lose=response on=twin-get"]).await;
    wire.ask(&get(3), Got::PubAck(3)).await;
    wire.expect_quiet().await;

    stage.set(&["lose=puback"]).await;
    wire.send(&report(4, 4)).await;
    expect_topic(&mut wire, "$iothub/twin/res/204/?$rid=4").await;
    wire.send(&get(5)).await;
    expect_topic(&mut wire, "$iothub/twin/res/200/?$rid=5").await;
    wire.send(&telemetry(6)).await;
    wire.expect_quiet().await;
    assert_eq!(stage.place.telemetry().len(), 1);
    assert_eq!(stage.counts().await, [(3, 3)]);

    // A neighbour, and the module of the device, lose nothing.
    stage.set(&["lose=puback id=d", "lose=response id=d"]).await;
    for id in [stage.n.clone(), TwinId::module("d", "m")] {
        let mut wire = stage.place.connect_twin(&id).await;
        wire.ask(&report(1, 1), Got::PubAck(1)).await;
        expect_topic(&mut wire, "$iothub/twin/res/204").await;
    }
    assert_eq!(stage.counts().await, [(0, 0), (0, 0)]);
}

#[tokio::test]
async fn telemetry_and_answers_to_methods() {
    let mut stage = Stage::start().await;
    for (text, done) in [("drop=before", 0), ("drop=after", 1), ("drop=halfway", 1)] {
        stage.set(&[&format!("{text} on=telemetry nth=2")]).await;
        let before = stage.place.telemetry().len();
        let mut wire = connect(&stage).await;
        wire.ask(&telemetry(1), Got::PubAck(1)).await;
        wire.ask(&telemetry(2), Got::End).await;
        assert_eq!(stage.place.telemetry().len(), before + 1 + done, "{text}");
    }
    for text in ["drop=before", "drop=after", "drop=halfway"] {
        stage.set(&[&format!("{text} on=method-answer")]).await;
        let mut wire = connect(&stage).await;
        wire.ask(&telemetry(1), Got::PubAck(1)).await;
        wire.ask(&publish(QOS_1, 2, "$iothub/methods/res/200/?$rid=99", b"{}"), Got::End).await;
        assert_eq!(stage.counts().await, [(1, 1)], "{text}");
    }
}

#[tokio::test]
async fn latency_holds_back_the_answer_and_what_came_behind_it_alone() {
    let mut stage = Stage::start().await;
    stage.set(&["latency=300ms on=twin-get nth=1"]).await;
    let mut wire = connect(&stage).await;
    let begun = Instant::now();
    wire.send(&[get(1), report(2, 2), PING.to_vec()].concat()).await;
    wire.expect(Got::Pong).await;
    assert!(begun.elapsed() < Duration::from_millis(300), "pings are answered meanwhile");
    wire.expect(Got::PubAck(1)).await;
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    let (topic, twin) = wire.message().await;
    assert!(topic.starts_with("$iothub/twin/res/200/?$rid=1") && twin["reported"]["a"].is_null(), "{topic} {twin}");
    wire.expect(Got::PubAck(2)).await;
    expect_topic(&mut wire, "$iothub/twin/res/204/?$rid=2").await;
}

#[tokio::test]
async fn what_is_held_back_is_done_when_its_client_leaves() {
    let mut stage = Stage::start().await;
    stage.set(&["latency=1h on=report"]).await;
    let mut wire = connect(&stage).await;
    wire.send(&[report(1, 1), report(2, 2), PING.to_vec()].concat()).await;
    wire.expect(Got::Pong).await;
    assert!(stage.reported(&stage.d).is_null());
    drop(wire);
    eventually("the reports are applied", || stage.reported(&stage.d) == 2).await;
    // And its next connection need not wait for the hour.
    connect(&stage).await.expect_quiet().await;
}
