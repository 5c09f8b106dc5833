//! Laws and cases of the pure twin room.
