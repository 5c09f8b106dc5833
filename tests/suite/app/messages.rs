//! Messages to devices: typed, sent, followed by feedback, purged after asking; and messages received while acting.

use super::{Desk, twin};
use serde_json::json;
use twinscope::app::messages::{MessageField, Messages, PropertyPart};
use twinscope::app::{Action, Dialog, HubState};
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::feedback::FeedbackRecord;
use twinscope::protocol::message::{Ack, System};
use twinscope::twin::TwinId;
use twinscope::worker::command::ToSend;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Fact, Failure, Key};

fn start() -> (Desk, TwinId) {
    let mut device = twin("E1", 2, json!({}), json!({}));
    device.as_object_mut().unwrap().remove("moduleId");
    Desk::with_twin(device)
}

fn messages<'a>(desk: &'a Desk, id: &TwinId) -> &'a Messages {
    &desk.app.tab(id).unwrap().messages
}

fn edit(desk: &mut Desk, id: &TwinId, field: MessageField, text: &str) {
    desk.act(Action::EditMessage { id: id.clone(), field, text: text.to_owned() });
}

fn property(desk: &mut Desk, id: &TwinId, row: usize, name: &str, value: &str) {
    while messages(desk, id).typed.properties.len() <= row {
        desk.act(Action::AddProperty(id.clone()));
    }
    for (part, text) in [(PropertyPart::Name, name), (PropertyPart::Value, value)] {
        desk.act(Action::EditProperty { id: id.clone(), row, part, text: text.to_owned() });
    }
}

fn send(desk: &mut Desk, id: &TwinId) -> Option<(Key, ToSend)> {
    match desk.act(Action::SendMessage(id.clone())).pop() {
        Some(Command::SendMessage { key, message, device }) => {
            assert_eq!(device, id.device);
            Some((key, *message))
        }
        None => None,
        other => panic!("{other:?}"),
    }
}

fn sent(message_id: &str, waiting: Option<u64>) -> Outcome {
    Outcome::MessageSent { message_id: message_id.to_owned(), waiting }
}

fn said(desk: &Desk, id: &TwinId) -> String {
    messages(desk, id).result.clone().unwrap().1.unwrap()
}

#[test]
fn a_message_is_sent_as_typed() {
    let (mut desk, id) = start();
    edit(&mut desk, &id, MessageField::Body, "{\"n\": 1.50}");
    edit(&mut desk, &id, MessageField::ContentType, " application/json ");
    edit(&mut desk, &id, MessageField::Expiry, "1.5 h");
    desk.act(Action::SetAck { id: id.clone(), ack: Ack::Full });
    property(&mut desk, &id, 0, "Alert", "a b");
    property(&mut desk, &id, 1, "", "");
    let (key, message) = send(&mut desk, &id).unwrap();
    assert_eq!((message.body.as_slice(), message.life_s), (&b"{\"n\": 1.50}"[..], Some(5400)));
    assert_eq!(message.properties.get(System::ContentType), Some("application/json"));
    assert_eq!(message.properties.get(System::Ack), Some("full"));
    assert_eq!(message.properties.get(System::MessageId), None);
    assert_eq!(message.properties.app, [("alert".to_owned(), Some("a b".to_owned()))]);
    assert!(send(&mut desk, &id).is_none(), "one at a time");
    // What is typed meanwhile is not what was sent.
    edit(&mut desk, &id, MessageField::Body, "later");
    desk.done(key, Ok(sent("made-up", Some(3))));
    assert_eq!(said(&desk, &id), "Queued for myFirstDevice as message made-up; 3 messages wait");
    assert_eq!(messages(&desk, &id).typed.body, "later");
    desk.act(Action::RecallMessage { id: id.clone(), number: 1 });
    assert_eq!(messages(&desk, &id).typed.body, "{\"n\": 1.50}");
    for (waiting, words) in [(Some(1), "; 1 message waits"), (Some(0), "; none waits"), (None, "message x")] {
        let (key, _) = send(&mut desk, &id).unwrap();
        desk.done(key, Ok(sent("x", waiting)));
        assert!(said(&desk, &id).ends_with(words), "{}", said(&desk, &id));
    }
}

#[test]
fn what_cannot_be_sent_says_why() {
    let (mut desk, id) = start();
    assert!(messages(&desk, &id).message.is_ok(), "an empty message is one");
    let check = |desk: &mut Desk, why: &str| {
        let problem = messages(desk, &id).message.clone().unwrap_err();
        assert!(problem.contains(why), "{problem}");
        assert!(send(desk, &id).is_none());
    };
    for (text, why) in [
        ("soon", "length of time"),
        ("5", "length of time"),
        ("-1 h", "length of time"),
        ("1.2.3 h", "length of time"),
        ("99999999999999999999 d", "length of time"),
        ("0 s", "must lie ahead"),
        ("49 h", "more than 2 d"),
    ] {
        edit(&mut desk, &id, MessageField::Expiry, text);
        check(&mut desk, why);
    }
    for (text, life_s) in [("30s", 30), ("5 min", 300), (" 2 d ", 172_800), ("0.5 H", 1800)] {
        edit(&mut desk, &id, MessageField::Expiry, text);
        assert_eq!(messages(&desk, &id).message.as_ref().unwrap().life_s, Some(life_s), "{text}");
    }
    edit(&mut desk, &id, MessageField::Expiry, "");
    for (name, value, why) in [
        ("two words", "x", "' ' is not allowed"),
        ("größe", "x", "'ö' is not allowed"),
        ("", "x", "needs a name"),
        ("a", "x\ny", "control character"),
        ("a", " x", "begins or ends with a space"),
    ] {
        property(&mut desk, &id, 0, name, value);
        check(&mut desk, why);
        assert!(messages(&desk, &id).typed.row_problem(0).is_some());
    }
    property(&mut desk, &id, 0, "alert", "1");
    property(&mut desk, &id, 1, "Alert", "2");
    check(&mut desk, "is there already");
    assert_eq!(messages(&desk, &id).typed.row_problem(0), None);
    desk.act(Action::RemoveProperty { id: id.clone(), row: 1 });
    assert!(messages(&desk, &id).message.is_ok());
    edit(&mut desk, &id, MessageField::MessageId, "line\nbreak");
    check(&mut desk, "The message id");
    edit(&mut desk, &id, MessageField::MessageId, "");
    edit(&mut desk, &id, MessageField::Body, &"x".repeat(65_536));
    check(&mut desk, "a hub takes 65536");
}

#[test]
fn a_body_that_is_no_json_is_only_a_hint() {
    let (mut desk, id) = start();
    for (content_type, body, hints) in [
        ("", "plain", 0),
        ("", "{\"half\":", 1),
        ("application/json", "plain", 1),
        ("application/json", "\"plain\"", 0),
        ("application/json", "", 0),
        ("text/plain", "plain", 0),
    ] {
        edit(&mut desk, &id, MessageField::ContentType, content_type);
        edit(&mut desk, &id, MessageField::Body, body);
        assert_eq!(messages(&desk, &id).body_hints.len(), hints, "{content_type} {body}");
        assert!(messages(&desk, &id).message.is_ok());
    }
}

#[test]
fn failures_and_cancelling_lose_nothing_typed() {
    let (mut desk, id) = start();
    edit(&mut desk, &id, MessageField::Body, "dear");
    property(&mut desk, &id, 0, "a", "b");
    let typed = messages(&desk, &id).typed.clone();
    let full = Failure::Hub(HubError::Forbidden {
        service: ServiceError { number: Some(403_004), ..ServiceError::default() },
    });
    for failure in [full, Failure::Cancelled, Failure::Panicked("x".into())] {
        let (key, _) = send(&mut desk, &id).unwrap();
        desk.done(key, Err(failure.clone()));
        let messages = messages(&desk, &id);
        assert_eq!(messages.result.as_ref().unwrap().1, Err(failure));
        assert_eq!((&messages.typed, messages.sent.len(), messages.running.is_none()), (&typed, 0, true));
    }
    // The answer to a message of a tab that was closed meanwhile.
    let (key, _) = send(&mut desk, &id).unwrap();
    desk.act(Action::CloseTabAndDiscard(id.clone()));
    desk.act(Action::OpenTwin(id.clone()));
    desk.done(key, Ok(sent("x", None)));
    assert!(messages(&desk, &id).sent.is_empty());
}

fn record(device: &str, message_id: &str, status: &str) -> FeedbackRecord {
    FeedbackRecord {
        message_id: Some(message_id.to_owned()),
        device: device.to_owned(),
        generation: "1".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        status: status.to_owned(),
    }
}

#[test]
fn feedback_finds_its_message_and_other_feedback_is_kept_beside_it() {
    let (mut desk, id) = start();
    for name in ["a", "b"] {
        let (key, _) = send(&mut desk, &id).unwrap();
        desk.done(key, Ok(sent(name, Some(1))));
    }
    let [Command::FetchFeedback { key }] = desk.act(Action::FetchFeedback(id.clone()))[..] else { panic!() };
    assert!(desk.act(Action::FetchFeedback(id.clone())).is_empty(), "one at a time");
    let elsewhere = TwinId::device("elsewhere");
    let device = id.device.as_str();
    desk.fact(Fact::Feedback(vec![
        record(device, "a", "Success"),
        record("elsewhere", "b", "Expired"),
        record(device, "c", "Rejected"),
        record(device, "d", "Strange"),
    ]));
    desk.done(key, Ok(Outcome::FeedbackFetched { records: 4, more: false }));
    let fetched = messages(&desk, &id).fetched.clone().unwrap().1.unwrap();
    assert_eq!(fetched, "4 records of feedback came, about messages to any device");
    let fates: Vec<_> = messages(&desk, &id)
        .sent
        .iter()
        .map(|sent| (sent.message_id.clone(), sent.feedback.as_ref().map(|heard| heard.word().to_owned())))
        .collect();
    assert_eq!(fates, [("b".to_owned(), None), ("a".to_owned(), Some("Delivered".to_owned()))]);
    let tab = desk.app.tab(&id).unwrap();
    let others: Vec<_> = desk.app.other_feedback(tab).map(|heard| heard.word().to_owned()).collect();
    assert_eq!(others, ["Strange", "Rejected"]);
    // The other device's shows when its tab is opened.
    desk.act(Action::OpenTwin(elsewhere.clone()));
    let tab = desk.app.tab(&elsewhere).unwrap();
    assert_eq!(desk.app.other_feedback(tab).count(), 1);
    let [Command::FetchFeedback { key }] = desk.act(Action::FetchFeedback(id.clone()))[..] else { panic!() };
    desk.done(key, Err(Failure::Cancelled));
    assert!(messages(&desk, &id).fetching.is_none());
}

#[test]
fn purging_asks_with_the_count_and_says_what_went() {
    let (mut desk, id) = start();
    let ask = |desk: &mut Desk| match desk.act(Action::ShowPurge(id.clone()))[..] {
        [Command::CountMessages { key, .. }] => key,
        ref other => panic!("{other:?}"),
    };
    let key = ask(&mut desk);
    assert!(desk.act(Action::PurgeMessages(id.clone())).is_empty(), "nothing goes before it was counted");
    desk.done(key, Ok(Outcome::MessagesWaiting(2)));
    assert!(matches!(&desk.app.dialog, Some(Dialog::Purge { waiting: Some(Ok(2)), .. })));
    let [Command::PurgeMessages { key, .. }] = desk.act(Action::PurgeMessages(id.clone()))[..] else { panic!() };
    desk.done(key, Err(Failure::Local("broken".to_owned())));
    assert!(
        matches!(&desk.app.dialog, Some(Dialog::Purge { problem: Some(why), running: None, .. }) if why == "broken")
    );
    let [Command::PurgeMessages { key, .. }] = desk.act(Action::PurgeMessages(id.clone()))[..] else { panic!() };
    desk.done(key, Ok(Outcome::MessagesPurged(3)));
    assert!(desk.app.dialog.is_none());
    assert_eq!(said(&desk, &id), "Purged 3 messages that waited for myFirstDevice");
    // What cannot be counted can still be purged.
    let key = ask(&mut desk);
    desk.done(key, Err(Failure::Local("no right".to_owned())));
    let [Command::PurgeMessages { key, .. }] = desk.act(Action::PurgeMessages(id.clone()))[..] else { panic!() };
    desk.act(Action::CloseDialog);
    desk.done(key, Ok(Outcome::MessagesPurged(1)));
    assert_eq!(said(&desk, &id), "Purged 1 message that waited for myFirstDevice");
}

#[test]
fn modules_and_policies_without_the_right_get_a_reason() {
    let (mut desk, module) = Desk::with_twin(twin("E1", 2, json!({}), json!({})));
    assert!(desk.app.messages_off(&module).unwrap().contains("not to modules"));
    assert!(send(&mut desk, &module).is_none());
    assert!(desk.act(Action::FetchFeedback(module.clone())).is_empty());
    assert!(desk.act(Action::ShowPurge(module.clone())).is_empty());
    let (mut desk, id) = start();
    for (policy, off) in [("registryReadWrite", true), ("service", false), ("myOwn", false)] {
        let HubState::Open(info) = &mut desk.app.hub else { panic!() };
        policy.clone_into(&mut info.policy);
        assert_eq!(desk.app.messages_off(&id).is_some(), off, "{policy}");
    }
}
