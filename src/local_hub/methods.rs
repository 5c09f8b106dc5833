//! Direct methods: a call waits for the identity's answer over MQTT.

/// Calls that wait for an answer.
#[derive(Debug, Default)]
pub struct Calls {}
