//! Client certificates.

use crate::hub_x509::made::{self, Shown, as_is, authority, fixture, self_signed};
use crate::hub_x509::stage::{Stage, VERSIONS, by_authority, by_thumbprint, greeting};
use crate::support::token;
use serde_json::{Value, json};
use twinscope::twin::TwinId;

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// What a client is told that shows this certificate, after a handshake that worked.
async fn told(stage: &Stage, id: &str, authentication: &Value, shown: &Shown) -> u8 {
    let id: TwinId = id.parse().unwrap();
    stage.put(&id, authentication, "enabled").await;
    stage.connack(&greeting(&id), Some(shown), VERSIONS[1]).await
}

#[tokio::test]
async fn by_thumbprint_a_devices_certificate_may_bear_any_name() {
    let stage = Stage::start(&[]).await;
    let shown = self_signed("whoever", as_is);
    assert_eq!(told(&stage, "d", &by_thumbprint(&shown.sha1(), ""), &shown).await, 0);
    assert_eq!(told(&stage, "d", &by_thumbprint("", &shown.sha256()), &shown).await, 0, "or SHA-256, or the second");
    let other = self_signed("d", as_is);
    assert_eq!(told(&stage, "d", &by_thumbprint(&shown.sha1(), ""), &other).await, 5, "the right name is not enough");
}

#[tokio::test]
async fn a_modules_certificate_names_device_and_module() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    for (name, code) in [("d/m", 0), ("d", 5), ("m", 5), ("d/M", 5), ("e/m", 5)] {
        let shown = self_signed(name, as_is);
        assert_eq!(told(&stage, "d/m", &by_thumbprint(&shown.sha1(), ""), &shown).await, code, "{name}");
        assert_eq!(told(&stage, "d/m", &by_authority(), &ca.sign(name, as_is)).await, code, "{name}, by authority");
    }
}

#[tokio::test]
async fn under_an_authority_the_name_is_all_that_counts() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    for (name, code) in [("d", 0), ("d", 0), ("D", 5), ("e", 5), ("d/m", 5)] {
        assert_eq!(told(&stage, "d", &by_authority(), &ca.sign(name, as_is)).await, code, "{name}");
    }
    let between = ca.below("Between", as_is).sign("d", as_is);
    assert_eq!(told(&stage, "d", &by_authority(), &between).await, 0);
    assert_eq!(told(&stage, "d", &by_authority(), &between.alone()).await, 5, "what leads there must be shown");
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_told_by_connack() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let expired = self_signed("d", made::expired);
    for (authentication, shown) in [
        (by_thumbprint(&expired.sha1(), ""), Some(&expired)),
        (by_thumbprint(&expired.sha1(), ""), Some(&self_signed("d", as_is))),
        (by_authority(), Some(&authority("Stranger", as_is).sign("d", as_is))),
        (by_authority(), None),
    ] {
        let id = TwinId::device("d");
        stage.put(&id, &authentication, "enabled").await;
        for version in VERSIONS {
            // The handshake works: this panics when it does not.
            assert_eq!(stage.connack(&greeting(&id), shown, version).await, 5);
        }
    }
}

#[tokio::test]
async fn an_identity_proves_itself_in_one_way() {
    let stage = Stage::start(&[]).await;
    let (id, shown) = (TwinId::device("d"), self_signed("d", as_is));
    let (keys, thumbprint) = (
        json!({"type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}}),
        by_thumbprint(&shown.sha1(), ""),
    );
    let policy = stage.test.hub.hub().policies().by_name("device").unwrap().primary.clone();
    let policy = token("localhost/devices/d", &policy, Some("device"));
    for (authentication, password, code) in
        [(&keys, Some(&policy), 0), (&keys, None, 5), (&thumbprint, Some(&policy), 5), (&thumbprint, None, 0)]
    {
        stage.put(&id, authentication, "enabled").await;
        let mut connect = greeting(&id);
        connect.password = password.cloned();
        let told = stage.connack(&connect, Some(&shown), VERSIONS[1]).await;
        assert_eq!(told, code, "{authentication}, with a token: {}", password.is_some());
    }
}

#[tokio::test]
async fn certificates_of_version_1_are_taken() {
    let stage = Stage::start(&[]).await;
    let own = fixture("v1-self");
    assert_eq!(told(&stage, "d", &by_thumbprint(&own.sha1(), ""), &own).await, 0);
    for (id, name) in [("v1-rsa", "v1-rsa"), ("v1-ec/m", "v1-ec")] {
        assert_eq!(told(&stage, id, &by_authority(), &fixture(name)).await, 0, "{id}");
    }
}
