//! Parses arguments, starts logging, starts the worker, opens the window or serves the hub.

use clap::Parser;
use std::process::ExitCode;
use twinscope::args::{self, Args, CONNECTION_STRING_VARIABLE, Command};
use twinscope::protocol::secret::Secret;
use twinscope::worker::WorkerOptions;
use twinscope::{logging, serve, token, ui};

fn main() -> ExitCode {
    logging::watch_panics();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return refused(&error),
    };
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
            eprintln!("twinscope: {}", logging::said(&message));
            ExitCode::FAILURE
        }
    }
}

/// What stands in an argument is repeated by an error about it, and can be a key in the wrong place.
fn refused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    eprint!("{}", args::without_secrets(&error.render().to_string(), &arguments));
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}
