//! A WebSocket as the stream of bytes that MQTT is. Inbound the frames' borders mean nothing: a packet may come in several
//! frames, and a frame may hold several packets. Outbound each packet is a frame of its own: the Python client's MQTT library
//! overlooks a second packet in a frame until more bytes come.

use crate::local_hub::mqtt::packet::MAX_BODY;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// Bytes of a frame, and of a message in several, that are taken: the largest packet there is with its head. A length beyond is
/// refused as soon as it is read.
const MAX_MESSAGE: usize = MAX_BODY + 5;
/// Bytes a connection holds to read into.
const READ_BUFFER: usize = 8 * 1024;
/// Bytes of small frames that go out together. A packet is accepted only while no more than these wait.
const WRITE_BUFFER: usize = 8 * 1024;

/// Reads and writes MQTT; see the module.
pub struct MqttStream<S> {
    socket: WebSocketStream<S>,
    /// What is left of the message that came last.
    unread: Bytes,
    /// What the peer is told at the end.
    farewell: CloseCode,
    closing: Closing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    NotYet,
    /// The close frame waits to leave.
    Said,
    /// It has left, or cannot.
    Done,
}

impl<S: AsyncRead + AsyncWrite + Unpin> MqttStream<S> {
    /// Over a connection whose handshake is done.
    pub async fn new(stream: S) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(MAX_MESSAGE))
            .max_message_size(Some(MAX_MESSAGE))
            .accept_unmasked_frames(false);
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        Self { socket, unread: Bytes::new(), farewell: CloseCode::Normal, closing: Closing::NotYet }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.closing == Closing::NotYet {
            let ready = ready!(self.socket.poll_ready_unpin(cx));
            let frame = CloseFrame { code: self.farewell, reason: Utf8Bytes::default() };
            // Errors here and below: the peer has closed already, or is gone.
            let said = ready.and_then(|()| self.socket.start_send_unpin(Message::Close(Some(frame))));
            self.closing = if said.is_ok() { Closing::Said } else { Closing::Done };
        }
        if self.closing == Closing::Said {
            let _sent = ready!(self.socket.poll_flush_unpin(cx));
            self.closing = Closing::Done;
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MqttStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if !self.unread.is_empty() {
                let count = self.unread.len().min(buf.remaining());
                buf.put_slice(&self.unread.split_to(count));
                return Poll::Ready(Ok(()));
            }
            match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.unread = bytes,
                Some(Ok(Message::Text(_))) => {
                    self.farewell = CloseCode::Unsupported;
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a text frame")));
                }
                // A ping's pong, and the answer to a close, leave with the next read.
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.farewell = match &error {
                        Error::Capacity(_) => CloseCode::Size,
                        Error::Utf8(_) => CloseCode::Invalid,
                        _ => CloseCode::Protocol,
                    };
                    return Poll::Ready(Err(broken(error)));
                }
                None => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MqttStream<S> {
    /// Takes one packet, whole, when the frames before it have left but for a few small ones.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let packet = first_packet(buf);
        if packet.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.socket.poll_ready_unpin(cx)).map_err(broken)?;
        self.socket.start_send_unpin(Message::Binary(Bytes::copy_from_slice(packet))).map_err(broken)?;
        Poll::Ready(Ok(packet.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_flush_unpin(cx).map_err(broken)
    }

    /// Says goodbye in the WebSocket's way, then in that of the stream below. The peer's own goodbye is not waited for.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_close(cx));
        Pin::new(self.socket.get_mut()).poll_shutdown(cx)
    }
}

/// The packet that `bytes` begin with, or all of them when they are none: they are our own, and begin with one.
fn first_packet(bytes: &[u8]) -> &[u8] {
    let mut length = 0;
    for (at, byte) in bytes.iter().enumerate().skip(1).take(4) {
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        if byte & 0x80 == 0 {
            return bytes.get(..=at + length).unwrap_or(bytes);
        }
    }
    bytes
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}
