//! Talks to a hub: the service API over HTTPS (`hub`), a device's or module's own connection over MQTT (`link`), and the
//! trust both share (`trust`). Knows nothing of the local hub: it meets it only through a socket.
//!
//! `http` is one exchange and its repetition (`retry`), `token` signs, `certificate` is shown instead of a token, `methods` calls
//! devices, `messages` sends to them, `own` asks what only our own hubs have, `probe` tries a connection string out.

mod cause;
mod certificate;
pub mod error;
mod http;
pub mod hub;
pub mod link;
mod messages;
mod methods;
mod own;
pub mod probe;
pub mod retry;
mod token;
pub mod trust;

pub use certificate::{CertificateError, ClientCertificate};
pub use error::HubError;
pub use hub::HubClient;
pub use link::{DeviceLink, LinkEvent, LinkState};
pub use messages::FeedbackBatch;
pub use probe::{ProbeReport, Verdict, probe};
pub use retry::RetryPolicy;
pub use trust::Trust;
