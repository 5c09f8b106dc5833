//! Both directions of every word on the wire.

#![allow(clippy::unwrap_used)] // The lint spares test functions, but not what they share.

mod bags_and_topics;
mod connection_strings;
mod errors;
mod hostile;
mod identities;
mod jobs;
mod messages;
mod methods;
mod pasted;
mod recorded;
mod routes;
mod signatures;

use proptest::prelude::*;
use twinscope::protocol::secret::Secret;
use twinscope::twin::TwinId;

/// Base64 of the bytes 0x00 to 0x1f.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A property: `None` for null.
type Property<'a> = (&'a str, Option<&'a str>);

fn key() -> Secret {
    Secret::new(KEY)
}

/// Ids of every character that is legal, and those that look like something else: dot segments, words of the paths, escapes.
fn legal_id() -> impl Strategy<Value = String> {
    let odd = [
        ".",
        "..",
        "...",
        "query",
        "QUERY",
        "Query",
        "modules",
        "methods",
        "devices",
        "%2F",
        "%2e",
        "%2E%2e",
        "%",
        "#",
        "?",
        "+",
        "'",
        "*",
        "$edgeAgent",
        "api-version=2021-04-12",
        "?api-version=1",
        "top=1",
        "-",
        "a;b",
        "a&amp",
    ];
    let odd: Vec<String> = odd.into_iter().filter(|id| TwinId::check(id).is_ok()).map(str::to_owned).collect();
    prop_oneof![
        4 => "[A-Za-z0-9.+%_#*?!(),:=@$';-]{1,30}",
        1 => "[.%2EeFf?#/]{1,6}".prop_filter("no slash in an id", |id| TwinId::check(id).is_ok()),
        1 => proptest::sample::select(odd),
        1 => "[A-Za-z0-9.%+#?]{128}",
    ]
}

fn legal_twin_id() -> impl Strategy<Value = TwinId> {
    (legal_id(), proptest::option::of(legal_id())).prop_map(|(device, module)| TwinId { device, module })
}
