//! SQL Server Agent at work: schedules and runs of job steps.

use super::agent::{HistoryRow, LastRun, Running, Schedule, Step};
use super::connection::Collected;
use super::error::SqlMessage;
use super::model::{FailedJob, World};
use super::session::{ClientInfo, Ended};
use super::Engine;
use crate::faults::Fault;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const FROM_AGENT: &str = "SQLAgent - Job invocation engine";

fn agent_error(text: String) -> SqlMessage {
    SqlMessage::new(22022, 16, 1, format!("SQLServerAgent Error: {text}"))
}

impl World {
    /// SQL Server Agent runs on this instance.
    pub fn agent_runs(&self, instance: usize) -> bool {
        let stopped = self
            .faults
            .iter()
            .any(|f| matches!(f, Fault::AgentStopped { instance: on } if self.find_instance(on) == Some(instance)));
        self.instances[instance].agent_running && !stopped
    }

    /// Works out when each scheduled job is due next, where that is not known.
    pub fn plan_jobs(&mut self, instance: usize) {
        let now = self.local_now();
        let offset = chrono::Duration::minutes(self.utc_offset_minutes.into());
        let agent = &mut self.instances[instance].agent;
        let schedules: Vec<Schedule> = agent.schedules.clone();
        for job in &mut agent.jobs {
            for (id, next) in &mut job.schedules {
                if next.is_none() {
                    *next = schedules
                        .iter()
                        .find(|s| s.id == *id && s.enabled)
                        .and_then(|s| s.next_after(now))
                        .map(|local| (local - offset).and_utc());
                }
            }
        }
    }

    /// Shows or hides Agent's own session.
    fn show_agent(&mut self, instance: usize) {
        let runs = self.agent_runs(instance) && self.runs(instance);
        let shown =
            self.instances[instance].sessions.iter().find(|(_, s)| s.client.program == FROM_AGENT).map(|(id, _)| *id);
        match (runs, shown) {
            (false, Some(id)) => self.forget(instance, id),
            (true, None) => {
                let id = self.free_session_id(instance);
                let entry = self.agent_entry(instance);
                self.instances[instance].sessions.insert(id, entry);
            }
            _ => {}
        }
    }

    fn agent_entry(&self, instance: usize) -> super::session::SessionEntry {
        let now = self.clock.now();
        super::session::SessionEntry {
            client: ClientInfo {
                login: "CONTOSO\\sqlagent".into(),
                program: FROM_AGENT.into(),
                host: self.hosts[self.instances[instance].host].name.clone(),
                ..ClientInfo::default()
            },
            login_time: now,
            last_batch: now,
            database: 4,
            request: None,
            transactions: 0,
            ended: Arc::new(Ended::default()),
            rollback: None,
            user_process: true,
            language: "us_english".into(),
            lock_timeout: -1,
            sysadmin: true,
            view_all: true,
            closer: None,
            caught: None,
        }
    }
}

impl Engine {
    /// Starts a job now; returns its name.
    ///
    /// # Errors
    /// 22022 when Agent does not run or the job does already, 14262 when there is none.
    pub fn start_job(&self, instance: usize, job: Uuid, by: &str) -> Result<String, SqlMessage> {
        let (name, steps, ended) = {
            let mut world = self.world();
            if !world.agent_runs(instance) {
                let text = "SQLServerAgent is not currently running so it cannot be notified of this action.";
                return Err(agent_error(text.into()));
            }
            let now = world.clock.now();
            let Some(found) = world.instances[instance].agent.job_mut(job) else {
                return Err(SqlMessage::new(14262, 16, 1, format!("The specified @job_id ('{job}') does not exist.")));
            };
            if found.running.is_some() {
                return Err(agent_error(format!(
                    "Request to run job {} (from User {by}) refused because the job is already running from a request by {}.",
                    found.name, found.requested_by
                )));
            }
            if !found.has_server || found.steps.is_empty() {
                return Err(agent_error(format!(
                    "Request to run job {} (from User {by}) refused because the job has no job steps.",
                    found.name
                )));
            }
            let ended = Arc::new(Ended::default());
            found.running = Some(Running { started: now, ended: Arc::clone(&ended), step: found.start_step });
            found.requested_by = by.to_owned();
            let (name, steps) = (found.name.clone(), found.steps.clone());
            let on = world.instances[instance].name.clone();
            world.effect(&on, "job_started", name.clone(), by);
            (name, steps, ended)
        };
        let engine = self.clone();
        tokio::spawn(async move { engine.run_job(instance, job, steps, ended).await });
        Ok(name)
    }

    /// Asks a running job to stop; returns its name.
    ///
    /// # Errors
    /// 22022 when Agent or the job does not run.
    pub fn stop_job(&self, instance: usize, job: Uuid, by: &str) -> Result<String, SqlMessage> {
        let mut world = self.world();
        if !world.agent_runs(instance) {
            let text = "SQLServerAgent is not currently running so it cannot be notified of this action.";
            return Err(agent_error(text.into()));
        }
        let Some(found) = world.instances[instance].agent.job_mut(job) else {
            return Err(SqlMessage::new(14262, 16, 1, format!("The specified @job_id ('{job}') does not exist.")));
        };
        let name = found.name.clone();
        let Some(running) = &found.running else {
            return Err(agent_error(format!(
                "Request to stop job {name} (from User {by}) refused because the job is not currently running."
            )));
        };
        running.ended.set();
        let on = world.instances[instance].name.clone();
        world.effect(&on, "job_stopped", name.clone(), by);
        Ok(name)
    }

    /// Starts due jobs of all instances, again and again until the lab stops.
    pub(super) async fn run_agents(self) {
        loop {
            if !self.0.jobs_in_turn.load(Ordering::SeqCst) {
                for (instance, job, _) in self.due_jobs() {
                    // A job that was removed or started in between is not started.
                    let _ = self.start_job(instance, job, "Schedule");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(40)) => {}
                () = self.0.stopping.wait() => return,
            }
        }
    }

    /// Jobs that are due now, with instance and category; each is named once.
    pub(super) fn due_jobs(&self) -> Vec<(usize, Uuid, i32)> {
        let mut due = Vec::new();
        let mut world = self.world();
        let now = world.clock.now();
        for instance in 0..world.instances.len() {
            world.show_agent(instance);
            if !world.runs(instance) || !world.agent_runs(instance) {
                continue;
            }
            world.plan_jobs(instance);
            for job in &mut world.instances[instance].agent.jobs {
                let mut is_due = false;
                for (_, next) in &mut job.schedules {
                    if next.is_some_and(|at| at <= now) {
                        *next = None;
                        is_due = true;
                    }
                }
                if is_due && job.enabled && job.running.is_none() && job.has_server {
                    due.push((instance, job.id, job.category));
                }
            }
            world.plan_jobs(instance);
        }
        due
    }

    /// When the next job of any instance is due.
    pub(super) fn next_due(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        let mut world = self.world();
        let mut next = None;
        for instance in 0..world.instances.len() {
            if !world.runs(instance) || !world.agent_runs(instance) {
                continue;
            }
            world.plan_jobs(instance);
            let jobs = world.instances[instance].agent.jobs.iter().filter(|j| j.enabled && j.has_server);
            next = jobs.flat_map(|j| &j.schedules).filter_map(|(_, at)| *at).chain(next).min();
        }
        next
    }

    async fn run_job(self, instance: usize, job: Uuid, steps: Vec<Step>, ended: Arc<Ended>) {
        let started = self.clock().now();
        let mut outcome = 1u8;
        let mut message = String::new();
        for step in &steps {
            if let Some(running) = self.world().instances[instance].agent.job_mut(job).and_then(|j| j.running.as_mut())
            {
                running.step = step.id;
            }
            let begun = self.clock().now();
            let result = tokio::select! {
                result = self.run_step(instance, job, step) => result,
                () = ended.wait() => Err(SqlMessage::new(0, 16, 3, "The job was stopped prior to completion.")),
            };
            let (status, number, text) = match result {
                Ok(text) => (1, 0, format!("{text} The step succeeded.")),
                Err(error) if ended.is_set() => (3, error.number, error.message),
                Err(error) => (
                    0,
                    error.number,
                    format!("{} [SQLSTATE 42000] (Error {}). The step failed.", error.message, error.number),
                ),
            };
            outcome = status as u8;
            message.clone_from(&text);
            self.job_history(instance, job, step.id, &step.name, number, status, &text, begun);
            if status == 3 || (status == 0 && step.on_fail != 3) || (status == 1 && step.on_success == 1) {
                break;
            }
        }
        let summary = match outcome {
            1 => "The job succeeded.",
            3 => "The job was stopped prior to completion.",
            _ => "The job failed.",
        };
        let id = self.job_history(instance, job, 0, "(Job outcome)", 0, outcome.into(), summary, started);
        let mut world = self.world();
        let stopped = world.clock.now();
        let Some(found) = world.instances[instance].agent.job_mut(job) else { return };
        found.running = None;
        found.last_run = Some(LastRun { started, stopped, outcome, message: summary.into(), history_id: id });
        let (name, delete) = (found.name.clone(), found.delete_level);
        if delete == 3 || (delete == 1 && outcome == 1) || (delete == 2 && outcome == 0) {
            world.instances[instance].agent.delete_job(job, true, true);
        }
        let on = world.instances[instance].name.clone();
        if outcome == 0 {
            let failed =
                FailedJob { at_utc: stopped, instance: on.clone(), job: name.clone(), message: message.clone() };
            world.failed_jobs.push(failed);
        }
        world.effect(&on, "job_ended", format!("{name}: {summary} {message}"), FROM_AGENT);
    }

    #[allow(clippy::too_many_arguments)] // The columns of one history row.
    fn job_history(
        &self,
        instance: usize,
        job: Uuid,
        step_id: i32,
        step_name: &str,
        number: i32,
        status: i32,
        message: &str,
        started: chrono::DateTime<chrono::Utc>,
    ) -> i32 {
        let mut world = self.world();
        let now = world.clock.now();
        let local = world.local(started);
        let agent = &mut world.instances[instance].agent;
        if agent.job(job).is_none() {
            return 0;
        }
        agent.next_history += 1;
        let id = agent.next_history;
        agent.history.push(HistoryRow {
            id,
            job,
            step_id,
            step_name: step_name.to_owned(),
            number,
            severity: if number > 0 { 16 } else { 0 },
            message: message.to_owned(),
            status,
            started: local,
            seconds: (now - started).num_seconds(),
        });
        id
    }

    async fn run_step(&self, instance: usize, job: Uuid, step: &Step) -> Result<String, SqlMessage> {
        if step.subsystem.eq_ignore_ascii_case("TSQL") {
            if step.command.contains("sp_check_log_shipping_monitor_alert") {
                return self.world().check_alerts(instance).map(|()| "Executed as user: CONTOSO\\sqlagent.".into());
            }
            let hex: String = job.to_bytes_le().iter().map(|b| format!("{b:02X}")).collect();
            let program = format!("SQLAgent - TSQL JobStep (Job 0x{hex} : Step {})", step.id);
            let client = self.agent_client(instance, &program);
            let database = step.database.clone().unwrap_or_else(|| "master".into());
            let mut connection = super::connection::Connection::open(self, instance, &database, client)?;
            let mut out = Collected::default();
            connection.batch(&step.command, &mut out).await;
            return match out.first_error() {
                Some(error) => Err(error.clone()),
                None => Ok("Executed as user: CONTOSO\\sqlagent.".into()),
            };
        }
        let words: Vec<&str> = step.command.split_whitespace().collect();
        let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
        if !step.command.to_lowercase().contains("sqllogship") {
            return Err(SqlMessage::new(
                0,
                16,
                1,
                "The process could not be created for step: the lab runs sqllogship only.",
            ));
        }
        let after = |flag: &str| {
            let at = lower.iter().position(|w| w == flag)?;
            Uuid::parse_str(words.get(at + 1)?).ok()
        };
        if let Some(id) = after("-backup") {
            self.ship_backup(instance, id).await
        } else if let Some(id) = after("-copy") {
            self.ship_copy(instance, id).await
        } else if let Some(id) = after("-restore") {
            self.ship_restore(instance, id).await
        } else {
            Err(SqlMessage::new(0, 16, 1, "sqllogship: no action."))
        }
    }

    pub(super) fn agent_client(&self, instance: usize, program: &str) -> ClientInfo {
        let world = self.world();
        ClientInfo {
            login: "CONTOSO\\sqlagent".into(),
            program: program.to_owned(),
            host: world.hosts[world.instances[instance].host].name.clone(),
            ..ClientInfo::default()
        }
    }
}
