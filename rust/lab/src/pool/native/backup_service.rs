//! Commands of the backup service.

use serde_json::json;

use super::super::backup_service::MODULES;
use super::super::settings::{FrontEndPoolSettings, PoolFaultName};
use super::super::PoolInner;
use super::topology::front_end_pool;
use super::{Call, NativeError, Objects};

/// The paired pool of the call, with a machine of it alive and its backup service running.
fn serving<'a>(inner: &'a PoolInner, wanted: &str) -> Result<&'a FrontEndPoolSettings, NativeError> {
    let Some(pool) = front_end_pool(inner, wanted) else {
        return Err(NativeError::not_found(format!("Cannot find pool \"{wanted}\".")));
    };
    if pool.partner.is_none() {
        return Err(NativeError::failed(format!("Pool {wanted} has no backup pool.")));
    }
    let runs = |fqdn: &String| inner.machine(fqdn).is_some_and(|m| m.alive && m.services.iter().any(|s| s.running));
    if !pool.servers.iter().any(runs) {
        return Err(NativeError::failed(format!("The backup service of pool {wanted} does not answer.")));
    }
    Ok(pool)
}

/// `Invoke-CsBackupServiceSync`: silent, and it only starts the sync.
pub fn sync(call: &mut Call<'_>) -> Objects {
    let now = call.pool.outside.now_utc();
    let wanted = call.required("PoolFqdn").to_string();
    let module = sync_module(call)?;
    let mut inner = call.pool.lock();
    let pool_fqdn = serving(&inner, &wanted)?.fqdn.clone();
    if !call.lies {
        inner.backup_service.sync(&pool_fqdn, module.as_deref(), now);
        drop(inner);
        call.note(&pool_fqdn, json!({ "backup_module": module.as_deref().unwrap_or("All") }));
    }
    Ok(Vec::new())
}

/// The module that is meant, in the spelling that this shell takes: the reference has dotted names, the monitoring guide
/// short ones.
fn sync_module(call: &Call<'_>) -> Result<Option<String>, NativeError> {
    let Some(given) = call.bound.text("BackupModule") else { return Ok(None) };
    if given.eq_ignore_ascii_case("All") {
        return Ok(None);
    }
    let names = call.pool.lock().settings.native.sync_module_names.clone();
    let dotted = MODULES.iter().map(|(name, _)| *name);
    let found = dotted.clone().find(|name| {
        let short = name.rsplit('.').next().unwrap_or(name);
        (names != "short" && name.eq_ignore_ascii_case(given))
            || (names != "dotted" && short.eq_ignore_ascii_case(given))
    });
    match found {
        Some(name) => Ok(Some(name.to_string())),
        None => Err(NativeError::binding(
            &call.command,
            "CannotConvertArgumentNoMessage",
            format!("Cannot bind parameter 'BackupModule'. Cannot convert value \"{given}\" to type \"Microsoft.Rtc.Management.Hadr.BackupService.BackupModules\"."),
        )),
    }
}

/// `Get-CsBackupServiceStatus`: a snapshot of one direction.
pub fn status(call: &mut Call<'_>) -> Objects {
    let now = call.pool.outside.now_utc();
    let mut inner = call.pool.lock();
    let native = &inner.settings.native;
    let is_own = |group: &String| native.caller_groups.iter().any(|own| own.eq_ignore_ascii_case(group));
    if !native.status_readers.iter().any(is_own) {
        let groups = native.status_readers.join(", ");
        return Err(NativeError::refused(
            "UnauthorizedAccess",
            "PermissionDenied",
            format!("Access is denied. The status is for members of {groups}."),
        ));
    }
    let pool = serving(&inner, call.required("PoolFqdn"))?.clone();
    let wanted = call.bound.text("BackupModule");
    let modules: Vec<_> = inner
        .backup_service
        .status(&pool.fqdn, call.bound.text("Category"), now)
        .into_iter()
        .filter(|r| wanted.is_none_or(|module| r.module.eq_ignore_ascii_case(module)))
        .map(|r| json!({ "Identity": r.module, "ExportStatus": r.export, "ImportStatus": r.import }))
        .collect();
    if !inner.fault(PoolFaultName::NativeSilent, Some(call.command.name)) {
        inner.backup_service.was_read(&pool.fqdn, call.bound.text("Category"), now);
    }
    Ok(vec![json!({ "PoolFqdn": pool.fqdn, "ActiveMachineFqdn": pool.servers.first(), "BackupModules": modules })])
}

/// `Get-CsBackupServiceConfiguration`.
pub fn configuration(call: &mut Call<'_>) -> Objects {
    let inner = call.pool.lock();
    let seconds = inner.settings.backup_service.sync_interval_seconds;
    let interval = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if let Some(identity) = call.bound.text("Identity").filter(|i| !i.eq_ignore_ascii_case("global")) {
        return Err(NativeError::not_found(format!("Cannot find an object with the identity \"{identity}\".")));
    }
    Ok(vec![json!({
        "Identity": "Global", "SyncInterval": interval, "MaxConcurrentCalls": 10, "MaxBatchesPerCmsSync": 500,
        "MaxBatchesPerUserStoreSync": 500, "MaxDataConfPackageSizeKB": 102400,
        "AuthorizedUniversalGroups": [], "AuthorizedLocalAccounts": "Network Service",
    })])
}

/// `Debug-CsInterPoolReplication`: a text about both stores.
pub fn debug_replication(call: &mut Call<'_>) -> Objects {
    let now = call.pool.outside.now_utc();
    let inner = call.pool.lock();
    if let Some(given) = call.bound.text("BackupModule") {
        let is_own =
            ["All", "CentralMgmt", "PresenceFocus", "DataConf"].iter().any(|own| own.eq_ignore_ascii_case(given));
        let is_dotted = MODULES.iter().any(|(name, _)| name.eq_ignore_ascii_case(given));
        let is_known = if inner.settings.native.compare_module_names == "dotted" { is_dotted } else { is_own };
        if !is_known {
            return Err(NativeError::binding(
                &call.command,
                "CannotConvertArgumentNoMessage",
                format!("Cannot bind parameter 'BackupModule'. Cannot convert value \"{given}\" to a module's name."),
            ));
        }
    }
    let pool = serving(&inner, call.required("PoolFqdn"))?;
    let behind: Vec<&str> = inner
        .backup_service
        .status(&pool.fqdn, None, now)
        .into_iter()
        .filter(|r| !matches!(r.export.as_str(), "SteadyState" | "FinalState" | "NotInitialized"))
        .map(|r| r.module)
        .collect();
    Ok(vec![if behind.is_empty() {
        format!("No difference found between {} and its backup pool.", pool.fqdn).into()
    } else {
        format!("Differences found between {} and its backup pool: {}.", pool.fqdn, behind.join(", ")).into()
    }])
}
