//! Holds the house rules by reading the source: who may call whom, how files begin, how long they get.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms of this crate it must not name.
const WALLS: [(&str, &[&str]); 10] = [
    ("twin", &["query", "protocol", "client", "local_hub", "demo", "disk", "worker", "app", "ui"]),
    ("query", &["protocol", "client", "local_hub", "demo", "disk", "worker", "app", "ui"]),
    ("protocol", &["query", "client", "local_hub", "demo", "disk", "worker", "app", "ui"]),
    ("copy_as", &["query", "client", "local_hub", "demo", "disk", "worker", "app", "ui"]),
    ("client", &["local_hub", "demo", "disk", "worker", "app", "ui"]),
    ("local_hub", &["client", "demo", "disk", "worker", "app", "ui"]),
    ("demo", &["disk", "worker", "app", "ui"]),
    ("disk", &["client", "local_hub", "demo", "worker", "app", "ui"]),
    ("worker", &["app", "ui"]),
    ("app", &["local_hub", "demo", "ui"]),
];

/// Crates that a room must not know.
const FOREIGN: [(&str, &[&str]); 7] = [
    ("twin", &["tokio", "egui", "eframe", "reqwest", "hyper", "std::fs", "std::time", "std::net"]),
    ("query", &["tokio", "egui", "eframe", "reqwest", "hyper", "std::fs", "std::time", "std::net"]),
    ("protocol", &["tokio", "egui", "eframe", "reqwest", "hyper", "std::fs", "std::time", "std::net"]),
    // Its Rust snippet names reqwest and std::fs.
    ("copy_as", &["tokio", "egui", "eframe", "hyper", "std::time", "std::net"]),
    ("app", &["tokio", "egui", "eframe", "reqwest", "std::fs"]),
    ("worker", &["egui", "eframe"]),
    ("ui", &["tokio", "reqwest", "std::fs", "std::net"]),
];

fn files(dir: &str) -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                // What was built there is nobody's source.
                if !path.ends_with("target") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join(dir), &mut found);
    assert!(!found.is_empty(), "no source below {dir}");
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root).unwrap().to_owned(), text)
        })
        .collect()
}

/// The lines of code in a file: comments left out, so that prose may name what it likes.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether `line` names `word` as a path, not as a part of another word.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + word.len()..];
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && after.starts_with("::")
    })
}

#[test]
fn no_room_calls_a_room_it_must_not_know() {
    let mut broken = Vec::new();
    for (room, forbidden) in WALLS {
        for (path, text) in files(&format!("src/{room}")) {
            for (n, line) in code(&text) {
                for other in forbidden {
                    let direct = line.contains(&format!("crate::{other}"));
                    let grouped = line.trim_start().starts_with("use crate::{") && names(line, other);
                    if direct || grouped {
                        broken.push(format!("{}:{n}: {room} names {other}", path.display()));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_pure_rooms_know_no_runtime_no_window_no_clock_no_disk() {
    let mut broken = Vec::new();
    for (room, forbidden) in FOREIGN {
        for (path, text) in files(&format!("src/{room}")) {
            for (n, line) in code(&text) {
                for other in forbidden {
                    if names(line, other) && !is_plain_value(line) {
                        broken.push(format!("{}:{n}: {room} names {other}", path.display()));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A length of time is no clock, and an address is no socket.
fn is_plain_value(line: &str) -> bool {
    line.contains("std::time::Duration") || line.contains("std::net::Ip")
}

#[test]
fn every_file_says_first_what_lives_in_it() {
    for dir in ["src", "tests"] {
        for (path, text) in files(dir) {
            assert!(text.starts_with("//! "), "{} does not begin with //!", path.display());
        }
    }
}

#[test]
fn a_file_past_500_lines_wants_a_wall() {
    for dir in ["src", "tests"] {
        for (path, text) in files(dir) {
            let lines = text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn colours_live_in_the_theme_alone() {
    for (path, text) in files("src/ui") {
        if path.ends_with("theme.rs") {
            continue;
        }
        for (n, line) in code(&text) {
            let colour =
                ["Color32::from_", "Color32::BLACK", "Color32::WHITE", "Color32::RED", "Color32::GRAY", "Rgba::"]
                    .iter()
                    .any(|word| line.contains(word));
            assert!(!colour, "{}:{n} names a colour", path.display());
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    for (path, text) in files("src") {
        for (n, line) in code(&text) {
            let open = ["todo!(", "unimplemented!(", "dbg!(", ".unwrap()"].iter().find(|word| line.contains(**word));
            assert!(open.is_none(), "{}:{n} has {}", path.display(), open.unwrap_or(&""));
        }
    }
}

#[test]
fn rumqttc_stays_in_few_files() {
    let users: Vec<PathBuf> = files("src")
        .into_iter()
        .filter(|(_, text)| code(text).any(|(_, line)| names(line, "rumqttc")))
        .map(|(path, _)| path)
        .collect();
    assert!(!users.is_empty() && users.len() <= 3, "{users:?}");
}

#[test]
fn one_egui_one_rustls_one_provider() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let count = |name: &str| lock.matches(&format!("\nname = \"{name}\"\n")).count();
    for name in ["egui", "eframe", "rustls", "ring"] {
        assert_eq!(count(name), 1, "{name} stands in Cargo.lock not exactly once");
    }
    assert_eq!(count("aws-lc-rs"), 0);
    assert_eq!(count("openssl"), 0);
}

#[test]
fn the_top_level_holds_what_the_house_allows() {
    let allowed = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE", "src", "assets", "tests", "target"];
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || allowed.contains(&name.as_str()), "{name} stands at the top level");
    }
}

#[test]
fn fields_are_made_in_one_place() {
    for (path, text) in files("src/ui") {
        // The field that makes them all, and the editor, which is one.
        if path.ends_with("ui/field.rs") || path.ends_with("editor/mod.rs") {
            continue;
        }
        for (n, line) in code(&text) {
            let made = ["TextEdit::singleline", "TextEdit::multiline", "text_edit_singleline", "text_edit_multiline"];
            assert!(!made.iter().any(|word| line.contains(word)), "{}:{n} makes a field of its own", path.display());
        }
    }
}
