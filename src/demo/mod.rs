//! Plays the demo fleet: simulated devices that are real MQTT clients of the local hub, through the same client code as everything else.
