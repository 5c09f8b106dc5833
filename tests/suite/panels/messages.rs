//! The section Messages: the message, its properties, what came of it, feedback and purging; and receiving while acting.

use super::scene::{Scene, module, twin_json};
use super::{find, is_disabled, sized, try_find, window};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::messages::{MessageField, PropertyPart};
use twinscope::app::tab::Pane;
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::feedback::FeedbackRecord;
use twinscope::protocol::message::{Ack, System};
use twinscope::twin::TwinId;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Fact, Failure};

fn device() -> TwinId {
    module().parent()
}

pub(super) fn scene() -> Scene {
    let mut scene = Scene::twin();
    scene.open(&device(), &twin_json(&device(), 60, 3));
    scene.act(Action::ShowPane(device(), Pane::Messages));
    scene
}

fn typed(scene: &mut Scene, field: MessageField, text: &str) {
    scene.act(Action::EditMessage { id: device(), field, text: text.to_owned() });
}

fn property(scene: &mut Scene, row: usize, name: &str, value: &str) {
    scene.act(Action::AddProperty(device()));
    for (part, text) in [(PropertyPart::Name, name), (PropertyPart::Value, value)] {
        scene.act(Action::EditProperty { id: device(), row, part, text: text.to_owned() });
    }
}

fn sending(scene: &mut Scene) -> twinscope::worker::Key {
    scene.act(Action::SendMessage(device()));
    scene.key(|command| match command {
        Command::SendMessage { key, .. } => Some(*key),
        _ => None,
    })
}

fn sent(scene: &mut Scene, message_id: &str) {
    let key = sending(scene);
    scene.answer(key, Outcome::MessageSent { message_id: message_id.to_owned(), waiting: Some(3) });
}

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn type_into(harness: &mut Harness<'_, Scene>, role: Role, name: &str, text: &str) {
    find(harness, role, name).focus();
    harness.run();
    find(harness, role, name).type_text(text);
    harness.run();
}

#[test]
fn a_message_is_typed_and_sent_by_keyboard() {
    let mut scene = Scene::twin();
    scene.open(&device(), &twin_json(&device(), 60, 3));
    let mut harness = window(scene);
    find(&harness, Role::Tab, "Messages").click();
    harness.run();
    for name in ["Content type", "Content encoding", "Message id", "Correlation id", "Expiry"] {
        find(&harness, Role::TextInput, name);
    }
    type_into(&mut harness, Role::MultilineTextInput, "Message body", "hello");
    type_into(&mut harness, Role::TextInput, "Expiry", "1 h");
    find(&harness, Role::Button, "Add property").click();
    harness.run();
    type_into(&mut harness, Role::TextInput, "Property 1 name", "alert");
    type_into(&mut harness, Role::TextInput, "Property 1 value", "yes");
    find(&harness, Role::ComboBox, "Feedback wanted").click();
    harness.run();
    harness
        .root()
        .children_recursive()
        .find(|node| node.accesskit_node().label().as_deref() == Some("full"))
        .unwrap()
        .click();
    harness.run();
    find(&harness, Role::ComboBox, "Feedback wanted, full");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    harness.run_steps(4);
    let message = harness.state().commands.iter().rev().find_map(|command| match command {
        Command::SendMessage { message, .. } => Some(message.clone()),
        _ => None,
    });
    let message = message.unwrap();
    assert_eq!((message.body.as_slice(), message.life_s), (&b"hello"[..], Some(3600)));
    assert_eq!(message.properties.get(System::Ack), Some("full"));
    assert_eq!(message.properties.app, [("alert".to_owned(), Some("yes".to_owned()))]);
    assert!(is_disabled(&find(&harness, Role::Button, "Send message")), "one at a time");
}

#[test]
fn what_is_wrong_is_said_at_the_row_and_on_the_button() {
    let mut scene = scene();
    property(&mut scene, 0, "alert", "1");
    property(&mut scene, 1, "Alert", "2");
    let mut harness = window(scene);
    let button = find(&harness, Role::Button, "Send message");
    assert!(is_disabled(&button));
    assert!(button.accesskit_node().data().description().unwrap().contains("is there already"));
    assert!(says(&harness, "headers tell no case"));
    find(&harness, Role::Button, "Remove property 2").click();
    harness.run();
    assert!(!is_disabled(&find(&harness, Role::Button, "Send message")));
    typed(harness.state_mut(), MessageField::Body, "{\"half\":");
    harness.run();
    assert!(says(&harness, "Not JSON: line 1"));
    assert!(!is_disabled(&find(&harness, Role::Button, "Send message")), "it is only a hint");
}

#[test]
fn the_outcome_stands_beside_what_was_typed() {
    let mut scene = scene();
    typed(&mut scene, MessageField::Body, "dear");
    sent(&mut scene, "m-1");
    let mut harness = window(scene);
    assert!(says(&harness, "Queued for myFirstDevice as message m-1; 3 messages wait"));
    find(&harness, Role::ListItem, "m-1, no feedback wanted");
    let key = sending(harness.state_mut());
    harness.state_mut().now.ms += 200;
    let now = harness.state().now;
    harness.state_mut().app.now = now;
    harness.run_steps(3);
    assert!(says(&harness, "Sending"));
    find(&harness, Role::Button, "Cancel").click();
    harness.run_steps(3);
    assert!(harness.state().commands.contains(&Command::Cancel { key }));
    let service = ServiceError { number: Some(403_004), ..ServiceError::default() };
    harness.state_mut().fail(key, Failure::Hub(HubError::Forbidden { service }));
    harness.run();
    assert!(says(&harness, "(code 403004)"));
    assert!(says(&harness, "purge the queue"));
    assert_eq!(find(&harness, Role::MultilineTextInput, "Message body").value().as_deref(), Some("dear"));
}

#[test]
fn feedback_comes_on_request_and_says_what_that_takes_from_others() {
    let mut scene = scene();
    scene.act(Action::SetAck { id: device(), ack: Ack::Full });
    sent(&mut scene, "m-1");
    let mut harness = window(scene);
    find(&harness, Role::ListItem, "m-1, no feedback yet");
    assert!(says(&harness, "what is fetched here, nobody else gets"));
    assert!(!harness.state().commands.iter().any(|command| matches!(command, Command::FetchFeedback { .. })));
    find(&harness, Role::Button, "Fetch feedback").click();
    harness.run_steps(3);
    assert!(is_disabled(&find(&harness, Role::Button, "Fetch feedback")));
    let key = harness.state().key(|command| match command {
        Command::FetchFeedback { key } => Some(*key),
        _ => None,
    });
    let record = |id: &str, status: &str| FeedbackRecord {
        message_id: Some(id.to_owned()),
        device: "myFirstDevice".to_owned(),
        generation: String::new(),
        time: String::new(),
        status: status.to_owned(),
    };
    harness.state_mut().tell(Fact::Feedback(vec![record("m-1", "Success"), record("theirs", "Expired")]));
    harness.state_mut().answer(key, Outcome::FeedbackFetched { records: 2, more: false });
    harness.run();
    find(&harness, Role::ListItem, "m-1, Delivered");
    find(&harness, Role::ListItem, "theirs, Expired, not sent here");
    assert!(says(&harness, "2 records of feedback came"));
}

#[test]
fn purging_names_the_device_and_the_count_and_keeping_is_the_default() {
    let mut harness = window(scene());
    find(&harness, Role::Button, "Purge…").click();
    harness.run();
    find(&harness, Role::Dialog, "Purge messages…");
    assert!(is_disabled(&find(&harness, Role::Button, "Purge all")));
    let key = harness.state().key(|command| match command {
        Command::CountMessages { key, .. } => Some(*key),
        _ => None,
    });
    harness.state_mut().answer(key, Outcome::MessagesWaiting(2));
    harness.run();
    assert!(says(&harness, "Throw away what waits for myFirstDevice? 2 messages wait"));
    assert!(find(&harness, Role::Button, "Keep").is_focused());
    find(&harness, Role::Button, "Purge 2 messages").click();
    harness.run();
    let key = harness.state().key(|command| match command {
        Command::PurgeMessages { key, .. } => Some(*key),
        _ => None,
    });
    harness.state_mut().answer(key, Outcome::MessagesPurged(2));
    harness.run();
    assert!(try_find(&harness, Role::Dialog, "Purge messages…").is_none());
    assert!(says(&harness, "Purged 2 messages that waited for myFirstDevice"));
}

#[test]
fn a_module_gets_the_reason_and_a_way_on() {
    let mut scene = Scene::twin();
    scene.act(Action::ShowPane(module(), Pane::Messages));
    let mut harness = window(scene);
    assert!(says(&harness, "to devices only, not to modules"));
    assert!(try_find(&harness, Role::Button, "Send message").is_none());
    find(&harness, Role::Button, "Open the device").click();
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::OpenTwin(device())));
}

#[test]
fn in_a_small_window_every_control_is_reached() {
    for size in [[900.0, 600.0], [450.0, 300.0]] {
        let mut scene = scene();
        property(&mut scene, 0, "alert", "1");
        sent(&mut scene, "m-1");
        let harness = sized(scene, size);
        for (role, name) in [
            (Role::TextInput, "Content type"),
            (Role::TextInput, "Expiry"),
            (Role::ComboBox, "Feedback wanted"),
            (Role::Button, "Send message"),
            (Role::MultilineTextInput, "Message body"),
            (Role::TextInput, "Property 1 value"),
            (Role::Button, "Remove property 1"),
            (Role::Button, "Fetch feedback"),
        ] {
            let rect = find(&harness, role, name).rect();
            assert!(rect.left() >= 0.0 && rect.right() <= size[0] + 0.5, "{name} {rect:?} in {size:?}");
        }
    }
}
