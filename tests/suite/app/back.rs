//! Edits that come back from disk: only those that the hub does not have are called edits, and only once that is known.

use super::{Desk, load_key, parse, twin};
use serde_json::{Value, json};
use twinscope::app::{Action, NoticeKind};
use twinscope::disk::KeptDraft;
use twinscope::twin::{Section, TwinId};
use twinscope::worker::event::Outcome;
use twinscope::worker::{Command, Fact, Failure};

fn kept(base: Value, text: &str) -> KeptDraft {
    let (base, desired) = (parse(base), Some(text.to_owned()));
    KeptDraft { hub: "local".to_owned(), base, desired, tags: None, report: None, at_ms: 1 }
}

fn at(version: u64, interval: u64) -> Value {
    twin(&format!("e{version}"), version, json!({"interval": interval}), json!({}))
}

/// A start with that draft of version 1 (interval 60) on disk, and how the hub answers.
fn start(text: &str, hub: Result<Value, Failure>) -> (Desk, TwinId, bool) {
    let mut desk = Desk::open();
    let kept = kept(at(1, 60), text);
    let id = kept.base.id.clone();
    let commands = desk.fact(Fact::Drafts(vec![kept]));
    assert!(!says(&desk), "said before it is known");
    desk.done(load_key(&commands), hub.map(|twin| Outcome::Twin(parse(twin))));
    let says = says(&desk);
    (desk, id, says)
}

fn says(desk: &Desk) -> bool {
    desk.app.notices.iter().any(|notice| notice.text.contains("unsaved edits are back"))
}

fn forgotten(commands: &[Command]) -> bool {
    commands.iter().any(|command| matches!(command, Command::ForgetDraft { .. }))
}

#[test]
fn only_what_the_hub_does_not_have_is_called_an_edit() {
    for (text, hub, said) in [
        (r#"{"interval": 61}"#, Ok(at(1, 60)), true),
        ("{ half", Ok(at(1, 60)), true),
        // The hub moved, and not to what was typed.
        (r#"{"interval": 61}"#, Ok(at(2, 70)), true),
        // It has the same values by now.
        (r#"{"interval": 61}"#, Ok(at(2, 61)), false),
        // Another form of what the hub has.
        (r#"{   "interval":60   }"#, Ok(at(1, 60)), false),
        // Nobody knows: it is an edit as far as anybody can tell.
        (r#"{"interval": 61}"#, Err(Failure::Local("no network".to_owned())), true),
    ] {
        let told = format!("{text} {hub:?}");
        let (mut desk, id, says) = start(text, hub);
        assert_eq!(says, said, "{told}");
        assert_eq!(desk.text(&id), text, "{told}: the text is what was typed");
        let now = desk.now;
        assert_eq!(forgotten(&desk.app.tick(now).commands), !said, "{told}");
    }
}

#[test]
fn another_form_of_what_the_hub_has_is_not_kept() {
    let (mut desk, id) = Desk::with_twin(at(1, 60));
    let mut edit = |text: &str| {
        desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
        let now = desk.now;
        desk.app.tick(now).commands
    };
    let kept = |commands: &[Command]| commands.iter().any(|command| matches!(command, Command::KeepDraft { .. }));
    assert!(!kept(&edit(r#"{   "interval":60   }"#)));
    assert!(kept(&edit(r#"{   "interval":61   }"#)));
    assert!(forgotten(&edit(r#"{   "interval":60   }"#)));
}

#[test]
fn that_drafts_cannot_be_kept_is_a_problem_that_goes_with_its_cause() {
    let mut desk = Desk::open();
    let problems = |desk: &Desk| {
        let notices = desk.app.notices.iter().filter(|notice| notice.kind == NoticeKind::Problem);
        notices.map(|notice| (notice.number, notice.text.clone())).collect::<Vec<_>>()
    };
    desk.fact(Fact::DraftsUnkept(Some("the disk is full".to_owned())));
    let (number, text) = problems(&desk).remove(0);
    assert!(text.starts_with("the disk is full. What you type is safe"), "{text}");
    desk.fact(Fact::DraftsUnkept(Some("the folder is gone".to_owned())));
    assert_eq!(problems(&desk).len(), 1);
    assert!(problems(&desk)[0].1.starts_with("the folder is gone"));
    desk.fact(Fact::DraftsUnkept(None));
    assert_eq!(problems(&desk), []);
    // Put away it does not come back until it is news.
    desk.fact(Fact::DraftsUnkept(Some("the disk is full".to_owned())));
    let put_away = problems(&desk)[0].0;
    assert_ne!(put_away, number);
    desk.act(Action::Dismiss(put_away));
    desk.fact(Fact::DraftsUnkept(Some("the folder is gone".to_owned())));
    assert_eq!(problems(&desk), []);
    desk.fact(Fact::DraftsUnkept(None));
    desk.fact(Fact::DraftsUnkept(Some("the disk is full".to_owned())));
    assert_eq!(problems(&desk).len(), 1);
}
