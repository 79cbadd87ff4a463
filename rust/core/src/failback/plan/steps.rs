//! The steps of a failback in their order, with statements, files and native commands.

use super::super::decision::{Decision, Way};
use super::super::evidence::Evidence;
use super::super::guard::{Found, Measure, Treatment};
use super::{home, step_name};
use crate::baseline::{InstanceBaseline, InstanceRole, JobPurpose};
use crate::document::{FailbackRequest, PlannedFile, PlannedStep};
use crate::error::Result;
use crate::failback::step::documented::closing_stem;
use crate::host::NativeCommand;
use crate::names::{Lsn, ServerPath};
use crate::pool::{self, WindowsService};
use crate::sql::backup::{self, BackupOrder, BackupWhat};
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::database::DatabaseState;
use crate::sql::full_restore::{self, FullRestore};
use crate::sql::log_backup_job::{planned_statements, LogBackupJob, TIME_OF_BACKUP};
use crate::sql::primary_removal::remove_primary_statements;
use crate::sql::{backup_file, database, job, mirror, offline, restore, salvage};
use crate::switch::step::planned_tail;

const MEBIBYTE: u64 = 1024 * 1024;
const SERVING: &str = "The backup serves as before; what was done at home stays. `Resume-PChatRun` goes on here.";
const OUT: &str =
    "Users are out, and nothing is lost: `Resume-PChatRun` goes on, `Undo-PChatRun` lets the backup serve again.";
pub(super) const HOME: &str =
    "Users are served by the primary; the run ends incomplete, and `Resume-PChatRun` goes on here.";

/// What every step is made of.
pub(super) struct Parts<'a> {
    pub evidence: &'a Evidence,
    pub request: &'a FailbackRequest,
    pub decision: &'a Decision,
}

/// All of them, numbered.
pub(super) fn all(parts: &Parts<'_>) -> Result<Vec<PlannedStep>> {
    let mut steps = Vec::new();
    steps.push(log_backups_to_share(parts)?);
    steps.extend(old_log_shipping(parts)?);
    steps.extend(save_copies(parts)?);
    if parts.decision.way == Way::Seeded {
        steps.push(seed(parts)?);
    }
    if parts.decision.way != Way::Documented {
        steps.push(catch_up(parts)?);
    }
    steps.extend(switch(parts)?);
    steps.extend(home::after(parts)?);
    for (number, step) in (1..).zip(&mut steps) {
        step.number = number;
    }
    Ok(steps)
}

impl Parts<'_> {
    pub(super) fn name(&self, role: InstanceRole) -> String {
        self.evidence.name(role).to_string()
    }

    pub(super) fn database(&self) -> &str {
        &self.evidence.database
    }

    pub(super) fn share(&self) -> ServerPath {
        self.decision.wanted.share.clone().unwrap_or_else(|| ServerPath::new("?"))
    }

    /// A backup file on the share. The time in its name is that of the backup, which nobody knows yet.
    pub(super) fn file(&self, ending: &str) -> ServerPath {
        self.share().join(&format!("{}_{TIME_OF_BACKUP}.{ending}", self.database()))
    }

    /// True where reverse log shipping takes the log backups.
    pub(super) fn is_reverse(&self) -> bool {
        self.evidence.instance(InstanceRole::Backup).is_some_and(|backup| backup.primary_record().is_some())
    }

    /// Our log backup job as it is to be.
    pub(super) fn log_backup_job(&self) -> LogBackupJob {
        let interval_minutes = crate::failback::step::log_backups::INTERVAL_MINUTES;
        LogBackupJob { database: self.database().to_string(), folder: self.share(), interval_minutes }
    }

    /// True where there is no such job on the backup yet.
    pub(super) fn makes_log_backup_job(&self) -> bool {
        !self.is_reverse() && !self.evidence.log_backup_jobs.iter().any(|seen| seen.role == InstanceRole::Backup)
    }

    /// The statement that restores a log backup of which only the folder is known.
    pub(super) fn log_restore(&self, file: ServerPath) -> Result<String> {
        restore::restore_log_statement(&restore::LogRestore {
            database: self.database().into(),
            paths: vec![file],
            position: 1,
            last_lsn: Lsn::ZERO,
        })
    }

    /// A log backup of whoever takes them until the tail.
    fn log_backup(&self) -> ServerPath {
        let record = self.evidence.instance(InstanceRole::Backup).and_then(|backup| backup.primary_record());
        let folder = record.map_or_else(|| self.share(), |record| record.backup_directory.clone());
        folder.join(&format!("{}_{TIME_OF_BACKUP}.trn", self.database()))
    }

    pub(super) fn text(&self, command: &NativeCommand) -> String {
        pool::plan_text(command, self.evidence.pool.module_of(&command.name))
    }

    /// A command for each service of the pool's servers that is meant.
    pub(super) fn service_commands(
        &self,
        command: fn(&str, &str) -> NativeCommand,
        is_meant: fn(&WindowsService) -> bool,
    ) -> Vec<String> {
        let mut commands = Vec::new();
        for server in &self.evidence.services {
            for service in server.services.known().into_iter().flatten().filter(|service| is_meant(service)) {
                commands.push(self.text(&command(&server.server, &service.name)));
            }
        }
        commands
    }

    /// Seconds for moving the database's data once at so many megabytes a second.
    pub(super) fn seconds(&self, megabytes_per_second: u64) -> u64 {
        self.evidence.data_bytes().div_ceil(megabytes_per_second * MEBIBYTE)
    }
}

fn log_backups_to_share(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::LOG_BACKUPS_TO_SHARE,
        "Have the log backups of the backup go to the share",
        &parts.name(InstanceRole::Backup),
        "The log backups go where they went before, or to the share already.",
    );
    if parts.is_reverse() {
        // The old primary is restored by the run from here on.
        for of in followers(parts) {
            planned.statements.push(job::set_enabled_statement(of, false)?);
        }
        planned.expected_seconds = Some(2);
        return Ok(planned);
    }
    let wanted = parts.log_backup_job();
    let command = wanted.step_text()?;
    if parts.makes_log_backup_job() {
        planned.statements.push(format!("-- on {}", parts.evidence.sql_instance));
        for statement in planned_statements(&wanted)? {
            planned.statements.push(statement);
        }
    }
    let seen = &parts.evidence.log_backup_jobs;
    let is_there = seen.iter().all(|seen| seen.command == command && seen.is_enabled);
    for seen in seen.iter().filter(|_| !is_there || parts.makes_log_backup_job()) {
        planned.statements.push(format!("-- on {}", seen.sql_instance));
        planned.statements.push(job::set_command_statement(seen.job_id, &command)?);
        if !seen.is_enabled {
            planned.statements.push(job::set_enabled_statement(seen.job_id, true)?);
        }
    }
    planned.expected_seconds = Some(2);
    Ok(planned)
}

/// The enabled jobs by which the old primary, or its mirror, follows the backup in reverse log shipping.
fn followers(parts: &Parts<'_>) -> Vec<uuid::Uuid> {
    let home = [InstanceRole::Primary, InstanceRole::PrimaryMirror];
    let instances = home.iter().filter_map(|role| parts.evidence.instance(*role));
    let jobs = instances
        .flat_map(|instance| [JobPurpose::Copy, JobPurpose::Restore].map(|purpose| instance.job(purpose)))
        .flatten();
    jobs.filter(|job| job.is_enabled).map(|job| job.job_id).collect()
}

fn old_log_shipping(parts: &Parts<'_>) -> Result<Option<PlannedStep>> {
    let mut planned = PlannedStep::new(
        step_name::OLD_LOG_SHIPPING,
        "Remove the old log shipping records of the primary and its mirror",
        &parts.name(InstanceRole::Primary),
        SERVING,
    );
    for role in [InstanceRole::Primary, InstanceRole::PrimaryMirror] {
        let Some(instance) = parts.evidence.instance(role) else { continue };
        let Some(record) = instance.primary_record() else { continue };
        planned.statements.push(format!("-- on {}", instance.sql_instance));
        if instance.job(JobPurpose::Backup).is_some_and(|job| job.is_enabled) {
            planned.statements.push(job::set_enabled_statement(record.backup_job_id, false)?);
        }
        planned.statements.extend(remove_primary_statements(record)?);
    }
    planned.expected_seconds = Some(5);
    Ok((!planned.statements.is_empty()).then_some(planned))
}

fn save_copies(parts: &Parts<'_>) -> Result<Option<PlannedStep>> {
    let guard = &parts.decision.guard;
    if guard.in_order().iter().all(|treatment| treatment.measures.is_empty()) {
        return Ok(None);
    }
    let mut planned = PlannedStep::new(
        step_name::SAVE_COPIES,
        "Save what the old copies at home hold, before they are overwritten",
        &parts.name(InstanceRole::Primary),
        "Neither copy is overwritten. The backup serves as before.",
    );
    for treatment in guard.in_order() {
        planned.statements.push(format!("-- on {}: {}", treatment.instance, treatment.found.as_str()));
        for measure in &treatment.measures {
            planned.statements.extend(measure_statements(parts, treatment, *measure)?);
        }
    }
    planned.expected_seconds = Some(10 + 2 * parts.seconds(100));
    Ok(Some(planned))
}

fn measure_statements(parts: &Parts<'_>, treatment: &Treatment, measure: Measure) -> Result<Vec<String>> {
    let database = parts.database();
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let instance: String = treatment.instance.chars().map(safe).collect();
    let file = |ending: &str| parts.share().join(&format!("{database}_saved_{instance}_{TIME_OF_BACKUP}.{ending}"));
    Ok(match measure {
        Measure::PartnerOff => vec![mirror::partner_off_statement(database)?],
        Measure::SetOnline => vec![offline::online_statement(database)?],
        Measure::Recover => vec![database::recover_statement(database)?],
        Measure::SaveFull => {
            let file = file("bak");
            vec![
                salvage::save_full_statement(database, &file)?,
                backup_file::verify_statement(std::slice::from_ref(&file), 1, true)?,
            ]
        }
        Measure::SaveLog => vec![backup::backup_statement(&order(parts, BackupWhat::Salvage, file("trn.saved")))?],
        Measure::AwaitOther => vec!["-- kept until what was saved of the other copy is verified".to_string()],
    })
}

pub(super) fn order(parts: &Parts<'_>, what: BackupWhat, file: ServerPath) -> BackupOrder {
    let copy_only = matches!(what, BackupWhat::Database | BackupWhat::Salvage);
    BackupOrder { database: parts.database().to_string(), what, file, copy_only }
}

fn seed(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::SEED,
        "Restore a full backup of the serving database on the primary, while users are served",
        &parts.name(InstanceRole::Primary),
        SERVING,
    );
    let file = parts.file("bak");
    planned.statements.push(format!("-- on {}", parts.evidence.sql_instance));
    planned.statements.push(backup::backup_statement(&order(parts, BackupWhat::Database, file.clone()))?);
    planned.statements.push(format!("-- on {}", parts.name(InstanceRole::Primary)));
    planned.statements.push(backup_file::verify_statement(std::slice::from_ref(&file), 1, true)?);
    planned.statements.push(match primary_is_open(parts) {
        true => full_restore::restore_over_online_statement(&over_primary(parts, file))?,
        false => full_restore::restore_statement(&over_primary(parts, file))?,
    });
    planned.expected_seconds = Some(10 + parts.seconds(100) + 2 * parts.seconds(50));
    Ok(planned)
}

/// As far as it can be told before there is a backup: each file of one instance to the own one of that name of the other.
fn planned_moves(parts: &Parts<'_>, from: InstanceRole, to: InstanceRole) -> Vec<(String, ServerPath)> {
    let files = |instance: Option<&InstanceBaseline>| {
        let found = instance.and_then(|instance| instance.database());
        found.and_then(|found| found.files.known().cloned()).unwrap_or_default()
    };
    let known = |role: InstanceRole| {
        let own = files(parts.evidence.instance(role));
        let baseline = parts.request.baseline.as_deref();
        if own.is_empty() {
            files(baseline.and_then(|found| found.instance(role)))
        } else {
            own
        }
    };
    let as_backed_up: Vec<backup_file::BackedUpFile> = known(from)
        .into_iter()
        .map(|file| backup_file::BackedUpFile {
            logical_name: file.logical_name,
            path: file.path,
            file_type: if file.is_log { "L".to_string() } else { "D".to_string() },
            size_bytes: file.size_bytes,
        })
        .collect();
    full_restore::moves(&as_backed_up, &known(to), None).unwrap_or_default()
}

fn catch_up(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::CATCH_UP,
        "Restore the log backups on the primary until it is close",
        &parts.name(InstanceRole::Primary),
        SERVING,
    );
    let backup = parts.evidence.instance(InstanceRole::Backup);
    let ours = || parts.evidence.log_backup_jobs.iter().find(|seen| seen.role == InstanceRole::Backup);
    let taker = backup.and_then(|backup| backup.primary_record()).map(|record| record.backup_job_id);
    planned.statements.push(match taker.or_else(|| ours().map(|seen| seen.job_id)) {
        Some(id) => job::start_statement(id)?,
        None => job::of_new_job(&parts.log_backup_job().name(), job::start_statement)?,
    });
    let following = parts.evidence.following.known().map(Vec::as_slice).unwrap_or_default();
    let is_unseeded = parts.decision.way == Way::Unseeded;
    for log in following.iter().filter(|_| is_unseeded) {
        let Some(path) = &log.set.path else { continue };
        planned.statements.push_restore(restore::LogRestore {
            database: parts.database().into(),
            paths: vec![path.clone()],
            position: log.position,
            last_lsn: log.set.last_lsn,
        })?;
        planned.files.push(PlannedFile {
            name: path.file_name().into(),
            first_lsn: log.set.first_lsn,
            last_lsn: log.set.last_lsn,
            size_bytes: 0,
            action: "restore".into(),
            from: path.as_str().into(),
            to: path.as_str().into(),
        });
    }
    planned.statements.push("-- Where log backups were taken since, each in its turn:".to_string());
    planned.statements.push(parts.log_restore(parts.log_backup())?);
    planned.expected_seconds = Some(30);
    Ok(planned)
}

/// From the moment that users are let out until the primary is recovered.
fn switch(parts: &Parts<'_>) -> Result<Vec<PlannedStep>> {
    let backup = parts.name(InstanceRole::Backup);
    let primary = parts.name(InstanceRole::Primary);
    let database = parts.database();
    let pool_name = parts.evidence.pool.pool_fqdn.clone().unwrap_or_default();

    let mut stop = PlannedStep::new(
        step_name::STOP_SERVICES,
        "Stop the channel services: users are out from here",
        &pool_name,
        "The backup serves; stopped services are started again by `Undo-PChatRun`.",
    );
    stop.native_commands = parts
        .service_commands(pool::stop_windows_service, |service| service.is_persistent_chat() && !service.is_stopped());
    stop.expected_seconds = Some(30);

    let mut drain = PlannedStep::new(
        step_name::DRAIN,
        "Wait until compliance has processed everything",
        &backup,
        "The channel services are stopped; `Undo-PChatRun` starts them again.",
    );
    drain.expected_seconds = Some(30);

    let mut compliance = PlannedStep::new(step_name::STOP_COMPLIANCE, "Stop the compliance services", &pool_name, OUT);
    compliance.native_commands =
        parts.service_commands(pool::stop_windows_service, |service| service.is_compliance() && !service.is_stopped());
    compliance.expected_seconds = Some(20);
    let mut gone = PlannedStep::new(
        step_name::SESSIONS_GONE,
        "See that no server of the pool is left in the database",
        &backup,
        OUT,
    );
    gone.expected_seconds = Some(5);
    let mut clear =
        PlannedStep::new(step_name::CLEAR_ACTIVE_LIST, "Save and clear the list of active servers", &pool_name, OUT);
    let identity = parts.evidence.pool.active_list_right.known().map_or("global", String::as_str);
    clear.native_commands.push(parts.text(&pool::clear_active_servers(identity)));
    clear.native_commands.push(parts.text(&pool::get_replication()));
    clear.expected_seconds = Some(30);

    let mut jobs = PlannedStep::new(
        step_name::QUIET_JOBS,
        "Disable every log shipping and log backup job on both sides and wait for running ones",
        &format!("{backup}, {primary}"),
        OUT,
    );
    if parts.makes_log_backup_job() {
        let disabled = |id| job::set_enabled_statement(id, false);
        jobs.statements.push(job::of_new_job(&parts.log_backup_job().name(), disabled)?);
    }
    for seen in &parts.evidence.log_backup_jobs {
        jobs.statements.push(job::set_enabled_statement(seen.job_id, false)?);
    }
    for role in [InstanceRole::Backup, InstanceRole::BackupMirror] {
        let reverse = parts.evidence.instance(role).and_then(|instance| instance.job(JobPurpose::Backup));
        if let Some(found) = reverse.filter(|found| found.is_enabled) {
            jobs.statements.push(job::set_enabled_statement(found.job_id, false)?);
        }
    }
    jobs.expected_seconds = Some(10);

    let mut off = PlannedStep::new(step_name::MIRRORING_OFF, "End mirroring of the backup", &backup, OUT);
    let mirrored = parts.evidence.instance(InstanceRole::Backup).and_then(|instance| instance.mirroring());
    if mirrored.is_some() {
        off.statements.push(mirror::partner_off_statement(database)?);
    }
    if compliance_is_mirrored(parts) {
        off.statements.push(mirror::partner_off_statement(COMPLIANCE_DATABASE)?);
    }
    off.expected_seconds = Some(2);

    if parts.decision.way == Way::Documented {
        let mut steps = vec![stop, drain, clear, compliance, gone, jobs, off];
        steps.extend(full_backup_alone(parts)?);
        steps.push(recover(parts)?);
        return Ok(steps);
    }
    let file = parts.file("trn");
    let mut last =
        PlannedStep::new(step_name::TAIL, "Take the last log backup, which leaves the backup restoring", &backup, OUT);
    last.statements.push(planned_tail(&parts.share(), database)?);
    last.expected_seconds = Some(10);

    let mut restored = PlannedStep::new(
        step_name::RESTORE_TAIL,
        "Restore everything up to it on the primary, and see both sides at one LSN",
        &primary,
        OUT,
    );
    restored.statements.push(backup_file::verify_statement(std::slice::from_ref(&file), 1, true)?);
    if parts.is_reverse() {
        restored.statements.push("-- Where a log backup was taken since, before the tail:".to_string());
        restored.statements.push(parts.log_restore(parts.log_backup())?);
    }
    restored.statements.push(parts.log_restore(file)?);
    restored.expected_seconds = Some(10);

    Ok(vec![stop, drain, clear, compliance, gone, jobs, off, last, restored, recover(parts)?])
}

/// True where the backup mirrors mgccomp too.
pub(super) fn compliance_is_mirrored(parts: &Parts<'_>) -> bool {
    let backup = parts.evidence.instance(InstanceRole::Backup);
    let found = backup.and_then(|backup| backup.compliance.known()).and_then(Option::as_ref);
    found.is_some_and(|found| found.mirroring.known().is_some_and(Option::is_some))
}

fn recover(parts: &Parts<'_>) -> Result<PlannedStep> {
    let mut planned = PlannedStep::new(
        step_name::RECOVER,
        "Recover the primary: the point of no return",
        &parts.name(InstanceRole::Primary),
        "A recovery that was sent goes on by itself; `Resume-PChatRun` waits for it, or sends it, and goes on.",
    );
    planned.statements.push(database::recover_statement(parts.database())?);
    planned.statements.push("-- Where it is not open to all users:".to_string());
    planned.statements.push(database::multi_user_statement(parts.database())?);
    planned.expected_seconds = Some(30);
    Ok(planned)
}

/// The documented order: one full backup with nobody in the database, and its restore.
fn full_backup_alone(parts: &Parts<'_>) -> Result<Vec<PlannedStep>> {
    let file = parts.file("bak");
    let mut taken = PlannedStep::new(
        step_name::FULL_BACKUP_ALONE,
        "Take a full backup with nobody in the database, and close it",
        &parts.name(InstanceRole::Backup),
        OUT,
    );
    if matches!(parts.decision.guard.primary.found, Found::Online | Found::Offline | Found::Fresh) {
        taken.statements.push(format!("-- on {}", parts.name(InstanceRole::Primary)));
        taken.statements.push(offline::offline_statement(parts.database())?);
        taken.statements.push(format!("-- on {}", parts.evidence.sql_instance));
    }
    let closing = parts.share().join(&format!("{}_{TIME_OF_BACKUP}.bak", closing_stem(parts.database())));
    taken.statements.push(salvage::save_and_close_statement(parts.database(), &file, &closing)?);
    taken.expected_seconds = Some(10 + parts.seconds(100));
    let mut restored = PlannedStep::new(
        step_name::RESTORE_FULL,
        "Restore the full backup on the primary",
        &parts.name(InstanceRole::Primary),
        OUT,
    );
    restored.statements.push(backup_file::verify_statement(std::slice::from_ref(&file), 1, true)?);
    restored.statements.push(backup_file::verify_statement(std::slice::from_ref(&closing), 1, true)?);
    restored.statements.push(full_restore::restore_statement(&over_primary(parts, file))?);
    restored
        .statements
        .push("-- Where the log went on behind the full backup before the database was closed:".to_string());
    restored.statements.push(parts.log_restore(closing)?);
    restored.expected_seconds = Some(10 + 2 * parts.seconds(50));
    Ok(vec![taken, restored])
}

fn over_primary(parts: &Parts<'_>, file: ServerPath) -> FullRestore {
    full_restore_of(parts, file, InstanceRole::Backup, InstanceRole::Primary)
}

/// True where somebody can be in the primary's copy by the time that it is overwritten.
fn primary_is_open(parts: &Parts<'_>) -> bool {
    let found = parts.evidence.instance(InstanceRole::Primary).and_then(|primary| primary.database());
    let measures = &parts.decision.guard.primary.measures;
    found.is_some_and(|found| matches!(found.facts.state, DatabaseState::Online | DatabaseState::Standby))
        || measures.iter().any(|measure| matches!(measure, Measure::SetOnline | Measure::Recover))
}

/// The restore of a full backup of one instance over the copy of the other.
pub(super) fn full_restore_of(
    parts: &Parts<'_>,
    file: ServerPath,
    from: InstanceRole,
    to: InstanceRole,
) -> FullRestore {
    FullRestore {
        database: parts.database().to_string(),
        file,
        position: 1,
        moves: planned_moves(parts, from, to),
        replace: true,
    }
}
