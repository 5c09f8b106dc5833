//! A connection belongs to one life of its id. Its end is told only when the delete is kept; what it does before that, when
//! another identity has its id already, must not reach that one.

use super::kept::{connect, device, hub, waiting};
use super::place::eventually;
use super::wire::{self, Got};
use serde_json::json;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use twinscope::local_hub::commit::Keep;
use twinscope::local_hub::hub::Hub;
use twinscope::local_hub::jobs;
use twinscope::local_hub::methods;
use twinscope::local_hub::store::Items;
use twinscope::protocol::identity::IdentityRequest;
use twinscope::protocol::job::{DeviceJobStatus, JobRequest};
use twinscope::protocol::message::Properties;
use twinscope::protocol::method::MethodCall;
use twinscope::protocol::rest::IfMatch;
use twinscope::twin::Json;

/// Deletes the device and makes another of its id. Neither is kept before the store is given its word.
fn made_anew(hub: &Arc<Hub>) -> tokio::task::JoinHandle<()> {
    let hub = hub.clone();
    tokio::spawn(async move {
        let made = hub.write(|registry, now| {
            let mut change = registry.delete_identity(&device(), &IfMatch::Any, now)?;
            let made = registry.put_identity(&IdentityRequest::new(device()), &IfMatch::Absent, now)?;
            change.writes.extend(made.writes);
            change.notices.extend(made.notices);
            Ok(((), change))
        });
        made.await.unwrap();
    })
}

fn twin(hub: &Hub) -> Json {
    hub.read(|registry| twinscope::twin::wire::to_json(&registry.twin(&device()).unwrap()))
}

#[tokio::test]
async fn what_a_connection_of_the_former_life_does_is_not_done_to_the_next() {
    let (keep, word) = waiting();
    let hub = hub(keep, Items::new());
    let (mut wire, _) = connect(&hub, &device(), true).await;
    let filters = [("$iothub/twin/res/#", 1), ("devices/myFirstDevice/messages/devicebound/#", 1)];
    wire.ask(&wire::subscribe(1, &filters), Got::SubAck(1, vec![1, 1])).await;
    let first = hub.read(|registry| registry.generation(&device())).unwrap();
    let anew = made_anew(&hub);
    while hub.read(|registry| registry.generation(&device())).as_deref() == Some(first.as_str()) {
        tokio::task::yield_now().await;
    }
    let before = twin(&hub);
    assert_eq!(before["connectionState"], "Disconnected", "nobody has connected as the new one");

    // A report and a read are answered as on an identity that is gone.
    wire.send(&wire::publish(0x30, 0, "$iothub/twin/PATCH/properties/reported/?$rid=1", br#"{"gen":1}"#)).await;
    assert_eq!(wire.message().await.0, "$iothub/twin/res/404/?$rid=1");
    wire.send(&wire::publish(0x30, 0, "$iothub/twin/GET/?$rid=2", b"")).await;
    assert_eq!(wire.message().await.0, "$iothub/twin/res/404/?$rid=2");
    // Telemetry does not move the new one's activity.
    wire.ask(&wire::publish(0x32, 3, "devices/myFirstDevice/messages/events/", b"x"), Got::PubAck(3)).await;
    // A message to the new one is not for the old one's connection, nor a call.
    let sender = hub.clone();
    let sent = tokio::spawn(async move {
        sender.messages().send(&sender, "myFirstDevice", Properties::default(), b"for gen2").await
    });
    let call = MethodCall::new("reboot", Json::Null);
    let refused = methods::call(&hub, &device(), &call).await.unwrap_err();
    assert_eq!(refused.code.name, "DeviceNotOnline");
    wire.expect_quiet().await;
    let mut after = twin(&hub);
    assert_eq!(after["cloudToDeviceMessageCount"], json!(1));
    after["cloudToDeviceMessageCount"] = json!(0);
    assert_eq!(after, before);

    drop(word);
    anew.await.unwrap();
    wire.expect_end().await;
    sent.await.unwrap().unwrap();
    assert!(hub.messages().receive(&hub, "myFirstDevice", None).is_some(), "it waits for the new one");
}

#[tokio::test]
async fn a_message_to_the_former_life_is_not_for_the_next() {
    let (keep, word) = waiting();
    let hub = hub(keep, Items::new());
    word.send(Ok(())).unwrap();
    hub.messages().send(&hub, "myFirstDevice", Properties::default(), b"for gen1").await.unwrap();
    let first = hub.read(|registry| registry.generation(&device())).unwrap();
    let anew = made_anew(&hub);
    while hub.read(|registry| registry.generation(&device())).as_deref() == Some(first.as_str()) {
        tokio::task::yield_now().await;
    }
    assert!(hub.messages().receive(&hub, "myFirstDevice", None).is_none());
    drop(word);
    anew.await.unwrap();
    assert!(hub.messages().receive(&hub, "myFirstDevice", None).is_none());
    assert_eq!(twin(&hub)["cloudToDeviceMessageCount"], json!(0));
}

#[tokio::test]
async fn a_call_of_the_former_life_does_not_reach_the_next() {
    let (keep, word) = waiting();
    let hub = hub(keep, Items::new());
    drop(word);
    let caller = hub.clone();
    let call = tokio::spawn(async move {
        let call = MethodCall { connect_timeout_s: 300, ..MethodCall::new("reboot", Json::Null) };
        methods::call(&caller, &device(), &call).await
    });
    while hub.calls().in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    made_anew(&hub).await.unwrap();
    let (mut wire, _) = connect(&hub, &device(), true).await;
    wire.ask(&wire::subscribe(1, &[("$iothub/methods/POST/#", 1)]), Got::SubAck(1, vec![1])).await;
    let refused = call.await.unwrap().unwrap_err();
    assert_eq!(refused.code.name, "DeviceNotFound");
    wire.expect_quiet().await;
}

/// A job calls a device only when it is kept that it will. Another of that id meanwhile was not found by its condition.
#[tokio::test]
async fn a_job_for_the_former_life_does_not_reach_the_next() {
    let (word, words) = std::sync::mpsc::channel::<()>();
    let keep: Keep = Box::new(move |group| {
        let mut items = group.iter().flat_map(|writes| &writes.items);
        if items.any(|item| item.key.starts_with("job/j/")) {
            // An error is the word, too.
            words.recv().unwrap_or_default();
        }
        Ok(())
    });
    let hub = hub(keep, Items::new());
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::run(hub.clone(), stop.clone()));
    let request = json!({
        "type": "scheduleDeviceMethod",
        "cloudToDeviceMethod": {"methodName": "ping", "payload": null, "responseTimeoutInSeconds": 30},
        "queryCondition": "deviceId = 'myFirstDevice'",
    });
    hub.jobs().create(&hub, "j", JobRequest::from_json(&request).unwrap()).await.unwrap();
    let running = || hub.jobs().rows_after(None, 10).iter().any(|row| row.status == DeviceJobStatus::Running);
    eventually("the device is found", running).await;
    let first = hub.read(|registry| registry.generation(&device())).unwrap();
    let anew = made_anew(&hub);
    while hub.read(|registry| registry.generation(&device())).as_deref() == Some(first.as_str()) {
        tokio::task::yield_now().await;
    }
    drop(word);
    anew.await.unwrap();
    let ended = || hub.jobs().rows_after(None, 10).iter().all(|row| row.status == DeviceJobStatus::Failed);
    eventually("the row fails", ended).await;
    let row = hub.jobs().rows_after(None, 10).remove(0);
    assert_eq!(row.error.unwrap().0, "404001", "the device that was found is gone");
    stop.cancel();
    worker.await.unwrap();
}
