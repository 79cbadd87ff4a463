//! What setting log shipping up would do on what was found. Pure.

use super::change::{Action, Planned};
use super::log_shipping_refusal::refusal;
use super::log_shipping_settings::Settings;
use crate::document::LogShippingAddRequest;
use crate::error::Result;
use crate::failback::history::HistorySet;
use crate::log_chain::RedoPoint;
use crate::pool::{plan_text, NewPrincipal};
use crate::run::roles;
use crate::sql::database::DatabaseFacts;
use crate::sql::file;
use crate::sql::instance::InstanceFacts;
use crate::sql::job::{self, Job};
use crate::sql::log_shipping::SecondaryRecord;
use crate::sql::log_shipping_primary::PrimaryRecord;
use crate::sql::log_shipping_set_up::{primary_secondary_statement, schedule_statement, PrimarySetUp};
use crate::sql::mirror::{Mirror, MirrorRole};

/// One instance as it was found.
pub(super) struct Half {
    pub facts: InstanceFacts,
    pub database: DatabaseFacts,
    pub mirror: Option<Mirror>,
    pub primary: Option<PrimaryRecord>,
    /// The job of that record.
    pub backup_job: Option<Job>,
    pub secondary: Option<SecondaryRecord>,
    /// The jobs of that record.
    pub copy_job: Option<Job>,
    pub restore_job: Option<Job>,
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
    /// True where the secondary's copy folder is not there yet.
    pub lacks_copy_folder: bool,
    /// The module of the command that changes the roles, where it was asked for.
    pub roles_module: Option<String>,
}

impl Half {
    pub(super) fn is_mirror(&self) -> bool {
        self.mirror.as_ref().is_some_and(|mirror| mirror.role == MirrorRole::Mirror)
    }
}

impl Found {
    /// True where the second partner cannot be set up as the roles are.
    pub(super) fn needs_roles(&self, settings: &Settings) -> bool {
        let Some((_, half)) = self.partner.as_ref().filter(|_| settings.partner.is_some()) else { return false };
        let lacks = match &half.primary {
            Some(record) => !missing(&settings.secondaries, Some(record)).is_empty(),
            None => true,
        };
        // Whoever changed them and was cut off left them so, and the jobs disabled.
        let is_cut_off = || jobs("", settings, self).iter().any(|(_, wanted, found)| is_to_enable(wanted, *found));
        lacks || (self.primary.is_mirror() && is_cut_off())
    }

    /// The log backup jobs that give way: two takers of log backups tear the chain between two folders.
    pub(super) fn own_jobs<'a>(&'a self, primary: &'a str) -> Vec<(&'a str, &'a Job)> {
        let of = |name: &'a str, half: &'a Half| half.own_job.as_ref().map(|job| (name, job));
        let partner = self.partner.as_ref().and_then(|(name, half)| of(name, half));
        of(primary, &self.primary).into_iter().chain(partner).collect()
    }
}

/// The secondaries that a record does not name.
fn missing(wanted: &[(String, String)], record: Option<&PrimaryRecord>) -> Vec<(String, String)> {
    let known = record.map(|record| record.secondaries.as_slice()).unwrap_or_default();
    let is_known = |server: &str| known.iter().any(|(known, _)| known.eq_ignore_ascii_case(server));
    wanted.iter().filter(|(server, _)| !is_known(server)).cloned().collect()
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
    if found.needs_roles(settings) {
        fact("role", if found.primary.is_mirror() { "mirror" } else { "principal" });
        fact("command_module", found.roles_module.as_deref().unwrap_or("unknown"));
    }
    if let Some(refusal) = refusal(request, settings, found) {
        planned.refusal = Some(refusal);
        return Ok(planned);
    }
    planned.actions = actions(request, settings, found)?;
    planned.text = said(request, settings, found, planned.actions.is_empty());
    planned.next = next(settings, found);
    Ok(planned)
}

/// What is missing, in the order in which it is made.
fn actions(request: &LogShippingAddRequest, settings: &Settings, found: &Found) -> Result<Vec<Action>> {
    let name = request.target.sql_instance.as_str();
    let mut actions = Vec::new();
    let own_jobs = found.own_jobs(name);
    for (instance, own) in own_jobs.iter().filter(|(_, own)| own.is_enabled) {
        actions.push(action("disable_job", instance, job::set_enabled_statement(own.job_id, false)?));
    }
    if let Some(folder) = settings.new_folder.as_ref().filter(|_| found.primary.primary.is_none()) {
        actions.push(action("create_folder", name, file::create_folder_statement(folder)?));
    }
    actions.extend(primary_actions(name, &settings.primary, settings, &found.primary)?);
    if let (Some((name, half)), Some(secondary)) = (&found.secondary, &settings.secondary) {
        if found.lacks_copy_folder {
            actions.push(action("create_folder", name, file::create_folder_statement(&secondary.destination)?));
        }
        if half.secondary.is_none() {
            actions.push(action("add_secondary", name, secondary.shown_primary_statement(Some("…"))?));
            actions.push(action("add_secondary_database", name, secondary.database_statement()?));
        }
        actions.extend(schedules(name, &secondary.copy_job, half.copy_job.as_ref())?);
        actions.extend(schedules(name, &secondary.restore_job, half.restore_job.as_ref())?);
    }
    if let (Some((partner, half)), Some(set_up)) = (&found.partner, &settings.partner) {
        let turn = |new: NewPrincipal| {
            let command = roles::command(request.target.pool_fqdn.as_deref().unwrap_or_default(), new);
            action("change_roles", &request.target.database, plan_text(&command, found.roles_module.as_deref()))
        };
        let needs_roles = found.needs_roles(settings);
        if needs_roles && !found.primary.is_mirror() {
            actions.push(turn(NewPrincipal::Mirror));
        }
        actions.extend(primary_actions(partner, set_up, settings, half)?);
        if needs_roles {
            actions.push(turn(NewPrincipal::Primary));
        }
    }
    for (instance, own) in own_jobs {
        actions.push(action("delete_job", instance, job::delete_statement(own.job_id)?));
    }
    actions.extend(enabling(name, settings, found)?);
    Ok(actions)
}

/// The record of a primary with its schedules and secondaries.
fn primary_actions(name: &str, set_up: &PrimarySetUp, settings: &Settings, half: &Half) -> Result<Vec<Action>> {
    let mut actions = Vec::new();
    if half.primary.is_none() {
        actions.push(action("add_primary", name, set_up.shown_statement(Some("…"))?));
    }
    actions.extend(schedules(name, &set_up.job, half.backup_job.as_ref())?);
    for (server, secondary) in missing(&settings.secondaries, half.primary.as_ref()) {
        let statement = primary_secondary_statement(&set_up.database, &server, &secondary)?;
        actions.push(action("add_primary_secondary", name, statement));
    }
    Ok(actions)
}

/// Instance, job as it is to be, and job as it is.
type WantedJob<'a> = (&'a str, &'a Job, Option<&'a Job>);

fn jobs<'a>(primary: &'a str, settings: &'a Settings, found: &'a Found) -> Vec<WantedJob<'a>> {
    let mut jobs: Vec<WantedJob<'a>> = vec![(primary, &settings.primary.job, found.primary.backup_job.as_ref())];
    if let (Some((name, half)), Some(set_up)) = (&found.partner, &settings.partner) {
        jobs.push((name, &set_up.job, half.backup_job.as_ref()));
    }
    if let (Some((name, half)), Some(set_up)) = (&found.secondary, &settings.secondary) {
        jobs.push((name, &set_up.copy_job, half.copy_job.as_ref()));
        jobs.push((name, &set_up.restore_job, half.restore_job.as_ref()));
    }
    jobs
}

fn is_to_enable(wanted: &Job, found: Option<&Job>) -> bool {
    wanted.is_enabled && !found.is_some_and(|job| job.is_enabled)
}

/// All jobs, once everything is there.
fn enabling(primary: &str, settings: &Settings, found: &Found) -> Result<Vec<Action>> {
    let jobs = jobs(primary, settings, found).into_iter().filter(|(_, wanted, job)| is_to_enable(wanted, *job));
    jobs.map(|(instance, wanted, job)| {
        let statement = match job {
            Some(job) => job::set_enabled_statement(job.job_id, true)?,
            None => job::planned_enable_statement(&wanted.name)?,
        };
        Ok(action("enable_job", instance, statement))
    })
    .collect()
}

fn action(action: &'static str, object: &str, statement: String) -> Action {
    Action { action, object: object.to_string(), statement, text: String::new() }
}

/// The schedules that a job lacks; one that is still to be made has no id yet.
fn schedules(instance: &str, wanted: &Job, found: Option<&Job>) -> Result<Vec<Action>> {
    let known = found.map(|job| job.schedules.as_slice()).unwrap_or_default();
    let lacking = wanted.schedules.iter().filter(|wanted| !known.iter().any(|known| known.name == wanted.name));
    lacking
        .map(|schedule| {
            let statement = match found {
                Some(job) => schedule_statement(job.job_id, schedule)?,
                None => job::of_new_job(&wanted.name, |id| schedule_statement(id, schedule))?,
            };
            Ok(action("add_schedule", instance, statement))
        })
        .collect()
}

fn said(request: &LogShippingAddRequest, settings: &Settings, found: &Found, is_done: bool) -> String {
    let (database, name, share) = (&request.target.database, &request.target.sql_instance, &settings.primary.share);
    match &found.secondary {
        _ if is_done => format!("Log shipping of `{database}` is set up already."),
        Some((secondary, _)) => {
            let roles = match &found.partner {
                Some((partner, _)) if found.needs_roles(settings) => format!(
                    " {partner} is made a primary too: the roles are changed for it and changed back, and services that started \
                     before the mirror stood are without the database for that moment."
                ),
                _ => String::new(),
            };
            format!(
                "Ship the log of `{database}` from {name} to {secondary} through {share}, as {} has it. Nothing is seeded.{roles}",
                settings.source
            )
        }
        None => {
            format!(
                "Make {name} a primary of log shipping for `{database}` too, with {share}, as {} has it.",
                settings.source
            )
        }
    }
}

fn next(settings: &Settings, found: &Found) -> Vec<String> {
    let mut next = Vec::new();
    if let (Some((partner, half)), Some(_)) = (&found.partner, &found.secondary) {
        if half.primary.is_none() && settings.partner.is_none() {
            next.push(format!(
                "After a change of roles {partner} ships nothing until it is a primary too: the same command with \
                 -MirrorSqlInstance '{partner}' and -PoolFqdn makes it one."
            ));
        }
    }
    next
}

#[cfg(test)]
mod tests;
