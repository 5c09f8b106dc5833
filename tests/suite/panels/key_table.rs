//! Every key of the window with every combination of modifiers: each means one thing, and more modifiers mean something else.

use super::scene::{Scene, module};
use super::window;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use twinscope::app::Action;
use twinscope::twin::Section;

const NONE: Modifiers = Modifiers::NONE;
/// As Linux and Windows tell it.
const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..NONE };
const SHIFT: Modifiers = Modifiers { shift: true, ..NONE };
const CTRL_SHIFT: Modifiers = Modifiers { shift: true, ..CTRL };

/// What a key makes the window do, by the names of the actions.
const TABLE: &[(Modifiers, Key, &str)] = &[
    (CTRL, Key::S, "Save"),
    (CTRL, Key::R, "Refresh"),
    (NONE, Key::F5, "Refresh"),
    (CTRL, Key::K, "ShowPalette"),
    (CTRL_SHIFT, Key::P, "ShowPalette"),
    (CTRL, Key::P, "ShowGoTo"),
    (CTRL, Key::D, "SetLayout"),
    (CTRL_SHIFT, Key::D, "Edit"),
    (CTRL, Key::W, "CloseTab"),
    (CTRL, Key::Tab, "NextTab"),
    (CTRL_SHIFT, Key::Tab, "PreviousTab"),
    (CTRL, Key::Plus, "SetZoom"),
    (CTRL_SHIFT, Key::Plus, "SetZoom"),
    (CTRL, Key::Equals, "SetZoom"),
    (CTRL_SHIFT, Key::Equals, "SetZoom"),
    (CTRL, Key::Minus, "SetZoom"),
    (CTRL, Key::Num0, "SetZoom"),
    (CTRL, Key::T, "ShowFace"),
    (CTRL, Key::Comma, "Settings"),
    (NONE, Key::F1, "ShowKeys"),
    (CTRL, Key::G, "ShowGoToLine"),
    (CTRL_SHIFT, Key::I, "Edit"),
    (CTRL_SHIFT, Key::ArrowUp, "Edit"),
    (CTRL_SHIFT, Key::ArrowDown, "Edit"),
    (CTRL, Key::Z, "Edit"),
];

const KEYS: [Key; 44] = [
    Key::S,
    Key::R,
    Key::F5,
    Key::K,
    Key::P,
    Key::D,
    Key::W,
    Key::Tab,
    Key::Plus,
    Key::Equals,
    Key::Minus,
    Key::Num0,
    Key::Num1,
    Key::T,
    Key::Comma,
    Key::F1,
    Key::F2,
    Key::F3,
    Key::F6,
    Key::F8,
    Key::G,
    Key::I,
    Key::Z,
    Key::Y,
    Key::L,
    Key::F,
    Key::H,
    Key::J,
    Key::OpenBracket,
    Key::CloseBracket,
    Key::Enter,
    Key::Escape,
    Key::Delete,
    Key::Insert,
    Key::ArrowUp,
    Key::ArrowDown,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::Home,
    Key::End,
    Key::PageUp,
    Key::PageDown,
    Key::N,
    Key::B,
];

/// A twin whose text was changed; two lines of it can change places.
fn edited() -> Scene {
    let mut scene = Scene::twin();
    let text = "{ \"telemetryInterval\": 122,\n\"mode\": \"auto\"\n}".to_owned();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text });
    scene
}

/// The names of what was meant, without what the window does by itself.
fn meant(harness: &Harness<'_, Scene>) -> Vec<String> {
    let words = harness.state().actions.iter().map(|action| {
        let said = format!("{action:?}");
        said.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
    });
    words.filter(|word| word != "Caret" && word != "Events").collect()
}

#[test]
fn every_key_counts_its_modifiers() {
    let mut harness = window(edited());
    let mut wrong = Vec::new();
    for key in KEYS {
        for bits in 0..8 {
            let (ctrl, shift, alt) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
            let held = Modifiers { alt, ctrl, shift, mac_cmd: false, command: ctrl };
            *harness.state_mut() = edited();
            harness.run_steps(2);
            harness.state_mut().actions.clear();
            harness.key_press_modifiers(held, key);
            harness.run_steps(2);
            let expected: Vec<&str> = TABLE
                .iter()
                .filter(|(modifiers, of, _)| *of == key && *modifiers == held)
                .map(|(.., word)| *word)
                .collect();
            let found = meant(&harness);
            // In an editor that was just opened there is nothing to take back, and the caret may stand on the first or last line.
            let idle = matches!(key, Key::Z | Key::ArrowUp | Key::ArrowDown) && found.is_empty();
            if found != expected && !(idle && expected == ["Edit"]) {
                wrong.push(format!("{held:?} {key:?}: {found:?} instead of {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn shift_and_alt_do_not_walk_in_a_list() {
    for held in [SHIFT, Modifiers { alt: true, ..NONE }, CTRL, CTRL_SHIFT] {
        let mut harness = window(Scene::fleet());
        super::find(&harness, egui::accesskit::Role::ListItem, "thermostat-05").click();
        harness.run_steps(4);
        for key in [Key::ArrowDown, Key::ArrowUp, Key::Home, Key::End, Key::PageDown, Key::ArrowRight] {
            harness.state_mut().actions.clear();
            harness.key_press_modifiers(held, key);
            harness.run_steps(2);
            let row = super::find(&harness, egui::accesskit::Role::ListItem, "thermostat-05");
            assert!(row.is_focused(), "{held:?} {key:?}");
            assert_eq!(meant(&harness), Vec::<String>::new(), "{held:?} {key:?}");
        }
    }
}
