//! SQL Server Agent at work: schedules, runs of job steps, and the log shipping agent.

use super::agent::{HistoryRow, LastRun, Running, Schedule, Step};
use super::connection::Collected;
use super::disk::{OsError, Who};
use super::error::SqlMessage;
use super::model::{State, World};
use super::session::{ClientInfo, Ended};
use super::shipping::AgentRow;
use super::Engine;
use crate::faults::Fault;
use crate::scenario::Account;
use std::path::PathBuf;
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
            let mut due = Vec::new();
            {
                let mut world = self.world();
                let now = world.clock.now();
                for instance in 0..world.instances.len() {
                    world.show_agent(instance);
                    if !world.runs(instance) || !world.agent_runs(instance) {
                        continue;
                    }
                    world.plan_jobs(instance);
                    for job in &mut world.instances[instance].agent.jobs {
                        for (_, next) in &mut job.schedules {
                            if next.is_some_and(|at| at <= now) {
                                *next = None;
                                if job.enabled && job.running.is_none() && job.has_server {
                                    due.push((instance, job.id));
                                }
                            }
                        }
                    }
                    world.plan_jobs(instance);
                }
            }
            for (instance, job) in due {
                // A job that was removed or started in between is not started.
                let _ = self.start_job(instance, job, "Schedule");
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(40)) => {}
                () = self.0.stopping.wait() => return,
            }
        }
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
            if step.command.starts_with("sp_check_log_shipping_monitor_alert") {
                return Ok("Executed as user: CONTOSO\\sqlagent.".into());
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

    fn agent_client(&self, instance: usize, program: &str) -> ClientInfo {
        let world = self.world();
        ClientInfo {
            login: "CONTOSO\\sqlagent".into(),
            program: program.to_owned(),
            host: world.hosts[world.instances[instance].host].name.clone(),
            ..ClientInfo::default()
        }
    }

    fn ship_note(&self, instance: usize, id: Uuid, kind: u8, database: &str, status: u8, message: &str) {
        let mut world = self.world();
        let at = world.clock.now();
        let shipping = &mut world.instances[instance].shipping;
        shipping.next_session += 1;
        let row = AgentRow {
            agent_id: id,
            agent_type: kind,
            session: shipping.next_session,
            database: database.to_owned(),
            status,
            at,
            message: message.to_owned(),
        };
        if status == 3 {
            shipping.errors.push(row.clone());
        }
        shipping.history.push(row);
    }

    fn gone(id: Uuid, kind: u8, what: &str) -> SqlMessage {
        SqlMessage::new(32016, 16, 1, format!(
            "*** Error: Could not retrieve {what} settings for ID '{id}'.(Microsoft.SqlServer.Management.LogShipping) *** *** Error: The specified agent_id {id} or agent_type {kind} do not form a valid pair for log shipping monitoring processing.(.Net SqlClient Data Provider) ***"
        ))
    }

    async fn ship_backup(&self, instance: usize, id: Uuid) -> Result<String, SqlMessage> {
        let (row, online, stamp) = {
            let world = self.world();
            let inst = &world.instances[instance];
            let row = inst.shipping.primaries.iter().find(|p| p.id == id).cloned();
            let row = row.ok_or_else(|| Self::gone(id, 0, "backup"))?;
            let online = inst.database(&row.database).is_some_and(|d| d.state == State::Online && d.standby.is_none());
            (row, online, world.clock.now().format("%Y%m%d%H%M%S").to_string())
        };
        if !online {
            let text = format!(
                "Database {} is not ONLINE. The backup job will not be performed until this database is brought online.",
                row.database
            );
            self.ship_note(instance, id, 0, &row.database, 4, &text);
            return Ok(text);
        }
        let name = format!("{}_{stamp}", row.database);
        let work = format!("{}\\{name}.wrk", row.backup_directory);
        let done = format!("{}\\{name}.trn", row.backup_directory);
        let quoted = row.database.replace(']', "]]");
        let client = self.agent_client(instance, "SQLAgent - Log Shipping Backup");
        let mut connection = super::connection::Connection::open(self, instance, "master", client)?;
        let mut out = Collected::default();
        let statement = format!("BACKUP LOG [{quoted}] TO DISK = N'{}' WITH INIT, STATS = 0", work.replace('\'', "''"));
        connection.batch(&statement, &mut out).await;
        if let Some(error) = out.first_error() {
            self.ship_note(instance, id, 0, &row.database, 3, &error.message);
            return Err(error.clone());
        }
        let mut world = self.world();
        let who = Who { instance, account: Account::Agent };
        let renamed = world
            .resolve(who, &work, true)
            .and_then(|from| Ok((from, world.resolve(who, &done, true)?)))
            .and_then(|(from, to)| std::fs::rename(&from, &to).map_err(|e| OsError::of(&e, &from)));
        if let Err(error) = renamed {
            return Err(SqlMessage::new(0, 16, 1, format!("Cannot rename '{work}': {}", error.text())));
        }
        let at = world.clock.now();
        let on = world.instances[instance].name.clone();
        let last = Some((done.clone(), at));
        if let Some(primary) = world.instances[instance].shipping.primaries.iter_mut().find(|p| p.id == id) {
            primary.last_backup.clone_from(&last);
        }
        let monitor = world.find_instance(&row.monitor_server).filter(|m| world.runs(*m));
        for side in [Some(instance), monitor].into_iter().flatten() {
            for monitored in &mut world.instances[side].shipping.monitor_primaries {
                if monitored.id == id {
                    monitored.last_backup.clone_from(&last);
                }
            }
        }
        world.effect(&on, "file_written", done.clone(), "log shipping backup");
        drop(world);
        self.ship_note(instance, id, 0, &row.database, 2, &format!("Log shipping backup agent [{on}] has verified log backup file '{name}.wrk' and renamed it as '{name}.trn'. This is an informational message only. No user action is required."));
        Ok(format!("Backup file: '{done}'."))
    }

    async fn ship_copy(&self, instance: usize, id: Uuid) -> Result<String, SqlMessage> {
        let who = Who { instance, account: Account::Agent };
        let failed = |path: &str, error: OsError| {
            SqlMessage::new(
                0,
                16,
                1,
                format!("*** Error: Access to the path '{path}' failed: {}(mscorlib) ***", error.text()),
            )
        };
        let row = {
            let world = self.world();
            let row = world.instances[instance].shipping.secondaries.iter().find(|s| s.id == id).cloned();
            row.ok_or_else(|| Self::gone(id, 1, "copy"))?
        };
        let last = row.last_copied.as_ref().map(|(f, _)| file_name(f)).unwrap_or_default();
        let names = self.list_log_backups(who, &row.source_directory, &row.primary_database);
        let names = match names {
            Ok(names) => names,
            Err(error) => {
                let error = failed(&row.source_directory, error);
                self.ship_note(instance, id, 1, "", 3, &error.message);
                return Err(error);
            }
        };
        let mut count = 0;
        for name in names.into_iter().filter(|n| n.to_lowercase() > last.to_lowercase()) {
            let source = format!("{}\\{name}", row.source_directory);
            let target = format!("{}\\{name}", row.destination_directory);
            let (from, to) = {
                let world = self.world();
                let from = world.resolve(who, &source, false).map_err(|e| failed(&source, e))?;
                let to = world.resolve(who, &target, true).map_err(|e| failed(&target, e))?;
                (from, to)
            };
            if !to.exists() {
                let work = to.with_extension("wrk");
                self.copy_paced(&from, &work).await.map_err(|e| failed(&target, OsError::of(&e, &from)))?;
                std::fs::rename(&work, &to).map_err(|e| failed(&target, OsError::of(&e, &to)))?;
                count += 1;
            }
            let mut world = self.world();
            let at = world.clock.now();
            let Some(found) = world.instances[instance].shipping.secondaries.iter_mut().find(|s| s.id == id) else {
                return Err(Self::gone(id, 1, "copy"));
            };
            let last = Some((target.clone(), at));
            found.last_copied.clone_from(&last);
            let monitor = world.find_instance(&row.monitor_server).filter(|m| world.runs(*m));
            for side in [Some(instance), monitor].into_iter().flatten() {
                for monitored in &mut world.instances[side].shipping.monitor_secondaries {
                    if monitored.secondary_id == id {
                        monitored.last_copied.clone_from(&last);
                    }
                }
            }
            let on = world.instances[instance].name.clone();
            world.effect(&on, "file_copied", target, "log shipping copy");
        }
        self.ship_note(
            instance,
            id,
            1,
            "",
            2,
            &format!("The copy operation was successful. The number of files copied: {count}"),
        );
        Ok(format!("Number of log backup files copied: {count}."))
    }

    async fn copy_paced(&self, from: &PathBuf, to: &PathBuf) -> std::io::Result<()> {
        use std::io::{Read, Write};
        let rate = (self.world().rates.copy_mib_per_second * 1024.0 * 1024.0) as u64;
        let mut source = std::fs::File::open(from)?;
        let mut target = std::fs::File::create(to)?;
        let mut buffer = vec![0u8; if rate > 0 { (rate / 50).clamp(4096, 1 << 20) as usize } else { 1 << 20 }];
        let started = std::time::Instant::now();
        let mut done = 0u64;
        loop {
            let got = source.read(&mut buffer)?;
            if got == 0 {
                return target.flush();
            }
            target.write_all(&buffer[..got])?;
            done += got as u64;
            if rate > 0 {
                let due = Duration::from_secs_f64(done as f64 / rate as f64);
                if let Some(wait) = due.checked_sub(started.elapsed()) {
                    tokio::time::sleep(wait).await;
                }
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Names of log backups of `database` in a folder, in name order.
    fn list_log_backups(&self, who: Who, folder: &str, database: &str) -> Result<Vec<String>, OsError> {
        let real = self.world().resolve(who, folder, false)?;
        let entries = std::fs::read_dir(&real).map_err(|e| OsError::of(&e, &real))?;
        let prefix = format!("{}_", database.to_lowercase());
        let mut names: Vec<String> = entries
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .filter(|n| {
                let lower = n.to_lowercase();
                let stamp = lower.strip_prefix(&prefix).and_then(|r| r.strip_suffix(".trn"));
                stamp.is_some_and(|s| s.len() == 14 && s.bytes().all(|b| b.is_ascii_digit()))
            })
            .collect();
        names.sort_by_key(|n| n.to_lowercase());
        Ok(names)
    }

    async fn ship_restore(&self, instance: usize, id: Uuid) -> Result<String, SqlMessage> {
        let (row, databases) = {
            let world = self.world();
            let shipping = &world.instances[instance].shipping;
            let row = shipping.secondaries.iter().find(|s| s.id == id).cloned();
            let row = row.ok_or_else(|| Self::gone(id, 2, "restore"))?;
            let databases: Vec<_> =
                shipping.secondary_databases.iter().filter(|d| d.secondary_id == id).cloned().collect();
            (row, databases)
        };
        let mut restored = 0;
        for database in databases {
            let who = Who { instance, account: Account::Agent };
            let names = self.list_log_backups(who, &row.destination_directory, &row.primary_database).map_err(|e| {
                SqlMessage::new(0, 16, 1, format!("*** Error: '{}': {} ***", row.destination_directory, e.text()))
            })?;
            let last = database.last_restored.as_ref().map(|(f, _)| file_name(f)).unwrap_or_default();
            let client = self.agent_client(instance, "SQLAgent - Log Shipping Restore");
            let mut connection = super::connection::Connection::open(self, instance, "master", client)?;
            let quoted = database.database.replace(']', "]]");
            let mut queue: Vec<String> =
                names.iter().filter(|n| n.to_lowercase() > last.to_lowercase()).cloned().collect();
            if database.disconnect_users && database.standby {
                let mut out = Collected::default();
                let text = format!("ALTER DATABASE [{quoted}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE");
                connection.batch(&text, &mut out).await;
            }
            for name in queue.drain(..) {
                let path = format!("{}\\{name}", row.destination_directory);
                let mode = if database.standby {
                    let undo = format!("{}\\{}.tuf", row.destination_directory, name.trim_end_matches(".trn"));
                    format!("STANDBY = N'{}'", undo.replace('\'', "''"))
                } else {
                    "NORECOVERY".into()
                };
                let mut out = Collected::default();
                let text = format!("RESTORE LOG [{quoted}] FROM DISK = N'{}' WITH {mode}", path.replace('\'', "''"));
                connection.batch(&text, &mut out).await;
                match out.first_error() {
                    // Already applied: the next file is tried.
                    Some(error) if error.number == 4326 => continue,
                    Some(error) => {
                        let error = error.clone();
                        let text = format!("*** Error: Could not apply log backup file '{path}' to secondary database '{}'.(Microsoft.SqlServer.Management.LogShipping) *** *** Error: {}(.Net SqlClient Data Provider) ***", database.database, error.message);
                        self.ship_note(instance, id, 2, &database.database, 3, &text);
                        return Err(SqlMessage { message: text, ..error });
                    }
                    None => {}
                }
                restored += 1;
                self.restored_file(instance, id, &database.database, &path, &row.monitor_server);
                if !database.restore_all {
                    break;
                }
            }
            if database.disconnect_users && database.standby {
                let mut out = Collected::default();
                connection.batch(&format!("ALTER DATABASE [{quoted}] SET MULTI_USER"), &mut out).await;
            }
            let text = if restored == 0 {
                format!(
                    "Could not find a log backup file that could be applied to secondary database '{}'.",
                    database.database
                )
            } else {
                format!("The restore operation was successful. Secondary Database: '{}', Number of log backup files restored: {restored}", database.database)
            };
            self.ship_note(instance, id, 2, &database.database, 2, &text);
        }
        Ok(format!("Number of log backup files restored: {restored}."))
    }

    fn restored_file(&self, instance: usize, id: Uuid, database: &str, path: &str, monitor: &str) {
        let mut world = self.world();
        let at = world.clock.now();
        let last = Some((path.to_owned(), at));
        for row in &mut world.instances[instance].shipping.secondary_databases {
            if row.secondary_id == id && row.database == database {
                row.last_restored.clone_from(&last);
            }
        }
        let monitor = world.find_instance(monitor).filter(|m| world.runs(*m));
        for side in [Some(instance), monitor].into_iter().flatten() {
            for row in &mut world.instances[side].shipping.monitor_secondaries {
                if row.secondary_id == id && row.database == database {
                    row.last_restored.clone_from(&last);
                    row.last_restored_latency = Some(0);
                }
            }
        }
    }
}

fn file_name(path: &str) -> String {
    path.rsplit('\\').next().unwrap_or(path).to_owned()
}
