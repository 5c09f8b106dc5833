//! Talks to a hub: the service API over HTTPS (`hub`), a device's or module's own connection over MQTT (`link`), and the
//! trust both share (`trust`). Knows nothing of the local hub: it meets it only through a socket.

pub mod error;
pub mod hub;
pub mod link;
pub mod trust;

pub use error::HubError;
pub use hub::HubClient;
pub use link::{DeviceLink, LinkEvent, LinkState};
pub use trust::Trust;
