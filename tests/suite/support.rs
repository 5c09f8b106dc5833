//! What several tests need: a hub on free ports, raw sockets.
