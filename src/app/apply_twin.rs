//! Event → state, for one twin.
