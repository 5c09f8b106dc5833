//! A stream that can be told to break off: of the next bytes written to it half arrive, then it is broken.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Tells a [`Cut`] to break off.
#[derive(Debug, Clone, Default)]
pub struct Knife(Arc<AtomicBool>);

impl Knife {
    /// What is written next is written by half. An answer is handed to the stream in one piece, if it is not a long one.
    pub fn draw(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub struct Cut<S> {
    stream: S,
    knife: Knife,
    /// Half is written; what is left is to get it out.
    half_is_written: bool,
}

impl<S> Cut<S> {
    pub fn new(stream: S, knife: Knife) -> Self {
        Self { stream, knife, half_is_written: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cut<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cut<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if !self.knife.0.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        }
        if !self.half_is_written {
            ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..buf.len() / 2]))?;
            self.half_is_written = true;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, "a fault breaks the answer off")))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
