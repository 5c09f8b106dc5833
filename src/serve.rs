//! `twinscope hub`: the local hub without a window, until it is asked to stop.

use crate::args::{Fleet, HubArgs};
use crate::client::{HubError, Trust};
use crate::demo::Demo;
use crate::local_hub::{Exposure, FleetChoice, HubName, HubOptions, LocalHub, StartError};
use crate::pointing::{self, Ports};
use crate::protocol::fault::FAULTS_MAX;
use crate::protocol::policy::DEFAULT_POLICIES;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Open files the hub asks for: the connections both listeners admit, and some for everything else.
const OPEN_FILES: u64 = 16 * 1024;

/// Why the hub could not be served; the text is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("there is no home folder to keep the hub's certificates in: name a folder with --data")]
    NoHome,
    #[error("at most {FAULTS_MAX} faults are in force at once: say --fault less often")]
    TooManyFaults,
    #[error("the runtime cannot be started: {0}")]
    Runtime(std::io::Error),
    #[error("cannot print to stdout: {0}")]
    Print(std::io::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// Where the CA of the local hub lives: one per user, or one per `--data` folder.
///
/// # Errors
/// When neither is there.
pub fn ca_dir(data: Option<&Path>) -> Result<PathBuf, ServeError> {
    match data {
        Some(data) => Ok(data.join("ca")),
        None => directories::ProjectDirs::from("", "", "twinscope")
            .map(|dirs| dirs.data_local_dir().join("ca"))
            .ok_or(ServeError::NoHome),
    }
}

/// Starts the hub, prints the ready line, serves until SIGINT or SIGTERM, and stops cleanly.
///
/// # Errors
/// See [`ServeError`].
pub fn run(args: &HubArgs, data: Option<PathBuf>) -> Result<(), ServeError> {
    open_files();
    if args.fault.len() > FAULTS_MAX {
        return Err(ServeError::TooManyFaults);
    }
    let Fleet(fleet) = args.fleet;
    let options = HubOptions {
        https: args.https,
        mqtts: args.mqtts,
        ca_dir: ca_dir(data.as_deref())?,
        data,
        fleet,
        exposure: args.exposure(),
        names: args.name.clone(),
        tuning: args.tuning(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        let stop = Signals::new().map_err(ServeError::Signals)?;
        let exposed = options.exposure == Exposure::Exposed
            && !(options.https.ip().is_loopback() && options.mqtts.ip().is_loopback());
        let unnamed = options.names.iter().all(HubName::is_loopback);
        let hub = LocalHub::start(options).await?;
        if exposed {
            tracing::warn!("other machines can reach this hub: whoever has its connection string owns it");
        }
        if exposed && unnamed {
            tracing::warn!(
                "clients on other machines need --name: without it the certificate is good for loopback names only"
            );
        }
        tell_faults(&hub);
        let demo = play(&hub);
        print_pointing(&hub);
        print_ready(&hub).map_err(ServeError::Print)?;
        stop.wait().await;
        tracing::info!("the local hub stops");
        drop(demo);
        hub.stop().await;
        Ok(())
    })
}

/// Says what will go wrong, and the number that makes it go wrong the same way again: to a person, whatever the log is set to.
fn tell_faults(hub: &LocalHub) {
    let report = hub.hub().faults().report();
    if report.faults.is_empty() {
        return;
    }
    let mut text = format!("faults on demand, with seed {0} (again with --fault-seed {0}):\n", report.seed);
    for counted in &report.faults {
        text.extend(["  ", &counted.fault.to_string(), "\n"]);
    }
    if let Err(error) = std::io::stderr().lock().write_all(text.as_bytes()) {
        tracing::debug!(%error, "the faults cannot be told");
    }
}

/// Every connection is an open file. Many systems give a program 1024 of them and let it have more if it asks: with fewer
/// than the listeners admit, clients would wait at a door nobody opens.
fn open_files() {
    match rlimit::increase_nofile_limit(OPEN_FILES) {
        Ok(granted) if granted < OPEN_FILES => {
            tracing::info!(granted, "the system allows fewer open files than the hub would serve connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "cannot ask for more open files"),
    }
}

/// The demo fleet's devices answer here too, if the hub was founded with them: not in one that somebody filled for themselves,
/// even if an id is the same. A hub without them is still a hub: what goes wrong is only said.
fn play(hub: &LocalHub) -> Option<Demo> {
    if hub.fleet() != FleetChoice::Demo {
        return None;
    }
    let trust = Trust::new(&[hub.ca_file().to_owned()]).map_err(HubError::from);
    match trust.and_then(|trust| Demo::start(&hub.loopback_connection_string(), hub.mqtts(), &trust)) {
        Ok(demo) => Some(demo),
        Err(error) => {
            tracing::warn!(%error, "the demo fleet's devices do not start");
            None
        }
    }
}

/// For the person at the terminal, before the ready line: whoever waits for that one can have read these.
fn print_pointing(hub: &LocalHub) {
    let ports = Ports { https: hub.https().port(), mqtts: hub.mqtts().port() };
    let mut text: String =
        pointing::lines(&hub.host(), ports, hub.ca_file()).flat_map(|line| [line, "\n".to_owned()]).collect();
    text.push_str("  The connection strings of the policies are in the line of JSON that follows on stdout.\n");
    // Nobody may be reading; a hub that cannot say this is still a hub.
    std::io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// One line of JSON for programs that started us.
fn print_ready(hub: &LocalHub) -> std::io::Result<()> {
    let strings: crate::twin::Json = DEFAULT_POLICIES
        .iter()
        .filter_map(|(policy, _)| Some((*policy, hub.connection_string_of(policy)?.reveal().reveal().to_owned())))
        .collect();
    let line = serde_json::json!({
        // With keys in them: this line is how a caller gets in.
        "connectionString": hub.connection_string().reveal().reveal(),
        "connectionStrings": strings,
        "https": hub.https().to_string(),
        "mqtts": hub.mqtts().to_string(),
        "caFile": hub.ca_file(),
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// What ends the hub. Listening begins before the ready line, so that no signal after it is missed.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What ends the hub.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "cannot listen for Ctrl+C");
            std::future::pending::<()>().await;
        }
    }
}
