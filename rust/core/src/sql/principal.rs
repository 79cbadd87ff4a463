//! Users of a database and logins of an instance. Passwords are never read.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::sql::quote::quote_name;
use crate::sql::Connection;

/// A user of a database and the login behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseUser {
    pub name: String,
    /// `S` SQL, `U` Windows user, `G` Windows group.
    pub user_type: String,
    /// `0x…`; what ties it to its login.
    pub sid: String,
    /// The login of this instance with that sid; `None` for an orphan.
    pub login: Option<String>,
}

/// The users of an online database but for the fixed ones. A RESTORING copy does not show them (927).
///
/// # Source
/// `sys.database_principals` of the database, `sys.server_principals`, joined by sid.
pub async fn users(connection: &mut Connection, database: &str) -> Result<Vec<DatabaseUser>> {
    let statement = format!(
        "SELECT u.name, CAST(u.type AS nvarchar(1)) AS user_type, u.sid, p.name AS login_name \
        FROM {}.sys.database_principals u LEFT JOIN master.sys.server_principals p ON p.sid = u.sid \
        WHERE u.type IN ('S', 'U', 'G') AND u.principal_id > 4 AND u.sid IS NOT NULL ORDER BY u.name",
        quote_name(database)?
    );
    let rows = connection.rows("reading the database's users", &statement, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(DatabaseUser {
                name: row.need_text("name")?,
                user_type: row.need_text("user_type")?,
                sid: row.hex("sid")?.unwrap_or_default(),
                login: row.text("login_name")?,
            })
        })
        .collect()
}

/// A login of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerLogin {
    pub name: String,
    /// `S` SQL, `U` Windows user, `G` Windows group.
    pub login_type: String,
    /// `0x…`. SQL logins of one name have the same sid on two instances only when they were created so.
    pub sid: String,
    pub is_disabled: bool,
}

/// The logins of an instance that people and services use, certificates and built-in ones left out.
///
/// # Source
/// `sys.server_principals`; a login without rights sees only itself.
pub async fn logins(connection: &mut Connection) -> Result<Vec<ServerLogin>> {
    let statement =
        "SELECT p.name, CAST(p.type AS nvarchar(1)) AS login_type, p.sid, CAST(p.is_disabled AS int) AS is_disabled \
        FROM master.sys.server_principals p WHERE p.type IN ('S', 'U', 'G') AND p.sid IS NOT NULL ORDER BY p.name";
    let rows = connection.rows("reading the logins", statement, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(ServerLogin {
                name: row.need_text("name")?,
                login_type: row.need_text("login_type")?,
                sid: row.hex("sid")?.unwrap_or_default(),
                is_disabled: row.need_flag("is_disabled")?,
            })
        })
        .collect()
}
