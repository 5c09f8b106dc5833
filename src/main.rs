//! Parses arguments, starts logging, starts the worker, opens the window or serves the hub.

use clap::Parser;
use std::process::ExitCode;
use twinscope::args::{Args, CONNECTION_STRING_VARIABLE, Command};
use twinscope::protocol::secret::Secret;
use twinscope::worker::WorkerOptions;
use twinscope::{logging, serve, token, ui};

fn main() -> ExitCode {
    let args = Args::parse();
    logging::start();
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
            eprintln!("twinscope: {}", logging::printable(&message));
            ExitCode::FAILURE
        }
    }
}
