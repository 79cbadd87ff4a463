//! Connecting: address, TCP, TLS, login, each with its limit and its own error.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio::time::{timeout_at, Instant};
use tokio_util::compat::TokioAsyncWriteCompatExt;

use crate::document::{Encrypt, SessionSettings};
use crate::error::{Error, ErrorKind, Result};
use crate::names::InstanceName;
use crate::sql::address::{route, AddressMap, Route};
use crate::sql::certificate::{self, Recorded, Tape};
use crate::sql::client::{Connection, Driver, Purpose};
use crate::sql::secret::Secret;
use crate::sql::{class, fault};
use crate::trace::Trace;

/// The program name that sessions of ours show on the instance.
pub const PROGRAM_NAME: &str = "PersistentChatFailover";

/// A SQL login; a user of the form `DOMAIN\user` is a Windows login, on Windows only.
#[derive(Debug, Clone)]
struct Login {
    /// `None`: for every instance that has none of its own.
    instance: Option<InstanceName>,
    user: String,
    secret: Secret,
}

/// Settings, logins and the address map: all that a connection needs. Holds no connection itself.
pub struct Connector {
    encrypt: Encrypt,
    trust_server_certificate: bool,
    connect_limit: Duration,
    addresses: AddressMap,
    logins: RwLock<Vec<Login>>,
    trace: Trace,
}

/// How far an attempt to connect came, for the verdict on a silent instance.
#[derive(Debug)]
pub(super) struct ConnectFailure {
    pub(super) error: Error,
    pub(super) route: Option<Route>,
    /// True where something at the address spoke as SQL Server does.
    pub(super) answered: bool,
}

impl Connector {
    /// # Errors
    /// `InvalidValue` (1002) for an address map that cannot be read.
    pub fn new(settings: &SessionSettings) -> Result<Connector> {
        Ok(Connector {
            encrypt: settings.encrypt,
            trust_server_certificate: settings.trust_server_certificate,
            connect_limit: Duration::from_secs(u64::from(settings.connect_timeout_seconds.max(1))),
            addresses: AddressMap::new(&settings.address_map)?,
            logins: RwLock::new(Vec::new()),
            trace: Trace::default(),
        })
    }

    /// Adds a login: for one instance, or with `None` for all that have none of their own. The last one counts.
    pub fn add_login(&self, instance: Option<InstanceName>, user: &str, secret: Secret) {
        let login = Login { instance, user: user.to_string(), secret };
        self.logins.write().unwrap_or_else(PoisonError::into_inner).push(login);
    }

    /// The SQL login that was added for one instance by name, for procedures that take one for themselves.
    pub(crate) fn login_of(&self, instance: &InstanceName) -> Option<(String, Secret)> {
        let logins = self.logins.read().unwrap_or_else(PoisonError::into_inner);
        let is_its = |login: &&Login| login.instance.as_ref() == Some(instance);
        logins.iter().rev().find(is_its).map(|login| (login.user.clone(), login.secret.clone()))
    }

    /// True where the address map shows one instance under both names.
    pub(crate) fn maps_to_one_address(&self, a: &InstanceName, b: &InstanceName) -> bool {
        let lower = |name: &InstanceName| name.instance.as_ref().map(|instance| instance.to_lowercase());
        match (self.addresses.lookup(a), self.addresses.lookup(b)) {
            (Some(one), Some(other)) => one == other && (one.1.is_some() || lower(a) == lower(b)),
            _ => false,
        }
    }

    /// Where the details of its connections go.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Connects within the session's limit.
    ///
    /// # Errors
    /// `NameNotResolved` (2001), `ConnectionRefused` (2002), `ConnectionTimedOut` (2003), `InstanceNotFound` (2004),
    /// `LoginFailed` (2005), `CertificateNotTrusted` (2006), `ConnectionLost` (2007), `EncryptionFailed` (2009);
    /// `InvalidValue` (1002) where there is no login that this platform can use.
    pub async fn connect(&self, instance: &InstanceName, purpose: Purpose) -> Result<Connection> {
        self.connect_within(instance, purpose, self.connect_limit).await.map_err(|failure| failure.error)
    }

    /// Connects within a limit that covers name, browser, TCP, TLS, login and the first statement.
    pub(super) async fn connect_within(
        &self,
        instance: &InstanceName,
        purpose: Purpose,
        limit: Duration,
    ) -> std::result::Result<Connection, ConnectFailure> {
        let started = Instant::now();
        let outcome = self.attempt(instance, purpose, limit).await;
        let said = match &outcome {
            Ok(connection) => format!("session {}", connection.spid()),
            Err(failure) => failure.error.to_string(),
        };
        let text = format!("connecting ({purpose:?}) -> {said}, {} ms", started.elapsed().as_millis());
        self.trace.line(&instance.to_string(), &text);
        outcome
    }

    async fn attempt(
        &self,
        instance: &InstanceName,
        purpose: Purpose,
        limit: Duration,
    ) -> std::result::Result<Connection, ConnectFailure> {
        let end = Instant::now() + limit;
        let early = |error| ConnectFailure { error, route: None, answered: false };
        let config = self.config(instance, purpose).map_err(early)?;
        let route = route(&self.addresses, instance, end).await.map_err(early)?;
        let stream = match connect_any(instance, &route, end, limit).await {
            Ok(stream) => stream,
            Err(error) => return Err(ConnectFailure { error, route: Some(route), answered: false }),
        };
        let tape = Tape::start();
        let stream = Recorded::new(stream, tape.clone()).compat_write();
        let handshake = AssertUnwindSafe(Client::connect(config, stream)).catch_unwind();
        let ended = timeout_at(end, handshake).await;
        let seen = certificate::read(&tape.stop());
        let failed = |error| ConnectFailure { error, route: Some(route.clone()), answered: seen.answered };
        let driver: Driver = match ended {
            Err(_) => {
                return Err(failed(silent(instance, limit, "the address takes connections, but the login did not end")))
            }
            Ok(Err(_)) => return Err(failed(fault::panicked(instance, "the login"))),
            Ok(Ok(Err(error))) => {
                let error = self.login_error(instance, error, seen.thumbprint.as_deref(), limit);
                return Err(failed(error));
            }
            Ok(Ok(Ok(driver))) => driver,
        };
        let mut connection = Connection::new(instance.clone(), purpose, purpose.limit(), driver, self.trace.clone());
        match timeout_at(end, connection.prepare()).await {
            Ok(Ok(())) => Ok(connection),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(failed(silent(instance, limit, "the login was taken, but the first statement did not end"))),
        }
    }

    fn config(&self, instance: &InstanceName, purpose: Purpose) -> Result<Config> {
        let mut config = Config::new();
        config.host(&instance.host);
        config.port(instance.port.unwrap_or(1433));
        // A login that names a restoring database is refused.
        config.database("master");
        config.application_name(PROGRAM_NAME);
        config.client_name(machine_name());
        config.encryption(match self.encrypt {
            Encrypt::Mandatory => EncryptionLevel::Required,
            Encrypt::Optional => EncryptionLevel::Off,
            Encrypt::Strict => EncryptionLevel::Strict,
        });
        if self.trust_server_certificate {
            config.trust_cert();
        }
        config.handshake_timeout(None);
        config.command_timeout(purpose.limit());
        config.lossy_utf16_decoding(true);
        config.authentication(self.authentication(instance)?);
        Ok(config)
    }

    fn authentication(&self, instance: &InstanceName) -> Result<AuthMethod> {
        let logins = self.logins.read().unwrap_or_else(PoisonError::into_inner);
        let own =
            logins.iter().rev().find(|login| login.instance.as_ref().is_some_and(|name| same_instance(name, instance)));
        match own.or_else(|| logins.iter().rev().find(|login| login.instance.is_none())) {
            Some(login) => Ok(with_password(login)),
            None => integrated(instance),
        }
    }

    fn login_error(
        &self,
        instance: &InstanceName,
        error: tiberius::error::Error,
        thumbprint: Option<&str>,
        limit: Duration,
    ) -> Error {
        use tiberius::error::{Error as Driver, IoErrorKind};
        match error {
            Driver::Server(token) => {
                let sql = fault::sql_error(&token);
                let kind = class::kind_of(sql.number);
                let text = match kind {
                    ErrorKind::LoginFailed => format!("{instance}: the login was refused."),
                    _ => format!("{instance}: the instance answered, but took no login."),
                };
                Error::new(kind, text)
                    .with_unchanged("Nothing was changed.")
                    .with_next(class::advice_of(sql.number))
                    .with_target(instance.to_string())
                    .with_sql(sql)
            }
            Driver::Tls(why) if !self.trust_server_certificate && names_the_certificate(&why) => {
                not_trusted(instance, thumbprint)
            }
            // No root at all to trust: every certificate is refused.
            Driver::Io { kind: IoErrorKind::NotFound, .. } if !self.trust_server_certificate => {
                not_trusted(instance, thumbprint)
            }
            Driver::Io { kind: IoErrorKind::TimedOut, .. } => silent(instance, limit, "the login did not end"),
            // rustls reports a handshake that cannot succeed as invalid data.
            Driver::Tls(why) | Driver::Io { kind: IoErrorKind::InvalidData, message: why } => {
                no_common_encryption(instance, &why)
            }
            Driver::Io { message, .. } => Error::new(
                ErrorKind::ConnectionLost,
                format!("{instance}: the connection was closed during the login ({message})."),
            )
            .with_unchanged("Nothing was changed.")
            .with_next("Check that this address is a SQL Server and which TLS versions it takes; its error log tells.")
            .with_target(instance.to_string()),
            Driver::Routing { host, port } => Error::new(
                ErrorKind::UnexpectedAnswer,
                format!("{instance}: the instance sends logins on to {host},{port}."),
            )
            .with_next("Name that instance instead.")
            .with_target(instance.to_string()),
            other => no_common_encryption(instance, &other.to_string()),
        }
    }
}

/// Names count without regard to case; a port only where both have one.
fn same_instance(a: &InstanceName, b: &InstanceName) -> bool {
    let lower = |text: &Option<String>| text.as_ref().map(|t| t.to_lowercase());
    a.host.to_lowercase() == b.host.to_lowercase()
        && lower(&a.instance) == lower(&b.instance)
        && (a.port == b.port || a.port.is_none() || b.port.is_none())
}

#[cfg(windows)]
fn with_password(login: &Login) -> AuthMethod {
    if login.user.contains('\\') {
        return AuthMethod::windows(&login.user, login.secret.expose());
    }
    AuthMethod::sql_server(&login.user, login.secret.expose())
}

#[cfg(not(windows))]
fn with_password(login: &Login) -> AuthMethod {
    AuthMethod::sql_server(&login.user, login.secret.expose())
}

#[cfg(windows)]
fn integrated(_: &InstanceName) -> Result<AuthMethod> {
    Ok(AuthMethod::Integrated)
}

#[cfg(not(windows))]
fn integrated(instance: &InstanceName) -> Result<AuthMethod> {
    Err(Error::new(
        ErrorKind::InvalidValue,
        format!("{instance}: a SQL login is needed on this platform: -SqlCredential."),
    )
    .with_unchanged("Nothing was sent.")
    .with_next("Give the login with -SqlCredential; the Windows login of the caller works on Windows only.")
    .with_target(instance.to_string()))
}

/// Connects to all addresses at once; the first one that takes the connection counts.
async fn connect_any(instance: &InstanceName, route: &Route, end: Instant, limit: Duration) -> Result<TcpStream> {
    let attempts = route.addresses.iter().map(|address| Box::pin(connect_one(*address, end)));
    let mut waiting: Vec<_> = attempts.collect();
    let mut failures: Vec<(SocketAddr, Option<std::io::Error>)> = Vec::new();
    while !waiting.is_empty() {
        let (ended, _, rest) = futures_util::future::select_all(waiting).await;
        waiting = rest;
        match ended {
            Ok(stream) => return Ok(stream),
            Err(failure) => failures.push(failure),
        }
    }
    let list: Vec<String> = route.addresses.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    // One silent address means that nothing is certain about the host.
    let all_refused =
        failures.iter().all(|(_, e)| e.as_ref().is_some_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused));
    let other =
        failures.iter().find_map(|(_, e)| e.as_ref().filter(|e| e.kind() != std::io::ErrorKind::ConnectionRefused));
    Err(if all_refused {
        Error::new(ErrorKind::ConnectionRefused, format!("{instance}: the connection to {list} was refused."))
            .with_unchanged("Nothing was changed.")
            .with_next("Check that the instance is started and listens on this port.")
            .with_target(instance.to_string())
    } else {
        silent(
            instance,
            limit,
            &match other {
                Some(error) => format!("{list} cannot be reached ({error})"),
                None => format!("{list} did not answer"),
            },
        )
    })
}

async fn connect_one(
    address: SocketAddr,
    end: Instant,
) -> std::result::Result<TcpStream, (SocketAddr, Option<std::io::Error>)> {
    let stream = match timeout_at(end, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err((address, Some(error))),
        Err(_) => return Err((address, None)),
    };
    // Neither setting is worth failing over: without them the connection is slower to send and to notice its end.
    let _ = stream.set_nodelay(true);
    let keepalive =
        socket2::TcpKeepalive::new().with_time(Duration::from_secs(20)).with_interval(Duration::from_secs(5));
    let _ = socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    Ok(stream)
}

fn silent(instance: &InstanceName, limit: Duration, what: &str) -> Error {
    Error::new(ErrorKind::ConnectionTimedOut, format!("{instance}: {what}; the limit was {} s.", limit.as_secs_f32()))
        .with_unchanged("Nothing was changed.")
        .with_next("Check name, port and firewall; -ConnectTimeoutSeconds gives it more time.")
        .with_target(instance.to_string())
}

fn not_trusted(instance: &InstanceName, thumbprint: Option<&str>) -> Error {
    let shown = match thumbprint {
        Some(thumbprint) => format!("with the thumbprint {thumbprint} (SHA-1)"),
        None => "whose thumbprint could not be read (TLS 1.3 hides it)".to_string(),
    };
    Error::new(ErrorKind::CertificateNotTrusted, format!("{instance}: the certificate {shown} is not trusted on this machine."))
        .with_unchanged("No password was sent.")
        .with_next("Compare the thumbprint with the instance's certificate, then add -TrustServerCertificate, or install a certificate that this machine trusts.")
        .with_target(instance.to_string())
}

fn no_common_encryption(instance: &InstanceName, why: &str) -> Error {
    Error::new(ErrorKind::EncryptionFailed, format!("{instance}: no encryption was agreed on ({why})."))
        .with_unchanged("No password was sent.")
        .with_next("Check which TLS versions the instance takes (old ones take TLS 1.0 only, which only Windows still speaks), and -Encrypt.")
        .with_target(instance.to_string())
}

/// rustls failures of the handshake arrive as this variant only where the certificate was refused.
#[cfg(not(windows))]
fn names_the_certificate(_: &str) -> bool {
    true
}

/// SChannel's failures carry their number at the end of a text in the system's language.
#[cfg(windows)]
fn names_the_certificate(why: &str) -> bool {
    certificate_number(why)
}

/// The numbers with which SChannel and the chain engine refuse a certificate.
///
/// # Source
/// winerror.h: SEC_E_ and CERT_E_ codes.
#[cfg_attr(not(windows), allow(dead_code))]
const CERTIFICATE_NUMBERS: &[(u32, &str)] = &[
    (0x8009_0322, "SEC_E_WRONG_PRINCIPAL: another name"),
    (0x8009_0325, "SEC_E_UNTRUSTED_ROOT"),
    (0x8009_0327, "SEC_E_CERT_UNKNOWN"),
    (0x8009_0328, "SEC_E_CERT_EXPIRED"),
    (0x8009_2013, "CRYPT_E_REVOCATION_OFFLINE"),
    (0x8009_2012, "CRYPT_E_NO_REVOCATION_CHECK"),
    (0x8009_2010, "CRYPT_E_REVOKED"),
    (0x800B_0101, "CERT_E_EXPIRED"),
    (0x800B_0109, "CERT_E_UNTRUSTEDROOT"),
    (0x800B_010A, "CERT_E_CHAINING"),
    (0x800B_010C, "CERT_E_REVOKED"),
    (0x800B_010F, "CERT_E_CN_NO_MATCH"),
    (0x800B_0110, "CERT_E_WRONG_USAGE"),
    (0x8009_6004, "TRUST_E_CERT_SIGNATURE"),
];

#[cfg_attr(not(windows), allow(dead_code))]
fn certificate_number(why: &str) -> bool {
    let number =
        why.rsplit("(os error ").next().and_then(|tail| tail.split(')').next()).and_then(|n| n.parse::<i32>().ok());
    number.is_some_and(|number| CERTIFICATE_NUMBERS.iter().any(|(known, _)| *known == number as u32))
}

/// The name that this machine shows to an instance.
pub fn machine_name() -> String {
    let from_system =
        std::env::var("COMPUTERNAME").ok().or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let name = from_system.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    if name.is_empty() {
        "unknown".to_string()
    } else {
        name
    }
}
