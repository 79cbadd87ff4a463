//! Keeping the old site from waking up as a second primary. The script is printed for a person, never run.

use crate::error::Result;
use crate::sql::quote::{quote_literal, quote_name};

/// What a fence does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    pub disable_jobs: bool,
    pub remove_mirroring: bool,
    pub take_offline: bool,
}

impl Parts {
    pub const ALL: Parts = Parts { disable_jobs: true, remove_mirroring: true, take_offline: true };
}

/// What to run on the old primary and on its mirror when they are back, in this order: the jobs of log shipping disabled, so
/// that none fires in between; partner off, without which the database cannot be taken offline (1468); the database offline.
/// Each part looks first, so that it can be run twice.
///
/// # Errors
/// `InvalidValue` (1002) for a name that no statement can hold.
pub fn script(database: &str, parts: Parts) -> Result<String> {
    let (name, literal) = (quote_name(database)?, quote_literal(database)?);
    let mut list = Vec::new();
    if parts.disable_jobs {
        list.push(format!(
            "DECLARE @backup uniqueidentifier, @copy uniqueidentifier, @restore uniqueidentifier; \
             SELECT @backup = backup_job_id FROM msdb.dbo.log_shipping_primary_databases WHERE primary_database = {literal}; \
             SELECT @copy = s.copy_job_id, @restore = s.restore_job_id FROM msdb.dbo.log_shipping_secondary s \
             JOIN msdb.dbo.log_shipping_secondary_databases d ON d.secondary_id = s.secondary_id WHERE d.secondary_database = {literal};"
        ));
        list.extend(
            ["@backup", "@copy", "@restore"]
                .map(|job| format!("IF {job} IS NOT NULL EXEC msdb.dbo.sp_update_job @job_id = {job}, @enabled = 0;")),
        );
    }
    if parts.remove_mirroring {
        list.push(format!(
            "IF EXISTS (SELECT 1 FROM sys.database_mirroring WHERE database_id = DB_ID({literal}) AND mirroring_guid IS NOT NULL) \
             ALTER DATABASE {name} SET PARTNER OFF;"
        ));
    }
    if parts.take_offline {
        list.push(format!(
            "IF DATABASEPROPERTYEX({literal}, 'Status') = 'ONLINE' ALTER DATABASE {name} SET OFFLINE WITH ROLLBACK IMMEDIATE;"
        ));
    }
    Ok(list.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_quotes_the_database_everywhere() {
        let script = script("m'g]c", Parts::ALL).unwrap();
        assert_eq!(script.matches("N'm''g]c'").count(), 4);
        assert_eq!(script.matches("[m'g]]c]").count(), 2);
    }

    #[test]
    fn the_script_has_what_was_asked_for_and_in_the_command_s_order() {
        let marks = ["@enabled = 0", "SET PARTNER OFF", "SET OFFLINE"];
        for number in 1..8_u8 {
            let asked = [number & 1 != 0, number & 2 != 0, number & 4 != 0];
            let [disable_jobs, remove_mirroring, take_offline] = asked;
            let script = script("mgc", Parts { disable_jobs, remove_mirroring, take_offline }).unwrap();
            let places: Vec<Option<usize>> = marks.iter().map(|mark| script.find(mark)).collect();
            assert_eq!(places.iter().map(Option::is_some).collect::<Vec<_>>(), asked, "{script}");
            assert!(places.iter().flatten().is_sorted(), "{script}");
        }
    }
}
