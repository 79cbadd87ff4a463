//! Services, pools and pairs as the topology has them.

use serde_json::{json, Map, Value};

use super::super::settings::{Dialect, PoolSettings, Store};
use super::super::{same_host, PoolInner};
use super::persistent_chat::like;
use super::{Call, NativeError, Objects};

const CHAT_STORE: &str = "PersistentChatDatabase";
const COMPLIANCE_STORE: &str = "PersistentChatComplianceDatabase";

fn version(dialect: Dialect) -> u32 {
    match dialect {
        Dialect::Lync2013 => 6,
        Dialect::Sfb2015 => 7,
    }
}

fn site(settings: &PoolSettings) -> String {
    format!("site:{}", settings.site)
}

fn all_stores(settings: &PoolSettings) -> Vec<&Store> {
    let stores = &settings.stores;
    let others = [&stores.primary_mirror, &stores.backup, &stores.backup_mirror];
    std::iter::once(&stores.primary).chain(others.into_iter().flatten()).collect()
}

fn service(
    settings: &PoolSettings,
    dialect: Dialect,
    role: &str,
    pool_fqdn: &str,
    number: usize,
) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("Identity".into(), format!("{role}:{pool_fqdn}").into());
    members.insert("PoolFqdn".into(), pool_fqdn.into());
    members.insert("SiteId".into(), site(settings).into());
    members.insert("Version".into(), version(dialect).into());
    members.insert("Role".into(), role.into());
    members.insert("ServiceId".into(), format!("{}-{role}-{number}", settings.site).into());
    members.insert("DependentServiceList".into(), Value::Array(Vec::new()));
    members
}

fn chat_server(inner: &PoolInner, dialect: Dialect) -> Value {
    let settings = &inner.settings;
    let mut members = service(settings, dialect, "PersistentChatServer", &settings.pool_fqdn, 1);
    let registrar = settings.front_end_pools.first().map(|p| format!("Registrar:{}", p.fqdn));
    members.insert("DisplayName".into(), settings.pool_fqdn.clone().into());
    members.insert("Registrar".into(), registrar.into());
    members.insert("FileStore".into(), format!("FileStore:{}", settings.file_store).into());
    members.insert("MtlsPort".into(), 5041.into());
    members.insert("ActiveServers".into(), inner.cms.configuration().active.clone().into());
    members.insert("InactiveServers".into(), inner.inactive_servers().into());
    let stores = &settings.stores;
    let kinds = [(CHAT_STORE, true), (COMPLIANCE_STORE, settings.compliance_database.is_some())];
    for (kind, present) in kinds {
        let places = [
            ("", Some(&stores.primary)),
            ("Mirror", stores.primary_mirror.as_ref()),
            ("Backup", stores.backup.as_ref()),
            ("BackupMirror", stores.backup_mirror.as_ref()),
        ];
        for (place, store) in places {
            let reference = store.filter(|_| present).map(|s| format!("{kind}:{}", s.fqdn));
            members.insert(format!("{place}{kind}"), reference.into());
        }
    }
    Value::Object(members)
}

fn store_service(settings: &PoolSettings, dialect: Dialect, kind: &str, store: &Store, number: usize) -> Value {
    let mut members = service(settings, dialect, kind, &store.fqdn, number);
    members.insert("SqlInstanceName".into(), store.instance_name().into());
    Value::Object(members)
}

/// FQDN of the server of a share, in the domain of the chat pool.
fn file_server(settings: &PoolSettings, share: &str) -> String {
    let host = share.trim_start_matches('\\').split('\\').next().unwrap_or_default().to_lowercase();
    match settings.pool_fqdn.split_once('.') {
        Some((_, domain)) if !host.contains('.') => format!("{host}.{domain}"),
        _ => host,
    }
}

/// Every service of the topology, by role.
fn services(inner: &PoolInner, dialect: Dialect) -> Vec<Value> {
    let settings = &inner.settings;
    let plain = |role: &str, fqdn: &str, number| Value::Object(service(settings, dialect, role, fqdn, number));
    let mut all = vec![chat_server(inner, dialect)];
    for (number, store) in all_stores(settings).into_iter().enumerate() {
        all.push(store_service(settings, dialect, CHAT_STORE, store, number + 1));
        if settings.compliance_database.is_some() {
            all.push(store_service(settings, dialect, COMPLIANCE_STORE, store, number + 1));
        }
    }
    for (number, pool) in settings.front_end_pools.iter().enumerate() {
        let mut registrar = service(settings, dialect, "Registrar", &pool.fqdn, number + 1);
        if let Some(share) = &pool.file_share {
            let server = file_server(settings, share);
            let mut store = service(settings, dialect, "FileStore", &server, number + 2);
            registrar.insert("FileStore".into(), store["Identity"].clone());
            store.insert("UncPath".into(), share.clone().into());
            all.push(Value::Object(store));
        }
        all.push(Value::Object(registrar));
        all.push(plain("BackupServer", &pool.fqdn, number + 1));
    }
    all.push(plain("FileStore", &settings.file_store, 1));
    all.push(plain("CentralManagement", &inner.cms_master, 1));
    all
}

/// `Get-CsService`: by role, identity, filter or everything.
pub fn get_service(call: &mut Call<'_>) -> Objects {
    let inner = call.pool.lock();
    let mut found = services(&inner, call.dialect);
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    if !matches!(call.bound.set, "Identity" | "Filter") {
        found.retain(|s| text(s, "Role") == call.bound.set);
    }
    if let Some(pool_fqdn) = call.bound.text("PoolFqdn") {
        found.retain(|s| text(s, "PoolFqdn").eq_ignore_ascii_case(pool_fqdn));
    }
    if let Some(filter) = call.bound.text("Filter") {
        found.retain(|s| like(&text(s, "Identity"), filter));
    }
    if let Some(identity) = call.bound.text("Identity") {
        let bare = identity.strip_prefix("service:").unwrap_or(identity);
        found.retain(|s| text(s, "Identity").eq_ignore_ascii_case(bare));
        if found.is_empty() {
            return Err(NativeError::not_found(format!("Cannot find service \"{identity}\" in the topology.")));
        }
    }
    Ok(found)
}

/// `Get-CsPool`: machines and services of each pool.
pub fn get_pool(call: &mut Call<'_>) -> Objects {
    let inner = call.pool.lock();
    let settings = &inner.settings;
    let mut pools: Vec<(String, Vec<String>)> = Vec::new();
    pools.push((settings.pool_fqdn.clone(), inner.servers.iter().map(|s| s.fqdn.clone()).collect()));
    pools.extend(settings.front_end_pools.iter().map(|p| (p.fqdn.clone(), p.servers.clone())));
    pools.extend(all_stores(settings).into_iter().map(|s| (s.fqdn.clone(), vec![s.fqdn.clone()])));
    pools.push((settings.file_store.clone(), vec![settings.file_store.clone()]));

    if let Some(wanted) = call.bound.text("Site") {
        if !wanted.eq_ignore_ascii_case(&settings.site) {
            return Err(NativeError::not_found(format!("Cannot find site \"{wanted}\".")));
        }
    }
    if let Some(filter) = call.bound.text("Filter") {
        pools.retain(|(fqdn, _)| like(fqdn, filter));
    }
    if let Some(identity) = call.bound.text("Identity") {
        pools.retain(|(fqdn, _)| fqdn.eq_ignore_ascii_case(identity));
        if pools.is_empty() {
            return Err(NativeError::not_found(format!("Cannot find pool \"{identity}\" in the topology.")));
        }
    }
    let services = services(&inner, call.dialect);
    let of_pool = |fqdn: &str| -> Vec<Value> {
        services
            .iter()
            .filter(|s| s["PoolFqdn"].as_str().is_some_and(|p| p.eq_ignore_ascii_case(fqdn)))
            .map(|s| s["Identity"].clone())
            .collect()
    };
    Ok(pools
        .iter()
        .map(|(fqdn, computers)| {
            let partner = settings.front_end_pools.iter().find(|p| p.fqdn == *fqdn).and_then(|p| p.partner.clone());
            let mut pool = json!({
                "Identity": fqdn, "Services": of_pool(fqdn), "Computers": computers,
                "Site": format!("Site:{}", settings.site),
            });
            if let (false, Some(members)) = (settings.native.strict, pool.as_object_mut()) {
                members.insert("Fqdn".into(), fqdn.clone().into());
                members.insert("BackupPoolFqdn".into(), partner.into());
            }
            pool
        })
        .collect())
}

/// `Get-CsPoolBackupRelationship`: the partner of a paired pool.
pub fn get_backup_relationship(call: &mut Call<'_>) -> Objects {
    let inner = call.pool.lock();
    let wanted = call.required("PoolFqdn");
    let pool = inner.settings.front_end_pools.iter().find(|p| p.fqdn.eq_ignore_ascii_case(wanted));
    match pool.and_then(|p| p.partner.as_ref().map(|partner| (p, partner))) {
        Some((pool, partner)) => Ok(vec![json!({ "PrimaryPoolFqdn": pool.fqdn, "BackupPoolFqdn": partner })]),
        None => Err(NativeError::not_found(format!("Pool {wanted} has no backup relationship."))),
    }
}

/// The Front End pool that a machine or pool name means.
pub(super) fn front_end_pool<'a>(
    inner: &'a PoolInner,
    name: &str,
) -> Option<&'a super::super::settings::FrontEndPoolSettings> {
    inner.settings.front_end_pools.iter().find(|p| same_host(&p.fqdn, name))
}
