//! What is thrown away goes into the journal, whichever way it went, and comes back from there as a draft.

use super::{Desk, load_key, parse, twin};
use serde_json::json;
use std::sync::Arc;
use twinscope::app::Action;
use twinscope::app::dialog::Dialog;
use twinscope::app::history::{Against, Comparison, HistoryAct};
use twinscope::app::tab::{Pane, SaveState};
use twinscope::disk::journal::{EntryKey, Seen};
use twinscope::disk::{Journal, KeptDraft};
use twinscope::twin::{Section, Twin, TwinId};
use twinscope::worker::command::Guard;
use twinscope::worker::event::{HubInfo, Outcome, Source};
use twinscope::worker::{Command, Fact, HubRef};

const MINE: &str = r#"{"interval": 61, "mode": "auto"}"#;

fn desk() -> (Desk, TwinId) {
    let (mut desk, id) = Desk::with_twin(hub_twin(1, 60));
    type_in(&mut desk, &id, MINE);
    (desk, id)
}

fn hub_twin(version: u64, interval: u64) -> serde_json::Value {
    twin(&format!("e{version}"), version, json!({"interval": interval, "mode": "auto"}), json!({}))
}

fn version(number: u64, interval: u64) -> Arc<Twin> {
    parse(hub_twin(number, interval))
}

fn type_in(desk: &mut Desk, id: &TwinId, text: &str) {
    desk.act(Action::Edit { id: id.clone(), section: Section::Desired, text: text.to_owned() });
}

/// What the journal is told of.
fn discarded(commands: &[Command]) -> Vec<KeptDraft> {
    let drafts = commands.iter().filter_map(|command| match command {
        Command::KeepDiscarded { draft } => Some((**draft).clone()),
        _ => None,
    });
    drafts.collect()
}

/// The one text of desired the journal is told of.
fn desired(commands: &[Command]) -> String {
    let drafts = discarded(commands);
    assert_eq!(drafts.len(), 1, "{commands:?}");
    assert_eq!((drafts[0].hub.as_str(), drafts[0].base.version), ("local", 1));
    drafts[0].desired.clone().expect("a text of desired")
}

#[test]
fn discarding_and_taking_the_hubs_version_keep_the_text() {
    let (mut desk, id) = desk();
    assert_eq!(desk.act(Action::Discard(id.clone())), []);
    assert_eq!(desk.app.dialog, Some(Dialog::Discard { id: id.clone() }));
    assert_eq!(desired(&desk.act(Action::DiscardNow(id.clone()))), MINE);
    assert!(!desk.app.tab(&id).unwrap().is_dirty());
    assert_eq!(discarded(&desk.act(Action::DiscardNow(id.clone()))), [], "there is nothing more to lose");

    type_in(&mut desk, &id, "{ half");
    desk.fact(Fact::TwinSeen { twin: version(2, 90), source: Source::Watch });
    desk.act(Action::ReloadFromHub(id.clone()));
    assert_eq!(desired(&desk.act(Action::DiscardNow(id.clone()))), "{ half", "also what does not parse");
    assert!(desk.text(&id).contains("90"));
}

#[test]
fn closing_keeps_it_unless_it_stays_a_draft() {
    let (mut desk, id) = desk();
    let text = r#"{"t": 1}"#.to_owned();
    desk.act(Action::EditReport { id: id.clone(), text: text.clone() });
    desk.act(Action::CloseTab(id.clone()));
    assert!(matches!(desk.app.dialog, Some(Dialog::CloseTab { .. })));
    let commands = desk.act(Action::CloseTabAndDiscard(id.clone()));
    assert_eq!(desired(&commands), MINE);
    assert_eq!(discarded(&commands)[0].report, Some(text), "a report typed and not sent is no less");

    let (mut desk, id) = self::desk();
    let commands = desk.act(Action::CloseTabAndKeep(id.clone()));
    assert_eq!(discarded(&commands), []);
    assert!(commands.iter().any(|command| matches!(command, Command::KeepDraft { .. })));

    // A tab without edits leaves nothing behind.
    let (mut desk, id) = Desk::with_twin(hub_twin(1, 60));
    assert_eq!(discarded(&desk.act(Action::CloseTab(id))), []);
}

#[test]
fn discarding_keeps_a_report_that_stays_typed_out_of_it() {
    let (mut desk, id) = desk();
    desk.act(Action::EditReport { id: id.clone(), text: r#"{"t": 1}"#.to_owned() });
    let commands = desk.act(Action::DiscardNow(id.clone()));
    assert_eq!((desired(&commands).as_str(), &discarded(&commands)[0].report), (MINE, &None));
    assert!(desk.app.tab(&id).unwrap().has_unsent_report());
}

#[test]
fn quitting_keeps_what_is_discarded_on_every_hub() {
    let (mut desk, id) = desk();
    let plant = HubRef::Saved("plant".to_owned());
    let hubs = vec![twinscope::worker::event::HubEntry {
        hub: plant.clone(),
        name: "Plant".to_owned(),
        host: "Plant.azure-devices.net".to_owned(),
        policy: "iothubowner".to_owned(),
        has_secret: true,
    }];
    desk.fact(Fact::Hubs { hubs, secrets: twinscope::worker::event::SecretStore::Keyring });
    let commands = desk.act(Action::OpenHub(plant.clone()));
    let key = commands.iter().find_map(|command| match command {
        Command::Open { key, .. } => Some(*key),
        _ => None,
    });
    let info = HubInfo {
        hub: plant,
        name: "Plant".to_owned(),
        host: "Plant.azure-devices.net".to_owned(),
        policy: "iothubowner".to_owned(),
        api_version: "2021-04-12",
    };
    desk.done(key.unwrap(), Ok(Outcome::Connected(info)));
    let key = load_key(&desk.act(Action::OpenTwin(id.clone())));
    desk.done(key, Ok(Outcome::Twin(version(1, 60))));
    type_in(&mut desk, &id, "{}");
    desk.act(Action::Quit);
    assert!(!desk.app.quitting);
    let drafts = discarded(&desk.act(Action::QuitAndDiscard));
    let mut told: Vec<(&str, &str)> =
        drafts.iter().map(|draft| (draft.hub.as_str(), draft.desired.as_deref().unwrap_or_default())).collect();
    told.sort_unstable();
    assert_eq!(told, [("local", MINE), ("plant.azure-devices.net", "{}")]);
    assert!(desk.app.quitting);
}

#[test]
fn what_is_given_up_in_a_conflict_is_kept() {
    let theirs = |desk: &mut Desk, id: &TwinId| {
        desk.fact(Fact::TwinSeen { twin: version(2, 90), source: Source::Watch });
        desk.act(Action::ShowConflict(id.clone()));
        desk.act(Action::ChooseAll { id: id.clone(), choice: twinscope::twin::merge::Choice::Theirs });
    };
    // All of mine: nothing is left to send.
    let (mut desk, id) = desk();
    theirs(&mut desk, &id);
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    assert_eq!(desired(&desk.act(Action::SaveMerged { id: id.clone(), shown })), MINE);
    assert!(!desk.app.tab(&id).unwrap().is_dirty());

    // A part of it: kept when the save has landed, not before.
    let (mut desk, id) = self::desk();
    let both = r#"{"interval": 61, "mode": "eco"}"#;
    type_in(&mut desk, &id, both);
    theirs(&mut desk, &id);
    let shown = desk.app.tab(&id).unwrap().shown().unwrap();
    let commands = desk.act(Action::SaveMerged { id: id.clone(), shown });
    assert_eq!(discarded(&commands), []);
    let Some(Command::PatchTwin { key, .. }) = commands.first() else { panic!("{commands:?}") };
    let landed = parse(twin("e3", 3, json!({"interval": 90, "mode": "eco"}), json!({})));
    assert_eq!(desired(&desk.done(*key, Ok(Outcome::Saved(landed)))), both);

    // Rebased, with theirs where both changed it.
    let (mut desk, id) = self::desk();
    theirs(&mut desk, &id);
    assert_eq!(desired(&desk.act(Action::RebaseEdits(id))), MINE);
    let (mut desk, id) = self::desk();
    desk.fact(Fact::TwinSeen { twin: version(2, 90), source: Source::Watch });
    assert_eq!(discarded(&desk.act(Action::RebaseEdits(id))), [], "mine stands");

    // A save that gives nothing up leaves nothing in the journal but itself.
    let (mut desk, id) = self::desk();
    let commands = desk.act(Action::Save(id.clone()));
    let Some(Command::PatchTwin { key, .. }) = commands.first() else { panic!("{commands:?}") };
    assert_eq!(discarded(&desk.done(*key, Ok(Outcome::Saved(version(2, 61))))), []);
}

/// A tab whose history holds version 1 and a draft discarded on it.
struct Past {
    desk: Desk,
    id: TwinId,
    journal: Journal,
    _dir: tempfile::TempDir,
}

const LOST: &str = "{\n  \"interval\": 7,\n  \"mode\": \"auto\"\n}\n";

impl Past {
    fn open(hub_now: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path());
        journal.record("local", &version(1, 60), Seen::Load, 1000, None).unwrap();
        let draft = |text: &str, at_ms| KeptDraft {
            hub: "local".to_owned(),
            base: version(1, 60),
            desired: Some(text.to_owned()),
            tags: None,
            report: None,
            at_ms,
        };
        journal.record_discarded("local", &draft(LOST, 2000)).unwrap();
        journal.record_discarded("local", &draft("{ half", 3000)).unwrap();
        let (desk, id) = Desk::with_twin(hub_twin(hub_now, 60 + (hub_now - 1) * 30));
        let mut past = Self { desk, id, journal, _dir: dir };
        past.act(Action::ShowPane(past.id.clone(), Pane::History));
        past
    }

    fn act(&mut self, action: Action) -> Vec<Command> {
        let commands = self.desk.act(action);
        self.answer(commands)
    }

    fn history(&mut self, act: HistoryAct) -> Vec<Command> {
        self.act(Action::History { id: self.id.clone(), act })
    }

    /// Does what the worker would. The commands that are not the journal's.
    fn answer(&mut self, commands: Vec<Command>) -> Vec<Command> {
        let mut rest = Vec::new();
        for command in commands {
            let twin = |entry: &_| self.journal.twin(entry).map(Arc::new);
            let (key, outcome) = match command {
                Command::LoadTimeline { key, id } => {
                    (key, Outcome::Timeline(Arc::new(self.journal.timeline("local", &id).unwrap())))
                }
                Command::LoadVersions { key, entries } => (key, Outcome::Versions(entries.iter().map(twin).collect())),
                Command::LoadDiscarded { key, entry, other } => {
                    let draft = Box::new(self.journal.discarded(&entry).unwrap());
                    (key, Outcome::Discarded { draft, other: other.map(|other| twin(&other)) })
                }
                other => {
                    rest.push(other);
                    continue;
                }
            };
            let more = self.desk.done(key, Ok(outcome));
            rest.extend(self.answer(more));
        }
        rest
    }

    fn compared(&self) -> (String, Vec<String>) {
        let tab = self.desk.app.tab(&self.id).unwrap();
        match &tab.history.shown.value().expect("something is shown").comparison {
            Comparison::Changes { title, changes } => {
                (title.clone(), changes.iter().map(|(_, change)| change.path.to_string()).collect())
            }
            other => (format!("{other:?}"), Vec::new()),
        }
    }
}

fn lost() -> EntryKey {
    EntryKey { version: 1, at_ms: 2000 }
}

#[test]
fn a_discarded_draft_compares_with_its_base_any_version_and_the_draft() {
    let mut past = Past::open(2);
    past.history(HistoryAct::Choose(lost()));
    assert_eq!(past.compared(), ("Version 1 → discarded draft".to_owned(), vec!["interval".to_owned()]));
    past.history(HistoryAct::Compare(Against::Version(EntryKey { version: 1, at_ms: 1000 })));
    assert_eq!(past.compared().0, "Version 1 → discarded draft");
    past.history(HistoryAct::Compare(Against::Version(EntryKey { version: 1, at_ms: 3000 })));
    assert!(past.compared().0.contains("does not parse"), "{:?}", past.compared());
    past.history(HistoryAct::Compare(Against::Draft));
    assert_eq!(past.compared(), ("Discarded draft → your draft".to_owned(), vec!["interval".to_owned()]));
    past.history(HistoryAct::Compare(Against::Previous));
    past.history(HistoryAct::Choose(EntryKey { version: 1, at_ms: 3000 }));
    assert!(past.compared().0.contains("does not parse"));
    let tab = past.desk.app.tab(&past.id).unwrap();
    assert_eq!(tab.history.shown.value().unwrap().text, "{ half", "the text is there all the same");
    // A version knows the version before it, whatever was discarded between them.
    past.journal.record("local", &version(2, 90), Seen::Load, 4000, None).unwrap();
    past.history(HistoryAct::Load);
    past.history(HistoryAct::Choose(EntryKey { version: 2, at_ms: 4000 }));
    assert_eq!(past.compared(), ("Version 1 → version 2".to_owned(), vec!["interval".to_owned()]));
}

#[test]
fn it_comes_back_letter_by_letter_and_goes_the_guarded_way() {
    let mut past = Past::open(2);
    past.history(HistoryAct::Choose(lost()));
    let sent = past.history(HistoryAct::Revert(lost()));
    assert_eq!(sent, [], "nothing goes to the hub, and nothing was lost for it");
    let tab = past.desk.app.tab(&past.id).unwrap();
    assert_eq!((tab.pane, &tab.save), (Pane::Desired, &SaveState::Idle));
    assert_eq!(past.desk.text(&past.id), LOST);
    // The hub moved since: both changed the interval, and that is said before anything is sent.
    assert_eq!(tab.moved.as_ref().map(|moved| moved.clashes.len()), Some(1));
    let sent = past.act(Action::Save(past.id.clone()));
    assert_eq!(sent, []);
    assert!(past.desk.app.tab(&past.id).unwrap().conflict_open);
    let now = past.desk.now;
    let told = past.desk.app.tick(now).commands;
    assert!(
        told.iter().any(|one| matches!(one, Command::KeepDraft { draft } if draft.desired.as_deref() == Some(LOST))),
        "it is kept on disk like anything typed: {told:?}"
    );

    let mut past = Past::open(1);
    past.history(HistoryAct::Choose(lost()));
    past.history(HistoryAct::Revert(lost()));
    let sent = past.act(Action::Save(past.id.clone()));
    let [Command::PatchTwin { body, guard, .. }] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(serde_json::Value::Object(body.clone()), json!({"properties": {"desired": {"interval": 7}}}));
    assert_eq!(*guard, Guard::Etag(version(1, 60).etag.clone()));
}

#[test]
fn edits_in_its_place_are_asked_about_and_are_discarded_in_their_turn() {
    let mut past = Past::open(1);
    type_in(&mut past.desk, &past.id.clone(), MINE);
    past.history(HistoryAct::Choose(lost()));
    assert_eq!(past.history(HistoryAct::Revert(lost())), []);
    assert_eq!(past.desk.app.dialog, Some(Dialog::Revert { id: past.id.clone(), version: lost() }));
    assert_eq!(past.desk.text(&past.id), MINE);
    let commands = past.history(HistoryAct::RevertNow(lost()));
    assert_eq!(desired(&commands), MINE);
    assert_eq!((past.desk.text(&past.id), &past.desk.app.dialog), (LOST, &None));
    // What stands there already is not brought back again.
    past.act(Action::ShowPane(past.id.clone(), Pane::History));
    let tab = past.desk.app.tab(&past.id).unwrap();
    let draft = tab.history.shown.value().unwrap().discarded.clone().unwrap();
    assert!(tab.bring_back_refusal(&draft).is_some());
    // A version of the past takes their place in the same way.
    past.history(HistoryAct::Choose(EntryKey { version: 1, at_ms: 1000 }));
    past.desk.fact(Fact::TwinSeen { twin: version(2, 90), source: Source::Watch });
    let commands = past.history(HistoryAct::RevertNow(EntryKey { version: 1, at_ms: 1000 }));
    assert_eq!(desired(&commands), LOST);
}
