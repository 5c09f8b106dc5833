//! The command line.

use crate::local_hub::{Exposure, FleetChoice, HubName, Tuning, UnquotedIfMatch};
use crate::pointing::{self, DEFAULT_PORTS};
use crate::protocol::duration;
use crate::protocol::fault::{Fault, Plan};
use crate::protocol::secret::{self, Secret, Unit};
use clap::{Args as ClapArgs, Parser, Subcommand};
use std::net::{AddrParseError, Ipv4Addr, SocketAddr};
use std::num::ParseIntError;
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

/// An error of the command line without the secrets of the arguments, whole or in parts, and with the way a connection string goes.
#[must_use]
pub fn without_secrets(message: &str, arguments: &[String]) -> String {
    // In a short piece everything could be, so it is taken out only where its name stands in front.
    const PIECE_MIN: usize = 4;
    let mut message = message.to_owned();
    let mut given = false;
    for argument in arguments {
        let places = secret::places(argument, Unit::Argument);
        given |= !places.is_empty();
        let secrets = places.into_iter().map(|place| &argument[place]);
        let pieces = secrets.flat_map(|whole| std::iter::once(whole).chain(whole.split_whitespace()));
        for piece in pieces.filter(|piece| piece.len() >= PIECE_MIN) {
            message = message.replace(piece, "***");
            // As `Debug` and clap write what a terminal must not get.
            message = message.replace(&piece.escape_debug().to_string(), "***");
        }
    }
    let mut message = secret::redacted(&message).into_owned();
    if given {
        message.push_str(ELSEWHERE);
    }
    message
}

const ELSEWHERE: &str = "
A key was given as an argument, where everybody on the machine can read it. A connection string belongs into the variable
TWINSCOPE_CONNECTION_STRING, or into the window's dialog. Renew the key if others use this machine.
";

/// The variable that names a hub to open; read by the program, never shown.
pub const CONNECTION_STRING_VARIABLE: &str = "TWINSCOPE_CONNECTION_STRING";

/// Without a command the window opens.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the local hub without a window
    Hub(HubArgs),
    /// Print a SAS token for curl and the like, made from a connection string
    Token(TokenArgs),
}

// Where the options of `twinscope hub` stand in its help.
const LISTENING: &str = "Where it listens";
const CONTENT: &str = "What it knows";
const BEHAVIOUR: &str = "How it behaves";

/// `twinscope hub`.
#[derive(Debug, Clone, PartialEq, Eq, ClapArgs)]
#[command(after_help = pointing::help())]
pub struct HubArgs {
    /// Where the service API listens; port 0 takes a free one. With 127.0.0.1 it listens on the loopback address of IPv6 too
    #[arg(long, value_name = "ADDR:PORT", default_value_t = loopback(DEFAULT_PORTS.https), value_parser = address, help_heading = LISTENING)]
    pub https: SocketAddr,

    /// Where MQTT listens; port 0 takes a free one. With 127.0.0.1 it listens on the loopback address of IPv6 too
    #[arg(long, value_name = "ADDR:PORT", default_value_t = loopback(DEFAULT_PORTS.mqtts), value_parser = address, help_heading = LISTENING)]
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

    /// A DNS name or IP address by which clients reach the hub, beside those of loopback; may be given more than once.
    /// The certificate bears them all, and a CA of their own vouches for it; connection strings have the first one
    #[arg(long, value_name = "HOST", help_heading = LISTENING)]
    pub name: Vec<HubName>,

    /// Let queries and statistics see a change only so much later, such as 1.5s. The real hub's index is late too: a new device
    /// was measured to show after about 1.4 s, and a deleted one still after 25 minutes
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration::parse, help_heading = BEHAVIOUR)]
    pub index_lag: Duration,

    /// Honour an If-Match without quotes on twin writes. By users' reports the real hub ignores one, and applies the write
    #[arg(long, help_heading = BEHAVIOUR)]
    pub strict_if_match: bool,

    /// Let this go wrong on purpose, such as '429 p=0.1' or 'drop=after on=twin-write nth=2'; may be given more than once
    #[arg(long, value_name = "TEXT", help_heading = "Faults", long_help = FAULT_HELP)]
    pub fault: Vec<Fault>,

    /// Draw chances and spans of time from this number; the same number and the same doings of a client meet the same faults.
    /// Without it one is drawn, and told on stderr
    #[arg(long, value_name = "N", value_parser = seed, help_heading = "Faults")]
    pub fault_seed: Option<u64>,
}

/// `twinscope token`.
#[derive(Debug, Clone, PartialEq, Eq, ClapArgs)]
#[command(after_help = TOKEN_HELP)]
pub struct TokenArgs {
    /// How long it is good, up to 24h
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = lifetime)]
    pub lifetime: Duration,

    /// What it is for, as a path behind the host, such as devices/myFirstDevice or '$twinscope'. Without it: all of the hub for
    /// a policy, else the device or module
    #[arg(long, value_name = "PATH")]
    pub resource: Option<String>,

    // Somebody will try it, and clap's own words would show the key again.
    #[arg(hide = true, value_parser = secret)]
    pub argument: Vec<Secret>,
}

const TOKEN_HELP: &str = "\
The connection string of a policy, device or module is read from the variable TWINSCOPE_CONNECTION_STRING, or from stdin when \
that is no terminal. An argument could be read by everybody on the machine.";

/// In lines that fit a narrow terminal, as clap sets them in by ten.
const FAULT_HELP: &str = "\
Let this go wrong on purpose; may be given more than once. What goes wrong comes first:

  latency=200ms        wait before doing what is asked; 200ms..2s draws
  429, 503, …          answer 429, or any of 500 to 599, and do nothing
  429:retry-after=10s  the same, with the header Retry-After
  drop=before          close the connection, do nothing
  drop=after           do what is asked, then close without an answer
  drop=halfway         do it, then close in the middle of the answer
  lose=response        do what a device asks of its twin, lose the answer
  lose=puback          take what a device publishes, lose the PUBACK
  evict=30s            close an MQTT connection that has lasted so long
  skew=-10m            the hub's clock is wrong by so much; no conditions

Then come conditions, all of which must hold:

  on=query,connect     only there
  id=dev1              only for this device; id=dev1/mod1, id=dev*
  p=0.1                with this probability
  nth=3                only the third time; every=5, first=2
  times=10             at most so often
  for=30s              only so long after the fault was set

Where: rest (all of devices, device-read, device-write, twins, twin-read, twin-write, query, statistics, methods, messages, \
jobs) and mqtt (all of connect, twin-get, report, telemetry, method-answer). Times are counted for each device and module by \
itself. A leading 'off' sets a fault without effect.

At run time faults are read, replaced and cleared by GET, PUT and DELETE of /$twinscope/faults, which no fault strikes. PUT \
takes {\"seed\":7,\"faults\":[\"429 p=0.1\",\"evict=30s id=dev1\"]}";

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
            faults: Plan { seed: self.fault_seed, faults: self.fault.clone() },
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

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_wrong: AddrParseError| {
        "not an IP address and a port, such as 127.0.0.1:8443 or [::1]:0; localhost is 127.0.0.1".to_owned()
    })
}

/// What is not to be shown, whatever it is.
#[allow(clippy::unnecessary_wraps)] // So clap wants it.
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_wrong: ParseIntError| format!("not a whole number from 0 to {}, such as 7", u64::MAX))
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration::parse(text)?;
    // The end of a token is told in whole seconds.
    if lifetime < Duration::from_secs(1) {
        return Err("a token is good for a second at least, such as 10m or 1h".to_owned());
    }
    Ok(lifetime)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
