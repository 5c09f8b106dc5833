//! The stream of the hub's events: when it is followed, what is kept of it, filtered and shown in detail.

use super::Desk;
use serde_json::json;
use twinscope::app::events::{Absence, Entry, EventsAct, Form, KEPT, KEPT_BYTES, Stream};
use twinscope::app::{Action, Events};
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::event::{EventPage, HubEvent, What};
use twinscope::twin::{JsonMap, wire};
use twinscope::worker::event::{HubInfo, Outcome, Then};
use twinscope::worker::{Command, Fact, Failure, HubRef};

fn act(desk: &mut Desk, act: EventsAct) -> Vec<Command> {
    desk.act(Action::Events(act))
}

fn looking() -> Desk {
    let mut desk = Desk::open();
    assert_eq!(act(&mut desk, EventsAct::Look), [Command::FollowEvents { after: 0 }]);
    desk
}

fn event(number: u64, id: &str, what: What) -> HubEvent {
    HubEvent { number, time: "2026-08-15T09:07:13.1234567Z".to_owned(), id: id.parse().unwrap(), what }
}

fn telemetry(number: u64, id: &str, payload: &[u8]) -> HubEvent {
    let what =
        What::Telemetry { bag: "level=hot&%24.mid=m1".to_owned(), payload: payload.to_vec(), bytes: payload.len() };
    event(number, id, what)
}

fn map(text: &str) -> JsonMap {
    wire::json(text.as_bytes()).unwrap().as_object().unwrap().clone()
}

fn page(desk: &mut Desk, after: u64, dropped: u64, events: Vec<HubEvent>) {
    let next = events.last().map_or(after + dropped, |event| event.number);
    tell(desk, after, EventPage { next, dropped, events });
}

fn tell(desk: &mut Desk, after: u64, page: EventPage) {
    assert!(desk.fact(Fact::HubEvents { after, page: Box::new(page) }).is_empty());
}

/// The rows in sight, oldest first.
fn rows(events: &Events) -> Vec<String> {
    let rows = (0..events.visible_len()).rev().map(|n| events.newest(n).unwrap());
    rows.map(|row| match &row.entry {
        Entry::Event(event) => format!("{} {}", event.number, row.line).trim_end().to_owned(),
        Entry::Missed(_) | Entry::Restarted => row.line.clone(),
    })
    .collect()
}

#[test]
fn it_is_followed_only_while_somebody_looks() {
    let mut desk = looking();
    assert!(matches!(desk.app.events.stream, Stream::Asked { .. }));
    page(&mut desk, 0, 0, vec![telemetry(1, "d", b"1")]);
    assert_eq!(desk.app.events.stream, Stream::Live);
    assert_eq!(act(&mut desk, EventsAct::LookAway), [Command::LeaveEvents]);
    // What was on its way is asked for again.
    page(&mut desk, 1, 0, vec![telemetry(2, "d", b"2")]);
    assert_eq!(rows(&desk.app.events), ["1 1"]);
    assert_eq!(act(&mut desk, EventsAct::Look), [Command::FollowEvents { after: 1 }]);
    page(&mut desk, 1, 0, vec![telemetry(2, "d", b"2")]);
    assert_eq!(rows(&desk.app.events), ["1 1", "2 2"]);
}

#[test]
fn paused_rows_stand_still_and_come_later() {
    let mut desk = looking();
    page(&mut desk, 0, 0, vec![telemetry(1, "d", b"1")]);
    assert_eq!(act(&mut desk, EventsAct::Pause), [Command::LeaveEvents]);
    page(&mut desk, 1, 0, vec![telemetry(2, "d", b"2")]);
    assert_eq!(rows(&desk.app.events), ["1 1"]);
    // Looking away and back does not end a pause.
    assert_eq!(act(&mut desk, EventsAct::LookAway), []);
    assert_eq!(act(&mut desk, EventsAct::Look), []);
    assert_eq!(desk.app.events.stream, Stream::Paused);
    assert_eq!(act(&mut desk, EventsAct::Resume), [Command::FollowEvents { after: 1 }]);
    // So long that the hub no longer has all of it.
    page(&mut desk, 1, 3, vec![telemetry(5, "d", b"5")]);
    assert_eq!(rows(&desk.app.events), ["1 1", "3 events are missing: the hub no longer keeps them", "5 5"]);
}

#[test]
fn pages_that_overlap_are_taken_once() {
    let mut desk = looking();
    page(&mut desk, 0, 0, vec![telemetry(1, "d", b"1"), telemetry(2, "d", b"2")]);
    page(&mut desk, 0, 1, vec![telemetry(2, "d", b"2"), telemetry(3, "d", b"3")]);
    assert_eq!(rows(&desk.app.events), ["1 1", "2 2", "3 3"], "what was told before is not missing");
}

#[test]
fn a_hub_that_was_started_anew_is_told() {
    let mut desk = looking();
    page(&mut desk, 0, 0, vec![telemetry(40, "d", b"1")]);
    tell(&mut desk, 40, EventPage { next: 1, dropped: 0, events: vec![telemetry(1, "d", b"9")] });
    assert_eq!(rows(&desk.app.events), ["40 1", "The hub was started anew", "1 9"]);
    page(&mut desk, 1, 0, vec![telemetry(2, "d", b"10")]);
    assert_eq!(desk.app.events.len(), 4);
}

#[test]
fn rows_and_bytes_are_bounded() {
    let mut desk = looking();
    let mut last = 0;
    for _ in 0..12 {
        let events = (1..=1000).map(|n| telemetry(last + n, "d", b"{}")).collect();
        page(&mut desk, last, 0, events);
        last += 1000;
    }
    let events = &desk.app.events;
    assert_eq!((events.len(), events.visible_len()), (KEPT, KEPT));
    assert_eq!(rows(events)[0], format!("{} {{}}", 12_000 - KEPT + 1));
    let big = vec![b'x'; 100_000];
    for n in 1..=200 {
        page(&mut desk, last, 0, vec![telemetry(last + n, "d", &big)]);
        last += n;
    }
    assert!(desk.app.events.len() <= KEPT_BYTES / 100_000, "{}", desk.app.events.len());
    assert_eq!(desk.app.events.visible_len(), desk.app.events.len());
}

#[test]
fn filters_by_identity_and_kind() {
    let mut desk = looking();
    page(
        &mut desk,
        0,
        2,
        vec![
            telemetry(3, "Pump-1/control", b"3"),
            telemetry(4, "pump-2", b"4"),
            event(5, "pump-2", What::Connected),
            event(6, "valve", What::Connected),
        ],
    );
    act(&mut desk, EventsAct::Filter(" PUMP".to_owned()));
    let gap = "2 events are missing: the hub no longer keeps them";
    assert_eq!(rows(&desk.app.events), [gap, "3 3", "4 4", "5"]);
    act(&mut desk, EventsAct::Toggle("telemetry"));
    assert_eq!(rows(&desk.app.events), [gap, "5"]);
    // What comes is filtered too.
    page(&mut desk, 6, 0, vec![telemetry(7, "pump-2", b"7"), event(8, "pump-2", What::Disconnected)]);
    assert_eq!(rows(&desk.app.events), [gap, "5", "8"]);
    act(&mut desk, EventsAct::Filter("control".to_owned()));
    act(&mut desk, EventsAct::Toggle("telemetry"));
    assert_eq!(rows(&desk.app.events), [gap, "3 3"]);
    act(&mut desk, EventsAct::ShowAll);
    assert_eq!((desk.app.events.visible_len(), desk.app.events.is_filtered()), (7, false));
    act(&mut desk, EventsAct::Clear);
    assert_eq!(desk.app.events.len(), 0);
    page(&mut desk, 8, 0, vec![telemetry(9, "valve", b"9")]);
    assert_eq!(rows(&desk.app.events), ["9 9"], "it goes on where it was");
}

#[test]
fn a_line_says_what_happened() {
    let check = |what: What, expected: &str| {
        let mut desk = looking();
        page(&mut desk, 0, 0, vec![event(1, "d", what)]);
        assert_eq!(desk.app.events.newest(0).unwrap().line, expected);
    };
    let twin = |tags: Option<&str>, desired: Option<(&str, u64)>, reported: Option<(&str, u64)>| What::Twin {
        replaced: false,
        version: 9,
        tags: tags.map(map),
        desired: desired.map(|(text, version)| (map(text), version)),
        reported: reported.map(|(text, version)| (map(text), version)),
    };
    let sent = |payload: &[u8]| What::Telemetry { bag: String::new(), payload: payload.to_vec(), bytes: payload.len() };
    check(sent(b"{\n  \"t\": 21.50\n}"), r#"{ "t": 21.50 }"#);
    check(sent(b""), "no payload");
    check(sent(&[0xff, 0]), "2 bytes that are no text");
    check(sent("ü".repeat(1000).as_bytes()), &format!("{}…", "ü".repeat(300)));
    check(twin(None, Some((r#"{"a":1.0}"#, 3)), None), r#"v3 {"a":1.0}"#);
    check(twin(Some(r#"{"s":1}"#), Some((r#"{"a":null}"#, 3)), None), r#"tags v9 {"s":1}, desired v3 {"a":null}"#);
    check(What::Method { name: "reboot".into(), outcome: Ok(207), ms: 12 }, "reboot answered with 207 in 12 ms");
    check(What::Method { name: "r".into(), outcome: Err(404_103), ms: 1 }, "r failed with 404103 after 1 ms");
    check(What::Message { step: "delivered".into(), message_id: Some("m".into()) }, "delivered: m");
    check(What::Job { job: "j1".into(), step: "completed".into() }, "j1: completed");
    check(What::Connected, "");
}

#[test]
fn one_event_in_detail() {
    let mut desk = looking();
    page(
        &mut desk,
        0,
        1,
        vec![
            telemetry(2, "d/m", br#"{"t":21.50}"#),
            telemetry(3, "d", &[0xff, b'A', 0]),
            telemetry(4, "d", b"plain"),
            event(5, "d", What::Connected),
        ],
    );
    let mut chosen = |n: usize| {
        let seq = desk.app.events.newest(n).unwrap().seq;
        act(&mut desk, EventsAct::Choose(Some(seq)));
        desk.app.events.chosen.clone()
    };
    let json = chosen(3).unwrap();
    assert_eq!((json.title.as_str(), json.form), ("telemetry of d/m", Form::Json));
    assert_eq!(json.payload, "{\n  \"t\": 21.50\n}");
    for (name, value) in [("time", "09:07:13.123 UTC"), ("number", "2"), ("level", "hot"), ("$.mid", "m1")] {
        assert!(json.facts.contains(&(name.to_owned(), value.to_owned())), "{name}: {:?}", json.facts);
    }
    let whole: serde_json::Value = serde_json::from_str(&json.json).unwrap();
    assert_eq!((&whole["kind"], &whole["moduleId"]), (&json!("telemetry"), &json!("m")));
    let binary = chosen(2).unwrap();
    assert_eq!(binary.form, Form::Binary);
    assert_eq!(binary.payload, format!("0000  {:<47}  .A.", "ff 41 00"));
    assert_eq!(chosen(1).unwrap().form, Form::Text);
    assert_eq!(chosen(0).unwrap().form, Form::None);
    assert!(chosen(4).is_none(), "a gap has no details");
    act(&mut desk, EventsAct::Choose(None));
    assert!(desk.app.events.chosen.is_none());
}

fn azure() -> HubInfo {
    HubInfo {
        hub: HubRef::Saved("plant".to_owned()),
        name: "Plant".to_owned(),
        host: "plant.azure-devices.net".to_owned(),
        policy: "service".to_owned(),
        api_version: "2021-04-12",
    }
}

#[test]
fn a_hub_in_azure_is_not_asked() {
    let mut desk = looking();
    page(&mut desk, 0, 0, vec![telemetry(1, "d", b"1")]);
    let commands = desk.act(Action::OpenHub(HubRef::Saved("plant".to_owned())));
    let key = commands.iter().find_map(|command| match command {
        Command::Open { key, .. } => Some(*key),
        _ => None,
    });
    // What the hub before still tells is of no interest.
    page(&mut desk, 1, 0, vec![telemetry(2, "d", b"2")]);
    assert!(desk.app.events.is_empty());
    let commands = desk.done(key.unwrap(), Ok(Outcome::Connected(azure())));
    assert!(!commands.iter().any(|command| matches!(command, Command::FollowEvents { .. })), "{commands:?}");
    assert_eq!(desk.app.events.stream, Stream::Absent(Absence::Azure));
    assert!(act(&mut desk, EventsAct::LookAway).is_empty());
    assert!(act(&mut desk, EventsAct::Look).is_empty());
    assert_eq!(desk.app.events.stream, Stream::Absent(Absence::Azure));
}

#[test]
fn names_of_azure() {
    for (host, expected) in [
        ("plant.azure-devices.net", true),
        ("Plant.Azure-Devices.CN:443", true),
        ("localhost:8443", false),
        ("azure-devices-lab.example", false),
        ("hub.local", false),
    ] {
        assert_eq!(HubInfo { host: host.to_owned(), ..azure() }.is_azure(), expected, "{host}");
    }
}

#[test]
fn failures_keep_the_rows() {
    let mut desk = looking();
    page(&mut desk, 0, 0, vec![telemetry(1, "d", b"1")]);
    let away = HubError::Unreachable { host: "localhost".to_owned(), reason: "refused".to_owned() };
    desk.fact(Fact::EventsFailed { error: away.clone(), then: Then::TriesAgain });
    assert_eq!(desk.app.events.stream, Stream::Failing(Failure::Hub(away)));
    assert_eq!(desk.app.events.len(), 1);
    page(&mut desk, 1, 0, vec![]);
    assert_eq!(desk.app.events.stream, Stream::Live);
    let refused = HubError::Unauthorized { service: ServiceError::default() };
    desk.fact(Fact::EventsFailed { error: refused.clone(), then: Then::GaveUp });
    assert_eq!(desk.app.events.stream, Stream::Refused(Failure::Hub(refused)));
    assert_eq!(act(&mut desk, EventsAct::TryAgain), [Command::FollowEvents { after: 1 }]);
    let missing = HubError::NotFound { service: ServiceError::default() };
    desk.fact(Fact::EventsFailed { error: missing, then: Then::GaveUp });
    assert_eq!(desk.app.events.stream, Stream::Absent(Absence::NotFound));
    assert_eq!(desk.app.events.len(), 1);
}
