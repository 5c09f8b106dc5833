//! A module by its id alone: the hub is asked once typing pauses, bounded, and what comes is listed behind what is known.

use super::Desk;
use serde_json::json;
use twinscope::app::dialog::Field;
use twinscope::app::finding::LIMIT;
use twinscope::app::{Action, Remote};
use twinscope::client::HubError;
use twinscope::query::ItemType;
use twinscope::twin::TwinId;
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Failure, Key};

impl Desk {
    fn types(&mut self, text: &str) -> Vec<Command> {
        self.act(Action::DialogText { field: Field::Text, text: text.to_owned() })
    }

    /// The queries that time brings.
    fn asked(&mut self) -> Vec<(Key, String, usize)> {
        let commands = self.app.tick(self.now).commands;
        let queries = commands.into_iter().filter_map(|command| match command {
            Command::Query { key, text, limit } => Some((key, text, limit)),
            _ => None,
        });
        queries.collect()
    }
}

fn going() -> Desk {
    let mut desk = Desk::open();
    desk.act(Action::ShowGoTo);
    desk
}

fn rows(rows: &serde_json::Value, more: bool) -> Outcome {
    let rows = rows.as_array().cloned().unwrap();
    Outcome::QueryRows { item_type: ItemType::Raw, rows, more, ms: 3 }
}

#[test]
fn the_hub_is_asked_once_when_typing_pauses() {
    let mut desk = going();
    for text in ["c", "ca", "cam"] {
        desk.types(text);
        desk.later(200);
        assert_eq!(desk.asked(), [], "{text} is being typed");
    }
    let wait = desk.app.tick(desk.now).next_ms.expect("the window wakes by itself");
    desk.later(wait);
    let [(key, text, limit)] = &desk.asked()[..] else { panic!("asked once") };
    assert_eq!(text, "SELECT deviceId, moduleId FROM devices.modules WHERE moduleId = 'cam'");
    assert_eq!(*limit, LIMIT);
    desk.later(5_000);
    assert_eq!(desk.asked(), [], "while it is waited for");
    // What is no id is no row.
    let found = json!([
        {"deviceId": "a", "moduleId": "cam"}, {"deviceId": "b/c", "moduleId": "cam"}, {"moduleId": "cam"}, 7,
        {"deviceId": "d", "moduleId": "cam"},
    ]);
    desk.done(*key, Ok(rows(&found, true)));
    assert_eq!(desk.app.finding.ids(), [TwinId::module("a", "cam"), TwinId::module("d", "cam")]);
    assert!(desk.app.finding.answer.value().unwrap().more);
    desk.later(60_000);
    assert_eq!(desk.asked(), [], "the answer stands");
}

#[test]
fn what_is_no_id_of_a_module_is_not_asked_for() {
    for text in ["", "  ", "a/b", "a b", "ä", &"x".repeat(129)] {
        let mut desk = going();
        desk.types(text);
        desk.later(1_000);
        assert_eq!(desk.asked(), [], "{text:?}");
    }
    // Quotes are legal in ids and no way out of the literal.
    let mut desk = going();
    desk.types("it's");
    desk.later(1_000);
    let asked = desk.asked();
    assert!(asked[0].1.ends_with("moduleId = \"it's\""), "{asked:?}");
}

#[test]
fn typing_on_and_leaving_cancel_what_is_under_way() {
    let mut desk = going();
    desk.types("cam");
    desk.later(1_000);
    let (first, ..) = desk.asked()[0];
    assert_eq!(desk.types("came"), [Command::Cancel { key: first }]);
    // An answer that comes all the same is nobody's.
    desk.done(first, Ok(rows(&json!([{"deviceId": "a", "moduleId": "cam"}]), false)));
    assert_eq!(desk.app.finding.ids(), []);
    desk.later(1_000);
    let (second, ..) = desk.asked()[0];
    desk.act(Action::CloseDialog);
    assert_eq!(desk.app.tick(desk.now).commands, [Command::Cancel { key: second }]);
    assert_eq!(desk.app.finding.id, "");
}

#[test]
fn a_failure_stands_until_it_is_asked_again() {
    let mut desk = going();
    desk.types("cam");
    desk.later(1_000);
    let (key, ..) = desk.asked()[0];
    let failure = Failure::Hub(HubError::Unreachable { host: "h".to_owned(), reason: "gone".to_owned() });
    desk.done(key, Err(failure));
    assert!(matches!(desk.app.finding.answer, Remote::Failed { .. }));
    desk.later(60_000);
    assert_eq!(desk.asked(), []);
    desk.act(Action::FindAgain);
    assert_eq!(desk.asked().len(), 1);
}
