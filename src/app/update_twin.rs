//! Action → state and commands, for one twin.
