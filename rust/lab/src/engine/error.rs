//! Messages as an instance sends them, and what can go wrong with the lab itself.

use serde::Serialize;

/// An error or information message of an instance, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SqlMessage {
    pub number: i32,
    pub severity: u8,
    pub state: u8,
    pub message: String,
    /// Procedure that raised it, empty outside of one.
    pub procedure: String,
    pub line: u32,
}

impl SqlMessage {
    /// A message of severity and state as given.
    pub fn new(number: i32, severity: u8, state: u8, message: impl Into<String>) -> Self {
        SqlMessage { number, severity, state, message: message.into(), procedure: String::new(), line: 1 }
    }

    /// The same message, raised inside `procedure`.
    pub fn inside(mut self, procedure: &str, line: u32) -> Self {
        self.procedure = procedure.to_owned();
        self.line = line;
        self
    }
}

impl std::fmt::Display for SqlMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Msg {}, Level {}, State {}: {}", self.number, self.severity, self.state, self.message)
    }
}

impl std::error::Error for SqlMessage {}

/// What keeps a lab from starting or answering.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("the lab's folder or a socket failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("the scenario does not fit together: {0}")]
    Scenario(String),
    #[error("the lab's own statement failed on {instance}: {error}")]
    Sql { instance: String, error: SqlMessage },
    #[error("there is no {0} in this lab")]
    Unknown(String),
}
