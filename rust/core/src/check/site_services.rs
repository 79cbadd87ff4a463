//! Services of the pool that may have stood in the lost site. Warnings only: the documented procedure assumes a Front End
//! server that is down.

use super::Subject;
use crate::document::CheckResult;

/// `RegistrarPool` and `FileStore`, as the topology names them.
pub(super) fn checks(subject: &Subject<'_>) -> Vec<CheckResult> {
    let service = subject.evidence.pool.service();
    let registrar = service.and_then(|service| service.registrar.as_deref());
    let file_store = service.and_then(|service| service.file_store.as_deref());
    vec![
        one(
            subject,
            "RegistrarPool",
            registrar,
            "If this pool stood in the lost site, its users sign in again after `Invoke-CsPoolFailOver -PoolFqdn … \
             -DisasterMode`.",
        ),
        one(
            subject,
            "FileStore",
            file_store,
            "If this store stood in the lost site, file transfer is unavailable until it is back.",
        ),
    ]
}

fn one(subject: &Subject<'_>, name: &str, value: Option<&str>, message: &str) -> CheckResult {
    let wanted = "in the surviving site";
    match value {
        Some(value) => subject.warning(name, value, wanted, message),
        None => subject.unknown(name, "unknown", wanted, "The topology does not tell it.", None),
    }
}
