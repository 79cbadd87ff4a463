//! What setting log shipping up decides on: both sides, the mirroring partner, the history, the folders. Changes nothing.

use super::change::Context;
use super::log_shipping_plan::{Found, Half};
use super::log_shipping_settings::Settings;
use crate::baseline::{self, Baseline};
use crate::document::LogShippingAddRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::one_role::{refuse_any_two_roles, InRole};
use crate::failback::look::read_shipping;
use crate::failback::step::archive::is_log_backup_of;
use crate::names::{InstanceName, ServerPath};
use crate::pool::{self, NewPrincipal};
use crate::run::roles;
use crate::sql::job::Job;
use crate::sql::log_backup_job::LogBackupJob;
use crate::sql::{backup_history, database, file, instance, job, log_shipping, log_shipping_primary, mirror};
use crate::sql::{Connection, Purpose};

/// The subfolder of the share that a reverse log shipping takes where old files lie in it.
const FRESH_FOLDER: &str = "reverse";

pub(super) fn parsed(name: &Option<String>) -> Result<Option<InstanceName>> {
    name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::parse).transpose()
}

pub(super) async fn read(at: &Context, request: &LogShippingAddRequest) -> Result<(Found, Option<Baseline>)> {
    let baseline = read_baseline(at, request).await?;
    let primary = read_half(at, &at.instance).await?;
    let partner = partner(at, request, &primary).await?;
    let secondary = match parsed(&request.secondary_sql_instance)? {
        Some(name) => Some((name.to_string(), read_half(at, &name).await?)),
        None => None,
    };
    all_different(at, request, &primary, partner.as_ref(), secondary.as_ref())?;
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Files).await?;
    let mut history = backup_history::read(&mut connection, &at.target.database).await?;
    let is_new = request.reverse && primary.primary.is_none();
    let share =
        request.log_backup_share.as_deref().map(str::trim).filter(|share| !share.is_empty()).map(ServerPath::new);
    let known =
        || baseline.as_ref().and_then(|found| found.instance(baseline::InstanceRole::Primary)?.primary_record());
    let fresh_folder = match share.or_else(|| known().map(|record| record.backup_share.clone())) {
        Some(share) if is_new => fresh_folder(&mut connection, &share, &at.target.database).await?,
        _ => None,
    };
    connection.close().await;
    if let Some((name, _)) = &partner {
        // After a change of roles each of both has a part of it.
        let mut connection = at.session.connector().connect(&name.parse()?, Purpose::Catalog).await?;
        let own = backup_history::read(&mut connection, &at.target.database).await?;
        history.extend(own.into_iter().filter(|set| set.is_own));
        history.sort_by_key(|set| (set.first_lsn, set.last_lsn));
        connection.close().await;
    }
    let found =
        Found { primary, partner, secondary, history, fresh_folder, lacks_copy_folder: false, roles_module: None };
    Ok((found, baseline))
}

/// Primary, the mirror that is named, and secondary are three instances.
fn all_different(
    at: &Context,
    request: &LogShippingAddRequest,
    primary: &Half,
    partner: Option<&(String, Half)>,
    secondary: Option<&(String, Half)>,
) -> Result<()> {
    let target = at.instance.to_string();
    let own = |half: &'_ Half| half.facts.server_name.clone();
    let mut named = vec![("primary", target, Some(own(primary)))];
    let asked = partner.map(|(_, half)| own(half));
    named.extend(parsed(&request.mirror_sql_instance)?.map(|name| ("mirror", name.to_string(), asked)));
    named.extend(secondary.map(|(name, half)| ("secondary", name.clone(), Some(own(half)))));
    let named: Vec<InRole<'_>> =
        named.iter().map(|(role, name, own)| InRole { role, name, own_name: own.as_deref() }).collect();
    refuse_any_two_roles(&named)
}

async fn read_baseline(at: &Context, request: &LogShippingAddRequest) -> Result<Option<Baseline>> {
    let Some(path) = request.baseline_path.clone() else { return Ok(None) };
    let found = read_shipping(path, &request.target.database, at.host.as_ref()).await?;
    Ok(Some(found.baseline))
}

/// The other partner of a mirrored primary. Where a failover left it a log backup job, that gives way too; and the other way
/// round both partners ship. Then it must be named, and is locked.
async fn partner(at: &Context, request: &LogShippingAddRequest, primary: &Half) -> Result<Option<(String, Half)>> {
    let Some(mirroring) = &primary.mirror else { return Ok(None) };
    let named = parsed(&request.mirror_sql_instance)?;
    let is_named = named.is_some();
    let name = match named {
        Some(name) => name,
        None => mirroring.partner_instance.as_deref().unwrap_or_default().parse()?,
    };
    let half = read_half(at, &name).await?;
    let why = match (half.own_job.is_some(), request.reverse && request.secondary_sql_instance.is_some()) {
        _ if is_named => None,
        (true, _) => Some("has a log backup job of a failover, which gives way too"),
        (false, true) => Some("is the mirror of the backup, and ships its log too"),
        _ => None,
    };
    if let Some(why) = why {
        return Err(Error::new(ErrorKind::InvalidValue, format!("{name} {why}."))
            .with_unchanged("Nothing was changed.")
            .with_next(format!("Name the partner: -MirrorSqlInstance '{name}'.")));
    }
    Ok(Some((name.to_string(), half)))
}

/// The name of a subfolder that is not there yet, where log backups of an earlier time lie in the share: the restore job of a
/// new secondary would stumble over those of another fork.
async fn fresh_folder(connection: &mut Connection, share: &ServerPath, database: &str) -> Result<Option<String>> {
    let entries = file::list(connection, share).await?;
    if !entries.iter().any(|entry| !entry.is_folder && is_log_backup_of(&entry.name, database)) {
        return Ok(None);
    }
    let is_taken = |name: &String| entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name));
    let names = std::iter::once(FRESH_FOLDER.to_string()).chain((2..).map(|number| format!("{FRESH_FOLDER}_{number}")));
    Ok(names.into_iter().find(|name| !is_taken(name)))
}

async fn read_half(at: &Context, name: &InstanceName) -> Result<Half> {
    let database = at.target.database.as_str();
    let mut connection = at.session.connector().connect(name, Purpose::Catalog).await?;
    let facts = instance::read_facts(&mut connection).await?;
    let found = database::need(&mut connection, database).await?;
    let redo = match found.state.is_secondary() {
        true => database::redo_point(&mut connection, database).await.ok(),
        false => None,
    };
    let own = LogBackupJob { database: database.to_string(), folder: ServerPath::new("C:\\"), interval_minutes: 15 };
    let own_job = match job::find(&mut connection, &own.name()).await? {
        Some(id) => job::read(&mut connection, id).await?,
        None => None,
    };
    let primary = log_shipping_primary::read_primary(&mut connection, database).await?;
    let secondary = log_shipping::read_secondary(&mut connection, database).await?;
    let backup_job = job_of(&mut connection, primary.as_ref().map(|record| record.backup_job_id)).await?;
    let copy_job = job_of(&mut connection, secondary.as_ref().map(|record| record.copy_job_id)).await?;
    let restore_job = job_of(&mut connection, secondary.as_ref().map(|record| record.restore_job_id)).await?;
    let half = Half {
        mirror: mirror::read(&mut connection, database).await?,
        secondary,
        copy_job,
        restore_job,
        facts,
        database: found,
        primary,
        backup_job,
        redo,
        own_job,
    };
    connection.close().await;
    Ok(half)
}

async fn job_of(connection: &mut Connection, id: Option<uuid::Uuid>) -> Result<Option<Job>> {
    match id {
        Some(id) => job::read(connection, id).await,
        None => Ok(None),
    }
}

/// True where the secondary's copy folder is to be made.
pub(super) async fn lacks_copy_folder(at: &Context, settings: &Settings, found: &Found) -> Result<bool> {
    let (Some((name, half)), Some(set_up)) = (&found.secondary, &settings.secondary) else { return Ok(false) };
    if half.secondary.is_some() {
        return Ok(false);
    }
    let mut connection = at.session.connector().connect(&name.parse()?, Purpose::Files).await?;
    let seen = file::look(&mut connection, &set_up.destination).await?;
    connection.close().await;
    Ok(seen != file::PathState::Folder)
}

/// Asks the command that changes the roles whether it may, and where it comes from.
///
/// # Errors
/// `NativeCommandMissing` (6001), `NativeCommandFailed` (6002); `LabMixedWithReal` (5013).
pub(super) async fn ask_for_roles(at: &Context, found: &Found) -> Result<Option<String>> {
    let new = if found.primary.is_mirror() { NewPrincipal::Primary } else { NewPrincipal::Mirror };
    let asked = pool::what_if(&roles::command(at.target.pool_fqdn.as_deref().unwrap_or_default(), new));
    let outcome = at.host.native(asked.clone()).await;
    let (stand_in, module) = (outcome.stand_in, outcome.module.clone());
    pool::objects(&asked, outcome).map_err(|error| error.with_unchanged("Nothing was changed."))?;
    let is_lab = found.primary.facts.lab_id.is_some();
    if stand_in == is_lab {
        return Ok(module);
    }
    let module = module.as_deref().unwrap_or("an unknown module");
    let world = if is_lab { "belongs to the lab" } else { "is real" };
    Err(Error::new(
        ErrorKind::LabMixedWithReal,
        format!("{} {world}, and `{}` came from {module}, which does not.", at.target.sql_instance, asked.name),
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Open a shell with the one module that belongs to this instance.")
    .with_target(&asked.name))
}
