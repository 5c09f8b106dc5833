//! Every operation of the service API against the local hub.

use super::local::{LONG, TestHub, desired, map, request, unobserved};
use serde_json::json;
use std::sync::{Arc, Mutex};
use twinscope::client::hub::{Created, Statistics};
use twinscope::client::{HubClient, HubError, Verdict, probe};
use twinscope::local_hub::FleetChoice;
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::protocol::rest::IfMatch;
use twinscope::protocol::sas;
use twinscope::protocol::secret::Secret;
use twinscope::query::ItemType;
use twinscope::twin::{Etag, Status, TwinId};

#[tokio::test]
async fn a_twin_is_read_patched_and_replaced() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let client = &hub.client;
    let id = TwinId::device("d");
    hub.create(&id).await;
    let twin = client.twin(&id).await.unwrap();
    assert_eq!((twin.id.clone(), twin.version, twin.desired.version), (id.clone(), 2, 1));

    let body = desired(json!({"telemetryInterval": 122, "exact": 1.0}));
    let patched = client.patch_twin(&id, &body, &IfMatch::Quoted(twin.etag.clone())).await.unwrap();
    assert_eq!(patched.desired.values, map(json!({"telemetryInterval": 122, "exact": 1.0})));
    assert_eq!((patched.version, patched.desired.version), (3, 2));
    assert_ne!(patched.etag, twin.etag);

    let stale = client.patch_twin(&id, &body, &IfMatch::Quoted(twin.etag.clone())).await;
    let Err(HubError::Conflict { service }) = stale else { panic!("{stale:?}") };
    assert_eq!(service.name.as_deref(), Some("PreconditionFailed"));

    let whole = map(json!({"tags": {"site": "A"}, "properties": {"desired": {"only": true}}}));
    let replaced = client.replace_twin(&id, &whole, &IfMatch::Any).await.unwrap();
    assert_eq!(replaced.tags, map(json!({"site": "A"})));
    assert_eq!(replaced.desired.values, map(json!({"only": true})));
    assert_eq!(client.twin(&id).await.unwrap(), replaced);

    let refused = client.patch_twin(&id, &desired(json!({"a.b": 1})), &IfMatch::Any).await;
    assert!(matches!(refused, Err(HubError::Refused { status: 400, .. })), "{refused:?}");
    let missing = client.twin(&TwinId::device("nobody")).await;
    assert!(matches!(missing, Err(HubError::NotFound { .. })), "{missing:?}");
}

#[tokio::test]
async fn identities_come_change_and_go() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let client = &hub.client;
    let (device, module) = (TwinId::device("d"), TwinId::module("d", "m"));
    let (made, created) = client.create_or_get(&request(&device)).await.unwrap();
    assert_eq!(created, Created::New);
    assert!(made.authentication.primary_key.as_ref().is_some_and(|key| !key.is_empty()));
    let (found, created) = client.create_or_get(&request(&device)).await.unwrap();
    assert_eq!((found, created), (made.clone(), Created::Existed));
    assert_eq!(client.identity(&device).await.unwrap(), made);

    client.create_or_get(&request(&module)).await.unwrap();
    let modules = client.modules("d").await.unwrap();
    assert_eq!(modules.iter().map(|identity| &identity.id).collect::<Vec<_>>(), [&module]);
    assert_eq!(client.devices(10).await.unwrap().len(), 1);
    assert_eq!(client.statistics().await.unwrap(), Statistics { total: 1, enabled: 1, disabled: 0 });

    let mut changed = made.clone();
    changed.status = Status::Disabled;
    changed.status_reason = Some("repair".to_owned());
    let updated = client.update_identity(&changed, &IfMatch::Quoted(made.etag.clone())).await.unwrap();
    assert_eq!((updated.status, updated.status_reason.as_deref()), (Status::Disabled, Some("repair")));
    assert_eq!(updated.authentication, made.authentication, "keys stay when they are sent along");
    let stale = client.update_identity(&changed, &IfMatch::Quoted(made.etag.clone())).await;
    assert!(matches!(stale, Err(HubError::Conflict { .. })), "{stale:?}");

    let stale = client.delete_identity(&device, &IfMatch::Quoted(Etag("old".to_owned()))).await;
    assert!(matches!(stale, Err(HubError::Conflict { .. })), "{stale:?}");
    client.delete_identity(&device, &IfMatch::Any).await.unwrap();
    let gone = client.identity(&device).await;
    assert!(matches!(gone, Err(HubError::NotFound { .. })), "{gone:?}");
}

#[tokio::test]
async fn queries_come_in_pages() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    for name in ["a", "b", "c", "d", "e"] {
        hub.create(&TwinId::device(name)).await;
    }
    let mut rows = Vec::new();
    let mut continuation: Option<String> = None;
    let mut pages = 0;
    loop {
        let page = hub.client.query("SELECT deviceId FROM devices", 2, continuation.as_deref()).await.unwrap();
        assert_eq!(page.item_type, ItemType::Raw);
        assert!(page.rows.len() <= 2);
        rows.extend(page.rows);
        pages += 1;
        match page.continuation {
            Some(next) => continuation = Some(next),
            None => break,
        }
    }
    rows.sort_by_key(ToString::to_string);
    assert_eq!(
        serde_json::Value::from(rows),
        json!([{"deviceId":"a"},{"deviceId":"b"},{"deviceId":"c"},{"deviceId":"d"},{"deviceId":"e"}])
    );
    assert!((3..=4).contains(&pages), "{pages}");
    let twins = hub.client.query("SELECT * FROM devices WHERE deviceId = 'c'", 100, None).await.unwrap();
    assert_eq!((twins.item_type, twins.rows.len()), (ItemType::Twin, 1));
    let wrong = hub.client.query("SELECT FROM", 100, None).await;
    assert!(matches!(wrong, Err(HubError::Refused { status: 400, .. })), "{wrong:?}");
}

#[tokio::test]
async fn every_legal_character_survives_the_way_there_and_back() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    for name in ["50%", "a#b?c", "it's", "a+b", ".", "..", "%2F", "x:y;z", "(a),=@$!*_-", "query"] {
        for id in [TwinId::device(name), TwinId::module(name, name)] {
            hub.create(&id).await;
            let identity = hub.client.identity(&id).await.unwrap_or_else(|error| panic!("{id}: {error:?}"));
            assert_eq!(identity.id, id);
            let body = desired(json!({"name": name}));
            let twin = hub.client.patch_twin(&id, &body, &IfMatch::Any).await;
            assert_eq!(twin.unwrap_or_else(|error| panic!("{id}: {error:?}")).id, id);
        }
        assert_eq!(hub.client.modules(name).await.unwrap().len(), 1, "{name}");
    }
    assert_eq!(hub.client.devices(100).await.unwrap().len(), 10);
}

#[tokio::test]
async fn policies_may_what_they_may() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let id = TwinId::device("d");
    hub.create(&id).await;
    let unauthorized = |error| matches!(error, HubError::Unauthorized { .. });
    let registry = hub.client_of("registryReadWrite");
    assert!(registry.identity(&id).await.is_ok());
    assert!(unauthorized(registry.twin(&id).await.unwrap_err()));
    let service = hub.client_of("service");
    assert!(service.twin(&id).await.is_ok());
    assert!(unauthorized(service.identity(&id).await.unwrap_err()));

    for (policy, service_connect, registry_read, key) in [
        ("iothubowner", Verdict::Yes, Verdict::Yes, Verdict::Yes),
        ("service", Verdict::Yes, Verdict::No, Verdict::Yes),
        ("registryRead", Verdict::No, Verdict::Yes, Verdict::Yes),
        ("device", Verdict::No, Verdict::No, Verdict::No),
    ] {
        let report = probe(&hub.connection_of(policy), &hub.trust, unobserved()).await.unwrap();
        let found = (report.service_connect, report.registry_read, report.key);
        assert_eq!(found, (service_connect, registry_read, key), "{policy}");
    }
}

#[tokio::test]
async fn ready_tokens_and_wrong_keys() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let owner = hub.hub.connection_string();
    let Who::Service { policy, proof: Proof::Key(key) } = &owner.who else { panic!("the owner has a key") };
    let with = |proof| ConnectionString { who: Who::Service { policy: policy.clone(), proof }, ..owner.clone() };
    let statistics = async |connection: &ConnectionString| {
        HubClient::new(connection, &hub.trust, unobserved()).unwrap().statistics().await
    };

    let token = sas::sign(&sas::resource("localhost", None), key, 4_000_000_000, Some(policy)).unwrap();
    assert!(statistics(&with(Proof::Token(token))).await.is_ok());
    let expired = sas::sign(&sas::resource("localhost", None), key, 1_000, Some(policy)).unwrap();
    let outcome = statistics(&with(Proof::Token(expired))).await;
    assert!(matches!(outcome, Err(HubError::Unauthorized { .. })), "{outcome:?}");
    let wrong = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let outcome = statistics(&with(Proof::Key(wrong))).await;
    assert!(matches!(outcome, Err(HubError::Unauthorized { .. })), "{outcome:?}");

    let device = hub.create(&TwinId::device("d")).await;
    let outcome = HubClient::new(&device, &hub.trust, unobserved()).map(|_| ());
    assert_eq!(outcome, Err(HubError::NotAService));
}

#[tokio::test]
async fn a_dropped_future_cancels_its_request() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let records = Arc::new(Mutex::new(0));
    let count = records.clone();
    let observer = Arc::new(move |_| *count.lock().unwrap() += 1);
    let client = HubClient::new(&hub.hub.connection_string(), &hub.trust, observer).unwrap();
    let cancelled = tokio::time::timeout(std::time::Duration::ZERO, client.statistics()).await;
    assert!(cancelled.is_err());
    assert_eq!(*records.lock().unwrap(), 0);
    tokio::time::timeout(LONG, client.statistics()).await.unwrap().unwrap();
    assert_eq!(*records.lock().unwrap(), 1);
}
