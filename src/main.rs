//! Parses arguments, starts logging, starts the worker, opens the window or serves the hub.

use clap::Parser;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use twinscope::args::{Args, CONNECTION_STRING_VARIABLE, Command};
use twinscope::protocol::secret::Secret;
use twinscope::worker::WorkerOptions;
use twinscope::{serve, token, ui};

fn main() -> ExitCode {
    let args = Args::parse();
    // Logs go to stderr: stdout belongs to the ready line of `twinscope hub` and to `twinscope token`.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,twinscope=info"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
    let outcome = match &args.command {
        Some(Command::Hub(hub)) => serve::run(hub, args.data.clone()).map_err(|error| error.to_string()),
        Some(Command::Token(args)) => token::run(args).map_err(|error| error.to_string()),
        None => ui::run(WorkerOptions {
            data: args.data.clone(),
            extra_ca: args.ca.iter().cloned().collect(),
            connection_string: std::env::var(CONNECTION_STRING_VARIABLE).ok().map(Secret::new),
            ..WorkerOptions::default()
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("twinscope: {message}");
            ExitCode::FAILURE
        }
    }
}
