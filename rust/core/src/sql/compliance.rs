//! The compliance database, as far as a switch must know it: whether its adapter has processed everything.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::sql::quote::quote_name;
use crate::sql::Connection;

/// The name of the compliance database.
///
/// # Source
/// "Required resources for Persistent Chat Server".
pub const COMPLIANCE_DATABASE: &str = "mgccomp";

/// What waits for the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Events that it has not processed.
    pub unprocessed: u64,
    /// Seconds since the oldest of them came in, by the instance's own clock.
    pub oldest_seconds: Option<u64>,
}

/// Reads how many events wait, and for how long the oldest has waited. Placeholders of type 9 do not count.
///
/// # Errors
/// `SqlServerRefused` (3001) where the database is not online or has no such table.
///
/// # Source
/// "tblComplianceData" of the published Persistent Chat database schema (`entryDate`: when the event came in).
pub async fn backlog(connection: &mut Connection) -> Result<Backlog> {
    let statement = format!(
        "SELECT COUNT_BIG(*) AS row_count, DATEDIFF(SECOND, MIN(entryDate), GETDATE()) AS oldest_seconds \
         FROM {}.dbo.tblComplianceData WHERE cmplType <> 9",
        quote_name(COMPLIANCE_DATABASE)?
    );
    let doing = "reading what waits for the compliance adapter";
    let row = connection.row(doing, &statement, &[]).await?.ok_or_else(|| super::no_answer(connection, doing))?;
    let oldest = row.int("oldest_seconds")?;
    Ok(Backlog {
        unprocessed: u64::try_from(row.need_int("row_count")?).unwrap_or_default(),
        oldest_seconds: oldest.map(|seconds| u64::try_from(seconds).unwrap_or_default()),
    })
}

/// Events that the adapter has not processed. A file transfer that never ended leaves a placeholder (type 9), which the
/// adapter never takes, so that it does not count.
///
/// # Errors
/// `SqlServerRefused` (3001) where the database is not online or has no such table.
///
/// # Source
/// "tblComplianceData" of the published Persistent Chat database schema.
pub async fn unprocessed(connection: &mut Connection) -> Result<u64> {
    let statement = format!(
        "SELECT COUNT_BIG(*) AS row_count FROM {}.dbo.tblComplianceData WHERE cmplType <> 9",
        quote_name(COMPLIANCE_DATABASE)?
    );
    let doing = "counting compliance events";
    let row = connection.row(doing, &statement, &[]).await?.ok_or_else(|| super::no_answer(connection, doing))?;
    Ok(u64::try_from(row.need_int("row_count")?).unwrap_or_default())
}
