//! What setting log shipping up would do on what was found. Pure.

use super::change::{Action, Planned};
use super::log_shipping_settings::Settings;
use crate::document::LogShippingAddRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::failback::history::{log_backups_behind, standing, HistorySet, Stand, Standing};
use crate::log_chain::RedoPoint;
use crate::names::ServerPath;
use crate::sql::database::{DatabaseFacts, DatabaseState};
use crate::sql::file;
use crate::sql::instance::InstanceFacts;
use crate::sql::job::{self, Job};
use crate::sql::log_shipping::SecondaryRecord;
use crate::sql::log_shipping_primary::PrimaryRecord;
use crate::sql::log_shipping_set_up::{primary_secondary_statement, schedule_statement};
use crate::sql::mirror::{Mirror, MirrorRole};

const SIMPLE: i64 = 3;
const SEED: &str = "Seed it first: Backup-PChatDatabase on the primary, Restore-PChatDatabase -BackupFile there.";

/// One instance as it was found.
pub(super) struct Half {
    pub facts: InstanceFacts,
    pub database: DatabaseFacts,
    pub mirror: Option<Mirror>,
    pub primary: Option<PrimaryRecord>,
    /// The job of that record.
    pub backup_job: Option<Job>,
    pub secondary: Option<SecondaryRecord>,
    /// Of a copy that is restoring.
    pub redo: Option<RedoPoint>,
    /// The log backup job that a failover made.
    pub own_job: Option<Job>,
}

/// Both sides; each by the name that the request, or its partner, gives it.
pub(super) struct Found {
    pub primary: Half,
    /// The other partner of a mirrored primary.
    pub partner: Option<(String, Half)>,
    /// Only where it is to be made.
    pub secondary: Option<(String, Half)>,
    /// What the primary's database came from and was backed up to.
    pub history: Vec<HistorySet>,
    /// The subfolder of the share that is to be used, where log backups of an earlier time lie in it.
    pub fresh_folder: Option<String>,
}

impl Found {
    /// The log backup jobs that give way: two takers of log backups tear the chain between two folders.
    pub(super) fn own_jobs<'a>(&'a self, primary: &'a str) -> Vec<(&'a str, &'a Job)> {
        let of = |name: &'a str, half: &'a Half| half.own_job.as_ref().map(|job| (name, job));
        let partner = self.partner.as_ref().and_then(|(name, half)| of(name, half));
        of(primary, &self.primary).into_iter().chain(partner).collect()
    }
}

pub(super) fn plan(request: &LogShippingAddRequest, settings: &Settings, found: &Found) -> Result<Planned> {
    let database = request.target.database.as_str();
    let mut planned = Planned::default();
    let mut fact = |name: &str, value: &str| planned.facts.insert(name.to_string(), value.to_string());
    fact("primary", &found.primary.facts.server_name);
    fact("database", database);
    fact("lab", found.primary.facts.lab_id.as_deref().unwrap_or("none"));
    fact("primary_state", found.primary.database.state.as_text());
    fact("is_primary", if found.primary.primary.is_some() { "yes" } else { "no" });
    fact("partner", found.partner.as_ref().map_or("none", |(name, _)| name));
    fact("share", settings.primary.share.as_str());
    if let Some((_, half)) = &found.secondary {
        fact("secondary", &half.facts.server_name);
        fact("secondary_state", half.database.state.as_text());
        fact("is_secondary", if half.secondary.is_some() { "yes" } else { "no" });
    }
    if let Some(refusal) = refusal(request, settings, found) {
        planned.refusal = Some(refusal);
        return Ok(planned);
    }
    let name = request.target.sql_instance.as_str();
    let primary = &settings.primary;
    if found.primary.primary.is_none() {
        if let Some(folder) = &settings.new_folder {
            planned.actions.push(action("create_folder", name, file::create_folder_statement(folder)?));
        }
        planned.actions.push(action("add_primary", name, primary.shown_statement(Some("…"))?));
        planned.actions.extend(schedules(&primary.job)?);
    }
    for (server, secondary) in &settings.secondaries {
        let known = found.primary.primary.as_ref().map(|record| record.secondaries.as_slice()).unwrap_or_default();
        if !known.iter().any(|(known, _)| known.eq_ignore_ascii_case(server)) {
            let statement = primary_secondary_statement(database, server, secondary)?;
            planned.actions.push(action("add_primary_secondary", name, statement));
        }
    }
    if let (Some((name, half)), Some(secondary)) = (&found.secondary, &settings.secondary) {
        if half.secondary.is_none() {
            planned.actions.push(action("create_folder", name, file::create_folder_statement(&secondary.destination)?));
            planned.actions.push(action("add_secondary", name, secondary.shown_primary_statement(Some("…"))?));
            planned.actions.push(action("add_secondary_database", name, secondary.database_statement()?));
            planned.actions.extend(schedules(&secondary.copy_job)?);
            planned.actions.extend(schedules(&secondary.restore_job)?);
        }
    }
    for (instance, own) in found.own_jobs(name) {
        planned.actions.push(action("delete_job", instance, job::delete_statement(own.job_id)?));
    }
    planned.text = said(request, settings, found, planned.actions.is_empty());
    planned.next = next(found);
    Ok(planned)
}

fn action(action: &'static str, object: &str, statement: String) -> Action {
    Action { action, object: object.to_string(), statement, text: String::new() }
}

/// The schedules of a job that has no id yet.
fn schedules(job: &Job) -> Result<Vec<Action>> {
    job.schedules
        .iter()
        .map(|schedule| {
            Ok(Action {
                text: "the job's id comes from the call before".to_string(),
                ..action("add_schedule", &job.name, schedule_statement(uuid::Uuid::nil(), schedule)?)
            })
        })
        .collect()
}

fn said(request: &LogShippingAddRequest, settings: &Settings, found: &Found, is_done: bool) -> String {
    let (database, name, share) = (&request.target.database, &request.target.sql_instance, &settings.primary.share);
    match &found.secondary {
        _ if is_done => format!("Log shipping of `{database}` is set up already."),
        Some((secondary, _)) => format!(
            "Ship the log of `{database}` from {name} to {secondary} through {share}, as {} has it. Nothing is seeded.",
            settings.source
        ),
        None => {
            format!(
                "Make {name} a primary of log shipping for `{database}` too, with {share}, as {} has it.",
                settings.source
            )
        }
    }
}

fn next(found: &Found) -> Vec<String> {
    let mut next = Vec::new();
    if let (Some((partner, half)), Some(_)) = (&found.partner, &found.secondary) {
        if half.primary.is_none() {
            next.push(format!(
                "After a change of roles {partner} ships nothing until it is a primary too: change the roles (`Invoke-CsDatabaseFailover`), \
                 New-PChatLogShipping {partner}, and change them back."
            ));
        }
    }
    next
}

/// Where a record would be refused, or would never ship.
fn refusal(request: &LogShippingAddRequest, settings: &Settings, found: &Found) -> Option<Error> {
    let database = request.target.database.as_str();
    let unsuited = |why: String, next: &str| {
        Some(
            Error::new(ErrorKind::DatabaseStateUnsuited, format!("{why}."))
                .with_unchanged("Nothing was changed.")
                .with_next(next)
                .with_target(database),
        )
    };
    let (primary, name) = (&found.primary, request.target.sql_instance.as_str());
    if primary.mirror.as_ref().is_some_and(|mirror| mirror.role == MirrorRole::Mirror) {
        return unsuited(
            format!("{name} is the mirror of `{database}`, and a mirror cannot be made a primary"),
            "Change the roles first (`Invoke-CsDatabaseFailover`), then again; change them back afterwards.",
        );
    }
    if primary.database.state != DatabaseState::Online {
        let state = primary.database.state.as_text();
        return unsuited(
            format!("`{database}` on {name} is {state}, and a primary must be online"),
            "Name the instance that serves it.",
        );
    }
    if primary.database.recovery_model == SIMPLE {
        return unsuited(
            format!("`{database}` on {name} is in the simple recovery model and has no log to ship"),
            "Set the full recovery model and take a full backup first.",
        );
    }
    let (name, half) = found.secondary.as_ref()?;
    if half.facts.server_name.eq_ignore_ascii_case(&primary.facts.server_name) {
        return unsuited(format!("{name} cannot be both primary and secondary"), "Name two instances.");
    }
    if let Some(record) = &half.secondary {
        if !record.primary_server.eq_ignore_ascii_case(&primary.facts.server_name) {
            return unsuited(
                format!("`{database}` on {name} is the secondary of {} already", record.primary_server),
                "Remove-PChatLogShipping takes it out of that.",
            );
        }
        return None;
    }
    if half.mirror.is_some() {
        return unsuited(
            format!("`{database}` on {name} is mirrored, and takes no log backups"),
            "End mirroring first: Remove-PChatMirror, on both partners.",
        );
    }
    if !half.database.state.is_secondary() {
        return unsuited(
            format!("`{database}` on {name} is {}, and takes no log backups", half.database.state.as_text()),
            SEED,
        );
    }
    let Some(redo) = &half.redo else {
        return unsuited(format!("a restore of `{database}` on {name} was cut off"), SEED);
    };
    let stand = Stand { lsn: redo.lsn, fork_id: redo.fork_id };
    if let Standing::OffHistory { why } = standing(&found.history, stand) {
        return unsuited(
            format!("`{database}` on {name} is no part of what {} has: {why}", primary.facts.server_name),
            SEED,
        );
    }
    let (file, first, last) = out_of_reach(settings, found, stand)?;
    unsuited(
        format!("{name} stands at LSN {}, and the log backup from LSN {first} to {last} is in {file}, where no job looks for it", redo.lsn),
        "Restore it first: Restore-PChatLogBackup -AdditionalLogBackupFolder; or seed the secondary anew.",
    )
}

/// A log backup that the secondary wants and that lies in none of the folders of log shipping.
fn out_of_reach(
    settings: &Settings,
    found: &Found,
    stand: Stand,
) -> Option<(String, crate::names::Lsn, crate::names::Lsn)> {
    let folders: [&ServerPath; 2] = [&settings.primary.share, &settings.primary.directory];
    let lies_there = |set: &HistorySet| {
        let folder = set.path.as_ref().and_then(ServerPath::parent);
        folder.is_some_and(|folder| folders.iter().any(|known| known.same_as(&folder)))
    };
    let set = log_backups_behind(&found.history, stand.lsn).into_iter().find(|set| !lies_there(set))?;
    let file = set.path.as_ref().map_or("an unknown file".to_string(), ToString::to_string);
    Some((file, set.first_lsn, set.last_lsn))
}

#[cfg(test)]
mod tests;
