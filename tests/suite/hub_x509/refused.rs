//! Who is not let in: always by CONNACK 5 after a handshake that worked, never in TLS.

use super::made::{self, Shown, as_is, authority, expired, fixture, not_yet_valid, self_signed};
use super::stage::{Stage, VERSIONS, by_authority, by_thumbprint, greeting};
use crate::support::{now_s, token_until};
use serde_json::{Value, json};
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// What it is about, the identity, how it proves itself, what it shows.
type Case = (&'static str, &'static str, Value, Option<Shown>);

async fn check(stage: &Stage, cases: Vec<Case>) {
    assert!(!cases.is_empty());
    for (what, id, authentication, shown) in cases {
        let id: TwinId = id.parse().unwrap();
        stage.put(&id, &authentication, "enabled").await;
        for version in VERSIONS {
            let code = stage.connack(&greeting(&id), shown.as_ref(), version).await;
            assert_eq!(code, 5, "{what}, {:?}", version.version);
        }
    }
    assert_eq!(stage.test.hub.hub().sessions().connected_count(), 0);
}

#[tokio::test]
async fn whose_thumbprint_does_not_fit() {
    let stage = Stage::start(&[]).await;
    let by = |shown: &Shown| by_thumbprint(&shown.sha1(), &shown.sha256());
    let right = self_signed("d", as_is);
    let mut cases: Vec<Case> = vec![
        ("no certificate", "d", by(&right), None),
        ("another certificate of the same name", "d", by(&right), Some(self_signed("d", as_is))),
        ("one of version 1 that is not the one", "d", by(&right), Some(fixture("v1-self"))),
        ("an identity without thumbprints", "d", json!({"type": "selfSigned"}), Some(right.clone())),
    ];
    for (what, change) in [("expired", expired as made::Change), ("not yet valid", not_yet_valid)] {
        let (device, module) = (self_signed("d", change), self_signed("d/m", change));
        cases.push((what, "d", by(&device), Some(device)));
        cases.push((what, "d/m", by(&module), Some(module)));
    }
    for name in ["d", "m", "d/M", "D/m", "d/mm", "d/m/", "d/m ", "e/m", "d\\/m", "localhost", ""] {
        let shown = self_signed(name, as_is);
        cases.push(("a module with another name", "d/m", by(&shown), Some(shown)));
    }
    check(&stage, cases).await;
}

#[tokio::test]
async fn who_does_not_lead_to_an_authority() {
    let ca = authority("Authority", as_is);
    let shallow = authority("Shallow", made::shallow);
    let old = authority("Old authority", expired);
    let stage = Stage::start(&[&ca, &shallow, &old]).await;
    let namesake = authority("Authority", as_is);
    let mut cases: Vec<Case> = Vec::new();
    let mut add = |what, id, shown| cases.push((what, id, by_authority(), shown));
    add("no certificate", "d", None);
    for name in ["e", "D", "d/m", "d ", "localhost"] {
        add("another name", "d", Some(ca.sign(name, as_is)));
    }
    for name in ["d", "m", "d/M", "e/m"] {
        add("a module with another name", "d/m", Some(ca.sign(name, as_is)));
    }
    add("expired", "d", Some(ca.sign("d", expired)));
    add("not yet valid", "d", Some(ca.sign("d", not_yet_valid)));
    add("self-signed", "d", Some(self_signed("d", as_is)));
    add("self-signed, and a CA by its own word", "req-x509", Some(fixture("req-x509")));
    add("another authority", "d", Some(authority("Stranger", as_is).sign("d", as_is)));
    add("an authority that only has the right name", "d", Some(namesake.sign("d", as_is)));
    add("the authority has expired", "d", Some(old.sign("d", as_is)));
    add("what leads there is not shown", "d", Some(ca.below("Between", as_is).sign("d", as_is).alone()));
    add("what leads there has expired", "d", Some(ca.below("Between", expired).sign("d", as_is)));
    add("what leads there is no CA", "d", Some(ca.below("Between", made::not_a_ca).sign("d", as_is)));
    add("what leads there may not sign", "d", Some(ca.below("Between", made::not_for_signing).sign("d", as_is)));
    add("the authority allows none between", "d", Some(shallow.below("Between", as_is).sign("d", as_is)));
    add("too long a way", "d", Some(ca.deep(7).sign("d", as_is)));
    add("in circles", "d", Some(authority("Circle", as_is).in_circles(8).sign("d", as_is)));
    add("the authority's key under another name", "d", Some(ca.renamed("Other").sign("d", as_is)));
    check(&stage, cases).await;
}

#[tokio::test]
async fn a_proof_of_the_other_kind() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let shown = ca.sign("d", as_is);
    let id = TwinId::device("d");
    let keys = json!({"type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}});
    let thumbprint = by_thumbprint(&shown.sha1(), "");
    let own = token_until("localhost/devices/d", &Secret::new(KEY), None, now_s() + 60);
    let device = stage.test.hub.hub().policies().by_name("device").unwrap().primary.clone();
    let policy = token_until("localhost/devices/d", &device, Some("device"), now_s() + 60);
    let cases = [
        ("a key, by certificate", &keys, None, 5),
        ("a key, by token, certificate or not", &keys, Some(&own), 0),
        ("an authority, by token", &by_authority(), Some(&own), 5),
        ("an authority, by a policy's token", &by_authority(), Some(&policy), 5),
        ("thumbprints, by token", &thumbprint, Some(&own), 5),
        ("thumbprints, by a policy's token", &thumbprint, Some(&policy), 5),
        ("an authority, by certificate", &by_authority(), None, 0),
        ("thumbprints, by certificate", &thumbprint, None, 0),
    ];
    for (what, authentication, password, code) in cases {
        stage.put(&id, authentication, "enabled").await;
        let mut connect = greeting(&id);
        connect.password = password.cloned();
        assert_eq!(stage.connack(&connect, Some(&shown), VERSIONS[1]).await, code, "{what}");
    }
    // An empty password is none.
    let mut connect = greeting(&id);
    connect.password = Some(String::new());
    assert_eq!(stage.connack(&connect, Some(&shown), VERSIONS[1]).await, 0);
}

#[tokio::test]
async fn a_disabled_device_and_its_modules() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let (device, module): (TwinId, TwinId) = ("d".parse().unwrap(), "d/m".parse().unwrap());
    let shown = [&device, &module].map(|id| ca.sign(id.to_string(), as_is));
    stage.put(&device, &by_authority(), "enabled").await;
    stage.put(&module, &by_authority(), "enabled").await;
    for (status, code) in [("enabled", 0), ("disabled", 5), ("enabled", 0)] {
        stage.put(&device, &by_authority(), status).await;
        for (id, shown) in [&device, &module].into_iter().zip(&shown) {
            assert_eq!(stage.connack(&greeting(id), Some(shown), VERSIONS[0]).await, code, "{id} {status}");
        }
    }
    let nobody = TwinId::device("nobody");
    assert_eq!(stage.connack(&greeting(&nobody), Some(&ca.sign("nobody", as_is)), VERSIONS[0]).await, 5);
}

/// Rules of the registry: 40 or 64 hex digits and nothing between them.
#[tokio::test]
async fn thumbprints_that_are_none() {
    let stage = Stage::start(&[]).await;
    let mut owner = stage.test.owner().await;
    let good = "ab".repeat(20);
    for bad in ["ab", &"g".repeat(40), &"ab:".repeat(20), &good[1..], &"ab".repeat(32)[1..], &format!("{good} ")] {
        for pair in [(bad, good.as_str()), (good.as_str(), bad)] {
            let body = json!({"deviceId": "d", "authentication": by_thumbprint(pair.0, pair.1)});
            owner.put("/devices/d", body).await.refused(400, "ArgumentInvalid");
        }
    }
    let body = json!({"deviceId": "d", "authentication": {"type": "CertificateAuthority", "symmetricKey": null}});
    let made = owner.put("/devices/d", body).await.ok();
    let wanted = json!({
        "symmetricKey": {"primaryKey": null, "secondaryKey": null},
        "x509Thumbprint": {"primaryThumbprint": null, "secondaryThumbprint": null},
        "type": "certificateAuthority",
    });
    assert_eq!(made["authentication"], wanted);
}
