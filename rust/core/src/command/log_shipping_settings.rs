//! How log shipping is to be: as a baseline has it, as the partner of a pair has it, or as the request says.

use super::log_shipping_plan::{Found, Half};
use crate::baseline::{Baseline, InstanceRole, JobPurpose};
use crate::document::LogShippingAddRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::utc_text;
use crate::names::ServerPath;
use crate::sql::job::{Job, JobSchedule};
use crate::sql::log_backup_job::subday;
use crate::sql::log_shipping::{RestoreMode, SecondaryRecord};
use crate::sql::log_shipping_primary::PrimaryRecord;
use crate::sql::log_shipping_set_up::{PrimarySetUp, SecondarySetUp};

/// How long log backups are kept where nothing tells: three days.
const RETENTION_MINUTES: i64 = 4320;

/// Records and jobs as they are to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub primary: PrimarySetUp,
    /// The mirroring partner, where it is to be a primary too.
    pub partner: Option<PrimarySetUp>,
    /// Server and database of each.
    pub secondaries: Vec<(String, String)>,
    pub secondary: Option<SecondarySetUp>,
    /// The share itself, where its subfolder is used and has to be made.
    pub new_folder: Option<ServerPath>,
    /// For people: `the baseline of …`.
    pub source: String,
}

/// Works the settings out. Pure.
///
/// # Errors
/// `LogShippingNotFound` (4001) where nothing tells them; `InvalidValue` (1002) for folders or an interval that are missing.
pub(super) fn settings(
    request: &LogShippingAddRequest,
    baseline: Option<&Baseline>,
    found: &Found,
) -> Result<Settings> {
    let Some((_, half)) = &found.secondary else { return of_partner(request, found) };
    let mut settings = match baseline {
        Some(baseline) => of_baseline(request, baseline)?,
        None => of_request(request, found)?,
    };
    let database = request.target.database.as_str();
    let primary_server = found.primary.facts.server_name.as_str();
    let share = place(found, &settings.primary.share);
    // The old primary's own path of the share is not this instance's.
    let keeps_directory = !request.reverse && request.log_backup_share.is_none() && share == settings.primary.share;
    if !keeps_directory {
        settings.primary.directory = share.clone();
    }
    if let Some(record) = &found.primary.primary {
        settings.primary.share = record.backup_share.clone();
        settings.primary.directory = record.backup_directory.clone();
    } else {
        settings.new_folder = (share != settings.primary.share).then(|| share.clone());
        settings.primary.share = share;
    }
    settings.secondaries = vec![(half.facts.server_name.clone(), database.to_string())];
    if let Some(secondary) = &mut settings.secondary {
        secondary.source = settings.primary.share.clone();
        secondary.record.secondary_database = database.to_string();
        secondary.record.primary_server = primary_server.to_string();
        secondary.record.primary_database = database.to_string();
        if request.reverse {
            secondary.copy_job.name = format!("LSCopy_{primary_server}_{database}");
            secondary.restore_job.name = format!("LSRestore_{primary_server}_{database}");
        }
        // A baseline of a moment at which a job was disabled would leave log shipping standing still.
        secondary.copy_job.is_enabled = true;
        secondary.restore_job.is_enabled = true;
    }
    settings.primary.job.is_enabled = true;
    if is_named(&request.mirror_sql_instance) {
        settings.partner = found.partner.as_ref().map(|(_, half)| as_partner(&settings.primary, found, half));
    }
    if found.needs_roles(&settings) && !is_named(&request.target.pool_fqdn) {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            "a mirror cannot be made a primary: the roles are changed for it, by a command that names the pool.",
        )
        .with_unchanged("Nothing was changed.")
        .with_next("Give the pool with -PoolFqdn."));
    }
    Ok(settings)
}

fn is_named(name: &Option<String>) -> bool {
    name.as_deref().is_some_and(|name| !name.trim().is_empty())
}

/// The second partner as the first one is. One that watches itself does so on either.
fn as_partner(primary: &PrimarySetUp, found: &Found, half: &Half) -> PrimarySetUp {
    let mut set_up = primary.clone();
    if set_up.record.monitor_server.eq_ignore_ascii_case(&found.primary.facts.server_name) {
        set_up.record.monitor_server.clone_from(&half.facts.server_name);
    }
    set_up
}

/// The share, or a subfolder of it where log backups of another time would get into the secondary's way.
fn place(found: &Found, share: &ServerPath) -> ServerPath {
    found.fresh_folder.as_ref().map_or_else(|| share.clone(), |name| share.join(name))
}

/// On the second of two partners: as the first one has it.
fn of_partner(request: &LogShippingAddRequest, found: &Found) -> Result<Settings> {
    let partner = found.partner.as_ref().and_then(|(name, half)| {
        let (record, job) = (half.primary.clone()?, half.backup_job.clone()?);
        Some((name, record, job))
    });
    let Some((name, record, job)) = partner else {
        let why = "no secondary is named, and the mirroring partner is no primary of log shipping yet";
        return Err(unknown(request, why, "Begin on the principal, with -SecondarySqlInstance."));
    };
    Ok(Settings {
        secondaries: record.secondaries.clone(),
        primary: PrimarySetUp {
            database: request.target.database.clone(),
            directory: record.backup_directory.clone(),
            share: record.backup_share.clone(),
            record,
            job: Job { is_enabled: true, ..job },
        },
        partner: None,
        secondary: None,
        new_folder: None,
        source: format!("its partner {name}"),
    })
}

/// Record and job of the primary, record and both jobs of the secondary.
type Parts = (PrimaryRecord, Job, SecondaryRecord, Job, Job);

fn parts_of(baseline: &Baseline) -> Option<Parts> {
    let (primary, backup) = (baseline.instance(InstanceRole::Primary)?, baseline.instance(InstanceRole::Backup)?);
    Some((
        primary.primary_record()?.clone(),
        primary.job(JobPurpose::Backup)?.clone(),
        backup.secondary_record()?.clone(),
        backup.job(JobPurpose::Copy)?.clone(),
        backup.job(JobPurpose::Restore)?.clone(),
    ))
}

fn of_baseline(request: &LogShippingAddRequest, baseline: &Baseline) -> Result<Settings> {
    let Some((record, backup_job, secondary, copy_job, restore_job)) = parts_of(baseline) else {
        let why = "the baseline has no record of a primary and its secondary with their jobs";
        return Err(unknown(request, why, "Give one that was saved while log shipping was configured."));
    };
    let share = path(&request.log_backup_share).unwrap_or_else(|| record.backup_share.clone());
    let copy_folder = match (path(&request.copy_folder), request.reverse) {
        (Some(folder), _) => folder,
        (None, false) => secondary.backup_destination_directory.clone(),
        (None, true) => {
            return Err(no_folder("-CopyFolder", "the old primary has no copy folder that a document tells"))
        }
    };
    Ok(Settings {
        primary: PrimarySetUp {
            database: request.target.database.clone(),
            directory: record.backup_directory.clone(),
            share: share.clone(),
            record,
            job: backup_job,
        },
        partner: None,
        secondaries: Vec::new(),
        secondary: Some(SecondarySetUp {
            source: share,
            destination: copy_folder,
            record: secondary,
            copy_job,
            restore_job,
        }),
        new_folder: None,
        source: format!("the baseline of {}", utc_text(baseline.saved_at_utc)),
    })
}

/// Without a baseline: folders and interval as the request has them, anything else as the wizard of SQL Server sets it.
fn of_request(request: &LogShippingAddRequest, found: &Found) -> Result<Settings> {
    let database = request.target.database.as_str();
    let server = found.primary.facts.server_name.as_str();
    let monitor = found.secondary.as_ref().map_or(server, |(_, half)| half.facts.server_name.as_str());
    let nothing = "neither a baseline nor a parameter tells it";
    let share = path(&request.log_backup_share).ok_or_else(|| no_folder("-LogBackupShare", nothing))?;
    let copy_folder = path(&request.copy_folder).ok_or_else(|| no_folder("-CopyFolder", nothing))?;
    Ok(Settings {
        primary: PrimarySetUp {
            database: database.to_string(),
            directory: share.clone(),
            share: share.clone(),
            record: PrimaryRecord {
                primary_database: database.to_string(),
                primary_id: uuid::Uuid::nil(),
                backup_directory: share.clone(),
                backup_share: share.clone(),
                backup_retention_minutes: RETENTION_MINUTES,
                backup_job_id: uuid::Uuid::nil(),
                monitor_server: server.to_string(),
                monitor_by_windows_login: true,
                last_backup_file: None,
                last_backup_at: None,
                backup_compression: 2,
                monitor: None,
                secondaries: Vec::new(),
            },
            job: job(format!("LSBackup_{database}"), request.interval_minutes)?,
        },
        partner: None,
        secondaries: Vec::new(),
        secondary: Some(SecondarySetUp {
            source: share.clone(),
            destination: copy_folder.clone(),
            record: SecondaryRecord {
                secondary_database: database.to_string(),
                secondary_id: uuid::Uuid::nil(),
                primary_server: server.to_string(),
                primary_database: database.to_string(),
                backup_source_directory: share,
                backup_destination_directory: copy_folder,
                file_retention_minutes: RETENTION_MINUTES,
                copy_job_id: uuid::Uuid::nil(),
                restore_job_id: uuid::Uuid::nil(),
                monitor_server: monitor.to_string(),
                monitor_by_windows_login: true,
                restore_delay_minutes: 0,
                restore_all: true,
                restore_mode: RestoreMode::NoRecovery,
                disconnect_users: false,
                block_size: None,
                buffer_count: None,
                max_transfer_size: None,
                last_copied_file: None,
                last_copied_at: None,
                last_restored_file: None,
                last_restored_at: None,
                monitor: None,
                other_databases: Vec::new(),
            },
            copy_job: job(format!("LSCopy_{server}_{database}"), request.interval_minutes)?,
            restore_job: job(format!("LSRestore_{server}_{database}"), request.interval_minutes)?,
        }),
        new_folder: None,
        source: "the command".to_string(),
    })
}

fn job(name: String, interval_minutes: u32) -> Result<Job> {
    let (subday_type, every) = subday(interval_minutes)?;
    let schedule = JobSchedule {
        schedule_id: 0,
        name: format!("every {interval_minutes} minutes"),
        is_enabled: true,
        freq_type: 4,
        freq_interval: 1,
        freq_subday_type: i64::from(subday_type),
        freq_subday_interval: i64::from(every),
        freq_relative_interval: 0,
        freq_recurrence_factor: 0,
        active_start_date: 20_000_101,
        active_end_date: 99_991_231,
        active_start_time: 0,
        active_end_time: 235_959,
    };
    Ok(Job {
        job_id: uuid::Uuid::nil(),
        name,
        is_enabled: true,
        is_running: false,
        description: None,
        owner: None,
        schedules: vec![schedule],
    })
}

fn path(named: &Option<String>) -> Option<ServerPath> {
    named.as_deref().map(str::trim).filter(|path| !path.is_empty()).map(ServerPath::new)
}

fn no_folder(parameter: &str, why: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("{parameter} is not given, and {why}."))
        .with_unchanged("Nothing was changed.")
        .with_next(format!(
            "Name the folder with {parameter}, or give -Baseline; a copy folder is made where it is missing."
        ))
}

fn unknown(request: &LogShippingAddRequest, why: &str, next: &str) -> Error {
    let database = request.target.database.as_str();
    Error::new(
        ErrorKind::LogShippingNotFound,
        format!("nothing tells how log shipping of `{database}` is to be: {why}."),
    )
    .with_unchanged("Nothing was changed.")
    .with_next(next)
    .with_target(database)
}
