//! Keys go where the person meant them, and what was copied stays theirs.

use super::scene::{Scene, module, parsed, twin_json};
use super::{find, try_find, window};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, OutputCommand, PointerButton, Pos2};
use egui_kittest::Harness;
use twinscope::app::Action;
use twinscope::app::tab::Pane;
use twinscope::protocol::identity;
use twinscope::twin::Section;
use twinscope::worker::event::{Outcome, Source};
use twinscope::worker::{Command, Fact};

fn press(key: Key) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
}

fn typed(text: &str) -> Event {
    Event::Text(text.to_owned())
}

#[test]
fn keys_of_one_frame_keep_their_order() {
    for (events, expected) in [
        (
            vec![typed("{"), press(Key::Enter), typed("q"), press(Key::Enter), typed("w"), press(Key::Enter)],
            "{\n  q\n  w\n  \n}",
        ),
        (vec![press(Key::Tab), typed("a"), press(Key::Tab), typed("b"), press(Key::Enter), typed("c")], "  a  b\n  c"),
        (vec![typed("[x"), press(Key::Backspace), press(Key::Enter), typed("1")], "[\n  1"),
    ] {
        let mut scene = Scene::twin();
        scene.act(Action::Edit { id: module(), section: Section::Desired, text: String::new() });
        let mut harness = window(scene);
        find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
        harness.run();
        harness.input_mut().events.extend(events);
        harness.run();
        let text = find(&harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default();
        assert_eq!(text, expected);
    }
}

fn later(harness: &mut Harness<'_, Scene>, ms: u64) {
    let scene = harness.state_mut();
    scene.now.ms += ms;
    scene.app.now = scene.now;
    harness.run();
}

#[test]
fn a_dialog_nobody_asked_for_takes_no_keys() {
    let mut scene = Scene::twin();
    let text = "{\"telemetryInterval\": 122}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    scene.tell(Fact::TwinSeen { twin: parsed(&twin_json(&module(), 90, 7)), source: Source::Watch });
    let mut harness = window(scene);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    harness.state_mut().act(Action::ShowConflict(module()));
    harness.run();
    assert!(find(&harness, Role::Button, "Decide later").is_focused());
    for key in [Key::Space, Key::Enter, Key::Tab] {
        harness.key_press(key);
        harness.run();
        find(&harness, Role::Dialog, "The hub has a newer version");
    }
    assert!(!harness.state().actions.iter().any(|action| matches!(action, Action::RebaseEdits(_))));

    later(&mut harness, 600);
    harness.key_press(Key::Space);
    harness.run();
    assert!(try_find(&harness, Role::Dialog, "The hub has a newer version").is_none());
}

/// The identity pane with keys that can be copied.
fn scene_with_identity() -> Scene {
    let mut scene = Scene::twin();
    scene.act(Action::ShowPane(module(), Pane::Identity));
    scene.act(Action::LoadIdentity(module()));
    let key = scene.key(|command| match command {
        Command::LoadIdentity { key, .. } => Some(*key),
        _ => None,
    });
    let record = identity::from_json(&serde_json::json!({
        "deviceId": "myFirstDevice", "moduleId": "myFirstModule", "etag": "abc", "generationId": "1",
        "connectionState": "Disconnected",
        "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "QUFB", "secondaryKey": "QkJC"}}
    }));
    scene.answer(key, Outcome::Identity(Box::new(record.expect("a record"))));
    scene
}

/// Steps once and says whether the clipboard was emptied.
fn emptied(harness: &mut Harness<'_, Scene>) -> bool {
    harness.step();
    let commands = &harness.output().platform_output.commands;
    commands.iter().any(|command| matches!(command, OutputCommand::CopyText(text) if text.is_empty()))
}

#[test]
fn only_our_own_secret_is_taken_from_the_clipboard() {
    for copied_since in [false, true] {
        let mut harness = window(scene_with_identity());
        find(&harness, Role::Button, "Copy the primary key").click();
        harness.run();
        if copied_since {
            find(&harness, Role::Tab, "Desired").click();
            harness.run();
            find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
            harness.run();
            harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
            harness.run();
            harness.event(Event::Copy);
            harness.run();
        }
        let scene = harness.state_mut();
        scene.now.ms += 31_000;
        scene.app.now = scene.now;
        assert_eq!(emptied(&mut harness), !copied_since);
        assert!(!emptied(&mut harness), "once is enough");
    }
}

#[test]
fn a_panel_keeps_the_size_it_was_dragged_to() {
    let mut harness = window(Scene::twin());
    let row = find(&harness, Role::ListItem, "thermostat-05").rect();
    let field = find(&harness, Role::TextInput, "Search devices").rect();
    find(&harness, Role::Tab, "Tags").click();
    harness.run();
    assert_eq!(harness.state().app.settings.layout.fleet_width, None, "a click is no choice of size");

    let from = Pos2::new(field.right() + 8.0, row.center().y);
    let to = from + egui::vec2(60.0, 0.0);
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    for event in [
        Event::PointerMoved(from),
        button(from, true),
        Event::PointerMoved(from + egui::vec2(20.0, 0.0)),
        Event::PointerMoved(to),
        button(to, false),
    ] {
        harness.event(event);
        harness.run();
    }
    let kept = harness.state().app.settings.layout.fleet_width;
    assert!(kept.is_some_and(|width| (300.0..345.0).contains(&width)), "{kept:?}");
}

#[test]
fn enter_in_the_frame_of_the_letters_takes_what_the_letters_say() {
    let mut scene = Scene::twin();
    scene.act(Action::ShowPalette);
    let mut harness = window(scene);
    assert!(harness.ctx.memory(egui::Memory::focused).is_some());
    harness.input_mut().events.extend([typed("light"), press(Key::Enter)]);
    harness.run();
    let app = &harness.state().app;
    assert_eq!(app.settings.theme, twinscope::disk::ThemeChoice::Light);
    assert_eq!(app.dialog, None);
}

#[test]
fn enter_in_the_frame_of_the_letters_creates_what_was_typed() {
    let mut scene = Scene::twin();
    scene.act(Action::ShowAddDevice);
    let mut harness = window(scene);
    harness.input_mut().events.extend([typed("gate"), typed("way"), press(Key::Enter)]);
    harness.run();
    let made = |command: &Command| match command {
        Command::CreateIdentity { id, .. } => Some(id.to_string()),
        _ => None,
    };
    assert_eq!(harness.state().commands.iter().filter_map(made).collect::<Vec<_>>(), ["gateway"]);
}
