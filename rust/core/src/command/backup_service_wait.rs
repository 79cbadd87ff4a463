//! `Wait-PChatBackupService`: waits for a believable steady state of two paired pools. Reads only.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::conference::door;
use crate::conference::pair::{self, Pair};
use crate::conference::wait::{self, Wait};
use crate::document::{BackupServiceWaitRequest, CountResult};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Level};
use crate::operation::OperationResult;

/// Hands out one item `backup_service_module` a pool and module when the wait ends, however it ends.
///
/// # Errors
/// `BackupServiceFailed` (6007), `BackupServiceNotSettled` (6008), `PartnerNotFound` (6009), `DamagedPoolAsSource` (6010),
/// `PoolNotFound` (6004), `InvalidValue` (1002), `NativeCommandMissing` (6001).
pub(crate) async fn backup_service_wait(
    request: BackupServiceWaitRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let wanted = of_request(&request, host.as_ref(), &cancel).await?;
    let ended = wait::wait(host.as_ref(), &cancel, &wanted, &()).await?;
    for module in &ended.modules {
        host.item("backup_service_module", json!(module)).await?;
    }
    match ended.error {
        Some(error) => Err(error),
        None => OperationResult::new("count", &CountResult { count: ended.modules.len() as u64 }),
    }
}

async fn of_request(request: &BackupServiceWaitRequest, host: &dyn Host, cancel: &Cancel) -> Result<Wait> {
    let survivor = request.pool_fqdn.trim().to_string();
    if survivor.is_empty() || request.backup_service_timeout_seconds == 0 || request.sync_interval_seconds == Some(0) {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            "a pool must be named, and neither the sync interval nor the limit may be 0 seconds.",
        ));
    }
    let named = request.damaged_pool_fqdn.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let given: Vec<&str> = named.into_iter().chain([survivor.as_str()]).collect();
    door::refuse_unknown_pools(&given, pair::known_pools(host).await.as_deref())?;
    let damaged = match named {
        Some(name) => name.to_string(),
        None => pair::partner_of(host, &survivor).await?,
    };
    let pair = Pair { survivor, damaged };
    pair.check()?;
    if named.is_some() {
        refuse_strangers(host, &pair).await?;
    }
    cancel.check()?;
    let modules = wait::modules(&request.backup_modules, request.health_check);
    let interval = interval(request.sync_interval_seconds, host).await;
    let limit = Duration::from_secs(u64::from(request.backup_service_timeout_seconds));
    door::refuse_short_limit(limit, interval)?;
    Ok(Wait {
        holds_cms: wait::holds_cms(host, &pair, &modules).await,
        pair,
        modules,
        health_check: request.health_check,
        interval,
        limit,
        called_ago: Duration::ZERO,
        looks_for_the_beginning: false,
        // What nobody named cannot be misspelled.
        refuses_unknown_modules: !request.backup_modules.is_empty(),
    })
}

/// Refuses two pools that the shell does not name as partners; where it does not tell, they are the operator's word.
async fn refuse_strangers(host: &dyn Host, pair: &Pair) -> Result<()> {
    match pair::partner_of(host, &pair.survivor).await {
        Ok(partner) if partner.eq_ignore_ascii_case(&pair.damaged) => Ok(()),
        Ok(partner) => Err(Error::new(
            ErrorKind::PartnerNotFound,
            format!(
                "{} is paired with {partner}, not with {}: nothing that one of them exports comes to the other.",
                pair.survivor, pair.damaged
            ),
        )
        .with_unchanged("Nothing was waited for.")
        .with_next(format!("Leave `-DamagedPoolFqdn` out, or name {partner}."))
        .with_target(&pair.damaged)),
        Err(error) if error.kind == ErrorKind::NativeCommandStopped => Err(error),
        Err(error) => {
            let text = format!("That {} is its partner is your word: {}", pair.damaged, error.message);
            host.message(Level::Warning, text);
            Ok(())
        }
    }
}

/// The sync interval: the operator's, else the shell's, else the documented default, which is told.
pub(crate) async fn interval(given: Option<u32>, host: &dyn Host) -> Duration {
    if let Some(seconds) = given {
        return Duration::from_secs(u64::from(seconds));
    }
    match pair::sync_interval(host).await {
        Ok(interval) => interval,
        Err(why) => {
            let default = pair::DEFAULT_INTERVAL;
            host.message(
                Level::Warning,
                format!(
                    "The sync interval cannot be read, so {} seconds are taken; `-SyncIntervalSeconds` names another. {why}",
                    default.as_secs()
                ),
            );
            default
        }
    }
}
