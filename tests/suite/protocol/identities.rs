//! Identity records, requests and bulk items.

use super::{KEY, key, legal_twin_id};
use proptest::prelude::*;
use serde_json::{Value, json};
use twinscope::protocol::error::ErrorCode;
use twinscope::protocol::identity::{
    Authentication, BulkError, BulkWarning, Identity, IdentityError, IdentityRequest, ImportMode, NEVER,
    bulk_from_json, bulk_result, from_json, request_from_json, request_to_json, to_json,
};
use twinscope::protocol::secret::Secret;
use twinscope::twin::{AuthKind, ConnectionState, Etag, Status, TwinId};

fn d() -> TwinId {
    TwinId::device("d")
}

fn request(value: &Value) -> IdentityRequest {
    request_from_json(&d(), value).unwrap()
}

#[test]
fn absent_or_empty_keys_are_the_hubs_to_make() {
    assert_eq!(request(&json!({ "deviceId": "d" })).authentication, None);
    assert_eq!(request(&json!({ "deviceId": "d", "authentication": null })).authentication, None);
    let sas = Authentication {
        kind: AuthKind::Sas,
        primary_key: None,
        secondary_key: None,
        primary_thumbprint: None,
        secondary_thumbprint: None,
    };
    let bodies = [
        json!({}),
        json!({ "type": "SAS" }),
        json!({ "type": "sas", "symmetricKey": {} }),
        json!({ "type": "sas", "symmetricKey": null }),
        json!({ "type": "sas", "symmetricKey": { "primaryKey": "", "secondaryKey": "" } }),
        json!({ "type": "sas", "symmetricKey": { "primaryKey": null, "secondaryKey": null }, "x509Thumbprint": {} }),
    ];
    for authentication in bodies {
        let read = request(&json!({ "deviceId": "d", "authentication": authentication }));
        assert_eq!(read.authentication.as_ref(), Some(&sas), "{authentication}");
    }
    let keys = json!({ "Authentication": { "SymmetricKey": { "PrimaryKey": KEY, "secondaryKey": KEY } } });
    let read = request(&keys).authentication.unwrap();
    assert_eq!((read.kind, read.primary_key, read.secondary_key), (AuthKind::Sas, Some(key()), Some(key())));
}

#[test]
fn reads_the_kinds_of_authentication() {
    let thumbprint = "aB".repeat(20);
    let cases = [
        (json!({ "type": "selfSigned" }), AuthKind::SelfSigned),
        (json!({ "type": "SELFSIGNED", "x509Thumbprint": { "primaryThumbprint": thumbprint } }), AuthKind::SelfSigned),
        (json!({ "x509Thumbprint": { "PrimaryThumbprint": "c".repeat(64) } }), AuthKind::SelfSigned),
        (json!({ "type": "CertificateAuthority" }), AuthKind::CertificateAuthority),
        (json!({ "type": "none" }), AuthKind::None),
    ];
    for (authentication, kind) in cases {
        let read = request(&json!({ "authentication": authentication })).authentication.unwrap();
        assert_eq!(read.kind, kind, "{authentication}");
    }
    let body = json!({ "authentication": { "x509Thumbprint": { "primaryThumbprint": thumbprint, "secondaryThumbprint": "" } } });
    let read = request(&body).authentication.unwrap();
    assert_eq!((read.primary_thumbprint.as_deref(), read.secondary_thumbprint), (Some(thumbprint.as_str()), None));
}

#[test]
fn a_request_has_defaults() {
    let read = request(&json!({}));
    let expected = IdentityRequest {
        id: d(),
        status: Status::Enabled,
        status_reason: None,
        authentication: None,
        iot_edge: false,
        device_scope: None,
        parent_scopes: Vec::new(),
        managed_by: None,
        etag: None,
    };
    assert_eq!(read, expected);
    // Null is absent; what only the hub writes is ignored; a module has no status of its own.
    let nulls = json!({ "status": null, "statusReason": null, "capabilities": null, "deviceScope": "", "etag": null,
        "generationId": "1", "connectionState": 7, "cloudToDeviceMessageCount": "x" });
    assert_eq!(request(&nulls), expected);
    let module = TwinId::module("d", "m");
    let body = json!({ "deviceId": "d", "moduleId": "m", "managedBy": "me", "status": "disabled", "capabilities": { "iotEdge": true } });
    let read = request_from_json(&module, &body).unwrap();
    assert_eq!(read, IdentityRequest { id: module, managed_by: Some("me".into()), ..expected });
}

#[test]
fn names_the_field_that_is_wrong() {
    let short = base64_of(15);
    let long = base64_of(65);
    let key_pair =
        |key: &str| json!({ "authentication": { "symmetricKey": { "primaryKey": key, "secondaryKey": key } } });
    let cases = [
        (json!([]), "the body"),
        (json!("x"), "the body"),
        (json!({ "deviceId": "D" }), "deviceId"),
        (json!({ "deviceId": 7 }), "deviceId"),
        (json!({ "moduleId": "m" }), "moduleId"),
        (json!({ "status": "on" }), "status"),
        (json!({ "statusReason": "r".repeat(129) }), "statusReason"),
        (json!({ "capabilities": { "iotEdge": "yes" } }), "capabilities.iotEdge"),
        (json!({ "capabilities": [] }), "capabilities"),
        (json!({ "authentication": "sas" }), "authentication"),
        (json!({ "authentication": { "type": "password" } }), "authentication.type"),
        (json!({ "authentication": { "symmetricKey": { "primaryKey": KEY } } }), "authentication.symmetricKey"),
        (
            json!({ "authentication": { "symmetricKey": { "secondaryKey": KEY, "primaryKey": "" } } }),
            "authentication.symmetricKey",
        ),
        (key_pair(&short), "authentication.symmetricKey"),
        (key_pair(&long), "authentication.symmetricKey"),
        (key_pair("secret words"), "authentication.symmetricKey"),
        (
            json!({ "authentication": { "x509Thumbprint": { "primaryThumbprint": "g".repeat(40) } } }),
            "authentication.x509Thumbprint",
        ),
        (
            json!({ "authentication": { "x509Thumbprint": { "secondaryThumbprint": "a".repeat(41) } } }),
            "authentication.x509Thumbprint",
        ),
    ];
    for (body, expected) in cases {
        match request_from_json(&d(), &body) {
            Err(IdentityError::Field { field, problem }) => {
                assert_eq!(field, expected, "{body}");
                assert!(
                    !problem.contains(&KEY[..8]) && !problem.contains(&short) && !problem.contains("secret words"),
                    "{problem}"
                );
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    for length in [16, 64] {
        request(&key_pair(&base64_of(length)));
    }
    request(&json!({ "statusReason": "ü".repeat(128) }));
}

fn base64_of(length: usize) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(vec![7; length])
}

#[test]
fn reads_a_record_with_what_it_has() {
    let read =
        from_json(&json!({ "DeviceId": "d", "authentication": { "x509Thumbprint": { "PrimaryThumbprint": "ab" } } }))
            .unwrap();
    assert_eq!(read.id, d());
    assert_eq!((read.status, read.connection_state), (Status::Enabled, ConnectionState::Disconnected));
    assert_eq!((read.last_activity_time.as_str(), read.authentication.kind), (NEVER, AuthKind::SelfSigned));
    assert_eq!(read.authentication.primary_thumbprint.as_deref(), Some("ab"));
    for wrong in [json!({}), json!([]), json!(null), json!({ "deviceId": "" }), json!({ "deviceId": "d", "status": 1 })]
    {
        assert!(from_json(&wrong).is_err(), "{wrong}");
    }
    assert!(!format!("{:?}", identity(d(), Some(key()))).contains(KEY));
}

#[test]
fn a_module_record_has_no_status() {
    let module = to_json(&identity(TwinId::module("d", "m"), None));
    for absent in ["status", "statusReason", "statusUpdatedTime", "capabilities", "deviceScope", "parentScopes"] {
        assert!(module.get(absent).is_none(), "{absent}");
    }
    let device = to_json(&identity(d(), Some(key())));
    assert_eq!(device["authentication"]["symmetricKey"]["primaryKey"], KEY);
    assert_eq!(device["authentication"]["x509Thumbprint"]["primaryThumbprint"], Value::Null);
    assert!(device.get("moduleId").is_none() && device.get("managedBy").is_none());
}

fn identity(id: TwinId, key: Option<Secret>) -> Identity {
    Identity {
        id,
        generation_id: "638".into(),
        etag: Etag("ODAx".into()),
        status: Status::Enabled,
        status_reason: None,
        status_updated_time: NEVER.into(),
        connection_state: ConnectionState::Connected,
        connection_state_updated_time: NEVER.into(),
        last_activity_time: NEVER.into(),
        cloud_to_device_message_count: 3,
        authentication: Authentication {
            kind: AuthKind::Sas,
            primary_key: key.clone(),
            secondary_key: key,
            primary_thumbprint: None,
            secondary_thumbprint: None,
        },
        iot_edge: false,
        device_scope: None,
        parent_scopes: Vec::new(),
        managed_by: None,
    }
}

#[test]
fn reads_bulk_items() {
    let body = json!([
        { "id": "a", "importMode": "Create", "tags": { "x": 1 }, "properties": { "desired": { "y": 2 }, "reported": { "z": 3 } } },
        { "id": "b", "etag": "*", "importMode": "deleteIfMatchEtag" },
        { "id": "c", "moduleId": "m", "eTag": "e", "importMode": "UPDATEIFMATCHETAG", "twinETag": "\"t\"" },
        { "id": "d" },
    ]);
    let items = bulk_from_json(&body).unwrap();
    let modes: Vec<ImportMode> = items.iter().map(|item| item.mode).collect();
    assert_eq!(
        modes,
        [ImportMode::Create, ImportMode::DeleteIfMatchEtag, ImportMode::UpdateIfMatchEtag, ImportMode::Create]
    );
    assert_eq!(items[0].tags.as_ref().unwrap()["x"], 1);
    assert_eq!(items[0].desired.as_ref().unwrap()["y"], 2);
    assert_eq!(items[1].identity.etag, Some(Etag("*".into())));
    assert_eq!(items[2].identity.id, TwinId::module("c", "m"));
    assert_eq!(items[2].twin_etag, Some(Etag("t".into())));
    assert_eq!((&items[3].tags, &items[3].desired, &items[3].identity.authentication), (&None, &None, &None));
}

#[test]
fn refuses_bulk_bodies_that_cannot_be_read() {
    let many: Vec<Value> = (0..101).map(|n| json!({ "id": format!("d{n}") })).collect();
    assert_eq!(bulk_from_json(&json!(many[..100])).unwrap().len(), 100);
    let cases = [
        (json!({}), "the body is not an array"),
        (json!(many), "the body has 101 items, 100 are the most"),
        (json!([7]), "the value of item 1 is not an object"),
        (json!([{ "id": "a" }, {}]), "id of item 2 is missing"),
        (json!([{ "id": "a", "importMode": "upsert" }]), "importMode of item 1 is not a known mode"),
        (json!([{ "id": "a", "tags": [] }]), "tags of item 1 is not an object"),
        (json!([{ "id": "a", "status": "x" }]), "status of item 1 is neither enabled nor disabled"),
    ];
    for (body, expected) in cases {
        assert_eq!(bulk_from_json(&body).unwrap_err().to_string(), expected);
    }
    assert!(bulk_from_json(&json!([{ "id": "a b" }])).is_err());
}

#[test]
fn writes_bulk_results() {
    let error = BulkError {
        id: TwinId::device("d"),
        code: ErrorCode::DEVICE_ALREADY_EXISTS,
        status: "there".into(),
        operation: ImportMode::Create,
    };
    let warning = BulkWarning { device: "d".into(), code: "DeviceRegisteredWithoutTwin", status: "w".into() };
    assert_eq!(bulk_result(&[], &[]).to_string(), r#"{"isSuccessful":true,"errors":[],"warnings":[]}"#);
    assert_eq!(
        bulk_result(&[error], &[warning]).to_string(),
        r#"{"isSuccessful":false,"errors":[{"deviceId":"d","moduleId":null,"errorCode":"DeviceAlreadyExists","errorStatus":"there","operation":"create"}],"warnings":[{"deviceId":"d","warningCode":"DeviceRegisteredWithoutTwin","warningStatus":"w"}]}"#
    );
}

fn authentication() -> impl Strategy<Value = Authentication> {
    let kinds = [AuthKind::Sas, AuthKind::SelfSigned, AuthKind::CertificateAuthority, AuthKind::None];
    let key = (16_usize..65).prop_map(|length| Secret::new(base64_of(length)));
    let thumbprint = || proptest::option::of("[0-9A-Fa-f]{40}|[0-9a-f]{64}");
    (proptest::sample::select(kinds.to_vec()), proptest::option::of((key.clone(), key)), thumbprint(), thumbprint())
        .prop_map(|(kind, keys, primary_thumbprint, secondary_thumbprint)| {
            let (primary_key, secondary_key) = keys.unzip();
            Authentication { kind, primary_key, secondary_key, primary_thumbprint, secondary_thumbprint }
        })
}

proptest! {
    #[test]
    fn records_print_and_parse_are_inverse(
        id in legal_twin_id(),
        authentication in authentication(),
        reason in proptest::option::of("\\PC{1,128}"),
        scopes in proptest::collection::vec("[a-z:/-]{1,20}", 0..3),
        words in ("[0-9]{0,19}", "[A-Za-z0-9=]{0,12}", any::<bool>(), any::<u64>()),
    ) {
        let is_device = id.module.is_none();
        let (generation_id, etag, flag, count) = words;
        let record = Identity {
            generation_id,
            etag: Etag(etag),
            status: if is_device && flag { Status::Disabled } else { Status::Enabled },
            status_reason: reason.clone().filter(|_| is_device),
            cloud_to_device_message_count: count,
            authentication,
            iot_edge: is_device && flag,
            device_scope: scopes.first().cloned().filter(|_| is_device),
            parent_scopes: if is_device { scopes } else { Vec::new() },
            managed_by: reason.filter(|_| !is_device),
            ..identity(id.clone(), None)
        };
        prop_assert_eq!(from_json(&to_json(&record)), Ok(record.clone()));
        // A record read and sent back is a request that asks for the same.
        let request = request_from_json(&id, &to_json(&record)).unwrap();
        prop_assert_eq!(request.authentication, Some(record.authentication));
    }

    #[test]
    fn requests_print_and_parse_are_inverse(
        id in legal_twin_id(),
        authentication in proptest::option::of(authentication()),
        reason in proptest::option::of("\\PC{1,128}"),
        scopes in proptest::collection::vec("[a-z]{1,9}", 0..3),
        flag: bool,
    ) {
        let is_device = id.module.is_none();
        let request = IdentityRequest {
            status: if is_device && flag { Status::Disabled } else { Status::Enabled },
            status_reason: reason.clone().filter(|_| is_device),
            authentication,
            iot_edge: is_device && flag,
            device_scope: reason.clone().filter(|_| is_device),
            parent_scopes: if is_device { scopes } else { Vec::new() },
            managed_by: reason.filter(|_| !is_device),
            etag: flag.then(|| Etag("x".into())),
            id,
        };
        prop_assert_eq!(request_from_json(&request.id, &request_to_json(&request)), Ok(request.clone()));
    }
}
