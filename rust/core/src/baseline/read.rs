//! Reading a baseline. Nothing is changed; all instances are asked at once, and what fails is taken down with its reason.

use chrono::Utc;

use super::{
    Baseline, DatabaseBaseline, InstanceBaseline, InstanceRole, JobPurpose, LogShippingJob, PoolBaseline, Unread,
    BASELINE_VERSION,
};
use crate::error::Result;
use crate::evidence::Reading;
use crate::host::{Host, NativeCommand};
use crate::names::InstanceName;
use crate::pool;
use crate::sql::database::{self, DatabaseState};
use crate::sql::{
    database_options, instance, job, log_shipping, log_shipping_primary, mirror, principal, Connection, Connector,
    Purpose,
};

/// The four instances, as far as they are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instances {
    pub primary: Option<InstanceName>,
    pub primary_mirror: Option<InstanceName>,
    pub backup: Option<InstanceName>,
    pub backup_mirror: Option<InstanceName>,
}

impl Instances {
    /// The name of a role.
    pub fn of(&self, role: InstanceRole) -> Option<&InstanceName> {
        match role {
            InstanceRole::Primary => self.primary.as_ref(),
            InstanceRole::PrimaryMirror => self.primary_mirror.as_ref(),
            InstanceRole::Backup => self.backup.as_ref(),
            InstanceRole::BackupMirror => self.backup_mirror.as_ref(),
        }
    }

    fn set_if_none(&mut self, role: InstanceRole, name: Option<InstanceName>) {
        let place = match role {
            InstanceRole::Primary => &mut self.primary,
            InstanceRole::PrimaryMirror => &mut self.primary_mirror,
            InstanceRole::Backup => &mut self.backup,
            InstanceRole::BackupMirror => &mut self.backup_mirror,
        };
        if place.is_none() {
            *place = name;
        }
    }

    /// Fills the names that nobody gave from the topology: its stores by role, with the instance part of the partner.
    pub fn complete_from(&mut self, pool: &PoolBaseline) {
        let (Some(Some(service)), stores) = (pool.service.known(), pool.stores.known()) else { return };
        let stores = stores.map(Vec::as_slice).unwrap_or_default();
        let part = |name: &Option<InstanceName>| name.as_ref().and_then(|name| name.instance.clone());
        let (home, other) = (part(&self.primary), part(&self.backup));
        for (role, fqdn, like) in [
            (InstanceRole::Primary, &service.primary_store, &home),
            (InstanceRole::PrimaryMirror, &service.primary_mirror_store, &home),
            (InstanceRole::Backup, &service.backup_store, &other),
            (InstanceRole::BackupMirror, &service.backup_mirror_store, &other),
        ] {
            let named = fqdn.as_deref().map(|fqdn| pool::instance_of_store(stores, fqdn, like.as_deref()));
            self.set_if_none(role, named);
        }
    }
}

/// Reads the pool, then all instances at once. Names that are not given are taken from the topology. Changes nothing.
///
/// What fails is in the baseline, with its reason.
pub async fn read_all(
    connector: &Connector,
    host: &dyn Host,
    pool_fqdn: Option<&str>,
    mut instances: Instances,
    database: &str,
    compliance_database: &str,
) -> Baseline {
    let pool = read_pool(host, pool_fqdn).await;
    instances.complete_from(&pool);
    let one = |role: InstanceRole| {
        let name = instances.of(role).cloned();
        async move { Some(read_instance(connector, role, &name?, database, compliance_database).await) }
    };
    let (primary, primary_mirror, backup, backup_mirror) = tokio::join!(
        Box::pin(one(InstanceRole::Primary)),
        Box::pin(one(InstanceRole::PrimaryMirror)),
        Box::pin(one(InstanceRole::Backup)),
        Box::pin(one(InstanceRole::BackupMirror)),
    );
    let mut instances: Vec<InstanceBaseline> =
        [primary, primary_mirror, backup, backup_mirror].into_iter().flatten().collect();
    keep_logins_of_users(&mut instances);
    let unread = unread(&pool, &instances);
    Baseline {
        version: BASELINE_VERSION,
        saved_at_utc: Utc::now(),
        database: database.to_string(),
        compliance_database: compliance_database.to_string(),
        pool,
        instances,
        unread,
    }
}

/// Reads one instance. Changes nothing. Without an answer every part has the reason.
pub async fn read_instance(
    connector: &Connector,
    role: InstanceRole,
    name: &InstanceName,
    database: &str,
    compliance_database: &str,
) -> InstanceBaseline {
    let mut connection = match connector.connect(name, Purpose::Catalog).await {
        Ok(connection) => connection,
        Err(error) => return silent(role, name, &error.to_string()),
    };
    let at = &mut connection;
    let facts: Reading<_> = instance::read_facts(at).await.into();
    let mirror_endpoint = mirror::read_endpoint(at).await.into();
    let sees_mirrors = facts.known().is_some_and(|facts| facts.is_sysadmin);
    let main = read_database(at, database, sees_mirrors).await.into();
    let compliance = read_database(at, compliance_database, sees_mirrors).await.into();
    let log_shipping_primary: Reading<_> = log_shipping_primary::read_primary(at, database).await.into();
    let log_shipping_secondary: Reading<_> = log_shipping::read_secondary(at, database).await.into();
    let ids = job_ids(&log_shipping_primary, &log_shipping_secondary);
    let jobs = read_jobs(at, ids).await.into();
    let logins = principal::logins(at).await.into();
    connection.close().await;
    InstanceBaseline {
        role,
        sql_instance: name.to_string(),
        facts,
        mirror_endpoint,
        database: main,
        compliance,
        log_shipping_primary,
        log_shipping_secondary,
        jobs,
        logins,
    }
}

fn silent(role: InstanceRole, name: &InstanceName, why: &str) -> InstanceBaseline {
    fn no<T>(why: &str) -> Reading<T> {
        Reading::Unknown(why.to_string())
    }
    InstanceBaseline {
        role,
        sql_instance: name.to_string(),
        facts: no(why),
        mirror_endpoint: no(why),
        database: no(why),
        compliance: no(why),
        log_shipping_primary: no(why),
        log_shipping_secondary: no(why),
        jobs: no(why),
        logins: no(why),
    }
}

async fn read_database(
    connection: &mut Connection,
    database: &str,
    sees_mirrors: bool,
) -> Result<Option<DatabaseBaseline>> {
    let Some(facts) = database::read(connection, database).await? else { return Ok(None) };
    let options = database_options::read(connection, database).await.into();
    let files = database::files(connection, database).await.into();
    let mirroring = match mirror::read(connection, database).await {
        // A login below sysadmin sees NULLs for a mirror copy, so that they prove nothing.
        Ok(None) if !sees_mirrors && facts.state == DatabaseState::Restoring => {
            Reading::Unknown("the login is no member of sysadmin and does not see whether it is mirrored".to_string())
        }
        read => read.into(),
    };
    let users = match facts.state {
        DatabaseState::Online | DatabaseState::Standby => principal::users(connection, database).await.into(),
        other => Reading::NotAsked(format!("the copy is {}", other.as_text())),
    };
    Ok(Some(DatabaseBaseline { facts, options, files, mirroring, users }))
}

fn job_ids(
    primary: &Reading<Option<log_shipping_primary::PrimaryRecord>>,
    secondary: &Reading<Option<log_shipping::SecondaryRecord>>,
) -> Vec<(JobPurpose, uuid::Uuid)> {
    let primary = primary.known().and_then(Option::as_ref);
    let secondary = secondary.known().and_then(Option::as_ref);
    primary
        .map(|record| (JobPurpose::Backup, record.backup_job_id))
        .into_iter()
        .chain(
            secondary.into_iter().flat_map(|record| {
                [(JobPurpose::Copy, record.copy_job_id), (JobPurpose::Restore, record.restore_job_id)]
            }),
        )
        .collect()
}

async fn read_jobs(connection: &mut Connection, mut ids: Vec<(JobPurpose, uuid::Uuid)>) -> Result<Vec<LogShippingJob>> {
    ids.extend(log_shipping_primary::alert_job_id(connection).await?.map(|id| (JobPurpose::Alert, id)));
    let mut jobs = Vec::new();
    for (purpose, id) in ids {
        jobs.extend(job::read(connection, id).await?.map(|job| LogShippingJob { purpose, job }));
    }
    Ok(jobs)
}

/// Reads what the management shell says of the pool, one command after the other.
pub(crate) async fn read_pool(host: &dyn Host, pool_fqdn: Option<&str>) -> PoolBaseline {
    let Some(fqdn) = pool_fqdn.map(str::trim).filter(|fqdn| !fqdn.is_empty()) else {
        fn no<T>() -> Reading<T> {
            Reading::NotAsked("no pool is named".to_string())
        }
        return PoolBaseline { pool_fqdn: None, service: no(), members: no(), state: no(), stores: no() };
    };
    let service = ask(host, &pool::get_services()).await.map(|objects| {
        let services = pool::read_services(&objects);
        pool::find_service(&services, fqdn).cloned()
    });
    let members = ask(host, &pool::get_pool(fqdn)).await.map(|objects| pool::read_members(&objects));
    let state = ask(host, &pool::get_pool_state()).await.map(|objects| pool::read_pool_state(&objects, fqdn));
    let stores = ask(host, &pool::get_stores()).await.map(|objects| pool::read_stores(&objects));
    PoolBaseline {
        pool_fqdn: Some(fqdn.to_string()),
        service: service.into(),
        members: there(members, "`Get-CsPool` shows no computers of it"),
        state: there(state, "`Get-CsPersistentChatState` does not show it"),
        stores: stores.into(),
    }
}

async fn ask(host: &dyn Host, command: &NativeCommand) -> Result<Vec<serde_json::Map<String, serde_json::Value>>> {
    pool::objects(command, host.native(command.clone()).await)
}

fn there<T>(answer: Result<Option<T>>, otherwise: &str) -> Reading<T> {
    match answer {
        Ok(Some(value)) => Reading::Known(value),
        Ok(None) => Reading::Unknown(otherwise.to_string()),
        Err(error) => Reading::Unknown(error.to_string()),
    }
}

/// The other logins of an instance are nobody's business here. Where no copy shows its users, none are kept.
pub(super) fn keep_logins_of_users(instances: &mut [InstanceBaseline]) {
    let mut sids: Option<Vec<String>> = None;
    for database in instances.iter().flat_map(|instance| [instance.database(), instance.compliance_database()]) {
        let Some(users) = database.and_then(|database| database.users.known()) else { continue };
        sids.get_or_insert_with(Vec::new).extend(users.iter().map(|user| user.sid.clone()));
    }
    for instance in instances {
        let Reading::Known(logins) = &mut instance.logins else { continue };
        match &sids {
            Some(sids) => logins.retain(|login| sids.contains(&login.sid)),
            None => instance.logins = Reading::Unknown("no copy of the databases shows its users".to_string()),
        }
    }
}

/// The parts that are missing. What there was nobody to ask for is none, but for an instance that is not named.
fn unread(pool: &PoolBaseline, instances: &[InstanceBaseline]) -> Vec<Unread> {
    fn note<T>(list: &mut Vec<Unread>, subject: &str, part: &str, reading: &Reading<T>) {
        if let Reading::Unknown(why) = reading {
            list.push(Unread { subject: subject.to_string(), part: part.to_string(), why: why.clone() });
        }
    }
    let mut list = Vec::new();
    match &pool.pool_fqdn {
        None => {
            list.push(Unread { subject: "pool".into(), part: "pool".into(), why: "no pool is named".into() });
        }
        Some(fqdn) => {
            note(&mut list, fqdn, "service", &pool.service);
            if pool.service.known().is_some_and(Option::is_none) {
                let why = "the topology has no such pool".to_string();
                list.push(Unread { subject: fqdn.clone(), part: "service".into(), why });
            }
            note(&mut list, fqdn, "members", &pool.members);
            note(&mut list, fqdn, "state", &pool.state);
            note(&mut list, fqdn, "stores", &pool.stores);
        }
    }
    for role in InstanceRole::ALL {
        let Some(instance) = instances.iter().find(|instance| instance.role == role) else {
            let why = "neither the command nor the topology names it".to_string();
            list.push(Unread { subject: role.as_text().into(), part: "instance".into(), why });
            continue;
        };
        let name = instance.sql_instance.as_str();
        // A silent instance says it once.
        if let Reading::Unknown(why) = &instance.facts {
            list.push(Unread { subject: name.into(), part: "instance".into(), why: why.clone() });
            continue;
        }
        note(&mut list, name, "mirror_endpoint", &instance.mirror_endpoint);
        note(&mut list, name, "log_shipping_primary", &instance.log_shipping_primary);
        note(&mut list, name, "log_shipping_secondary", &instance.log_shipping_secondary);
        note(&mut list, name, "jobs", &instance.jobs);
        note(&mut list, name, "logins", &instance.logins);
        for (part, reading) in [("database", &instance.database), ("compliance", &instance.compliance)] {
            note(&mut list, name, part, reading);
            let Some(Some(database)) = reading.known() else { continue };
            note(&mut list, name, &format!("{part}.options"), &database.options);
            note(&mut list, name, &format!("{part}.files"), &database.files);
            note(&mut list, name, &format!("{part}.mirroring"), &database.mirroring);
            note(&mut list, name, &format!("{part}.users"), &database.users);
        }
    }
    list
}
