//! Shared access signatures, against vectors computed outside this program.

use super::{KEY, key, legal_twin_id};
use proptest::prelude::*;
use twinscope::protocol::sas::{SasError, Token, parse, resource, sign};
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

const EXPIRY: u64 = 1_735_689_600;

/// `sr` as it stands in the token, and the signature before it is URL-encoded.
const VECTORS: [(&str, &str); 5] = [
    ("contoso.azure-devices.net", "NRxl9vB2F8ybjiHIreo91TfX/xn1TG45rGxLZO0KwjY="),
    ("contoso.azure-devices.net%2Fdevices%2Fdev1", "Biloao/R7x1PAiXjuG6fezMwur0OwJkkCnw+6Z1cTn8="),
    ("contoso.azure-devices.net%2fdevices%2fdev1", "AWGyrOSbRyeiZpnnTqkRjbCUEkwoP1JKGX/DZfOW9TA="),
    ("contoso.azure-devices.net%2Fdevices%2Fdev1%2Fmodules%2Fm1", "b9YPci9ZZUygEjjQItaLyhOKKPEX/5JRFStx4pmHCfg="),
    ("localhost%3A8443", "/EDRCd5I5dXO5txroFYPqvwn+N8XIm3e4HU60cLw1PM="),
];

fn encoded(signature: &str) -> String {
    signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[test]
fn verifies_the_vectors_in_either_hex_case_and_encoding() {
    for (sr, signature) in VECTORS {
        // Encoded in full, with a bare slash as Python leaves it, in lower-case hex, and not at all.
        let spellings = [
            encoded(signature),
            encoded(signature).replace("%2F", "/"),
            encoded(signature).to_lowercase_hex(),
            signature.to_owned(),
        ];
        for sig in spellings {
            let token = parse(&format!("SharedAccessSignature sr={sr}&sig={sig}&se={EXPIRY}")).unwrap();
            assert_eq!(token.raw_resource, sr);
            assert!(token.is_signed_by(&key()), "{sr} {sig}");
            assert!(!token.is_signed_by(&Secret::new("AAAA")), "{sr}");
            assert!(!token.is_signed_by(&Secret::new("no base64!")), "{sr}");
        }
    }
}

trait LowerHex {
    fn to_lowercase_hex(&self) -> String;
}

impl LowerHex for String {
    fn to_lowercase_hex(&self) -> String {
        self.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")
    }
}

#[test]
fn signs_the_vectors() {
    let dev1 = TwinId::device("dev1");
    let m1 = TwinId::module("dev1", "m1");
    let hub = "contoso.azure-devices.net";
    let cases = [
        (resource(hub, None), 0),
        (resource(hub, Some(&dev1)), 1),
        (resource(hub, Some(&m1)), 3),
        (resource("localhost:8443", None), 4),
    ];
    for (resource, index) in cases {
        let (sr, signature) = VECTORS[index];
        let expected = format!("SharedAccessSignature sr={sr}&sig={}&se={EXPIRY}", encoded(signature));
        assert_eq!(sign(&resource, &key(), EXPIRY, None).unwrap().reveal(), expected);
        let expected = format!("{expected}&skn=a%20policy");
        assert_eq!(sign(&resource, &key(), EXPIRY, Some("a policy")).unwrap().reveal(), expected);
    }
}

#[test]
fn a_key_that_lost_its_padding_signs_the_same() {
    let short = Secret::new(KEY.trim_end_matches('='));
    assert_eq!(sign("h", &short, 1, None), sign("h", &key(), 1, None));
    assert_eq!(sign("h", &Secret::new("no base64!"), 1, None), Err(SasError::Key));
}

#[test]
fn a_changed_token_is_not_signed() {
    let token = |sr: &str, se: &str| Token { raw_resource: sr.into(), raw_expiry: se.into(), ..signed("h/devices/d") };
    assert!(token("h%2Fdevices%2Fd", "1735689600").is_signed_by(&key()));
    assert!(!token("h%2Fdevices%2Fe", "1735689600").is_signed_by(&key()));
    assert!(!token("h%2Fdevices%2Fd", "1735689601").is_signed_by(&key()));
    let cut = Token { signature: vec![], ..token("h%2Fdevices%2Fd", "1735689600") };
    assert!(!cut.is_signed_by(&key()));
}

#[test]
fn reads_fields_in_any_order_and_odd_values() {
    let token =
        parse("SharedAccessSignature skn=p%20q&se=99999999999999999999999&sig=YWJj&sr=localhost:8443&x=1").unwrap();
    assert_eq!(token.policy.as_deref(), Some("p q"));
    assert_eq!(token.expiry, u64::MAX);
    assert_eq!(token.resource, "localhost:8443");
    assert_eq!(parse("sharedaccesssignature sr=h&sig=YWJj&se=1795222468000&skn=").unwrap().policy, None);
    let plus = parse("SharedAccessSignature sr=h&sig=%2B%2B%2B%2B&se=1").unwrap();
    assert_eq!(plus.signature, parse("SharedAccessSignature sr=h&sig=++++&se=1").unwrap().signature);
}

#[test]
fn names_the_field_that_is_wrong() {
    let cases = [
        ("", SasError::NotAToken),
        ("Bearer eyJ0", SasError::NotAToken),
        ("SharedAccessSignature", SasError::NotAToken),
        ("SharedAccessSignature x", SasError::Field("sr")),
        ("SharedAccessSignature sig=YWJj&se=1", SasError::Field("sr")),
        ("SharedAccessSignature sr=&sig=YWJj&se=1", SasError::Field("sr")),
        ("SharedAccessSignature sr=%FF&sig=YWJj&se=1", SasError::Field("sr")),
        ("SharedAccessSignature sr=h&sr=g&sig=YWJj&se=1", SasError::Field("sr")),
        ("SharedAccessSignature sr=h&se=1", SasError::Field("sig")),
        ("SharedAccessSignature sr=h&sig=%21&se=1", SasError::Field("sig")),
        ("SharedAccessSignature sr=h&sig=YWJj", SasError::Field("se")),
        ("SharedAccessSignature sr=h&sig=YWJj&se=-1", SasError::Field("se")),
        ("SharedAccessSignature sr=h&sig=YWJj&se=1e9", SasError::Field("se")),
    ];
    for (token, expected) in cases {
        assert_eq!(parse(token), Err(expected), "{token}");
    }
}

fn signed(resource: &str) -> Token {
    parse(sign(resource, &key(), EXPIRY, None).unwrap().reveal()).unwrap()
}

#[test]
fn a_token_prints_without_its_signature() {
    let token = signed("h");
    let shown = format!("{token:?}");
    assert!(shown.contains("1735689600") && !shown.contains(&format!("{:?}", token.signature)), "{shown}");
    assert_eq!(shown, r#"Token { raw_resource: "h", raw_expiry: "1735689600", policy: None, .. }"#);
}

#[test]
fn covers_whole_segments_only() {
    let cases = [
        ("h", "h", true),
        ("h", "h/devices/d/modules/m", true),
        ("H:8443", "h/devices/d", true),
        ("h", "H:443/devices/d", true),
        ("h:1", "h:2/devices/d", true),
        ("h/", "h/devices/d", true),
        ("h/devices", "h/devices/d", true),
        ("h/devices/d", "h/devices/d/modules/m", true),
        ("h/Devices/d", "h/devices/d", true),
        ("[::1]:8443", "[::1]/devices/d", true),
        ("g", "h/devices/d", false),
        ("h/devices/d", "h", false),
        ("h/devices/d", "h/devices/dd", false),
        ("h/devices/dd", "h/devices/d", false),
        ("h/devices/D", "h/devices/d", false),
        ("h/devices/d/modules/m", "h/devices/d", false),
        ("h/devices/d/modules/m", "h/devices/d/modules/n", false),
        ("h/devices/d/api-version=2016-11-14", "h/devices/d", true),
        ("h/devices/d/modules/m/api-version=2016-11-14", "h/devices/d/modules/m", true),
        ("h/devices/d/api-version=2016-11-14", "h/devices/e", false),
        ("h/devices/d/api-version=2016-11-14", "h/devices/d/modules/m", false),
        // A device may be called so: its token is not one for every device.
        ("h/devices/api-version=1", "h/devices", false),
        ("h/api-version=1", "h", false),
        ("", "h", false),
    ];
    for (resource, uri, expected) in cases {
        let token = Token { resource: resource.to_owned(), ..signed("h") };
        assert_eq!(token.covers(uri), expected, "{resource:?} covers {uri:?}");
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(id in legal_twin_id(), bytes in proptest::collection::vec(any::<u8>(), 1..65), expiry: u64, policy in "\\PC{1,20}") {
        use base64::Engine as _;
        let key = Secret::new(base64::engine::general_purpose::STANDARD.encode(bytes));
        let uri = resource("hub.example:8443", Some(&id));
        let token = parse(sign(&uri, &key, expiry, Some(&policy)).unwrap().reveal()).unwrap();
        prop_assert!(token.is_signed_by(&key));
        prop_assert!(token.covers(&uri));
        prop_assert!(token.covers(&resource("HUB.example", Some(&id))));
        prop_assert_eq!((token.resource, token.expiry, token.policy), (uri, expiry, Some(policy)));
    }
}
