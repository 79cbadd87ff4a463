//! Scalar functions and `@@` names of the server, and table functions.

use super::columns::*;
use super::databases::{access_name, model_name};
use super::{Catalog, View};
use crate::engine::disk::{Who, WindowsPath};
use crate::engine::model::State;
use crate::engine::procedures::split_name;
use crate::scenario::Account;
use lab_tsql::{SqlType, TableDef, Value};
use std::sync::Arc;

/// Types of functions beyond those every instance has.
pub fn function_type(name: &str) -> Option<SqlType> {
    Some(match name {
        "@@LANGID" | "@@REMSERVER" => SqlType::SmallInt,
        "FILEPROPERTY" | "DATABASE_PRINCIPAL_ID" => SqlType::Int,
        "FN_VARBINTOHEXSTR" => SqlType::NVarChar(None),
        _ => return None,
    })
}

fn variant(data_type: SqlType, value: Value) -> Value {
    if value.is_null() {
        Value::Null
    } else {
        Value::Variant(data_type, Box::new(value))
    }
}

fn flag(value: bool) -> Value {
    Value::Int(i32::from(value))
}

/// Calls a function; `None` when there is none of this name.
pub fn call(view: &View, name: &str, arguments: &[Value]) -> Option<Value> {
    let inst = view.inst();
    let word = |index: usize| arguments.get(index).and_then(Value::as_str).unwrap_or_default().to_owned();
    let entry = inst.sessions.get(&view.session);
    Some(match name {
        "@@SPID" => Value::SmallInt(view.session as i16),
        "@@SERVERNAME" => text(&inst.name),
        "@@SERVICENAME" => text(inst.short_name.as_deref().unwrap_or("MSSQLSERVER")),
        "@@VERSION" => {
            let edition = inst.edition.trim_end_matches(" (64-bit)");
            text(&format!(
                "Microsoft SQL Server {} - {} (X64) \n\tCopyright (c) Microsoft Corporation\n\t{edition} (64-bit) on Windows (simulated by pchat-lab)\n",
                inst.version.product(),
                inst.version.text()
            ))
        }
        "@@LANGUAGE" => entry.map_or(Value::Null, |e| text(&e.language)),
        "@@LANGID" => Value::SmallInt(0),
        "@@LOCK_TIMEOUT" => Value::Int(entry.map_or(-1, |e| e.lock_timeout)),
        "@@MAX_CONNECTIONS" => Value::Int(32767),
        "@@MICROSOFTVERSION" => {
            let v = inst.version;
            Value::Int((i32::from(v.major) << 24) | (i32::from(v.minor) << 16) | i32::from(v.build))
        }
        "@@OPTIONS" => Value::Int(5496),
        "@@FETCH_STATUS" | "@@NESTLEVEL" | "@@PROCID" => Value::Int(0),
        "@@DATEFIRST" => Value::TinyInt(7),
        "DB_ID" => match arguments.first() {
            None => Value::SmallInt(view.database as i16),
            Some(_) => inst.database(&word(0)).map_or(Value::Null, |d| Value::SmallInt(d.id as i16)),
        },
        "DB_NAME" => {
            let id = arguments.first().and_then(Value::as_i64).unwrap_or_else(|| view.database.into());
            inst.databases.iter().find(|d| i64::from(d.id) == id).map_or(Value::Null, |d| text(&d.name))
        }
        "SUSER_SNAME" | "SUSER_NAME" => match arguments.first() {
            None => text(view.login),
            Some(Value::Binary(sid)) => {
                inst.logins.iter().find(|l| l.sid == *sid).map_or(Value::Null, |l| text(&l.settings.name))
            }
            Some(other) => {
                let id = other.as_i64().unwrap_or(0);
                inst.logins.iter().find(|l| i64::from(l.id) == id).map_or(Value::Null, |l| text(&l.settings.name))
            }
        },
        "ORIGINAL_LOGIN" | "SYSTEM_USER" => text(view.login),
        "CURRENT_USER" | "SESSION_USER" | "USER" | "USER_NAME" => {
            text(if view.sees_all() { "dbo" } else { view.login })
        }
        "HOST_NAME" => entry.map_or(Value::Null, |e| text(&e.client.host)),
        "APP_NAME" => entry.map_or(Value::Null, |e| text(&e.client.program)),
        "HOST_ID" => entry.map_or(Value::Null, |e| text(&e.client.process_id.to_string())),
        "SUSER_SID" => {
            let name = if arguments.is_empty() { view.login.to_owned() } else { word(0) };
            inst.login(&name).map_or(Value::Null, |l| Value::Binary(l.sid.clone()))
        }
        "SUSER_ID" => inst.login(&word(0)).map_or(Value::Null, |l| Value::Int(l.id)),
        "USER_ID" | "SCHEMA_ID" => Value::Int(1),
        "SCHEMA_NAME" => text("dbo"),
        "OBJECT_ID" => object_id(view, &word(0)),
        "OBJECT_NAME" => Value::Null,
        "IS_SRVROLEMEMBER" => {
            let login = if arguments.len() > 1 { word(1) } else { view.login.to_owned() };
            let sysadmin = view.world.is_sysadmin(view.instance, &login);
            match word(0).to_lowercase().as_str() {
                "sysadmin" | "dbcreator" | "serveradmin" | "securityadmin" | "processadmin" | "setupadmin"
                | "diskadmin" | "bulkadmin" => flag(sysadmin),
                "public" => flag(true),
                _ => Value::Null,
            }
        }
        "IS_MEMBER" | "IS_ROLEMEMBER" => flag(view.sees_all()),
        "HAS_PERMS_BY_NAME" => flag(view.sees_all()),
        "HAS_DBACCESS" => inst
            .database(&word(0))
            .map_or(Value::Null, |d| flag(view.world.bar(view.instance, d, view.session, view.login).is_none())),
        "XACT_STATE" => flag(entry.is_some_and(|e| e.transactions > 0)),
        "ERROR_NUMBER" | "ERROR_SEVERITY" | "ERROR_STATE" | "ERROR_LINE" | "ERROR_MESSAGE" | "ERROR_PROCEDURE" => {
            let Some(caught) = entry.and_then(|e| e.caught.as_ref()) else { return Some(Value::Null) };
            match name {
                "ERROR_NUMBER" => Value::Int(caught.number),
                "ERROR_SEVERITY" => Value::Int(caught.severity.into()),
                "ERROR_STATE" => Value::Int(caught.state.into()),
                "ERROR_LINE" => Value::Int(caught.line as i32),
                "ERROR_MESSAGE" => text(&caught.message),
                _ if caught.procedure.is_empty() => Value::Null,
                _ => text(&caught.procedure),
            }
        }
        "APPLOCK_TEST" => {
            let (resource, mode) = (word(1), word(2));
            let free = inst.app_locks.iter().all(|l| {
                l.session == view.session
                    || l.database != view.database
                    || l.resource != resource
                    || (l.mode == "Shared" && mode.eq_ignore_ascii_case("Shared"))
            });
            Value::SmallInt(i16::from(free))
        }
        "APPLOCK_MODE" => {
            let resource = word(1);
            let own = inst
                .app_locks
                .iter()
                .find(|l| l.session == view.session && l.database == view.database && l.resource == resource);
            text(own.map_or("NoLock", |l| l.mode.as_str()))
        }
        "SERVERPROPERTY" => server_property(view, &word(0)),
        "DATABASEPROPERTYEX" => database_property(view, &word(0), &word(1)),
        "DATABASEPROPERTY" => match inst.database(&word(0)) {
            None => Value::Null,
            Some(d) => match word(1).to_lowercase().as_str() {
                "isinstandby" => flag(d.standby.is_some()),
                "isoffline" => flag(d.state == State::Offline),
                "isinload" => flag(d.state == State::Restoring),
                "issuspect" => flag(d.state == State::Suspect),
                "isreadonly" => flag(d.read_only),
                _ => Value::Null,
            },
        },
        "CONNECTIONPROPERTY" => match word(0).to_lowercase().as_str() {
            "net_transport" => variant(nv(40), text("TCP")),
            "protocol_type" => variant(nv(40), text("TSQL")),
            "auth_scheme" => variant(nv(40), text("SQL")),
            "local_tcp_port" => variant(INT, Value::Int(inst.port.into())),
            _ => Value::Null,
        },
        "SESSIONPROPERTY" => Value::Null,
        "FILEPROPERTY" | "DATABASE_PRINCIPAL_ID" | "@@REMSERVER" => Value::Null,
        "FN_VARBINTOHEXSTR" => match arguments.first() {
            Some(Value::Binary(bytes)) => text(&bytes.iter().fold(String::from("0x"), |s, b| s + &format!("{b:02x}"))),
            _ => Value::Null,
        },
        _ => return None,
    })
}

fn object_id(view: &View, name: &str) -> Value {
    let parts = split_name(name);
    let bare = parts.name.trim_start_matches("tempdb..");
    if let Some(id) = super::server::procedure_id(bare) {
        return Value::Int(id);
    }
    let database = if parts.database.is_empty() {
        view.inst().databases.iter().find(|d| d.id == view.database)
    } else {
        view.inst().database(&parts.database)
    };
    let Some(database) = database.filter(|d| d.system || d.state == State::Online) else { return Value::Null };
    let inside = View {
        world: view.world,
        instance: view.instance,
        session: view.session,
        login: view.login,
        database: database.id,
    };
    if let Some(id) = super::user::object_id(&inside, bare) {
        return Value::Int(id);
    }
    match Catalog::find(&inside, &database.name, &parts.schema, bare) {
        Ok(Some(_)) => {
            let sum = bare.to_lowercase().bytes().fold(7u32, |s, b| s.wrapping_mul(31).wrapping_add(b.into()));
            Value::Int((sum >> 1) as i32)
        }
        _ => Value::Null,
    }
}

fn server_property(view: &View, name: &str) -> Value {
    let inst = view.inst();
    let v = inst.version;
    let host = view.world.hosts[inst.host].name.to_uppercase();
    let string = |t: &str| variant(nv(128), text(t));
    let number = |n: i32| variant(INT, Value::Int(n));
    match name.to_lowercase().as_str() {
        "productversion" => string(&v.text()),
        "productlevel" => string(if v.major <= 10 { "SP3" } else { "RTM" }),
        "productmajorversion" if v.major >= 11 => string(&v.major.to_string()),
        "productminorversion" if v.major >= 11 => string(&v.minor.to_string()),
        "productbuild" if v.major >= 11 => string(&v.build.to_string()),
        "edition" => string(&inst.edition),
        "engineedition" => number(match inst.edition.split(' ').next() {
            Some("Enterprise" | "Developer" | "Evaluation") => 3,
            Some("Express") => 4,
            _ => 2,
        }),
        "servername" => string(&inst.name.to_uppercase()),
        "machinename" | "computernamephysicalnetbios" => string(&host),
        "instancename" => inst.short_name.as_ref().map_or(Value::Null, |n| string(n)),
        "isclustered" | "issingleuser" | "isintegratedsecurityonly" => number(0),
        "ishadrenabled" if v.major >= 11 => number(0),
        "collation" => string(&inst.collation),
        "instancedefaultdatapath" | "instancedefaultlogpath" if v.major >= 11 => {
            string(&format!("{}\\", inst.data_folder()))
        }
        "instancedefaultbackuppath" if v.major >= 15 => string(&inst.backup_folder()),
        "processid" => number(1234),
        "lcid" => number(1033),
        "resourceversion" => string(&v.text()),
        // No real server knows this name: it tells a lab from one. The lab's addresses are its own.
        "pchatlab" => string(&format!("lab-{}", view.world.hosts[0].address)),
        _ => Value::Null,
    }
}

fn database_property(view: &View, database: &str, property: &str) -> Value {
    let Some(d) = view.inst().database(database) else { return Value::Null };
    let string = |t: &str| variant(nv(128), text(t));
    let number = |b: bool| variant(INT, flag(b));
    match property.to_lowercase().as_str() {
        "status" => string(d.state.number_and_name().1),
        "isinstandby" => number(d.standby.is_some()),
        "updateability" => string(if d.read_only { "READ_ONLY" } else { "READ_WRITE" }),
        "useraccess" => string(access_name(d.access).1),
        "recovery" => string(model_name(d.model).1),
        "collation" if d.state == State::Online => string(&d.collation),
        "version" if d.state == State::Online => variant(INT, Value::Int(d.internal_version)),
        "isautoclose" => number(d.auto_close),
        "isautoshrink" => number(false),
        "ispublished" | "issubscribed" | "ismergepublished" => number(false),
        "istornpagedetectionenabled" => number(false),
        _ => Value::Null,
    }
}

/// A table function, by lower-case name.
pub fn table_function(view: &View, name: &str, arguments: &[Value]) -> Option<Arc<TableDef>> {
    let inst = view.inst();
    let who = Who { instance: view.instance, account: Account::Service };
    match name {
        "dm_os_volume_stats" => {
            let id = arguments.first().and_then(Value::as_i64).unwrap_or(-1);
            let file = arguments.get(1).and_then(Value::as_i64).unwrap_or(-1);
            let rows = inst
                .databases
                .iter()
                .filter(|d| i64::from(d.id) == id)
                .flat_map(|d| d.files.iter().filter(|f| i64::from(f.id) == file).map(move |f| (d, f)))
                .map(|(d, f)| {
                    let volume: String = f.physical.chars().take(3).collect();
                    let total = match WindowsPath::parse(&f.physical) {
                        Ok(WindowsPath::Drive { letter, .. }) => view.world.hosts[inst.host]
                            .drives
                            .iter()
                            .find(|x| x.letter == letter)
                            .map_or(0, |x| x.total_bytes),
                        _ => 0,
                    };
                    vec![
                        Value::Int(d.id.into()),
                        Value::Int(f.id),
                        text(&volume),
                        text(&format!("\\\\?\\Volume{{{}}}\\", inst.name.len())),
                        text("Data"),
                        text("NTFS"),
                        Value::BigInt(total as i64),
                        Value::BigInt(view.world.free_bytes(view.instance, &f.physical) as i64),
                        Value::TinyInt(0),
                        Value::TinyInt(0),
                        Value::TinyInt(0),
                    ]
                })
                .collect();
            Some(super::columns::table(
                "database_id:int file_id:int volume_mount_point:nv512 volume_id:nv512 logical_volume_name:nv512 file_system_type:nv512 total_bytes:bigint available_bytes:bigint supports_compression:tinyint is_read_only:tinyint is_compressed:tinyint",
                rows,
            ))
        }
        "dm_os_file_exists" if inst.version.major >= 14 => {
            let path = arguments.first().and_then(Value::as_str).unwrap_or_default();
            let real = view.world.resolve(who, path, false).ok();
            let row = [
                real.as_ref().is_some_and(|p| p.is_file()),
                real.as_ref().is_some_and(|p| p.is_dir()),
                real.as_ref().and_then(|p| p.parent()).is_some_and(std::path::Path::is_dir),
            ];
            Some(super::columns::table(
                "file_exists:int! file_is_a_directory:int! parent_directory_exists:int!",
                vec![row.map(flag).to_vec()],
            ))
        }
        "dm_os_enumerate_filesystem" if inst.version.major >= 14 => {
            let path = arguments.first().and_then(Value::as_str).unwrap_or_default().trim_end_matches('\\');
            let pattern = arguments.get(1).and_then(Value::as_str).unwrap_or("*").to_lowercase();
            let mut rows = Vec::new();
            if let Ok(real) = view.world.resolve(who, path, false) {
                for entry in std::fs::read_dir(real).into_iter().flatten().flatten() {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    let Ok(metadata) = entry.metadata() else { continue };
                    if !wildcard(&pattern, &name.to_lowercase()) {
                        continue;
                    }
                    let time = |t: std::io::Result<std::time::SystemTime>| {
                        Value::optional(t.ok(), |t| {
                            Value::DateTime2(chrono::DateTime::<chrono::Utc>::from(t).naive_utc())
                        })
                    };
                    let no = || Value::Bit(false);
                    rows.push(vec![
                        text(&format!("{path}\\{name}")),
                        text(path),
                        text(&name),
                        Value::Int(0),
                        Value::Bit(metadata.is_dir()),
                        no(),
                        no(),
                        no(),
                        no(),
                        no(),
                        no(),
                        time(metadata.created().or(metadata.modified())),
                        time(metadata.accessed()),
                        time(metadata.modified()),
                        Value::BigInt(metadata.len() as i64),
                    ]);
                }
            }
            Some(super::columns::table(
                "full_filesystem_path:nv256! parent_directory:nv255! file_or_directory_name:nv255! level:int! is_directory:bit! is_read_only:bit! is_system:bit! is_hidden:bit! has_integrity_stream:bit! is_temporary:bit! is_sparse:bit! creation_time:datetime2 last_access_time:datetime2 last_write_time:datetime2 size_in_bytes:bigint!",
                rows,
            ))
        }
        _ => None,
    }
}

/// `*` and `?` as the file system has them.
pub fn wildcard(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            wildcard(&pattern[1..], name)
                || name.chars().next().is_some_and(|c| wildcard(pattern, &name[c.len_utf8()..]))
        }
        (Some('?'), Some(c)) => wildcard(&pattern[1..], &name[c.len_utf8()..]),
        (Some(p), Some(c)) if p == c => wildcard(&pattern[p.len_utf8()..], &name[c.len_utf8()..]),
        _ => false,
    }
}
