//! What the Lync side needs from the rest of the lab: instances to connect to and to command, shares, the clock and the
//! list of effects. The engine stands behind it in a lab, a small stand-in in this folder's tests.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Who opens a session, as the session lists of the instance will show it.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub host: String,
    pub program: String,
    pub login: String,
}

/// A session that the pool side holds open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub u64);

/// One database as the pool side sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabaseSeen {
    /// The instance answers.
    pub reachable: bool,
    pub exists: bool,
    /// `state_desc`; empty when not reachable or absent.
    pub state: String,
    pub read_only: bool,
    pub mirroring: Option<MirroringSeen>,
}

impl DatabaseSeen {
    /// Online and open for writing: good enough to chat.
    pub fn serves(&self) -> bool {
        self.reachable && self.exists && self.state == "ONLINE" && !self.read_only
    }
}

/// One side of a mirroring session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirroringSeen {
    pub principal: bool,
    /// `mirroring_state_desc`.
    pub state: String,
}

/// What a native command has done to a database by the instance that hosts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseCommand {
    BackupDatabase {
        to: String,
    },
    BackupLog {
        to: String,
        /// Outside of the chain of log backups.
        copy_only: bool,
    },
    /// `WITH NORECOVERY`, over whatever is there.
    RestoreDatabase {
        from: String,
    },
    /// `WITH NORECOVERY`.
    RestoreLog {
        from: String,
    },
    /// Mirroring partner as `TCP://host:port`.
    SetPartner {
        endpoint: String,
    },
    PartnerOff,
    PartnerFailover,
    /// On a mirror whose principal does not answer.
    PartnerForce,
    Drop,
}

impl DatabaseCommand {
    /// The command as T-SQL for `database`.
    pub fn sql(&self, database: &str) -> String {
        let name = database.replace(']', "]]");
        let text = |value: &str| value.replace('\'', "''");
        match self {
            DatabaseCommand::BackupDatabase { to } => {
                format!("BACKUP DATABASE [{name}] TO DISK = N'{}' WITH FORMAT, INIT", text(to))
            }
            DatabaseCommand::BackupLog { to, copy_only } => {
                let chain = if *copy_only { ", COPY_ONLY" } else { "" };
                format!("BACKUP LOG [{name}] TO DISK = N'{}' WITH FORMAT, INIT{chain}", text(to))
            }
            DatabaseCommand::RestoreDatabase { from } => {
                format!("RESTORE DATABASE [{name}] FROM DISK = N'{}' WITH NORECOVERY, REPLACE", text(from))
            }
            DatabaseCommand::RestoreLog { from } => {
                format!("RESTORE LOG [{name}] FROM DISK = N'{}' WITH NORECOVERY", text(from))
            }
            DatabaseCommand::SetPartner { endpoint } => {
                format!("ALTER DATABASE [{name}] SET PARTNER = N'{}'", text(endpoint))
            }
            DatabaseCommand::PartnerOff => format!("ALTER DATABASE [{name}] SET PARTNER OFF"),
            DatabaseCommand::PartnerFailover => format!("ALTER DATABASE [{name}] SET PARTNER FAILOVER"),
            DatabaseCommand::PartnerForce => {
                format!("ALTER DATABASE [{name}] SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS")
            }
            DatabaseCommand::Drop => format!("DROP DATABASE [{name}]"),
        }
    }
}

/// The rest of the lab. Instances are named as the engine names them (`B\RTC`). Refusals are texts for people.
#[async_trait]
pub trait Outside: Send + Sync + 'static {
    /// The lab's clock.
    fn now_utc(&self) -> DateTime<Utc>;

    /// Opens a session whose current database is `database`; it stays open until closed here or ended there.
    async fn open_session(&self, who: &Visitor, instance: &str, database: &str) -> Result<SessionId, String>;

    /// Whether the session is still open on the instance's side.
    fn session_is_open(&self, session: SessionId) -> bool;

    fn close_session(&self, session: SessionId);

    fn database(&self, instance: &str, database: &str) -> DatabaseSeen;

    /// Has the instance carry out a command, with the rights of an administrator.
    async fn command(&self, instance: &str, database: &str, command: DatabaseCommand) -> Result<(), String>;

    /// Whether the share or folder below it can be opened from the shell's machine.
    fn share_is_there(&self, unc: &str) -> bool;

    /// Enters a change of the Lync side in the lab's list of effects.
    fn note_effect(&self, kind: &str, target: &str, detail: Value);
}
