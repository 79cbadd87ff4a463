//! Mirror commands.

use serde_json::{json, Map, Value};

use super::super::mirror::{DatabaseType, StorePair};
use super::super::outside::DatabaseSeen;
use super::super::settings::Dialect;
use super::super::Pool;
use super::{Call, NativeError, Objects};

/// The databases of a type, after the exclusions.
fn databases(call: &Call<'_>) -> Result<Vec<String>, NativeError> {
    let given = call.bound.text("DatabaseType");
    let is_known = call.pool.lock().settings.native.chat_database_types;
    if let Some(word) = given.filter(|word| !is_known && word.starts_with("PersistentChat")) {
        return Err(NativeError::binding(
            &call.command,
            "CannotConvertArgumentNoMessage",
            format!("Cannot bind parameter 'DatabaseType'. Cannot convert value \"{word}\" to a type of databases."),
        ));
    }
    let kinds: &[DatabaseType] = match call.bound.text("DatabaseType") {
        Some("PersistentChat") => &[DatabaseType::Chat],
        Some("PersistentChatCompliance") => &[DatabaseType::Compliance],
        None => &[DatabaseType::Chat, DatabaseType::Compliance],
        Some(other) => {
            let pool_fqdn = call.pool.lock().settings.pool_fqdn.clone();
            return Err(NativeError::not_found(format!("Database type {other} is not present on pool {pool_fqdn}.")));
        }
    };
    let excluded = call.bound.texts("ExcludeDatabaseList");
    let found: Vec<String> = kinds.iter().filter_map(|k| call.pool.database_name(*k)).collect();
    if found.is_empty() {
        let pool_fqdn = call.pool.lock().settings.pool_fqdn.clone();
        return Err(NativeError::not_found(format!("The database type is not present on pool {pool_fqdn}.")));
    }
    Ok(found.into_iter().filter(|d| !excluded.iter().any(|e| e.eq_ignore_ascii_case(d))).collect())
}

fn pair(call: &Call<'_>) -> Result<StorePair, NativeError> {
    let instance = call.bound.text("SqlInstanceName").or(call.bound.text("ForInstance")).unwrap_or_default();
    call.pool.store_pair(call.required("SqlServerFqdn"), instance).map_err(NativeError::failed)
}

/// `Install-CsMirrorDatabase`.
pub async fn install(call: &mut Call<'_>) -> Objects {
    let databases = databases(call)?;
    let pair = pair(call)?;
    let share = call.required("FileShare").to_string();
    if !share.starts_with(r"\\") {
        return Err(NativeError::failed(format!("{share} is not the path of a file share.")));
    }
    let drop_existing = call.bound.switch("DropExistingDatabasesOnMirror");
    for database in databases {
        if call.should("Install-CsMirrorDatabase", &format!("{database} on {}", pair.principal.fqdn)) {
            call.pool.install_mirror(&pair, &database, &share, drop_existing).await.map_err(NativeError::failed)?;
            call.note(&database, json!({ "principal": pair.principal.instance, "mirror": pair.mirror.instance }));
        }
    }
    Ok(Vec::new())
}

/// `Uninstall-CsMirrorDatabase`.
pub async fn uninstall(call: &mut Call<'_>) -> Objects {
    let databases = databases(call)?;
    let pair = pair(call)?;
    let drop_existing = call.bound.switch("DropExistingDatabasesOnMirror");
    for database in databases {
        if call.should("Uninstall-CsMirrorDatabase", &format!("{database} on {}", pair.principal.fqdn)) {
            call.pool.uninstall_mirror(&pair, &database, drop_existing).await.map_err(NativeError::failed)?;
            call.note(&database, json!({ "principal": pair.principal.instance, "mirror": pair.mirror.instance }));
        }
    }
    Ok(Vec::new())
}

fn check_pool(pool: &Pool, wanted: &str) -> Result<(), NativeError> {
    let own = pool.lock().settings.pool_fqdn.clone();
    if own.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(NativeError::not_found(format!("Database type PersistentChat is not present on pool {wanted}.")))
}

/// `Invoke-CsDatabaseFailover`: a role swap between the two stores that the pool uses now.
pub async fn database_failover(call: &mut Call<'_>) -> Objects {
    check_pool(call.pool, call.required("PoolFqdn"))?;
    let databases = databases(call)?;
    let Some(pair) = call.pool.current_pair() else {
        return Err(NativeError::failed("No mirror is configured for the databases of this pool."));
    };
    let to_mirror = call.bound.text("NewPrincipal").is_some_and(|word| word.eq_ignore_ascii_case("Mirror"));
    let force = call.bound.switch("Force");
    for database in databases {
        if call.should("Invoke-CsDatabaseFailover", &database) {
            call.pool.swap_roles(&pair, &database, to_mirror, force).await.map_err(NativeError::failed)?;
            call.note(&database, json!({ "new_principal": call.bound.text("NewPrincipal") }));
        }
    }
    Ok(Vec::new())
}

fn state_words(seen: &DatabaseSeen) -> (&'static str, Value) {
    match &seen.mirroring {
        Some(side) => {
            let state = side.state.to_lowercase();
            let word = match state.as_str() {
                "synchronized" => "Synchronized",
                "synchronizing" => "Synchronizing",
                "suspended" => "Suspended",
                "disconnected" => "Disconnected",
                "pending_failover" => "PendingFailover",
                _ => "Unknown",
            };
            (if side.principal { "Principal" } else { "Mirror" }, word.into())
        }
        None => ("DatabaseInaccessibleOrMirroringNotEnabled", Value::Null),
    }
}

/// `Get-CsDatabaseMirrorState`, of the stores that the pool uses now.
pub fn get_mirror_state(call: &mut Call<'_>) -> Objects {
    check_pool(call.pool, call.required("PoolFqdn"))?;
    let databases = databases(call)?;
    let Some(pair) = call.pool.current_pair() else {
        return Err(NativeError::failed("No mirror is configured for the databases of this pool."));
    };
    let member = call.pool.lock().settings.native.mirror_status_member.clone().unwrap_or_else(|| match call.dialect {
        Dialect::Lync2013 => "MirroringStatusOnMirror".into(),
        Dialect::Sfb2015 => "MirroringStatusOnSecondary".into(),
    });
    Ok(databases
        .iter()
        .map(|database| {
            let seen = call.pool.see_pair(&pair, database);
            let (on_primary, primary_status) = state_words(&seen.on_primary);
            let (on_mirror, mirror_status) = state_words(&seen.on_mirror);
            let mut members = Map::new();
            members.insert("DatabaseName".into(), database.clone().into());
            members.insert("StateOnPrimary".into(), on_primary.into());
            members.insert("StateOnMirror".into(), on_mirror.into());
            members.insert("MirroringStatusOnPrimary".into(), primary_status);
            members.insert(member.clone(), mirror_status);
            Value::Object(members)
        })
        .collect())
}
