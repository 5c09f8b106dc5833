//! Panels, found by role and name.
