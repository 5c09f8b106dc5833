//! A WebSocket client made of bytes, wrong ones included, and the same as a carrier of MQTT.

use super::wire::PATIENCE;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;
/// Set in the first byte of a message's last frame.
pub const FIN: u8 = 0x80;

/// A request for a WebSocket as the Python client writes it.
pub const HANDSHAKE: &str = "GET /$iothub/websocket HTTP/1.1\r\nHost: localhost:443\r\nUpgrade: websocket\r\n\
     Connection: Upgrade\r\nOrigin: https://localhost:443\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
     Sec-Websocket-Version: 13\r\nSec-Websocket-Protocol: mqtt\r\n\r\n";

/// A frame of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Final bit, reserved bits and opcode.
    pub first: u8,
    pub payload: Vec<u8>,
}

/// A client's frame: `first` is final bit, reserved bits and opcode.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = head(first, payload.len() as u64, true);
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What stands before mask and payload.
pub fn head(first: u8, length: u64, masked: bool) -> Vec<u8> {
    let mask = u8::from(masked) << 7;
    let mut bytes = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => bytes.push(mask | short),
        (_, Ok(middle)) => {
            bytes.push(mask | 0x7e);
            bytes.extend(middle.to_be_bytes());
        }
        _ => {
            bytes.push(mask | 0x7f);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes
}

/// How a carrier cuts what it is given.
#[derive(Debug, Clone)]
pub enum Framing {
    /// What is sent at once is one frame.
    AsSent,
    /// Frames of so many bytes, again and again; between them a ping, an empty frame, or a frame that continues.
    Cut(Vec<usize>),
}

pub struct Ws<S> {
    stream: S,
    received: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Ws<S> {
    /// Shakes hands.
    pub async fn open(stream: S) -> Self {
        let mut ws = Self { stream, received: Vec::new() };
        ws.send(HANDSHAKE.as_bytes()).await;
        let head = ws.head().await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
        assert!(head.contains("\r\nsec-websocket-protocol: mqtt\r\n"), "{head}");
        ws
    }

    /// A connection that only stays open.
    pub fn silent(stream: S) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// The head of an HTTP answer, in lower case.
    async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                return String::from_utf8(self.received.drain(..at + 4).collect()).unwrap().to_ascii_lowercase();
            }
            assert!(timeout(PATIENCE, self.more()).await.expect("the hub answers"), "the hub closed instead");
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.unwrap();
    }

    pub async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next frame; `None` when the server closed without one.
    pub async fn get(&mut self) -> Option<Frame> {
        timeout(PATIENCE, self.read()).await.expect("the server says nothing")
    }

    /// The server says goodbye for this reason, and closes.
    pub async fn expect_close(&mut self, code: u16) {
        assert_eq!(self.get().await, Some(Frame { first: FIN | CLOSE, payload: code.to_be_bytes().to_vec() }));
        assert_eq!(self.get().await, None);
    }

    pub async fn expect_binary(&mut self, payload: &[u8]) {
        assert_eq!(self.get().await, Some(Frame { first: FIN | BINARY, payload: payload.to_vec() }));
    }

    /// May be dropped while it waits without losing bytes.
    async fn read(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take() {
                return Some(frame);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let (&first, &second) = (self.received.first()?, self.received.get(1)?);
        assert_eq!(second & 0x80, 0, "a server does not mask");
        let (start, length) = match second {
            126 => (4, usize::from(u16::from_be_bytes(self.received.get(2..4)?.try_into().unwrap()))),
            127 => (10, usize::try_from(u64::from_be_bytes(self.received.get(2..10)?.try_into().unwrap())).unwrap()),
            short => (2, usize::from(short)),
        };
        let payload = self.received.get(start..start + length)?.to_vec();
        self.received.drain(..start + length);
        Some(Frame { first, payload })
    }

    async fn more(&mut self) -> bool {
        let mut chunk = vec![0; 16 * 1024];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.received.extend(&chunk[..count]);
                true
            }
        }
    }

    /// What is written into the returned end leaves in frames, what comes in frames is read from it. It ends when the server
    /// says goodbye.
    pub fn carry(mut self, framing: Framing) -> DuplexStream {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            let mut cuts = match framing {
                Framing::AsSent => Vec::new(),
                Framing::Cut(cuts) => cuts,
            }
            .into_iter()
            .cycle()
            .enumerate();
            let mut chunk = vec![0; 64 * 1024];
            loop {
                tokio::select! {
                    frame = self.read() => match frame {
                        Some(Frame { first: 0x82, payload }) if far.write_all(&payload).await.is_ok() => {}
                        Some(Frame { first: 0x8a, .. }) => {}
                        _ => return,
                    },
                    count = far.read(&mut chunk) => {
                        let Ok(count @ 1..) = count else { return };
                        if self.try_send(&cut(&chunk[..count], &mut cuts)).await.is_err() {
                            return;
                        }
                    }
                }
            }
        });
        near
    }
}

/// Frames for `bytes`.
fn cut(mut bytes: &[u8], cuts: &mut impl Iterator<Item = (usize, usize)>) -> Vec<u8> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (n, at) = cuts.next().map_or((0, bytes.len()), |(n, at)| (n, at.clamp(1, bytes.len())));
        let (now, rest) = bytes.split_at(at);
        match n % 4 {
            1 => frames.extend([frame(BINARY, now), frame(FIN | PING, b"in between"), frame(FIN, b"")].concat()),
            2 => frames.extend([frame(FIN | BINARY, b""), frame(FIN | PONG, b""), frame(FIN | BINARY, now)].concat()),
            3 => frames.extend([frame(BINARY, b""), frame(CONTINUATION, b""), frame(FIN, now)].concat()),
            _ => frames.extend(frame(FIN | BINARY, now)),
        }
        bytes = rest;
    }
    frames
}
