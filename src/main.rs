//! Parses arguments, starts logging, starts the worker, opens the window or serves the hub.

use clap::Parser;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use twinscope::args::{Args, Command};
use twinscope::serve;

fn main() -> ExitCode {
    let args = Args::parse();
    // Logs go to stderr: stdout belongs to the ready line of `twinscope hub`.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,twinscope=info"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
    let outcome = match &args.command {
        Some(Command::Hub(hub)) => serve::run(hub, args.data.clone()).map_err(|error| error.to_string()),
        // The window is opened here, by `twinscope::ui`.
        None => Err("the window comes from `twinscope::ui`".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("twinscope: {message}");
            ExitCode::FAILURE
        }
    }
}
