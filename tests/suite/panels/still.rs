//! Idle means idle, and everything that can be acted on has a name.

use super::scene::{Scene, module};
use super::sized;
use egui::accesskit::Role;
use egui_kittest::kittest::NodeT;
use std::time::Duration;
use twinscope::app::Action;
use twinscope::app::tab::Pane;

fn scenes() -> Vec<(&'static str, Scene)> {
    let pane = |pane| {
        let mut scene = Scene::twin();
        scene.act(Action::ShowPane(module(), pane));
        scene
    };
    vec![
        ("starting", Scene::starting()),
        ("empty", Scene::with_devices(Vec::new())),
        ("fleet", Scene::fleet()),
        ("desired", Scene::twin()),
        ("tags", pane(Pane::Tags)),
        ("reported", pane(Pane::Reported)),
        ("document", pane(Pane::Document)),
        ("methods", pane(Pane::Methods)),
        ("history", super::history::chosen()),
        ("compare", super::compare::compared()),
        ("what to compare with", super::compare_from::asked()),
        ("the past of any twin", super::compare_from::past()),
        ("a discarded draft", super::compare_from::discarded()),
    ]
}

#[test]
fn an_idle_window_settles() {
    for (name, scene) in scenes() {
        // `run` panics when frames are asked for without end.
        let mut harness = sized(scene, [900.0, 600.0]);
        // A minute on, no age changes every second any more.
        harness.state_mut().now.ms += 60_000;
        let now = harness.state().now;
        harness.state_mut().app.now = now;
        harness.run();
        harness.step();
        let delay = harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
        assert!(delay >= Duration::from_secs(5), "{name}: next frame in {delay:?}");
    }
}

#[test]
fn every_control_has_a_name() {
    for (name, scene) in scenes() {
        let harness = sized(scene, [1600.0, 1000.0]);
        let nameless: Vec<String> = harness
            .root()
            .children_recursive()
            .filter(|node| {
                let node = node.accesskit_node();
                let acts = matches!(
                    node.role(),
                    Role::Button | Role::Tab | Role::ListItem | Role::TextInput | Role::MultilineTextInput
                );
                acts && node.label().is_none_or(|label| label.trim().is_empty())
            })
            .map(|node| format!("{:?} at {:?}", node.accesskit_node().role(), node.rect()))
            .collect();
        assert!(nameless.is_empty(), "{name}: {nameless:?}");
    }
}

#[test]
fn nothing_is_painted_beyond_the_smallest_window() {
    for (name, scene) in scenes() {
        let harness = sized(scene, [900.0, 600.0]);
        for node in harness.root().children_recursive() {
            let data = node.accesskit_node();
            if !matches!(data.role(), Role::Button | Role::Tab | Role::TextInput) || data.is_hidden() {
                continue;
            }
            let rect = node.rect();
            let inside = rect.left() >= -0.5 && rect.right() <= 900.5 && rect.top() >= -0.5 && rect.bottom() <= 600.5;
            assert!(inside, "{name}: {:?} at {rect:?}", data.label());
        }
    }
}
