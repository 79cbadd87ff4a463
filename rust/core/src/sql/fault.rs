//! From the driver's errors to ours.

use crate::error::{Error, ErrorKind, SqlServerError};
use crate::names::InstanceName;
use crate::sql::class;

/// An error of SQL Server as it was sent.
pub(super) fn sql_error(token: &tiberius::error::TokenError) -> SqlServerError {
    SqlServerError {
        number: token.code(),
        severity: token.class(),
        state: token.state(),
        line: token.line(),
        server: token.server().to_string(),
        procedure: token.procedure().to_string(),
        message: token.message().to_string(),
    }
}

/// An error that SQL Server answered a statement with. `doing` completes the sentence "… failed".
pub(super) fn refused(instance: &InstanceName, doing: &str, sql: SqlServerError) -> Error {
    let reason = class::reason_of(sql.number).map_or(String::new(), |reason| format!(" ({reason})"));
    Error::new(class::kind_of(sql.number), format!("{instance}: {doing} failed{reason}."))
        .with_next(class::advice_of(sql.number))
        .with_target(instance.to_string())
        .with_sql(sql)
}

/// An error of the driver while a statement ran.
///
/// A lost connection in any form means that the effect is unknown; it is told apart from a refusal, which is known.
pub(super) fn while_running(instance: &InstanceName, doing: &str, error: tiberius::error::Error) -> Error {
    use tiberius::error::{Error as Driver, IoErrorKind};
    match error {
        Driver::Server(token) => refused(instance, doing, sql_error(&token)),
        Driver::Io { kind: IoErrorKind::TimedOut, .. } => timed_out(instance, doing),
        Driver::Io { message, .. } => lost(instance, doing, &message),
        // The driver reports a stream that ends inside an answer as a fault of the protocol.
        Driver::Protocol(message) => lost(instance, doing, &message),
        Driver::Tls(message) => lost(instance, doing, &message),
        other => Error::new(
            ErrorKind::UnexpectedAnswer,
            format!("{instance}: {doing} brought an answer that cannot be read: {other}."),
        )
        .with_next("Read the state of the database before anything is repeated.")
        .with_target(instance.to_string()),
    }
}

pub(super) fn timed_out(instance: &InstanceName, doing: &str) -> Error {
    Error::new(
        ErrorKind::StatementTimedOut,
        format!("{instance}: {doing} did not end within its limit; what it did is unknown."),
    )
    .with_next("Read the state before anything is repeated; resuming the run does so.")
    .with_target(instance.to_string())
}

pub(super) fn lost(instance: &InstanceName, doing: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::ConnectionLost,
        format!("{instance}: the connection was lost while {doing} ran ({why}); what it did is unknown."),
    )
    .with_next("Read the state before anything is repeated; resuming the run does so.")
    .with_target(instance.to_string())
}

pub(super) fn panicked(instance: &InstanceName, doing: &str) -> Error {
    Error::new(
        ErrorKind::InternalFault,
        format!("{instance}: the TDS library failed while {doing} ran; the connection was dropped."),
    )
    .with_next("Resume the run: it reads the state first. Please report this fault.")
    .with_target(instance.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiberius::error::{Error as Driver, IoErrorKind};

    fn instance() -> InstanceName {
        "B\\RTC".parse().unwrap()
    }

    #[test]
    fn every_form_of_a_lost_connection_leaves_the_effect_unknown() {
        for driver in [
            Driver::Io { kind: IoErrorKind::UnexpectedEof, message: "end of stream".into() },
            Driver::Io { kind: IoErrorKind::ConnectionReset, message: "reset".into() },
            Driver::Io { kind: IoErrorKind::TimedOut, message: "time-out".into() },
            Driver::Protocol("No more packets in the wire".into()),
        ] {
            let error = while_running(&instance(), "RESTORE LOG", driver.clone());
            assert!(error.outcome_unknown(), "{driver:?}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_servers_words_and_its_class() {
        let sql = SqlServerError {
            number: 3101,
            severity: 16,
            state: 1,
            line: 1,
            server: "B\\RTC".into(),
            procedure: String::new(),
            message: "Exclusive access could not be obtained because the database is in use.".into(),
        };
        let error = refused(&instance(), "RESTORE LOG", sql);
        assert_eq!(error.kind, ErrorKind::DatabaseInUse);
        assert_eq!(error.sql_number(), Some(3101));
        assert!(!error.outcome_unknown());
    }
}
