//! What a check looks at, and how it writes its result.

use crate::document::{CheckResult, FailoverRequest};
use crate::error::ErrorKind;
use crate::evidence::Evidence;
use crate::failover::plan::Decision;

/// What evidence is of, for the results of its checks.
pub trait CheckedEvidence {
    /// The instance acted on; empty where a check is about no instance.
    fn sql_instance(&self) -> &str;

    fn database(&self) -> &str;

    fn pool_fqdn(&self) -> Option<&str>;
}

impl CheckedEvidence for Evidence {
    fn sql_instance(&self) -> &str {
        &self.sql_instance
    }

    fn database(&self) -> &str {
        &self.database
    }

    fn pool_fqdn(&self) -> Option<&str> {
        self.pool.pool_fqdn.as_deref()
    }
}

/// The evidence, the request, and what follows from both: those of a failover, unless another workflow says its own.
pub struct Subject<'a, E = Evidence, R = FailoverRequest, D = Decision> {
    pub evidence: &'a E,
    pub request: &'a R,
    pub decision: &'a D,
}

impl<E: CheckedEvidence, R, D> Subject<'_, E, R, D> {
    fn result(&self, name: &str, state: &str, value: String, wanted: &str, message: String) -> CheckResult {
        CheckResult {
            sql_instance: self.evidence.sql_instance().to_string(),
            database: self.evidence.database().to_string(),
            pool_fqdn: self.evidence.pool_fqdn().map(str::to_string),
            name: name.to_string(),
            state: state.to_string(),
            value,
            wanted: wanted.to_string(),
            message,
            code: None,
        }
    }

    /// It is as wanted.
    pub fn passed(&self, name: &str, value: impl Into<String>, wanted: &str) -> CheckResult {
        self.result(name, "passed", value.into(), wanted, String::new())
    }

    /// It is not as wanted, and the run goes on all the same.
    pub fn warning(
        &self,
        name: &str,
        value: impl Into<String>,
        wanted: &str,
        message: impl Into<String>,
    ) -> CheckResult {
        self.result(name, "warning", value.into(), wanted, message.into())
    }

    /// It is not as wanted, and nothing may start.
    pub fn failed(
        &self,
        name: &str,
        value: impl Into<String>,
        wanted: &str,
        message: impl Into<String>,
        kind: ErrorKind,
    ) -> CheckResult {
        CheckResult { code: Some(kind.code()), ..self.result(name, "failed", value.into(), wanted, message.into()) }
    }

    /// It could not be told. With a kind it guards data, so nothing may start.
    pub fn unknown(
        &self,
        name: &str,
        value: impl Into<String>,
        wanted: &str,
        message: impl Into<String>,
        kind: Option<ErrorKind>,
    ) -> CheckResult {
        CheckResult {
            code: kind.map(ErrorKind::code),
            ..self.result(name, "unknown", value.into(), wanted, message.into())
        }
    }

    /// The name of the database, for messages.
    pub fn database(&self) -> &str {
        self.evidence.database()
    }

    /// The backup instance, for messages.
    pub fn instance(&self) -> &str {
        self.evidence.sql_instance()
    }
}
