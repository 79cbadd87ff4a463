//! The lock of a run on an instance, held by a connection of its own.

use std::fmt;

use chrono::NaiveDateTime;

use crate::error::{Error, ErrorKind, Result};
use crate::names::InstanceName;
use crate::sql::quote::quote_literal;
use crate::sql::statement::call;
use crate::sql::{Connection, Connector, Purpose};

const PREFIX: &str = "PersistentChatFailover:";

/// Who holds a lock, as far as the instance tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    pub host: String,
    pub program: String,
    pub login: String,
    pub spid: i64,
    /// In the instance's local time.
    pub since: Option<NaiveDateTime>,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} ({}, session {})", self.login, self.host, self.program, self.spid)?;
        match self.since {
            Some(since) => write!(f, ", connected since {} of the instance's time", since.format("%Y-%m-%d %H:%M:%S")),
            None => Ok(()),
        }
    }
}

/// A lock that is held while this value lives. It ends with its connection.
#[derive(Debug)]
pub struct Lock {
    connection: Connection,
    resource: String,
}

/// Takes the lock of a database on an instance at once or not at all.
///
/// # Errors
/// `Locked` (5008), naming the holder; whatever connecting brings.
///
/// # Source
/// `sp_getapplock`, owner Session, in `master`: a refusal is a return code below 0.
pub async fn acquire(connector: &Connector, instance: &InstanceName, database: &str) -> Result<Lock> {
    let mut connection = connector.connect(instance, Purpose::Lock).await?;
    let resource = format!("{PREFIX}{}", true_name(&mut connection, database).await?);
    let statement = call(
        "sp_getapplock",
        &[
            ("Resource", quote_literal(&resource)?),
            ("LockMode", "'Exclusive'".to_string()),
            ("LockOwner", "'Session'".to_string()),
            ("LockTimeout", "0".to_string()),
        ],
    );
    match connection.call_code("taking the run's lock", &statement).await? {
        0 | 1 => Ok(Lock { connection, resource }),
        -1 => Err(refused(&mut connection, instance, database, &resource).await),
        code => Err(Error::new(
            ErrorKind::SqlServerRefused,
            format!("{instance}: the run's lock was refused with code {code}."),
        )
        .with_unchanged("Nothing was changed.")
        .with_target(instance.to_string())),
    }
}

/// Takes the locks of a database on several instances, in the order of their names: all or none.
///
/// # Errors
/// As [`acquire`]; the locks taken before are given back.
pub async fn acquire_all(connector: &Connector, instances: &[InstanceName], database: &str) -> Result<Vec<Lock>> {
    let mut ordered: Vec<&InstanceName> = instances.iter().collect();
    ordered.sort_by_key(|name| name.to_string().to_lowercase());
    ordered.dedup_by_key(|name| name.to_string().to_lowercase());
    let mut held = Vec::with_capacity(ordered.len());
    for instance in ordered {
        match acquire(connector, instance, database).await {
            Ok(lock) => held.push(lock),
            Err(error) => {
                for lock in held {
                    lock.release().await;
                }
                return Err(error);
            }
        }
    }
    Ok(held)
}

/// Who holds the lock of a database on an instance; `None` where nobody does.
pub async fn holder(connection: &mut Connection, database: &str) -> Result<Option<LockHolder>> {
    let resource = format!("{PREFIX}{}", true_name(connection, database).await?);
    holder_of(connection, &resource).await
}

impl Lock {
    /// The instance that the lock is on.
    pub fn instance(&self) -> &InstanceName {
        self.connection.instance()
    }

    /// Asks whether the lock is still held. A session's lock ends with the session alone, so an answer is the proof.
    ///
    /// # Errors
    /// `LockLost` (5010): stop before the next change.
    pub async fn check(&mut self) -> Result<()> {
        let spid = self.connection.spid();
        let answered = self.connection.row("checking the run's lock", "SELECT CAST(@@SPID AS int) AS spid", &[]).await;
        let same = match answered {
            Ok(row) => row.map(|row| row.need_int("spid")).transpose()? == Some(i64::from(spid)),
            Err(_) => false,
        };
        if same {
            return Ok(());
        }
        let instance = self.connection.instance();
        Err(Error::new(ErrorKind::LockLost, format!("{instance}: the connection that holds the run's lock was lost."))
            .with_unchanged("Nothing more was changed after it was noticed.")
            .with_next("Check the instance and the network, then resume the run.")
            .with_target(instance.to_string()))
    }

    /// Gives the lock back; closing the connection would do so too.
    pub async fn release(mut self) {
        if let Ok(resource) = quote_literal(&self.resource) {
            let statement =
                call("sp_releaseapplock", &[("Resource", resource), ("LockOwner", "'Session'".to_string())]);
            let _ = self.connection.call_code("giving the run's lock back", &statement).await;
        }
        self.connection.close().await;
    }
}

/// The resource's name is compared by its bytes, so two spellings of one database must become one.
async fn true_name(connection: &mut Connection, database: &str) -> Result<String> {
    let statement = "SELECT d.name FROM master.sys.databases d WHERE d.name = @P1";
    let row = connection.row("reading the database's name", statement, &[&database]).await?;
    Ok(row.map(|row| row.need_text("name")).transpose()?.unwrap_or_else(|| database.to_string()))
}

async fn refused(connection: &mut Connection, instance: &InstanceName, database: &str, resource: &str) -> Error {
    let who = match holder_of(connection, resource).await {
        Ok(Some(holder)) => format!("It is held by {holder}."),
        _ => "Its holder could not be read.".to_string(),
    };
    Error::new(ErrorKind::Locked, format!("{instance}: another run works on `{database}`. {who}"))
        .with_unchanged("Nothing was changed.")
        .with_next("Wait for it to end, or ask its operator; `Get-PChatRun` shows its state.")
        .with_target(instance.to_string())
}

/// The description of an application lock shows the first 32 characters of its resource.
async fn holder_of(connection: &mut Connection, resource: &str) -> Result<Option<LockHolder>> {
    let statement = "SELECT CAST(l.resource_description AS nvarchar(256)) AS description, CAST(l.request_session_id AS int) AS spid, \
        s.host_name, s.program_name, s.login_name, s.login_time \
        FROM master.sys.dm_tran_locks l LEFT JOIN master.sys.dm_exec_sessions s ON s.session_id = l.request_session_id \
        WHERE l.resource_type = N'APPLICATION' AND l.request_mode = N'X' AND l.request_status = N'GRANT'";
    let shown: String = resource.chars().take(32).collect();
    for row in connection.rows("reading the lock's holder", statement, &[]).await? {
        if row.text("description")?.is_some_and(|text| text.contains(&shown)) {
            return Ok(Some(LockHolder {
                host: row.text("host_name")?.unwrap_or_default(),
                program: row.text("program_name")?.unwrap_or_default(),
                login: row.text("login_name")?.unwrap_or_default(),
                spid: row.need_int("spid")?,
                since: row.time("login_time")?,
            }));
        }
    }
    Ok(None)
}
