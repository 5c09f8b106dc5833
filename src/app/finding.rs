//! Modules looked for by their id. A device's modules are known once it was unfolded; what is typed in *Go to* or *Compare
//! with…* may be a module of any other, and the hub is asked for it once typing pauses.

use super::dialog::Dialog;
use super::tick::Tick;
use super::{App, HubState, Moment, Purpose, Remote};
use crate::query::quote;
use crate::twin::{Json, TwinId};
use crate::worker::event::Outcome;
use crate::worker::{Command, Failure, Key};

/// Typing pauses when nothing comes for so long. A hub allows few queries: not every letter is one.
const PAUSE_MS: u64 = 350;
/// Modules that are listed.
pub const LIMIT: usize = 50;

/// What is looked for.
#[derive(Debug, Default)]
pub struct Finding {
    /// The id that is typed; empty where nothing is, or no id can be meant.
    pub id: String,
    /// When it was typed.
    since: Moment,
    /// `Idle` until typing pauses.
    pub answer: Remote<Modules>,
}

/// Modules of one id, of different devices.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Modules {
    pub ids: Vec<TwinId>,
    /// There are more than are listed.
    pub more: bool,
}

impl Finding {
    pub fn ids(&self) -> &[TwinId] {
        self.answer.value().map_or(&[], |modules| &modules.ids)
    }

    /// The hub is asked, or will be in a moment.
    pub fn waits(&self) -> bool {
        !self.id.is_empty() && matches!(self.answer, Remote::Idle | Remote::Loading { .. })
    }
}

impl App {
    /// Takes what is typed now. What was asked before is of no interest any more.
    pub(super) fn look_for(&mut self, text: &str) -> Vec<Command> {
        // A device's id may stand before it: that one is taken as typed.
        let id = Some(text.trim()).filter(|id| TwinId::check(id).is_ok()).unwrap_or_default();
        if self.finding.id == id {
            return Vec::new();
        }
        let commands = self.end_finding();
        self.finding = Finding { id: id.to_owned(), since: self.now, answer: Remote::Idle };
        commands
    }

    /// Asks again after a failure.
    pub(super) fn find_again(&mut self) -> Vec<Command> {
        self.finding.answer = Remote::Idle;
        self.finding.since = Moment::default();
        Vec::new()
    }

    fn end_finding(&mut self) -> Vec<Command> {
        match std::mem::take(&mut self.finding).answer {
            Remote::Loading { key, .. } => vec![Command::Cancel { key }],
            _ => Vec::new(),
        }
    }

    /// Asks once typing paused, and stops when the dialog is left.
    pub(super) fn follow_finding(&mut self, tick: &mut Tick) {
        if !matches!(self.dialog, Some(Dialog::GoTo { .. } | Dialog::Compare { .. })) {
            tick.commands.extend(self.end_finding());
            return;
        }
        let open = matches!(self.hub, HubState::Open(_));
        if !open || self.finding.id.is_empty() || self.finding.answer != Remote::Idle {
            return;
        }
        let still = self.now.ms.saturating_sub(self.finding.since.ms);
        if still < PAUSE_MS {
            tick.wait(PAUSE_MS - still);
            return;
        }
        let id = &self.finding.id;
        let text = format!("SELECT deviceId, moduleId FROM devices.modules WHERE moduleId = {}", quote(id));
        let key = self.start(format!("Looking for modules named {id}"), Purpose::FindModules);
        self.finding.answer.load(key, self.now);
        tick.commands.push(Command::Query { key, text, limit: LIMIT });
    }

    pub(super) fn settle_finding(&mut self, key: Key, outcome: Result<Outcome, Failure>) {
        let answer = match outcome {
            Ok(Outcome::QueryRows { rows, more, .. }) => {
                Ok(Modules { ids: rows.iter().filter_map(module_of).collect(), more })
            }
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        self.finding.answer.settle(key, self.now, answer);
    }
}

/// What comes from the network is an id or nothing.
fn module_of(row: &Json) -> Option<TwinId> {
    let id = |field: &str| row.get(field)?.as_str().filter(|id| TwinId::check(id).is_ok());
    Some(TwinId::module(id("deviceId")?, id("moduleId")?))
}
