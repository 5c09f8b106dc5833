//! From the first start to a saved twin: what the program is for.

use super::program::Program;
use egui::accesskit::Role;
use serde_json::json;

#[test]
fn first_start_to_saved_twin() {
    let module = "myFirstDevice/myFirstModule";
    let mut program = Program::first_start();
    program.click(Role::Button, "Modules of myFirstDevice");
    program.open(module);
    let (etag, version) = (program.etag(), program.version());
    let text = program.text("Desired JSON");
    assert_eq!(program.json("Desired JSON")["telemetryInterval"], 60, "{text}");
    assert!(!program.can(Role::Button, "Save"));

    program.edit(&text.replace("\"telemetryInterval\": 60", "\"telemetryInterval\": 122"));
    assert!(program.says("telemetryInterval changed: 60 → 122"), "{:?}", program.said());
    let head = "PATCH /twins/myFirstDevice/modules/myFirstModule?api-version=2021-04-12\nHost: localhost:";
    assert!(program.says(head), "{:?}", program.said());
    assert!(program.says(&format!("\nIf-Match: {etag}\nAuthorization: (")), "{:?}", program.said());
    let sent = json!({ "properties": { "desired": { "telemetryInterval": 122 } } });
    let shown = |said: &String| serde_json::from_str::<serde_json::Value>(said).is_ok_and(|body| body == sent);
    assert!(program.said().iter().any(shown), "{:?}", program.said());
    assert!(program.says("The device will be told: telemetryInterval"));
    assert!(program.has(Role::Tab, &format!("{module}, unsaved")));

    program.save();
    assert_ne!(program.etag(), etag);
    assert!(program.version() > version, "{} after {version}", program.version());
    assert_eq!(program.json("Desired JSON")["telemetryInterval"], 122);

    // The module answers by itself, and nobody asks for it.
    program.click(Role::Tab, "Reported");
    program.until("what the module made of it", |program| program.json("Reported JSON")["telemetryInterval"] == 122);
    program.until("the landing", |program| program.says("reported after"));

    // The hub inside keeps what it took, and the window what was open.
    let mut program = Program::start_again(program.quit());
    program.until("the section of before", |program| program.json("Reported JSON")["telemetryInterval"] == 122);
    program.click(Role::Tab, "Desired");
    program.until("the tab of before", |program| program.json("Desired JSON")["telemetryInterval"] == 122);
    assert!(program.has(Role::Tab, module), "{:?}", program.said());
    assert!(!program.can(Role::Button, "Save"));
    program.click(Role::Tab, "Reported");
    program.until("what was reported", |program| program.json("Reported JSON")["telemetryInterval"] == 122);
}
