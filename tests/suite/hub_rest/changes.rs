//! What a write tells the connections, and who may connect: the hub behind the sockets, without one.

use crate::support::{TestHub, now_s, token, token_until};
use serde_json::{Value, json};
use twinscope::local_hub::FleetChoice;
use twinscope::local_hub::clock::Moment;
use twinscope::local_hub::fleet;
use twinscope::local_hub::registry::{Change, Mode, Notice, Registry};
use twinscope::local_hub::x509::ClientCertificates;
use twinscope::protocol::identity::request_from_json;
use twinscope::protocol::mqtt::UserName;
use twinscope::protocol::rest::IfMatch;
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

fn now() -> Moment {
    Moment::at(1_790_000_000, 123_456_789)
}

/// What connections must be told of a change.
fn for_connections(change: Change) -> impl Iterator<Item = Notice> {
    change.notices.into_iter().filter(|notice| !matches!(notice, Notice::Happened { .. }))
}

fn put(registry: &mut Registry, id: &TwinId, mut body: Value, if_match: &IfMatch) -> Change {
    body["deviceId"] = json!(id.device);
    if let Some(module) = &id.module {
        body["moduleId"] = json!(module);
    }
    registry.put_identity(&request_from_json(id, &body).unwrap(), if_match, &now()).unwrap()
}

/// A registry with device `d` and module `d/m`.
fn registry() -> Registry {
    let mut registry = fleet::fresh(FleetChoice::Empty, &now());
    put(&mut registry, &TwinId::device("d"), json!({}), &IfMatch::Absent);
    put(&mut registry, &TwinId::module("d", "m"), json!({}), &IfMatch::Absent);
    registry
}

#[test]
fn time_is_written_as_the_service_does() {
    assert_eq!(now().text, "2026-09-21T14:13:20.1234567Z");
    assert_eq!(Moment::at(0, 0).ticks, 621_355_968_000_000_000);
}

#[test]
fn desired_writes_are_told_as_submitted() {
    let mut registry = registry();
    let id = TwinId::module("d", "m");
    let mut check = |mode, body: Value, expected: Option<(u64, Value)>| {
        let change = registry.write_twin(&id, &body, &IfMatch::Absent, mode, &now()).unwrap();
        assert_eq!(change.writes, std::slice::from_ref(&id));
        let told = for_connections(change).map(|notice| match notice {
            Notice::Desired { id: told, version, patch } if told == id => (version, Value::Object(patch)),
            other => panic!("{other:?}"),
        });
        assert_eq!(told.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{body}");
    };
    let desired = |desired: Value| json!({"properties": {"desired": desired}});
    let (merge, replace) = (Mode::Merge, Mode::Replace);
    check(
        merge,
        desired(json!({"a": 1, "b": {"c": null}, "$version": 9})),
        Some((2, json!({"a": 1, "b": {"c": null}}))),
    );
    check(merge, json!({"tags": {"t": 1}}), None);
    check(merge, json!({"tags": {"t": 1}, "properties": {"desired": {}}}), None);
    check(merge, desired(json!({"a": null})), Some((3, json!({"a": null}))));
    check(replace, desired(json!({"x": 1, "y": 2})), Some((4, json!({"x": 1, "y": 2, "b": null}))));
    check(replace, desired(json!({"y": 3})), Some((5, json!({"y": 3, "x": null}))));
    check(merge, desired(Value::Null), Some((6, json!({"y": null}))));
    check(replace, json!({"tags": {}}), None);
    check(merge, desired(json!({"z": 1})), Some((7, json!({"z": 1}))));
    check(replace, json!({}), Some((8, json!({"z": null}))));
}

#[test]
fn connections_end_when_their_identity_loses_its_proof() {
    let mut registry = registry();
    let (device, module) = (TwinId::device("d"), TwinId::module("d", "m"));
    let dropped = |change: Change| for_connections(change).collect::<Vec<_>>();
    let keep = serde_json::from_str::<Value>(
        &twinscope::protocol::identity::to_json(&registry.identity(&device).unwrap()).to_string(),
    )
    .unwrap();
    assert_eq!(dropped(put(&mut registry, &device, keep.clone(), &IfMatch::Any)), [], "nothing changed");
    assert_eq!(
        dropped(put(&mut registry, &device, json!({}), &IfMatch::Any)),
        [Notice::Drop(device.clone())],
        "new keys"
    );
    let mut disabled = serde_json::to_value(keep).unwrap();
    disabled["status"] = json!("disabled");
    let both = [Notice::Drop(device.clone()), Notice::Drop(module.clone())];
    assert_eq!(dropped(put(&mut registry, &device, disabled, &IfMatch::Any)), both, "disabled, with its modules");
    put(&mut registry, &device, json!({}), &IfMatch::Any);
    let gone = registry.delete_identity(&device, &IfMatch::Any, &now()).unwrap();
    assert_eq!(gone.writes, [module.clone(), device.clone()]);
    assert_eq!(dropped(gone), [Notice::Forget(module), Notice::Forget(device)]);
}

#[tokio::test]
async fn who_may_connect() {
    let hub = TestHub::start(FleetChoice::Empty).await;
    let mut owner = hub.owner().await;
    let key =
        |identity: &Value, name: &str| Secret::new(identity["authentication"]["symmetricKey"][name].as_str().unwrap());
    let device = owner.device("d").await;
    let module = owner.module("d", "m").await;
    let inner = hub.hub.hub().clone();
    let (d, m) = (TwinId::device("d"), TwinId::module("d", "m"));
    let check = |id: &TwinId, user: &str, token: &str, expected: Option<&str>| {
        let user = UserName::parse(user).unwrap();
        let outcome = inner.admit(id, &user, Some(token), &ClientCertificates::default());
        assert_eq!(outcome.as_ref().err().map(|refused| refused.code.name), expected, "{id} {user:?}: {outcome:?}");
    };
    let (user, module_user) = ("localhost/d/?api-version=2021-04-12", "localhost/d/m/?api-version=2021-04-12");
    let own = token("localhost/devices/d", &key(&device, "primaryKey"), None);
    check(&d, user, &own, None);
    check(&d, user, &token("other:8883/devices/d", &key(&device, "secondaryKey"), None), None);
    check(&d, user, &token("localhost/devices/d/api-version=2016-11-14", &key(&device, "primaryKey"), None), None);
    check(&m, module_user, &token("localhost/devices/d/modules/m", &key(&module, "primaryKey"), None), None);
    let unauthorised = Some("IotHubUnauthorizedAccess");
    check(&m, module_user, &token("localhost/devices/d", &key(&device, "primaryKey"), None), unauthorised);
    check(&d, user, &token("localhost/devices/d", &key(&module, "primaryKey"), None), unauthorised);
    check(&d, user, &token("localhost/devices/e", &key(&device, "primaryKey"), None), unauthorised);
    check(&d, "localhost/e/?api-version=2021-04-12", &own, unauthorised);
    let expired = token_until("localhost/devices/d", &key(&device, "primaryKey"), None, now_s() - 301);
    check(&d, user, &expired, Some("IotHubUnauthorized"));
    let late = token_until("localhost/devices/d", &key(&device, "primaryKey"), None, now_s() - 270);
    check(&d, user, &late, None);
    check(&d, user, "nonsense", Some("IotHubUnauthorized"));
    check(&d, user, "", unauthorised);
    let policy =
        |name: &str, resource: &str| token(resource, &inner.policies().by_name(name).unwrap().primary, Some(name));
    check(&d, user, &policy("device", "localhost/devices"), None);
    check(&m, module_user, &policy("iothubowner", "localhost"), None);
    check(&d, user, &policy("service", "localhost"), unauthorised);
    let e = TwinId::device("e");
    check(&e, "localhost/e/", &policy("device", "localhost"), Some("IotHubUnauthorizedAccess"));
    owner.put_if("/devices/d", "*", json!({"deviceId": "d", "status": "disabled"})).await.ok();
    check(&d, user, &policy("device", "localhost/devices"), Some("DeviceDisabled"));
    // Its keys are new too: who shows an old one proves nothing and is told nothing.
    check(&d, user, &own, unauthorised);
    check(&m, module_user, &policy("device", "localhost"), Some("DeviceDisabled"));
}
