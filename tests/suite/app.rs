//! The foreground half: actions, events, what the state becomes.
