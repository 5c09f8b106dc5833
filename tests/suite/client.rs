//! The client against the local hub and against servers that misbehave.
