//! MQTT 3.1.1 as far as a device needs it, written apart from the hub's own, so that both cannot share a misunderstanding.

use super::args::{PATIENCE, Result};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a server sends to a client that publishes at `QoS` 1 and receives at `QoS` 0.
#[derive(Debug)]
pub enum Packet {
    ConnAck { code: u8 },
    SubAck { granted: Bytes },
    PubAck { id: u16 },
    Publish { topic: String, payload: Bytes },
}

/// Who connects. Without a password no user name is sent either.
pub struct Login<'a> {
    pub client_id: &'a str,
    pub user_and_password: Option<(&'a str, &'a str)>,
}

pub fn connect(login: &Login) -> BytesMut {
    let mut body = BytesMut::new();
    text(&mut body, "MQTT");
    body.put_u8(4);
    // Clean session; with user name and password where there are any.
    body.put_u8(if login.user_and_password.is_some() { 0b1100_0010 } else { 0b0000_0010 });
    // No keep-alive: every client says something once a second, or waits for others in peace.
    body.put_u16(0);
    text(&mut body, login.client_id);
    if let Some((user, password)) = login.user_and_password {
        text(&mut body, user);
        text(&mut body, password);
    }
    packet(0x10, &body)
}

pub fn subscribe(id: u16, filters: &[&str]) -> BytesMut {
    let mut body = BytesMut::new();
    body.put_u16(id);
    for filter in filters {
        text(&mut body, filter);
        body.put_u8(0);
    }
    packet(0x82, &body)
}

/// At `QoS` 1.
pub fn publish(id: u16, topic: &str, payload: &[u8]) -> BytesMut {
    let mut body = BytesMut::with_capacity(topic.len() + payload.len() + 8);
    text(&mut body, topic);
    body.put_u16(id);
    body.put_slice(payload);
    packet(0x32, &body)
}

fn text(out: &mut BytesMut, text: &str) {
    out.put_u16(u16::try_from(text.len()).expect("topics, names and tokens here are far below 64 KB"));
    out.put_slice(text.as_bytes());
}

fn packet(first: u8, body: &[u8]) -> BytesMut {
    let mut out = BytesMut::with_capacity(body.len() + 5);
    out.put_u8(first);
    let mut left = body.len();
    loop {
        let low = u8::try_from(left % 128).expect("a remainder of 128 is below 128");
        left /= 128;
        out.put_u8(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    out.put_slice(body);
    out
}

/// The next whole packet in the buffer.
fn decode(buffer: &mut BytesMut) -> Result<Option<Packet>> {
    let mut length = 0;
    let mut at = 1;
    loop {
        let Some(&byte) = buffer.get(at) else { return Ok(None) };
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
        if at > 4 {
            return Err("a packet's length does not end".into());
        }
    }
    if buffer.len() < at + length {
        return Ok(None);
    }
    let first = buffer[0];
    buffer.advance(at);
    let mut body = buffer.split_to(length).freeze();
    let short = |need: usize| if length < need { Err("a packet is too short") } else { Ok(()) };
    Ok(Some(match first {
        0x20 => {
            short(2)?;
            Packet::ConnAck { code: body[1] }
        }
        0x90 => {
            short(3)?;
            Packet::SubAck { granted: body.slice(2..) }
        }
        0x40 => {
            short(2)?;
            Packet::PubAck { id: body.get_u16() }
        }
        0x30 => {
            short(2)?;
            let topic = usize::from(body.get_u16());
            short(2 + topic)?;
            let topic = String::from_utf8(body.split_to(topic).to_vec())?;
            Packet::Publish { topic, payload: body }
        }
        other => return Err(format!("a packet that begins with {other:#x} was not expected").into()),
    }))
}

/// A TLS connection that speaks MQTT.
pub struct Link {
    stream: TlsStream<TcpStream>,
    received: BytesMut,
}

impl Link {
    /// Connects, logs in and subscribes.
    pub async fn open(addr: SocketAddr, tls: &TlsConnector, login: &Login<'_>, filters: &[&str]) -> Result<Self> {
        tokio::time::timeout(PATIENCE, Self::open_now(addr, tls, login, filters)).await?
    }

    async fn open_now(addr: SocketAddr, tls: &TlsConnector, login: &Login<'_>, filters: &[&str]) -> Result<Self> {
        let socket = TcpStream::connect(addr).await?;
        socket.set_nodelay(true)?;
        let stream = tls.connect(ServerName::try_from("localhost")?, socket).await?;
        let mut link = Self { stream, received: BytesMut::new() };
        link.send(&connect(login)).await?;
        match link.next().await? {
            Packet::ConnAck { code: 0 } => {}
            other => return Err(format!("CONNECT was answered by {other:?}").into()),
        }
        link.send(&subscribe(1, filters)).await?;
        match link.next().await? {
            Packet::SubAck { granted } if granted.len() == filters.len() && granted.iter().all(|code| *code <= 1) => {}
            other => return Err(format!("SUBSCRIBE was answered by {other:?}").into()),
        }
        Ok(link)
    }

    pub async fn send(&mut self, packet: &[u8]) -> Result<()> {
        self.stream.write_all(packet).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// The next packet; may be dropped while it waits without losing one.
    pub async fn next(&mut self) -> Result<Packet> {
        loop {
            if let Some(packet) = decode(&mut self.received)? {
                return Ok(packet);
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }
}
