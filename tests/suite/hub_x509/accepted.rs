//! Who is let in.

use super::made::{self, Shown, as_is, authority, fixture, self_signed};
use super::stage::{Stage, VERSIONS, by_authority, by_thumbprint, greeting};
use crate::hub_mqtt::frames::{Framing, Ws};
use crate::hub_mqtt::wire::{Got, Wire};
use rcgen::string::{BmpString, Ia5String, PrintableString, TeletexString, UniversalString};
use rcgen::{CertificateParams, DnType, DnValue};
use serde_json::{Value, json};
use twinscope::twin::{ConnectionState, TwinId};

/// What it is about, the identity, how it proves itself, what it shows.
type Case = (&'static str, &'static str, Value, Shown);

async fn check(stage: &Stage, cases: Vec<Case>) {
    assert!(!cases.is_empty());
    for (what, id, authentication, shown) in cases {
        let id: TwinId = id.parse().unwrap();
        stage.put(&id, &authentication, "enabled").await;
        for version in VERSIONS {
            let code = stage.connack(&greeting(&id), Some(&shown), version).await;
            assert_eq!(code, 0, "{what}, {:?}", version.version);
        }
    }
}

#[tokio::test]
async fn by_thumbprint_of_either_length_in_any_case() {
    let stage = Stage::start(&[]).await;
    let [one, two, three, four] = ["one", "two", "three", "mod/one"].map(|name| self_signed(name, as_is));
    let other = "0".repeat(40);
    let cases = vec![
        ("SHA-1, primary, upper case", "one", by_thumbprint(&one.sha1(), &other), one.clone()),
        ("SHA-256, secondary, lower case", "two", by_thumbprint(&other, &two.sha256()), two.clone()),
        (
            "a primary alone",
            "three",
            json!({"x509Thumbprint": {"primaryThumbprint": three.sha1().to_lowercase()}}),
            three,
        ),
        ("a device's name is free", "four", by_thumbprint(&one.sha1(), &one.sha256()), one),
        ("a module", "mod/one", by_thumbprint(&four.sha1(), &four.sha1()), four),
    ];
    check(&stage, cases).await;
}

#[tokio::test]
async fn by_a_registered_authority() {
    let ca = authority("Authority", made::shallow);
    let deep = authority("Deep authority", as_is);
    let between = deep.below("Between", as_is).below("Between too", made::shallow);
    let stage = Stage::start(&[&ca, &deep]).await;
    let type_only = by_authority();
    let cases = vec![
        ("a device", "one", type_only.clone(), ca.sign("one", as_is)),
        ("a device with another certificate of its name", "one", type_only.clone(), ca.sign("one", as_is)),
        ("a module", "one/m", type_only.clone(), ca.sign("one/m", as_is)),
        ("P-384", "two", type_only.clone(), ca.sign_p384("two")),
        ("over two others", "three", type_only.clone(), between.sign("three", as_is)),
        ("over six others", "four", type_only.clone(), deep.deep(6).sign("four", as_is)),
        ("RSA of version 1", "v1-rsa", type_only.clone(), fixture("v1-rsa")),
        ("a module's of version 1", "v1-ec/m", type_only.clone(), fixture("v1-ec")),
        ("under an authority of version 1", "under-v1", type_only, fixture("under-v1")),
    ];
    check(&stage, cases).await;
}

/// The thumbprints are those that `openssl x509 -fingerprint` prints, colons taken out.
#[tokio::test]
async fn what_openssl_makes_works_by_thumbprint() {
    let stage = Stage::start(&[]).await;
    let [v1_rsa, v1_ec] = ["v1-rsa", "v1-ec"].map(fixture);
    let cases = vec![
        ("self-signed of version 1, SHA-1", "a", by_thumbprint(V1_SHA1, ""), fixture("v1-self")),
        ("self-signed of version 1, SHA-256", "b", by_thumbprint(V1_SHA256, V1_SHA256), fixture("v1-self")),
        ("a CA by its own word", "c", by_thumbprint("", REQ_SHA1), fixture("req-x509")),
        ("a CA by its own word, SHA-256", "d", by_thumbprint(REQ_SHA256, REQ_SHA1), fixture("req-x509")),
        ("signed by somebody, version 1, RSA", "e", by_thumbprint(&v1_rsa.sha256(), ""), v1_rsa),
        ("a module's of version 1", "v1-ec/m", by_thumbprint(&v1_ec.sha1(), ""), v1_ec),
    ];
    check(&stage, cases).await;
}

const V1_SHA1: &str = "165C6ACB69979774A6C0D38FB876B45D2707E0C6";
const V1_SHA256: &str = "F7D900AF5B4BBE0F9AB6434F3C22B8F9966855EC42C6A4210F2510354CD34135";
const REQ_SHA1: &str = "CD19199A99749927A947CC20CA3A60F2C729328E";
const REQ_SHA256: &str = "F1CAE11135D4265102781791DA22ABCF8D95AA5E72C96B66C3C196AE14848CDE";

#[tokio::test]
async fn names_are_read_in_every_type_of_string() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let utf32 = |text: &str| text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    let names: Vec<(&str, DnValue)> = vec![
        ("utf8/m", DnValue::Utf8String("utf8/m".into())),
        ("printable/m", DnValue::PrintableString(PrintableString::try_from("printable/m").unwrap())),
        ("ia5_/m", DnValue::Ia5String(Ia5String::try_from("ia5_/m").unwrap())),
        ("t61/m", DnValue::TeletexString(TeletexString::try_from("t61/m").unwrap())),
        ("bmp/m", DnValue::BmpString(BmpString::from_utf16be(utf16("bmp/m")).unwrap())),
        ("universal", DnValue::UniversalString(UniversalString::from_utf32be(utf32("universal")).unwrap())),
    ];
    let mut cases: Vec<Case> =
        names.into_iter().map(|(id, name)| (id, id, by_authority(), ca.sign(name, as_is))).collect();
    let second = |params: &mut CertificateParams| {
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), "another");
        params.distinguished_name.push(DnType::OrganizationName, "Somebody");
    };
    cases.push(("the first of two", "first", by_authority(), ca.sign("first", second)));
    cases.push(("the second of two", "another", by_authority(), ca.sign("first", second)));
    check(&stage, cases).await;
}

#[tokio::test]
async fn a_connection_outlives_what_comes_after_but_not_another_thumbprint() {
    let stage = Stage::start(&[]).await;
    let (old, new) = (self_signed("d", as_is), self_signed("d", as_is));
    let id = TwinId::device("d");
    let made = stage.put(&id, &by_thumbprint(&old.sha1(), &new.sha256()), "enabled").await;
    let read = stage.test.owner().await.get("/devices/d").await.ok();
    for identity in [&made, &read] {
        let authentication = &identity["authentication"];
        assert_eq!(authentication["type"], "selfSigned");
        let wanted = json!({"primaryThumbprint": old.sha1(), "secondaryThumbprint": new.sha256()});
        assert_eq!(authentication["x509Thumbprint"], wanted, "their case is kept");
        assert_eq!(authentication["symmetricKey"], json!({"primaryKey": null, "secondaryKey": null}));
    }
    let mut wire = stage.dial(Some(&old), VERSIONS[1]).await.unwrap();
    wire.ask(&greeting(&id).bytes(), crate::hub_mqtt::wire::Got::ConnAck(0, 0)).await;
    let known = || stage.test.hub.hub().read(|registry| registry.twin(&id).unwrap().connection_state);
    assert_eq!(known(), ConnectionState::Connected);
    stage.put(&id, &by_thumbprint(&old.sha1(), &new.sha256()), "enabled").await;
    wire.expect_quiet().await;
    stage.put(&id, &by_thumbprint(&new.sha1(), &new.sha256()), "enabled").await;
    wire.expect_end().await;
    assert_eq!(stage.connack(&greeting(&id), Some(&old), VERSIONS[0]).await, 5);
    assert_eq!(stage.connack(&greeting(&id), Some(&new), VERSIONS[0]).await, 0);
}

#[tokio::test]
async fn it_holds_for_the_clock_of_the_hub() {
    let ca = authority("Authority", as_is);
    let stage = Stage::start(&[&ca]).await;
    let (id, shown) = (TwinId::device("d"), ca.sign("d", as_is));
    stage.put(&id, &by_authority(), "enabled").await;
    let clock = stage.test.hub.hub().clock();
    for (skew_s, code) in [(0, 0), (2 * 86_400, 5), (-2 * 86_400, 5), (0, 0)] {
        clock.skew(skew_s);
        assert_eq!(stage.connack(&greeting(&id), Some(&shown), VERSIONS[1]).await, code, "{skew_s}");
    }
}

#[tokio::test]
async fn over_web_socket_too() {
    let stage = Stage::start(&[]).await;
    let id: TwinId = "one/m".parse().unwrap();
    let [own, other] = [self_signed("one/m", as_is), self_signed("one/m", as_is)];
    stage.put(&id, &by_thumbprint(&own.sha1(), &own.sha256()), "enabled").await;
    for version in VERSIONS {
        for (shown, code) in [(Some(&own), 0), (Some(&other), 5), (None, 5)] {
            let stream = stage.open(stage.test.hub.https(), shown, version).await.unwrap();
            let mut wire = Wire::new(Ws::open(stream).await.carry(Framing::AsSent));
            wire.ask(&greeting(&id).bytes(), Got::ConnAck(0, code)).await;
        }
    }
}
