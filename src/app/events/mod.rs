//! What happened on the hub, as its event stream tells it: the last of it, filtered, and one event in detail (`detail`).
//! The stream is followed only while somebody looks and nobody paused it.

pub mod detail;
mod update;

pub use detail::{Chosen, Form};

use super::Moment;
use crate::protocol::event::{EventPage, HubEvent, What};
use crate::twin::text::compact;
use crate::twin::{Json, JsonMap};
use crate::worker::Failure;
use std::collections::{BTreeSet, VecDeque};

/// Rows kept, and bytes of them, roughly.
pub const KEPT: usize = 5_000;
pub const KEPT_BYTES: usize = 8 << 20;
/// What a row takes beside its texts.
const OVERHEAD: usize = 400;
/// The longest part of a payload worth a line, in characters.
const LINE_CHARS: usize = 300;

/// The kinds of events as [`What::kind`] spells them, and for people.
pub const KINDS: [(&str, &str); 7] = [
    ("telemetry", "Telemetry"),
    ("twin", "Twin changes"),
    ("lifecycle", "Created and deleted"),
    ("connection", "Connections"),
    ("method", "Method calls"),
    ("message", "Messages to devices"),
    ("job", "Jobs"),
];

/// What the person does with the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventsAct {
    /// The stream came into view.
    Look,
    /// It is out of view: nobody needs it.
    LookAway,
    Filter(String),
    /// Shows a kind that is hidden, hides one that is shown; by its word in [`KINDS`].
    Toggle(&'static str),
    /// Takes the filter off.
    ShowAll,
    /// Nothing moves any more until [`EventsAct::Resume`].
    Pause,
    Resume,
    Clear,
    /// Shows a row in detail, or none.
    Choose(Option<u64>),
    /// After a refusal.
    TryAgain,
}

/// Where the stream stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Stream {
    /// Nobody looks, or no hub is open.
    #[default]
    Idle,
    /// The first answer is waited for.
    Asked {
        since: Moment,
    },
    Live,
    Paused,
    /// It is tried again by itself.
    Failing(Failure),
    /// The hub refused: it is not tried again by itself.
    Refused(Failure),
    /// The hub has none.
    Absent(Absence),
}

/// How it is known that a hub has no stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// By its name: it was not asked.
    Azure,
    /// It answered so.
    NotFound,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Counted up by one from row to row, also where the hub's numbers begin anew.
    pub seq: u64,
    pub entry: Entry,
    /// The payload in one line, cut; for a gap, what is missing.
    pub line: String,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // Nearly all rows are events.
pub enum Entry {
    Event(HubEvent),
    /// So many events happened before the next row and were no longer kept by the hub.
    Missed(u64),
    /// The hub was started anew: its numbers begin at 1 again.
    Restarted,
}

/// The rows and how they are looked at.
#[derive(Debug, Default)]
pub struct Events {
    pub stream: Stream,
    /// A part of an id, as typed.
    pub filter: String,
    /// Kinds that are not shown, by their words in [`KINDS`].
    pub hidden: BTreeSet<&'static str>,
    pub chosen: Option<Chosen>,
    looked_at: bool,
    paused: bool,
    /// A page of this hub's stream came.
    followed: bool,
    /// Without gaps in `seq`.
    rows: VecDeque<Row>,
    bytes: usize,
    /// `seq` of rows that fit the filter, rising.
    visible: VecDeque<u64>,
    next_seq: u64,
    /// The number of the newest event taken.
    last: u64,
}

impl Events {
    /// Whether the stream is in view.
    #[must_use]
    pub fn is_looked_at(&self) -> bool {
        self.looked_at
    }

    /// Whether the person stopped it.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Rows, those the filter hides included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many rows there are; `None` while nobody followed the stream of this hub, so that nothing is known.
    #[must_use]
    pub fn known(&self) -> Option<usize> {
        (self.followed || !self.rows.is_empty()).then_some(self.rows.len())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    #[must_use]
    pub fn visible_len(&self) -> usize {
        self.visible.len()
    }

    /// The `n`-th row that fits the filter, newest first.
    #[must_use]
    pub fn newest(&self, n: usize) -> Option<&Row> {
        let at = self.visible.len().checked_sub(n + 1)?;
        self.row(*self.visible.get(at)?)
    }

    /// Where a row stands among those that fit the filter, newest first.
    #[must_use]
    pub fn place(&self, seq: u64) -> Option<usize> {
        let at = self.visible.binary_search(&seq).ok()?;
        Some(self.visible.len() - 1 - at)
    }

    /// Rows that fit the filter and came behind this one.
    #[must_use]
    pub fn newer_than(&self, seq: u64) -> usize {
        self.visible.len() - self.visible.partition_point(|shown| *shown <= seq)
    }

    /// `seq` of the newest row, whether it fits or not; 0 before the first.
    #[must_use]
    pub fn newest_seq(&self) -> u64 {
        self.rows.back().map_or(0, |row| row.seq)
    }

    #[must_use]
    pub fn row(&self, seq: u64) -> Option<&Row> {
        let first = self.rows.front()?.seq;
        self.rows.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// Whether the filter hides anything at all.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        !self.filter.trim().is_empty() || !self.hidden.is_empty()
    }

    /// Another hub: nothing of the one before is left, but the filter is.
    fn forget(&mut self) {
        self.clear();
        self.last = 0;
        self.followed = false;
        self.stream = Stream::Idle;
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.visible.clear();
        self.bytes = 0;
        self.chosen = None;
    }

    /// Takes a page that was asked for behind event `after`. Pages of a follower that was replaced may come twice, in part.
    fn take(&mut self, after: u64, page: EventPage) {
        self.followed = true;
        if page.next < after {
            // The hub's numbers never fall: this is another life of it, and the page begins with its oldest.
            if !self.rows.is_empty() {
                self.push(Entry::Restarted);
            }
            self.last = 0;
        }
        let missed = if page.next < after { page.dropped } else { (after + page.dropped).saturating_sub(self.last) };
        if page.dropped > 0 && missed > 0 {
            self.push(Entry::Missed(missed));
        }
        for event in page.events {
            if event.number > self.last {
                self.last = event.number;
                self.push(Entry::Event(event));
            }
        }
        self.last = self.last.max(page.next);
    }

    fn push(&mut self, entry: Entry) {
        self.next_seq += 1;
        let (line, payload) = match &entry {
            Entry::Event(event) => line(&event.what),
            Entry::Missed(1) => ("1 event is missing: the hub no longer keeps it".to_owned(), 0),
            Entry::Missed(n) => (format!("{n} events are missing: the hub no longer keeps them"), 0),
            Entry::Restarted => ("The hub was started anew".to_owned(), 0),
        };
        let row = Row { seq: self.next_seq, bytes: OVERHEAD + line.len() + payload, entry, line };
        self.bytes += row.bytes;
        if self.fits(&row) {
            self.visible.push_back(row.seq);
        }
        self.rows.push_back(row);
        while self.rows.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(gone) = self.rows.pop_front() else { break };
            self.bytes -= gone.bytes;
            if self.visible.front() == Some(&gone.seq) {
                self.visible.pop_front();
            }
        }
    }

    fn fits(&self, row: &Row) -> bool {
        let Entry::Event(event) = &row.entry else { return true };
        let part = self.filter.trim().to_lowercase();
        !self.hidden.contains(event.what.kind())
            && (part.is_empty() || event.id.to_string().to_lowercase().contains(&part))
    }

    fn filter_anew(&mut self) {
        self.visible = self.rows.iter().filter(|row| self.fits(row)).map(|row| row.seq).collect();
    }
}

/// What an event is called in its row.
#[must_use]
pub fn word(what: &What) -> &'static str {
    match what {
        What::Telemetry { .. } => "telemetry",
        What::Twin { replaced: true, .. } => "twin replaced",
        What::Twin { tags: None, desired: Some(_), reported: None, .. } => "desired",
        What::Twin { tags: None, desired: None, reported: Some(_), .. } => "reported",
        What::Twin { tags: Some(_), desired: None, reported: None, .. } => "tags",
        What::Twin { .. } => "twin",
        What::Created => "created",
        What::Deleted => "deleted",
        What::Connected => "connected",
        What::Disconnected => "disconnected",
        What::Method { .. } => "method",
        What::Message { .. } => "message",
        What::Job { .. } => "job",
    }
}

/// The hub's time of an event without its date: `09:07:13.123`.
#[must_use]
pub fn clock(time: &str) -> &str {
    let clock = time.split_once('T').map_or(time, |(_, clock)| clock);
    clock.get(..12).unwrap_or(clock)
}

/// The payload in one line, and the bytes the event holds, roughly.
fn line(what: &What) -> (String, usize) {
    match what {
        What::Telemetry { bag, payload, bytes } => {
            let text = match std::str::from_utf8(payload) {
                Ok("") => "no payload".to_owned(),
                Ok(text) => one_line(text),
                Err(_) => format!("{bytes} bytes that are no text"),
            };
            (text, bag.len() + payload.len())
        }
        What::Twin { tags, desired, reported, version, .. } => twin_line(tags.as_ref(), desired, reported, *version),
        What::Created | What::Deleted | What::Connected | What::Disconnected => (String::new(), 0),
        What::Method { name, outcome, ms } => {
            let said = match outcome {
                Ok(status) => format!("{name} answered with {status} in {ms} ms"),
                Err(code) => format!("{name} failed with {code} after {ms} ms"),
            };
            (one_line(&said), name.len())
        }
        What::Message { step, message_id } => {
            let id = message_id.as_deref().unwrap_or("without an id");
            (one_line(&format!("{step}: {id}")), id.len())
        }
        What::Job { job, step } => (one_line(&format!("{job}: {step}")), job.len()),
    }
}

type Versioned = Option<(JsonMap, u64)>;

fn twin_line(tags: Option<&JsonMap>, desired: &Versioned, reported: &Versioned, version: u64) -> (String, usize) {
    let parts = [
        tags.map(|values| ("tags", values, version)),
        desired.as_ref().map(|(values, version)| ("desired", values, *version)),
        reported.as_ref().map(|(values, version)| ("reported", values, *version)),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let (mut text, mut bytes) = (String::new(), 0);
    for (name, values, version) in &parts {
        let values = compact(&Json::Object((*values).clone()));
        // As a map it takes several times its text.
        bytes += 4 * values.len();
        if !text.is_empty() {
            text.push_str(", ");
        }
        // The row says which section it is when there is one.
        if parts.len() > 1 {
            text.push_str(name);
            text.push(' ');
        }
        text.extend(["v", &version.to_string(), " ", &one_line(&values)]);
    }
    (one_line(&text), bytes)
}

/// Cut to what is worth a line, white space as single blanks.
fn one_line(text: &str) -> String {
    // What lies far behind the cut need not be looked at.
    let head: String = text.chars().take(4 * LINE_CHARS).collect();
    let words: Vec<&str> = head.split_whitespace().collect();
    let mut line = words.join(" ");
    if let Some((at, _)) = line.char_indices().nth(LINE_CHARS) {
        line.truncate(at);
        line.push('…');
    }
    line
}
