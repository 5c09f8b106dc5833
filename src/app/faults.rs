//! Faults on demand: what goes wrong on purpose at a hub of ours, as it is in force and as it is being typed.

use super::{App, Dialog, HubState, Purpose, Remote};
use crate::client::HubError;
use crate::protocol::fault::{Fault, FaultError, Plan, Report};
use crate::twin::path::Path;
use crate::twin::text::Problem;
use crate::worker::event::Outcome;
use crate::worker::{Command, Failure, Key};

/// Between two readings of the counts while they are looked at.
const LOOKED_AT_MS: u64 = 1_000;
/// Between two readings while faults are on: another window or a program may end them.
const ON_MS: u64 = 10_000;

/// Faults to begin with: what the button says, and the line it adds.
pub const PRESETS: [(&str, &str); 8] = [
    ("Latency", "latency=200ms..2s"),
    ("429", "429:retry-after=10s p=0.2"),
    ("503", "503 p=0.2"),
    ("Drop before", "drop=before p=0.1"),
    ("Drop after", "drop=after p=0.1"),
    ("Lose responses", "lose=response p=0.2"),
    ("Evict", "evict=30s..2m"),
    ("Clock skew", "skew=-10m"),
];

/// What the person does in the dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultsAct {
    Text(String),
    Seed(String),
    /// Adds a line.
    Add(&'static str),
    Apply,
    Clear,
}

/// The faults of the hub in front, and the text of the dialog, which outlives it.
#[derive(Debug, Default)]
pub struct Faults {
    /// As the hub told last.
    pub known: Remote<Report>,
    /// One fault a line.
    pub text: String,
    /// Empty: the hub draws one.
    pub seed: String,
    pub problems: Vec<Problem>,
    pub seed_problem: Option<&'static str>,
    /// Faults are being set or ended.
    pub running: Option<Key>,
    /// Why the last attempt to set or end them failed.
    pub failure: Option<Failure>,
    /// The hub has no faults to set.
    pub absent: bool,
    /// Typed in since the hub's faults were taken over.
    touched: bool,
}

impl Faults {
    /// How many are on, as far as is known.
    #[must_use]
    pub fn in_force(&self) -> usize {
        self.known.value().map_or(0, Report::in_force)
    }

    /// What *Apply* would send; `None` while something typed is wrong.
    #[must_use]
    pub fn plan(&self) -> Option<Plan> {
        if !self.problems.is_empty() || self.seed_problem.is_some() {
            return None;
        }
        // A seed that is no number has a problem.
        let seed = self.seed.trim().parse().ok();
        Some(Plan { seed, faults: self.text.lines().filter_map(|line| line.parse().ok()).collect() })
    }

    fn check(&mut self) {
        self.problems = problems(&self.text);
        let seed = self.seed.trim();
        let good = seed.is_empty() || seed.parse::<u64>().is_ok();
        self.seed_problem =
            (!good).then_some("The seed is a whole number from 0 to 18446744073709551615, or left empty");
    }

    /// Shows what is in force, unless something was typed.
    fn take_over(&mut self, report: &Report) {
        if self.touched {
            return;
        }
        let lines: Vec<String> = report.faults.iter().map(|counted| counted.fault.to_string()).collect();
        self.seed = if lines.is_empty() { String::new() } else { report.seed.to_string() };
        self.text = lines.join("\n");
        self.check();
    }
}

/// What is wrong in which line; blank lines are none.
fn problems(text: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut start = 0;
    for (n, line) in text.split('\n').enumerate() {
        if !line.trim().is_empty()
            && let Err(error) = line.parse::<Fault>()
        {
            found.push(problem(start, n + 1, line, error));
        }
        start += line.len() + 1;
    }
    found
}

fn problem(start: usize, line: usize, text: &str, error: FaultError) -> Problem {
    let from = text.char_indices().nth(error.at - 1).map_or(text.len(), |(at, _)| at);
    let length: usize = error.word.len().min(text.len() - from);
    let message = if error.word.is_empty() { error.problem } else { format!("{:?}: {}", error.word, error.problem) };
    Problem {
        range: start + from..start + from + length,
        line,
        column: error.at,
        path: Path::default(),
        message,
        instead: None,
    }
}

impl App {
    /// Whether faults can be set at the hub in front, as far as is known.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        matches!(&self.hub, HubState::Open(info) if !info.is_azure()) && !self.faults.absent
    }

    /// Another hub is open: are there faults on?
    pub(super) fn faults_of_hub(&mut self) -> Vec<Command> {
        self.faults = Faults::default();
        self.load_faults()
    }

    pub(super) fn show_faults(&mut self) -> Vec<Command> {
        if !self.has_faults() {
            return Vec::new();
        }
        self.dialog = Some(Dialog::Faults);
        self.load_faults()
    }

    fn load_faults(&mut self) -> Vec<Command> {
        if !self.has_faults() || self.faults.known.is_loading() {
            return Vec::new();
        }
        let key = self.start("Reading the faults".to_owned(), Purpose::Faults);
        self.faults.known.load(key, self.now);
        vec![Command::LoadFaults { key }]
    }

    pub(super) fn faults_act(&mut self, act: FaultsAct) -> Vec<Command> {
        let faults = &mut self.faults;
        match act {
            FaultsAct::Text(text) => faults.text = text,
            FaultsAct::Seed(text) => faults.seed = text,
            FaultsAct::Add(line) => {
                if !faults.text.is_empty() && !faults.text.ends_with('\n') {
                    faults.text.push('\n');
                }
                faults.text.push_str(line);
            }
            FaultsAct::Apply => return self.set_faults(),
            FaultsAct::Clear => {
                if faults.running.is_some() {
                    return Vec::new();
                }
                faults.failure = None;
                let key = self.start("Ending all faults".to_owned(), Purpose::ClearFaults);
                self.faults.running = Some(key);
                return vec![Command::ClearFaults { key }];
            }
        }
        faults.touched = true;
        faults.check();
        Vec::new()
    }

    fn set_faults(&mut self) -> Vec<Command> {
        let (None, Some(plan)) = (self.faults.running, self.faults.plan()) else { return Vec::new() };
        let key = self.start("Setting faults".to_owned(), Purpose::SetFaults);
        self.faults.running = Some(key);
        self.faults.failure = None;
        vec![Command::SetFaults { key, plan }]
    }

    pub(super) fn settle_faults(&mut self, key: Key, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let faults = &mut self.faults;
        let answer = match outcome {
            Ok(Outcome::Faults(report)) => Ok(report),
            Ok(_) => return,
            Err(failure) => Err(failure),
        };
        if !faults.known.waits_for(key) {
            return;
        }
        match &answer {
            Ok(report) => faults.take_over(report),
            Err(Failure::Hub(HubError::NotFound { .. } | HubError::Refused { .. })) => faults.absent = true,
            Err(_) => {}
        }
        faults.known.settle(key, now, answer);
    }

    /// Faults were set, or ended; what was typed meanwhile stays.
    pub(super) fn settle_set_faults(&mut self, key: Key, purpose: &Purpose, outcome: Result<Outcome, Failure>) {
        let now = self.now;
        let faults = &mut self.faults;
        if faults.running != Some(key) {
            return;
        }
        faults.running = None;
        match outcome {
            Ok(Outcome::Faults(report)) => {
                if *purpose == Purpose::ClearFaults {
                    faults.touched = false;
                    faults.take_over(&report);
                }
                faults.known = Remote::Ready { value: report, at: now };
            }
            Ok(_) | Err(Failure::Cancelled) => {}
            Err(failure) => faults.failure = Some(failure),
        }
    }

    /// The counts move while they are looked at; faults that are on may be ended elsewhere.
    pub(super) fn follow_faults(&mut self) -> (Vec<Command>, Option<u64>) {
        let (Remote::Ready { at, .. } | Remote::Failed { at, .. }) = &self.faults.known else {
            return (Vec::new(), None);
        };
        let every = match self.dialog {
            Some(Dialog::Faults) => LOOKED_AT_MS,
            _ if self.faults.in_force() > 0 => ON_MS,
            _ => return (Vec::new(), None),
        };
        let age = self.now.ms.saturating_sub(at.ms);
        if age < every {
            return (Vec::new(), Some(every - age));
        }
        (self.load_faults(), None)
    }
}
