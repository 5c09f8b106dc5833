//! The lines between panels can be grabbed along their whole length, whatever stands beside them.

use super::scene::{Scene, module};
use super::{find, sized, try_find, window};
use egui::Pos2;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::app::tab::Pane;

const PANES: [Pane; 8] = [
    Pane::Desired,
    Pane::Reported,
    Pane::Tags,
    Pane::Document,
    Pane::Identity,
    Pane::Methods,
    Pane::Messages,
    Pane::History,
];

fn shown<'a>(pane: Pane) -> Harness<'a, Scene> {
    let mut scene = Scene::twin();
    scene.act(Action::ShowPane(module(), pane));
    let mut harness = window(scene);
    if try_find(&harness, Role::Button, "Show activity").is_some() {
        find(&harness, Role::Button, "Show activity").click();
        harness.run_steps(4);
    }
    harness
}

fn drag(harness: &mut Harness<'_, Scene>, from: Pos2, to: Pos2) {
    harness.hover_at(from);
    harness.run_steps(1);
    harness.drag_at(from);
    harness.run_steps(1);
    harness.hover_at(to);
    harness.run_steps(1);
    harness.drop_at(to);
    harness.run_steps(3);
}

#[test]
fn the_activity_panel_is_resized_from_anywhere_on_its_line() {
    for pane in PANES {
        let mut harness = shown(pane);
        for (n, x) in (290_u16..1270).step_by(70).enumerate() {
            let line = find(&harness, Role::Button, "Hide activity").rect().top() - 2.0;
            let before = harness.state().app.settings.layout.activity_height;
            // On the line, and three points above and below it.
            let y = line + [0.0, -3.0, 1.5][n % 3];
            let by = if n % 2 == 0 { -40.0 } else { 40.0 };
            drag(&mut harness, Pos2::new(f32::from(x), y), Pos2::new(f32::from(x), y + by));
            let moved = find(&harness, Role::Button, "Hide activity").rect().top() - 2.0 - line;
            assert!((moved - by).abs() < 6.0, "{pane:?}: at x {x}, y {} off the line: it moved by {moved}", y - line);
            assert_ne!(harness.state().app.settings.layout.activity_height, before, "{pane:?}: it is not kept");
        }
    }
}

#[test]
fn the_list_of_devices_is_resized_from_anywhere_on_its_line() {
    for pane in PANES {
        let mut harness = shown(pane);
        let right =
            |harness: &Harness<'_, Scene>| find(harness, Role::TextInput, "Search devices").rect().right() + 8.0;
        for (n, y) in (60_u16..540).step_by(60).enumerate() {
            let line = right(&harness);
            let x = line + [0.0, 3.0, -2.0][n % 3];
            let by = if n % 2 == 0 { 30.0 } else { -30.0 };
            drag(&mut harness, Pos2::new(x, f32::from(y)), Pos2::new(x + by, f32::from(y)));
            let moved = right(&harness) - line;
            assert!((moved - by).abs() < 6.0, "{pane:?}: at y {y}, x {} off the line: it moved by {moved}", x - line);
        }
    }
}

#[test]
fn changes_are_resized_from_anywhere_on_their_line() {
    for pane in [Pane::Desired, Pane::Tags, Pane::Reported] {
        let mut harness = shown(pane);
        let heading = if pane == Pane::Reported { "Seen lately" } else { "Changes, 0 in all" };
        let place = |harness: &Harness<'_, Scene>| {
            let node = harness.root().children_recursive().find(|node| {
                let node = node.accesskit_node();
                [node.label(), node.value()].into_iter().flatten().any(|said| said == heading)
            });
            let rect = node.expect("the heading is there").rect();
            (rect.left() - 12.0, rect.top())
        };
        for n in 0..6_u8 {
            let (line, top) = place(&harness);
            let y = top + f32::from(n) * 60.0;
            let x = line + [0.0, -3.0, 2.0][usize::from(n % 3)];
            let by = if n % 2 == 0 { -40.0 } else { 40.0 };
            drag(&mut harness, Pos2::new(x, y), Pos2::new(x + by, y));
            let moved = place(&harness).0 - line;
            assert!((moved - by).abs() < 6.0, "{pane:?}: at y {y}, x {} off the line: it moved by {moved}", x - line);
        }
    }
}

#[test]
fn the_report_of_a_device_we_act_as_is_resized_from_anywhere_on_its_line() {
    let mut scene = Scene::twin();
    scene.act(Action::ActAs(module()));
    scene.act(Action::ShowPane(module(), Pane::Reported));
    let mut harness = sized(scene, [1280.0, 800.0]);
    let top = |harness: &Harness<'_, Scene>| find(harness, Role::Button, "Stop acting").rect().top();
    for (n, x) in (300_u16..860).step_by(80).enumerate() {
        let before = top(&harness);
        let line = before - 8.0;
        let y = line + [0.0, -3.0, 1.0][n % 3];
        let by = if n % 2 == 0 { 30.0 } else { -30.0 };
        drag(&mut harness, Pos2::new(f32::from(x), y), Pos2::new(f32::from(x), y + by));
        let moved = top(&harness) - before;
        assert!((moved - by).abs() < 6.0, "at x {x}, y {} off the line: it moved by {moved}", y - line);
    }
}
