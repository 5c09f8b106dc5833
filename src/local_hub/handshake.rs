//! The TLS handshake of both faces, and why one failed. Whoever cannot connect looks for the reason in the log, so it is told
//! apart: a port check, a client that refuses the hub's certificate, a client that does not speak TLS.

use rustls::AlertDescription;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("it was closed before the client said anything, as by a check whether the port is open")]
    Unused,
    #[error("the client does not trust the hub's CA file (TLS alert {0:?})")]
    Distrusted(AlertDescription),
    /// Some TLS libraries say so too when they do not know the CA.
    #[error(
        "the client refuses the hub's certificate (TLS alert {0:?}): it does not trust the hub's CA file, or calls the hub by a name that the certificate does not have"
    )]
    Refused(AlertDescription),
    /// The certificate was sent. Some TLS libraries refuse it without an alert.
    #[error(
        "the client closed the connection during the handshake without a reason; some do so when they do not trust the hub's CA file"
    )]
    Left,
    #[error("what the client sent is not TLS: {0}")]
    NotTls(String),
    #[error("it took too long")]
    TooLong,
    #[error("{0}")]
    Other(io::Error),
}

impl Failed {
    /// Before the client's first message was whole.
    fn early(error: io::Error) -> Self {
        match tls_error(&error) {
            Some(rustls::Error::InvalidMessage(what)) => Self::NotTls(format!("{what:?}")),
            None if is_end(&error) => Self::Unused,
            Some(_) | None => Self::Other(error),
        }
    }

    /// After the hub answered it.
    fn late(error: io::Error) -> Self {
        match tls_error(&error) {
            Some(rustls::Error::AlertReceived(alert)) => match alert {
                AlertDescription::UnknownCA => Self::Distrusted(*alert),
                AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateExpired => Self::Refused(*alert),
                _ => Self::Other(error),
            },
            None if is_end(&error) => Self::Left,
            Some(_) | None => Self::Other(error),
        }
    }

    /// Tells the log. `face` is what the connection was for.
    pub fn tell(&self, face: &'static str) {
        match self {
            Self::Unused => tracing::debug!(face, reason = %self, "a connection was not used"),
            Self::Distrusted(_) | Self::Refused(_) | Self::Left | Self::NotTls(_) | Self::TooLong | Self::Other(_) => {
                tracing::info!(face, reason = %self, "a TLS handshake failed");
            }
        }
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether the peer closed, in any way.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// Makes a TLS connection of what was accepted, within this time.
///
/// # Errors
/// Why there is none.
pub async fn accept<S>(stream: S, tls: &TlsAcceptor, limit: Duration) -> Result<TlsStream<S>, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let end = Instant::now() + limit;
    let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let hello = timeout_at(end, hello).await.map_err(|_elapsed| Failed::TooLong)?.map_err(Failed::early)?;
    let finished = timeout_at(end, hello.into_stream(tls.config().clone()));
    finished.await.map_err(|_elapsed| Failed::TooLong)?.map_err(Failed::late)
}
