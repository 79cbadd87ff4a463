//! Functions that only the instance can answer.

use crate::types::SqlType;

/// The type of a server function or `@@` name (upper case) that every instance has; the engine computes it.
///
/// # Source
/// The functions' own pages in "Transact-SQL Reference".
pub fn server_function_type(name: &str) -> Option<SqlType> {
    let name_type = SqlType::SYSNAME;
    Some(match name {
        "SERVERPROPERTY" | "DATABASEPROPERTYEX" | "SESSIONPROPERTY" | "CONNECTIONPROPERTY" => SqlType::Variant,
        "@@SPID" | "DB_ID" | "APPLOCK_TEST" => SqlType::SmallInt,
        "@@VERSION" => SqlType::NVarChar(Some(300)),
        "@@SERVERNAME" | "@@SERVICENAME" | "@@LANGUAGE" => name_type,
        "@@LOCK_TIMEOUT" | "@@MAX_CONNECTIONS" | "@@MICROSOFTVERSION" | "@@OPTIONS" | "@@FETCH_STATUS"
        | "@@NESTLEVEL" | "@@PROCID" => SqlType::Int,
        "@@DATEFIRST" => SqlType::TinyInt,
        "DB_NAME" | "OBJECT_NAME" | "SCHEMA_NAME" | "USER_NAME" | "SUSER_SNAME" | "SUSER_NAME" | "ORIGINAL_LOGIN"
        | "HOST_NAME" | "APP_NAME" | "CURRENT_USER" | "SYSTEM_USER" | "SESSION_USER" | "USER" => name_type,
        "APPLOCK_MODE" => SqlType::NVarChar(Some(32)),
        "HOST_ID" => SqlType::Char(10),
        "SUSER_SID" => SqlType::VarBinary(Some(85)),
        "OBJECT_ID" | "SCHEMA_ID" | "USER_ID" | "SUSER_ID" | "IS_SRVROLEMEMBER" | "IS_MEMBER" | "IS_ROLEMEMBER"
        | "HAS_PERMS_BY_NAME" | "HAS_DBACCESS" | "DATABASEPROPERTY" | "XACT_STATE" | "ERROR_NUMBER"
        | "ERROR_SEVERITY" | "ERROR_STATE" | "ERROR_LINE" => SqlType::Int,
        "ERROR_MESSAGE" => SqlType::NVarChar(Some(4000)),
        "ERROR_PROCEDURE" => name_type,
        _ => return None,
    })
}
