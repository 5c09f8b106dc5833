//! Who may call what, and how a refusal looks.

use crate::support::{Caller, TestHub, now_s, token, token_until};
use serde_json::json;
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::secret::Secret;

#[tokio::test]
async fn each_policy_may_do_what_its_permissions_say() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    hub.owner().await.device("d").await;
    // Who may: owner, service, device, registryRead, registryReadWrite.
    let policies = ["iothubowner", "service", "device", "registryRead", "registryReadWrite"];
    let query = json!({"query": "SELECT * FROM devices"});
    let calls = [
        ("GET", "/devices/d", None, [true, false, false, true, true]),
        ("GET", "/devices", None, [true, false, false, true, true]),
        ("GET", "/statistics/devices", None, [true, false, false, true, true]),
        ("GET", "/devices/d/modules", None, [true, false, false, true, true]),
        ("PUT", "/devices/d", Some(json!({"deviceId": "d"})), [true, false, false, false, true]),
        ("POST", "/devices", Some(json!([])), [true, false, false, false, true]),
        ("GET", "/twins/d", None, [true, true, false, false, false]),
        ("PATCH", "/twins/d", Some(json!({})), [true, true, false, false, false]),
        ("PUT", "/twins/d", Some(json!({})), [true, true, false, false, false]),
        ("POST", "/devices/query", Some(query), [true, true, false, false, false]),
        ("GET", "/statistics/service", None, [true, true, false, false, false]),
    ];
    for (n, policy) in policies.into_iter().enumerate() {
        let mut caller = hub.policy(policy).await;
        for (method, path, body, allowed) in &calls {
            let reply = caller.call(method, path, &[("If-Match", "*")], body.as_ref()).await;
            if allowed[n] {
                assert_eq!(reply.status, 200, "{policy} {method} {path}: {}", reply.text());
            } else {
                reply.refused(401, "IotHubUnauthorizedAccess");
                assert_eq!(reply.status_line, "HTTP/1.1 401 Unauthorized");
            }
        }
    }
}

#[tokio::test]
async fn tokens_are_checked() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let policies = hub.hub.hub().policies().clone();
    let owner = policies.by_name("iothubowner").unwrap();
    let name = Some("iothubowner");
    let other_key = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let device = hub.owner().await.device("d").await;
    let device_key = Secret::new(device["authentication"]["symmetricKey"]["primaryKey"].as_str().unwrap());
    let check = async |token: &str, expected: Option<&str>| {
        let mut caller = Caller::connect(hub.hub.https(), hub.hub.ca_file(), token).await;
        let reply = caller.get("/devices/d").await;
        match expected {
            None => assert_eq!(reply.status, 200, "{token}: {}", reply.text()),
            Some(code) => {
                reply.refused(401, code);
            }
        }
    };
    check(&token("localhost", &owner.primary, name), None).await;
    check(&token("localhost", &owner.secondary, name), None).await;
    check(&token("LocalHost:8443", &owner.primary, name), None).await;
    check(&token("some.other.host", &owner.primary, name), None).await;
    check(&token("localhost/devices/d", &owner.primary, name), None).await;
    check(&token("localhost/devices/dd", &owner.primary, name), Some("IotHubUnauthorizedAccess")).await;
    check(&token("localhost", &other_key, name), Some("IotHubUnauthorizedAccess")).await;
    check(&token("localhost", &owner.primary, Some("nobody")), Some("IotHubUnauthorizedAccess")).await;
    check(&token("localhost", &owner.primary, Some("service")), Some("IotHubUnauthorizedAccess")).await;
    check(&token("localhost/devices/d", &device_key, None), Some("IotHubUnauthorizedAccess")).await;
    for late in [3600, 301] {
        check(&token_until("localhost", &owner.primary, name, now_s() - late), Some("IotHubUnauthorized")).await;
    }
    // Clocks differ.
    for late in [0, 1, 270] {
        check(&token_until("localhost", &owner.primary, name, now_s() - late), None).await;
    }
    check(&token_until("localhost", &owner.primary, name, u64::MAX), None).await;
    check("Bearer eyJ0eXAiOiJKV1QifQ", Some("IotHubUnauthorized")).await;
    check("SharedAccessSignature sr=x", Some("IotHubUnauthorized")).await;
    check("", Some("IotHubUnauthorized")).await;
}

#[tokio::test]
async fn a_refusal_keeps_the_secrets() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let policies = hub.hub.hub().policies();
    let key = policies.by_name("service").unwrap().primary.clone();
    let reply = hub.policy("service").await.get("/devices/x").await;
    assert!(!reply.text().contains(key.reveal()));
    assert!(!format!("{policies:?}").contains(key.reveal()));
    reply.refused(401, "IotHubUnauthorizedAccess");
}

#[tokio::test]
async fn a_request_without_a_token_is_refused() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut raw = hub.raw().await;
    raw.send(b"GET /devices?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let reply = raw.read().await.unwrap();
    reply.refused(401, "IotHubUnauthorizedAccess");
    let message = reply.json()["ExceptionMessage"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Tracking ID:"), "{message}");
}

#[tokio::test]
async fn paths_methods_and_versions_that_do_not_exist() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/devices/d/modules/m/x"),
        ("POST", "/devices/d/modules/m/messages/events"),
        ("POST", "/devices/d/files"),
        ("GET", "/digitaltwins/d"),
        ("GET", "/configurations"),
    ] {
        owner.call(method, path, &[], None).await.refused(404, "GenericNotFound");
    }
    for (method, path) in [
        ("DELETE", "/devices"),
        ("POST", "/devices/d"),
        ("PATCH", "/devices/d"),
        ("DELETE", "/twins/d"),
        ("POST", "/twins/d"),
        ("PUT", "/statistics/devices"),
        ("PUT", "/devices/d/modules"),
        ("GET", "/twins/d/methods"),
        ("PUT", "/devices/d/commands"),
        ("PATCH", "/jobs/v2/j"),
    ] {
        owner.call(method, path, &[], None).await.refused(405, "GenericMethodNotAllowed");
    }
    let mut raw = hub.raw().await;
    for target in ["/devices", "/devices?api-version=", "/devices?api-version=yesterday", "/twins/d?x=1"] {
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await;
        raw.read().await.unwrap().refused(400, "InvalidProtocolVersion");
    }
    owner.get("/twins/a%20b").await.refused(400, "ArgumentInvalid");
    owner.get(&format!("/devices/{}", "x".repeat(129))).await.refused(400, "ArgumentInvalid");
}
