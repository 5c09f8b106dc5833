//! A client made of bytes: it knows just enough MQTT to say what a test wants said, wrong things included.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;
use twinscope::twin::Json;

/// Longer than any answer takes, shorter than a person waits for a hanging test.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// One packet of the server, taken apart no further than needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// Session present, return code.
    ConnAck(u8, u8),
    /// First byte, topic, body.
    Publish(u8, String, Vec<u8>),
    PubAck(u16),
    SubAck(u16, Vec<u8>),
    UnsubAck(u16),
    Pong,
    /// The server closed the connection.
    End,
}

/// What a CONNECT says; [`Connect::bytes`] writes it.
#[derive(Debug, Clone)]
pub struct Connect {
    pub name: &'static str,
    pub level: u8,
    pub client_id: String,
    pub user_name: Option<String>,
    pub password: Option<String>,
    pub clean: bool,
    pub keep_alive_s: u16,
    /// Topic, body, flags (QoS and retain bits in place).
    pub will: Option<(String, Vec<u8>, u8)>,
}

impl Connect {
    pub fn bytes(&self) -> Vec<u8> {
        let mut flags = u8::from(self.clean) << 1;
        let mut body = text(self.name);
        let mut tail = text(&self.client_id);
        if let Some((topic, payload, bits)) = &self.will {
            flags |= 0b100 | bits;
            tail.extend(text(topic));
            tail.extend(counted(payload));
        }
        if let Some(user_name) = &self.user_name {
            flags |= 0x80;
            tail.extend(text(user_name));
        }
        if let Some(password) = &self.password {
            flags |= 0x40;
            tail.extend(text(password));
        }
        body.extend([self.level, flags]);
        body.extend(self.keep_alive_s.to_be_bytes());
        body.extend(tail);
        packet(0x10, &body)
    }
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    let mut out = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    out.extend(bytes);
    out
}

fn text(text: &str) -> Vec<u8> {
    counted(text.as_bytes())
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length % 128).unwrap();
        length /= 128;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

/// `first` holds the QoS and the retain bit; the packet id is written when the QoS is not 0.
pub fn publish(first: u8, packet_id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = text(topic);
    if first & 0b110 != 0 {
        body.extend(packet_id.to_be_bytes());
    }
    body.extend(payload);
    packet(first, &body)
}

pub fn subscribe(packet_id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    for (filter, qos) in filters {
        body.extend(text(filter));
        body.push(*qos);
    }
    packet(0x82, &body)
}

pub fn unsubscribe(packet_id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    for filter in filters {
        body.extend(text(filter));
    }
    packet(0xa2, &body)
}

pub const PING: &[u8] = &[0xc0, 0];
pub const DISCONNECT: &[u8] = &[0xe0, 0];

/// One end of a connection.
pub struct Wire<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.unwrap();
    }

    /// A server may close while it is sent to.
    pub async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }

    /// The next packet; fails the test when nothing comes.
    pub async fn get(&mut self) -> Got {
        timeout(PATIENCE, self.read()).await.expect("the server says nothing")
    }

    pub async fn expect(&mut self, expected: Got) {
        assert_eq!(self.get().await, expected);
    }

    /// Sends, and expects this next.
    pub async fn ask(&mut self, bytes: &[u8], expected: Got) {
        self.send(bytes).await;
        self.expect(expected).await;
    }

    /// The next PUBLISH as topic and JSON body.
    pub async fn message(&mut self) -> (String, Json) {
        match self.get().await {
            Got::Publish(0x30, topic, body) => (topic, serde_json::from_slice(&body).unwrap()),
            other => panic!("not a PUBLISH of QoS 0: {other:?}"),
        }
    }

    /// The server closes, and says nothing before.
    pub async fn expect_end(&mut self) {
        self.expect(Got::End).await;
    }

    /// The connection lives, and nothing else was on its way.
    pub async fn expect_quiet(&mut self) {
        self.ask(PING, Got::Pong).await;
    }

    async fn read(&mut self) -> Got {
        // However a connection is cut, it is the end.
        self.read_packet().await.unwrap_or(Got::End)
    }

    async fn read_packet(&mut self) -> std::io::Result<Got> {
        let first = self.0.read_u8().await?;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = self.0.read_u8().await?;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        let number = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        Ok(match first {
            0x20 => Got::ConnAck(body[0], body[1]),
            0x30..=0x3f => {
                let topic = usize::from(number(0));
                Got::Publish(first, String::from_utf8(body[2..2 + topic].to_vec()).unwrap(), body[2 + topic..].to_vec())
            }
            0x40 => Got::PubAck(number(0)),
            0x90 => Got::SubAck(number(0), body[2..].to_vec()),
            0xb0 => Got::UnsubAck(number(0)),
            0xd0 => Got::Pong,
            other => panic!("the server sent a packet that begins with {other:#04x}"),
        })
    }
}
