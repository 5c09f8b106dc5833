//! The name of a twin: a device, or a module of a device.

use std::fmt;

/// A device, or a module of a device. Ids are case-sensitive. Orders by device, then module, so that a device stands
/// before its modules.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TwinId {
    pub device: String,
    /// `None` for the twin of the device itself.
    pub module: Option<String>,
}

/// What is wrong with an id somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdProblem {
    #[error("an id cannot be empty")]
    Empty,
    #[error("an id has at most 128 characters, this one has {0}")]
    TooLong(usize),
    #[error("{0:?} is not allowed in an id (letters, digits and - . + % _ # * ? ! ( ) , : = @ $ ' ; only)")]
    Character(char),
}

impl TwinId {
    #[must_use]
    pub fn device(device: impl Into<String>) -> Self {
        Self { device: device.into(), module: None }
    }

    #[must_use]
    pub fn module(device: impl Into<String>, module: impl Into<String>) -> Self {
        Self { device: device.into(), module: Some(module.into()) }
    }

    /// The device this twin belongs to, as an id of its own.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self::device(self.device.clone())
    }

    /// Checks one id (a device's or a module's) against the hub's alphabet: 1 to 128 ASCII letters, digits and
    /// `- . + % _ # * ? ! ( ) , : = @ $ ' ;`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(id: &str) -> Result<(), IdProblem> {
        if id.is_empty() {
            return Err(IdProblem::Empty);
        }
        if let Some(c) = id.chars().find(|c| !(c.is_ascii_alphanumeric() || "-.+%_#*?!(),:=@$';".contains(*c))) {
            return Err(IdProblem::Character(c));
        }
        if id.len() > 128 {
            return Err(IdProblem::TooLong(id.len()));
        }
        Ok(())
    }
}

/// `device` or `device/module`. `/` is legal in neither, so the text is unambiguous.
impl fmt::Display for TwinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.module {
            Some(module) => write!(f, "{}/{module}", self.device),
            None => f.write_str(&self.device),
        }
    }
}

impl std::str::FromStr for TwinId {
    type Err = IdProblem;

    fn from_str(text: &str) -> Result<Self, IdProblem> {
        let (device, module) = match text.split_once('/') {
            Some((device, module)) => (device, Some(module)),
            None => (text, None),
        };
        Self::check(device)?;
        if let Some(module) = module {
            Self::check(module)?;
        }
        Ok(Self { device: device.to_owned(), module: module.map(str::to_owned) })
    }
}
