//! Settings, connections and secrets.

use std::path::Path;
use std::process::{Command, Stdio};
use twinscope::disk::secrets::Kept;
use twinscope::disk::{
    Folders, JournalBounds, KeptComparison, KeptSide, Keyring, KeyringChoice, Layout, Places, SavedConnection,
    SecretsError, Settings, SettingsFile, ThemeChoice,
};
use twinscope::protocol::secret::Secret;

fn some_settings() -> Settings {
    Settings {
        layout: Layout { fleet_width: Some(300.0), changes_hidden: true, ..Layout::default() },
        theme: ThemeChoice::Light,
        zoom: Some(1.5),
        connections: vec![SavedConnection {
            id: "1".to_owned(),
            name: "Größe 🌍".to_owned(),
            host: "h.azure-devices.net".to_owned(),
            policy: "service".to_owned(),
            ca_file: Some("/etc/ca.pem".into()),
        }],
        open_tabs: [("local".to_owned(), vec!["d/m".to_owned()])].into(),
        comparisons: [("local".to_owned(), [("d/m".to_owned(), some_comparison())].into())].into(),
        mqtt_ports: [("1".to_owned(), 18_883)].into(),
        places: [("local".to_owned(), some_places())].into(),
        last_hub: Some("local".to_owned()),
        window: Some((800.0, 600.0)),
        journal: JournalBounds { megabytes: 5, days: 7 },
    }
}

fn some_places() -> Places {
    Places {
        active: Some("d/m".to_owned()),
        sections: [("d/m".to_owned(), "tags tree".to_owned())].into(),
        unfolded: vec!["d".to_owned()],
    }
}

fn some_comparison() -> KeptComparison {
    let past = KeptSide::Version { hub: None, id: "d".to_owned(), version: 3, at_ms: 7, seen: "load".to_owned() };
    let there = KeptSide::Elsewhere { hub: "1".to_owned(), id: "d/m".to_owned() };
    let (section, face) = ("tags".to_owned(), "inline".to_owned());
    KeptComparison { sides: vec![past, there], left: 2, right: 0, section, face }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn settings_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/down/settings.json");
    let opened = SettingsFile::open(&path);
    assert_eq!((opened.settings, opened.notice), (Settings::default(), None));
    opened.file.save(&some_settings()).unwrap();
    opened.file.save(&some_settings()).unwrap();
    assert_eq!(names(path.parent().unwrap()), ["settings.json"], "nothing is left behind");
    let again = SettingsFile::open(&path);
    assert_eq!((again.settings, again.notice), (some_settings(), None));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn settings_of_other_versions_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings.json");
    std::fs::write(&path, r#"{"theme":"Dark","invented":{"later":true}}"#).unwrap();
    let opened = SettingsFile::open(&path);
    assert_eq!(opened.notice, None);
    assert_eq!(opened.settings, Settings { theme: ThemeChoice::Dark, ..Settings::default() });
}

#[test]
fn what_cannot_be_read_is_kept_and_said_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings.json");
    for (n, text) in ["{ half", "[]", "\u{0}", ""].into_iter().enumerate() {
        std::fs::write(&path, text).unwrap();
        let opened = SettingsFile::open(&path);
        assert_eq!(opened.settings, Settings::default());
        let aside =
            if n == 0 { "settings.json.unreadable".to_owned() } else { format!("settings.json.unreadable-{}", n + 1) };
        assert!(opened.notice.unwrap().contains(&aside), "{text:?}");
        assert_eq!(std::fs::read_to_string(dir.path().join(&aside)).unwrap(), text);
        assert_eq!(SettingsFile::open(&path).notice, None, "said once");
        opened.file.save(&some_settings()).unwrap();
    }
}

#[test]
fn what_can_neither_be_read_nor_moved_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings.json");
    // A folder in its place cannot be read as a file.
    std::fs::create_dir(&path).unwrap();
    let opened = SettingsFile::open(&path);
    assert!(opened.notice.unwrap().contains("settings.json"));
    assert!(opened.file.save(&some_settings()).unwrap_err().contains("settings.json"));
    assert_eq!(names(dir.path()), ["settings.json"]);
}

#[test]
fn a_failed_write_names_the_file_and_leaves_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let file = SettingsFile::open(&dir.path().join("file/settings.json")).file;
    assert!(file.save(&some_settings()).unwrap_err().contains("settings.json"));
}

#[test]
fn one_folder_for_everything() {
    let folders = Folders::find(Some(Path::new("/somewhere"))).unwrap();
    for path in [folders.settings_file(), folders.local_hub(), folders.ca_dir()] {
        assert!(path.starts_with("/somewhere"), "{}", path.display());
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn without_a_keyring_secrets_live_for_the_session() {
    block_on(async {
        let keyring = Keyring::new(KeyringChoice::SessionOnly);
        assert!(keyring.probe().await.is_err());
        assert_eq!(keyring.get("a").await, Ok(None));
        assert!(matches!(keyring.put("a", &Secret::new("s3cret")).await, Kept::ForThisSession { .. }));
        assert_eq!(keyring.get("a").await, Ok(Some(Secret::new("s3cret"))));
        assert!(!format!("{keyring:?}").contains("s3cret"));
        assert_eq!(Keyring::new(KeyringChoice::SessionOnly).get("a").await, Ok(None));
        keyring.remove("a").await.unwrap();
        assert_eq!(keyring.get("a").await, Ok(None));
    });
}

/// Set in the process that runs inside a session with a keyring.
const INSIDE: &str = "TWINSCOPE_TEST_KEYRING";

/// What runs inside. Alone it has nothing to do.
#[test]
fn inside_a_session_with_a_keyring() {
    match std::env::var(INSIDE).as_deref() {
        Ok("unlocked") => block_on(async {
            let keyring = Keyring::new(KeyringChoice::System);
            assert_eq!(keyring.probe().await, Ok(()));
            assert_eq!(keyring.get("a").await, Ok(None));
            for text in ["HostName=h;SharedAccessKey=one=", "HostName=h;SharedAccessKey=two="] {
                assert_eq!(keyring.put("a", &Secret::new(text)).await, Kept::InKeyring);
                // Another keyring object: what comes back comes from outside.
                assert_eq!(Keyring::new(KeyringChoice::System).get("a").await, Ok(Some(Secret::new(text))));
            }
            assert_eq!(keyring.get("b").await, Ok(None));
            keyring.remove("a").await.unwrap();
            assert_eq!(keyring.get("a").await, Ok(None));
            keyring.remove("a").await.unwrap();
        }),
        Ok("none") => block_on(async {
            let keyring = Keyring::new(KeyringChoice::System);
            let why = keyring.probe().await.unwrap_err();
            assert_eq!(why, SecretsError::NoKeyring);
            assert_eq!(
                keyring.put("a", &Secret::new("s")).await,
                Kept::ForThisSession { why: SecretsError::NoKeyring }
            );
            assert_eq!(keyring.get("a").await, Ok(Some(Secret::new("s"))));
            keyring.remove("a").await.unwrap();
        }),
        Ok(marker @ ("no collection" | "locked")) => block_on(async {
            let expected = if marker == "locked" { SecretsError::Locked } else { SecretsError::NoCollection };
            let keyring = Keyring::new(KeyringChoice::System);
            assert_eq!(keyring.probe().await, Ok(()), "nothing is unlocked for that");
            assert_eq!(keyring.put_in_keyring("a", &Secret::new("s")).await, Err(expected.clone()));
            assert_eq!(keyring.get("a").await, Ok(None), "what is not kept is not there");
            assert_eq!(keyring.put("a", &Secret::new("s")).await, Kept::ForThisSession { why: expected });
            assert_eq!(keyring.get("a").await, Ok(Some(Secret::new("s"))));
        }),
        Ok("gone") => block_on(async {
            let keyring = Keyring::new(KeyringChoice::System);
            assert_eq!(keyring.put("a", &Secret::new("s")).await, Kept::InKeyring);
            daemon("kill $(cat \"$HOME/pid\")");
            // It takes a moment to end. The bus may start it again by itself, locked.
            let mut gone = keyring.get("a").await;
            for _ in 0..200 {
                if gone.is_err() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                gone = keyring.get("a").await;
            }
            assert!(matches!(gone, Err(SecretsError::NoKeyring | SecretsError::Locked)), "{gone:?}");
            daemon("printf pw | gnome-keyring-daemon --replace --unlock --components=secrets >/dev/null");
            assert_eq!(keyring.get("a").await, Ok(Some(Secret::new("s"))), "the same object connects again");
        }),
        _ => return,
    }
    println!("ran inside");
}

fn daemon(script: &str) {
    assert!(Command::new("sh").args(["-c", script]).status().unwrap().success(), "{script}");
}

/// Runs the test above in a process of its own and expects it to have run.
fn run_inside(mut command: Command, marker: &str) {
    let output = command.env(INSIDE, marker).stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("ran inside"), "{}\n{out}\n{err}", output.status);
}

fn inner() -> String {
    format!(
        "'{}' --exact disk::inside_a_session_with_a_keyring --nocapture",
        std::env::current_exe().unwrap().display()
    )
}

/// Runs the inside with a real keyring that a script starts. The keyring of the person running the tests stays as it is.
fn with_keyring(script: &str, marker: &str) {
    let there = |program: &str| {
        Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    };
    if let Some(missing) = ["dbus-run-session", "gnome-keyring-daemon"].into_iter().find(|program| !there(program)) {
        assert!(std::env::var_os("CI").is_none(), "{missing} is not installed");
        eprintln!("SKIPPED: {missing} is not installed, so no real keyring was tried");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let script = format!("{script} && exec {}", inner());
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", &script]);
    command.env("HOME", home.path()).env_remove("XDG_DATA_HOME").env_remove("GNOME_KEYRING_CONTROL");
    // No window can come up to ask for a password.
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let runtime = home.path().join("run");
    std::fs::create_dir(&runtime).unwrap();
    command.env("XDG_RUNTIME_DIR", &runtime);
    run_inside(command, marker);
}

const UNLOCK: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null";
const START: &str = "gnome-keyring-daemon --start --components=secrets >/dev/null";

#[test]
fn a_real_keyring_keeps_secrets() {
    with_keyring(UNLOCK, "unlocked");
}

#[test]
fn a_real_keyring_without_a_default_collection_says_so() {
    with_keyring(START, "no collection");
}

#[test]
fn a_real_keyring_that_is_locked_says_so() {
    // Unlocked once, so that there is a collection; then started without its password.
    let lock = "printf pw | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null & \
                n=0; until printf x | secret-tool store --label=x twinscope-test x 2>/dev/null || [ $n -gt 100 ]; do n=$((n+1)); sleep 0.05; done; \
                kill $!; wait $!";
    with_keyring(&format!("{lock}; {START}"), "locked");
}

#[test]
fn a_real_keyring_that_is_started_again_is_found_again() {
    let start = "mkfifo \"$HOME/in\"; \
                 gnome-keyring-daemon --foreground --unlock --components=secrets <\"$HOME/in\" >/dev/null & \
                 echo $! >\"$HOME/pid\"; printf pw >\"$HOME/in\"; \
                 n=0; until printf x | secret-tool store --label=x twinscope-test x 2>/dev/null || [ $n -gt 100 ]; do n=$((n+1)); sleep 0.05; done";
    with_keyring(start, "gone");
}

#[test]
fn without_a_session_bus_it_says_so() {
    let nowhere = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {}", inner())]);
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}/bus", nowhere.path().display()));
    command.env("XDG_RUNTIME_DIR", nowhere.path());
    run_inside(command, "none");
}
