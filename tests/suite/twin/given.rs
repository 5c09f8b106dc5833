//! What the tests of this room start from: documents, twins and generators of them.

use proptest::prelude::*;
use std::sync::Arc;
use twinscope::twin::{
    AuthKind, ConnectionState, Etag, Json, JsonMap, Path, Properties, Segment, Status, Twin, TwinId, text,
};

/// So many cases by default; more take their time, and `PROPTEST_CASES` asks for them.
pub fn cases(default: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(default),
    }
}

/// A value from JSON text, with every number as spelled.
pub fn json(text: &str) -> Json {
    text::value(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
}

/// A document from JSON text.
pub fn map(text: &str) -> JsonMap {
    let Json::Object(map) = json(text) else { panic!("{text} is no object") };
    map
}

/// A path from its printed form, plain keys and indexes only.
pub fn path(printed: &str) -> Path {
    let mut segments = Vec::new();
    for part in printed.split(['.', '[']).filter(|part| !part.is_empty()) {
        segments.push(match part.strip_suffix(']') {
            Some(index) => Segment::Index(index.parse().expect("an index")),
            None => Segment::Key(part.to_owned()),
        });
    }
    Path(segments)
}

/// A device twin with these sections.
pub fn twin(desired: &str, tags: &str) -> Arc<Twin> {
    Arc::new(Twin {
        id: TwinId::device("dev1"),
        etag: Etag("AAAAAAAAAAI=".to_owned()),
        device_etag: None,
        version: 3,
        status: Some(Status::Enabled),
        status_reason: None,
        status_update_time: None,
        connection_state: ConnectionState::Disconnected,
        last_activity_time: None,
        cloud_to_device_message_count: 0,
        authentication: Some(AuthKind::Sas),
        primary_thumbprint: None,
        secondary_thumbprint: None,
        model_id: None,
        iot_edge: false,
        tags: map(tags),
        desired: Properties { values: map(desired), version: 2, metadata: Json::Null },
        reported: Properties { version: 1, ..Properties::default() },
        extra: JsonMap::new(),
    })
}

pub fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
        prop::sample::select(vec!["0", "-0", "1", "1.0", "1.00", "1E5", "1e5", "1e+5", "-1.5E-7", "1e400"])
            .prop_map(str::to_owned),
        "[1-9][0-9]{15,25}",
    ]
}

fn keys() -> impl Strategy<Value = String> {
    // Few keys, so that two documents have some in common.
    prop_oneof![8 => "[a-d]", 1 => "[a-zäß\\\\\"/ \u{1F600}]{0,4}"]
}

fn values(null: bool) -> BoxedStrategy<Json> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Json::from),
        numbers().prop_map(|spelled| json(&spelled)),
        "[a-c]".prop_map(Json::from),
        prop::collection::vec(any::<char>(), 0..5).prop_map(|chars| chars.into_iter().collect::<String>().into()),
    ];
    let leaf = if null { prop_oneof![4 => scalar, 1 => Just(Json::Null)].boxed() } else { scalar.boxed() };
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            3 => prop::collection::vec((keys(), inner), 0..5)
                .prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Any JSON object.
pub fn any_documents() -> impl Strategy<Value = JsonMap> {
    prop::collection::vec((keys(), values(true)), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

/// Objects without `null`, as sections are.
pub fn documents() -> impl Strategy<Value = JsonMap> {
    prop::collection::vec((keys(), values(false)), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

/// Two documents of which the second often is an edit of the first.
pub fn pairs() -> impl Strategy<Value = (JsonMap, JsonMap)> {
    prop_oneof![
        1 => (documents(), documents()),
        3 => (documents(), documents()).prop_map(|(base, other)| {
            let edited = mixed(&base, &other);
            (base, edited)
        }),
    ]
}

/// A document and two edits of it.
pub fn triples() -> impl Strategy<Value = (JsonMap, JsonMap, JsonMap)> {
    (documents(), documents(), documents(), any::<bool>()).prop_map(|(base, one, two, close)| {
        if close {
            let (mine, theirs) = (mixed(&base, &one), mixed(&base, &two));
            (base, mine, theirs)
        } else {
            (base, one, two)
        }
    })
}

/// `base` with some of `other` in it and some of its own gone.
fn mixed(base: &JsonMap, other: &JsonMap) -> JsonMap {
    let mut out = JsonMap::new();
    for (index, (key, value)) in base.iter().enumerate() {
        match (value, other.get(key)) {
            (Json::Object(inner), Some(Json::Object(new))) => {
                out.insert(key.clone(), Json::Object(mixed(inner, new)));
            }
            (_, Some(new)) if index % 2 == 0 => {
                out.insert(key.clone(), new.clone());
            }
            (_, Some(_)) if index % 3 == 0 => {}
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    for (key, value) in other.iter().filter(|(key, _)| !base.contains_key(*key)) {
        out.insert(key.clone(), value.clone());
    }
    out
}

fn texts() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-zA-Z0-9:.-]{0,12}")
}

fn properties() -> impl Strategy<Value = Properties> {
    (documents(), any::<u64>(), prop::option::of(documents())).prop_map(|(values, version, metadata)| Properties {
        values: values.into_iter().filter(|(key, _)| !key.starts_with('$')).collect(),
        version,
        metadata: metadata.map(Json::Object).unwrap_or_default(),
    })
}

/// Any twin a hub could send.
pub fn twins() -> impl Strategy<Value = Twin> {
    let names = ("[a-z]{1,8}", prop::option::of("[a-z]{1,8}"), "[A-Z]{0,6}", texts());
    let states = (
        prop::option::of(prop::sample::select(vec![Status::Enabled, Status::Disabled])),
        texts(),
        texts(),
        prop::sample::select(vec![ConnectionState::Connected, ConnectionState::Disconnected]),
        texts(),
    );
    let kinds = vec![AuthKind::Sas, AuthKind::SelfSigned, AuthKind::CertificateAuthority, AuthKind::None];
    let proofs =
        (prop::option::of(prop::sample::select(kinds)), texts(), texts(), prop::option::of("dtmi:[a-z]{1,5};1"));
    let counts = (any::<u64>(), any::<u64>(), any::<bool>());
    let bodies = (documents(), properties(), properties(), documents());
    (names, states, proofs, counts, bodies).prop_map(|(names, states, proofs, counts, bodies)| Twin {
        id: TwinId { device: names.0, module: names.1 },
        etag: Etag(names.2),
        device_etag: names.3.map(Etag),
        version: counts.0,
        status: states.0,
        status_reason: states.1,
        status_update_time: states.2,
        connection_state: states.3,
        last_activity_time: states.4,
        cloud_to_device_message_count: counts.1,
        authentication: proofs.0,
        primary_thumbprint: proofs.1,
        secondary_thumbprint: proofs.2,
        model_id: proofs.3,
        iot_edge: counts.2,
        tags: bodies.0,
        desired: bodies.1,
        reported: bodies.2,
        extra: bodies.3.into_iter().map(|(key, value)| (format!("x-{key}"), value)).collect(),
    })
}
