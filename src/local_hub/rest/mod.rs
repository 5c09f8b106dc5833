//! The HTTPS face: the service API.
