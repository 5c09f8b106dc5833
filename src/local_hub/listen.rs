//! Where the hub listens: an address each for HTTPS and MQTT, and `[::1]` beside `127.0.0.1`.
//!
//! Node 17 to 19 and whoever else takes the first answer for `localhost` dial `::1` on most systems, and do not try
//! `127.0.0.1` after it.

use super::{Exposure, StartError};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpListener, TcpStream};

/// How many free ports are tried to find one that is free on both loopback addresses.
const TRIES: usize = 8;

/// One listener, or two that count as one.
#[derive(Debug)]
pub struct Listeners {
    first: TcpListener,
    /// On `[::1]`, with the port of the first.
    beside: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(first: TcpListener) -> Self {
        Self { first, beside: None }
    }
}

impl Listeners {
    /// The next connection of either. Cancelling it loses none.
    ///
    /// # Errors
    /// Those of `accept`.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.beside {
            None => self.first.accept().await,
            Some(beside) => tokio::select! {
                accepted = self.first.accept() => accepted,
                accepted = beside.accept() => accepted,
            },
        }
    }
}

/// A face's listeners, and the address that was asked for with the port it got.
pub type Open = (Listeners, SocketAddr);

/// Listens for HTTPS and MQTT.
///
/// # Errors
/// When an address is beyond loopback and that was not allowed, or cannot be had.
pub async fn open(https: SocketAddr, mqtts: SocketAddr, exposure: Exposure) -> Result<(Open, Open), StartError> {
    if collide(https, mqtts) {
        return Err(StartError::SameAddress { port: https.port() });
    }
    let first = (listen(https, exposure).await?, listen(mqtts, exposure).await?);
    // What was asked for comes first: [::1] beside the one may be the address of the other.
    Ok((with_beside(first.0, https).await?, with_beside(first.1, mqtts).await?))
}

/// Whether two listeners want the same place. An unspecified address is every address.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let same_ip = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && same_ip
}

async fn listen(addr: SocketAddr, exposure: Exposure) -> Result<TcpListener, StartError> {
    if exposure == Exposure::LoopbackOnly && !addr.ip().is_loopback() {
        return Err(StartError::NotLoopback { addr });
    }
    bind(addr).await
}

async fn bind(addr: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(addr).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken { addr },
        _ => StartError::Listen { addr, reason: error.to_string() },
    })
}

/// Adds `[::1]` to a listener on `127.0.0.1`, where the system has it and the port is free there. A free port that is not free
/// there is changed for another one.
async fn with_beside(mut first: TcpListener, asked: SocketAddr) -> Result<Open, StartError> {
    let mut tries = if asked.port() == 0 { TRIES } else { 1 };
    loop {
        let addr = first.local_addr().map_err(|error| StartError::Listen { addr: asked, reason: error.to_string() })?;
        if addr.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
            return Ok((first.into(), addr));
        }
        let beside = SocketAddr::from((Ipv6Addr::LOCALHOST, addr.port()));
        tries -= 1;
        match TcpListener::bind(beside).await {
            Ok(beside) => return Ok((Listeners { first, beside: Some(beside) }, addr)),
            Err(error) if tries > 0 && error.kind() == io::ErrorKind::AddrInUse => first = bind(asked).await?,
            Err(error) => {
                tracing::info!(%addr, %error, "clients that take localhost for ::1 will not reach this port");
                return Ok((first.into(), addr));
            }
        }
    }
}
