//! Commands that test.

use serde_json::{json, Value};

use super::super::settings::Store;
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

/// `Test-CsPersistentChatMessage`: whether a message would get through now.
pub fn test_message(call: &mut Call<'_>) -> Objects {
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
