//! The editor of a section under real keys.

mod complete;
mod find;
mod fold;
mod hints;
mod keys;
mod large;
mod lines;
mod problems;
mod scripts;
mod undo;

use super::scene::{Scene, module};
use super::{find, window};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use twinscope::app::Action;
use twinscope::twin::Section;

/// A window whose desired section has this text, the caret where `|` stands.
fn editing<'a>(marked: &str) -> Harness<'a, Scene> {
    let at = marked.find('|').expect("a caret");
    let text = marked.replacen('|', "", 1);
    let mut scene = Scene::twin();
    scene.act(Action::Edit { id: module(), section: Section::Desired, text: text.clone() });
    let mut harness = window(scene);
    find(&harness, Role::MultilineTextInput, "Desired JSON").focus();
    harness.run();
    press(&mut harness, Modifiers::COMMAND, Key::Home);
    let before = &text[..at];
    let down = before.matches('\n').count();
    let right = before.rsplit('\n').next().unwrap_or_default().chars().count();
    for key in std::iter::repeat_n(Key::ArrowDown, down).chain(std::iter::repeat_n(Key::ArrowRight, right)) {
        harness.key_press(key);
    }
    harness.run();
    harness
}

pub(super) fn press(harness: &mut Harness<'_, Scene>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}

/// Types letters, each in its own frame.
pub(super) fn letters(harness: &mut Harness<'_, Scene>, text: &str) {
    for letter in text.chars() {
        harness.event(Event::Text(letter.to_string()));
        harness.run();
    }
}

fn paste(harness: &mut Harness<'_, Scene>, text: &str) {
    harness.event(Event::Paste(text.to_owned()));
    harness.run();
}

pub(super) fn text(harness: &Harness<'_, Scene>) -> String {
    find(harness, Role::MultilineTextInput, "Desired JSON").value().unwrap_or_default()
}

/// Line and column, as the last line of the window says them.
pub(super) fn caret(harness: &Harness<'_, Scene>) -> (usize, usize) {
    let said = labels(harness).into_iter().find_map(|label| {
        let (line, column) = label.strip_prefix("line ")?.split_once(", column ")?;
        Some((line.parse().ok()?, column.parse().ok()?))
    });
    said.expect("the caret is said")
}

fn labels(harness: &Harness<'_, Scene>) -> Vec<String> {
    use egui_kittest::kittest::NodeT;
    harness
        .root()
        .children_recursive()
        .filter(|node| node.accesskit_node().role() == Role::Label)
        .filter_map(|node| node.accesskit_node().value())
        .collect()
}

/// The text with `|` where the caret stands.
fn marked(harness: &Harness<'_, Scene>) -> String {
    let (line, column) = caret(harness);
    let mut text = text(harness);
    text.insert(twinscope::twin::text::lines::offset_of(&text, line, column), '|');
    text
}
