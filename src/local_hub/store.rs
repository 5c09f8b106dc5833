//! Keeps the registry in a file that survives a pulled plug.
