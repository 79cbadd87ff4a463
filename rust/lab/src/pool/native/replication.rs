//! The Central Management store, its replicas, and the failover of whole Front End pools.

use serde_json::json;

use super::topology::front_end_pool;
use super::{Call, NativeError, Objects};

/// `Get-CsManagementStoreReplicationStatus`, of the replicas or of the store.
pub fn get_status(call: &mut Call<'_>) -> Objects {
    let now = call.pool.outside.now_utc();
    let mut inner = call.pool.lock();
    call.pool.settle(&mut inner);
    if call.bound.switch("CentralManagementStoreStatus") {
        let active = inner.cms_available().then(|| inner.cms_master.clone());
        return Ok(vec![json!({
            "ActiveMasterFqdn": active, "ActiveFileTransferAgents": active.iter().collect::<Vec<_>>(),
            "ActiveReplicas": inner.cms.status(now).iter().map(|r| r.fqdn.clone()).collect::<Vec<_>>(),
        })]);
    }
    let wanted = call.bound.text("ReplicaFqdn");
    let found: Vec<_> = inner
        .cms
        .status(now)
        .into_iter()
        .filter(|r| wanted.is_none_or(|w| r.fqdn.eq_ignore_ascii_case(w)))
        .map(|r| {
            json!({
                "UpToDate": r.up_to_date, "ReplicaFqdn": r.fqdn,
                "LastStatusReport": r.last_status_report, "LastUpdateCreation": r.last_update_creation,
                "ProductVersion": if call.dialect == super::Dialect::Lync2013 { "5.0.8308.0" } else { "6.0.9319.0" },
            })
        })
        .collect();
    match (wanted, found.is_empty()) {
        (Some(wanted), true) => Err(NativeError::not_found(format!("Cannot find replica \"{wanted}\"."))),
        _ => Ok(found),
    }
}

/// `Invoke-CsManagementStoreReplication`: a full copy, which starts later.
pub fn invoke(call: &mut Call<'_>) -> Objects {
    let now = call.pool.outside.now_utc();
    let wanted = call.bound.text("ReplicaFqdn").map(String::from);
    {
        let inner = call.pool.lock();
        if let Some(wanted) = wanted.as_deref().filter(|w| inner.cms.replica(w).is_none()) {
            return Err(NativeError::not_found(format!("Cannot find replica \"{wanted}\".")));
        }
    }
    if !call.lies {
        call.pool.lock().cms.force(wanted.as_deref(), now);
        call.note(wanted.as_deref().unwrap_or("every replica"), json!({ "full_copy": true }));
    }
    Ok(Vec::new())
}

/// `Invoke-CsManagementServerFailover`: the other Front End becomes the active master.
pub fn server_failover(call: &mut Call<'_>) -> Objects {
    let (from, to) = {
        let inner = call.pool.lock();
        (inner.cms_master.clone(), inner.settings.cms.standby_master.clone())
    };
    if call.should("Invoke-CsManagementServerFailover", &to) {
        call.pool.lock().cms_master = to.clone();
        call.note(&to, json!({ "active_master": { "before": from, "after": to } }));
    }
    Ok(Vec::new())
}

/// `Invoke-CsPoolFailOver`: without `-DisasterMode` the pool has to be alive.
pub fn pool_failover(call: &mut Call<'_>) -> Objects {
    let wanted = call.required("PoolFqdn").to_string();
    {
        let inner = call.pool.lock();
        let Some(pool) = front_end_pool(&inner, &wanted) else {
            return Err(NativeError::not_found(format!("Cannot find pool \"{wanted}\".")));
        };
        if pool.partner.is_none() {
            return Err(NativeError::failed(format!("Pool {wanted} has no backup pool.")));
        }
        let alive = pool.servers.iter().any(|s| inner.machine(s).is_some_and(|m| m.alive));
        if !alive && !call.bound.switch("DisasterMode") {
            return Err(NativeError::failed(format!("Pool {wanted} does not answer. Use DisasterMode.")));
        }
    }
    if call.should("Invoke-CsPoolFailOver", &wanted) {
        let mut inner = call.pool.lock();
        if !inner.pools_failed_over.contains(&wanted) {
            inner.pools_failed_over.push(wanted.clone());
        }
        drop(inner);
        call.note(&wanted, json!({ "failed_over": true, "disaster_mode": call.bound.switch("DisasterMode") }));
    }
    Ok(Vec::new())
}

/// `Invoke-CsPoolFailBack`.
pub fn pool_failback(call: &mut Call<'_>) -> Objects {
    let wanted = call.required("PoolFqdn").to_string();
    if !call.pool.lock().pools_failed_over.iter().any(|p| p.eq_ignore_ascii_case(&wanted)) {
        return Err(NativeError::failed(format!("Pool {wanted} is not failed over.")));
    }
    if call.should("Invoke-CsPoolFailBack", &wanted) {
        call.pool.lock().pools_failed_over.retain(|p| !p.eq_ignore_ascii_case(&wanted));
        call.note(&wanted, json!({ "failed_over": false }));
    }
    Ok(Vec::new())
}
