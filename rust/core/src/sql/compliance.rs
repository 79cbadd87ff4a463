//! The compliance database, as far as a switch must know it: whether its adapter has processed everything.

use crate::error::Result;
use crate::sql::quote::quote_name;
use crate::sql::Connection;

/// The name of the compliance database.
///
/// # Source
/// "Required resources for Persistent Chat Server".
pub const COMPLIANCE_DATABASE: &str = "mgccomp";

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
