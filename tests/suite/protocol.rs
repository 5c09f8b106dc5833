//! Both directions of every word on the wire.
