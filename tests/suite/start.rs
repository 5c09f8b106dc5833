//! Starting where no window can open: one clear sentence, exit 1, no panic.

use std::process::Command;

fn said_without(display: Option<&str>) -> String {
    let data = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_twinscope"));
    program.arg("--data").arg(data.path()).env("RUST_LOG", "off");
    program.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    if let Some(display) = display {
        program.env("DISPLAY", display);
    }
    let output = program.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn without_a_display_it_says_what_to_run_instead() {
    // An X server that is named but not there is no display either.
    for display in [None, Some(":59999")] {
        let said = said_without(display);
        assert!(said.contains("no display") && said.contains("`twinscope hub`"), "{display:?}: {said}");
        assert!(!said.contains("panicked"), "{display:?}: {said}");
    }
}
