//! The same save in other languages: what the snippets say, that each language reads its literals back, and that they run.

mod literals;
mod live;

use serde_json::json;
use twinscope::copy_as::{Authority, Language, Method, Save};
use twinscope::twin::{Etag, Json, JsonMap, TwinId};

fn body(value: Json) -> JsonMap {
    value.as_object().unwrap().clone()
}

fn patch() -> JsonMap {
    body(json!({"tags": {"site": "north"}, "properties": {"desired": {"interval": 122, "old": null}}}))
}

/// A save of `dev-1/it's` at Azure.
fn written(language: Language, method: Method, authority: Authority) -> String {
    let id = TwinId::module("dev-1", "it's");
    let save = Save {
        host: "plant.azure-devices.net",
        authority,
        id: &id,
        method,
        body: &patch(),
        if_match: &Etag("AAA=".to_owned()),
    };
    save.written_in(language)
}

#[test]
fn the_head_is_what_goes_over_the_wire() {
    let id = TwinId::device("a#b");
    let (body, etag) = (patch(), Etag("AAA=".to_owned()));
    let save = Save {
        host: "localhost:8443",
        authority: Authority::Private,
        id: &id,
        method: Method::Put,
        body: &body,
        if_match: &etag,
    };
    let length = Json::Object(body.clone()).to_string().len();
    let head = format!(
        "PUT /twins/a%23b?api-version=2021-04-12\nHost: localhost:8443\nIf-Match: \"AAA=\"\n\
         Authorization: (a token, signed when sent)\nContent-Type: application/json; charset=utf-8\n\
         Content-Length: {length}"
    );
    assert_eq!(save.head(), head);
}

#[test]
fn curl_to_the_letter() {
    let said = r#"# IOTHUB_SAS_TOKEN holds a token of the hub, for example from
#   az iot hub generate-sas-token --connection-string "$IOTHUB_CONNECTION_STRING" --query sas --output tsv
# IOTHUB_CA_FILE names the PEM file of the authority that signed the hub's certificate
curl --fail-with-body --silent --show-error --request PATCH \
  --cacert "$IOTHUB_CA_FILE" \
  --header "Authorization: $IOTHUB_SAS_TOKEN" \
  --header 'If-Match: "AAA="' \
  --header 'Content-Type: application/json; charset=utf-8' \
  --data-raw '{"tags":{"site":"north"},"properties":{"desired":{"interval":122,"old":null}}}' \
  'https://plant.azure-devices.net/twins/dev-1/modules/it%27s?api-version=2021-04-12'
"#;
    assert_eq!(written(Language::Curl, Method::Patch, Authority::Private), said);
}

#[test]
fn az_to_the_letter() {
    let said = r#"# IOTHUB_CONNECTION_STRING holds the connection string of a policy that may write twins
# az extension add --name azure-iot
az iot hub module-twin update --login "$IOTHUB_CONNECTION_STRING" \
  --device-id='dev-1' \
  --module-id='it'\''s' \
  --etag='AAA=' \
  --tags '{"site":"north"}' \
  --desired '{"interval":122,"old":null}'
"#;
    assert_eq!(written(Language::Az, Method::Patch, Authority::Public), said);
    let replace = written(Language::Az, Method::Put, Authority::Private);
    assert!(
        replace.contains("\nREQUESTS_CA_BUNDLE=\"$IOTHUB_CA_FILE\" az iot hub module-twin replace --login "),
        "{replace}"
    );
    assert!(replace.contains("\n  --json '{\"tags\":{\"site\":\"north\"},\"properties\":"), "{replace}");
}

/// Every language says the method, the target, the quoted etag and the body, and of secrets only where they are.
#[test]
fn every_program_says_the_whole_request() {
    for method in [Method::Patch, Method::Put] {
        for authority in [Authority::Public, Authority::Private] {
            for language in Language::ALL {
                let text = written(language, method, authority);
                let ca = text.contains("IOTHUB_CA_FILE");
                assert_eq!(ca, authority == Authority::Private, "{text}");
                assert!(text.contains("IOTHUB_CONNECTION_STRING"), "{text}");
                if language == Language::Az {
                    continue;
                }
                assert!(text.to_uppercase().contains(method.word()), "{text}");
                assert!(
                    text.contains("plant.azure-devices.net/twins/dev-1/modules/it%27s?api-version=2021-04-12"),
                    "{text}"
                );
                assert!(text.contains("\"AAA=\"") || text.contains(r#"\"AAA=\""#), "{text}");
                let json = r#"{"tags":{"site":"north"},"properties":{"desired":{"interval":122,"old":null}}}"#;
                assert!(text.contains(json), "{text}");
            }
        }
    }
}

#[test]
fn what_cannot_be_seen_is_written_out() {
    let value = json!({"a": "\u{202e}x\u{7f}\u{85}", "tag\u{e0041}": "é😀"});
    let text = twinscope::copy_as::json(&value);
    assert_eq!(text, r#"{"a":"\u202ex\u007f\u0085","tag\udb40\udc41":"é😀"}"#);
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), value);
}
