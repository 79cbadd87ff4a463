//! One connection to one instance.
//!
//! A connection that met a time-out, a fault or a dropped future is thrown away on the spot: what the server does with
//! the statement is then unknown, and an answer still on the wire would be taken for that of the next one.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tiberius::{Client, ToSql};
use tokio::net::TcpStream;
use tokio_util::compat::Compat;

use crate::error::{Error, ErrorKind, Result, SqlServerError};
use crate::names::InstanceName;
use crate::sql::certificate::Recorded;
use crate::sql::fault;
use crate::sql::row::Row;
use crate::trace::Trace;

pub(super) type Driver = Client<Compat<Recorded<TcpStream>>>;

/// What a connection is for; its statements have the limit that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Is anybody there: 5 seconds.
    Probe,
    /// Reading catalogs and msdb: 30 seconds.
    Catalog,
    /// Reading folders and headers through the server, whose own shares may be slow to fail: 180 seconds.
    Files,
    /// The lock of a run: 30 seconds a statement, the connection lives as long as the run.
    Lock,
    /// Restore, backup, recovery, removal: no limit. Never ended because it takes long.
    Work,
}

impl Purpose {
    /// The limit of one statement.
    pub fn limit(self) -> Option<Duration> {
        match self {
            Purpose::Probe => Some(Duration::from_secs(5)),
            Purpose::Catalog | Purpose::Lock => Some(Duration::from_secs(30)),
            Purpose::Files => Some(Duration::from_secs(180)),
            Purpose::Work => None,
        }
    }
}

/// A connection that is logged in to `master`, with its language and lock time-out set.
pub struct Connection {
    instance: InstanceName,
    purpose: Purpose,
    limit: Option<Duration>,
    spid: i32,
    driver: Option<Box<Driver>>,
    trace: Trace,
}

impl Connection {
    pub(super) fn new(
        instance: InstanceName,
        purpose: Purpose,
        limit: Option<Duration>,
        driver: Driver,
        trace: Trace,
    ) -> Connection {
        Connection { instance, purpose, limit, spid: 0, driver: Some(Box::new(driver)), trace }
    }

    /// Makes the session predictable and learns its id.
    ///
    /// The language fixes how dates read; implicit transactions, which a server may have as its default, refuse RESTORE.
    pub(super) async fn prepare(&mut self) -> Result<()> {
        let batch = "SET LANGUAGE us_english; SET LOCK_TIMEOUT 30000; SET IMPLICIT_TRANSACTIONS OFF; SELECT CAST(@@SPID AS int) AS spid";
        let rows = self.batch("setting up the session", batch).await?.pop().unwrap_or_default();
        let spid = rows.first().map(|row| row.need_int("spid")).transpose()?.unwrap_or_default();
        self.spid = i32::try_from(spid).unwrap_or_default();
        Ok(())
    }

    /// The instance as the operator named it.
    pub fn instance(&self) -> &InstanceName {
        &self.instance
    }

    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The session's id on the instance.
    pub fn spid(&self) -> i32 {
        self.spid
    }

    /// False once the connection was thrown away.
    pub fn is_usable(&self) -> bool {
        self.driver.is_some()
    }

    /// Reads: one statement with parameters `@P1`, `@P2`, …; the rows of its answer.
    pub(super) async fn rows(&mut self, doing: &str, statement: &str, parameters: &[&dyn ToSql]) -> Result<Vec<Row>> {
        let limit = self.limit;
        let mut driver = self.take(doing)?;
        let work = async move {
            let answer = match driver.query(statement, parameters).await {
                Ok(stream) => stream.into_results().await,
                Err(error) => Err(error),
            };
            (driver, answer)
        };
        let sets = self.finish(doing, statement, limit, work).await?;
        Ok(sets.into_iter().next().unwrap_or_default())
    }

    /// Reads at most one row.
    pub(super) async fn row(&mut self, doing: &str, statement: &str, parameters: &[&dyn ToSql]) -> Result<Option<Row>> {
        Ok(self.rows(doing, statement, parameters).await?.into_iter().next())
    }

    /// Sends a text as it stands and drains all its answers. For statements that take no parameters.
    pub(super) async fn batch(&mut self, doing: &str, text: &str) -> Result<Vec<Vec<Row>>> {
        let limit = self.limit;
        let mut driver = self.take(doing)?;
        let work = async move {
            let answer = match driver.simple_query(text).await {
                Ok(stream) => stream.into_results().await,
                Err(error) => Err(error),
            };
            (driver, answer)
        };
        self.finish(doing, text, limit, work).await
    }

    /// Runs a text made by [`super::statement::call`] and takes its return code for an error unless it is 0.
    pub(super) async fn call(&mut self, doing: &str, text: &str) -> Result<()> {
        match self.call_code(doing, text).await? {
            0 => Ok(()),
            code => Err(Error::new(
                ErrorKind::SqlServerRefused,
                format!("{}: {doing} failed with return code {code}.", self.instance),
            )
            .with_next("Look into the instance's error log for the reason.")
            .with_target(self.instance.to_string())),
        }
    }

    /// Runs a text made by [`super::statement::call`]; its return code.
    pub(super) async fn call_code(&mut self, doing: &str, text: &str) -> Result<i64> {
        let sets = self.batch(doing, text).await?;
        // A procedure may answer with rows of its own; the code is selected last.
        let row = sets.last().and_then(|rows| rows.last());
        row.map(|row| row.need_int("rc")).transpose()?.ok_or_else(|| {
            Error::new(ErrorKind::UnexpectedAnswer, format!("{}: {doing} gave no return code.", self.instance))
                .with_target(self.instance.to_string())
        })
    }

    /// Closes the connection in good order.
    pub async fn close(mut self) {
        if let Some(driver) = self.driver.take() {
            let closing = AssertUnwindSafe(driver.close()).catch_unwind();
            let _ = tokio::time::timeout(Duration::from_secs(2), closing).await;
        }
    }

    fn take(&mut self, doing: &str) -> Result<Box<Driver>> {
        self.driver.take().ok_or_else(|| {
            Error::new(
                ErrorKind::ConnectionLost,
                format!("{}: {doing} was not sent; the connection is gone.", self.instance),
            )
            .with_next("Connect anew and read the state.")
            .with_target(self.instance.to_string())
        })
    }

    /// Awaits an answer within the limit. Only a known end puts the driver back; in every other case, a dropped future
    /// of ours included, it is dropped, which closes the socket.
    async fn finish<W>(
        &mut self,
        doing: &str,
        statement: &str,
        limit: Option<Duration>,
        work: W,
    ) -> Result<Vec<Vec<Row>>>
    where
        W: std::future::Future<Output = (Box<Driver>, tiberius::Result<Vec<Vec<tiberius::Row>>>)>,
    {
        let started = std::time::Instant::now();
        let outcome = self.ended(doing, limit, work).await;
        let said = match &outcome {
            Ok(sets) => format!("{} rows", sets.iter().map(Vec::len).sum::<usize>()),
            Err(error) => error.to_string(),
        };
        let text = format!("{doing}: {statement} -> {said}, {} ms", started.elapsed().as_millis());
        self.trace.line(&format!("{}#{}", self.instance, self.spid), &text);
        outcome
    }

    async fn ended<W>(&mut self, doing: &str, limit: Option<Duration>, work: W) -> Result<Vec<Vec<Row>>>
    where
        W: std::future::Future<Output = (Box<Driver>, tiberius::Result<Vec<Vec<tiberius::Row>>>)>,
    {
        let guarded = AssertUnwindSafe(work).catch_unwind();
        let ended = match limit {
            Some(limit) => match tokio::time::timeout(limit, guarded).await {
                Ok(ended) => ended,
                Err(_) => return Err(fault::timed_out(&self.instance, doing)),
            },
            None => guarded.await,
        };
        let (driver, answer) = ended.map_err(|_| fault::panicked(&self.instance, doing))?;
        match answer {
            Ok(sets) => {
                self.driver = Some(driver);
                Ok(sets.into_iter().map(|rows| rows.into_iter().map(Row::new).collect()).collect())
            }
            Err(tiberius::error::Error::Server(token)) => {
                let sql = fault::sql_error(&token);
                if !closes_the_connection(&sql) {
                    self.driver = Some(driver);
                }
                Err(fault::refused(&self.instance, doing, sql))
            }
            Err(other) => Err(fault::while_running(&self.instance, doing, other)),
        }
    }
}

/// SQL Server closes the connection after an error of severity 20 and above, and a killed session is over.
fn closes_the_connection(sql: &SqlServerError) -> bool {
    sql.severity >= 20 || sql.number == 596
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("instance", &self.instance)
            .field("purpose", &self.purpose)
            .field("spid", &self.spid)
            .field("usable", &self.is_usable())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_the_session_on_the_server_ends_the_connection_here() {
        let sql = |number, severity| SqlServerError {
            number,
            severity,
            state: 1,
            line: 1,
            server: String::new(),
            procedure: String::new(),
            message: String::new(),
        };
        assert!(closes_the_connection(&sql(9001, 21)) && closes_the_connection(&sql(596, 16)));
        assert!(!closes_the_connection(&sql(3101, 16)) && !closes_the_connection(&sql(1105, 17)));
    }

    #[test]
    fn only_work_has_no_limit() {
        for purpose in [Purpose::Probe, Purpose::Catalog, Purpose::Files, Purpose::Lock] {
            assert!(purpose.limit().is_some_and(|limit| limit <= Duration::from_secs(180)), "{purpose:?}");
        }
        assert_eq!(Purpose::Work.limit(), None);
    }
}
