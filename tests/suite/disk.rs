//! Settings, connections and secrets.
