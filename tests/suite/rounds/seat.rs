//! A program without its window: `App` and `Worker`, and somebody who sits before it.

use crate::worker::rig::{LIMIT, options};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use twinscope::app::tab::SaveState;
use twinscope::app::{Action, App, HubState, Moment, Tab};
use twinscope::protocol::connection_string::ConnectionString;
use twinscope::twin::draft::Draft;
use twinscope::twin::{Twin, TwinId, life};
use twinscope::worker::event::Source;
use twinscope::worker::{Command, Event, Fact, Failure, Worker};

use super::account::Said;

const PARKED: Duration = Duration::from_millis(25);

pub struct Seat {
    pub name: char,
    pub id: TwinId,
    pub app: App,
    worker: Option<Worker>,
    started: Instant,
    /// The texts as they were before somebody stopped in the middle of a word.
    pub whole: Option<String>,
    _dir: TempDir,
}

impl Seat {
    /// A program with one twin open.
    pub fn take(connection: &ConnectionString, ca_file: PathBuf, name: char, id: &TwinId) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = options(dir.path());
        options.connection_string = Some(connection.reveal());
        options.extra_ca = vec![ca_file];
        let worker = Some(Worker::start(options, std::sync::Arc::new(|| {})));
        let (app, started) = (App::new(), Instant::now());
        let mut seat = Self { name, id: id.clone(), app, worker, started, whole: None, _dir: dir };
        seat.until("the hub", |app| matches!(app.hub, HubState::Open(_)));
        seat.act(Action::OpenTwin(id.clone()));
        let id = id.clone();
        seat.until("the twin", |app| app.tab(&id).is_some_and(|tab| tab.draft.is_some()));
        seat
    }

    fn now(&self) -> Moment {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap();
        Moment { ms, unix_s: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() }
    }

    fn send(&self, commands: Vec<Command>) {
        for command in commands {
            self.worker.as_ref().unwrap().send(command);
        }
    }

    /// Does it, and tells what it asked of the background half.
    pub fn act(&mut self, action: Action) -> Vec<Command> {
        let commands = self.app.update(self.now(), action);
        self.send(commands.clone());
        commands
    }

    fn hear(&mut self, event: Event) {
        let commands = self.app.apply(self.now(), event);
        self.send(commands);
    }

    /// A reading of the watch, which would come by itself a second later.
    pub fn watched(&mut self, twin: Twin) {
        let twin = std::sync::Arc::new(twin);
        // Only the worker knows another life from a late answer.
        if self.tab().current().is_some_and(|old| !life::continues(old, &twin)) {
            return self.refresh();
        }
        self.hear(Event::Fact(Fact::TwinSeen { twin, source: Source::Watch }));
    }

    pub fn drain(&mut self) {
        while let Some(event) = self.worker.as_mut().unwrap().try_next() {
            self.hear(event);
        }
        let tick = self.app.tick(self.now());
        self.send(tick.commands);
    }

    pub fn until(&mut self, what: &str, condition: impl Fn(&App) -> bool) {
        let end = Instant::now() + LIMIT;
        loop {
            self.drain();
            if condition(&self.app) {
                return;
            }
            assert!(Instant::now() < end, "{} waited in vain for {what}: {:#?}", self.name, self.app.notices);
            if let Some(event) = self.worker.as_mut().unwrap().next_within(PARKED) {
                self.hear(event);
            }
        }
    }

    pub fn tab(&self) -> &Tab {
        self.app.tab(&self.id).unwrap()
    }

    pub fn draft(&self) -> &Draft {
        self.tab().draft.as_ref().unwrap()
    }

    pub fn is_sending(&self) -> bool {
        matches!(self.tab().save, SaveState::Sending { .. })
    }

    /// Waits for the end of a save.
    pub fn settle(&mut self) {
        let id = self.id.clone();
        self.until("the end of the save", |app| !matches!(app.tab(&id).unwrap().save, SaveState::Sending { .. }));
    }

    pub fn refresh(&mut self) {
        let id = self.id.clone();
        self.act(Action::Refresh(id.clone()));
        self.until("the refresh", |app| !app.tab(&id).unwrap().twin.is_loading());
    }

    /// What stands before the person about the last save.
    pub fn said(&self) -> Said {
        let tab = self.tab();
        match &tab.save {
            _ if tab.in_doubt.is_some() => Said::InDoubt,
            SaveState::Saved { .. } => Said::Saved,
            SaveState::Failed { failure: Failure::Unknown { landed: None, .. }, .. } => Said::Unknown,
            _ => Said::NotSaved,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop();
        }
    }
}
