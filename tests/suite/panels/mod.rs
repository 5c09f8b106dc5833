//! Panels, found by role and name, as a screen reader finds them.

mod compare;
mod compare_from;
mod conflict;
mod connections;
mod copy_as;
mod dialogs;
mod editor;
mod events;
mod faults;
mod finding;
mod fleet;
mod handles;
mod hidden;
mod history;
mod kept;
mod key_table;
mod lists;
mod messages;
mod methods;
mod moved;
mod room;
mod scene;
mod settings;
mod still;
mod tree;
mod twin;
mod two_hubs;
mod typing;
mod waiting;

use egui::accesskit::Role;
use egui_kittest::{Harness, Node, kittest::NodeT};
use scene::Scene;

/// A window of this state, settled.
fn window<'a>(scene: Scene) -> Harness<'a, Scene> {
    sized(scene, [1280.0, 800.0])
}

fn sized<'a>(scene: Scene, size: [f32; 2]) -> Harness<'a, Scene> {
    let mut harness = Harness::builder()
        .with_size(size)
        // The fonts of the machine are not there: a letter they would have is a box in a label.
        .allow_missing_glyphs()
        .with_context_setup(twinscope::ui::prepare)
        .build_ui_state(|ui, scene: &mut Scene| scene.frame(ui), scene);
    harness.run();
    harness
}

/// The one node with this role whose name is this, or is this up to a comma.
fn find<'h>(harness: &'h Harness<'_, Scene>, role: Role, name: &'h str) -> Node<'h> {
    try_find(harness, role, name).unwrap_or_else(|| panic!("no {role:?} named {name:?}"))
}

fn try_find<'h>(harness: &'h Harness<'_, Scene>, role: Role, name: &'h str) -> Option<Node<'h>> {
    let fits = move |label: &str| label == name || label.strip_prefix(name).is_some_and(|rest| rest.starts_with(','));
    harness
        .root()
        .children_recursive()
        .find(|node| node.accesskit_node().role() == role && node.accesskit_node().label().is_some_and(|l| fits(&l)))
}

fn is_disabled(node: &Node<'_>) -> bool {
    node.accesskit_node().is_disabled()
}
