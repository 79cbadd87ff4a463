//! Sessions as an instance lists them: who may enter a database, and what KILL does.

use super::build::SERVICE_GROUP;
use super::error::SqlMessage;
use super::model::{Access, Database, State, World};
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use tokio::sync::Notify;

/// Tells a session that it was ended.
#[derive(Default)]
pub struct Ended {
    flag: AtomicBool,
    notify: Notify,
}

impl Ended {
    /// True once the session was ended.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// Ends the session.
    pub fn set(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Waits for the end.
    pub async fn wait(&self) {
        loop {
            let notified = self.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.is_set() {
                return;
            }
            notified.await;
        }
    }
}

/// What a client says of itself when it logs in.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    pub login: String,
    pub program: String,
    pub host: String,
    pub library: String,
    pub process_id: u32,
    pub address: String,
    pub encrypted: bool,
}

/// What a session is doing.
#[derive(Clone, Debug)]
pub struct Request {
    pub command: String,
    pub started: DateTime<Utc>,
    pub percent: f32,
    pub estimated_ms: i64,
    /// A RESTORE, BACKUP or ALTER DATABASE works on this database.
    pub target: Option<u16>,
}

/// Ends the connection behind a session.
pub type Closer = Arc<dyn Fn() + Send + Sync>;

/// A row of the session views.
#[derive(Clone)]
pub struct SessionEntry {
    pub client: ClientInfo,
    pub login_time: DateTime<Utc>,
    pub last_batch: DateTime<Utc>,
    /// Id of the current database.
    pub database: u16,
    pub request: Option<Request>,
    pub transactions: i32,
    pub ended: Arc<Ended>,
    /// Rollback after KILL: begin and end in the lab's real milliseconds.
    pub rollback: Option<(u64, u64)>,
    pub user_process: bool,
    pub language: String,
    pub lock_timeout: i32,
    pub sysadmin: bool,
    pub view_all: bool,
    pub closer: Option<Closer>,
    /// Error that the session's CATCH block handles.
    pub caught: Option<SqlMessage>,
}

impl SessionEntry {
    /// Percent of the rollback that is done at `now_ms`.
    pub fn rolled_back_percent(&self, now_ms: u64) -> u64 {
        self.rollback.map_or(100, |(begin, end)| (now_ms.saturating_sub(begin) * 100 / (end - begin).max(1)).min(99))
    }
}

impl World {
    /// Forgets sessions whose rollback is over.
    pub fn reap(&mut self, instance: usize, now_ms: u64) {
        let inst = &mut self.instances[instance];
        let over: Vec<u16> = inst
            .sessions
            .iter()
            .filter(|(_, s)| s.request.is_none() && s.rollback.is_some_and(|(_, end)| end <= now_ms))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.forget(instance, id);
        }
    }

    /// The lowest free session id for a user.
    pub fn free_session_id(&self, instance: usize) -> u16 {
        let sessions = &self.instances[instance].sessions;
        (51..u16::MAX).find(|id| !sessions.contains_key(id)).unwrap_or(u16::MAX)
    }

    /// Removes a session and its locks.
    pub fn forget(&mut self, instance: usize, session: u16) {
        let inst = &mut self.instances[instance];
        inst.sessions.remove(&session);
        inst.app_locks.retain(|l| l.session != session);
        for database in &mut inst.databases {
            if database.single_user == Some(session) {
                database.single_user = None;
            }
        }
    }

    /// User sessions whose current database is `database`, without `but`.
    pub fn sessions_in(&self, instance: usize, database: u16, but: Option<u16>) -> Vec<u16> {
        self.instances[instance]
            .sessions
            .iter()
            .filter(|(id, s)| s.user_process && s.database == database && Some(**id) != but)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Ends a session: at once, or after the rollback time that is set. Returns the milliseconds of the rollback.
    pub fn end_session(&mut self, instance: usize, session: u16, now_ms: u64) -> u64 {
        let delay = self.rollback_ms(instance);
        let Some(entry) = self.instances[instance].sessions.get_mut(&session) else { return 0 };
        entry.ended.set();
        if let Some(closer) = entry.closer.clone() {
            closer();
        }
        if entry.rollback.is_some() {
            return 0;
        }
        if delay > 0 || entry.request.is_some() {
            entry.rollback = Some((now_ms, now_ms + delay));
        } else {
            self.forget(instance, session);
        }
        delay
    }

    /// Why a session may not make `database` its own; `None` when it may.
    ///
    /// # Errors
    /// 927, 922, 926, 942, 945, 954, 924 (single user), 916 (restricted or no user).
    pub fn bar(&self, instance: usize, database: &Database, session: u16, login: &str) -> Option<SqlMessage> {
        let name = &database.name;
        let message = |number, severity, text: String| Some(SqlMessage::new(number, severity, 1, text));
        if let Some(message) = closed_state(database) {
            return Some(message);
        }
        let sysadmin = self.is_sysadmin(instance, login);
        match database.access {
            Access::Single => {
                let others = self.sessions_in(instance, database.id, Some(session));
                if !others.is_empty() || database.single_user.is_some_and(|owner| owner != session) {
                    return message(
                        924,
                        14,
                        format!("Database '{name}' is already open and can only have one user at a time."),
                    );
                }
            }
            Access::Restricted if !sysadmin => {
                return message(
                    916,
                    14,
                    format!(
                        "The server principal \"{login}\" is not able to access the database \"{name}\" under the current security context."
                    ),
                );
            }
            _ => {}
        }
        if !sysadmin && !database.system && !self.has_user(instance, database, login) {
            return message(
                916,
                14,
                format!(
                    "The server principal \"{login}\" is not able to access the database \"{name}\" under the current security context."
                ),
            );
        }
        None
    }

    fn has_user(&self, instance: usize, database: &Database, login: &str) -> bool {
        let inst = &self.instances[instance];
        inst.same(&database.owner, login)
            || inst.login(login).is_some_and(|l| {
                // Machine and service accounts come in through their group.
                database.users.iter().any(|u| u.sid == l.sid || (l.windows && u.name == SERVICE_GROUP))
            })
    }

    /// Sysadmin by the login list, unless a fault takes it away.
    pub fn is_sysadmin(&self, instance: usize, login: &str) -> bool {
        let inst = &self.instances[instance];
        let refused = self.faults.iter().any(|f| match f {
            crate::faults::Fault::NotSysadmin { instance: on, login: name } => {
                self.find_instance(on) == Some(instance)
                    && name.as_deref().is_none_or(|n| n.eq_ignore_ascii_case(login))
            }
            _ => false,
        });
        !refused && inst.login(login).is_some_and(|l| l.settings.sysadmin)
    }

    fn rollback_ms(&self, instance: usize) -> u64 {
        let slow = self.faults.iter().find_map(|f| match f {
            crate::faults::Fault::SlowRollback { instance: on, milliseconds }
                if self.find_instance(on) == Some(instance) =>
            {
                Some(*milliseconds)
            }
            _ => None,
        });
        slow.unwrap_or(self.rates.rollback_milliseconds)
    }
}

/// What the state of a database says to someone who wants to read it.
pub fn closed_state(database: &Database) -> Option<SqlMessage> {
    let name = &database.name;
    let (number, state, text) = match database.state {
        State::Online => return None,
        State::Restoring if database.is_mirror_copy() => {
            (954, 1, format!("The database \"{name}\" cannot be opened. It is acting as a mirror database."))
        }
        State::Restoring => {
            (927, 2, format!("Database '{name}' cannot be opened. It is in the middle of a restore."))
        }
        State::Recovering => {
            (922, 1, format!("Database '{name}' is being recovered. Waiting until recovery is finished."))
        }
        State::RecoveryPending => (
            945,
            2,
            format!(
                "Database '{name}' cannot be opened due to inaccessible files or insufficient memory or disk space.  See the SQL Server errorlog for details."
            ),
        ),
        State::Suspect => (
            926,
            1,
            format!(
                "Database '{name}' cannot be opened. It has been marked SUSPECT by recovery. See the SQL Server errorlog for more information."
            ),
        ),
        State::Offline => (942, 4, format!("Database '{name}' cannot be opened because it is offline.")),
    };
    let severity = if number == 945 { 16 } else { 14 };
    Some(SqlMessage::new(number, severity, state, text))
}
