//! The command line.

use crate::local_hub::{Exposure, FleetChoice, Tuning, UnquotedIfMatch, duration};
use crate::pointing::{self, DEFAULT_PORTS};
use clap::{Args as ClapArgs, Parser, Subcommand};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The most devices a synthetic fleet may have.
const FLEET_MAX: u32 = 1_000_000;

/// See and change the device and module twins of Azure IoT Hub, in the cloud or in the local hub that comes with the program.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "twinscope", version, after_help = ENVIRONMENT)]
pub struct Args {
    /// A file with root certificates (PEM) to believe besides the system's
    #[arg(long, value_name = "FILE", env = "TWINSCOPE_CA")]
    pub ca: Option<PathBuf>,

    /// Keep all state of the program in this folder instead of the platform's
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

const ENVIRONMENT: &str = "\
Without a command the window opens, on the local hub with its demo fleet.

Environment:
  TWINSCOPE_CONNECTION_STRING  Open this hub directly; it is kept for this run only
  TWINSCOPE_CA                 As --ca
  RUST_LOG                     What is logged to stderr, such as twinscope=debug";

/// The variable that names a hub to open; read by the program, never shown.
pub const CONNECTION_STRING_VARIABLE: &str = "TWINSCOPE_CONNECTION_STRING";

/// Without a command the window opens.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the local hub without a window
    Hub(HubArgs),
}

// Where the options of `twinscope hub` stand in its help.
const LISTENING: &str = "Where it listens";
const CONTENT: &str = "What it knows";
const BEHAVIOUR: &str = "How it behaves";

/// `twinscope hub`.
#[derive(Debug, Clone, PartialEq, Eq, ClapArgs)]
#[command(after_help = pointing::help())]
pub struct HubArgs {
    /// Where the service API listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value_t = loopback(DEFAULT_PORTS.https), help_heading = LISTENING)]
    pub https: SocketAddr,

    /// Where MQTT listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value_t = loopback(DEFAULT_PORTS.mqtts), help_heading = LISTENING)]
    pub mqtts: SocketAddr,

    /// The devices a fresh hub starts with: demo, empty, or a number of synthetic ones up to 1000000
    #[arg(long, value_name = "demo|empty|N", default_value = "demo", help_heading = CONTENT)]
    pub fleet: Fleet,

    /// A file with authorities (PEM) that sign the certificates of devices and modules whose authentication is
    /// certificateAuthority; may be given more than once
    #[arg(long, value_name = "FILE", help_heading = CONTENT)]
    pub x509_ca: Vec<PathBuf>,

    /// Allow addresses that other machines can reach
    #[arg(long, help_heading = LISTENING)]
    pub expose: bool,

    /// Let queries and statistics see a change only so much later, such as 1.5s. The real hub's index is late too: a new device
    /// was measured to show after about 1.4 s, and a deleted one still after 25 minutes
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration::parse, help_heading = BEHAVIOUR)]
    pub index_lag: Duration,

    /// Honour an If-Match without quotes on twin writes. By users' reports the real hub ignores one, and applies the write
    #[arg(long, help_heading = BEHAVIOUR)]
    pub strict_if_match: bool,
}

impl HubArgs {
    #[must_use]
    pub fn exposure(&self) -> Exposure {
        if self.expose { Exposure::Exposed } else { Exposure::LoopbackOnly }
    }

    /// How the hub is to behave where hubs differ.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        let unquoted = if self.strict_if_match { UnquotedIfMatch::Honoured } else { UnquotedIfMatch::Ignored };
        Tuning {
            x509_ca: self.x509_ca.clone(),
            index_lag: self.index_lag,
            unquoted_if_match: unquoted,
            ..Tuning::default()
        }
    }
}

/// `--fleet` as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet(pub FleetChoice);

impl FromStr for Fleet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "demo" => Ok(Self(FleetChoice::Demo)),
            "empty" => Ok(Self(FleetChoice::Empty)),
            _ => match text.parse::<u32>() {
                Ok(count) if count <= FLEET_MAX => Ok(Self(FleetChoice::Synthetic(count))),
                Ok(_) => Err(format!("a hub holds at most {FLEET_MAX} devices")),
                Err(_) => Err("neither demo, empty nor a number of devices".to_owned()),
            },
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
