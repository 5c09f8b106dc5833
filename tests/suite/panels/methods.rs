//! The section Methods: the call, its answer, what went wrong, the calls before; and answering while acting.

use super::scene::{Scene, module};
use super::{find, is_disabled, sized, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use serde_json::json;
use twinscope::app::Action;
use twinscope::app::methods::{CallField, ReplyField};
use twinscope::app::tab::Pane;
use twinscope::client::{HubError, LinkState};
use twinscope::protocol::error::{self, ErrorCode, Shape};
use twinscope::protocol::method::MethodAnswer;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Fact, Failure};

pub(super) fn scene() -> Scene {
    let mut scene = Scene::twin();
    scene.act(Action::ShowPane(module(), Pane::Methods));
    scene
}

fn typed(scene: &mut Scene, field: CallField, text: &str) {
    scene.act(Action::EditCall { id: module(), field, text: text.to_owned() });
}

/// A call that is under way.
fn calling() -> Scene {
    let mut scene = scene();
    typed(&mut scene, CallField::Name, "reboot");
    typed(&mut scene, CallField::Payload, "{\n  \"delay\": 5\n}");
    scene.act(Action::CallMethod(module()));
    scene
}

fn key(scene: &Scene) -> twinscope::worker::Key {
    scene.key(|command| match command {
        Command::CallMethod { key, .. } => Some(*key),
        _ => None,
    })
}

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

/// 404103 in the envelope of methods, as the hub sends it.
fn offline() -> Failure {
    let body = error::body(Shape::Nested, ErrorCode::DEVICE_NOT_ONLINE, "Timed out", "0f1e2d", "2026-01-01T00:00:00Z");
    Failure::Hub(HubError::NotOnline { service: error::read(Some("DeviceNotOnline"), &body) })
}

#[test]
fn a_call_is_typed_and_sent_by_keyboard() {
    let mut harness = window(Scene::twin());
    find(&harness, Role::Tab, "Methods").click();
    harness.run();
    assert!(is_disabled(&find(&harness, Role::Button, "Call method")));
    for name in ["Response timeout in seconds", "Connect timeout in seconds"] {
        find(&harness, Role::TextInput, name);
    }
    find(&harness, Role::TextInput, "Method name").focus();
    harness.run();
    find(&harness, Role::TextInput, "Method name").type_text("reboot");
    harness.run();
    find(&harness, Role::MultilineTextInput, "Payload JSON").focus();
    harness.run();
    find(&harness, Role::MultilineTextInput, "Payload JSON").type_text("[1.0]");
    harness.run();
    assert!(!is_disabled(&find(&harness, Role::Button, "Call method")));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    harness.run_steps(4);
    let sent = harness.state().commands.iter().rev().find_map(|command| match command {
        Command::CallMethod { call, .. } => Some(call.to_json().to_string()),
        _ => None,
    });
    let wanted = r#"{"methodName":"reboot","payload":[1.0],"responseTimeoutInSeconds":30,"connectTimeoutInSeconds":0}"#;
    assert_eq!(sent.as_deref(), Some(wanted));
    assert!(is_disabled(&find(&harness, Role::Button, "Call method")), "one at a time");
}

#[test]
fn what_is_wrong_is_said_beside_the_button() {
    let mut scene = scene();
    typed(&mut scene, CallField::Name, "reboot");
    typed(&mut scene, CallField::ConnectTimeout, "60");
    let harness = window(scene);
    let button = find(&harness, Role::Button, "Call method");
    assert!(is_disabled(&button));
    let why = "connectTimeoutInSeconds (60) is more than responseTimeoutInSeconds (30)";
    assert_eq!(button.accesskit_node().data().description(), Some(why));
    assert!(says(&harness, why));
}

#[test]
fn waiting_is_shown_after_a_moment_and_can_be_cancelled() {
    let mut harness = sized(calling(), [900.0, 600.0]);
    assert!(try_find(&harness, Role::Button, "Cancel").is_none());
    harness.state_mut().now.ms += 200;
    let now = harness.state().now;
    harness.state_mut().app.now = now;
    harness.run_steps(3);
    assert!(says(&harness, "Waiting for the answer"));
    find(&harness, Role::Button, "Cancel").click();
    harness.run_steps(3);
    let key = key(harness.state());
    assert!(harness.state().commands.contains(&Command::Cancel { key }));
    harness.state_mut().fail(key, Failure::Cancelled);
    harness.run();
    assert!(says(&harness, "Cancelled"));
    assert!(!is_disabled(&find(&harness, Role::Button, "Call method")));
}

#[test]
fn the_answer_has_status_duration_and_payload() {
    let mut scene = calling();
    let key = key(&scene);
    scene.now.ms += 35;
    scene.answer(key, Outcome::Called(MethodAnswer { status: 404, payload: json!({"error": "no such method"}) }));
    let mut harness = window(scene);
    assert!(says(&harness, "Status 404"));
    assert!(says(&harness, "reboot answered in 35 ms"));
    let answer = find(&harness, Role::MultilineTextInput, "Answer JSON");
    assert!(answer.accesskit_node().data().is_read_only());
    assert_eq!(answer.value().as_deref(), Some("{\n  \"error\": \"no such method\"\n}"));

    // Typed on since; a click on the call made puts it back.
    harness.state_mut().act(Action::EditCall { id: module(), field: CallField::Name, text: "other".to_owned() });
    harness.run();
    find(&harness, Role::ListItem, "reboot, status 404, 35 ms").click();
    harness.run();
    assert_eq!(find(&harness, Role::TextInput, "Method name").value().as_deref(), Some("reboot"));
}

#[test]
fn a_call_that_fails_says_what_to_do() {
    let mut scene = calling();
    let key = key(&scene);
    scene.fail(key, offline());
    let mut harness = sized(scene, [900.0, 600.0]);
    for words in [
        "The device is not connected, or does not listen to methods",
        "let it subscribe to methods",
        "HTTP 404 · code 404103 · DeviceNotOnline · tracking id 0f1e2d",
    ] {
        assert!(says(&harness, words), "{words}");
    }
    find(&harness, Role::ListItem, "reboot, failed, 404103");
    find(&harness, Role::Button, "Copy details").click();
    harness.step();
    let copied =
        harness.output().platform_output.commands.iter().any(
            |command| matches!(command, egui::OutputCommand::CopyText(text) if text.contains("tracking id: 0f1e2d")),
        );
    assert!(copied);
}

#[test]
fn incoming_calls_show_with_what_they_are_answered() {
    let mut scene = Scene::twin();
    scene.act(Action::ActAs(module()));
    scene.tell(Fact::Link { id: module(), state: LinkState::Online { session_present: false } });
    let mut harness = window(scene);
    assert_eq!(find(&harness, Role::TextInput, "Method answer status").value().as_deref(), Some("200"));
    find(&harness, Role::TextInput, "Method answer JSON").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    find(&harness, Role::TextInput, "Method answer JSON").type_text("[1");
    harness.run();
    assert!(says(&harness, "the last good answer is given"));
    let text = "[1]".to_owned();
    harness.state_mut().act(Action::EditReply { id: module(), field: ReplyField::Payload, text });
    let call =
        Fact::MethodCalled { id: module(), name: "reboot".into(), rid: "1".into(), payload: json!({"delay": 5}) };
    harness.state_mut().tell(call);
    harness.run();
    assert!(says(&harness, "reboot answered with 200 [1]"));
    assert!(says(&harness, "{\"delay\":5}"));
    let answer = MethodAnswer { status: 200, payload: json!([1]) };
    assert!(harness.state().commands.contains(&Command::AnswerMethod { id: module(), rid: "1".into(), answer }));
    find(&harness, Role::Tab, "Method calls").click();
    harness.run();
    assert!(says(&harness, "answered by us"));
}

#[test]
fn in_a_small_window_all_of_it_scrolls() {
    let mut scene = calling();
    let key = key(&scene);
    scene.answer(key, Outcome::Called(MethodAnswer { status: 200, payload: json!({"a": 1}) }));
    let mut harness = sized(scene, [450.0, 300.0]);
    let name = find(&harness, Role::TextInput, "Method name").rect();
    assert!(name.right() <= 450.5 && name.bottom() <= 272.0, "{name:?}");
    find(&harness, Role::MultilineTextInput, "Answer JSON");
    let before = find(&harness, Role::MultilineTextInput, "Payload JSON").rect();
    harness.hover_at(name.center());
    let delta = egui::vec2(0.0, -200.0);
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta,
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
        source: egui::MouseWheelSource::Unknown,
    });
    harness.run();
    let after = find(&harness, Role::MultilineTextInput, "Payload JSON").rect();
    assert!(after.top() < before.top() && after.top() < 272.0, "{before:?} {after:?}");
}
