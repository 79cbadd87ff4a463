//! What goes into the journal before the first change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    DatabaseEvidence, EndpointAnswer, Evidence, LogShippingEvidence, MirrorInstanceEvidence, PlaceEvidence,
    PoolEvidence, PrimaryEvidence,
};
use crate::names::Lsn;
use crate::sql::connection::DatabaseSession;
use crate::sql::database::OrphanedUser;
use crate::sql::instance::InstanceFacts;
use crate::sql::mirror::MirrorEndpoint;

/// The version of captures that this release writes.
pub const CAPTURE_VERSION: u32 = 1;

/// Everything readable of log shipping, jobs and schedules, redo point, files, mirrors, users, sessions and pool, kept
/// because removal deletes most of it. Says what it lacks; holds nothing secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    pub version: u32,
    pub captured_at_utc: DateTime<Utc>,
    pub sql_instance: String,
    pub database: String,
    pub instance: InstanceFacts,
    pub state: Option<DatabaseEvidence>,
    pub mirror_endpoint: Option<MirrorEndpoint>,
    pub redo_lsn: Option<Lsn>,
    pub redo_fork_id: Option<String>,
    pub family_id: Option<String>,
    pub log_shipping: LogShippingEvidence,
    pub places: Vec<PlaceEvidence>,
    pub sessions: Vec<DatabaseSession>,
    pub orphaned_users: Vec<OrphanedUser>,
    pub primary: PrimaryEvidence,
    pub backup_mirror: MirrorInstanceEvidence,
    pub pool: PoolEvidence,
    /// What could not be read, one line each.
    pub lacks: Vec<String>,
}

/// Takes the capture out of the evidence.
pub fn capture(evidence: &Evidence) -> Capture {
    let redo = evidence.files.redo.known();
    Capture {
        version: CAPTURE_VERSION,
        captured_at_utc: evidence.gathered_at_utc,
        sql_instance: evidence.sql_instance.clone(),
        database: evidence.database.clone(),
        instance: evidence.instance.clone(),
        state: evidence.state.clone(),
        mirror_endpoint: evidence.mirror_endpoint.clone(),
        redo_lsn: redo.map(|redo| redo.lsn),
        redo_fork_id: redo.map(|redo| redo.fork_id.to_string()),
        family_id: redo.and_then(|redo| redo.family_id).map(|id| id.to_string()),
        log_shipping: evidence.log_shipping.clone(),
        places: evidence.files.places.clone(),
        sessions: evidence.sessions.known().cloned().unwrap_or_default(),
        orphaned_users: evidence.orphaned_users.known().cloned().unwrap_or_default(),
        primary: evidence.primary.clone(),
        backup_mirror: evidence.backup_mirror.clone(),
        pool: evidence.pool.clone(),
        lacks: lacks(evidence),
    }
}

fn lacks(evidence: &Evidence) -> Vec<String> {
    let mut lines = Vec::new();
    let mut note = |what: String, why: Option<&str>| {
        if let Some(why) = why {
            lines.push(format!("{what}: {why}"));
        }
    };
    note("redo point".to_string(), evidence.files.redo.why());
    note("sessions".to_string(), evidence.sessions.why());
    note("users".to_string(), evidence.orphaned_users.why());
    for place in &evidence.files.places {
        if !place.is_listed() {
            note(format!("{} {}", place.role.as_str(), place.path), place.by_server.why());
        }
    }
    let primary = &evidence.primary;
    for (role, name, answer) in [
        ("primary", &primary.name, &primary.answer),
        ("mirror of the primary", &primary.mirror.name, &primary.mirror.answer),
        ("monitor", &primary.monitor.name, &primary.monitor.answer),
        ("mirror of the backup", &evidence.backup_mirror.name, &evidence.backup_mirror.answer),
    ] {
        let name = name.as_deref().unwrap_or("not named");
        match answer {
            EndpointAnswer::LoggedIn => {}
            EndpointAnswer::Answers { why }
            | EndpointAnswer::Unreachable { why }
            | EndpointAnswer::NotTried { why } => {
                note(format!("{role} {name}"), Some(why));
            }
            EndpointAnswer::Refused { .. } => note(format!("{role} {name}"), Some("it refuses connections")),
            EndpointAnswer::NotNamed => note(role.to_string(), Some("not named")),
        }
    }
    note("pool".to_string(), evidence.pool.service.why());
    note("members of the pool".to_string(), evidence.pool.members.why());
    note("pool state".to_string(), evidence.pool.state.why());
    lines
}
