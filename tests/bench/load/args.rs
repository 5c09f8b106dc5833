//! What the run is asked to do, and the small words all its files use.

use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Whatever goes wrong ends the run; the text is for the person at the terminal.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// No answer takes longer than this, however loaded the machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Many module clients at once against `twinscope hub`, then the same publishes against mosquitto.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Args {
    /// Module clients connected at once
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=9000))]
    pub clients: u32,

    /// How long each client reports once a second
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,

    /// Desired patches a second over REST meanwhile
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub writes: u32,

    /// The program whose hub is measured; without it, the one built for this run
    #[arg(long, value_name = "FILE")]
    pub hub: Option<PathBuf>,

    /// Where the hub keeps its twins
    #[arg(long, value_enum, default_value_t = Keep::Memory)]
    pub keep: Keep,

    /// Do not compare with mosquitto
    #[arg(long)]
    pub no_mosquitto: bool,

    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    pub bench: bool,

    /// Names given to `cargo bench`: run when one is part of "load"
    #[arg(hide = true)]
    pub names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    Memory,
    /// In a file, synced before a write is acknowledged
    Disk,
}

impl Args {
    pub fn is_meant(&self) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| "load".contains(name.as_str()))
    }

    pub fn long(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The phases besides the long one: a tenth of it, within reason.
    pub fn short(&self) -> Duration {
        Duration::from_secs((self.seconds / 10).clamp(2, 20))
    }

    /// Open files this program needs: a socket for each client, some for REST, and what any program has open.
    pub fn open_files(&self) -> u64 {
        u64::from(self.clients) + 200
    }
}
