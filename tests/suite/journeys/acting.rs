//! Acting as a module: the warning, patches that arrive, a report that is taken, and being pushed out.

use super::program::Program;
use super::second::Second;
use crate::worker::rig::object;
use egui::accesskit::Role;
use serde_json::json;
use tokio::sync::mpsc::Receiver;
use twinscope::client::link::{Dial, LinkEvent, Reconnect};
use twinscope::client::{DeviceLink, LinkState, Trust};
use twinscope::protocol::connection_string::{ConnectionString, Proof, Who};
use twinscope::twin::TwinId;
use twinscope::worker::event::LocalHubInfo;

fn module() -> TwinId {
    TwinId::module("gateway", "camera")
}

/// The real client comes back.
fn real_client(second: &Second, info: &LocalHubInfo) -> (DeviceLink, Receiver<LinkEvent>) {
    let key = second.identity(&module()).unwrap().authentication.primary_key.unwrap();
    let who = Who::Identity { id: module(), proof: Proof::Key(key) };
    let connection = ConnectionString { host_name: "localhost".to_owned(), gateway_host_name: None, who };
    let trust = Trust::new(std::slice::from_ref(&info.ca_file)).unwrap();
    let dial = Dial { host: "localhost".to_owned(), port: info.mqtts.port() };
    let _inside = second.runtime.enter();
    DeviceLink::connect(&connection, Some(dial), &trust, Reconnect::UnlessPushedOut).unwrap()
}

fn act(program: &mut Program) {
    program.click(Role::Button, "Act as module…");
    program.until("the warning", |program| program.has(Role::Dialog, "Act as module…"));
    assert!(program.says("pushed out"), "{:?}", program.said());
    program.click(Role::Button, "Connect");
    program.until("the link", |program| program.says("acting: online"));
}

#[test]
fn act_as_a_module_and_be_pushed_out() {
    let (mut program, second, info) = Program::with_second();
    second.create(&module().parent());
    second.create(&module());
    program.click(Role::Button, "Reload devices");
    program.click(Role::Button, "Modules of gateway");
    program.open("gateway/camera");

    program.click(Role::Button, "Act as module…");
    program.until("the warning", |program| program.has(Role::Dialog, "Act as module…"));
    assert!(program.says("The module is disconnected now"), "{:?}", program.said());
    program.click(Role::Button, "Cancel");
    program.until("the warning to go", |program| !program.has(Role::Dialog, "Act as module…"));
    assert!(!program.says("acting:"));
    act(&mut program);

    // Once a report is answered the link has its view, and patches after that are pushed.
    assert!(!program.can(Role::Button, "Send reported"));
    program.type_into("Reported patch JSON", "{ \"telemetryInterval\": 122, \"lens\": { \"clean\": true } }");
    program.click(Role::Button, "Send reported");
    program.until("the answer", |program| program.said_after("reported v").is_some());
    let reported = json!({ "telemetryInterval": 122, "lens": { "clean": true } });
    assert_eq!(second.reported(&module()), reported);
    second.patch(&module(), json!({ "zoom": 4 }));
    program.until("the pushed patch", |program| program.said().contains(&"{\"zoom\":4}".to_owned()));
    program.until("the connection state", |program| program.said().contains(&"connected".to_owned()));
    program.until("the text", |program| program.json("Desired JSON") == json!({ "zoom": 4 }));

    let (real, mut events) = real_client(&second, &info);
    program.until("being pushed out", |program| program.says("acting: pushed out by another client"));
    second.runtime.block_on(real.report(&object(json!({ "real": true })))).unwrap();
    assert!(!program.can(Role::Button, "Send reported"));
    // The watch takes longer than a link that fights back.
    second.patch(&module(), json!({ "zoom": 5 }));
    program.until("a later reading", |program| {
        program.json("Desired JSON") == json!({ "zoom": 5 }) && program.says("connected")
    });
    assert!(program.says("acting: pushed out by another client"), "{:?}", program.said());
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let LinkEvent::State(state) = event {
            told.push(state);
        }
    }
    assert!(matches!(told.last(), Some(LinkState::Online { .. })), "{told:?}");
    assert_eq!(told.iter().filter(|state| matches!(state, LinkState::Online { .. })).count(), 1, "{told:?}");
    second.runtime.block_on(real.report(&object(json!({ "real": "still" })))).unwrap();

    // Taking it back needs a person who says so again.
    program.click(Role::Button, "Stop acting");
    program.until("the panel to go", |program| !program.says("acting:"));
    act(&mut program);
    drop(real);
}
