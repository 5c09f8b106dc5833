//! Both sides changed the same twin: what is listed, what is chosen, and what a save of it sends.

mod stays;

use super::scene::{Scene, module, parsed};
use super::{find, is_disabled, sized, try_find, window};
use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use serde_json::{Value, json};
use twinscope::app::Action;
use twinscope::twin::Section;
use twinscope::worker::command::Guard;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact, Key as Request};

const VIEW: &str = "The hub has a newer version";

/// The module as the service answers it; `desired` has its metadata in it.
fn body(version: u64, desired: Value, reported: u32) -> String {
    let mut desired = desired;
    desired["$version"] = json!(version);
    json!({
        "deviceId": "myFirstDevice", "moduleId": "myFirstModule", "etag": format!("AAAAAAAAAA{version}="), "deviceEtag": "NTQ5",
        "status": "enabled", "connectionState": "Connected", "lastActivityTime": "2026-01-01T12:00:00.0000000Z",
        "cloudToDeviceMessageCount": 0, "authenticationType": "sas", "version": version,
        "tags": {"site": "north", "line": 4},
        "properties": {"desired": desired, "reported": {"seen": reported, "$version": 2}}
    })
    .to_string()
}

fn base() -> Value {
    json!({"interval": 60, "mode": "auto", "limits": {"low": 1, "high": 80}, "name": "x"})
}

fn theirs() -> Value {
    json!({
        "interval": 90, "mode": "turbo", "limits": {"low": 1, "high": 80}, "name": "x", "zone": 7,
        "$metadata": {
            "$lastUpdated": "2026-02-03T04:05:06.789Z", "$lastUpdatedVersion": 7,
            "interval": {"$lastUpdated": "2026-02-03T04:05:06.789Z", "$lastUpdatedVersion": 7, "$lastUpdatedBy": "winter-rollout"},
            "mode": {"$lastUpdated": "2026-02-02T01:02:03.4Z", "$lastUpdatedVersion": 6},
        },
    })
}

const MINE: &str = "{\n  \"interval\": 122,\n  \"mode\": \"eco\",\n  \"limits\": {\n    \"low\": 2,\n    \"high\": 80\n  },\n  \"name\": \"x\"\n}";

/// `MINE` is typed over version 3.
fn edited() -> Scene {
    let mut scene = Scene::fleet();
    scene.open(&module(), &body(3, base(), 0));
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: MINE.to_owned() });
    scene
}

fn saw(version: u64, desired: Value, reported: u32) -> Fact {
    Fact::TwinSeen { twin: parsed(&body(version, desired, reported)), source: Source::Watch }
}

/// The view is up and takes keys.
fn clash<'a>() -> Harness<'a, Scene> {
    let mut scene = edited();
    scene.tell(saw(7, theirs(), 0));
    scene.act(Action::ShowConflict(module()));
    let mut harness = window(scene);
    later(&mut harness);
    harness
}

/// Keys typed in the moment the view came up were meant for the text.
fn later(harness: &mut Harness<'_, Scene>) {
    let scene = harness.state_mut();
    scene.now.ms += 1_000;
    scene.app.now = scene.now;
    harness.run();
}

fn said(harness: &Harness<'_, Scene>) -> Vec<String> {
    let nodes = harness.root().children_recursive();
    nodes
        .flat_map(|node| [node.accesskit_node().label(), node.accesskit_node().value()])
        .flatten()
        .filter(|text| !text.is_empty())
        .collect()
}

#[track_caller]
fn says(harness: &Harness<'_, Scene>, text: &str) {
    let said = said(harness);
    assert!(said.iter().any(|one| one.contains(text)), "{text:?} is not among {said:#?}");
}

fn hears(harness: &Harness<'_, Scene>, text: &str) -> bool {
    said(harness).iter().any(|one| one.contains(text))
}

fn is_chosen(harness: &Harness<'_, Scene>, name: &str) -> bool {
    find(harness, Role::RadioButton, name).accesskit_node().toggled() == Some(Toggled::True)
}

fn patch(harness: &Harness<'_, Scene>) -> (Request, Value, Guard) {
    let commands = &harness.state().commands;
    let last = commands.iter().rev().find_map(|command| match command {
        Command::PatchTwin { key, body, guard, .. } => Some((*key, json!(body), guard.clone())),
        _ => None,
    });
    last.expect("a save was sent")
}

#[test]
fn clashes_and_clean_merges_are_listed_with_all_three_values() {
    let harness = clash();
    find(&harness, Role::Dialog, VIEW);
    says(&harness, "Open clashes: 2 of 2");
    for (path, base, mine, theirs) in [("interval", "60", "122", "90"), ("mode", "\"auto\"", "\"eco\"", "\"turbo\"")] {
        for side in ["base", "mine", "theirs"] {
            assert!(!is_chosen(&harness, &format!("Take {side}: desired {path}")));
        }
        let said = said(&harness);
        for value in [base, mine, theirs] {
            assert!(said.iter().any(|one| one == value), "{path}: {value} is not among {said:#?}");
        }
    }
    says(&harness, "written 2026-02-03 04:05:06 UTC, desired version 7 by winter-rollout");
    says(
        &harness,
        "written 2026-02-02 01:02:03 UTC, desired version 6 by a service client, which the hub does not name",
    );
    says(&harness, "Only you changed (1)");
    says(&harness, "limits.low changed: 1 → 2");
    says(&harness, "Only the hub changed (1)");
    says(&harness, "zone added: 7");
    let save = find(&harness, Role::Button, "Save merged");
    assert!(is_disabled(&save));
    assert_eq!(save.accesskit_node().data().description(), Some("2 clashes are open"));
}

#[test]
fn chosen_by_mouse_and_saved_over_the_version_shown() {
    let mut harness = clash();
    find(&harness, Role::RadioButton, "Take theirs: desired interval").click();
    harness.run();
    find(&harness, Role::RadioButton, "Take mine: desired mode").click();
    harness.run();
    assert!(is_chosen(&harness, "Take theirs: desired interval") && is_chosen(&harness, "Take mine: desired mode"));
    says(&harness, "No clash is open");
    says(&harness, "If-Match \"AAAAAAAAAA7=\"");
    find(&harness, Role::Button, "Save merged").click();
    harness.run_steps(4);
    let (_, body, guard) = patch(&harness);
    assert_eq!(body, json!({"properties": {"desired": {"mode": "eco", "limits": {"low": 2}}}}));
    assert_eq!(guard, Guard::Etag(twinscope::twin::Etag("AAAAAAAAAA7=".to_owned())));
}

#[test]
fn chosen_by_keys_alone() {
    let mut harness = clash();
    harness.key_press(Key::Num3);
    harness.run();
    assert!(is_chosen(&harness, "Take theirs: desired interval"));
    assert!(find(&harness, Role::RadioButton, "Take theirs: desired interval").is_focused());
    // The keys stay where the choice was made; on to the next, back up, and another choice.
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::Num1);
    harness.run();
    assert!(is_chosen(&harness, "Take base: desired mode"));
    assert!(find(&harness, Role::RadioButton, "Take base: desired mode").is_focused(), "Space would choose another");
    harness.key_press(Key::ArrowUp);
    harness.run();
    harness.key_press(Key::Num2);
    harness.run();
    assert!(is_chosen(&harness, "Take mine: desired interval"));
    assert!(!is_chosen(&harness, "Take theirs: desired interval"));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(4);
    let (_, body, _) = patch(&harness);
    assert_eq!(body, json!({"properties": {"desired": {"interval": 122, "mode": "auto", "limits": {"low": 2}}}}));
}

#[test]
fn keys_typed_as_it_comes_up_choose_nothing() {
    let mut scene = edited();
    scene.tell(saw(7, theirs(), 0));
    scene.act(Action::ShowConflict(module()));
    let mut harness = window(scene);
    harness.key_press(Key::Num2);
    harness.run();
    says(&harness, "Open clashes: 2 of 2");
}

#[test]
fn another_conflict_starts_over_with_the_choices_kept() {
    let mut harness = clash();
    find(&harness, Role::Button, "All mine").click();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(4);
    assert!(try_find(&harness, Role::Dialog, VIEW).is_none());
    let (key, ..) = patch(&harness);
    let mut again = theirs();
    again["mode"] = json!("off");
    harness.state_mut().answer(key, Outcome::Conflict { theirs: parsed(&body(8, again, 0)) });
    harness.run();
    later(&mut harness);
    find(&harness, Role::Dialog, VIEW);
    says(&harness, "The hub moved again meanwhile: 1 choice still holds, 1 to make: desired mode.");
    assert!(is_chosen(&harness, "Take mine: desired interval"));
    assert!(!is_chosen(&harness, "Take mine: desired mode"));
    says(&harness, "open again, mine was chosen");
    assert!(is_disabled(&find(&harness, Role::Button, "Save merged")));
    // The keys stand on the open one.
    harness.key_press(Key::Num3);
    harness.run();
    assert!(!hears(&harness, "The hub moved again"), "all it was about is answered");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(4);
    let (_, body, guard) = patch(&harness);
    assert_eq!(body, json!({"properties": {"desired": {"interval": 122, "limits": {"low": 2}}}}));
    assert_eq!(guard, Guard::Etag(twinscope::twin::Etag("AAAAAAAAAA8=".to_owned())));
}

#[test]
fn leaving_keeps_text_and_choices() {
    let mut harness = clash();
    harness.key_press(Key::Num2);
    harness.run();
    harness.key_press(Key::Escape);
    harness.run();
    assert!(try_find(&harness, Role::Dialog, VIEW).is_none());
    // What touches no edit comes in by itself again.
    let text = find(&harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default();
    assert_eq!(text, MINE.replace("\"x\"", "\"x\",\n  \"zone\": 7"));
    find(&harness, Role::Button, "Resolve…").click();
    harness.run();
    assert!(is_chosen(&harness, "Take mine: desired interval"));
    says(&harness, "Open clashes: 1 of 2");
}

#[test]
fn acts_wait_until_a_version_that_came_under_the_view_could_be_seen() {
    let mut harness = clash();
    find(&harness, Role::Button, "All mine").click();
    harness.run();
    assert!(!is_disabled(&find(&harness, Role::Button, "Save merged")));
    harness.state_mut().tell(saw(8, theirs(), 0));
    harness.run();
    for name in ["Save merged", "Rebase my edits", "Overwrite hub version"] {
        let act = find(&harness, Role::Button, name);
        assert!(is_disabled(&act), "{name}");
        assert_eq!(act.accesskit_node().data().description(), Some("The hub moved just now: look once more"));
    }
    later(&mut harness);
    for name in ["Save merged", "Rebase my edits", "Overwrite hub version"] {
        assert!(!is_disabled(&find(&harness, Role::Button, name)), "{name}");
    }
}

#[test]
fn untouched_paths_come_in_by_themselves_with_their_lines_marked() {
    let mut scene = edited();
    let mut hub = base();
    hub["name"] = json!("y");
    hub["zone"] = json!(7);
    scene.tell(saw(7, hub, 0));
    let mut harness = window(scene);
    let text = find(&harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default();
    assert_eq!(text, MINE.replace("\"x\"", "\"y\",\n  \"zone\": 7"));
    says(&harness, "The hub moved to version 7");
    says(&harness, "2 paths, none of them yours");
    says(&harness, "Line 8, name changed on the hub: \"x\" → \"y\"");
    says(&harness, "Line 9, zone added on the hub: 7");
    find(&harness, Role::Button, "Dismiss").click();
    harness.run();
    assert!(!said(&harness).iter().any(|one| one.contains("Line 8, ")));
    assert!(try_find(&harness, Role::Button, "Dismiss").is_none());
}

#[test]
fn what_clashes_is_marked_and_stays() {
    let mut scene = edited();
    scene.tell(saw(7, theirs(), 0));
    let harness = window(scene);
    let text = find(&harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default();
    assert_eq!(text, MINE.replace("\"x\"", "\"x\",\n  \"zone\": 7"));
    says(&harness, "3 paths, 2 of them edited here too");
    says(&harness, "Line 2, interval changed on the hub: 60 → 90, and here too");
    says(&harness, "Line 3, mode changed on the hub: \"auto\" → \"turbo\", and here too");
    find(&harness, Role::Button, "Resolve…");
}

#[test]
fn reported_alone_stands_in_nobodys_way() {
    let mut scene = edited();
    // The device reports: the version moves, the etag does not.
    let seen = body(3, base(), 5).replace("\"version\":3", "\"version\":4");
    scene.tell(Fact::TwinSeen { twin: parsed(&seen), source: Source::Watch });
    let mut harness = window(scene);
    assert!(try_find(&harness, Role::Button, "Resolve…").is_none());
    find(&harness, Role::Button, "Save").click();
    harness.run_steps(4);
    assert!(try_find(&harness, Role::Dialog, VIEW).is_none());
    let (_, _, guard) = patch(&harness);
    assert_eq!(guard, Guard::Etag(twinscope::twin::Etag("AAAAAAAAAA3=".to_owned())));
}

#[test]
fn in_a_small_window_every_act_can_be_reached() {
    let mut scene = edited();
    scene.tell(saw(7, theirs(), 0));
    scene.act(Action::ShowConflict(module()));
    let harness = sized(scene, [900.0, 600.0]);
    for name in ["Save merged", "Rebase my edits", "Decide later", "Reload from hub", "Overwrite hub version"] {
        let at = find(&harness, Role::Button, name).rect();
        assert!(at.left() >= 0.0 && at.right() <= 900.0 && at.bottom() <= 600.0, "{name}: {at:?}");
    }
}

#[test]
fn what_came_in_by_itself_is_listed_too() {
    let mut scene = edited();
    scene.tell(saw(7, theirs(), 0));
    let mut harness = window(scene);
    find(&harness, Role::Button, "Resolve…").click();
    harness.run();
    says(&harness, "Already in your text (1)");
    says(&harness, "zone added: 7");
    assert!(!hears(&harness, "Only the hub changed"));
    // And while nothing can be compared.
    harness.state_mut().act(Action::LeaveConflict(module()));
    harness.state_mut().act(Action::Edit { id: module(), section: Section::Desired, text: "{".to_owned() });
    harness.state_mut().act(Action::ShowConflict(module()));
    harness.run();
    says(&harness, "Already in your text (1)");
}

#[test]
fn two_etags_are_told_apart() {
    let mut scene = edited();
    let harness = window(scene);
    says(&harness, "Will be sent: ");
    assert!(!hears(&harness, "the etag of your base"));

    scene = edited();
    scene.tell(saw(7, theirs(), 0));
    let mut harness = window(scene);
    assert!(!hears(&harness, "Will be sent: "), "a save asks first");
    says(&harness, "Waits for your decision: ");
    says(&harness, "If-Match: \"AAAAAAAAAA3=\"");
    says(
        &harness,
        "This is the etag of your base, version 3. The hub has \"AAAAAAAAAA7=\", version 7: Save asks before it sends.",
    );
    find(&harness, Role::Button, "Resolve…").click();
    harness.run();
    says(&harness, "began at version 3, etag \"AAAAAAAAAA3=\"; the hub is at version 7, etag \"AAAAAAAAAA7=\" now");
    find(&harness, Role::Button, "All mine").click();
    harness.run();
    says(&harness, "If-Match \"AAAAAAAAAA7=\", the hub's");
}

#[test]
fn with_nothing_to_send_the_hubs_version_is_taken() {
    let mut scene = Scene::fleet();
    scene.open(&module(), &body(3, base(), 0));
    let mine = MINE.replace("\"low\": 2", "\"low\": 1");
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: mine });
    scene.tell(saw(7, theirs(), 0));
    scene.act(Action::ShowConflict(module()));
    let mut harness = window(scene);
    later(&mut harness);
    find(&harness, Role::Button, "Save merged");
    find(&harness, Role::Button, "All theirs").click();
    harness.run();
    assert!(try_find(&harness, Role::Button, "Save merged").is_none(), "there is nothing to save");
    says(&harness, "Every choice is what the hub has: there is nothing to send");
    find(&harness, Role::Button, "Take the hub's version").click();
    harness.run();
    assert!(try_find(&harness, Role::Dialog, VIEW).is_none());
    assert!(!harness.state().commands.iter().any(|command| matches!(command, Command::PatchTwin { .. })));
    let text = find(&harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default();
    assert!(text.contains("\"interval\": 90") && text.contains("\"mode\": \"turbo\""), "{text}");
    assert!(is_disabled(&find(&harness, Role::Button, "Save")));
}
