//! The job procedures of msdb.

use super::{Answered, Bound, Reply};
use crate::engine::agent::{hhmmss, yyyymmdd, Job, Step, CATEGORIES};
use crate::engine::catalog::columns::*;
use crate::engine::connection::Connection;
use crate::engine::error::SqlMessage;
use crate::engine::model::World;
use lab_tsql::{ResultSet, Value};
use uuid::Uuid;

pub(super) fn error(number: i32, text: impl Into<String>) -> SqlMessage {
    SqlMessage::new(number, 16, 1, text)
}

/// Finds a job by id or name as all job procedures do.
///
/// # Errors
/// 14294 for both or neither, 14262 for an unknown one.
pub(super) fn find_job(world: &World, instance: usize, bound: &Bound) -> Result<Uuid, SqlMessage> {
    let jobs = &world.instances[instance].agent.jobs;
    match (bound.has("job_id"), bound.text("job_name")) {
        (true, None) => {
            let id = bound.guid("job_id");
            let known = id.filter(|id| jobs.iter().any(|j| j.id == *id));
            known.ok_or_else(|| {
                let shown = bound.text("job_id").unwrap_or_default().to_uppercase();
                error(14262, format!("The specified @job_id ('{shown}') does not exist."))
            })
        }
        (false, Some(name)) => jobs
            .iter()
            .find(|j| world.instances[instance].same(&j.name, &name))
            .map(|j| j.id)
            .ok_or_else(|| error(14262, format!("The specified @job_name ('{name}') does not exist."))),
        _ => Err(error(14294, "Supply either @job_id or @job_name to identify the job.")),
    }
}

impl Connection {
    /// Calls a procedure of SQL Server Agent.
    pub(super) fn agent_procedure(&mut self, name: &str, bound: &Bound) -> Answered {
        let reading = matches!(name, "sp_help_job");
        if !reading && !self.engine.world().is_sysadmin(self.instance, &self.client.login) {
            let text =
                format!("The EXECUTE permission was denied on the object '{name}', database 'msdb', schema 'dbo'.");
            return Err(SqlMessage::new(229, 14, 5, text));
        }
        match name {
            "sp_add_job" => self.add_job(bound),
            "sp_add_jobstep" => self.add_step(bound),
            "sp_update_jobstep" => self.update_step(bound),
            "sp_add_jobserver" => {
                let mut world = self.engine.world();
                let id = find_job(&world, self.instance, bound)?;
                if let Some(job) = world.instances[self.instance].agent.job_mut(id) {
                    if job.has_server {
                        let text = format!("Job '{}' is already targeted at server '(local)'.", job.name);
                        return Err(error(14269, text));
                    }
                    job.has_server = true;
                }
                Ok(Reply::default())
            }
            "sp_update_job" => self.update_job(bound),
            "sp_start_job" => {
                let id = {
                    let world = self.engine.world();
                    find_job(&world, self.instance, bound)?
                };
                let by = self.client.login.clone();
                let name = self.engine.start_job(self.instance, id, &by)?;
                let mut reply = Reply::default();
                reply.messages.push(SqlMessage::new(14243, 0, 1, format!("Job '{name}' started successfully.")));
                Ok(reply)
            }
            "sp_stop_job" => {
                let id = {
                    let world = self.engine.world();
                    find_job(&world, self.instance, bound)?
                };
                let by = self.client.login.clone();
                let name = self.engine.stop_job(self.instance, id, &by)?;
                let mut reply = Reply::default();
                reply.messages.push(SqlMessage::new(14254, 0, 1, format!("Job '{name}' stopped successfully.")));
                Ok(reply)
            }
            "sp_delete_job" => {
                let mut world = self.engine.world();
                let id = find_job(&world, self.instance, bound)?;
                let history = bound.number("delete_history", 1) != 0;
                let schedules = bound.number("delete_unused_schedule", 1) != 0;
                let job = world.instances[self.instance].agent.delete_job(id, history, schedules);
                self.job_effect(&mut world, "job_deleted", job.map(|j| j.name).unwrap_or_default());
                Ok(Reply::default())
            }
            "sp_help_job" => self.help_job(bound),
            "sp_delete_backuphistory" => Ok(Reply::default()),
            other => self.schedule_procedure(other, bound),
        }
    }

    pub(super) fn job_effect(&self, world: &mut World, kind: &str, detail: String) {
        let instance = world.instances[self.instance].name.clone();
        world.effect(&instance, kind, detail, &self.client.program);
    }

    fn add_job(&mut self, bound: &Bound) -> Answered {
        let name = bound.text("job_name").unwrap_or_default();
        let mut world = self.engine.world();
        let now = world.local_now();
        let id = world.random.guid();
        let inst = &mut world.instances[self.instance];
        if inst.agent.jobs.iter().any(|j| j.name.eq_ignore_ascii_case(&name)) {
            return Err(error(14261, format!("The specified @job_name ('{name}') already exists.")));
        }
        let category = match (bound.text("category_name"), bound.has("category_id")) {
            (Some(wanted), _) => CATEGORIES
                .iter()
                .find(|(_, n)| n.eq_ignore_ascii_case(&wanted))
                .map(|(id, _)| *id)
                .ok_or_else(|| error(14262, format!("The specified @category_name ('{wanted}') does not exist.")))?,
            (None, true) => bound.number("category_id", 0) as i32,
            _ => 0,
        };
        let owner = bound.text("owner_login_name").unwrap_or_else(|| self.client.login.clone());
        if inst.login(&owner).is_none() {
            return Err(error(14234, "The specified '@owner_login_name' is invalid (valid values are returned by sp_helplogins [excluding Windows NT groups])."));
        }
        inst.agent.jobs.push(Job {
            id,
            name: name.clone(),
            enabled: bound.number("enabled", 1) != 0,
            description: bound.text("description").unwrap_or_else(|| "No description available.".into()),
            category,
            owner,
            created: now,
            modified: now,
            version: 1,
            start_step: bound.number("start_step_id", 1) as i32,
            delete_level: bound.number("delete_level", 0) as i32,
            steps: Vec::new(),
            has_server: false,
            schedules: Vec::new(),
            running: None,
            last_run: None,
            requested_by: String::new(),
        });
        self.job_effect(&mut world, "job_created", name);
        Ok(Reply { outputs: vec![("job_id", Value::Uuid(id))], ..Reply::default() })
    }

    fn add_step(&mut self, bound: &Bound) -> Answered {
        let mut world = self.engine.world();
        let id = find_job(&world, self.instance, bound)?;
        let subsystem = bound.text("subsystem").unwrap_or_else(|| "TSQL".into());
        let known = ["TSQL", "CmdExec", "PowerShell"];
        if !known.iter().any(|s| s.eq_ignore_ascii_case(&subsystem)) {
            return Err(error(
                14234,
                "The specified '@subsystem' is invalid (valid values are returned by sp_enum_sqlagent_subsystems).",
            ));
        }
        let uid = world.random.guid();
        let now = world.local_now();
        let Some(job) = world.instances[self.instance].agent.job_mut(id) else { return Ok(Reply::default()) };
        let step_id = match bound.number("step_id", 0) {
            0 => job.steps.len() as i32 + 1,
            n => n as i32,
        };
        if job.steps.iter().any(|s| s.id == step_id) {
            for later in job.steps.iter_mut().filter(|s| s.id >= step_id) {
                later.id += 1;
            }
        }
        job.steps.push(Step {
            id: step_id,
            name: bound.text("step_name").unwrap_or_default(),
            subsystem,
            command: bound.text("command").unwrap_or_default(),
            database: bound.text("database_name"),
            on_success: bound.number("on_success_action", 1) as u8,
            on_fail: bound.number("on_fail_action", 2) as u8,
            retries: bound.number("retry_attempts", 0) as i32,
        });
        job.steps.sort_by_key(|s| s.id);
        job.version += 1;
        job.modified = now;
        let detail = format!("{} step {step_id}", job.name);
        self.job_effect(&mut world, "job_changed", detail);
        Ok(Reply { outputs: vec![("step_uid", Value::Uuid(uid))], ..Reply::default() })
    }

    fn update_step(&mut self, bound: &Bound) -> Answered {
        let mut world = self.engine.world();
        let id = find_job(&world, self.instance, bound)?;
        let step_id = bound.number("step_id", 0) as i32;
        let Some(job) = world.instances[self.instance].agent.job_mut(id) else { return Ok(Reply::default()) };
        let name = job.name.clone();
        let Some(step) = job.steps.iter_mut().find(|s| s.id == step_id) else {
            return Err(error(14262, format!("The specified '@step_id' ('{step_id}') does not exist.")));
        };
        if let Some(text) = bound.text("step_name") {
            step.name = text;
        }
        if let Some(text) = bound.text("command") {
            step.command = text;
        }
        if let Some(text) = bound.text("subsystem") {
            step.subsystem = text;
        }
        if let Some(text) = bound.text("database_name") {
            step.database = Some(text);
        }
        self.job_effect(&mut world, "job_changed", format!("{name} step {step_id}"));
        Ok(Reply::default())
    }

    fn update_job(&mut self, bound: &Bound) -> Answered {
        let mut world = self.engine.world();
        let id = find_job(&world, self.instance, bound)?;
        let now = world.local_now();
        let Some(job) = world.instances[self.instance].agent.job_mut(id) else { return Ok(Reply::default()) };
        let before = job.enabled;
        if bound.has("enabled") {
            job.enabled = bound.number("enabled", 1) != 0;
        }
        if let Some(name) = bound.text("new_name") {
            job.name = name;
        }
        if let Some(text) = bound.text("description") {
            job.description = text;
        }
        if let Some(owner) = bound.text("owner_login_name") {
            job.owner = owner;
        }
        if bound.has("start_step_id") {
            job.start_step = bound.number("start_step_id", 1) as i32;
        }
        job.modified = now;
        job.version += 1;
        let (name, enabled) = (job.name.clone(), job.enabled);
        let kind = match (before, enabled) {
            (false, true) => "job_enabled",
            (true, false) => "job_disabled",
            _ => "job_changed",
        };
        self.job_effect(&mut world, kind, name);
        Ok(Reply::default())
    }

    fn help_job(&mut self, bound: &Bound) -> Answered {
        let world = self.engine.world();
        let wanted = if bound.has("job_id") || bound.has("job_name") {
            Some(find_job(&world, self.instance, bound)?)
        } else {
            None
        };
        let inst = &world.instances[self.instance];
        let columns = vec![
            not_null("job_id", GUID),
            null("originating_server", nv(30)),
            not_null("name", nv(128)),
            not_null("enabled", TINYINT),
            null("description", nv(512)),
            not_null("start_step_id", INT),
            null("category", nv(128)),
            null("owner", nv(128)),
            not_null("date_created", DATETIME),
            not_null("date_modified", DATETIME),
            not_null("version_number", INT),
            not_null("last_run_date", INT),
            not_null("last_run_time", INT),
            not_null("last_run_outcome", INT),
            not_null("next_run_date", INT),
            not_null("next_run_time", INT),
            not_null("next_run_schedule_id", INT),
            not_null("current_execution_status", INT),
            null("current_execution_step", nv(128)),
            not_null("current_retry_attempt", INT),
            not_null("has_step", INT),
            not_null("has_schedule", INT),
            not_null("has_target", INT),
            not_null("type", INT),
        ];
        let rows = inst
            .agent
            .jobs
            .iter()
            .filter(|j| wanted.is_none_or(|id| id == j.id))
            .map(|j| {
                let last = j.last_run.as_ref().map(|l| world.local(l.started));
                let next =
                    j.schedules.iter().filter_map(|(id, at)| at.map(|at| (*id, world.local(at)))).min_by_key(|n| n.1);
                let step = j.running.as_ref().map_or("0 (unknown)".to_owned(), |r| {
                    let name = j.steps.iter().find(|s| s.id == r.step).map_or("", |s| s.name.as_str());
                    format!("{} ({name})", r.step)
                });
                let category = CATEGORIES.iter().find(|c| c.0 == j.category).map_or("", |c| c.1);
                vec![
                    Value::Uuid(j.id),
                    text(&inst.name),
                    text(&j.name),
                    Value::TinyInt(u8::from(j.enabled)),
                    text(&j.description),
                    Value::Int(j.start_step),
                    text(category),
                    text(&j.owner),
                    date(j.created),
                    date(j.modified),
                    Value::Int(j.version),
                    Value::Int(last.map_or(0, yyyymmdd)),
                    Value::Int(last.map_or(0, hhmmss)),
                    Value::Int(j.last_run.as_ref().map_or(5, |l| l.outcome.into())),
                    Value::Int(next.map_or(0, |n| yyyymmdd(n.1))),
                    Value::Int(next.map_or(0, |n| hhmmss(n.1))),
                    Value::Int(next.map_or(0, |n| n.0)),
                    Value::Int(if j.running.is_some() { 1 } else { 4 }),
                    text(&step),
                    Value::Int(0),
                    Value::Int(j.steps.len() as i32),
                    Value::Int(j.schedules.len() as i32),
                    Value::Int(i32::from(j.has_server)),
                    Value::Int(i32::from(j.has_server)),
                ]
            })
            .collect();
        Ok(Reply { sets: vec![ResultSet { columns, rows, returns_rows: true }], ..Reply::default() })
    }
}
