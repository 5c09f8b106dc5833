//! While the hub lets wait or does not answer: what is said, and what is not said any more.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, window};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use std::time::Duration;
use twinscope::app::Action;
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::twin::Section;
use twinscope::worker::event::{Outcome, Reachability, Source};
use twinscope::worker::{Command, Fact, Failure, Key};

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

/// The whole of a label.
fn shows(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        node.role() == Role::Label && [node.label(), node.value()].into_iter().flatten().any(|said| said == text)
    })
}

fn later(harness: &mut Harness<'_, Scene>, ms: u64) {
    let scene = harness.state_mut();
    scene.now.ms += ms;
    scene.app.now = scene.now;
    // Something turns while it is waited.
    harness.run_steps(3);
}

fn tell(harness: &mut Harness<'_, Scene>, fact: Fact) {
    harness.state_mut().tell(fact);
    harness.run_steps(3);
}

fn edit(scene: &mut Scene, text: &str) {
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: text.to_owned() });
}

fn save(scene: &mut Scene) -> Key {
    scene.act(Action::Save(module()));
    scene.key(|command| match command {
        Command::PatchTwin { key, .. } => Some(*key),
        _ => None,
    })
}

fn throttled(seconds: u64) -> Failure {
    let retry_after = Some(Duration::from_secs(seconds));
    Failure::Hub(HubError::Throttled { service: ServiceError::default(), retry_after })
}

#[test]
fn a_throttled_save_counts_down_and_can_be_cancelled() {
    let mut harness = window(Scene::twin());
    edit(harness.state_mut(), "{\"telemetryInterval\": 122}");
    let key = save(harness.state_mut());
    tell(&mut harness, Fact::Waiting { key, wait: Duration::from_secs(12), status: Some(429) });
    later(&mut harness, 400);
    assert!(says(&harness, "The hub throttles; trying again in 12 s"));
    later(&mut harness, 5_000);
    assert!(says(&harness, "The hub throttles; trying again in 7 s"));
    find(&harness, Role::Button, "Cancel saving").click();
    harness.run_steps(3);
    assert!(harness.state().actions.contains(&Action::Cancel(key)));
    later(&mut harness, 7_000);
    assert!(!says(&harness, "trying again in"), "it is tried again now");
}

#[test]
fn a_throttled_reading_says_so_too() {
    let mut harness = window(Scene::twin());
    harness.state_mut().act(Action::Refresh(module()));
    let key = harness.state().load_key();
    tell(&mut harness, Fact::Waiting { key, wait: Duration::from_secs(9), status: Some(429) });
    later(&mut harness, 1_000);
    assert!(says(&harness, "loaded just now. The hub throttles; trying again in 8 s"));
}

#[test]
fn the_wait_that_a_refusal_asked_for_counts_down() {
    let mut scene = Scene::twin();
    edit(&mut scene, "{\"telemetryInterval\": 122}");
    let key = save(&mut scene);
    scene.fail(key, throttled(12));
    let mut harness = window(scene);
    assert!(says(&harness, "It asks for 12 s more of waiting"));
    later(&mut harness, 9_000);
    assert!(says(&harness, "It asks for 3 s more of waiting"));
    later(&mut harness, 9_000);
    assert!(says(&harness, "The wait it asked for is over: try again"));
}

#[test]
fn when_a_report_came_is_not_made_up() {
    let mut scene = Scene::twin();
    edit(&mut scene, "{\"telemetryInterval\": 60, \"mode\": \"auto\", \"fan\": true}");
    let key = save(&mut scene);
    scene.now.ms += 18_000;
    let mut now = (*parsed(&twin_json(&module(), 60, 4))).clone();
    let desired = serde_json::json!({"telemetryInterval": 60, "mode": "auto", "fan": true});
    now.desired.values = desired.as_object().unwrap().clone();
    now.reported.values = desired.as_object().unwrap().clone();
    let now = Some(std::sync::Arc::new(now));
    scene.fail(key, Failure::Unknown { landed: Some(true), now, reason: "lost".to_owned() });
    let harness = window(scene);
    assert!(says(&harness, "15 s ago · reported"));
    assert!(!says(&harness, "reported after"));
}

#[test]
fn what_an_offline_hub_told_is_shown_as_last_known() {
    let mut scene = Scene::twin();
    edit(&mut scene, "{\"telemetryInterval\": 122}");
    let key = save(&mut scene);
    scene.answer(key, Outcome::Saved(parsed(&twin_json(&module(), 122, 4))));
    let mut harness = window(scene);
    assert!(says(&harness, "waiting for the device"));
    find(&harness, Role::ListItem, "myFirstDevice, connected");
    tell(&mut harness, Fact::HubReachable(Reachability::Offline { reason: "the connection was refused".to_owned() }));
    later(&mut harness, 12_000);
    assert!(shows(&harness, "was connected"));
    find(&harness, Role::ListItem, "myFirstDevice, was connected");
    assert!(shows(&harness, "as of 10 s ago"));
    assert!(says(&harness, "offline, so nothing is heard of the device"));
    assert!(says(&harness, "devices · as of 10 s ago"));
    for gone in ["connected", "watching"] {
        assert!(!shows(&harness, gone), "{gone}");
    }
    assert!(!says(&harness, "waiting for the device"));
    tell(&mut harness, Fact::HubReachable(Reachability::Online));
    assert!(shows(&harness, "connected"));
    assert!(shows(&harness, "watching"));
}

#[test]
fn what_is_said_of_their_values_holds_for_the_text_as_it_is() {
    let mut scene = Scene::twin();
    edit(&mut scene, "{\"telemetryInterval\": 60, \"mode\": \"auto\", \"fan\": true}");
    let mut harness = window(scene);
    tell(&mut harness, Fact::TwinSeen { twin: parsed(&twin_json(&module(), 90, 7)), source: Source::Watch });
    assert!(says(&harness, "Your text has them now, marked beside it"));
    edit(harness.state_mut(), "{\"telemetryInterval\": 91, \"mode\": \"auto\", \"fan\": true}");
    harness.run_steps(3);
    assert!(!says(&harness, "Your text has them now"));
}
