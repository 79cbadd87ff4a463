//! Commands that test.

use serde_json::{json, Value};

use super::super::settings::Store;
use super::topology::front_end_pool;
use super::{Call, NativeError, Objects};

/// `Test-CsDatabase`: one row for each database of the store.
pub fn test_database(call: &mut Call<'_>) -> Objects {
    if matches!(call.bound.set, "ByCMS" | "ByLocal") {
        return Ok(Vec::new());
    }
    let (stores, chat, compliance) = {
        let inner = call.pool.lock();
        let s = &inner.settings.stores;
        let all: Vec<Store> =
            [Some(&s.primary), s.primary_mirror.as_ref(), s.backup.as_ref(), s.backup_mirror.as_ref()]
                .into_iter()
                .flatten()
                .cloned()
                .collect();
        (all, inner.settings.chat_database.clone(), inner.settings.compliance_database.clone())
    };
    let databases: Vec<String> = match call.bound.text("DatabaseType") {
        Some("PersistentChat") => vec![chat],
        Some("PersistentChatCompliance") => compliance.into_iter().collect(),
        Some(other) => {
            return Err(NativeError::not_found(format!("Database type {other} is not part of this topology.")))
        }
        None => std::iter::once(chat).chain(compliance).collect(),
    };
    let server = call.required("SqlServerFqdn").to_string();
    let instance_name = call.bound.text("SqlInstanceName").map(String::from);
    let store = stores.iter().find(|s| {
        s.fqdn.eq_ignore_ascii_case(&server)
            && instance_name.as_ref().is_none_or(|i| s.instance_name().eq_ignore_ascii_case(i))
    });
    let Some(store) = store else {
        return Err(NativeError::not_found(format!("SQL store {server} is not part of this topology.")));
    };
    if !call.should("Test-CsDatabase", &server) {
        return Ok(Vec::new());
    }
    Ok(databases
        .iter()
        .map(|database| {
            let seen = call.pool.outside.database(&store.instance, database);
            json!({
                "SqlServerFqdn": store.fqdn, "SqlInstanceName": store.instance_name(),
                "DatabaseName": database, "DataSource": store.instance,
                "Succeed": seen.serves(), "DatabaseState": seen.state,
            })
        })
        .collect())
}

/// `Get-CsHealthMonitoringConfiguration`: the pools that have test users.
pub fn health_monitoring(call: &mut Call<'_>) -> Objects {
    let inner = call.pool.lock();
    let wanted = call.bound.text("Identity");
    let found: Vec<_> = inner
        .settings
        .front_end_pools
        .iter()
        .filter(|pool| pool.test_users && wanted.is_none_or(|wanted| pool.fqdn.eq_ignore_ascii_case(wanted)))
        .map(|pool| {
            json!({
                "Identity": pool.fqdn, "TargetFqdn": pool.fqdn,
                "FirstTestUserSipUri": "sip:test1@contoso.com", "FirstTestSamAccountName": "contoso\\test1",
                "SecondTestUserSipUri": "sip:test2@contoso.com", "SecondTestSamAccountName": "contoso\\test2",
            })
        })
        .collect();
    match (wanted, found.is_empty()) {
        (Some(wanted), true) => {
            Err(NativeError::not_found(format!("Cannot find an object with the identity \"{wanted}\".")))
        }
        _ => Ok(found),
    }
}

/// Why no message can go out from a Front End pool: nobody to send it, or nobody to take it.
fn sender_missing(call: &Call<'_>) -> Result<Option<String>, NativeError> {
    let Some(target) = call.bound.text("TargetFqdn") else { return Ok(None) };
    let inner = call.pool.lock();
    let Some(pool) = front_end_pool(&inner, target) else {
        return Err(NativeError::not_found(format!("Cannot find pool \"{target}\".")));
    };
    if call.bound.text("SenderSipAddress").is_none() && !pool.test_users {
        return Err(NativeError::failed(format!(
            "No test users: {target} has no health monitoring configuration, and no SIP address is given."
        )));
    }
    let alive = pool.servers.iter().any(|server| inner.machine(server).is_some_and(|machine| machine.alive));
    Ok((!alive).then(|| format!("The registrar {target} does not answer.")))
}

/// `Test-CsPersistentChatMessage`: whether a message would get through now.
pub fn test_message(call: &mut Call<'_>) -> Objects {
    if let Some(why) = sender_missing(call)? {
        return Ok(vec![json!({
            "TargetFqdn": call.bound.text("TargetFqdn"), "Result": "Failure", "Latency": "00:00:00", "Error": why,
            "Diagnosis": Value::Null,
        })]);
    }
    let users = call.pool.users();
    let inside = users["in"].as_bool() == Some(true);
    let target = call.bound.text("TargetFqdn").map(String::from);
    let reason: Vec<String> = users["out"]
        .as_object()
        .map(|out| out.iter().map(|(s, r)| format!("{s}: {}", r.as_str().unwrap_or_default())).collect())
        .unwrap_or_default();
    Ok(vec![json!({
        "TargetFqdn": target, "Result": if inside { "Success" } else { "Failure" },
        "Latency": if inside { "00:00:00.2500000" } else { "00:00:00" },
        "Error": if inside { Value::Null } else { "No Persistent Chat server serves the pool.".into() },
        "Diagnosis": if inside { Value::Null } else { reason.join("; ").into() },
    })])
}
