//! The loop: takes commands, starts a task for each request, and says exactly once how each ended.

use super::act::Link;
use super::drafts::DraftDesk;
use super::event::{Fact, Failure, Outcome};
use super::journal::JournalDesk;
use super::keep::Keep;
use super::local::LocalState;
use super::open::Opener;
use super::out::{Out, RequestLog, on_behalf};
use super::session::{OpenHub, Session};
use super::{
    Command, HubRef, Key, WorkerOptions, act, checks, faults, fleet, identities, local, messages, methods, past,
    reading,
    twins::{self, Save},
};
use crate::disk::{Folders, Keyring, Settings, SettingsFile};
use crate::local_hub::FleetChoice;
use crate::protocol::connection_string::ConnectionString;
use crate::twin::patch::Write;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// The request that opens the first hub.
const FIRST: Key = Key(0);
/// How long the last versions seen may take into the journal.
const JOURNAL_LIMIT: Duration = Duration::from_secs(1);
/// How long the local hub may take for its last commit.
const LOCAL_STOP_LIMIT: Duration = Duration::from_secs(3);

/// What the window is told about a request, and what the loop does before that.
struct Finished {
    outcome: Result<Outcome, Failure>,
    then: Then,
}

enum Then {
    Nothing,
    Install(Box<Session>),
    Follow(Link),
}

impl From<Result<Outcome, Failure>> for Finished {
    fn from(outcome: Result<Outcome, Failure>) -> Self {
        Self { outcome, then: Then::Nothing }
    }
}

/// A request under way.
struct Running {
    key: Key,
    task: AbortHandle,
    kind: Kind,
    /// It was told to stop: whatever it still brings is not installed.
    stopped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Concerns the program, whichever hub is open.
    Program,
    /// Opens a hub: a newer one ends it.
    Open,
    /// Lists the fleet of the open hub: a newer one ends it.
    Fleet,
    /// Concerns the open hub: ends with it.
    Hub,
}

/// Runs until the window's handle is gone.
pub(super) async fn run(options: WorkerOptions, mut commands: mpsc::UnboundedReceiver<Command>, out: Out) {
    let mut desk = Desk::set_up(options, out).await;
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => desk.take(command).await,
                None => break,
            },
            Some(ended) = desk.work.join_next_with_id() => desk.finish(ended).await,
        }
    }
    desk.clear().await;
}

/// What lies before the loop.
struct Desk {
    out: Out,
    opener: Opener,
    drafts: Arc<DraftDesk>,
    journal: Arc<JournalDesk>,
    session: Option<Session>,
    work: JoinSet<Finished>,
    running: HashMap<Id, Running>,
    /// Serves the local hub.
    local: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
    /// Goes on as long as the program: dropping the set ends it.
    background: JoinSet<()>,
}

impl Desk {
    async fn set_up(options: WorkerOptions, out: Out) -> Self {
        let (folders, file, settings) = open_settings(&options, &out).await;
        out.fact(Fact::Settings(settings.clone())).await;
        let bounds = settings.journal.limits();
        // A variable that is set to nothing counts as not set.
        let given = options.connection_string.as_ref().filter(|text| !text.reveal().trim().is_empty());
        let environment = given.map(|text| ConnectionString::read(text.reveal()).map(|read| read.connection));
        let first = if environment.is_some() { HubRef::Environment } else { HubRef::Local };
        let keep = Arc::new(Keep::new(file, settings, Keyring::new(options.keyring), environment, out.clone()));
        let (state, local_state) = watch::channel(LocalState::Starting);
        let stop = CancellationToken::new();
        let journal = Arc::new(JournalDesk::new(&folders.journal(), bounds, out.clone()));
        let drafts = Arc::new(DraftDesk::open(&folders.drafts(), journal.clone(), out.clone()).await);
        let fleet = options.fleet.unwrap_or(FleetChoice::Demo);
        let local = tokio::spawn(local::serve(folders, fleet, state, out.clone(), stop.clone()));
        let log = RequestLog::default();
        let mut background = JoinSet::new();
        background.spawn(keep.clone().announce());
        background.spawn(keep.clone().write_changes());
        background.spawn(drafts.clone().write_changes());
        background.spawn(journal.clone().write_versions());
        background.spawn(journal.clone().hold_bounds());
        background.spawn(log.clone().tell(out.clone()));
        let extra_ca = options.extra_ca;
        let opener = Opener { keep, local: local_state, extra_ca, log, journal: journal.clone(), out: out.clone() };
        let mut desk = Self {
            out,
            opener,
            drafts,
            journal,
            session: None,
            work: JoinSet::new(),
            running: HashMap::new(),
            local,
            stop,
            background,
        };
        desk.open(FIRST, first).await;
        desk
    }

    async fn take(&mut self, command: Command) {
        tracing::trace!(?command, "from the window");
        match command {
            Command::Open { key, hub } => self.open(key, hub).await,
            Command::Check { key, connect } => {
                let opener = self.opener.clone();
                self.begin(key, Kind::Program, async move { checks::check(&opener, connect).await.into() });
            }
            Command::PickFile { key } => {
                self.begin(key, Kind::Program, async { Ok(checks::pick_file().await).into() });
            }
            Command::Add { key, connect } => {
                let opener = self.opener.clone();
                self.begin(key, Kind::Program, async move { checks::add(opener, connect).await.into() });
            }
            Command::Remove { key, id } => {
                let opener = self.opener.clone();
                self.begin(key, Kind::Program, async move { checks::remove(opener, id).await.into() });
            }
            Command::SaveSettings { settings } => {
                self.journal.set_limits(settings.journal.limits());
                self.opener.keep.take_settings(settings);
            }
            Command::ReadText { key, reading } => {
                self.begin(key, Kind::Program, async move { reading::read(reading).await.into() });
            }
            Command::KeepDraft { draft } => self.drafts.keep(draft),
            Command::ForgetDraft { hub, id } => self.drafts.forget(hub, id),
            Command::KeepDiscarded { draft } => self.journal.discard(draft),
            Command::Cancel { key } => self.end(|running| running.key == key),
            Command::Watch { id } => {
                if let Some(session) = &mut self.session {
                    session.watch(id);
                }
            }
            Command::Unwatch { id } => {
                if let Some(session) = &mut self.session {
                    session.unwatch(&id);
                }
            }
            Command::FollowEvents { after } => {
                if let Some(session) = &mut self.session {
                    session.follow_events(after);
                }
            }
            Command::LeaveEvents => {
                if let Some(session) = &mut self.session {
                    session.leave_events();
                }
            }
            Command::StopActing { id } => {
                if let Some(acting) = self.session.as_mut().and_then(|session| session.stop_acting(&id)) {
                    acting.stop();
                }
            }
            Command::AnswerMethod { id, rid, answer } => {
                if let Some(session) = &mut self.session {
                    session.answer(id, rid, answer);
                }
            }
            Command::AcknowledgeMessage { id, receipt } => {
                if let Some(session) = &mut self.session {
                    session.acknowledge(id, receipt);
                }
            }
            request => self.ask_hub(request).await,
        }
    }

    /// Requests that need an open hub.
    async fn ask_hub(&mut self, command: Command) {
        match command {
            Command::LoadFleet { key } => {
                self.end(|running| running.kind == Kind::Fleet);
                self.on_hub(key, Kind::Fleet, async move |hub| fleet::load(&hub, key).await).await;
            }
            Command::LoadModules { key, device } => {
                self.on_hub(key, Kind::Hub, async move |hub| fleet::modules(&hub, device).await).await;
            }
            Command::Query { key, text, limit } => {
                self.on_hub(key, Kind::Hub, async move |hub| fleet::query(&hub, text, limit).await).await;
            }
            Command::LoadTwin { key, id } => {
                self.on_hub(key, Kind::Hub, async move |hub| twins::load(&hub, &id).await).await;
            }
            Command::PatchTwin { key, id, body, guard, over } => {
                let save = Save { body, guard, over, write: Write::Patch };
                self.on_hub(key, Kind::Hub, async move |hub| twins::save(&hub, &id, save).await).await;
            }
            Command::ReplaceTwin { key, id, body, guard, over } => {
                let save = Save { body, guard, over, write: Write::Replace };
                self.on_hub(key, Kind::Hub, async move |hub| twins::save(&hub, &id, save).await).await;
            }
            Command::ReadElsewhere { key, hub, id } => {
                let opener = self.opener.clone();
                self.begin(key, Kind::Hub, async move { twins::elsewhere(&opener, &hub, &id).await.into() });
            }
            Command::LoadIdentity { key, id } => {
                self.on_hub(key, Kind::Hub, async move |hub| identities::load(&hub, &id).await).await;
            }
            Command::CreateIdentity { key, id } => {
                self.on_hub(key, Kind::Hub, async move |hub| identities::create(&hub, &id).await).await;
            }
            Command::DeleteIdentity { key, id, etag } => {
                self.on_hub(key, Kind::Hub, async move |hub| identities::delete(&hub, id, etag).await).await;
            }
            Command::SetStatus { key, id, etag, status } => {
                self.on_hub(key, Kind::Hub, async move |hub| identities::set_status(&hub, &id, etag, status).await)
                    .await;
            }
            Command::ActAs { key, id, mqtt_port } => self.act(key, id, mqtt_port).await,
            Command::Report { key, id, patch } => {
                let Some(link) = self.session.as_ref().and_then(|session| session.acting(&id)).map(act::Acting::link)
                else {
                    return self.out.done(key, Err(act::not_acting(&id))).await;
                };
                self.on_hub(key, Kind::Hub, async move |hub| act::report(&hub, link, id, patch).await).await;
            }
            Command::CallMethod { key, id, call } => {
                self.on_hub(key, Kind::Hub, async move |hub| methods::call(&hub, &id, &call).await).await;
            }
            Command::LoadFaults { key } => {
                self.on_hub(key, Kind::Hub, async move |hub| faults::load(&hub).await).await;
            }
            Command::SetFaults { key, plan } => {
                self.on_hub(key, Kind::Hub, async move |hub| faults::set(&hub, &plan).await).await;
            }
            Command::ClearFaults { key } => {
                self.on_hub(key, Kind::Hub, async move |hub| faults::clear(&hub).await).await;
            }
            Command::SendMessage { key, device, message } => {
                self.on_hub(key, Kind::Hub, async move |hub| messages::send(&hub, &device, *message).await).await;
            }
            Command::CountMessages { key, device } => {
                self.on_hub(key, Kind::Hub, async move |hub| messages::count(&hub, &device).await).await;
            }
            Command::PurgeMessages { key, device } => {
                self.on_hub(key, Kind::Hub, async move |hub| messages::purge(&hub, &device).await).await;
            }
            Command::FetchFeedback { key } => {
                self.on_hub(key, Kind::Hub, async move |hub| messages::feedback(&hub).await).await;
            }
            past @ (Command::LoadTimeline { .. }
            | Command::LoadVersions { .. }
            | Command::LoadDiscarded { .. }
            | Command::ListPast { .. }
            | Command::LoadPast { .. }
            | Command::LoadPastVersion { .. }) => self.ask_past(past).await,
            // The others need no hub; `take` has dealt with them.
            Command::Open { .. }
            | Command::Check { .. }
            | Command::PickFile { .. }
            | Command::Add { .. }
            | Command::Remove { .. }
            | Command::SaveSettings { .. }
            | Command::ReadText { .. }
            | Command::KeepDraft { .. }
            | Command::ForgetDraft { .. }
            | Command::KeepDiscarded { .. }
            | Command::Watch { .. }
            | Command::Unwatch { .. }
            | Command::FollowEvents { .. }
            | Command::LeaveEvents
            | Command::StopActing { .. }
            | Command::AnswerMethod { .. }
            | Command::AcknowledgeMessage { .. }
            | Command::Cancel { .. } => {}
        }
    }

    /// Requests to the journal, beside an open hub.
    async fn ask_past(&mut self, command: Command) {
        match command {
            Command::LoadTimeline { key, id } => {
                self.on_hub(key, Kind::Hub, async move |hub| past::timeline(&hub, None, id).await).await;
            }
            Command::LoadVersions { key, entries } => {
                self.on_hub(key, Kind::Hub, async move |hub| past::versions(&hub, entries).await).await;
            }
            Command::LoadDiscarded { key, entry, other } => {
                self.on_hub(key, Kind::Hub, async move |hub| past::discarded(&hub, *entry, other).await).await;
            }
            Command::ListPast { key } => {
                let keep = self.opener.keep.clone();
                self.on_hub(key, Kind::Hub, async move |hub| past::list(&hub, &keep).await).await;
            }
            Command::LoadPast { key, hub: filed, id } => {
                self.on_hub(key, Kind::Hub, async move |hub| past::timeline(&hub, filed, id).await).await;
            }
            Command::LoadPastVersion { key, hub: filed, id, version } => {
                self.on_hub(key, Kind::Hub, async move |hub| past::version(&hub, filed, id, version).await).await;
            }
            _ => {}
        }
    }

    /// Closes the open hub, so that nothing of it is told any more, and opens another.
    async fn open(&mut self, key: Key, hub: HubRef) {
        self.end(|running| running.kind != Kind::Program);
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        let opener = self.opener.clone();
        self.begin(key, Kind::Open, async move {
            match opener.open(hub).await {
                Ok(hub) => Finished {
                    outcome: Ok(Outcome::Connected(hub.info.clone())),
                    then: Then::Install(Box::new(Session::new(Arc::new(hub)))),
                },
                Err(failure) => Err(failure).into(),
            }
        });
    }

    async fn act(&mut self, key: Key, id: crate::twin::TwinId, mqtt_port: Option<u16>) {
        let Some(session) = &mut self.session else {
            return self.out.done(key, Err(no_hub())).await;
        };
        let hub = session.hub.clone();
        let earlier = session.stop_acting(&id);
        self.begin(key, Kind::Hub, async move {
            match act::start(&hub, &id, mqtt_port, earlier).await {
                Ok(link) => Finished { outcome: Ok(Outcome::ActStarted { id }), then: Then::Follow(link) },
                Err(failure) => Err(failure).into(),
            }
        });
    }

    /// Starts a request to the open hub.
    async fn on_hub<F>(&mut self, key: Key, kind: Kind, work: impl FnOnce(Arc<OpenHub>) -> F)
    where
        F: Future<Output = Result<Outcome, Failure>> + Send + 'static,
    {
        match &self.session {
            Some(session) => {
                let work = work(session.hub.clone());
                self.begin(key, kind, async move { work.await.into() });
            }
            None => self.out.done(key, Err(no_hub())).await,
        }
    }

    fn begin(&mut self, key: Key, kind: Kind, work: impl Future<Output = Finished> + Send + 'static) {
        let task = self.work.spawn(on_behalf(key, work));
        self.running.insert(task.id(), Running { key, task, kind, stopped: false });
    }

    /// Stops requests. They are told as cancelled when their tasks have ended.
    fn end(&mut self, which: impl Fn(&Running) -> bool) {
        for running in self.running.values_mut().filter(|running| which(running)) {
            running.stopped = true;
            running.task.abort();
        }
    }

    /// The one place where a request ends.
    async fn finish(&mut self, ended: Result<(Id, Finished), JoinError>) {
        let (id, Finished { mut outcome, then }) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Err(broken(error)).into()),
        };
        let Some(Running { key, stopped, .. }) = self.running.remove(&id) else {
            tracing::error!(%id, "a request ended that never began");
            return;
        };
        match (then, &mut self.session) {
            (Then::Nothing, _) => {}
            (Then::Install(session), open) if !stopped => {
                let hub = session.hub.info.drafts();
                *open = Some(*session);
                self.out.done(key, outcome).await;
                let drafts = self.drafts.found(&hub).await;
                if !drafts.is_empty() {
                    self.out.fact(Fact::Drafts(drafts)).await;
                }
                return;
            }
            (Then::Follow(link), Some(session)) if !stopped => {
                // The answer goes first: facts of a link make sense after it.
                self.out.done(key, outcome).await;
                session.act(link);
                return;
            }
            // It came to its end just before it was stopped: dropping what it brings closes it.
            (Then::Install(_) | Then::Follow(_), _) => outcome = Err(Failure::Cancelled),
        }
        self.out.done(key, outcome).await;
    }

    /// Ends in order: requests, the open hub, settings, the local hub.
    async fn clear(mut self) {
        self.work.shutdown().await;
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        // What was thrown away is in the journal before its draft is forgotten.
        if tokio::time::timeout(JOURNAL_LIMIT, self.journal.flush()).await.is_err() {
            tracing::warn!("the last versions seen are not in the journal: another window holds it");
            self.drafts.forget_nothing();
        }
        self.drafts.flush().await;
        // Only now: what these were writing is written, or waits to be.
        self.background.shutdown().await;
        self.opener.keep.flush().await;
        self.stop.cancel();
        if tokio::time::timeout(LOCAL_STOP_LIMIT, self.local).await.is_err() {
            tracing::warn!("the local hub did not stop in time");
        }
    }
}

/// The folders and what the settings file holds. Without a home folder everything lives in a temporary one.
async fn open_settings(options: &WorkerOptions, out: &Out) -> (Folders, Option<SettingsFile>, Settings) {
    let Some(folders) = Folders::find(options.data.as_deref()) else {
        out.notice("This system names no folder for data, so nothing is kept: say --data DIR to name one").await;
        let passing = std::env::temp_dir().join(format!("twinscope-{}", uuid::Uuid::new_v4()));
        return (Folders { config: passing.clone(), data: passing }, None, Settings::default());
    };
    let path = folders.settings_file();
    match tokio::task::spawn_blocking(move || SettingsFile::open(&path)).await {
        Ok(opened) => {
            if let Some(notice) = opened.notice {
                out.notice(notice).await;
            }
            (folders, Some(opened.file), opened.settings)
        }
        Err(error) => {
            out.notice(format!("The settings cannot be read: {error}")).await;
            (folders, None, Settings::default())
        }
    }
}

fn no_hub() -> Failure {
    Failure::Local("No hub is open".to_owned())
}

/// How a task ended that did not come to its own end.
pub(super) fn broken(error: JoinError) -> Failure {
    if error.is_cancelled() {
        return Failure::Cancelled;
    }
    let cause = error.into_panic();
    let text = cause.downcast_ref::<&str>().copied().or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    Failure::Panicked(text.unwrap_or("no reason given").chars().take(300).collect())
}
