//! The error a statement ends with, as SQL Server would send it.

/// Who says no: the simulated server in SQL Server's own words, or the simulation itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An error that SQL Server sends for this statement.
    Server,
    /// T-SQL that this engine does not know. The lab counts these; a real server may well know it.
    UnknownStatement,
}

/// An error as it goes onto the wire.
///
/// `line` is the line within the batch, counted from 1; 0 when the place is not known.
///
/// # Source
/// "Database Engine events and errors" for numbers, severities and texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Msg {number}, Level {severity}, State {state}: {message}")]
pub struct SqlError {
    pub number: i32,
    pub severity: u8,
    pub state: u8,
    pub message: String,
    pub line: u32,
    pub kind: ErrorKind,
}

/// The number under which the lab reports T-SQL that it does not know; user numbers start at 50000.
pub const UNKNOWN_STATEMENT: i32 = 50404;

impl SqlError {
    /// An error of the simulated server with state 1.
    pub fn new(number: i32, severity: u8, message: impl Into<String>) -> Self {
        SqlError { number, severity, state: 1, message: message.into(), line: 0, kind: ErrorKind::Server }
    }

    /// T-SQL outside what is simulated; `what` names the construct or quotes the text.
    pub fn unknown(what: impl std::fmt::Display) -> Self {
        SqlError {
            kind: ErrorKind::UnknownStatement,
            ..SqlError::new(UNKNOWN_STATEMENT, 16, format!("unknown T-SQL for the lab: {what}"))
        }
    }

    /// True when the lab has to count this as T-SQL that it does not know.
    pub fn is_unknown(&self) -> bool {
        self.kind == ErrorKind::UnknownStatement
    }

    /// The same error with another state.
    pub fn with_state(mut self, state: u8) -> Self {
        self.state = state;
        self
    }

    /// The same error at `line` of the batch, unless a line is set already.
    pub fn at_line(mut self, line: u32) -> Self {
        if self.line == 0 {
            self.line = line;
        }
        self
    }

    /// 102: the parser stopped at `near`.
    pub fn syntax(near: &str) -> Self {
        let near: String = near.chars().take(128).collect();
        SqlError::new(102, 15, format!("Incorrect syntax near '{near}'."))
    }

    /// 156: a reserved word stands where none may stand.
    pub fn syntax_keyword(word: &str) -> Self {
        SqlError::new(156, 15, format!("Incorrect syntax near the keyword '{word}'."))
    }

    /// 137: a variable is used before it is declared.
    pub fn undeclared(variable: &str) -> Self {
        SqlError::new(137, 15, format!("Must declare the scalar variable \"{variable}\".")).with_state(2)
    }

    /// 207: no table in scope has this column.
    pub fn invalid_column(name: &str) -> Self {
        SqlError::new(207, 16, format!("Invalid column name '{name}'."))
    }

    /// 208: no table, view or table function has this name.
    pub fn invalid_object(name: &str) -> Self {
        SqlError::new(208, 16, format!("Invalid object name '{name}'."))
    }
}
