//! Keeping the old site from waking up as a second primary. The script is printed for a person, never run.

use crate::error::Result;
use crate::sql::quote::{quote_literal, quote_name};

/// What to run on the old primary and on its mirror when they are back: partner off, the database offline, the log backup
/// job of log shipping disabled. Each part looks first, so that it can be run twice.
///
/// # Errors
/// `InvalidValue` (1002) for a name that no statement can hold.
pub fn script(database: &str) -> Result<String> {
    let (name, literal) = (quote_name(database)?, quote_literal(database)?);
    Ok(format!(
        "IF EXISTS (SELECT 1 FROM sys.database_mirroring WHERE database_id = DB_ID({literal}) AND mirroring_guid IS NOT NULL) \
         ALTER DATABASE {name} SET PARTNER OFF; \
         IF DATABASEPROPERTYEX({literal}, 'Status') = 'ONLINE' ALTER DATABASE {name} SET OFFLINE WITH ROLLBACK IMMEDIATE; \
         DECLARE @job uniqueidentifier; \
         SELECT @job = backup_job_id FROM msdb.dbo.log_shipping_primary_databases WHERE primary_database = {literal}; \
         IF @job IS NOT NULL EXEC msdb.dbo.sp_update_job @job_id = @job, @enabled = 0;"
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_script_quotes_the_database_everywhere() {
        let script = super::script("m'g]c").unwrap();
        assert_eq!(script.matches("N'm''g]c'").count(), 3);
        assert_eq!(script.matches("[m'g]]c]").count(), 2);
    }
}
