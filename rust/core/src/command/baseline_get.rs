//! `Get-PChatBaseline`: what a baseline holds, and what has drifted between two. Reads files alone.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use crate::baseline::{self, compare, Baseline, InstanceRole, StoredBaseline};
use crate::document::{BaselineGetRequest, BaselineSummary, CountResult, UnreadPart};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::utc_text;
use crate::host::{Cancel, Host, Level};
use crate::operation::OperationResult;

/// Hands out items `baseline`, the newest first.
///
/// # Errors
/// `BaselineNotFound` (7007), `BaselineUnreadable` (7009).
pub(crate) async fn baseline_get(
    request: BaselineGetRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let read = tokio::task::spawn_blocking(move || find(&request));
    let (found, reference, warnings) = read
        .await
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the baselines could not be read: {e}.")))??;
    for warning in warnings {
        host.message(Level::Warning, warning);
    }
    for stored in &found {
        cancel.check()?;
        host.item("baseline", json!(summary(stored, reference.as_ref()))).await?;
    }
    OperationResult::new("count", &CountResult { count: found.len() as u64 })
}

type Found = (Vec<StoredBaseline>, Option<StoredBaseline>, Vec<String>);

fn find(request: &BaselineGetRequest) -> Result<Found> {
    let path = PathBuf::from(&request.path);
    let database = request.database.as_deref();
    let reference =
        request.reference_path.as_deref().map(|path| baseline::newest(path.as_ref(), database)).transpose()?;
    if !request.all || !path.is_dir() {
        return Ok((vec![baseline::newest(&path, database)?], reference, Vec::new()));
    }
    let (mut found, mut warnings) = (Vec::new(), Vec::new());
    for path in baseline::list(&path, database)? {
        match baseline::read_file(&path) {
            Ok(baseline) => found.push(StoredBaseline { path, baseline }),
            Err(error) => warnings.push(error.message),
        }
    }
    Ok((found, reference, warnings))
}

/// A baseline as it is handed out, compared with an earlier one where there is one.
pub(super) fn summary(stored: &StoredBaseline, reference: Option<&StoredBaseline>) -> BaselineSummary {
    let baseline = &stored.baseline;
    let name = |role| baseline.instance(role).map(|instance| instance.sql_instance.clone());
    BaselineSummary {
        path: stored.path.display().to_string(),
        saved_at_utc: utc_text(baseline.saved_at_utc),
        database: baseline.database.clone(),
        pool_fqdn: baseline.pool.pool_fqdn.clone(),
        sql_instance: name(InstanceRole::Backup),
        primary_sql_instance: name(InstanceRole::Primary),
        primary_mirror_sql_instance: name(InstanceRole::PrimaryMirror),
        backup_mirror_sql_instance: name(InstanceRole::BackupMirror),
        log_backup_share: share(baseline),
        active_servers: active_servers(baseline),
        is_complete: baseline.is_complete(),
        unread: baseline
            .unread
            .iter()
            .map(|part| UnreadPart { subject: part.subject.clone(), part: part.part.clone(), why: part.why.clone() })
            .collect(),
        reference_path: reference.map(|reference| reference.path.display().to_string()),
        drift: reference.map(|reference| compare(&reference.baseline, baseline)).unwrap_or_default(),
    }
}

fn share(baseline: &Baseline) -> Option<String> {
    let secondary = baseline.instance(InstanceRole::Backup).and_then(|instance| instance.secondary_record());
    let primary = baseline.instance(InstanceRole::Primary).and_then(|instance| instance.primary_record());
    secondary
        .map(|record| record.backup_source_directory.to_string())
        .or_else(|| primary.map(|record| record.backup_share.to_string()))
}

fn active_servers(baseline: &Baseline) -> Vec<String> {
    let service = baseline.pool.service.known().and_then(Option::as_ref);
    service.and_then(|service| service.active_servers.clone()).unwrap_or_default()
}
