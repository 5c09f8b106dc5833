//! What a person aims at stays where it is, and is told whole: however the hub moves, and whatever a key or a click means.

use super::*;
use twinscope::app::Dialog;
use twinscope::app::action::Watching;
use twinscope::twin::TwinId;
use twinscope::twin::merge::Choice;

/// Many clashes, long ids, a line about the hub's move and one about what is sent: all that takes room.
fn crowded() -> Scene {
    let id = TwinId::module("d".repeat(128), "m".repeat(128));
    let text = |value: Value| {
        body(3, value, 0).replace("myFirstDevice", &id.device).replace("myFirstModule", &"m".repeat(128))
    };
    let keys = |value: u32| Value::Object((0..30).map(|n| (format!("key{n:02}"), json!(value))).collect());
    let mut scene = Scene::fleet();
    scene.open(&id, &text(keys(1)));
    scene.act(Action::Edit { id: id.clone(), section: Section::Desired, text: keys(2).to_string() });
    let seen = |version: u32, value| {
        let body = text(value)
            .replace("AAAAAAAAAA3=", &format!("AAAAAAAAAA{version}="))
            .replace("\"version\":3", &format!("\"version\":{version}"));
        Fact::TwinSeen { twin: parsed(&body), source: Source::Watch }
    };
    scene.tell(seen(4, keys(3)));
    scene.act(Action::ShowConflict(id.clone()));
    scene.act(Action::ChooseAll { id: id.clone(), choice: Choice::Mine });
    let mut more = keys(3);
    more["zone"] = json!(1);
    scene.tell(seen(5, more));
    scene
}

#[test]
fn however_much_is_said_the_acts_stay_in_view() {
    for size in [[900.0, 600.0], [1280.0, 800.0]] {
        let mut harness = sized(crowded(), size);
        later(&mut harness);
        says(&harness, "The hub moved again meanwhile: 30 choices still hold.");
        says(&harness, "Save merged sends ");
        for name in ["Save merged", "Rebase my edits", "Decide later", "Reload from hub", "Overwrite hub version"] {
            let at = find(&harness, Role::Button, name).rect();
            assert!(at.left() >= 0.0 && at.right() <= size[0] && at.bottom() <= size[1], "{name}: {at:?}");
        }
    }
}

#[test]
fn what_the_keys_walk_to_comes_into_view() {
    let mut harness = sized(crowded(), [900.0, 600.0]);
    later(&mut harness);
    let inside = |harness: &Harness<'_, Scene>, name: &str| {
        let at = find(harness, Role::RadioButton, name).rect();
        let save = find(harness, Role::Button, "Save merged").rect();
        at.top() > 100.0 && at.bottom() < save.top()
    };
    assert!(!inside(&harness, "Take base: desired key05"));
    // From the first clash on by Tab, through three radios each.
    find(&harness, Role::RadioButton, "Take base: desired key00").focus();
    harness.run();
    for _ in 0..15 {
        harness.key_press(Key::Tab);
        harness.run();
    }
    assert!(find(&harness, Role::RadioButton, "Take base: desired key05").is_focused());
    assert!(inside(&harness, "Take base: desired key05"));
    // The keys act on the clash the focus is in.
    harness.key_press(Key::Num3);
    harness.run();
    assert!(is_chosen(&harness, "Take theirs: desired key05"));
    assert!(inside(&harness, "Take theirs: desired key05"));
}

#[test]
fn enter_is_no_choice() {
    let mut harness = clash();
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::ArrowUp);
    harness.run();
    assert!(find(&harness, Role::RadioButton, "Take mine: desired interval").is_focused());
    harness.key_press(Key::Enter);
    harness.run();
    says(&harness, "Open clashes: 2 of 2");
    harness.key_press(Key::Num1);
    harness.run();
    assert!(find(&harness, Role::RadioButton, "Take base: desired interval").is_focused());
    harness.key_press(Key::Enter);
    harness.run();
    assert!(is_chosen(&harness, "Take base: desired interval"));
    says(&harness, "Open clashes: 1 of 2");
    // Nor does it send.
    find(&harness, Role::Button, "All mine").click();
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    find(&harness, Role::Dialog, VIEW);
    assert!(!harness.state().commands.iter().any(|command| matches!(command, Command::PatchTwin { .. })));
}

#[test]
fn a_key_chooses_where_the_person_looks() {
    let mut harness = clash();
    // Clash by clash, as the hint says.
    for key in [Key::Num2, Key::ArrowDown, Key::Num3] {
        harness.key_press(key);
        harness.run();
    }
    assert!(is_chosen(&harness, "Take mine: desired interval") && is_chosen(&harness, "Take theirs: desired mode"));
}

#[test]
fn the_keys_stay_on_their_clash() {
    let mut scene = edited();
    let mut hub = base();
    hub["mode"] = json!("turbo");
    scene.tell(saw(7, hub.clone(), 0));
    scene.act(Action::ShowConflict(module()));
    let mut harness = window(scene);
    later(&mut harness);
    // Another one comes before it, as somebody reaches for the key, or for the mouse.
    hub["interval"] = json!(90);
    harness.state_mut().tell(saw(8, hub, 0));
    harness.run();
    harness.key_press(Key::Num3);
    harness.run();
    find(&harness, Role::RadioButton, "Take theirs: desired interval").click();
    harness.run();
    says(&harness, "Open clashes: 2 of 2");
    assert!(is_disabled(&find(&harness, Role::Button, "All mine")));
    later(&mut harness);
    harness.key_press(Key::Num3);
    harness.run();
    assert!(is_chosen(&harness, "Take theirs: desired mode"));
    assert!(!is_chosen(&harness, "Take theirs: desired interval"));
}

#[test]
fn the_keys_go_to_what_asks_again() {
    let mut harness = clash();
    find(&harness, Role::Button, "All mine").click();
    harness.run();
    let mut again = theirs();
    again["mode"] = json!("off");
    harness.state_mut().tell(saw(8, again, 0));
    harness.run();
    later(&mut harness);
    harness.key_press(Key::Num3);
    harness.run();
    assert!(is_chosen(&harness, "Take mine: desired interval") && is_chosen(&harness, "Take theirs: desired mode"));
}

#[test]
fn nothing_moves_under_the_pointer_when_the_hub_moves() {
    let names =
        ["All mine", "All theirs", "Reload from hub", "Overwrite hub version", "Decide later", "Rebase my edits"];
    let places =
        |harness: &Harness<'_, Scene>| names.map(|name| find(harness, Role::Button, name).rect().center().round());
    let mut harness = clash();
    find(&harness, Role::Button, "All mine").click();
    harness.run();
    let before = places(&harness);
    let mut again = theirs();
    again["mode"] = json!("off");
    for n in 0..12 {
        again[format!("zone{n}")] = json!({ "a": n });
    }
    harness.state_mut().tell(saw(8, again, 0));
    harness.run();
    says(&harness, "The hub moved again meanwhile: 1 choice still holds, 1 to make: desired mode.");
    assert_eq!(places(&harness), before);
}

#[test]
fn what_an_overwrite_takes_back_is_listed() {
    let mut scene = edited();
    scene.act(Action::SetWatch { id: module(), on: Watching::Off });
    scene.act(Action::Save(module()));
    let (key, ..) = scene
        .commands
        .iter()
        .rev()
        .find_map(|command| match command {
            Command::PatchTwin { key, body, .. } => Some((*key, body.clone())),
            _ => None,
        })
        .expect("a save");
    // The tags are not edited here: an overwrite leaves them.
    let hub = body(7, theirs(), 0).replace("\"line\":4", "\"line\":5");
    scene.answer(key, Outcome::Conflict { theirs: parsed(&hub) });
    let mut harness = window(scene);
    later(&mut harness);
    let words = "takes back 3 changes of theirs: desired interval, desired mode, desired zone";
    says(&harness, &format!("Overwrite hub version {words}"));
    let button = find(&harness, Role::Button, "Overwrite hub version");
    assert!(button.accesskit_node().data().description().is_some_and(|said| said.contains(words)));
    says(&harness, "Save merged and Rebase my edits keep these");
}

#[test]
fn an_overwrite_that_came_too_late_says_so() {
    let mut harness = clash();
    find(&harness, Role::Button, "Overwrite hub version").click();
    harness.run_steps(4);
    let (key, _, guard) = patch(&harness);
    assert!(matches!(guard, Guard::Overwrite(_)));
    let mut again = theirs();
    again["mode"] = json!("off");
    harness.state_mut().answer(key, Outcome::Conflict { theirs: parsed(&body(8, again, 0)) });
    harness.run();
    says(&harness, "The overwrite was not done: the hub had moved");
    harness.state_mut().act(Action::LeaveConflict(module()));
    harness.state_mut().act(Action::ShowConflict(module()));
    harness.run();
    assert!(!hears(&harness, "The overwrite was not done"));
}

#[test]
fn a_replacement_that_met_a_newer_version_is_offered_again() {
    let mut scene = edited();
    scene.act(Action::ShowReplace(module()));
    let Some(Dialog::Replace { shown, .. }) = scene.app.dialog.clone() else { panic!("no question") };
    scene.act(Action::Replace { id: module(), shown });
    let key = scene.key(|command| match command {
        Command::ReplaceTwin { key, .. } => Some(*key),
        _ => None,
    });
    scene.answer(key, Outcome::Conflict { theirs: parsed(&body(7, theirs(), 0)) });
    let mut harness = window(scene);
    later(&mut harness);
    says(&harness, "You meant to replace the twin, and it was not done");
    find(&harness, Role::Button, "All theirs").click();
    harness.run();
    find(&harness, Role::Button, "Rebase and replace…").click();
    harness.run();
    find(&harness, Role::Dialog, "Replace…");
    assert!(try_find(&harness, Role::Dialog, VIEW).is_none());
    find(&harness, Role::Button, "Replace twin").click();
    harness.run_steps(4);
    let put = harness.state().commands.iter().rev().find_map(|command| match command {
        Command::ReplaceTwin { body, guard, .. } => Some((json!(body), guard.clone())),
        _ => None,
    });
    let (body, guard) = put.expect("a PUT");
    assert_eq!(guard, Guard::Etag(twinscope::twin::Etag("AAAAAAAAAA7=".to_owned())));
    let desired =
        json!({ "interval": 90, "mode": "turbo", "limits": { "low": 2, "high": 80 }, "name": "x", "zone": 7 });
    assert_eq!(body["properties"]["desired"], desired);
}
