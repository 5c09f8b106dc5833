//! The certificates: a CA made once per user, name-constrained to loopback names, and the server's leaf.
