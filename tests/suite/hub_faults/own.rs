//! `/$twinscope/faults`: set, read and cleared at run time, by whom, and struck by nothing. The clock, which strikes all.

use super::Stage;
use crate::support::{Caller, TestHub, now_s, token};
use serde_json::json;
use twinscope::local_hub::{FleetChoice, Tuning};
use twinscope::protocol::fault::Plan;

const FAULTS: &str = "/$twinscope/faults";

#[tokio::test]
async fn set_read_and_cleared() {
    let hub = TestHub::start(FleetChoice::Demo).await;
    let mut caller = hub.owner().await;
    assert_eq!(caller.get(FAULTS).await.ok()["faults"], json!([]));
    let set = caller.put(FAULTS, json!({"seed": 7, "faults": ["  503   nth=2 on=twin-read", "skew=-60s"]})).await.ok();
    let wanted = |matched: u64, struck: u64| {
        json!({"seed": 7, "faults": [
            {"fault": "503 on=twin-read nth=2", "matched": matched, "struck": struck},
            {"fault": "skew=-1m", "matched": 0, "struck": 0},
        ]})
    };
    assert_eq!(set, wanted(0, 0));
    for status in [200, 503, 200] {
        assert_eq!(caller.get("/twins/myFirstDevice").await.status, status);
    }
    let report = caller.get(FAULTS).await.ok();
    assert_eq!(report, wanted(3, 1));
    // What was read may be put back; counts begin anew.
    assert_eq!(caller.put(FAULTS, report).await.ok(), wanted(0, 0));
    let gone = caller.delete(FAULTS).await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    assert_eq!(caller.get(FAULTS).await.ok(), json!({"seed": 7, "faults": []}));
    for _ in 0..3 {
        caller.get("/twins/myFirstDevice").await.ok();
    }
    // Without a seed one is drawn, each time another.
    let drawn = [
        caller.put(FAULTS, json!({"faults": ["429"]})).await.ok()["seed"].as_u64().unwrap(),
        caller.put(FAULTS, json!({"faults": ["429"]})).await.ok()["seed"].as_u64().unwrap(),
    ];
    assert_ne!(drawn[0], drawn[1]);
    caller.call("POST", FAULTS, &[], Some(&json!({}))).await.refused(405, "GenericMethodNotAllowed");
}

#[tokio::test]
async fn a_token_is_for_its_own_path() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let key = hub.hub.hub().policies().by_name("service").unwrap().primary.clone();
    let own = [FAULTS, "/$twinscope/events"];
    for (resource, works, is_refused) in [
        ("localhost", &[own[0], own[1], "/jobs/v2/query"][..], &[][..]),
        ("localhost/$twinscope", &own, &["/jobs/v2/query"]),
        ("localhost/jobs", &["/jobs/v2/query"], &own),
        ("localhost/devices", &[], &own),
    ] {
        let token = token(resource, &key, Some("service"));
        let mut caller = Caller::connect(hub.hub.https(), hub.hub.ca_file(), &token).await;
        for path in works {
            caller.get(path).await.ok();
        }
        for path in is_refused {
            caller.get(path).await.refused(401, "IotHubUnauthorizedAccess");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut caller = hub.owner().await;
    let before = caller.put(FAULTS, json!({"seed": 1, "faults": ["503 on=query"]})).await.ok();
    for (body, place, remedy) in [
        (json!({"faults": ["503", "429 p=7"]}), "fault 2: \"p=7\" at 5:", "at most 1"),
        (json!({"faults": ["drop=soon"]}), "fault 1: \"drop=soon\" at 1:", "drop=before breaks off"),
        (json!({"faults": "503"}), "faults is a list", "{\"seed\":1,\"faults\":[\"429 p=0.1\"]}"),
        (json!(["503"]), "it is no object", "{\"seed\":1"),
    ] {
        let reply = caller.put(FAULTS, body.clone()).await;
        reply.refused(400, "ArgumentInvalid");
        let said = reply.json()["Message"].as_str().unwrap().to_owned();
        assert!(said.contains(place) && said.contains(remedy), "{body}: {said}");
        assert_eq!(caller.get(FAULTS).await.ok(), before);
    }
}

#[tokio::test]
async fn it_takes_the_right_of_a_service() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    for (policy, may) in [("iothubowner", true), ("service", true), ("device", false), ("registryRead", false)] {
        let mut caller = hub.policy(policy).await;
        for (method, body) in [("GET", None), ("PUT", Some(json!({"faults": []}))), ("DELETE", None)] {
            let reply = caller.call(method, FAULTS, &[], body.as_ref()).await;
            assert_eq!(
                reply.status,
                if may { if method == "DELETE" { 204 } else { 200 } } else { 401 },
                "{policy} {method}"
            );
        }
    }
}

#[tokio::test]
async fn the_hubs_own_paths_are_never_struck() {
    let mut stage = Stage::start().await;
    for text in ["503", "429", "drop=before", "drop=after", "drop=halfway", "latency=24h", "skew=24h", "skew=-24h"] {
        stage.set(&[text]).await;
        assert_eq!(stage.counts().await, [(0, 0)], "{text}");
        stage.caller().await.get("/$twinscope/events").await.ok();
        assert_eq!(stage.counts().await, [(0, 0)], "{text}");
    }
    stage.clear().await;
    stage.caller().await.get("/twins/d").await.ok();
}

#[tokio::test]
async fn a_clock_ahead_ends_tokens_and_one_behind_dates_back() {
    let mut stage = Stage::start().await;
    let mut caller = stage.caller().await;
    caller.get("/twins/d").await.ok();
    stage.set(&["skew=2h"]).await;
    caller.get("/twins/d").await.refused(401, "IotHubUnauthorized");
    stage.set(&["skew=2h", "skew=-3h", "off skew=5h"]).await;
    let body = json!({"properties": {"desired": {"a": 1}}});
    let twin = caller.patch("/twins/d", body).await.ok();
    let updated = twin["properties"]["desired"]["$metadata"]["a"]["$lastUpdated"].as_str().unwrap().to_owned();
    let format = &time::format_description::well_known::Rfc3339;
    let updated = time::OffsetDateTime::parse(&updated, format).unwrap().unix_timestamp();
    let behind = i64::try_from(now_s()).unwrap() - updated;
    assert!((3600..3600 + 60).contains(&behind), "{behind} s behind");
    stage.clear().await;
    let twin = caller.patch("/twins/d", json!({"properties": {"desired": {"b": 1}}})).await.ok();
    let updated = twin["properties"]["desired"]["$metadata"]["b"]["$lastUpdated"].as_str().unwrap().to_owned();
    let updated = time::OffsetDateTime::parse(&updated, format).unwrap().unix_timestamp();
    assert!(i64::try_from(now_s()).unwrap() - updated < 60);
}

#[tokio::test]
async fn a_hub_may_start_with_faults() {
    let plan = Plan { seed: Some(5), faults: vec!["503 on=query".parse().unwrap(), "skew=-1h".parse().unwrap()] };
    let hub = TestHub::start_tuned(FleetChoice::Empty, Tuning { faults: plan, ..Tuning::default() }).await;
    let mut caller = hub.owner().await;
    assert_eq!(caller.query("SELECT * FROM devices", &[]).await.status, 503);
    let report = caller.get(FAULTS).await.ok();
    assert_eq!((&report["seed"], &report["faults"][0]["struck"]), (&json!(5), &json!(1)));
    assert!(hub.hub.hub().now_s() + 3000 < now_s());
}
