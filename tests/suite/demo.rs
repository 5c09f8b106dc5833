//! The simulated devices.
