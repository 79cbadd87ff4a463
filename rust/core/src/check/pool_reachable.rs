//! The management shell answers and knows the pool.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::Reading;

/// What to do where the command that shows replication is not installed.
pub(crate) const WITHOUT_REPLICATION_STATUS: &str =
    "Run this in the management shell: without this command nothing tells whether a change has reached a server.";

/// A Get before anything is irreversible. Pool state and active list are settings of the management store.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("PoolReachable", "a Persistent Chat pool of the topology");
    let pool = &subject.evidence.pool;
    let Some(fqdn) = &pool.pool_fqdn else {
        return subject.failed(name, "no pool is named", wanted, "Name it with `-PoolFqdn`.", ErrorKind::PoolNotFound);
    };
    match &pool.service {
        // Each change is awaited through it, the first one behind the point of no return.
        Reading::Known(Some(_)) if pool.replicas.lacks_command() => subject.failed(
            name,
            pool.replicas.why().unwrap_or_default(),
            wanted,
            WITHOUT_REPLICATION_STATUS,
            ErrorKind::NativeCommandMissing,
        ),
        Reading::Known(Some(service)) => subject.passed(name, service.identity.clone(), wanted),
        Reading::Known(None) => {
            let known = match pool.known_pools.is_empty() {
                true => "The topology has no Persistent Chat pool".to_string(),
                false => format!("The topology has {}", pool.known_pools.join(", ")),
            };
            subject.failed(
                name,
                format!("{fqdn} is not in the topology"),
                wanted,
                format!("{known}; write the pool as Topology Builder shows it."),
                ErrorKind::PoolNotFound,
            )
        }
        Reading::Unknown(why) | Reading::NotAsked(why) => {
            let kind = match pool.service.lacks_command() {
                true => ErrorKind::NativeCommandMissing,
                false => ErrorKind::NativeCommandFailed,
            };
            subject.failed(
                name,
                why.clone(),
                wanted,
                "Run this in the management shell. If the Central Management store was in the lost site, fail it over first \
                 with `Invoke-CsManagementServerFailover`.",
                kind,
            )
        }
    }
}
