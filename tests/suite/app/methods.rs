//! Calls of direct methods: typed, made, answered, put back; and calls that are answered here.

use super::{Desk, twin};
use serde_json::json;
use twinscope::app::Action;
use twinscope::app::activity::CallSide;
use twinscope::app::methods::{CallField, Methods, ReplyField};
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::method::{MethodAnswer, MethodCall};
use twinscope::twin::{TwinId, wire};
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Fact, Failure, Key};

fn start() -> (Desk, TwinId) {
    Desk::with_twin(twin("E1", 2, json!({}), json!({})))
}

fn methods<'a>(desk: &'a Desk, id: &TwinId) -> &'a Methods {
    &desk.app.tab(id).unwrap().methods
}

fn edit(desk: &mut Desk, id: &TwinId, field: CallField, text: &str) {
    desk.act(Action::EditCall { id: id.clone(), field, text: text.to_owned() });
}

fn call(desk: &mut Desk, id: &TwinId) -> Option<(Key, MethodCall)> {
    match desk.act(Action::CallMethod(id.clone())).pop() {
        Some(Command::CallMethod { key, call, .. }) => Some((key, call)),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn answer(status: i64, payload: serde_json::Value) -> Outcome {
    Outcome::Called(MethodAnswer { status, payload })
}

#[test]
fn a_call_is_made_as_typed_and_its_answer_kept() {
    let (mut desk, id) = start();
    assert!(call(&mut desk, &id).is_none(), "there is no name yet");
    edit(&mut desk, &id, CallField::Name, "reboot");
    edit(&mut desk, &id, CallField::Payload, r#"{"delay": 1.50}"#);
    edit(&mut desk, &id, CallField::ResponseTimeout, " 45 ");
    edit(&mut desk, &id, CallField::ConnectTimeout, "10");
    let (key, sent) = call(&mut desk, &id).unwrap();
    let payload = wire::json(br#"{"delay":1.50}"#).unwrap();
    assert_eq!(sent, MethodCall { name: "reboot".into(), payload, response_timeout_s: 45, connect_timeout_s: 10 });
    assert!(call(&mut desk, &id).is_none(), "one at a time");
    desk.later(1234);
    desk.done(key, Ok(answer(200, json!({"ok": [1, 2]}))));
    let made = methods(&desk, &id).shown().unwrap();
    assert_eq!((made.ms, made.outcome.as_ref().unwrap().status), (1234, 200));
    assert!(made.answer_text.starts_with("{\n  \"ok\""), "{}", made.answer_text);
    assert!(methods(&desk, &id).running.is_none());
    let seen = desk.app.activity.calls.back().unwrap();
    assert_eq!((seen.side, seen.name.as_str()), (CallSide::Made, "reboot"));
    assert_eq!((seen.payload.as_str(), seen.answer.as_str()), (r#"{"delay": 1.50}"#, r#"200 {"ok":[1,2]}"#));
}

#[test]
fn what_cannot_be_sent_says_why() {
    let (mut desk, id) = start();
    edit(&mut desk, &id, CallField::Name, "reboot");
    for (field, text, why) in [
        (CallField::Name, "two words", "' ' is not allowed"),
        (CallField::Payload, "{\"a\": }", "The payload: line 1, column 7"),
        (CallField::ResponseTimeout, "soon", "The response timeout"),
        (CallField::ResponseTimeout, "4", "from 5 to 300"),
        (CallField::ConnectTimeout, "-1", "The connect timeout"),
        (CallField::ConnectTimeout, "31", "is more than"),
    ] {
        let before = methods(&desk, &id).typed.clone();
        edit(&mut desk, &id, field, text);
        let said = methods(&desk, &id).call.clone().unwrap_err();
        assert!(said.contains(why), "{said}");
        assert_eq!(methods(&desk, &id).payload_problems.len(), usize::from(field == CallField::Payload));
        assert!(call(&mut desk, &id).is_none());
        let put_back = match field {
            CallField::Name => before.name,
            CallField::Payload => before.payload,
            CallField::ResponseTimeout => before.response_timeout,
            CallField::ConnectTimeout => before.connect_timeout,
        };
        edit(&mut desk, &id, field, &put_back);
        assert!(methods(&desk, &id).call.is_ok());
    }
    // No text is no payload.
    edit(&mut desk, &id, CallField::Payload, " \n ");
    assert_eq!(call(&mut desk, &id).unwrap().1.payload, json!(null));
}

#[test]
fn calls_are_kept_and_put_back() {
    let (mut desk, id) = start();
    for n in 0..25 {
        edit(&mut desk, &id, CallField::Name, &format!("m{n}"));
        edit(&mut desk, &id, CallField::Payload, &n.to_string());
        let (key, _) = call(&mut desk, &id).unwrap();
        // What is typed meanwhile is not what was sent.
        edit(&mut desk, &id, CallField::Payload, "\"later\"");
        desk.done(key, Ok(answer(200 + n, json!(n))));
    }
    let made: Vec<String> = methods(&desk, &id).made.iter().map(|made| made.typed.name.clone()).collect();
    assert_eq!((made.len(), made[0].as_str(), made[19].as_str()), (20, "m24", "m5"));
    let number = methods(&desk, &id).made[4].number;
    desk.act(Action::RecallMethod { id: id.clone(), number });
    assert_eq!(methods(&desk, &id).typed.name, "m20");
    assert_eq!(methods(&desk, &id).typed.payload, "20");
    assert_eq!(methods(&desk, &id).shown().unwrap().outcome.as_ref().unwrap().status, 220);
    assert_eq!(call(&mut desk, &id).unwrap().1.payload, json!(20));
}

#[test]
fn failures_and_cancelling_end_a_call_too() {
    let (mut desk, id) = start();
    edit(&mut desk, &id, CallField::Name, "m");
    let offline = Failure::Hub(HubError::NotOnline { service: ServiceError::default() });
    for failure in [offline, Failure::Cancelled, Failure::Panicked("x".into())] {
        let (key, _) = call(&mut desk, &id).unwrap();
        desk.done(key, Err(failure.clone()));
        assert_eq!(methods(&desk, &id).shown().unwrap().outcome, Err(failure));
        assert!(methods(&desk, &id).running.is_none());
    }
    // The answer to a call of a tab that was closed meanwhile.
    let (key, _) = call(&mut desk, &id).unwrap();
    desk.act(Action::CloseTabAndDiscard(id.clone()));
    desk.act(Action::OpenTwin(id.clone()));
    desk.done(key, Ok(answer(200, json!(1))));
    assert!(methods(&desk, &id).made.is_empty());
}

#[test]
fn incoming_calls_are_answered_with_what_the_panel_says() {
    let (mut desk, id) = start();
    let incoming =
        || Fact::MethodCalled { id: id.clone(), name: "reboot".into(), rid: "1f".into(), payload: json!({"delay": 5}) };
    let answered = |desk: &mut Desk| match &desk.fact(incoming())[..] {
        [Command::AnswerMethod { id: whose, rid, answer }] if *whose == id && rid == "1f" => answer.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(answered(&mut desk), MethodAnswer { status: 200, payload: json!({}) });
    let reply = |desk: &mut Desk, field, text: &str| {
        desk.act(Action::EditReply { id: id.clone(), field, text: text.to_owned() });
    };
    reply(&mut desk, ReplyField::Status, "503");
    reply(&mut desk, ReplyField::Payload, "");
    assert_eq!(answered(&mut desk), MethodAnswer { status: 503, payload: json!(null) });
    // While something is wrong with it, the last good one counts.
    reply(&mut desk, ReplyField::Payload, "{\"half\":");
    assert!(methods(&desk, &id).reply.problem.is_some());
    assert_eq!(answered(&mut desk), MethodAnswer { status: 503, payload: json!(null) });
    reply(&mut desk, ReplyField::Payload, "{\"half\": false}");
    assert_eq!(answered(&mut desk).payload, json!({"half": false}));
    let seen = desk.app.activity.calls.back().unwrap();
    assert_eq!((seen.side, seen.answer.as_str()), (CallSide::Answered, "503 {\"half\":false}"));
    // Nobody looks: whoever calls gets an answer all the same.
    desk.act(Action::CloseTabAndDiscard(id.clone()));
    assert_eq!(answered(&mut desk).status, 200);
}
