//! One connection to the service API, kept alive; nothing is retried, so nothing is hidden.

use super::args::{PATIENCE, Result};
use bytes::{Buf, BytesMut};
use rustls::pki_types::ServerName;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The version of the service API that is spoken.
pub const API: &str = "2021-04-12";

/// Where the hub is and how one gets in.
#[derive(Clone)]
pub struct Door {
    pub https: SocketAddr,
    pub tls: TlsConnector,
    /// A token of the owner's policy.
    pub token: String,
}

pub struct Rest {
    stream: TlsStream<TcpStream>,
    received: BytesMut,
    token: String,
}

impl Rest {
    pub async fn open(door: &Door) -> Result<Self> {
        let socket = TcpStream::connect(door.https).await?;
        socket.set_nodelay(true)?;
        let connecting = door.tls.connect(ServerName::try_from("localhost")?, socket);
        let stream = tokio::time::timeout(PATIENCE, connecting).await??;
        Ok(Self { stream, received: BytesMut::new(), token: door.token.clone() })
    }

    /// The body of an answer that is 200; any other is an error.
    pub async fn call(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        let (status, answer) = tokio::time::timeout(PATIENCE, self.exchange(method, path, body)).await??;
        if status != 200 {
            return Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn exchange(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, BytesMut)> {
        let request = format!(
            "{method} {path}?api-version={API} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.stream.flush().await?;
        let end = loop {
            if let Some(at) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.received.split_to(end).to_vec())?.to_ascii_lowercase();
        self.received.advance(4);
        let status = head.split(' ').nth(1).ok_or("an answer has no status")?.parse()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.ok_or("an answer has no length")?.trim().parse()?;
        while self.received.len() < length {
            self.more().await?;
        }
        Ok((status, self.received.split_to(length)))
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err("the hub closed a REST connection".into());
        }
        Ok(())
    }
}
