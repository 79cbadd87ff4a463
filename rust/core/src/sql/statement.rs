//! Building blocks of statements. A changing statement is made by a function of its subject's file, named
//! `…_statement`, whose text both the plan shows and the run sends.

use crate::error::Result;
use crate::names::ServerPath;
use crate::sql::quote::{quote_literal, quote_name, quote_path};

/// The call of a procedure with its return code selected, since the driver does not hand the code out.
pub(super) fn call(procedure: &str, arguments: &[(&str, String)]) -> String {
    let list: Vec<String> = arguments.iter().map(|(name, value)| format!("@{name} = {value}")).collect();
    format!("DECLARE @rc int; EXEC @rc = {procedure} {}; SELECT @rc AS rc", list.join(", "))
}

/// `DISK = N'…'`, one for each stripe.
pub(super) fn devices(paths: &[ServerPath]) -> Result<String> {
    let list: Result<Vec<String>> = paths.iter().map(|path| Ok(format!("DISK = {}", quote_path(path)?))).collect();
    Ok(list?.join(", "))
}

/// The statement that leaves a database for `master`.
pub(super) const USE_MASTER: &str = "USE [master]";

/// `ALTER DATABASE [mgc] SET …`.
pub(super) fn alter_database_set(database: &str, setting: &str) -> Result<String> {
    Ok(format!("ALTER DATABASE {} SET {setting}", quote_name(database)?))
}

/// `@job_id = N'…'`: the procedures of the Agent take a job's id as text.
pub(super) fn job_id(id: &uuid::Uuid) -> Result<(&'static str, String)> {
    Ok(("job_id", quote_literal(&id.to_string().to_uppercase())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_selects_its_return_code() {
        assert_eq!(
            call("msdb.dbo.sp_update_job", &[("job_name", "N'a''b'".into()), ("enabled", "0".into())]),
            "DECLARE @rc int; EXEC @rc = msdb.dbo.sp_update_job @job_name = N'a''b', @enabled = 0; SELECT @rc AS rc"
        );
    }

    #[test]
    fn stripes_are_listed_in_their_order() {
        let paths = [ServerPath::new("E:\\a.trn"), ServerPath::new("E:\\b'c.trn")];
        assert_eq!(devices(&paths).unwrap(), "DISK = N'E:\\a.trn', DISK = N'E:\\b''c.trn'");
    }
}
