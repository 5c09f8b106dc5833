//! The log. Much of what it says came from elsewhere: ids, topics, keys, texts of errors. Whatever is in them, an event is one
//! line, and a terminal is sent no commands.

use crate::protocol::secret::redacted;
use std::fmt::{self, Write};
use std::io::IsTerminal;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::{MakeVisitor, VisitFmt, VisitOutput};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT: &str = "warn,twinscope=info";

/// Starts logging to stderr: stdout belongs to the ready line of `twinscope hub` and to `twinscope token`.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let colours = if std::io::stderr().is_terminal() { Colours::Yes } else { Colours::No };
    // A second logger would be a mistake of this program, and no reason not to run.
    tracing::subscriber::set_global_default(subscriber(filter, colours, std::io::stderr)).unwrap_or_default();
}

/// Whether lines are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    Yes,
    No,
}

/// The log on its way to `writer`.
pub fn subscriber<W>(filter: EnvFilter, colours: Colours, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours == Colours::Yes)
        .with_writer(writer)
        .fmt_fields(Fields)
        .finish()
}

/// The text as a person may see it on a terminal: without secrets, and escaped.
#[must_use]
pub fn said(text: &str) -> String {
    printable(&redacted(text))
}

/// Lets panics say what they say without secrets, on one line, with the backtrace if `RUST_BACKTRACE` asks for it.
pub fn watch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("a panic without a message");
        let backtrace = std::backtrace::Backtrace::capture();
        eprintln!("thread '{}' panicked at {place}: {}", thread.name().unwrap_or("unnamed"), said(message));
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            eprintln!("{backtrace}");
        }
    }));
}

/// The text with everything escaped that is not seen as itself: control characters, line and paragraph separators, and those that
/// turn the direction of what follows.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    printable
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{061c}' | '\u{feff}')
}

/// Writes the fields of events and spans, escaped.
struct Fields;

impl<'writer> MakeVisitor<Writer<'writer>> for Fields {
    type Visitor = Visitor<'writer>;

    fn make_visitor(&self, writer: Writer<'writer>) -> Visitor<'writer> {
        Visitor { writer, separator: "", outcome: Ok(()) }
    }
}

struct Visitor<'writer> {
    writer: Writer<'writer>,
    separator: &'static str,
    outcome: fmt::Result,
}

impl Visitor<'_> {
    fn put(&mut self, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
        let name = field.name();
        // What `log` passes on of itself.
        if name.starts_with("log.") {
            return Ok(());
        }
        self.writer.write_str(self.separator)?;
        self.separator = " ";
        let value = said(&format!("{value:?}"));
        if name == "message" {
            return self.writer.write_str(&value);
        }
        let name = name.strip_prefix("r#").unwrap_or(name);
        if self.writer.has_ansi_escapes() {
            write!(self.writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{value}")
        } else {
            write!(self.writer, "{name}={value}")
        }
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.outcome.is_ok() {
            self.outcome = self.put(field, value);
        }
    }
}

impl VisitOutput<fmt::Result> for Visitor<'_> {
    fn finish(self) -> fmt::Result {
        self.outcome
    }
}

impl VisitFmt for Visitor<'_> {
    fn writer(&mut self) -> &mut dyn Write {
        &mut self.writer
    }
}
