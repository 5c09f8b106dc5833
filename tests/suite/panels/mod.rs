//! Panels, found by role and name.

mod scene;
