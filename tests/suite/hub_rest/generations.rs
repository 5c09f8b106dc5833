//! An id that is deleted and created again is another identity: nothing that was read of the first fits the second.

use crate::support::{Caller, TestHub};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::HashSet;
use twinscope::local_hub::FleetChoice;

/// What tells the life of an identity: generation, the identity's etag, the twin's.
async fn life(owner: &mut Caller, of: &str) -> [String; 3] {
    let identity = owner.get(&format!("/devices/{of}")).await.ok();
    let twin = owner.get(&format!("/twins/{of}")).await.ok();
    assert_eq!(twin["deviceEtag"], identity["etag"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let etag = text(&twin["etag"]);
    assert_eq!(STANDARD.decode(&etag).unwrap().len(), 8, "{etag}");
    let digits = String::from_utf8(STANDARD.decode(text(&identity["etag"])).unwrap()).unwrap();
    assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
    [text(&identity["generationId"]), text(&identity["etag"]), etag]
}

#[tokio::test]
async fn no_life_of_an_id_has_an_etag_or_generation_of_another() {
    let hub = TestHub::start(FleetChoice::Synthetic(30)).await;
    let mut owner = hub.owner().await;
    owner.device("parent").await;
    let mut seen = HashSet::new();
    // Made by PUT, by bulk, of a module, and one of a synthetic fleet that was never touched.
    for of in ["d", "bulk", "parent/modules/m", "device-0000007", "device-0000030"] {
        for round in 0..8 {
            let (device, module) = of.split_once("/modules/").map_or((of, None), |(d, m)| (d, Some(m)));
            let synthetic = round == 0 && of.starts_with("device-");
            match module {
                _ if synthetic => {}
                Some(module) => drop(owner.module(device, module).await),
                None if of == "bulk" => {
                    owner.post("/devices", json!([{"id": of, "importMode": "create"}])).await.ok();
                }
                None => drop(owner.device(device).await),
            }
            for step in 0..3 {
                let life = life(&mut owner, of).await;
                assert!(seen.insert(life[2].clone()), "{of} {round} {step}: {life:?}");
                if step == 0 {
                    assert!(seen.insert(life[0].clone()) && seen.insert(life[1].clone()), "{of} {round}: {life:?}");
                }
                owner.patch(&format!("/twins/{of}"), json!({"tags": {"n": step}})).await.ok();
            }
            assert_eq!(owner.delete(&format!("/devices/{of}")).await.status, 204);
        }
    }
}

#[tokio::test]
async fn a_write_that_is_guarded_by_the_former_life_is_refused() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    owner.device("parent").await;
    for of in ["d", "parent/modules/m"] {
        let create = async |owner: &mut Caller, owner_name: &str| {
            let body = match of.split_once("/modules/") {
                Some((device, module)) => json!({"deviceId": device, "moduleId": module}),
                None => json!({"deviceId": of}),
            };
            owner.put(&format!("/devices/{of}"), body).await.ok();
            let desired = json!({"properties": {"desired": {"owner": owner_name}}});
            owner.patch(&format!("/twins/{of}"), desired).await.ok()
        };
        let first = create(&mut owner, "gen1").await;
        owner.delete(&format!("/devices/{of}")).await;
        let second = create(&mut owner, "gen2").await;
        assert_eq!(first["version"], second["version"], "the counters everybody sees are those of the service");
        let (twin, identity) = (first["etag"].to_string(), first["deviceEtag"].to_string());
        let patch = json!({"properties": {"desired": {"owner": "overwritten"}}});
        for method in ["PATCH", "PUT"] {
            let reply = owner.call(method, &format!("/twins/{of}"), &[("If-Match", &twin)], Some(&patch)).await;
            reply.refused(412, "PreconditionFailed");
        }
        let request = owner.get(&format!("/devices/{of}")).await.ok();
        for etag in [identity.as_str(), identity.trim_matches('"')] {
            owner.put_if(&format!("/devices/{of}"), etag, request.clone()).await.refused(412, "PreconditionFailed");
            let reply = owner.call("DELETE", &format!("/devices/{of}"), &[("If-Match", etag)], None).await;
            reply.refused(412, "PreconditionFailed");
        }
        if of == "d" {
            let old = [("updateTwinIfMatchETag", "twinETag", &first["etag"])];
            let more = ["updateIfMatchETag", "deleteIfMatchETag"].map(|mode| (mode, "eTag", &first["deviceEtag"]));
            for (mode, name, etag) in old.into_iter().chain(more) {
                let item = json!([{"id": of, "importMode": mode, name: etag, "tags": {"over": true}}]);
                let reply = owner.post("/devices", item).await;
                assert_eq!(reply.json()["errors"][0]["errorCode"], "PreconditionFailed", "{mode}: {}", reply.text());
            }
        }
        assert_eq!(owner.get(&format!("/twins/{of}")).await.ok(), second);
    }
}

/// Rows go by id, and one that was made anew behind the last page's end is no second row of it.
#[tokio::test]
async fn pages_of_a_query_show_each_id_once_while_devices_are_made_anew() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let ids: Vec<String> = (0..9).map(|n| format!("d{n}")).collect();
    for id in &ids {
        owner.device(id).await;
    }
    let (mut seen, mut continuation) = (Vec::new(), String::new());
    loop {
        let headers = [("x-ms-max-item-count", "2"), ("x-ms-continuation", continuation.as_str())];
        let reply = owner.query("SELECT deviceId FROM devices", &headers).await;
        let page: Vec<Value> = reply.ok().as_array().unwrap().clone();
        seen.extend(page.iter().map(|row| row["deviceId"].as_str().unwrap().to_owned()));
        for id in [&ids[0], seen.last().unwrap(), &ids[8]] {
            owner.delete(&format!("/devices/{id}")).await;
            owner.device(id).await;
        }
        let Some(next) = reply.header("x-ms-continuation") else { break };
        next.clone_into(&mut continuation);
    }
    assert_eq!(seen, ids);
}
