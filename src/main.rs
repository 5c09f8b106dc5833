//! Parses arguments, starts logging, starts the worker, opens the window or serves the hub.

fn main() {}
