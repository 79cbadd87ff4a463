//! What a check looks at, and how it writes its result.

use crate::document::{CheckResult, FailoverRequest};
use crate::error::ErrorKind;
use crate::evidence::Evidence;
use crate::failover::plan::Decision;

/// The evidence, the request, and what follows from both.
pub struct Subject<'a> {
    pub evidence: &'a Evidence,
    pub request: &'a FailoverRequest,
    pub decision: &'a Decision,
}

impl Subject<'_> {
    fn result(&self, name: &str, state: &str, value: String, wanted: &str, message: String) -> CheckResult {
        CheckResult {
            sql_instance: self.evidence.sql_instance.clone(),
            database: self.evidence.database.clone(),
            pool_fqdn: self.evidence.pool.pool_fqdn.clone(),
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
        &self.evidence.database
    }

    /// The backup instance, for messages.
    pub fn instance(&self) -> &str {
        &self.evidence.sql_instance
    }
}
