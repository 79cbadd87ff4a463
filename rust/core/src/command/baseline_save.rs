//! `Save-PChatBaseline`: the configuration of all four instances, the pool and the topology, as a file. Reads only, but for
//! that file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::baseline_get::summary;
use crate::baseline::{self, Instances, StoredBaseline};
use crate::document::{BaselineSaveRequest, CountResult};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Cancel, Host, Level, Progress};
use crate::names::InstanceName;
use crate::operation::{OperationResult, Session};
use crate::sql::{log_shipping, Purpose};

/// Hands out one item `baseline`, compared with the newest one that was there before. What could not be read is in it, and
/// warned about; it is written all the same.
///
/// # Errors
/// `InvalidValue` (1002) for a name that is none; `BaselineNotWritten` (7008); `BaselineUnreadable` (7009) where not a
/// single instance answered, so that nothing was written.
pub(crate) async fn baseline_save(
    session: Arc<Session>,
    request: BaselineSaveRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    let mut instances = names(&request)?;
    host.progress(Progress {
        activity: format!("Saving the baseline of {}", request.target.database),
        status: "Reading all instances and the pool".to_string(),
        ..Progress::default()
    });
    if instances.primary.is_none() {
        instances.primary = recorded_primary(&session, &request, instances.backup.as_ref()).await;
    }
    let read = baseline::read_all(
        session.connector(),
        host.as_ref(),
        request.target.pool_fqdn.as_deref(),
        instances,
        &request.target.database,
        &request.compliance_database,
    );
    let found = tokio::select! {
        found = Box::pin(read) => found,
        () = cancel.cancelled() => return Err(cancelled()),
    };
    if found.instances.iter().all(|instance| instance.facts.known().is_none()) {
        let why = found.instances.first().and_then(|instance| instance.facts.why()).unwrap_or("none is named");
        return Err(Error::new(ErrorKind::BaselineNotWritten, format!("not a single instance answered: {why}"))
            .with_unchanged("Earlier baselines are as they were.")
            .with_next("Check -SqlInstance and the login.")
            .with_target(request.target.sql_instance.as_str()));
    }
    cancel.check()?;
    for part in &found.unread {
        let text = format!("Not in the baseline: {} of {}: {}", part.part, part.subject, part.why);
        host.message(Level::Warning, text);
    }
    let (folder, keep) = (PathBuf::from(&request.folder), request.keep as usize);
    let written = tokio::task::spawn_blocking(move || {
        let earlier = baseline::newest(&folder, Some(&found.database)).ok();
        let (path, warnings) = baseline::save(&folder, &found, keep)?;
        Ok::<_, Error>((StoredBaseline { path, baseline: found }, earlier, warnings))
    });
    let (stored, earlier, warnings) = written
        .await
        .map_err(|e| Error::new(ErrorKind::InternalFault, format!("the baseline could not be written: {e}.")))??;
    for warning in warnings {
        host.message(Level::Warning, warning);
    }
    host.item("baseline", json!(summary(&stored, earlier.as_ref()))).await?;
    OperationResult::new("count", &CountResult { count: 1 })
}

fn names(request: &BaselineSaveRequest) -> Result<Instances> {
    let given = |name: &Option<String>| -> Result<Option<InstanceName>> {
        name.as_deref().filter(|name| !name.trim().is_empty()).map(str::parse).transpose()
    };
    if !Path::new(&request.folder).is_absolute() {
        return Err(Error::new(ErrorKind::InvalidValue, format!("`{}` is no absolute folder.", request.folder))
            .with_next("Give the folder with its drive or share."));
    }
    Ok(Instances {
        primary: given(&request.primary_sql_instance)?,
        primary_mirror: given(&request.primary_mirror_sql_instance)?,
        backup: Some(request.target.sql_instance.parse()?),
        backup_mirror: given(&request.backup_mirror_sql_instance)?,
    })
}

/// The primary as log shipping on the backup names it, which comes before the topology's.
async fn recorded_primary(
    session: &Session,
    request: &BaselineSaveRequest,
    backup: Option<&InstanceName>,
) -> Option<InstanceName> {
    let mut connection = session.connector().connect(backup?, Purpose::Catalog).await.ok()?;
    let record = log_shipping::read_secondary(&mut connection, &request.target.database).await;
    connection.close().await;
    record.ok()??.primary_server.parse().ok()
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the operation was cancelled.").with_unchanged("No baseline was written.")
}
