//! Is an instance alive? The verdict on one endpoint, within one limit.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::names::InstanceName;
use crate::sql::{Connector, Purpose};

/// Why nothing can be said but that no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    NameNotResolved,
    /// The browser service did not tell the port of the named instance.
    BrowserSilent,
    /// No TCP connection within the limit, or the network says that there is no way.
    NoConnection,
    /// A connection, but no login within the limit, or closed in the middle of it.
    NoLogin,
}

/// What an endpoint answered.
#[derive(Debug, Clone)]
pub enum ProbeOutcome {
    /// The login works.
    Alive,
    /// The instance answered and refused the login: alive.
    LoginRefused(Error),
    /// The instance spoke, but no login was possible (certificate, encryption, starting up): alive.
    Answered(Error),
    /// The connection was refused. Counts as down where the port is certain.
    Refused { port_is_certain: bool, error: Error },
    /// Down only where no witness speaks against it.
    Unreachable { why: Silence, error: Error },
    /// The probe itself could not be made: no usable login, bad settings. Says nothing about the instance.
    NotTried(Error),
}

impl ProbeOutcome {
    /// True where something at the endpoint is a living SQL Server.
    pub fn is_alive(&self) -> bool {
        matches!(self, ProbeOutcome::Alive | ProbeOutcome::LoginRefused(_) | ProbeOutcome::Answered(_))
    }

    /// `alive`, `login_refused`, `answered`, `refused`, `unreachable` or `not_tried`.
    pub fn as_text(&self) -> &'static str {
        match self {
            ProbeOutcome::Alive => "alive",
            ProbeOutcome::LoginRefused(_) => "login_refused",
            ProbeOutcome::Answered(_) => "answered",
            ProbeOutcome::Refused { .. } => "refused",
            ProbeOutcome::Unreachable { .. } => "unreachable",
            ProbeOutcome::NotTried(_) => "not_tried",
        }
    }

    /// The error that the verdict rests on.
    pub fn error(&self) -> Option<&Error> {
        match self {
            ProbeOutcome::Alive => None,
            ProbeOutcome::LoginRefused(error)
            | ProbeOutcome::Answered(error)
            | ProbeOutcome::Refused { error, .. }
            | ProbeOutcome::Unreachable { error, .. }
            | ProbeOutcome::NotTried(error) => Some(error),
        }
    }
}

/// Tries one endpoint. `limit` covers look-up, browser, connection, login and a first statement.
pub async fn probe_endpoint(connector: &Connector, instance: &InstanceName, limit: Duration) -> ProbeOutcome {
    let failure = match connector.connect_within(instance, Purpose::Probe, limit).await {
        Ok(connection) => {
            connection.close().await;
            return ProbeOutcome::Alive;
        }
        Err(failure) => failure,
    };
    let (error, answered) = (failure.error, failure.answered);
    match error.kind {
        ErrorKind::InvalidValue => ProbeOutcome::NotTried(error),
        ErrorKind::LoginFailed => ProbeOutcome::LoginRefused(error),
        ErrorKind::ConnectionRefused => {
            ProbeOutcome::Refused { port_is_certain: failure.route.is_some_and(|route| route.port_is_certain), error }
        }
        ErrorKind::NameNotResolved => ProbeOutcome::Unreachable { why: Silence::NameNotResolved, error },
        ErrorKind::InstanceNotFound => ProbeOutcome::Unreachable { why: Silence::BrowserSilent, error },
        // Whoever sent an error of SQL Server, or a certificate, is there.
        _ if error.sql.is_some() || error.kind == ErrorKind::CertificateNotTrusted => ProbeOutcome::Answered(error),
        ErrorKind::EncryptionFailed if answered => ProbeOutcome::Answered(error),
        ErrorKind::ConnectionTimedOut if failure.route.is_some() && !answered => {
            ProbeOutcome::Unreachable { why: Silence::NoConnection, error }
        }
        // It spoke and then fell silent: a hung instance looks like this, and so does one that dies this moment.
        _ => ProbeOutcome::Unreachable { why: Silence::NoLogin, error },
    }
}
