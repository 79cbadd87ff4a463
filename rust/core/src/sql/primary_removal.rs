//! Removing the log shipping record of a primary: the backup job goes with it.

use crate::error::{Error, ErrorKind, Result};
use crate::sql::log_shipping_primary::{read_primary, PrimaryRecord};
use crate::sql::quote::quote_literal;
use crate::sql::statement::call;
use crate::sql::Connection;

/// The calls that remove a primary's record, in their order: each secondary, then the primary with its backup job, its
/// monitor rows and history. The database and its files stay as they are.
///
/// # Source
/// "Remove Log Shipping": `sp_delete_log_shipping_primary_secondary`, `sp_delete_log_shipping_primary_database`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::ServerPath;

    #[test]
    fn secondaries_go_first_and_every_name_is_quoted() {
        let record = PrimaryRecord {
            primary_database: "m'gc".into(),
            primary_id: uuid::Uuid::nil(),
            backup_directory: ServerPath::new(r"\\fs1\LogShip"),
            backup_share: ServerPath::new(r"\\fs1\LogShip"),
            backup_retention_minutes: 4320,
            backup_job_id: uuid::Uuid::nil(),
            monitor_server: "MON".into(),
            monitor_by_windows_login: true,
            last_backup_file: None,
            last_backup_at: None,
            backup_compression: 2,
            monitor: None,
            secondaries: vec![(r"B\RTC".into(), "m'gc".into())],
        };
        let statements = remove_primary_statements(&record).unwrap();
        assert_eq!(
            statements[0],
            r"DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_secondary @primary_database = N'm''gc', @secondary_server = N'B\RTC', @secondary_database = N'm''gc'; SELECT @rc AS rc"
        );
        assert_eq!(
            statements[1],
            "DECLARE @rc int; EXEC @rc = master.dbo.sp_delete_log_shipping_primary_database @database = N'm''gc'; SELECT @rc AS rc"
        );
    }
}
