//! The Activity pane's tab *Events*: its rows, filters, details, and what it says when there is nothing to show.

use super::scene::Scene;
use super::{find, sized, try_find, window};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use twinscope::app::Action;
use twinscope::client::HubError;
use twinscope::protocol::error::ServiceError;
use twinscope::protocol::event::{EventPage, HubEvent, What};
use twinscope::worker::event::{HubInfo, Outcome, Then};
use twinscope::worker::{Command, Fact, HubRef};

fn says(harness: &Harness<'_, Scene>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|said| said.contains(text))
    })
}

fn event(number: u64, id: &str, what: What) -> HubEvent {
    HubEvent { number, time: "2026-08-15T09:07:13.1234567Z".to_owned(), id: id.parse().unwrap(), what }
}

fn telemetry(number: u64, id: &str, payload: &str) -> HubEvent {
    let what = What::Telemetry { bag: "level=hot".to_owned(), payload: payload.into(), bytes: payload.len() };
    event(number, id, what)
}

fn tell(scene: &mut Scene, after: u64, dropped: u64, events: Vec<HubEvent>) {
    let next = events.last().map_or(after + dropped, |event| event.number);
    scene.tell(Fact::HubEvents { after, page: Box::new(EventPage { next, dropped, events }) });
}

/// The tab is open and the hub has answered with these.
fn opened<'a>(size: [f32; 2], events: Vec<HubEvent>) -> Harness<'a, Scene> {
    let mut harness = sized(Scene::twin(), size);
    find(&harness, Role::Tab, "Events").click();
    harness.run();
    assert!(harness.state().commands.contains(&Command::FollowEvents { after: 0 }));
    tell(harness.state_mut(), 0, 0, events);
    harness.run();
    harness
}

/// The rows on the screen from top to bottom.
fn rows(harness: &Harness<'_, Scene>) -> Vec<String> {
    let mut rows: Vec<(f32, String)> = harness
        .root()
        .children_recursive()
        .filter(|node| node.accesskit_node().role() == Role::ListItem)
        .filter_map(|node| {
            let label = node.accesskit_node().label()?;
            let words = ["telemetry", "connected", "desired"];
            words.iter().any(|word| label.starts_with(&format!("{word}, "))).then(|| (node.rect().top(), label))
        })
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, label)| label).collect()
}

#[test]
fn it_is_followed_while_the_tab_is_open() {
    let mut harness = window(Scene::twin());
    assert!(!harness.state().commands.iter().any(|command| matches!(command, Command::FollowEvents { .. })));
    find(&harness, Role::Tab, "Events").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&Command::FollowEvents { after: 0 }));
    tell(harness.state_mut(), 0, 0, vec![]);
    harness.run();
    assert!(says(&harness, "No events yet"));
    find(&harness, Role::Tab, "Requests").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&Command::LeaveEvents));
    find(&harness, Role::Tab, "Events").click();
    harness.run();
    // The pane itself is folded away.
    find(&harness, Role::Button, "Hide activity").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&Command::LeaveEvents));
}

#[test]
fn rows_are_newest_first_and_one_shows_in_detail() {
    let events = vec![
        event(1, "myFirstDevice", What::Connected),
        telemetry(2, "myFirstDevice/myFirstModule", r#"{"t": 21.50}"#),
        telemetry(3, "pump-07", "plain"),
    ];
    let mut harness = opened([900.0, 600.0], events);
    let expected = [
        "telemetry, pump-07, plain",
        r#"telemetry, myFirstDevice/myFirstModule, {"t": 21.50}"#,
        "connected, myFirstDevice",
    ];
    assert_eq!(rows(&harness), expected);
    find(&harness, Role::ListItem, "telemetry, myFirstDevice/myFirstModule").click();
    harness.run();
    let row = find(&harness, Role::ListItem, "telemetry, myFirstDevice/myFirstModule");
    assert_eq!(row.accesskit_node().is_selected(), Some(true));
    assert_eq!(
        find(&harness, Role::MultilineTextInput, "Event payload").value().as_deref(),
        Some("{\n  \"t\": 21.50\n}")
    );
    assert!(says(&harness, "telemetry of myFirstDevice/myFirstModule"));
    assert!(says(&harness, "level") && says(&harness, "hot"));
    let copied = |harness: &Harness<'_, Scene>, part: &str| {
        harness
            .output()
            .platform_output
            .commands
            .iter()
            .any(|command| matches!(command, egui::OutputCommand::CopyText(text) if text.contains(part)))
    };
    find(&harness, Role::Button, "Copy payload").click();
    harness.step();
    assert!(copied(&harness, "\"t\": 21.50"));
    find(&harness, Role::Button, "Copy event").click();
    harness.step();
    assert!(copied(&harness, "\"kind\": \"telemetry\""));
    harness.run();

    // By the keyboard from row to row.
    find(&harness, Role::ListItem, "telemetry, myFirstDevice/myFirstModule").focus();
    harness.run();
    harness.key_press(Key::ArrowUp);
    harness.run();
    assert!(says(&harness, "telemetry of pump-07"));
    assert!(find(&harness, Role::ListItem, "telemetry, pump-07").is_focused());
    harness.key_press(Key::End);
    harness.run();
    assert!(says(&harness, "connected of myFirstDevice"));
    find(&harness, Role::Button, "Close the event").click();
    harness.run();
    assert!(try_find(&harness, Role::Button, "Copy event").is_none());
}

#[test]
fn filters_hide_and_show() {
    let events = vec![
        event(1, "myFirstDevice", What::Connected),
        telemetry(2, "myFirstDevice", "1"),
        telemetry(3, "pump-07", "2"),
    ];
    let mut harness = opened([1280.0, 800.0], events);
    find(&harness, Role::TextInput, "Filter events").focus();
    harness.run();
    find(&harness, Role::TextInput, "Filter events").type_text("first");
    harness.run();
    assert_eq!(rows(&harness), ["telemetry, myFirstDevice, 1", "connected, myFirstDevice"]);
    assert!(says(&harness, "2 of 3 fit the filter"));
    find(&harness, Role::Button, "Kinds of events").click();
    harness.run();
    find(&harness, Role::CheckBox, "Connections").click();
    harness.run();
    find(&harness, Role::CheckBox, "Telemetry").click();
    harness.run();
    assert_eq!(rows(&harness), Vec::<String>::new());
    assert!(says(&harness, "5 of 7 kinds"));
    harness.key_press(Key::Escape);
    harness.run();
    find(&harness, Role::Button, "Show all events").click();
    harness.run();
    assert_eq!(rows(&harness).len(), 3);
    find(&harness, Role::Button, "Clear events").click();
    harness.run();
    assert!(says(&harness, "No events yet"));
}

#[test]
fn paused_and_resumed() {
    let mut harness = opened([1280.0, 800.0], vec![telemetry(1, "d", "1")]);
    find(&harness, Role::Button, "Pause events").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&Command::LeaveEvents));
    assert!(says(&harness, "paused"));
    tell(harness.state_mut(), 1, 0, vec![telemetry(2, "d", "2")]);
    harness.run();
    assert_eq!(rows(&harness), ["telemetry, d, 1"]);
    find(&harness, Role::Button, "Resume events").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&Command::FollowEvents { after: 1 }));
    tell(harness.state_mut(), 1, 6, vec![telemetry(8, "d", "8")]);
    harness.run();
    assert_eq!(rows(&harness), ["telemetry, d, 8", "telemetry, d, 1"]);
    assert!(says(&harness, "6 events are missing: the hub no longer keeps them"));
}

#[test]
fn away_from_the_top_rows_stand_still() {
    let many = |from: u64, to: u64| (from..=to).map(|n| telemetry(n, "d", &format!("n{n}"))).collect();
    let mut harness = opened([1280.0, 800.0], many(1, 4_000));
    assert_eq!(rows(&harness)[0], "telemetry, d, n4000");
    assert!(rows(&harness).len() < 40, "only what is in sight is painted");
    let at = find(&harness, Role::ListItem, "telemetry, d, n4000").rect().center();
    harness.hover_at(at);
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -400.0),
        phase: egui::TouchPhase::Move,
        modifiers: egui::Modifiers::NONE,
        source: egui::MouseWheelSource::Unknown,
    });
    harness.run();
    let before = rows(&harness);
    assert_ne!(before[0], "telemetry, d, n4000");
    tell(harness.state_mut(), 4_000, 0, many(4_001, 4_007));
    harness.run();
    assert_eq!(rows(&harness), before);
    find(&harness, Role::Button, "Go to the newest event").click();
    harness.run();
    assert_eq!(rows(&harness)[0], "telemetry, d, n4007");
    // At the top it follows.
    tell(harness.state_mut(), 4_007, 0, many(4_008, 4_008));
    harness.run();
    assert_eq!(rows(&harness)[0], "telemetry, d, n4008");
}

#[test]
fn failures_are_said_with_what_to_do() {
    let mut harness = opened([900.0, 600.0], vec![telemetry(1, "d", "1")]);
    let away = HubError::Unreachable { host: "localhost".to_owned(), reason: "connection refused".to_owned() };
    harness.state_mut().tell(Fact::EventsFailed { error: away, then: Then::TriesAgain });
    harness.run();
    assert!(says(&harness, "connection refused; trying again"));
    assert_eq!(rows(&harness), ["telemetry, d, 1"]);
    let refused = HubError::Unauthorized { service: ServiceError::default() };
    harness.state_mut().tell(Fact::EventsFailed { error: refused, then: Then::GaveUp });
    harness.run();
    assert!(says(&harness, "The hub refused the key or policy"));
    find(&harness, Role::Button, "Try again").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&Command::FollowEvents { after: 1 }));
}

#[test]
fn a_hub_in_azure_says_why_there_is_nothing() {
    let mut scene = Scene::fleet();
    let hub = HubRef::Saved("plant".to_owned());
    scene.act(Action::OpenHub(hub.clone()));
    let key = scene.key(|command| match command {
        Command::Open { key, .. } => Some(*key),
        _ => None,
    });
    scene.answer(
        key,
        Outcome::Connected(HubInfo {
            hub,
            name: "Plant north".to_owned(),
            host: "plant-north.azure-devices.net".to_owned(),
            policy: "service".to_owned(),
            api_version: "2021-04-12",
        }),
    );
    let mut harness = sized(scene, [900.0, 600.0]);
    find(&harness, Role::Tab, "Events").click();
    harness.run();
    assert!(says(&harness, "A hub in Azure has no event stream to show here"));
    assert!(says(&harness, "Event Hubs"));
    assert!(!harness.state().commands.iter().any(|command| matches!(command, Command::FollowEvents { .. })));
}

#[test]
fn it_is_quiet_while_nothing_happens() {
    let mut harness = opened([900.0, 600.0], vec![telemetry(1, "d", "1")]);
    find(&harness, Role::ListItem, "telemetry, d").click();
    harness.run();
    harness.state_mut().now.ms += 60_000;
    let now = harness.state().now;
    harness.state_mut().app.now = now;
    harness.run();
    harness.step();
    let delay = harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay >= std::time::Duration::from_secs(5), "next frame in {delay:?}");
}
