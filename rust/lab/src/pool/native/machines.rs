//! Windows services of Persistent Chat servers and Front Ends.

use serde_json::{json, Value};

use super::super::services::{Service, ServiceKind};
use super::super::settings::Dialect;
use super::{Call, NativeError, Objects};

fn product(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Lync2013 => "Lync Server",
        Dialect::Sfb2015 => "Skype for Business Server",
    }
}

fn row(service: &Service, machine: &str, dialect: Dialect, with_activity: bool) -> Value {
    let (display, role) = match service.kind {
        ServiceKind::Channel => ("Persistent Chat", "PersistentChatService"),
        ServiceKind::Compliance => ("Persistent Chat Compliance", "PersistentChatComplianceService"),
        ServiceKind::Backup => ("Backup Service", "BackupService"),
    };
    let mut members = json!({
        "Status": if service.running { "Running" } else { "Stopped" },
        "Name": service.name, "DisplayName": format!("{} {display}", product(dialect)),
        "RoleName": role, "ComputerName": machine,
    });
    if with_activity {
        members["ActivityLevel"] = if service.session.is_some() { "Connected=1".into() } else { "".into() };
    }
    members
}

fn rpc_unavailable(machine: &str) -> NativeError {
    NativeError::refused(
        "ServiceControlUnavailable",
        "ResourceUnavailable",
        format!("Cannot open Service Control Manager on computer '{machine}'. The RPC server is unavailable."),
    )
}

/// Machine and service names that a call means: by name, by object, or every service of the machine.
fn meant(call: &Call<'_>) -> Result<(String, Vec<String>), NativeError> {
    let inner = call.pool.lock();
    let mut machine = call.bound.text("ComputerName").map(String::from);
    let mut name = call.bound.text("Name").map(String::from);
    match call.bound.value("InputObject") {
        Some(Value::Object(object)) => {
            let text = |key: &str| object.get(key).and_then(Value::as_str).map(String::from);
            machine = text("ComputerName");
            name = text("Name");
        }
        Some(Value::String(text)) => name = Some(text.clone()),
        _ => {}
    }
    let machine = machine.unwrap_or_else(|| inner.settings.shell_host.clone());
    let Some(server) = inner.machine(&machine).filter(|m| m.alive) else {
        return Err(rpc_unavailable(&machine));
    };
    let names: Vec<String> = server
        .services
        .iter()
        .filter(|s| name.as_ref().is_none_or(|n| s.name.eq_ignore_ascii_case(n)))
        .map(|s| s.name.clone())
        .collect();
    match (name, names.is_empty()) {
        (Some(name), true) => Err(NativeError::not_found(format!(
            "Cannot find any service with service name '{name}' on computer '{}'.",
            server.fqdn
        ))),
        _ => Ok((server.fqdn.clone(), names)),
    }
}

/// `Get-CsWindowsService`: no wildcards in the name.
pub fn get_service(call: &mut Call<'_>) -> Objects {
    let (machine, names) = meant(call)?;
    let with_activity = !call.bound.switch("ExcludeActivityLevel");
    let inner = call.pool.lock();
    let Some(server) = inner.machine(&machine) else { return Err(rpc_unavailable(&machine)) };
    Ok(server
        .services
        .iter()
        .filter(|s| names.contains(&s.name))
        .map(|s| row(s, &server.fqdn, call.dialect, with_activity))
        .collect())
}

/// `Start-CsWindowsService`.
pub async fn start_service(call: &mut Call<'_>) -> Objects {
    set_running(call, true).await
}

/// `Stop-CsWindowsService`: ends the service's sessions, and it does not come back.
pub async fn stop_service(call: &mut Call<'_>) -> Objects {
    set_running(call, false).await
}

async fn set_running(call: &mut Call<'_>, running: bool) -> Objects {
    let (machine, names) = meant(call)?;
    let pause = call.pool.lock().settings.services.stop_milliseconds;
    for name in names {
        if !call.should(call.command.name, &format!("{name} on {machine}")) {
            continue;
        }
        let session = {
            let mut inner = call.pool.lock();
            let Some(server) = inner.machine_mut(&machine) else { return Err(rpc_unavailable(&machine)) };
            let Some(service) = server.services.iter_mut().find(|s| s.name == name) else { continue };
            if service.running == running {
                continue;
            }
            service.running = running;
            service.reset()
        };
        if let Some(session) = session {
            call.pool.outside.close_session(session);
        }
        call.note(&machine, json!({ "service": name, "running": running }));
        if !call.bound.switch("NoWait") {
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        }
    }
    Ok(Vec::new())
}
