//! The program without its native window: `App`, a real `Worker` and the panels, acted on by role and name alone.

use super::second::{InnerHub, Second};
use crate::worker::rig::{LIMIT, OwnHub, options};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::NodeT;
use egui_kittest::{Harness, Node};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use twinscope::app::{App, Moment};
use twinscope::local_hub::FleetChoice;
use twinscope::ui::{self, View};
use twinscope::worker::event::LocalHubInfo;
use twinscope::worker::{Command, Event as News, Worker, WorkerOptions};

/// How long a round waits for news before it paints again: ages and timeouts go on without any.
const PARKED: Duration = Duration::from_millis(25);
const EDITORS: [Role; 3] = [Role::TextInput, Role::MultilineTextInput, Role::PasswordInput];

/// What `ui::run` keeps, without eframe.
struct Shell {
    app: App,
    view: View,
    worker: Option<Worker>,
    started: Instant,
    /// All state of the program; goes last. `None` once it is handed on.
    dir: Option<TempDir>,
}

impl Shell {
    fn now(&self) -> Moment {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap();
        Moment { ms, unix_s: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() }
    }

    fn send(&self, commands: Vec<Command>) {
        for command in commands {
            self.worker.as_ref().unwrap().send(command);
        }
    }

    fn take(&mut self, news: News) {
        let commands = self.app.apply(self.now(), news);
        self.send(commands);
    }

    fn drain(&mut self) {
        while let Some(news) = self.worker.as_mut().unwrap().try_next() {
            self.take(news);
        }
        let tick = self.app.tick(self.now());
        self.send(tick.commands);
    }

    fn frame(&mut self, ui: &mut egui::Ui) {
        for action in ui::show(&self.app, &mut self.view, ui) {
            let commands = self.app.update(self.now(), action);
            self.send(commands);
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop();
        }
    }
}

pub struct Program {
    harness: Harness<'static, Shell>,
}

impl Program {
    /// Started for the first time, with nothing but an empty folder: the demo fleet plays.
    pub fn first_start() -> Self {
        Self::start(tempfile::tempdir().unwrap(), |options| options.fleet = None)
    }

    /// Quits; the folder is there for the next start.
    pub fn quit(self) -> TempDir {
        self.harness.into_state().dir.take().unwrap()
    }

    /// Started where it was quit.
    pub fn start_again(dir: TempDir) -> Self {
        Self::start(dir, |options| options.fleet = None)
    }

    /// Started on a hub of the test's own.
    pub fn on(hub: &OwnHub) -> Self {
        Self::on_again(hub, tempfile::tempdir().unwrap())
    }

    /// The same where it was quit.
    pub fn on_again(hub: &OwnHub, dir: TempDir) -> Self {
        Self::start(dir, |options| {
            options.connection_string = Some(hub.connection().reveal());
            options.extra_ca = vec![hub.ca_file()];
        })
    }

    /// Started on its own hub inside, which is empty and which a second client can reach too.
    pub fn with_second() -> (Self, Second, LocalHubInfo) {
        let dir = tempfile::tempdir().unwrap();
        let inner = InnerHub::prepare(dir.path(), FleetChoice::Empty);
        let mut program = Self::start(dir, |_| {});
        program.until("the hub inside", |program| matches!(program.app().local_hub, Some(Ok(_))));
        let info = program.app().local_hub.clone().unwrap().unwrap();
        (program, inner.second(&info), info)
    }

    fn start(dir: TempDir, change: impl FnOnce(&mut WorkerOptions)) -> Self {
        let mut options = options(dir.path());
        change(&mut options);
        let worker = Some(Worker::start(options, std::sync::Arc::new(|| {})));
        let shell = Shell { app: App::new(), view: View::default(), worker, started: Instant::now(), dir: Some(dir) };
        let harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_context_setup(ui::prepare)
            .build_ui_state(|ui, shell: &mut Shell| shell.frame(ui), shell);
        Self { harness }
    }

    fn app(&self) -> &App {
        &self.harness.state().app
    }

    /// Takes the news and paints once.
    pub fn round(&mut self) {
        self.harness.state_mut().drain();
        self.harness.step();
    }

    /// Goes on until something is on the screen; waits for news between two rounds.
    pub fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + LIMIT;
        loop {
            self.round();
            if condition(self) {
                return;
            }
            assert!(Instant::now() < end, "waited in vain for {what}; on the screen: {:#?}", self.said());
            let shell = self.harness.state_mut();
            if let Some(news) = shell.worker.as_mut().unwrap().next_within(PARKED) {
                shell.take(news);
            }
        }
    }

    /// The node of one of these roles with this name; state words may follow after a comma.
    fn find(&self, roles: &[Role], name: &str) -> Option<Node<'_>> {
        let fits = |label: &str| label.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(','));
        self.harness.root().children_recursive().find(|node| {
            let node = node.accesskit_node();
            roles.contains(&node.role()) && node.label().is_some_and(|label| fits(&label))
        })
    }

    pub fn has(&self, role: Role, name: &str) -> bool {
        self.find(&[role], name).is_some()
    }

    /// Whether a control is there and can be used.
    pub fn can(&self, role: Role, name: &str) -> bool {
        self.find(&[role], name).is_some_and(|node| !node.accesskit_node().is_disabled())
    }

    /// What a screen reader says beside the name: a state, or why a control is off.
    pub fn description(&self, role: Role, name: &str) -> String {
        let node = self.find(&[role], name).unwrap_or_else(|| panic!("no {role:?} named {name:?}"));
        node.accesskit_node().data().description().unwrap_or_default().to_owned()
    }

    /// What a text field holds; nothing when it is not on the screen.
    pub fn text(&self, name: &str) -> String {
        self.find(&EDITORS, name).and_then(|node| node.value()).unwrap_or_default()
    }

    /// The JSON in a text field; `null` when it is not there or does not parse.
    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(name)).unwrap_or_default()
    }

    /// Every name and text on the screen but those of text fields.
    pub fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        for node in self.harness.root().children_recursive() {
            let node = node.accesskit_node();
            if !EDITORS.contains(&node.role()) {
                said.extend(node.label().into_iter().chain(node.value()).filter(|text| !text.trim().is_empty()));
            }
        }
        said
    }

    pub fn says(&self, part: &str) -> bool {
        self.said().iter().any(|said| said.contains(part))
    }

    /// The rest of the text that begins so.
    pub fn said_after(&self, start: &str) -> Option<String> {
        self.said().iter().find_map(|said| said.strip_prefix(start)).map(str::to_owned)
    }

    /// Waits for a control that can be used, and clicks it.
    pub fn click(&mut self, role: Role, name: &str) {
        self.until(&format!("the {role:?} {name:?}"), |program| program.can(role, name));
        self.find(&[role], name).unwrap().click();
        // Without news first: they might move it away under the pointer.
        self.harness.step();
    }

    /// Puts a text in the place of all that a text field holds.
    pub fn type_into(&mut self, name: &str, text: &str) {
        self.until(&format!("the field {name:?}"), |program| program.find(&EDITORS, name).is_some());
        self.find(&EDITORS, name).unwrap().focus();
        self.round();
        self.press(Modifiers::COMMAND, Key::A);
        if text.is_empty() {
            self.press(Modifiers::NONE, Key::Delete);
        } else {
            self.harness.event(Event::Text(text.to_owned()));
        }
        self.round();
        self.until(&format!("the text in {name:?}"), |program| program.text(name) == text);
    }

    /// Types at the caret, wherever it is.
    pub fn type_on(&mut self, text: &str) {
        self.harness.event(Event::Text(text.to_owned()));
        self.round();
    }

    /// The same, and a key in the very next frame: no news come in between.
    pub fn type_and_press(&mut self, text: &str, modifiers: Modifiers, key: Key) {
        self.harness.event(Event::Text(text.to_owned()));
        self.harness.step();
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.step();
    }

    /// Whether a text field has the keyboard.
    pub fn is_focused(&self, name: &str) -> bool {
        self.find(&EDITORS, name).is_some_and(|node| node.is_focused())
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.round();
    }

    /// Opens a twin from the list and waits for its text.
    pub fn open(&mut self, id: &str) {
        self.click(Role::ListItem, id);
        self.until(&format!("the text of {id}"), |program| {
            program.has(Role::Tab, id) && program.json("Desired JSON").is_object()
        });
    }

    /// Replaces the text of desired.
    pub fn edit(&mut self, text: &str) {
        self.type_into("Desired JSON", text);
        self.until("the edit to be told", |program| !program.says("Changes (0)"));
    }

    /// Saves by the keyboard and waits until the hub took it.
    pub fn save(&mut self) {
        let before = self.etag();
        self.press(Modifiers::COMMAND, Key::S);
        self.until("the save", |program| {
            program.etag() != before && program.said_after("Saved").is_some() && !program.can(Role::Button, "Save")
        });
    }

    /// The etag on the screen, with its quotes.
    pub fn etag(&self) -> String {
        self.said_after("etag ").expect("the etag is shown")
    }

    /// The version on the screen.
    pub fn version(&self) -> u64 {
        self.said_after("version ").and_then(|version| version.parse().ok()).expect("the version is shown")
    }
}
