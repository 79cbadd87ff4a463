//! The `native` door: one call in, one answer out. The PowerShell stand-ins and drills without a shell come through it alike.
//!
//! A call is bound against the documented parameter sets first (`catalog`, `bind`), so that a parameter that no page
//! knows is refused as the shell would refuse it; then the faults that are on have their say; then the command acts.
//! `-WhatIf` goes through all of that and changes nothing.

mod backup_service;
mod bind;
mod catalog;
mod checks;
mod machines;
mod mirror;
mod persistent_chat;
mod replication;
mod topology;

#[cfg(test)]
mod stand_in_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};

pub use bind::Bound;
pub use catalog::{find, Command, COMMANDS, PAGE_FORMS};

use super::settings::{Dialect, PoolFaultName};
use super::Pool;

/// A call of a native command.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeRequest {
    pub name: String,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// Names of switches that are on; the same as `true` in `parameters`.
    #[serde(default)]
    pub switches: Vec<String>,
    /// The scenario's dialect when absent.
    #[serde(default)]
    pub dialect: Option<Dialect>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct NativeAnswer {
    /// `completed` or `failed`.
    pub outcome: &'static str,
    pub objects: Vec<Value>,
    /// Type name of the objects.
    pub object_type: String,
    /// What a `-WhatIf` call says it would do.
    pub what_if: Vec<String>,
    pub warnings: Vec<String>,
    pub error: Option<NativeError>,
}

/// An error record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NativeError {
    /// Fully qualified error id.
    pub id: String,
    /// Error category, as PowerShell names them.
    pub category: &'static str,
    pub message: String,
}

impl NativeError {
    fn binding(command: &Command, id: &str, message: String) -> NativeError {
        NativeError { id: format!("{id},{}", command.name), category: "InvalidArgument", message }
    }

    fn refused(id: &str, category: &'static str, message: impl Into<String>) -> NativeError {
        NativeError { id: id.into(), category, message: message.into() }
    }

    fn not_found(message: impl Into<String>) -> NativeError {
        NativeError::refused("ObjectNotFound", "ObjectNotFound", message)
    }

    fn failed(message: impl Into<String>) -> NativeError {
        NativeError::refused("OperationFailed", "InvalidOperation", message)
    }
}

/// One call on its way: what was bound, what it may do, what it has to say.
pub(super) struct Call<'a> {
    pool: &'a Pool,
    command: Command,
    bound: Bound,
    dialect: Dialect,
    what_if: Vec<String>,
    warnings: Vec<String>,
    /// It succeeds and changes nothing.
    lies: bool,
}

type Objects = Result<Vec<Value>, NativeError>;

impl Call<'_> {
    /// Whether to go ahead with a change; under `-WhatIf` it is only told.
    fn should(&mut self, action: &str, target: &str) -> bool {
        if self.bound.what_if {
            self.what_if.push(format!("What if: Performing the operation \"{action}\" on target \"{target}\"."));
            return false;
        }
        !self.lies
    }

    fn note(&self, target: &str, detail: Value) {
        self.pool.outside.note_effect(self.command.name, target, detail);
    }

    fn required(&self, name: &str) -> &str {
        self.bound.text(name).unwrap_or_default()
    }
}

impl Pool {
    /// Runs a native command.
    pub async fn native(&self, request: NativeRequest) -> NativeAnswer {
        let shown = json!({ "name": request.name, "parameters": request.parameters, "switches": request.switches });
        let mut answer = self.run(request).await;
        let error = answer.error.as_ref().map(|e| e.message.clone());
        let what_if = !answer.what_if.is_empty();
        if answer.outcome == "failed" {
            answer.objects.clear();
        }
        self.lock().calls.push(json!({
            "at_utc": self.outside.now_utc(), "call": shown, "outcome": answer.outcome, "what_if": what_if, "error": error,
        }));
        answer
    }

    async fn run(&self, request: NativeRequest) -> NativeAnswer {
        if request.name.eq_ignore_ascii_case("Get-Command") {
            return self.get_command(&request);
        }
        let Some(command) = self.installed(&request.name) else {
            let message = format!(
                "The term '{}' is not recognized as the name of a cmdlet, function, script file, or operable program.",
                request.name
            );
            return failure("", NativeError::refused("CommandNotFoundException", "ObjectNotFound", message));
        };
        let dialect = request.dialect.unwrap_or(self.lock().settings.dialect);
        let mut given = request.parameters;
        for switch in request.switches {
            given.insert(switch, Value::Bool(true));
        }
        let bound = match bind::bind(&command, dialect, &given) {
            Ok(bound) => bound,
            Err(error) => return failure(command.output, error),
        };
        if let Err(error) = self.admit(&command, &bound).await {
            return failure(command.output, error);
        }
        let lies = self.lock().fault(PoolFaultName::NativeLies, Some(command.name)) && command.changes;
        let mut call = Call { pool: self, command, bound, dialect, what_if: vec![], warnings: vec![], lies };
        let outcome = dispatch(&mut call).await;
        let afterwards = self.lock().fault(PoolFaultName::NativeThrowsAfterwards, Some(command.name));
        let silent = self.lock().fault(PoolFaultName::NativeSilent, Some(command.name));
        let outcome = match outcome {
            Ok(_) if afterwards && !call.bound.what_if => {
                Err(NativeError::failed(format!("{} lost the connection after its work was done.", command.name)))
            }
            other => other,
        };
        match outcome {
            Ok(objects) => NativeAnswer {
                outcome: "completed",
                objects: if call.bound.what_if || silent { Vec::new() } else { objects },
                object_type: command.output.into(),
                what_if: call.what_if,
                warnings: call.warnings,
                error: None,
            },
            Err(error) => {
                NativeAnswer { what_if: call.what_if, warnings: call.warnings, ..failure(command.output, error) }
            }
        }
    }

    /// A command with the parameters that this installation has.
    fn installed(&self, name: &str) -> Option<Command> {
        let inner = self.lock();
        let native = &inner.settings.native;
        let is_on = |form: &str| native.page_forms.iter().any(|on| on.eq_ignore_ascii_case(form));
        let printed = PAGE_FORMS.iter().find(|(form, command)| command.name.eq_ignore_ascii_case(name) && is_on(form));
        let command = printed.map(|(_, command)| command).or_else(|| find(name))?;
        if inner.fault(PoolFaultName::NativeMissing, Some(command.name)) {
            return None;
        }
        let lacks = native.without_what_if.iter().any(|name| name.eq_ignore_ascii_case(command.name));
        Some(Command { should_process: command.should_process && !lacks, ..*command })
    }

    /// The shell's own command, for callers without a shell: which parameters a command has in this dialect.
    fn get_command(&self, request: &NativeRequest) -> NativeAnswer {
        let name = request.parameters.get("Name").and_then(Value::as_str).unwrap_or_default();
        let Some(command) = self.installed(name) else {
            let message = format!("The term '{name}' is not recognized as the name of a cmdlet, function, or program.");
            return failure("", NativeError::refused("CommandNotFoundException", "ObjectNotFound", message));
        };
        let dialect = request.dialect.unwrap_or(self.lock().settings.dialect);
        let object = json!({
            "Name": command.name, "ModuleName": "PChatLab.Lync",
            "Parameters": { "Keys": bind::parameter_names(&command, dialect) },
        });
        NativeAnswer {
            outcome: "completed",
            objects: vec![object],
            object_type: "System.Management.Automation.CommandInfo".into(),
            what_if: Vec::new(),
            warnings: Vec::new(),
            error: None,
        }
    }

    /// Faults, rights, the store and the prompt: what stands between a bound call and its action.
    async fn admit(&self, command: &Command, bound: &Bound) -> Result<(), NativeError> {
        let name = Some(command.name);
        let wait = self.lock().settings.native.command_milliseconds;
        if wait > 0 {
            self.lab_sleep(wait).await;
        }
        while self.lock().fault(PoolFaultName::NativeHangs, name) && !self.is_closed() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let inner = self.lock();
        if inner.fault(PoolFaultName::NativeThrows, name) {
            return Err(NativeError::failed(format!("{} ran into an unexpected error.", command.name)));
        }
        if command.changes && inner.fault(PoolFaultName::CsRightsMissing, None) {
            return Err(NativeError::refused(
                "UnauthorizedAccess",
                "PermissionDenied",
                "Access is denied. The caller is not a member of a group with the rights for this command.",
            ));
        }
        if command.needs_cms && !inner.cms_available() {
            return Err(store_unavailable());
        }
        let asks = command.asks && !bound.what_if && !bound.confirmed && !bound.switch("Force");
        if asks || (inner.fault(PoolFaultName::NativePrompts, name) && !bound.what_if) {
            return Err(NativeError::refused(
                "PromptNotAnswered",
                "InvalidOperation",
                format!("{} asks for confirmation, and nobody is there to answer.", command.name),
            ));
        }
        Ok(())
    }
}

fn store_unavailable() -> NativeError {
    NativeError::refused(
        "CentralManagementStoreUnavailable",
        "ResourceUnavailable",
        "Cannot connect to the Central Management store.",
    )
}

fn failure(output: &str, error: NativeError) -> NativeAnswer {
    NativeAnswer {
        outcome: "failed",
        objects: Vec::new(),
        object_type: output.into(),
        what_if: Vec::new(),
        warnings: Vec::new(),
        error: Some(error),
    }
}

async fn dispatch(call: &mut Call<'_>) -> Objects {
    match call.command.name {
        "Set-CsPersistentChatState" => persistent_chat::set_state(call),
        "Get-CsPersistentChatState" => persistent_chat::get_state(call),
        "Set-CsPersistentChatActiveServer" => persistent_chat::set_active_server(call),
        "Get-CsPersistentChatActiveServer" => persistent_chat::get_active_servers(call),
        "Get-CsService" => topology::get_service(call),
        "Get-CsPool" => topology::get_pool(call),
        "Get-CsPoolBackupRelationship" => topology::get_backup_relationship(call),
        "Install-CsMirrorDatabase" => mirror::install(call).await,
        "Uninstall-CsMirrorDatabase" => mirror::uninstall(call).await,
        "Invoke-CsDatabaseFailover" => mirror::database_failover(call).await,
        "Get-CsDatabaseMirrorState" => mirror::get_mirror_state(call),
        "Get-CsManagementStoreReplicationStatus" => replication::get_status(call),
        "Invoke-CsManagementStoreReplication" => replication::invoke(call),
        "Invoke-CsManagementServerFailover" => replication::server_failover(call),
        "Invoke-CsPoolFailOver" => replication::pool_failover(call),
        "Invoke-CsPoolFailBack" => replication::pool_failback(call),
        "Invoke-CsBackupServiceSync" => backup_service::sync(call),
        "Get-CsBackupServiceStatus" => backup_service::status(call),
        "Get-CsBackupServiceConfiguration" => backup_service::configuration(call),
        "Debug-CsInterPoolReplication" => backup_service::debug_replication(call),
        "Test-CsDatabase" => checks::test_database(call),
        "Get-CsHealthMonitoringConfiguration" => checks::health_monitoring(call),
        "Test-CsPersistentChatMessage" => checks::test_message(call),
        "Get-CsWindowsService" => machines::get_service(call),
        "Start-CsWindowsService" => machines::start_service(call).await,
        "Stop-CsWindowsService" => machines::stop_service(call).await,
        other => Err(NativeError::failed(format!("{other} is in the list of commands, but not simulated."))),
    }
}
