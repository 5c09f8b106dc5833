//! The words of the wire: routes, tokens, connection strings, bags, topics, bodies. Anything is read or refused; what is read is
//! written and read back as the same; what people are shown has an end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twinscope::protocol::connection_string::{ConnectionString, Who, split_port};
use twinscope::protocol::error::{self, ErrorCode, Shape};
use twinscope::protocol::event::{EventPage, HubEvent};
use twinscope::protocol::fault::{Fault, Plan};
use twinscope::protocol::feedback::FeedbackRecord;
use twinscope::protocol::job::{DeviceJob, JobRequest, JobResponse, PayloadForm};
use twinscope::protocol::message::Properties;
use twinscope::protocol::method::{self, MethodAnswer, MethodCall};
use twinscope::protocol::mqtt::{FromDevice, ToDevice, UserName, client_id, matches};
use twinscope::protocol::rest::{IfMatch, Route};
use twinscope::protocol::secret::Secret;
use twinscope::protocol::{bag, duration, identity, job, sas};
use twinscope::twin::{Json, TwinId, wire};

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const NOW: &str = "2026-08-15T09:07:13.1234567Z";

fn routes(text: &str) {
    for verb in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
        for target in [text.to_owned(), format!("/{text}?api-version=2021-04-12")] {
            if let Ok(route) = Route::parse_for(verb, &target) {
                let again = route.target();
                assert_eq!(Route::parse_for(verb, &again), Ok(route), "{verb} {target} became {again}");
            }
        }
    }
    let if_match = IfMatch::parse(Some(text));
    let header = if_match.header();
    if let IfMatch::Quoted(_) = if_match {
        assert_eq!(IfMatch::parse(header.as_deref()), if_match);
    }
}

fn tokens(text: &str) {
    for token in [text.to_owned(), format!("SharedAccessSignature {text}")] {
        if let Ok(token) = sas::parse(&token) {
            let _answers =
                (token.covers(text), token.covers("localhost/devices/d"), token.is_signed_by(&Secret::new(text)));
            assert!(!token.is_signed_by(&Secret::new(KEY)), "nobody signed this");
        }
    }
    let key = Secret::new(KEY);
    let token = sas::sign(text, &key, 4_102_444_800, Some(text)).expect("a key");
    if !text.is_empty() {
        let token = sas::parse(token.reveal()).expect("a token");
        assert!(token.is_signed_by(&key) && token.covers(text));
        assert_eq!((token.resource.as_str(), token.policy.as_deref()), (text, Some(text)));
    }
}

fn connection_strings(text: &str) {
    let _split = split_port(text);
    for string in [text.to_owned(), format!("HostName=h;DeviceId=d;{text}"), format!("HostName=h;{text}")] {
        if let Ok(read) = ConnectionString::read(&string) {
            let again = ConnectionString::read(read.connection.reveal().reveal());
            assert_eq!(again.map(|again| again.connection).as_ref(), Ok(&read.connection));
        }
        if let Ok(read) = ConnectionString::parse(&string) {
            // An id in which a semicolon stands cannot have come out of one.
            if let Who::Identity { id, .. } = &read.who {
                assert!(!client_id(id).contains(';'));
            }
            assert_eq!(ConnectionString::parse(read.reveal().reveal()).as_ref(), Ok(&read));
            assert!(!format!("{read:?}").contains(KEY));
        }
    }
}

fn topics(text: &str) {
    let read = bag::parse(text);
    // A part without a key and a value is no part.
    let pairs: Vec<(&str, Option<&str>)> = read.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    assert_eq!(bag::parse(&bag::format(&pairs)), read);

    for name in [text.to_owned(), format!("h/d/m/?api-version=2021-04-12&{text}"), format!("h/{text}/?api-version=1")] {
        if let Some(name) = UserName::parse(&name) {
            assert_eq!(UserName::parse(&name.text()).as_ref(), Some(&name), "{}", name.text());
            let _named = name.names(&TwinId::device("d"));
        }
    }
    let prefixes =
        ["", "$iothub/twin/GET/", "$iothub/twin/PATCH/properties/reported/", "$iothub/twin/PATCH/properties/desired/"];
    let more = ["$iothub/twin/res/", "$iothub/methods/POST/", "$iothub/methods/res/", "devices/"];
    for topic in prefixes.into_iter().chain(more).map(|prefix| format!("{prefix}{text}")) {
        if let Some(read) = FromDevice::parse(&topic) {
            assert_eq!(FromDevice::parse(&read.topic()), Some(read), "{topic}");
        }
        if let Some(read) = ToDevice::parse(&topic) {
            assert_eq!(ToDevice::parse(&read.topic()), Some(read), "{topic}");
        }
        assert!(matches(&topic, &topic) || topic.contains(['+', '#']));
        let _matched = (matches(text, &topic), matches("+/+/#", &topic), method::is_for(&topic, text));
    }
    if method::check_name(text).is_ok() {
        let topic = ToDevice::Method { name: text.to_owned(), rid: "1".to_owned() };
        assert_eq!(ToDevice::parse(&topic.topic()), Some(topic));
    }
    if let Ok(id) = text.parse::<TwinId>() {
        assert_eq!(id.to_string(), text);
        let covers = sas::resource("localhost", Some(&id));
        let token = sas::sign(&covers, &Secret::new(KEY), 1, None).expect("a key");
        assert!(sas::parse(token.reveal()).expect("a token").covers(&covers));
    }
}

fn faults_and_messages(text: &str) {
    if let Ok(fault) = text.parse::<Fault>() {
        assert_eq!(fault.to_string().parse(), Ok(fault));
    }
    let read = Properties::from_bag(text);
    assert_eq!(Properties::from_bag(&read.bag()).bag(), read.bag());
    let _size = Properties::from_headers([(text, text.as_bytes()), ("iothub-app-a", text.as_bytes())]).size();
}

fn errors(text: &str, bytes: &[u8]) {
    for header in [None, Some(text)] {
        let read = error::read(header, bytes);
        assert!(read.message.is_none_or(|message| message.chars().count() <= 2000));
        assert!(read.name.is_none_or(|name| name.len() <= 64));
        assert!(read.tracking_id.is_none_or(|id| id.len() <= 100));
    }
    for shape in [Shape::Named, Shape::Flat, Shape::Nested] {
        let body = error::body(shape, ErrorCode::PRECONDITION_FAILED, text, "0123456789abcdef0123456789abcdef", NOW);
        assert_eq!(error::read(None, &body).number, Some(412_001));
    }
}

fn bodies(body: &Json) {
    for id in [TwinId::device("d"), TwinId::module("d", "m")] {
        if let Ok(read) = identity::request_from_json(&id, body) {
            let again = identity::request_from_json(&id, &identity::request_to_json(&read)).expect("a request");
            match (&read.authentication, &again.authentication) {
                // Keys that are to be made are sent as empty ones, which are none.
                (Some(read), Some(again)) => {
                    assert_eq!((read.kind, &read.primary_key), (again.kind, &again.primary_key))
                }
                (read, again) => assert_eq!(read, again),
            }
            assert_eq!((&read.id, &read.status_reason, &read.etag), (&again.id, &again.status_reason, &again.etag));
            assert_eq!((&read.device_scope, &read.parent_scopes), (&again.device_scope, &again.parent_scopes));
        }
    }
    if let Ok(mut read) = identity::from_json(body) {
        // A module has no such fields on the wire.
        if read.id.module.is_some() {
            read = identity::from_json(&identity::to_json(&read)).expect("a record");
        } else {
            read.managed_by = None;
        }
        assert_eq!(identity::from_json(&identity::to_json(&read)), Ok(read));
    }
    if let Ok(items) = identity::bulk_from_json(body) {
        assert!(items.len() <= identity::MAX_BULK_ITEMS);
        assert!(items.iter().all(|item| TwinId::check(&item.identity.id.device).is_ok()));
    }
    if let Ok(call) = MethodCall::from_json(body) {
        assert_eq!(call.check(), Ok(()));
        assert_eq!(MethodCall::from_json(&call.to_json()), Ok(call));
    }
    if let Some(answer) = MethodAnswer::from_json(body.clone()) {
        assert_eq!(MethodAnswer::from_json(answer.to_json()), Some(answer));
    }
    if let Ok(request) = JobRequest::from_json(body) {
        assert_eq!(JobRequest::from_json(&Json::Object(request.to_map())), Ok(request));
    }
    if let Some(job) = JobResponse::from_json(body) {
        assert_eq!(JobResponse::from_json(&job.to_json(PayloadForm::AsGiven)).as_ref(), Some(&job));
        let _bytes = job.to_json(PayloadForm::Bytes);
    }
    if let Ok(plan) = Plan::from_json(body) {
        assert_eq!(Plan::from_json(&plan.to_json()), Ok(plan));
    }
    if let Some(event) = HubEvent::from_json(body) {
        assert_eq!(HubEvent::from_json(&event.to_json()), Some(event));
    }
    if let Some(page) = EventPage::from_json(body) {
        assert_eq!(EventPage::from_json(&page.to_json()), Some(page));
    }
    let _record = FeedbackRecord::read(body);
    if let Some(row) = DeviceJob::from_json(body) {
        let again = DeviceJob::from_json(&Json::Object(row.to_map())).expect("a row");
        assert_eq!((row.id, row.status, row.error), (again.id, again.status, again.error));
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(body) = wire::json(data) {
        bodies(&body);
    }
    if let Some(payload) = method::read_payload(data) {
        assert_eq!(method::read_payload(method::payload_text(&payload).as_bytes()), Some(payload));
    }
    let text = String::from_utf8_lossy(data);
    errors(&text, data);
    routes(&text);
    tokens(&text);
    connection_strings(&text);
    topics(&text);
    faults_and_messages(&text);
    let _legal = job::check_id(&text);
    if let Ok(length) = duration::parse(&text) {
        assert!(length <= duration::LONGEST);
        let printed = duration::parse(&duration::print(length)).expect("a length of time");
        assert_eq!(printed.as_millis(), length.as_millis());
    }
});
