//! The procedures an instance has: which parameters each takes, how arguments bind, and who carries it out.

mod jobs;
mod log_shipping;
mod log_shipping_help;
mod machine;
mod schedules;
mod sessions;

use super::connection::{Connection, Output};
use super::error::SqlMessage;
use super::execute::{Control, Halt};
use lab_tsql::ast::{Argument, ArgumentValue, ObjectName};
use lab_tsql::{ResultSet, SqlType, Value};
use std::collections::HashMap;

/// A procedure: its database and its parameters, `!` marking required ones and `^` those with OUTPUT.
pub struct Procedure {
    pub name: &'static str,
    pub database: &'static str,
    pub parameters: &'static str,
}

const fn p(name: &'static str, database: &'static str, parameters: &'static str) -> Procedure {
    Procedure { name, database, parameters }
}

/// Every procedure of the lab.
pub const PROCEDURES: &[Procedure] = &[
    p("sp_executesql", "master", "stmt! params"),
    p("sp_getapplock", "master", "Resource! LockMode! LockOwner LockTimeout DbPrincipal"),
    p("sp_releaseapplock", "master", "Resource! LockOwner DbPrincipal"),
    p("sp_who", "master", "loginame"),
    p("sp_who2", "master", "loginame"),
    p("sp_changedbowner", "master", "loginame! map"),
    p("xp_dirtree", "master", "path! depth file"),
    p("xp_fileexist", "master", "path! result^"),
    p("xp_fixeddrives", "master", ""),
    p("xp_create_subdir", "master", "path!"),
    p("xp_delete_file", "master", "type! folder! extension cutoff subfolders"),
    p("xp_instance_regread", "master", "rootkey! key! value_name! value^ no_output"),
    p("xp_regread", "master", "rootkey! key! value_name! value^ no_output"),
    p("sp_add_log_shipping_primary_database", "master", "database! backup_directory! backup_share! backup_job_name! backup_retention_period monitor_server monitor_server_security_mode monitor_server_login monitor_server_password backup_threshold threshold_alert threshold_alert_enabled history_retention_period backup_job_id^ primary_id^ backup_compression overwrite ignoreremotemonitor"),
    p("sp_add_log_shipping_primary_secondary", "master", "primary_database! secondary_server! secondary_database! overwrite"),
    p("sp_add_log_shipping_secondary_primary", "master", "primary_server! primary_database! backup_source_directory! backup_destination_directory! copy_job_name! restore_job_name! file_retention_period monitor_server monitor_server_security_mode monitor_server_login monitor_server_password copy_job_id^ restore_job_id^ secondary_id^ overwrite ignoreremotemonitor"),
    p("sp_add_log_shipping_secondary_database", "master", "secondary_database! primary_server! primary_database! restore_delay restore_all restore_mode disconnect_users block_size buffer_count max_transfer_size restore_threshold threshold_alert threshold_alert_enabled history_retention_period overwrite ignoreremotemonitor"),
    p("sp_add_log_shipping_alert_job", "master", "alert_job_id^"),
    p("sp_delete_log_shipping_alert_job", "master", ""),
    p("sp_delete_log_shipping_primary_database", "master", "database! ignoreremotemonitor"),
    p("sp_delete_log_shipping_primary_secondary", "master", "primary_database! secondary_server! secondary_database!"),
    p("sp_delete_log_shipping_secondary_database", "master", "secondary_database! ignoreremotemonitor"),
    p("sp_delete_log_shipping_secondary_primary", "master", "primary_server! primary_database! ignoreremotemonitor"),
    p("sp_refresh_log_shipping_monitor", "master", "agent_id agent_type database mode"),
    p("sp_cleanup_log_shipping_history", "master", "agent_id agent_type"),
    p("sp_help_log_shipping_secondary_database", "master", "secondary_database secondary_id"),
    p("sp_help_log_shipping_secondary_primary", "master", "primary_server! primary_database!"),
    p("sp_help_log_shipping_primary_database", "master", "database primary_id"),
    p("sp_help_log_shipping_primary_secondary", "master", "primary_database!"),
    p("sp_help_log_shipping_monitor", "master", ""),
    p("sp_add_job", "msdb", "job_name! enabled description start_step_id category_name category_id owner_login_name notify_level_eventlog notify_level_email notify_level_netsend notify_level_page notify_email_operator_name notify_netsend_operator_name notify_page_operator_name delete_level job_id^ originating_server"),
    p("sp_add_jobstep", "msdb", "job_id job_name step_id step_name! subsystem command additional_parameters cmdexec_success_code on_success_action on_success_step_id on_fail_action on_fail_step_id server database_name database_user_name retry_attempts retry_interval os_run_priority output_file_name flags proxy_id proxy_name step_uid^"),
    p("sp_add_jobserver", "msdb", "job_id job_name server_name automatic_post"),
    p("sp_add_schedule", "msdb", "schedule_name! enabled freq_type freq_interval freq_subday_type freq_subday_interval freq_relative_interval freq_recurrence_factor active_start_date active_end_date active_start_time active_end_time owner_login_name schedule_uid^ schedule_id^ originating_server"),
    p("sp_add_jobschedule", "msdb", "job_id job_name name! enabled freq_type freq_interval freq_subday_type freq_subday_interval freq_relative_interval freq_recurrence_factor active_start_date active_end_date active_start_time active_end_time schedule_id^ automatic_post schedule_uid^"),
    p("sp_attach_schedule", "msdb", "job_id job_name schedule_id schedule_name automatic_post"),
    p("sp_detach_schedule", "msdb", "job_id job_name schedule_id schedule_name delete_unused_schedule automatic_post"),
    p("sp_update_schedule", "msdb", "schedule_id name new_name enabled freq_type freq_interval freq_subday_type freq_subday_interval freq_relative_interval freq_recurrence_factor active_start_date active_end_date active_start_time active_end_time owner_login_name automatic_post"),
    p("sp_delete_schedule", "msdb", "schedule_id schedule_name force_delete automatic_post"),
    p("sp_update_job", "msdb", "job_id job_name new_name enabled description start_step_id category_name owner_login_name notify_level_eventlog notify_level_email notify_level_netsend notify_level_page notify_email_operator_name notify_netsend_operator_name notify_page_operator_name delete_level automatic_post"),
    p("sp_update_jobstep", "msdb", "job_id job_name step_id! step_name subsystem command database_name on_success_action on_fail_action retry_attempts retry_interval"),
    p("sp_start_job", "msdb", "job_name job_id error_flag server_name step_name output_flag"),
    p("sp_stop_job", "msdb", "job_name job_id originating_server server_name"),
    p("sp_delete_job", "msdb", "job_id job_name originating_server delete_history delete_unused_schedule"),
    p("sp_help_job", "msdb", "job_id job_name job_aspect job_type owner_login_name subsystem category_name enabled execution_status"),
    p("sp_delete_backuphistory", "msdb", "oldest_date!"),
];

/// True when the procedure has the parameter on a server of this major version.
pub fn has_parameter(procedure: &str, parameter: &str, major: u8) -> bool {
    !(major <= 10 && parameter == "ignoreremotemonitor" && procedure.starts_with("sp_delete_"))
}

/// An argument as the caller gives it.
#[derive(Clone, Debug)]
pub struct CallArgument {
    /// Without `@`.
    pub name: Option<String>,
    /// `None` is DEFAULT.
    pub value: Option<Value>,
    /// Variable that takes an OUTPUT value.
    pub output: Option<String>,
}

/// Arguments bound to parameters.
#[derive(Default)]
pub struct Bound {
    values: HashMap<&'static str, Value>,
    outputs: HashMap<&'static str, String>,
}

impl Bound {
    /// The value, NULL when none was given.
    pub fn value(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or(Value::Null)
    }

    /// True when the caller gave a value that is not NULL.
    pub fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|v| !v.is_null())
    }

    /// The value as text; `None` for NULL.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::Null => None,
            Value::Uuid(id) => Some(id.to_string()),
            other => Some(super::execute::as_text(other)),
        }
    }

    /// The value as a number; `default` for NULL and for what is no number.
    pub fn number(&self, name: &str, default: i64) -> i64 {
        match self.values.get(name) {
            Some(Value::String(text)) => text.trim().parse().unwrap_or(default),
            Some(value) => value.as_i64().unwrap_or(default),
            None => default,
        }
    }

    /// The value as a GUID.
    pub fn guid(&self, name: &str) -> Option<uuid::Uuid> {
        match self.values.get(name)? {
            Value::Uuid(id) => Some(*id),
            Value::Binary(bytes) => uuid::Uuid::from_slice_le(bytes).ok(),
            Value::String(text) => uuid::Uuid::parse_str(text.trim()).ok(),
            _ => None,
        }
    }

    /// True when the caller wants the value back.
    pub fn wants(&self, name: &str) -> bool {
        self.outputs.contains_key(name)
    }
}

/// What a procedure gives back.
#[derive(Default)]
pub struct Reply {
    pub status: i32,
    pub sets: Vec<ResultSet>,
    pub messages: Vec<SqlMessage>,
    pub outputs: Vec<(&'static str, Value)>,
}

/// A procedure's outcome: errors are raised inside it, status 1.
pub type Answered = Result<Reply, SqlMessage>;

/// Splits `msdb.dbo.sp_update_job`.
pub fn split_name(text: &str) -> ObjectName {
    let parts: Vec<String> =
        text.split('.').map(|p| p.trim().trim_matches(|c| "[]\"".contains(c)).to_owned()).collect();
    let mut name = ObjectName::default();
    match parts.as_slice() {
        [one] => name.name.clone_from(one),
        [schema, one] => {
            name.schema.clone_from(schema);
            name.name.clone_from(one);
        }
        [.., database, schema, one] => {
            name.database.clone_from(database);
            name.schema.clone_from(schema);
            name.name.clone_from(one);
        }
        [] => {}
    }
    name
}

impl Connection {
    /// An argument of an EXEC with its value looked up.
    pub(crate) fn argument(&self, argument: &Argument) -> Result<CallArgument, Halt> {
        let mut output = None;
        let value = match &argument.value {
            ArgumentValue::Constant(_, value) => Some(value.clone()),
            ArgumentValue::Default => None,
            ArgumentValue::Variable(name) if name.starts_with("@@") => {
                let found = self.context.tables.function(&self.context.database, &name.to_uppercase(), &[]);
                Some(found.transpose()?.unwrap_or(Value::Null))
            }
            ArgumentValue::Variable(name) => {
                let variable = self.context.variables.get(name).ok_or_else(|| lab_tsql::SqlError::undeclared(name))?;
                if argument.output {
                    output = Some(name.clone());
                }
                Some(variable.value.clone())
            }
        };
        let name = argument.name.as_ref().map(|n| n.trim_start_matches('@').to_owned());
        Ok(CallArgument { name, value, output })
    }

    /// Calls a procedure. The status is `None` when the call failed before it ran.
    ///
    /// # Errors
    /// 2812 for an unknown procedure, 201, 8144, 8145 for arguments, and what the procedure raises.
    pub(crate) async fn call(
        &mut self,
        name: &ObjectName,
        arguments: Vec<CallArgument>,
        text: &str,
        out: &mut dyn Output,
    ) -> Result<(Option<i32>, Control), Halt> {
        let procedure = PROCEDURES.iter().find(|p| p.name.eq_ignore_ascii_case(&name.name));
        let known = procedure.filter(|p| self.sees(p, name));
        let Some(procedure) = known else {
            let shown = [&name.database, &name.schema, &name.name]
                .iter()
                .filter(|p| !p.is_empty())
                .map(|p| p.as_str())
                .collect::<Vec<_>>()
                .join(".");
            let error = SqlMessage::new(2812, 16, 62, format!("Could not find stored procedure '{shown}'."));
            if procedure.is_none() {
                self.count_unknown(text, &error.message);
            }
            return Err(Halt::one(error));
        };
        if procedure.name == "sp_executesql" {
            return self.execute_sql(arguments, out).await;
        }
        let bound = self.bind(procedure, arguments)?;
        let master = name.database.eq_ignore_ascii_case("master") || self.context.database == "master";
        if procedure.name.contains("log_shipping") {
            self.log_shipping_allowed(procedure.name, master)?;
            self.reach_monitor(procedure.name, &bound).await?;
        }
        out.procedure(None).await;
        let answered = match procedure.name {
            "sp_getapplock" => self.get_app_lock(&bound).await,
            name if name.contains("log_shipping") => self.log_shipping(name, &bound),
            name if name.starts_with("xp_") => self.machine(name, &bound),
            "sp_who" | "sp_who2" | "sp_releaseapplock" | "sp_changedbowner" => {
                self.session_procedure(procedure.name, &bound)
            }
            name => self.agent_procedure(name, &bound),
        };
        let (status, control) = match answered {
            Ok(reply) => {
                for message in &reply.messages {
                    let message = self.translate(message.clone());
                    out.message(&message).await;
                }
                for set in reply.sets {
                    out.rows(set).await;
                }
                for (parameter, value) in reply.outputs {
                    if let Some(variable) = bound.outputs.get(parameter) {
                        self.assign(variable, value)?;
                    }
                }
                (reply.status, Control::Next)
            }
            Err(error) => {
                let error = if error.procedure.is_empty() { error.inside(procedure.name, 1) } else { error };
                if error.number == lab_tsql::UNKNOWN_STATEMENT {
                    self.count_unknown(text, &error.message);
                }
                out.procedure(Some(1)).await;
                return match self.raise(error, out).await {
                    Control::Next => Ok((Some(1), Control::Next)),
                    control => Ok((Some(1), control)),
                };
            }
        };
        out.procedure(Some(status)).await;
        Ok((Some(status), control))
    }

    /// Sends an error raised in a procedure, or hands it to the CATCH block around.
    async fn raise(&mut self, error: SqlMessage, out: &mut dyn Output) -> Control {
        let error = self.translate(error);
        self.context.error = error.number;
        if self.nesting > 0 && error.severity > 10 {
            self.caught = Some(error);
            return Control::Caught;
        }
        out.message(&error).await;
        Control::Next
    }

    /// System procedures are seen from everywhere, those of msdb from there or by their full name.
    fn sees(&self, procedure: &Procedure, name: &ObjectName) -> bool {
        let from = if name.database.is_empty() { self.context.database.as_str() } else { name.database.as_str() };
        let case = {
            let world = self.engine.world();
            !world.instances[self.instance].is_binary()
        };
        if !case && procedure.name != name.name {
            return false;
        }
        if procedure.database == "msdb" {
            return from.eq_ignore_ascii_case("msdb");
        }
        if procedure.name.starts_with("xp_") {
            return from.eq_ignore_ascii_case("master");
        }
        true
    }

    fn bind(&self, procedure: &Procedure, arguments: Vec<CallArgument>) -> Result<Bound, Halt> {
        let major = self.engine.world().instances[self.instance].version.major;
        let names: Vec<&'static str> = procedure
            .parameters
            .split_whitespace()
            .filter(|n| has_parameter(procedure.name, n.trim_end_matches(['!', '^']), major))
            .collect();
        let mut bound = Bound::default();
        for (index, argument) in arguments.into_iter().enumerate() {
            let found = match &argument.name {
                Some(name) => names.iter().find(|n| n.trim_end_matches(['!', '^']).eq_ignore_ascii_case(name)),
                None => names.get(index),
            };
            let Some(found) = found else {
                let error = match &argument.name {
                    Some(name) => SqlMessage::new(
                        8145,
                        16,
                        1,
                        format!("@{name} is not a parameter for procedure {}.", procedure.name),
                    ),
                    None => SqlMessage::new(
                        8144,
                        16,
                        2,
                        format!("Procedure or function {} has too many arguments specified.", procedure.name),
                    ),
                };
                return Err(Halt::one(error.inside(procedure.name, 0)));
            };
            let key = found.trim_end_matches(['!', '^']);
            if let Some(value) = argument.value {
                bound.values.insert(key, value);
            }
            if let (Some(variable), true) = (argument.output, found.ends_with('^')) {
                bound.outputs.insert(key, variable);
            }
        }
        for name in names.iter().filter(|n| n.ends_with('!')) {
            let key = name.trim_end_matches('!');
            if !bound.values.contains_key(key) {
                let text = format!(
                    "Procedure or function '{}' expects parameter '@{key}', which was not supplied.",
                    procedure.name
                );
                return Err(Halt::one(SqlMessage::new(201, 16, 4, text).inside(procedure.name, 0)));
            }
        }
        Ok(bound)
    }

    async fn execute_sql(
        &mut self,
        arguments: Vec<CallArgument>,
        out: &mut dyn Output,
    ) -> Result<(Option<i32>, Control), Halt> {
        let mut positional = arguments.into_iter();
        let statement = positional.next().and_then(|a| a.value).map(|v| super::execute::as_text(&v));
        let Some(statement) = statement else {
            let text = "Procedure or function 'sp_executesql' expects parameter '@stmt', which was not supplied.";
            return Err(Halt::one(SqlMessage::new(201, 16, 4, text)));
        };
        let declared = positional.next().and_then(|a| a.value).map(|v| super::execute::as_text(&v)).unwrap_or_default();
        let definitions = lab_tsql::parse_parameters(&declared)?;
        let given: Vec<CallArgument> = positional.collect();
        let mut parameters: Vec<(String, SqlType, Value)> = Vec::new();
        let mut back: Vec<Option<String>> = Vec::new();
        for (index, definition) in definitions.iter().enumerate() {
            let plain = definition.name.trim_start_matches('@');
            let argument = given
                .iter()
                .find(|a| a.name.as_ref().is_some_and(|n| n.eq_ignore_ascii_case(plain)))
                .or_else(|| given.get(index).filter(|a| a.name.is_none()));
            let value = argument.and_then(|a| a.value.clone()).unwrap_or(Value::Null);
            let value = lab_tsql::convert(&value, definition.data_type, &self.context)?;
            parameters.push((definition.name.clone(), definition.data_type, value));
            back.push(argument.and_then(|a| a.output.clone()).filter(|_| definition.output));
        }
        let (control, values) = self.nested_batch(&statement, parameters, out).await?;
        for (variable, value) in back.into_iter().zip(values) {
            if let Some(variable) = variable {
                self.assign(&variable, value)?;
            }
        }
        Ok((Some(self.context.error), control))
    }
}
