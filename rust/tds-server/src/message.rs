//! Errors and informational messages the server sends.

/// What an ERROR or INFO token carries. Server and line have defaults that suit
/// most answers; `ServerMessage::new(4305, 16, "...")` is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMessage {
    pub number: i32,
    pub state: u8,
    /// Severity. INFO of class 10 leaves as class 0, as SQL Server does it.
    pub class: u8,
    pub text: String,
    /// Empty: the name of the configured server.
    pub server: String,
    /// Empty outside a procedure.
    pub procedure: String,
    pub line: u32,
}

impl ServerMessage {
    pub fn new(number: i32, class: u8, text: impl Into<String>) -> Self {
        Self { number, state: 1, class, text: text.into(), server: String::new(), procedure: String::new(), line: 1 }
    }

    /// An informational message, severity 0.
    pub fn info(number: i32, text: impl Into<String>) -> Self {
        Self::new(number, 0, text)
    }

    pub fn state(mut self, state: u8) -> Self {
        self.state = state;
        self
    }

    pub fn line(mut self, line: u32) -> Self {
        self.line = line;
        self
    }

    pub fn procedure(mut self, name: impl Into<String>) -> Self {
        self.procedure = name.into();
        self
    }

    /// 18456, `Login failed for user`.
    pub fn login_failed(user: &str) -> Self {
        Self::new(18456, 14, format!("Login failed for user '{user}'."))
    }

    /// 596, sent to a session that another one has ended with KILL.
    pub fn killed() -> Self {
        Self::new(596, 21, "Cannot continue the execution because the session is in the kill state.")
    }
}

/// Why a login is refused: the messages in the order they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginError {
    pub messages: Vec<ServerMessage>,
}

impl LoginError {
    /// 18456 alone.
    pub fn login_failed(user: &str) -> Self {
        Self::from(ServerMessage::login_failed(user))
    }

    /// 4060 then 18456: the login names a database that cannot be opened.
    pub fn cannot_open_database(database: &str, user: &str) -> Self {
        let text = format!("Cannot open database \"{database}\" requested by the login. The login failed.");
        Self { messages: vec![ServerMessage::new(4060, 11, text), ServerMessage::login_failed(user)] }
    }

    /// 18452: the server does not take Windows logins from there.
    pub fn untrusted_domain() -> Self {
        let text =
            "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.";
        Self::from(ServerMessage::new(18452, 14, text))
    }
}

impl From<ServerMessage> for LoginError {
    fn from(message: ServerMessage) -> Self {
        Self { messages: vec![message] }
    }
}

impl From<Vec<ServerMessage>> for LoginError {
    fn from(messages: Vec<ServerMessage>) -> Self {
        Self { messages }
    }
}
