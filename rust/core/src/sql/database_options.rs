//! Options of a database beyond its state, for comparing two copies of it.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::sql::Connection;

/// What a restore or a mirror may leave otherwise than it was. Owner, recovery model, broker, trustworthy and chaining
/// are among [`super::database::DatabaseFacts`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseOptions {
    /// 0 none, 1 torn page detection, 2 checksum.
    pub page_verify: i64,
    pub is_auto_shrink: bool,
    pub is_auto_create_statistics: bool,
    pub is_auto_update_statistics: bool,
    pub is_read_committed_snapshot: bool,
    /// 0 off, 1 on, 2 going off, 3 going on.
    pub snapshot_isolation: i64,
    pub is_parameterization_forced: bool,
    pub is_encrypted: bool,
}

/// The options of a database; `None` where it does not exist or the login may not see it.
///
/// # Source
/// `sys.databases`.
pub async fn read(connection: &mut Connection, database: &str) -> Result<Option<DatabaseOptions>> {
    let statement = "SELECT CAST(d.page_verify_option AS int) AS page_verify, CAST(d.is_auto_shrink_on AS int) AS auto_shrink, \
        CAST(d.is_auto_create_stats_on AS int) AS auto_create_stats, CAST(d.is_auto_update_stats_on AS int) AS auto_update_stats, \
        CAST(d.is_read_committed_snapshot_on AS int) AS read_committed_snapshot, \
        CAST(d.snapshot_isolation_state AS int) AS snapshot_isolation, \
        CAST(d.is_parameterization_forced AS int) AS forced_parameters, CAST(d.is_encrypted AS int) AS is_encrypted \
        FROM master.sys.databases d WHERE d.name = @P1";
    let row = connection.row("reading the database's options", statement, &[&database]).await?;
    row.map(|row| {
        let flag = |column: &str| -> Result<bool> { Ok(row.flag(column)?.unwrap_or_default()) };
        Ok(DatabaseOptions {
            page_verify: row.int("page_verify")?.unwrap_or_default(),
            is_auto_shrink: flag("auto_shrink")?,
            is_auto_create_statistics: flag("auto_create_stats")?,
            is_auto_update_statistics: flag("auto_update_stats")?,
            is_read_committed_snapshot: flag("read_committed_snapshot")?,
            snapshot_isolation: row.int("snapshot_isolation")?.unwrap_or_default(),
            is_parameterization_forced: flag("forced_parameters")?,
            is_encrypted: flag("is_encrypted")?,
        })
    })
    .transpose()
}
