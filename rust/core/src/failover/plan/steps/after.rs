//! The steps after the recovery: the pool, the mirror, the servers, log backups.

use super::{log_backup_folder, rate, step_name, Parts};
use crate::document::{FailoverRequest, PlannedStep};
use crate::error::Result;
use crate::evidence::{Evidence, PoolEvidence};
use crate::host::NativeCommand;
use crate::names::{InstanceName, PoolState, ServerPath};
use crate::pool;
use crate::sql::file;
use crate::sql::log_backup_job::{self, full_backup_statement, LogBackupJob, TIME_OF_BACKUP};

/// A SQL host as the native commands want it: FQDN, and the instance's name where it is not the default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreName {
    pub fqdn: String,
    pub instance: Option<String>,
}

/// The backup instance as the topology names it. Without a fitting entry, the host as the operator wrote it.
pub fn backup_host(evidence: &Evidence) -> StoreName {
    let named: Option<InstanceName> = evidence.sql_instance.parse().ok();
    let server: Option<InstanceName> = evidence.instance.server_name.parse().ok();
    let instance =
        server.and_then(|name| name.instance).or_else(|| named.as_ref().and_then(|name| name.instance.clone()));
    let host = named.map_or_else(|| evidence.sql_instance.clone(), |name| name.host);
    let is_it = |fqdn: &str| {
        let short = fqdn.split('.').next().unwrap_or_default();
        [host.as_str(), &evidence.instance.machine_name]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(fqdn) || name.eq_ignore_ascii_case(short))
    };
    let of_service = evidence.pool.service().and_then(|service| service.backup_store.clone());
    let of_stores = evidence.pool.stores.known().and_then(|stores| {
        let fits = |store: &&pool::Store| is_it(&store.sql_fqdn) && same(&store.instance, &instance);
        stores.iter().find(fits).map(|store| store.sql_fqdn.clone())
    });
    let fqdn = of_service.filter(|fqdn| is_it(fqdn)).or(of_stores).unwrap_or(host);
    StoreName { fqdn, instance }
}

fn same(a: &Option<String>, b: &Option<String>) -> bool {
    a.as_deref().unwrap_or_default().eq_ignore_ascii_case(b.as_deref().unwrap_or_default())
}

fn pool_name(evidence: &Evidence) -> &str {
    evidence.pool.pool_fqdn.as_deref().unwrap_or_default()
}

fn text(parts: &Parts<'_>, command: &NativeCommand) -> String {
    pool::plan_text(command, parts.evidence.pool.module_of(&command.name))
}

pub(super) fn pool_state(parts: &Parts<'_>) -> PlannedStep {
    let pool = &parts.evidence.pool;
    let mut planned = PlannedStep::new(
        step_name::POOL_STATE,
        "Clear the active servers, set the pool to FailedOver and wait for replication",
        pool_name(parts.evidence),
        "The database is online on the backup; users stay out until the pool follows. `Resume-PChatRun` goes on here.",
    );
    if pool.active_servers().is_none_or(|servers| !servers.is_empty()) {
        let identity = pool.active_list_right.known().map_or("global", String::as_str);
        planned.native_commands.push(text(parts, &pool::clear_active_servers(identity)));
    }
    let is_failed_over = pool.state.known().is_some_and(|state| state.state.eq_ignore_ascii_case("FailedOver"));
    if !is_failed_over {
        let fallback = || format!("PersistentChatServer:{}", pool_name(parts.evidence));
        let identity = pool.state_right.known().cloned().unwrap_or_else(fallback);
        planned.native_commands.push(text(parts, &pool::set_pool_state(&identity, PoolState::FailedOver)));
    }
    planned.native_commands.push(text(parts, &pool::get_pool_state()));
    planned.native_commands.push(text(parts, &pool::get_replication()));
    planned.expected_seconds = Some(120);
    planned
}

/// The commands that set up the mirror: for mgc, and for mgccomp where compliance has a mirror on the backup side.
pub fn mirror_commands(evidence: &Evidence, request: &FailoverRequest) -> Vec<NativeCommand> {
    let share = request.mirror_file_share.as_deref().unwrap_or_default();
    let host = backup_host(evidence);
    let mut commands = vec![pool::install_mirror(pool::CHAT_DATABASE, &host.fqdn, host.instance.as_deref(), share)];
    let service = evidence.pool.service();
    let compliance = service.filter(|service| service.backup_mirror_compliance_store.is_some());
    if let Some(store) = compliance.and_then(|service| service.backup_compliance_store.as_deref()) {
        let same_host = store.eq_ignore_ascii_case(&host.fqdn);
        let instance = host.instance.as_deref().filter(|_| same_host);
        commands.push(pool::install_mirror(pool::COMPLIANCE_DATABASE, store, instance, share));
    }
    commands
}

pub(super) fn mirror(parts: &Parts<'_>) -> PlannedStep {
    let evidence = parts.evidence;
    let mut planned = PlannedStep::new(
        step_name::MIRROR,
        "Set up the mirror of the new primary",
        evidence.backup_mirror.name.as_deref().unwrap_or(&evidence.sql_instance),
        "Users get in all the same; the run ends incomplete and the mirror is set up later.",
    );
    let commands = mirror_commands(evidence, parts.request);
    planned.native_commands = commands.iter().map(|command| text(parts, command)).collect();
    let bytes = evidence.state.as_ref().map_or(0, |state| state.data_bytes());
    planned.expected_seconds = Some(60 + 2 * rate::seconds(bytes, rate::RESTORE_BYTES_PER_SECOND));
    planned
}

pub(super) fn active_servers(parts: &Parts<'_>) -> PlannedStep {
    let pool = &parts.evidence.pool;
    let mut planned = PlannedStep::new(
        step_name::ACTIVE_SERVERS,
        "Activate the servers and see their sessions in the database",
        pool_name(parts.evidence),
        "The pool is failed over with an empty active list; the list of before is in the journal.",
    );
    let identity = pool.active_list_right.known().map_or("global", String::as_str);
    let servers = &parts.request.active_servers;
    planned.native_commands.push(text(parts, &pool::add_active_servers(identity, servers)));
    planned.native_commands.push(text(parts, &pool::get_replication()));
    for server in servers {
        planned.native_commands.push(text(parts, &pool::get_windows_services(server)));
    }
    planned.expected_seconds = Some(60);
    planned
}

/// The proof from end to end, where a Front End pool has test users.
pub(crate) fn test_message(pool: &PoolEvidence) -> Option<PlannedStep> {
    let pools = pool.test_pools.known().filter(|pools| !pools.is_empty())?;
    let mut planned = PlannedStep::new(
        step_name::TEST_MESSAGE,
        "Send a message from one test user to the other",
        pool.pool_fqdn.as_deref().unwrap_or_default(),
        "Sessions of the active servers are seen; the message did not arrive, and the run ends incomplete.",
    );
    let text = |command: NativeCommand| pool::plan_text(&command, pool.module_of(&command.name));
    planned.native_commands = pools.iter().map(|target| text(pool::test_message(target))).collect();
    planned.expected_seconds = Some(10);
    Some(planned)
}

/// The job that takes log backups from now on; `None` where declined or without a folder.
pub fn log_backup_job(evidence: &Evidence, request: &FailoverRequest) -> Option<LogBackupJob> {
    if request.no_log_backup {
        return None;
    }
    Some(LogBackupJob {
        database: evidence.database.clone(),
        folder: log_backup_folder(evidence, request)?,
        interval_minutes: request.log_backup_interval_minutes,
    })
}

pub(super) fn log_backups(parts: &Parts<'_>) -> Result<Option<PlannedStep>> {
    let evidence = parts.evidence;
    let Some(wanted) = log_backup_job(evidence, parts.request) else { return Ok(None) };
    let mirror = evidence.backup_mirror.name.as_deref().filter(|_| evidence.backup_mirror.answer.is_alive());
    let target = match mirror {
        Some(mirror) => format!("{}, {mirror}", evidence.sql_instance),
        None => evidence.sql_instance.clone(),
    };
    let mut planned = PlannedStep::new(
        step_name::LOG_BACKUPS,
        "Take a full backup and log backups from now on",
        &target,
        "Users are in; the log of the database grows until log backups are taken. `Resume-PChatRun` goes on here.",
    );
    planned.statements.extend(create_folder(&wanted.folder)?);
    planned.statements.push(full_backup_statement(&wanted.database, &full_backup_file(&wanted), false)?);
    planned.statements.extend(log_backup_job::planned_statements(&wanted)?);
    if let Some(mirror) = mirror {
        let folder = mirror_folder(mirror, parts.request);
        planned.statements.push(format!("-- On {mirror}:"));
        planned.statements.extend(create_folder(&folder)?);
        planned.statements.extend(log_backup_job::planned_statements(&LogBackupJob { folder, ..wanted })?);
    }
    let bytes = evidence.state.as_ref().map_or(0, |state| state.data_bytes());
    planned.expected_seconds = Some(10 + rate::seconds(bytes, rate::BACKUP_BYTES_PER_SECOND));
    Ok(Some(planned))
}

/// A folder that is there is not created again.
fn create_folder(folder: &ServerPath) -> Result<[String; 2]> {
    Ok(["-- Where the folder is not there yet:".to_string(), file::create_folder_statement(folder)?])
}

/// The file of the full backup. The time in its name is that of the backup, which nobody knows yet.
fn full_backup_file(wanted: &LogBackupJob) -> ServerPath {
    wanted.folder.join(&format!("{}_{TIME_OF_BACKUP}.bak", wanted.database))
}

/// As asked, or the mirror's own folder for backups, which it is asked for when users are in.
fn mirror_folder(mirror: &str, request: &FailoverRequest) -> ServerPath {
    let asked = request.log_backup_path.as_deref().filter(|path| !path.trim().is_empty());
    asked.map_or_else(|| ServerPath::new(format!("<backup folder of {mirror}>")), ServerPath::new)
}

pub(super) fn report(parts: &Parts<'_>) -> PlannedStep {
    let mut planned = PlannedStep::new(
        step_name::REPORT,
        "Report the loss, the times and what is left to do",
        &parts.evidence.sql_instance,
        "Everything is done; only the report is missing.",
    );
    planned.expected_seconds = Some(1);
    planned
}
