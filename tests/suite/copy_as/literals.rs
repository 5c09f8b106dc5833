//! Each language reads exactly the text again that its literal was made of. Where a language is not on this machine the test
//! says so and checks nothing of it; `sh` and `rustc` are always there.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::io::Write;
use std::process::{Command, Stdio};
use twinscope::copy_as::quote;

/// Texts with all that languages treat in their own way.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "'",
            "\"",
            "\"\"\"",
            "\\",
            "\\\\",
            "$",
            "${x}",
            "$(id)",
            "`",
            "\n",
            "\r",
            "\t",
            "!",
            "#",
            "\"#",
            "##",
            "{",
            "}",
            "%s",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{202e}",
            "\u{feff}",
            "😀",
            "é",
            "\u{e0041}",
            "\\u0041",
            "\\n",
            "@",
            "-",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_filter("no NUL in an argument", |c| *c != '\0').prop_map(String::from),
        "[a-z ]{1,4}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Many texts, handed over at once: a process for each would take minutes.
fn texts() -> Vec<String> {
    let mut runner = TestRunner::new(Config::default());
    let mut texts: Vec<String> = (0..400).map(|_| text().new_tree(&mut runner).unwrap().current()).collect();
    texts.extend(["", "'", "\"", "\\", "\"\"\"\"", "\"###", "r#\"", "a\nb"].map(str::to_owned));
    texts
}

/// What a program prints; `None` when it is not on this machine.
fn run(program: &str, arguments: &[&str], input: &str) -> Option<Vec<u8>> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn();
    let Ok(mut child) = child else {
        assert!(std::env::var("CI").is_err(), "{program} is not on this machine");
        eprintln!("skipped: {program} is not on this machine");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A program that could not read it all says so by its status.
    drop(writer.join().unwrap());
    assert!(output.status.success(), "{program} ended with {}", output.status);
    Some(output.stdout)
}

/// The texts behind the literals, one `\0` after each.
fn ended(output: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(output).unwrap();
    text.strip_suffix('\0').unwrap().split('\0').map(str::to_owned).collect()
}

#[test]
fn sh_reads_back() {
    let texts = texts();
    let literals: Vec<String> = texts.iter().map(|text| quote::sh(text)).collect();
    let output = run("sh", &[], &format!("printf '%s\\0' {}\n", literals.join(" "))).expect("sh is everywhere");
    assert_eq!(ended(&output), texts);
}

#[test]
fn python_reads_back() {
    let texts = texts();
    let literals: Vec<String> = texts.iter().map(|text| quote::python(text)).collect();
    let program = "import ast, json, sys; print(json.dumps(ast.literal_eval(sys.stdin.buffer.read().decode())))";
    let Some(output) = run("python3", &["-c", program], &format!("[{}]", literals.join(", "))) else { return };
    assert_eq!(serde_json::from_slice::<Vec<String>>(&output).unwrap(), texts);
}

#[test]
fn javascript_reads_back() {
    let texts = texts();
    let literals: Vec<String> = texts.iter().map(|text| quote::javascript(text)).collect();
    let program = format!("process.stdout.write(JSON.stringify([{}]))", literals.join(", "));
    let Some(output) = run("node", &["-"], &program) else { return };
    assert_eq!(serde_json::from_slice::<Vec<String>>(&output).unwrap(), texts);
}

#[test]
fn rust_reads_back() {
    let texts = texts();
    let literals: Vec<String> = texts.iter().map(|text| quote::rust(text)).collect();
    let dir = tempfile::tempdir().unwrap();
    let (source, program) = (dir.path().join("main.rs"), dir.path().join("main"));
    let text = format!("fn main() {{ for text in [{}] {{ print!(\"{{text}}\\0\"); }} }}", literals.join(", "));
    std::fs::write(&source, text).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let status = Command::new(rustc).args(["--edition", "2024", "-o"]).arg(&program).arg(&source).status().unwrap();
    assert!(status.success());
    let output = run(program.to_str().unwrap(), &[], "").unwrap();
    assert_eq!(ended(&output), texts);
}

/// No compiler of C# here: the rules of its two kinds of literal, read by hand.
fn csharp_reads(literal: &str) -> Option<String> {
    let quotes = literal.chars().take_while(|c| *c == '"').count();
    if quotes >= 3 {
        let end = "\"".repeat(quotes);
        let inner = literal.strip_prefix(&end)?.strip_suffix(&end)?;
        let clean =
            !inner.contains(&end) && !inner.ends_with('"') && !inner.contains(['\n', '\r', '\u{85}', '\u{2028}']);
        return clean.then(|| inner.to_owned());
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        let digits = match c {
            '"' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => return None,
            '\\' => match rest.next()? {
                'n' => Err('\n'),
                'r' => Err('\r'),
                't' => Err('\t'),
                'u' => Ok(4),
                'U' => Ok(8),
                c @ ('"' | '\\') => Err(c),
                _ => return None,
            },
            c => Err(c),
        };
        text.push(match digits {
            Err(c) => c,
            Ok(count) => {
                let code: String = rest.by_ref().take(count).collect();
                char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
            }
        });
    }
    Some(text)
}

#[test]
fn csharp_reads_back() {
    for text in texts() {
        let literal = quote::csharp(&text);
        assert_eq!(csharp_reads(&literal).as_deref(), Some(&*text), "{literal}");
    }
}
