//! Journeys: the whole program against the local hub.
