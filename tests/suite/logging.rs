//! The log: whatever others put into it, an event is one line, and no terminal is sent commands.

use crate::hub_disk::command;
use proptest::prelude::*;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use twinscope::logging::{Colours, printable, subscriber};

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// The text of one event that has this in its message, in fields of every kind, and in a span around it.
fn logged(text: &str, colours: Colours) -> String {
    let lines = Lines::default();
    let logger = subscriber(EnvFilter::new("trace"), colours, lines.clone());
    tracing::subscriber::with_default(logger, || {
        let error = std::io::Error::other(text.to_owned());
        let span = tracing::info_span!("span", of = %text, later = tracing::field::Empty);
        span.record("later", text);
        let _inside = span.enter();
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::warn!(shown = %text, debugged = ?text, plain = text, error, "said {text}");
    });
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_key_forges_no_line() {
    let forged = "d\r\n2026-12-01T00:00:00Z  WARN twinscope: all is lost\u{1b}[2J\u{202e}\u{2028}\u{85}\0\t";
    let line = logged(forged, Colours::No);
    assert_eq!(line.lines().count(), 1, "{line:?}");
    assert!(line.ends_with('\n') && line.contains("said d\\r\\n2026"), "{line:?}");
    assert!(line.trim_end_matches('\n').chars().all(|c| !c.is_control()), "{line:?}");
    for field in ["shown=d\\r", "debugged=\"d\\r", "plain=\"d\\r", "error=d\\r", "of=d\\r", "later=\"d\\r"] {
        assert!(line.contains(field), "{field}: {line:?}");
    }
    let coloured = logged(forged, Colours::Yes);
    assert_eq!(coloured.lines().count(), 1);
    assert!(!coloured.contains("\u{1b}[2J"), "{coloured:?}");
}

#[test]
fn what_is_harmless_stays_as_it_is() {
    for text in ["plain", "naïve Ω 温度 שלום 🙂", r"C:\data", "it's \"quoted\""] {
        assert_eq!(printable(text), text);
        assert!(logged(text, Colours::No).contains(&format!("said {text}")));
    }
}

proptest! {
    #[test]
    fn any_text_is_one_line(text in prop::collection::vec(any::<char>(), 0..40)) {
        let text: String = text.into_iter().collect();
        let line = logged(&text, Colours::No);
        prop_assert_eq!(line.matches('\n').count(), 1);
        let is_seen = |c: char| !c.is_control() && !['\u{2028}', '\u{2029}'].contains(&c);
        let all_seen = line.trim_end_matches('\n').chars().all(is_seen);
        prop_assert!(all_seen);
    }
}

/// The program itself, at its most talkative.
#[cfg(unix)]
#[tokio::test]
async fn the_programs_log_has_no_line_of_a_clients_making() {
    let dir = TempDir::new().unwrap();
    let mut plain = command::command(dir.path(), &["--fleet", "empty"]);
    plain.env("RUST_LOG", "trace");
    let (sender, log) = std::sync::mpsc::channel();
    let running = command::started_with(plain, |mut log| {
        let read = std::thread::spawn(move || {
            let mut said = Vec::new();
            log.read_to_end(&mut said).unwrap();
            String::from_utf8(said).unwrap()
        });
        sender.send(read).unwrap();
    });
    let log = log.recv().unwrap();
    let mut owner = running.owner().await;
    owner.device("d").await;
    let forged = "k\r\nFORGED line";
    let body = serde_json::json!({"properties": {"desired": {forged: 1}}, "tags": {forged: {forged: forged}}});
    owner.patch("/twins/d", body.clone()).await.refused(400, "ArgumentInvalid");
    owner.put("/devices/d%0D%0AFORGED", serde_json::json!({"deviceId": "d\r\nFORGED"})).await;
    owner.query("SELECT * FROM devices WHERE tags.x = 'a\r\nFORGED line'", &[]).await;
    owner.query("SELECT '\r\nFORGED", &[]).await;
    running.stop("TERM");
    let said = log.join().unwrap();
    assert!(said.contains("FORGED"), "it is said somewhere");
    let lines: Vec<&str> = said.lines().filter(|line| line.trim_start().starts_with("FORGED")).collect();
    assert!(lines.is_empty(), "{lines:?}");
    assert!(!said.contains('\r'));
}
