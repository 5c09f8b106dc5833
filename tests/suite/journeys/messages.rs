//! A message to a device that is away: it waits, arrives when the device comes, and feedback says so.

use super::program::Program;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use twinscope::twin::TwinId;

fn act(program: &mut Program) {
    program.click(Role::Button, "Act as device…");
    program.until("what acting takes", |program| program.says("then they are gone for it"));
    program.click(Role::Button, "Connect");
    program.until("the link", |program| program.says("acting: online"));
}

#[test]
fn sent_while_offline_received_and_told_of() {
    let (mut program, second, _info) = Program::with_second();
    second.create(&TwinId::device("pump"));
    program.click(Role::Button, "Reload devices");
    program.open("pump");
    // A hub keeps messages for a client over MQTT once it knows its session.
    act(&mut program);
    program.click(Role::Button, "Stop acting");
    program.until("the panel to go", |program| !program.says("acting:"));

    program.click(Role::Tab, "Messages");
    program.type_into("Message body", "{ \"open\": true }");
    program.type_into("Message id", "first");
    program.type_into("Content type", "application/json");
    program.click(Role::Button, "Add property");
    program.type_into("Property 1 name", "Urgency");
    program.type_into("Property 1 value", "high");
    program.click(Role::ComboBox, "Feedback wanted");
    program.click(Role::Button, "full");
    program.press(Modifiers::COMMAND, Key::Enter);
    program.until("the hub to take it", |program| program.says("Queued for pump as message first; 1 message waits"));
    program.type_into("Message id", "");
    program.click(Role::Button, "Send message");
    program.until("the second", |program| program.says("; 2 messages wait"));

    act(&mut program);
    program.until("both", |program| {
        program.said().iter().filter(|said| said.as_str() == "{ \"open\": true }").count() >= 2
    });
    assert!(program.says("message-id=first"), "{:?}", program.said());
    assert!(program.says("urgency=high"), "{:?}", program.said());
    program.until("the feedback", |program| {
        program.has(Role::ListItem, "first, no feedback yet") || program.has(Role::ListItem, "first, Delivered")
    });
    // The acknowledgement is on its way when the message is on the screen: feedback is asked for until it has come.
    let end = std::time::Instant::now() + crate::worker::rig::LIMIT;
    while !program.has(Role::ListItem, "first, Delivered") {
        assert!(std::time::Instant::now() < end, "no feedback: {:#?}", program.said());
        program.click(Role::Button, "Fetch feedback");
        program.until("the fetch to end", |program| program.can(Role::Button, "Fetch feedback"));
    }

    program.click(Role::Button, "Stop acting");
    program.until("the panel to go", |program| !program.says("acting:"));
    program.click(Role::Button, "Send message");
    program.until("the third", |program| program.says("; 1 message waits"));
    program.click(Role::Button, "Purge…");
    program.click(Role::Button, "Purge 1 message");
    program.until("the purge", |program| program.says("Purged 1 message that waited for pump"));
}
