//! The compliance databases of the backup instance and, where it answers, of the primary.

use std::time::Duration;

use super::remote::{Names, Sites};
use super::Sources;
use crate::error::Result;
use crate::evidence::{ComplianceEvidence, EndpointAnswer, PoolEvidence, Reading};
use crate::names::InstanceName;
use crate::sql::compliance::{self, Backlog, COMPLIANCE_DATABASE};
use crate::sql::database::{self, DatabaseState};
use crate::sql::{Connector, Purpose};

/// Asks where the topology has compliance, and nobody else. Changes nothing.
pub(super) async fn read(
    sources: Sources<'_>,
    backup: &InstanceName,
    pool: &PoolEvidence,
    (names, sites): (&Names, &Sites),
    limit: Duration,
) -> Vec<ComplianceEvidence> {
    if pool.service().is_none_or(|service| service.compliance_store.is_none()) {
        return Vec::new();
    }
    let mut seen = Vec::new();
    if let Some(primary) = &names.primary {
        let backlog = match &sites.primary.answer {
            EndpointAnswer::LoggedIn => within(sources.connector, primary, limit).await,
            _ => Reading::NotAsked("it does not answer a login".to_string()),
        };
        seen.push(ComplianceEvidence { sql_instance: primary.to_string(), backlog });
    }
    let backlog = within(sources.connector, backup, limit).await;
    seen.push(ComplianceEvidence { sql_instance: backup.to_string(), backlog });
    seen
}

async fn within(connector: &Connector, instance: &InstanceName, limit: Duration) -> Reading<Option<Backlog>> {
    match tokio::time::timeout(limit, ask(connector, instance)).await {
        Ok(Ok(reading)) => reading,
        Ok(Err(error)) => Reading::Unknown(error.message.trim_end_matches('.').to_string()),
        Err(_) => Reading::Unknown(format!("no answer within {} s", limit.as_secs())),
    }
}

async fn ask(connector: &Connector, instance: &InstanceName) -> Result<Reading<Option<Backlog>>> {
    let mut connection = connector.connect(instance, Purpose::Catalog).await?;
    let state = database::read(&mut connection, COMPLIANCE_DATABASE).await?.map(|facts| facts.state);
    let reading = match state {
        None => Reading::Known(None),
        Some(DatabaseState::Online) => Reading::Known(Some(compliance::backlog(&mut connection).await?)),
        Some(other) => Reading::Unknown(format!("{COMPLIANCE_DATABASE} is {} there", other.as_text().to_uppercase())),
    };
    connection.close().await;
    Ok(reading)
}
