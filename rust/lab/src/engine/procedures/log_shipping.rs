//! The log shipping procedures with their side effects on rows, jobs and history.

use super::jobs::error;
use super::{Answered, Bound, Reply};
use crate::engine::agent::{Job, Step};
use crate::engine::connection::Connection;
use crate::engine::error::SqlMessage;
use crate::engine::execute::{Halt, Outcome};
use crate::engine::model::{Model, State, World};
use crate::engine::shipping::{MonitorPrimary, MonitorSecondary, Primary, Secondary, SecondaryDatabase};
use crate::faults::Fault;
use lab_tsql::Value;
use std::time::Duration;
use uuid::Uuid;

impl Connection {
    /// May this session call log shipping procedures at all?
    pub(super) fn log_shipping_allowed(&self, name: &str, master: bool) -> Outcome {
        let world = self.engine.world();
        if !world.is_sysadmin(self.instance, &self.client.login) {
            let text = "Only members of the sysadmin fixed server role can perform this operation.";
            return Err(Halt::one(error(21089, text).inside("sys.sp_MSlogshippingsysadmincheck", 19)));
        }
        let edition = &world.instances[self.instance].edition;
        if edition.starts_with("Express") {
            let text = format!(
                "Log shipping is supported on Enterprise, Developer and Standard editions of SQL Server. This instance has {edition} and is not supported."
            );
            return Err(Halt::one(error(32017, text).inside("sys.sp_MSlogshippingsysadmincheck", 35)));
        }
        if !master {
            return Err(Halt::one(
                error(5001, "User must be in the master database.").inside(&format!("sys.{name}"), 30),
            ));
        }
        Ok(())
    }

    /// A remote monitor that has to hear of a change, and does not answer.
    pub(super) async fn reach_monitor(&mut self, name: &str, bound: &Bound) -> Outcome {
        if name.starts_with("sp_help") || bound.number("ignoreremotemonitor", 0) != 0 {
            return Ok(());
        }
        let stall = {
            let world = self.engine.world();
            let inst = &world.instances[self.instance];
            let wanted = bound.text("monitor_server");
            let monitor = wanted.or_else(|| {
                let shipping = &inst.shipping;
                let secondary = bound.text("secondary_database").and_then(|d| {
                    let found = shipping.secondary_databases.iter().find(|s| inst.same(&s.database, &d))?;
                    shipping.secondaries.iter().find(|s| s.id == found.secondary_id)
                });
                let primary =
                    bound.text("database").and_then(|d| shipping.primaries.iter().find(|p| inst.same(&p.database, &d)));
                secondary.map(|s| s.monitor_server.clone()).or(primary.map(|p| p.monitor_server.clone()))
            });
            let Some(index) = monitor.and_then(|m| world.find_instance(&m)).filter(|m| *m != self.instance) else {
                return Ok(());
            };
            let fault = world.faults.iter().find_map(|f| match f {
                Fault::MonitorDead { stall_milliseconds } => Some(*stall_milliseconds),
                _ => None,
            });
            match fault {
                Some(stall) => stall,
                None if !world.runs(index) => 1500,
                None => return Ok(()),
            }
        };
        tokio::time::sleep(Duration::from_millis(stall)).await;
        let text = "There was an error establishing a link to the remote monitor server.";
        Err(Halt::one(error(32054, text).inside("sys.sp_MSlogshippingremotemonitor", 60)))
    }

    /// Calls a log shipping procedure.
    pub(super) fn log_shipping(&mut self, name: &str, bound: &Bound) -> Answered {
        if name.starts_with("sp_help") {
            return self.log_shipping_help(name, bound);
        }
        let mut world = self.engine.world();
        let by = self.client.program.clone();
        let detail = bound.text("secondary_database").or(bound.text("database")).or(bound.text("primary_database"));
        let instance = self.instance;
        let reply = match name {
            "sp_delete_log_shipping_secondary_database" => world.delete_secondary_database(instance, bound)?,
            "sp_delete_log_shipping_secondary_primary" => world.delete_secondary_primary(instance, bound)?,
            "sp_delete_log_shipping_primary_database" => world.delete_primary_database(instance, bound)?,
            "sp_delete_log_shipping_primary_secondary" => world.delete_primary_secondary(instance, bound)?,
            "sp_add_log_shipping_primary_database" => world.add_primary_database(instance, bound)?,
            "sp_add_log_shipping_primary_secondary" => world.add_primary_secondary(instance, bound)?,
            "sp_add_log_shipping_secondary_primary" => world.add_secondary_primary(instance, bound)?,
            "sp_add_log_shipping_secondary_database" => world.add_secondary_database(instance, bound)?,
            "sp_add_log_shipping_alert_job" => {
                let name = format!("LSAlert_{}", world.instances[instance].name);
                let id = world.shipping_job(
                    instance,
                    &name,
                    5,
                    "Log shipping alert job.",
                    "sp_check_log_shipping_monitor_alert",
                );
                world.instances[instance].shipping.alert_job = Some(id);
                Reply { outputs: vec![("alert_job_id", Value::Uuid(id))], ..Reply::default() }
            }
            _ => Reply::default(),
        };
        let on = world.instances[instance].name.clone();
        world.effect(&on, "log_shipping", format!("{name} {}", detail.unwrap_or_default()), &by);
        Ok(reply)
    }
}

fn monitor_of(bound: &Bound, own: &str) -> (String, bool) {
    match bound.text("monitor_server").filter(|m| !m.is_empty()) {
        Some(name) => (name, true),
        None => (own.to_owned(), false),
    }
}

impl World {
    /// Creates a disabled job whose step runs the log shipping agent.
    fn shipping_job(&mut self, instance: usize, name: &str, category: i32, description: &str, command: &str) -> Uuid {
        let id = self.random.guid();
        let now = self.local_now();
        let step = match category {
            6 => "Log shipping backup log job step.",
            7 => "Log shipping copy job step.",
            8 => "Log shipping restore log job step.",
            _ => "Log shipping alert job step.",
        };
        self.instances[instance].agent.jobs.push(Job {
            id,
            name: name.to_owned(),
            enabled: false,
            description: description.to_owned(),
            category,
            owner: "sa".into(),
            created: now,
            modified: now,
            version: 1,
            start_step: 1,
            delete_level: 0,
            steps: vec![Step {
                id: 1,
                name: step.into(),
                subsystem: if category == 5 { "TSQL" } else { "CmdExec" }.into(),
                command: command.to_owned(),
                database: Some("master".into()),
                on_success: 1,
                on_fail: 2,
                retries: 0,
            }],
            has_server: true,
            schedules: Vec::new(),
            running: None,
            last_run: None,
            requested_by: String::new(),
        });
        id
    }

    fn drop_shipping_job(&mut self, instance: usize, job: Uuid) {
        let dropped = self.instances[instance].agent.delete_job(job, true, true);
        if let Some(dropped) = dropped {
            let on = self.instances[instance].name.clone();
            self.effect(&on, "job_deleted", dropped.name, "log shipping");
        }
    }

    fn delete_secondary_database(&mut self, instance: usize, bound: &Bound) -> Answered {
        let name = bound.text("secondary_database").unwrap_or_default();
        let inst = &self.instances[instance];
        let own = inst.name.clone();
        let found = inst.shipping.secondary_databases.iter().position(|s| inst.same(&s.database, &name));
        let Some(found) = found else {
            let text = format!("Database {name} does not exist as log shipping secondary.");
            return Err(error(32014, text).inside("sys.sp_delete_log_shipping_secondary_database", 55));
        };
        let row = self.instances[instance].shipping.secondary_databases.remove(found);
        let monitor = self.instances[instance]
            .shipping
            .secondaries
            .iter()
            .find(|s| s.id == row.secondary_id)
            .and_then(|s| self.find_instance(&s.monitor_server));
        for side in [Some(instance), monitor].into_iter().flatten() {
            let shipping = &mut self.instances[side].shipping;
            shipping.monitor_secondaries.retain(|m| !(m.secondary_server == own && m.database == row.database));
            shipping.history.retain(|h| h.agent_id != row.secondary_id);
            shipping.errors.retain(|h| h.agent_id != row.secondary_id);
        }
        let others =
            self.instances[instance].shipping.secondary_databases.iter().any(|s| s.secondary_id == row.secondary_id);
        if !others {
            self.remove_secondary(instance, row.secondary_id);
        }
        Ok(Reply::default())
    }

    fn remove_secondary(&mut self, instance: usize, id: Uuid) {
        let shipping = &mut self.instances[instance].shipping;
        let Some(at) = shipping.secondaries.iter().position(|s| s.id == id) else { return };
        let row = shipping.secondaries.remove(at);
        self.drop_shipping_job(instance, row.copy_job);
        self.drop_shipping_job(instance, row.restore_job);
    }

    fn delete_secondary_primary(&mut self, instance: usize, bound: &Bound) -> Answered {
        let server = bound.text("primary_server").unwrap_or_default();
        let database = bound.text("primary_database").unwrap_or_default();
        let inst = &self.instances[instance];
        let row = inst
            .shipping
            .secondaries
            .iter()
            .find(|s| s.primary_server.eq_ignore_ascii_case(&server) && inst.same(&s.primary_database, &database));
        let Some(id) = row.map(|r| r.id) else { return Ok(Reply::default()) };
        if inst.shipping.secondary_databases.iter().any(|s| s.secondary_id == id) {
            return Err(error(32025, format!("Primary Server {server}, Database {database} has active log shipping secondary database(s) on the secondary. Drop the secondary database(s) first.")));
        }
        self.remove_secondary(instance, id);
        Ok(Reply::default())
    }

    fn delete_primary_database(&mut self, instance: usize, bound: &Bound) -> Answered {
        let name = bound.text("database").unwrap_or_default();
        let inst = &self.instances[instance];
        let own = inst.name.clone();
        let Some(at) = inst.shipping.primaries.iter().position(|p| inst.same(&p.database, &name)) else {
            return Err(error(32010, format!("Database {name} does not exist as log shipping primary.")));
        };
        let id = inst.shipping.primaries[at].id;
        if inst.shipping.primary_secondaries.iter().any(|s| s.0 == id) {
            return Err(error(32011, format!("Primary Database {name} has active log shipping secondary database(s). Drop the secondary database(s) first.")));
        }
        let row = self.instances[instance].shipping.primaries.remove(at);
        self.drop_shipping_job(instance, row.backup_job);
        for side in [Some(instance), self.find_instance(&row.monitor_server)].into_iter().flatten() {
            let shipping = &mut self.instances[side].shipping;
            shipping.monitor_primaries.retain(|m| !(m.primary_server == own && m.database == row.database));
            shipping.history.retain(|h| h.agent_id != id);
            shipping.errors.retain(|h| h.agent_id != id);
        }
        Ok(Reply::default())
    }

    fn delete_primary_secondary(&mut self, instance: usize, bound: &Bound) -> Answered {
        let name = bound.text("primary_database").unwrap_or_default();
        let server = bound.text("secondary_server").unwrap_or_default();
        let database = bound.text("secondary_database").unwrap_or_default();
        let inst = &mut self.instances[instance];
        let Some(id) = inst.shipping.primaries.iter().find(|p| p.database == name).map(|p| p.id) else {
            return Err(error(32010, format!("Database {name} does not exist as log shipping primary.")));
        };
        inst.shipping
            .primary_secondaries
            .retain(|(of, s, d)| !(*of == id && s.eq_ignore_ascii_case(&server) && *d == database));
        Ok(Reply::default())
    }

    fn add_primary_database(&mut self, instance: usize, bound: &Bound) -> Answered {
        let name = bound.text("database").unwrap_or_default();
        let own = self.instances[instance].name.clone();
        let inst = &self.instances[instance];
        let Some(database) = inst.database(&name) else { return Err(crate::engine::messages::no_such_database(&name)) };
        if database.state != State::Online || database.is_standby() {
            return Err(error(32007, format!("Database {name} is not ONLINE.")));
        }
        if database.model == Model::Simple {
            return Err(error(
                32015,
                format!("The primary database {name} cannot have SIMPLE recovery for log shipping to work properly."),
            ));
        }
        let known = inst.shipping.primaries.iter().any(|p| p.database == name);
        if known {
            if bound.number("overwrite", 0) == 0 {
                return Err(error(32009, format!("A log shipping primary entry already exists for database {name}.")));
            }
            let old: Vec<Uuid> =
                inst.shipping.primaries.iter().filter(|p| p.database == name).map(|p| p.backup_job).collect();
            self.instances[instance].shipping.primaries.retain(|p| p.database != name);
            self.instances[instance].shipping.monitor_primaries.retain(|p| p.database != name);
            for job in old {
                self.drop_shipping_job(instance, job);
            }
        }
        let job_name = bound.text("backup_job_name").unwrap_or_default();
        self.job_name_free(instance, &job_name, 6)?;
        let id = self.random.guid();
        let (monitor, specified) = monitor_of(bound, &own);
        let command = format!(
            "\"C:\\Program Files\\Microsoft SQL Server\\100\\Tools\\Binn\\sqllogship.exe\" -Backup {id} -server {own}"
        );
        let job =
            self.shipping_job(instance, &job_name, 6, &format!("Log shipping backup log job for {name}."), &command);
        let row = MonitorPrimary {
            id,
            primary_server: own.clone(),
            database: name.clone(),
            backup_threshold: bound.number("backup_threshold", 60) as i32,
            threshold_alert: bound.number("threshold_alert", 14420) as i32,
            alert_enabled: bound.number("threshold_alert_enabled", 0) != 0,
            last_backup: None,
            history_retention: bound.number("history_retention_period", 14420) as i32,
        };
        for side in self.with_monitor(instance, &monitor) {
            let rows = &mut self.instances[side].shipping.monitor_primaries;
            rows.retain(|m| m.id != id);
            rows.push(row.clone());
        }
        self.instances[instance].shipping.primaries.push(Primary {
            id,
            database: name,
            backup_directory: bound.text("backup_directory").unwrap_or_default(),
            backup_share: bound.text("backup_share").unwrap_or_default(),
            retention_minutes: bound.number("backup_retention_period", 4320) as i32,
            backup_job: job,
            monitor_server: monitor,
            user_specified_monitor: specified,
            monitor_security_mode: bound.number("monitor_server_security_mode", 1) != 0,
            last_backup: None,
            compression: bound.number("backup_compression", 2) as u8,
        });
        Ok(Reply {
            outputs: vec![("backup_job_id", Value::Uuid(job)), ("primary_id", Value::Uuid(id))],
            ..Reply::default()
        })
    }

    fn with_monitor(&self, instance: usize, monitor: &str) -> Vec<usize> {
        let mut sides = vec![instance];
        sides.extend(self.find_instance(monitor).filter(|m| *m != instance));
        sides
    }

    fn job_name_free(&mut self, instance: usize, name: &str, category: i32) -> Result<(), SqlMessage> {
        let jobs = &self.instances[instance].agent.jobs;
        match jobs.iter().find(|j| j.name.eq_ignore_ascii_case(name)) {
            Some(job) if job.category != category => Err(error(32022, format!("Cannot add a log shipping job with name {name}. A job with same name already exists in the system and this job does not belong to log shipping category."))),
            Some(job) => {
                let id = job.id;
                self.drop_shipping_job(instance, id);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn add_primary_secondary(&mut self, instance: usize, bound: &Bound) -> Answered {
        let name = bound.text("primary_database").unwrap_or_default();
        let server = bound.text("secondary_server").unwrap_or_default();
        let database = bound.text("secondary_database").unwrap_or_default();
        let inst = &mut self.instances[instance];
        let Some(id) = inst.shipping.primaries.iter().find(|p| p.database == name).map(|p| p.id) else {
            return Err(error(32010, format!("Database {name} does not exist as log shipping primary.")));
        };
        let row = (id, server.clone(), database.clone());
        if inst.shipping.primary_secondaries.contains(&row) {
            if bound.number("overwrite", 0) == 0 {
                return Err(error(32012, format!("Secondary {server}.{database} already exists for primary {name}.")));
            }
            return Ok(Reply::default());
        }
        inst.shipping.primary_secondaries.push(row);
        Ok(Reply::default())
    }

    fn add_secondary_primary(&mut self, instance: usize, bound: &Bound) -> Answered {
        let server = bound.text("primary_server").unwrap_or_default();
        let database = bound.text("primary_database").unwrap_or_default();
        let own = self.instances[instance].name.clone();
        let old = self.instances[instance]
            .shipping
            .secondaries
            .iter()
            .find(|s| s.primary_server.eq_ignore_ascii_case(&server) && s.primary_database == database)
            .map(|s| s.id);
        if let Some(old) = old {
            if bound.number("overwrite", 0) == 0 {
                return Err(error(
                    32024,
                    format!("An entry for primary server {server}, primary database {database} already exists."),
                ));
            }
            self.remove_secondary(instance, old);
            self.instances[instance].shipping.secondary_databases.retain(|s| s.secondary_id != old);
        }
        let copy_name = bound.text("copy_job_name").unwrap_or_default();
        let restore_name = bound.text("restore_job_name").unwrap_or_default();
        self.job_name_free(instance, &copy_name, 7)?;
        self.job_name_free(instance, &restore_name, 8)?;
        let id = self.random.guid();
        let program = "\"C:\\Program Files\\Microsoft SQL Server\\100\\Tools\\Binn\\sqllogship.exe\"";
        let copy = self.shipping_job(
            instance,
            &copy_name,
            7,
            &format!("Log shipping copy log job for {server}:{database}."),
            &format!("{program} -Copy {id} -server {own}"),
        );
        let restore = self.shipping_job(
            instance,
            &restore_name,
            8,
            &format!("Log shipping restore log job for {server}:{database}."),
            &format!("{program} -Restore {id} -server {own}"),
        );
        let (monitor, specified) = monitor_of(bound, &own);
        self.instances[instance].shipping.secondaries.push(Secondary {
            id,
            primary_server: server,
            primary_database: database,
            source_directory: bound.text("backup_source_directory").unwrap_or_default(),
            destination_directory: bound.text("backup_destination_directory").unwrap_or_default(),
            retention_minutes: bound.number("file_retention_period", 14420) as i32,
            copy_job: copy,
            restore_job: restore,
            monitor_server: monitor,
            monitor_security_mode: bound.number("monitor_server_security_mode", 1) != 0,
            user_specified_monitor: specified,
            last_copied: None,
        });
        Ok(Reply {
            outputs: vec![
                ("copy_job_id", Value::Uuid(copy)),
                ("restore_job_id", Value::Uuid(restore)),
                ("secondary_id", Value::Uuid(id)),
            ],
            ..Reply::default()
        })
    }

    fn add_secondary_database(&mut self, instance: usize, bound: &Bound) -> Answered {
        let name = bound.text("secondary_database").unwrap_or_default();
        let server = bound.text("primary_server").unwrap_or_default();
        let primary = bound.text("primary_database").unwrap_or_default();
        let own = self.instances[instance].name.clone();
        let shipping = &self.instances[instance].shipping;
        let Some(row) = shipping
            .secondaries
            .iter()
            .find(|s| s.primary_server.eq_ignore_ascii_case(&server) && s.primary_database == primary)
        else {
            return Err(error(32023, format!("An entry for primary server {server}, primary database {primary} does not exist on this secondary. Register the primary first.")));
        };
        let (id, monitor) = (row.id, row.monitor_server.clone());
        if shipping.secondary_databases.iter().any(|s| s.database == name) {
            if bound.number("overwrite", 0) == 0 {
                return Err(error(
                    32013,
                    format!("A log shipping entry already exists for secondary database {name}."),
                ));
            }
            self.instances[instance].shipping.secondary_databases.retain(|s| s.database != name);
        }
        let row = MonitorSecondary {
            secondary_server: own,
            database: name.clone(),
            secondary_id: id,
            primary_server: server,
            primary_database: primary,
            restore_threshold: bound.number("restore_threshold", 45) as i32,
            threshold_alert: bound.number("threshold_alert", 14420) as i32,
            alert_enabled: bound.number("threshold_alert_enabled", 1) != 0,
            last_copied: None,
            last_restored: None,
            last_restored_latency: None,
            history_retention: bound.number("history_retention_period", 14420) as i32,
        };
        for side in self.with_monitor(instance, &monitor) {
            let rows = &mut self.instances[side].shipping.monitor_secondaries;
            rows.retain(|m| !(m.secondary_server == row.secondary_server && m.database == row.database));
            rows.push(row.clone());
        }
        self.instances[instance].shipping.secondary_databases.push(SecondaryDatabase {
            database: name,
            secondary_id: id,
            restore_delay: bound.number("restore_delay", 0) as i32,
            restore_all: bound.number("restore_all", 1) != 0,
            standby: bound.number("restore_mode", 0) != 0,
            disconnect_users: bound.number("disconnect_users", 0) != 0,
            block_size: bound.number("block_size", -1) as i32,
            buffer_count: bound.number("buffer_count", -1) as i32,
            max_transfer_size: bound.number("max_transfer_size", -1) as i32,
            last_restored: None,
        });
        Ok(Reply::default())
    }
}
