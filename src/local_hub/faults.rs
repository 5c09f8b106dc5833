//! What goes wrong on purpose, for people who test their own clients; reproducible by seed.

/// Faults to begin with.
#[derive(Debug, Clone, Default)]
pub struct Plan {}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults {}

impl Faults {
    #[must_use]
    pub fn new(_plan: &Plan) -> Self {
        Self::default()
    }
}
