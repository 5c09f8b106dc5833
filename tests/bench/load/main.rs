//! Load: thousands of module clients at once against `twinscope hub` as a process of its own, each reporting once a second and
//! receiving desired patches; then the same publishes against mosquitto. Ends with 1 when an update was lost, a version
//! skipped or memory grew.
//!
//! Run by hand for figures: `cargo bench --bench load -- --clients 2000 --seconds 300`, behind `taskset -c 0,1` where there are
//! more than two cores; without arguments it is a short check that all of it still works. `args` says what can be asked for;
//! `server` starts the processes; `mqtt` and `rest` are the wires; `module` is one client, `service` the other side; `phases`
//! puts them together, `figures` writes down what came of it.

mod args;
mod figures;
mod module;
mod mqtt;
mod phases;
mod rest;
mod server;
mod service;
mod shared;
mod story;

use args::{Args, Result};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    if !args.is_meant() {
        return ExitCode::SUCCESS;
    }
    match run(&args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(violations) => {
            eprintln!("load: {violations} violations");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many promises were broken.
fn run(args: &Args) -> Result<usize> {
    let needed = args.open_files();
    let granted = rlimit::increase_nofile_limit(needed)?;
    if granted < needed {
        let hint = "raise the hard limit (ulimit -H -n), or ask for fewer --clients";
        return Err(format!("this program needs {needed} open files and may have {granted}: {hint}").into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(story::tell(args))
}
