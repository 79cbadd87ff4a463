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
/// `PoolNotFound` (6004) where the object is no Persistent Chat pool, or its topology has no backup database;
/// `InvalidValue` (1002) where several instances of one host may be the backup's.
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
    let Some(backup) = service.backup_store.as_deref().map(|fqdn| instance_of(fqdn, &stores)) else {
        return Err(Error::new(
            ErrorKind::PoolNotFound,
            format!("the topology shows no backup database of {}.", service.pool_fqdn),
        )
        .with_next("Name the instance of the log-shipped copy with `-SqlInstance`.")
        .with_target(&service.pool_fqdn));
    };
    let backup = backup.map_err(|several| {
        let names = several.join(", ");
        Error::new(
            ErrorKind::InvalidValue,
            format!("the backup database of {} may be that of any of these: {names}.", service.pool_fqdn),
        )
        .with_unchanged("Nothing was changed.")
        .with_next(
            "The topology names hosts alone: name the instance with `-SqlInstance`, and the pool with `-PoolFqdn`.",
        )
        .with_target(&service.pool_fqdn)
    })?;
    let instance = |fqdn: &Option<String>, parameter: &str| match instance_of(fqdn.as_deref()?, &stores) {
        Ok(instance) => Some(instance),
        Err(several) => {
            let names = several.join(", ");
            let text = format!("Which of {names} is meant is not told: name it with `-{parameter}`.");
            host.message(Level::Warning, text);
            None
        }
    };
    let proposed = answering(host.as_ref(), &cancel, &service).await?;
    OperationResult::new(
        "pool_topology",
        &PoolTopology {
            sql_instance: backup,
            pool_fqdn: service.pool_fqdn.clone(),
            primary_sql_instance: instance(&service.primary_store, "PrimarySqlInstance"),
            primary_mirror_sql_instance: instance(&service.primary_mirror_store, "PrimaryMirrorSqlInstance"),
            backup_mirror_sql_instance: instance(&service.backup_mirror_store, "BackupMirrorSqlInstance"),
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

/// `fqdn\instance`; the FQDN alone for a default instance or where the topology does not tell. All of them where several
/// stores of that host differ: a reference of the topology names the host alone.
fn instance_of(fqdn: &str, stores: &[Store]) -> std::result::Result<String, Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for store in stores.iter().filter(|store| store.sql_fqdn.eq_ignore_ascii_case(fqdn)) {
        let name = store.instance.as_deref().map_or_else(|| fqdn.to_string(), |instance| format!(r"{fqdn}\{instance}"));
        if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    }
    match names.len() {
        0 => Ok(fqdn.to_string()),
        1 => Ok(names.swap_remove(0)),
        _ => Err(names),
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
        let store = |fqdn: &str, instance: Option<&str>| Store {
            sql_fqdn: fqdn.into(),
            instance: instance.map(str::to_string),
        };
        let mut stores = vec![store("b.contoso.com", Some("RTC")), store("c.contoso.com", None)];
        stores.push(store("B.contoso.com", Some("rtc")));
        assert_eq!(instance_of("B.contoso.com", &stores), Ok(r"B.contoso.com\RTC".to_string()), "one, named twice");
        assert_eq!(instance_of("c.contoso.com", &stores), Ok("c.contoso.com".to_string()));
        assert_eq!(instance_of("d.contoso.com", &stores), Ok("d.contoso.com".to_string()));
        stores.push(store("b.contoso.com", None));
        let several = vec![r"b.contoso.com\RTC".to_string(), "b.contoso.com".to_string()];
        assert_eq!(instance_of("b.contoso.com", &stores), Err(several), "none of two is guessed");
    }
}
