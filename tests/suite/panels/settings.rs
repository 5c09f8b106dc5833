//! The dialog *Settings*, by role and name.

use super::scene::Scene;
use super::{find, sized, try_find, window};
use egui::accesskit::{Invalid, Role, Toggled};
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::settings::SettingsAct;
use twinscope::disk::ThemeChoice;

fn open<'a>() -> Harness<'a, Scene> {
    let mut harness = window(Scene::fleet());
    find(&harness, Role::Button, "Settings…").click();
    harness.run();
    find(&harness, Role::Dialog, "Settings");
    harness
}

fn retype(harness: &mut Harness<'_, Scene>, name: &str, text: &str) {
    find(harness, Role::TextInput, name).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(Event::Text(text.to_owned()));
    harness.run();
}

fn bounds(harness: &Harness<'_, Scene>) -> (u32, u32) {
    let bounds = harness.state().app.settings.journal;
    (bounds.megabytes, bounds.days)
}

#[test]
fn the_theme_is_chosen_and_the_zoom() {
    let mut harness = open();
    let toggled = |harness: &Harness<'_, Scene>, name: &str| {
        find(harness, Role::RadioButton, name).accesskit_node().data().toggled()
    };
    assert!(find(&harness, Role::RadioButton, "As the system").is_focused());
    find(&harness, Role::RadioButton, "Dark").click();
    harness.run();
    assert_eq!(harness.state().app.settings.theme, ThemeChoice::Dark);
    assert_eq!(toggled(&harness, "Dark"), Some(Toggled::True));
    assert_eq!(toggled(&harness, "As the system"), Some(Toggled::False));
    find(&harness, Role::Button, "Zoom in").click();
    harness.run();
    assert_eq!(harness.state().app.settings.zoom, Some(1.1));
}

#[test]
fn bounds_are_taken_when_the_field_is_left_and_less_is_asked_about() {
    let mut harness = open();
    retype(&mut harness, "History size, MB", "512");
    assert_eq!(bounds(&harness), (256, 90), "half typed as well as whole");
    harness.key_press(Key::Tab);
    harness.run();
    assert_eq!(bounds(&harness), (512, 90));
    retype(&mut harness, "History age, days", "7");
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(bounds(&harness), (512, 90));
    find(&harness, Role::Button, "Keep older versions").click();
    harness.run();
    assert_eq!(find(&harness, Role::TextInput, "History age, days").value().as_deref(), Some("90"));
    retype(&mut harness, "History age, days", "7");
    harness.key_press(Key::Enter);
    harness.run();
    find(&harness, Role::Button, "Delete older versions").click();
    harness.run();
    assert_eq!(bounds(&harness), (512, 7));
    assert!(try_find(&harness, Role::Button, "Keep older versions").is_none());
}

#[test]
fn a_bad_value_says_what_to_type_and_esc_takes_nothing() {
    let mut harness = open();
    retype(&mut harness, "History size, MB", "much");
    let field = find(&harness, Role::TextInput, "History size, MB");
    let data = field.accesskit_node().data().clone();
    assert_eq!(data.invalid(), Some(Invalid::True));
    assert_eq!(data.description(), Some("Type a whole number from 1 to 1,048,576"));
    retype(&mut harness, "History size, MB", "1000");
    harness.key_press(Key::Escape);
    harness.run();
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().app.dialog, None);
    assert_eq!(bounds(&harness), (256, 90));
}

#[test]
fn all_of_it_is_in_the_smallest_window() {
    let mut scene = Scene::fleet();
    scene.act(Action::Settings(SettingsAct::Show));
    scene.act(Action::Settings(SettingsAct::Days("1".to_owned())));
    scene.act(Action::Settings(SettingsAct::Leave));
    let harness = sized(scene, [900.0, 600.0]);
    for (role, name) in [(Role::Button, "Close"), (Role::Button, "Delete older versions"), (Role::RadioButton, "Dark")]
    {
        let rect = find(&harness, role, name).rect();
        assert!(rect.bottom() <= 600.0 && rect.right() <= 900.0, "{name} at {rect:?}");
    }
}

#[test]
fn every_message_can_be_read_however_many_there_are() {
    for size in [[900.0, 600.0], [1280.0, 800.0]] {
        let mut scene = Scene::twin();
        for n in 0..5 {
            scene.tell(twinscope::worker::Fact::Notice(format!("The folder number {n} cannot be written")));
        }
        let harness = sized(scene, size);
        let said = |text: &str| {
            harness.root().children_recursive().find(|node| {
                let node = node.accesskit_node();
                [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
            })
        };
        for n in 0..5 {
            let rect =
                said(&format!("The folder number {n} ")).unwrap_or_else(|| panic!("message {n} is hidden")).rect();
            assert!(rect.top() > 100.0 && rect.bottom() < size[1], "{n} at {rect:?}");
        }
        assert!(said(" more").is_none());
    }
}
