//! Options that a restore leaves otherwise than they were: owner, broker, trustworthy, chaining, recovery model and others.

use crate::error::Result;
use crate::sql::database::DatabaseFacts;
use crate::sql::database_options::DatabaseOptions;
use crate::sql::quote::{quote_literal, quote_name};
use crate::sql::statement::{alter_database_set, USE_MASTER};
use crate::sql::Connection;

/// The statements that give a database the options of another one, in their order; empty where they are the same. Pure.
///
/// The broker needs the database for itself, so this comes before users are in and before the database is mirrored.
///
/// # Source
/// "ALTER DATABASE SET Options"; the owner through `sp_changedbowner`, which runs in the database itself.
pub fn statements(
    database: &str,
    wanted: (&DatabaseFacts, Option<&DatabaseOptions>),
    found: (&DatabaseFacts, Option<&DatabaseOptions>),
) -> Result<Vec<String>> {
    let (facts, options) = wanted;
    let mut list = Vec::new();
    let mut set = |setting: String| -> Result<()> {
        list.push(alter_database_set(database, &setting)?);
        Ok(())
    };
    if facts.recovery_model != found.0.recovery_model {
        let model = match facts.recovery_model {
            2 => "BULK_LOGGED",
            3 => "SIMPLE",
            _ => "FULL",
        };
        set(format!("RECOVERY {model}"))?;
    }
    if facts.is_broker_enabled != found.0.is_broker_enabled {
        let word = if facts.is_broker_enabled { "ENABLE_BROKER" } else { "DISABLE_BROKER" };
        set(format!("{word} WITH ROLLBACK IMMEDIATE"))?;
    }
    for (name, wanted, found) in [
        ("TRUSTWORTHY", facts.is_trustworthy, found.0.is_trustworthy),
        ("DB_CHAINING", facts.is_db_chaining, found.0.is_db_chaining),
        ("AUTO_CLOSE", facts.is_auto_close, found.0.is_auto_close),
    ] {
        if wanted != found {
            set(format!("{name} {}", on_off(wanted)))?;
        }
    }
    if let (Some(wanted), Some(found)) = (options, found.1) {
        for (name, wanted, found) in [
            ("AUTO_SHRINK", wanted.is_auto_shrink, found.is_auto_shrink),
            ("AUTO_CREATE_STATISTICS", wanted.is_auto_create_statistics, found.is_auto_create_statistics),
            ("AUTO_UPDATE_STATISTICS", wanted.is_auto_update_statistics, found.is_auto_update_statistics),
        ] {
            if wanted != found {
                set(format!("{name} {}", on_off(wanted)))?;
            }
        }
        if wanted.page_verify != found.page_verify {
            let word = match wanted.page_verify {
                0 => "NONE",
                1 => "TORN_PAGE_DETECTION",
                _ => "CHECKSUM",
            };
            set(format!("PAGE_VERIFY {word}"))?;
        }
    }
    if let Some(owner) = facts.owner.as_ref().filter(|owner| found.0.owner.as_ref() != Some(owner)) {
        let (name, login) = (quote_name(database)?, quote_literal(owner)?);
        list.push(format!("USE {name}; EXEC dbo.sp_changedbowner @loginame = {login}; {USE_MASTER}"));
    }
    Ok(list)
}

fn on_off(value: bool) -> &'static str {
    if value {
        "ON"
    } else {
        "OFF"
    }
}

/// Sends one of [`statements`].
pub async fn send(work: &mut Connection, statement: &str) -> Result<()> {
    work.batch("setting an option of the database", statement).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::database::{DatabaseState, UserAccess};

    fn facts() -> DatabaseFacts {
        DatabaseFacts {
            name: "mgc".into(),
            database_id: 5,
            state: DatabaseState::Online,
            is_read_only: false,
            user_access: UserAccess::MultiUser,
            recovery_model: 1,
            compatibility_level: 110,
            collation: None,
            owner: Some("sa".into()),
            is_broker_enabled: false,
            is_trustworthy: false,
            is_db_chaining: false,
            is_auto_close: false,
            created_at: chrono::NaiveDateTime::default(),
        }
    }

    #[test]
    fn only_what_differs_is_set_and_the_owner_comes_last() {
        assert!(statements("mgc", (&facts(), None), (&facts(), None)).unwrap().is_empty());
        let wanted = DatabaseFacts {
            is_broker_enabled: true,
            is_trustworthy: true,
            owner: Some(r"CONTOSO\o'wner".into()),
            ..facts()
        };
        assert_eq!(
            statements("m]gc", (&wanted, None), (&facts(), None)).unwrap(),
            [
                "ALTER DATABASE [m]]gc] SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE",
                "ALTER DATABASE [m]]gc] SET TRUSTWORTHY ON",
                r"USE [m]]gc]; EXEC dbo.sp_changedbowner @loginame = N'CONTOSO\o''wner'; USE [master]",
            ]
        );
    }
}
