//! Dropping a copy that nobody needs any more.

use crate::error::{Error, ErrorKind, Result};
use crate::sql::quote::quote_name;
use crate::sql::{database, Connection};

/// `DROP DATABASE [mgc]`: of a copy that is restoring and not mirrored, after its content is proved to be elsewhere.
pub fn statement(database: &str) -> Result<String> {
    Ok(format!("DROP DATABASE {}", quote_name(database)?))
}

/// Drops it, unless it is anything but a restoring copy by now; read back afterwards.
///
/// # Errors
/// `StepNotVerified` (5015).
pub async fn run(work: &mut Connection, database: &str) -> Result<()> {
    let not_so = |what: &str, instance: String| {
        Error::new(ErrorKind::StepNotVerified, format!("{instance}: `{database}` is {what}.")).with_target(database)
    };
    match database::read(work, database).await? {
        None => return Ok(()),
        Some(facts) if facts.state == database::DatabaseState::Restoring => {}
        Some(facts) => return Err(not_so(facts.state.as_text(), work.instance().to_string())),
    }
    work.batch("dropping a former mirror copy", &statement(database)?).await?;
    match database::read(work, database).await? {
        None => Ok(()),
        Some(_) => Err(not_so("still there after it was dropped", work.instance().to_string())),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_is_quoted() {
        assert_eq!(super::statement("m]gc").unwrap(), "DROP DATABASE [m]]gc]");
    }
}
