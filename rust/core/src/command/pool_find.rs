//! What a failover needs to know of a pool, found out of the pool's own object as `Get-CsService -PersistentChatServer` hands
//! it out. Reads only.

use std::sync::Arc;

use crate::document::{PoolFindRequest, PoolTopology};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Level, NativeState};
use crate::operation::OperationResult;
use crate::pool::{self, PoolService, Store};

/// How many servers may be active.
const MOST_ACTIVE: usize = 4;

/// Gives one result `pool_topology`.
///
/// The servers to be active are a proposal: those whose services answer from here, because the servers of a lost site do
/// not. Which of them stand well to the database is the operator's word.
///
/// # Errors
/// `PoolNotFound` (6004) where the object is no Persistent Chat pool, or its topology has no backup database.
pub(crate) async fn pool_find(
    request: PoolFindRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let services = pool::read_services(std::slice::from_ref(&request.service));
    let service = services.into_iter().next().filter(|service| !service.pool_fqdn.is_empty()).ok_or_else(|| {
        Error::new(ErrorKind::PoolNotFound, "the object names no Persistent Chat pool.").with_next(
            "Pipe what `Get-CsService -PersistentChatServer` hands out, or name `-SqlInstance` and `-PoolFqdn`.",
        )
    })?;
    let stores = match run(host.as_ref(), pool::get_stores()).await {
        Ok(objects) => pool::read_stores(&objects),
        Err(error) => {
            host.message(Level::Warning, format!("The names of the instances are not known: {}", error.message));
            Vec::new()
        }
    };
    cancel.check()?;
    let instance = |fqdn: &Option<String>| fqdn.as_deref().map(|fqdn| instance_of(fqdn, &stores));
    let Some(backup) = instance(&service.backup_store) else {
        return Err(Error::new(
            ErrorKind::PoolNotFound,
            format!("the topology shows no backup database of {}.", service.pool_fqdn),
        )
        .with_next("Name the instance of the log-shipped copy with `-SqlInstance`.")
        .with_target(&service.pool_fqdn));
    };
    let proposed = answering(host.as_ref(), &cancel, &service).await?;
    OperationResult::new(
        "pool_topology",
        &PoolTopology {
            sql_instance: backup,
            pool_fqdn: service.pool_fqdn.clone(),
            primary_sql_instance: instance(&service.primary_store),
            primary_mirror_sql_instance: instance(&service.primary_mirror_store),
            backup_mirror_sql_instance: instance(&service.backup_mirror_store),
            active_servers: proposed,
        },
    )
}

async fn run(
    host: &dyn Host,
    command: crate::host::NativeCommand,
) -> Result<Vec<serde_json::Map<String, serde_json::Value>>> {
    pool::objects(&command, host.native(command.clone()).await)
}

/// `fqdn\instance`; the FQDN alone for a default instance or where the topology does not tell.
fn instance_of(fqdn: &str, stores: &[Store]) -> String {
    let store = stores.iter().find(|store| store.sql_fqdn.eq_ignore_ascii_case(fqdn));
    match store.and_then(|store| store.instance.as_deref()) {
        Some(instance) => format!(r"{fqdn}\{instance}"),
        None => fqdn.to_string(),
    }
}

/// The members whose services answer, inactive ones first: they are those of the other site.
async fn answering(host: &dyn Host, cancel: &Cancel, service: &PoolService) -> Result<Vec<String>> {
    let mut answering = Vec::new();
    let inactive = service.inactive_servers.iter().flatten();
    for server in inactive.chain(service.active_servers.iter().flatten()) {
        cancel.check()?;
        if answering.len() == MOST_ACTIVE {
            break;
        }
        let outcome = host.native(pool::get_windows_services(server)).await;
        match outcome.state {
            NativeState::Completed if !outcome.objects.is_empty() => answering.push(server.clone()),
            NativeState::Missing => {
                host.message(
                    Level::Warning,
                    "`Get-CsWindowsService` is not available, so no servers are proposed: name them with `-ActiveServer`."
                        .to_string(),
                );
                break;
            }
            _ => host.message(Level::Verbose, format!("{server} does not answer, so it is not proposed.")),
        }
    }
    Ok(answering)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_named_by_its_host_and_the_stores_name() {
        let stores = [
            Store { sql_fqdn: "b.contoso.com".into(), instance: Some("RTC".into()) },
            Store { sql_fqdn: "c.contoso.com".into(), instance: None },
        ];
        assert_eq!(instance_of("B.contoso.com", &stores), r"B.contoso.com\RTC");
        assert_eq!(instance_of("c.contoso.com", &stores), "c.contoso.com");
        assert_eq!(instance_of("d.contoso.com", &stores), "d.contoso.com");
    }
}
