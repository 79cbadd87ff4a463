//! Removing the log shipping record of a primary: the backup job goes with it.

use crate::error::{Error, ErrorKind, Result};
use crate::sql::log_shipping_primary::{read_primary, PrimaryRecord};
use crate::sql::quote::quote_literal;
use crate::sql::statement::call;
use crate::sql::Connection;

/// The calls that remove a primary's record, in their order: each secondary, then the primary with its backup job, its
/// monitor rows and history. The database and its files stay as they are.
pub fn remove_primary_statements(record: &PrimaryRecord) -> Result<Vec<String>> {
    let database = quote_literal(&record.primary_database)?;
    let mut statements = Vec::new();
    for (server, secondary) in &record.secondaries {
        statements.push(call(
            "master.dbo.sp_delete_log_shipping_primary_secondary",
            &[
                ("primary_database", database.clone()),
                ("secondary_server", quote_literal(server)?),
                ("secondary_database", quote_literal(secondary)?),
            ],
        ));
    }
    statements.push(call("master.dbo.sp_delete_log_shipping_primary_database", &[("database", database)]));
    Ok(statements)
}

/// Runs one of [`remove_primary_statements`]. On a [`super::Purpose::Work`] connection: a dead monitor is slow to fail.
///
/// # Errors
/// `SqlServerRefused` (3001).
pub async fn remove_primary_part(connection: &mut Connection, statement: &str) -> Result<()> {
    connection.call("removing the primary's log shipping record", statement).await
}

/// Looks whether the record is gone.
///
/// # Errors
/// `StepNotVerified` (5015) where it is still there.
pub async fn verify_primary_removed(connection: &mut Connection, database: &str) -> Result<()> {
    match read_primary(connection, database).await? {
        None => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::StepNotVerified,
            format!(
                "{}: the log shipping record of the primary `{database}` is still there after its removal.",
                connection.instance()
            ),
        )
        .with_next("Look into the tables `msdb.dbo.log_shipping_primary*`, then resume.")
        .with_target(database)),
    }
}
