//! Calling methods of the demo fleet, and answering them as the module.

use super::program::Program;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use serde_json::json;

const MODULE: &str = "myFirstDevice/myFirstModule";

#[test]
fn call_a_simulated_device_and_answer_as_a_module() {
    let mut program = Program::first_start();
    program.open("myFirstDevice");
    program.until("the device to connect", |program| program.says("connected"));
    program.click(Role::Tab, "Methods");
    program.type_into("Method name", "ping");
    program.type_into("Connect timeout in seconds", "20");
    program.type_into("Payload JSON", "{ \"n\": 1.50 }");
    program.press(Modifiers::COMMAND, Key::Enter);
    program.until("the answer", |program| program.says("Status 200"));
    assert_eq!(program.json("Answer JSON")["pong"], "myFirstDevice");
    assert!(program.text("Answer JSON").contains("\"n\": 1.50"), "numbers keep their spelling");

    program.type_into("Method name", "fly");
    program.click(Role::Button, "Call method");
    program.until("the other answer", |program| program.says("Status 404"));
    assert_eq!(program.json("Answer JSON")["error"], "this device has no method fly");
    program.click(Role::ListItem, "ping");
    program.until("the first call again", |program| program.text("Method name") == "ping");
    assert!(program.says("Status 200"));

    // As the module, whose calls are answered with what stands there.
    program.click(Role::Button, "Modules of myFirstDevice");
    program.open(MODULE);
    program.click(Role::Button, "Act as module…");
    program.click(Role::Button, "Connect");
    program.until("the link", |program| program.says("acting: online"));
    program.type_into("Method answer status", "202");
    program.type_into("Method answer JSON", "{\"by\": \"hand\"}");
    program.click(Role::Tab, "Methods");
    program.type_into("Method name", "reboot");
    program.click(Role::Button, "Call method");
    program.until("our own answer", |program| program.says("Status 202"));
    assert_eq!(program.json("Answer JSON"), json!({ "by": "hand" }));
    assert!(program.says("reboot answered with 202 {\"by\":\"hand\"}"), "{:?}", program.said());

    // Nobody is there: what to do stands beside it.
    program.click(Role::Button, "Stop acting");
    program.until("the panel to go", |program| !program.says("acting:"));
    program.click(Role::Button, "Call method");
    program.until("the failure", |program| program.says("code 404103"));
    assert!(program.says("let it subscribe to methods"), "{:?}", program.said());
}
