//! What a planned switch reads beside the secondary: the two instances at home, the services, compliance.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::document::PlannedSwitchRequest;
use crate::error::{Error, Result};
use crate::evidence::{Capture, EndpointAnswer, Evidence, Reading};
use crate::failover::look;
use crate::names::InstanceName;
use crate::run::Outside;
use crate::sql::compliance::{self, COMPLIANCE_DATABASE};
use crate::sql::database::{self, DatabaseFacts, DatabaseState};
use crate::sql::instance::{self, InstanceFacts};
use crate::sql::job::{self, Job};
use crate::sql::log_shipping_primary::{self, PrimaryRecord};
use crate::sql::mirror::{self, Mirror, MirrorRole, MirrorState};
use crate::sql::{Connection, Connector, Purpose};
use crate::switch::{read_services, ServerServices};

/// The version of captures that this release writes.
pub(super) const CAPTURE_VERSION: u32 = 1;

/// An instance of the home site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HomeInstance {
    pub sql_instance: String,
    pub facts: InstanceFacts,
    pub state: Option<DatabaseFacts>,
    pub mirroring: Option<Mirror>,
    pub compliance: Option<DatabaseFacts>,
    pub compliance_mirroring: Option<Mirror>,
    /// Its record as a log shipping primary; both partners have one.
    pub record: Option<PrimaryRecord>,
    pub backup_job: Option<Job>,
}

impl HomeInstance {
    /// True where users are served from here, by its role and never by its name.
    pub(super) fn serves(&self) -> bool {
        let is_online = self.state.as_ref().is_some_and(|state| state.state == DatabaseState::Online);
        is_online && self.mirroring.as_ref().is_none_or(|mirror| mirror.role == MirrorRole::Principal)
    }
}

impl HomeInstance {
    /// True where the instance lives and its database cannot be used: what its log still holds can be saved.
    pub(super) fn is_damaged(&self) -> bool {
        let state = self.state.as_ref().map(|state| state.state);
        matches!(state, Some(DatabaseState::Suspect | DatabaseState::RecoveryPending | DatabaseState::Emergency))
    }

    /// True where this copy could serve by itself, as principal now or after a role swap.
    pub(super) fn can_take_over(&self) -> bool {
        let Some(mirror) = &self.mirroring else { return self.serves() };
        match mirror.role {
            MirrorRole::Principal => self.serves(),
            MirrorRole::Mirror => mirror.state == MirrorState::Synchronized,
        }
    }
}

/// The home site, its services, and compliance.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The named primary and its mirror, or why they cannot be read.
    pub instances: Vec<(String, Reading<HomeInstance>)>,
    pub services: Vec<ServerServices>,
    /// Events that the compliance adapter has not processed.
    pub unprocessed: Reading<u64>,
}

impl Home {
    fn known(&self) -> impl Iterator<Item = &HomeInstance> {
        self.instances.iter().filter_map(|(_, seen)| seen.known())
    }

    /// The one instance that the database leaves: it serves, or with `salvage` it is damaged. `None` where there is none, or
    /// more than one.
    pub(super) fn source(&self, salvage: bool) -> Option<&HomeInstance> {
        let mut fitting = self.known().filter(|home| if salvage { home.is_damaged() } else { home.serves() });
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// The other one.
    pub(super) fn partner(&self, salvage: bool) -> Option<&HomeInstance> {
        let source = self.source(salvage)?;
        self.known().find(|home| home.sql_instance != source.sql_instance)
    }
}

/// Kept in the journal before the first change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SwitchCapture {
    pub version: u32,
    pub captured_at_utc: DateTime<Utc>,
    /// The secondary, the pool, files and sessions, as a failover keeps them.
    pub secondary: Capture,
    pub source: Option<HomeInstance>,
    pub source_mirror: Option<HomeInstance>,
    pub services: Vec<ServerServices>,
}

/// Reads the secondary with everything around it, then home. Changes nothing.
///
/// # Errors
/// As [`look::gather`].
pub(super) async fn gather(
    outside: &Outside,
    request: &PlannedSwitchRequest,
    earlier: Option<&SwitchCapture>,
) -> Result<(Evidence, Home)> {
    let Outside { session, host, cancel, .. } = outside;
    let before = earlier.map(|capture| &capture.secondary);
    let evidence = look::gather(session, host, &request.failover, before, cancel).await?;
    let home = tokio::select! {
        home = Box::pin(read_home(outside, &evidence, request.salvage_tail)) => home,
        () = cancel.cancelled() => return Err(cancel.check().err().unwrap_or_else(cancelled)),
    };
    Ok((evidence, home))
}

fn cancelled() -> Error {
    Error::new(crate::error::ErrorKind::Cancelled, "the operation was cancelled.")
}

async fn read_home(outside: &Outside, evidence: &Evidence, salvage: bool) -> Home {
    let connector = outside.session.connector();
    let primary = &evidence.primary;
    let database = primary.database_name.as_str();
    let named = [(primary.name.as_deref(), &primary.answer), (primary.mirror.name.as_deref(), &primary.mirror.answer)];
    let mut instances: Vec<(String, Reading<HomeInstance>)> = Vec::new();
    for (name, answer) in named {
        let Some(name) = name else { continue };
        if instances.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        let seen = match answer {
            EndpointAnswer::LoggedIn => read_instance(connector, name, database).await.into(),
            _ => Reading::Unknown("it does not answer a login".to_string()),
        };
        instances.push((name.to_string(), seen));
    }
    let mut home =
        Home { instances, services: read_services(outside, &evidence.pool).await, unprocessed: no_compliance() };
    if has_compliance(evidence) {
        home.unprocessed = match home.source(salvage) {
            Some(source) => unprocessed(connector, &source.sql_instance).await.into(),
            None => Reading::Unknown("no instance at home serves".to_string()),
        };
    }
    home
}

fn no_compliance() -> Reading<u64> {
    Reading::NotAsked("the topology has no compliance database".to_string())
}

/// True where the topology has a compliance database.
pub(super) fn has_compliance(evidence: &Evidence) -> bool {
    evidence.pool.service().is_some_and(|service| service.compliance_store.is_some())
}

async fn unprocessed(connector: &Connector, name: &str) -> Result<u64> {
    let name: InstanceName = name.parse()?;
    let mut connection = connector.connect(&name, Purpose::Catalog).await?;
    let left = compliance::unprocessed(&mut connection).await;
    connection.close().await;
    left
}

async fn read_instance(connector: &Connector, name: &str, database: &str) -> Result<HomeInstance> {
    let parsed: InstanceName = name.parse()?;
    let mut connection = connector.connect(&parsed, Purpose::Catalog).await?;
    let record = log_shipping_primary::read_primary(&mut connection, database).await?;
    let backup_job = match &record {
        Some(record) => job::read(&mut connection, record.backup_job_id).await?,
        None => None,
    };
    let (state, mirroring) = read_database(&mut connection, database).await?;
    let (compliance, compliance_mirroring) = read_database(&mut connection, COMPLIANCE_DATABASE).await?;
    let facts = instance::read_facts(&mut connection).await?;
    connection.close().await;
    Ok(HomeInstance {
        sql_instance: name.to_string(),
        facts,
        state,
        mirroring,
        compliance,
        compliance_mirroring,
        record,
        backup_job,
    })
}

async fn read_database(connection: &mut Connection, database: &str) -> Result<(Option<DatabaseFacts>, Option<Mirror>)> {
    let state = database::read(connection, database).await?;
    let mirroring = match &state {
        Some(_) => mirror::read(connection, database).await?,
        None => None,
    };
    Ok((state, mirroring))
}
