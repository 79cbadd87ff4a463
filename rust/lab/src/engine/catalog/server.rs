//! Server-wide views: principals, services, settings.

use super::columns::*;
use super::View;
use crate::engine::procedures::{has_parameter, PROCEDURES};
use lab_tsql::{TableDef, Value};
use std::sync::Arc;

/// A server-wide view, by lower-case name.
pub fn table(view: &View, name: &str) -> Option<Arc<TableDef>> {
    let version = view.inst().version;
    match name {
        "server_principals" | "sql_logins" => Some(principals(view)),
        "syslogins" | "syslogin" => Some(syslogins(view)),
        "server_role_members" => Some(role_members(view)),
        "dm_server_services" if version.major >= 11 || (version.major == 10 && version.minor >= 50) => Some(services(view)),
        "configurations" => Some(configurations(view)),
        "servers" | "sysservers" => Some(super::columns::table(
            "server_id:int! srvid:int! name:nv128! srvname:nv128! product:nv128! is_linked:bit!",
            vec![vec![
                Value::Int(0),
                Value::Int(0),
                text(&view.inst().name),
                text(&view.inst().name),
                text("SQL Server"),
                Value::Bit(false),
            ]],
        )),
        "all_parameters" | "parameters" | "system_parameters" => Some(parameters(view)),
        "all_objects" | "system_objects" | "procedures" => Some(procedures(view)),
        "dm_os_sys_info" => Some(super::columns::table(
            "cpu_count:int! sqlserver_start_time:datetime! ms_ticks:bigint!",
            vec![vec![
                Value::Int(4),
                date(view.world.local(view.inst().started_at)),
                Value::BigInt(view.world.clock.real_ms() as i64),
            ]],
        )),
        "syslanguages" => Some(super::columns::table(
            "langid:smallint! dateformat:nch3! datefirst:tinyint! name:nv128! alias:nv128! lcid:int! msglangid:smallint!",
            vec![
                vec![Value::SmallInt(0), text("mdy"), Value::TinyInt(7), text("us_english"), text("English"), Value::Int(1033), Value::SmallInt(1033)],
                vec![Value::SmallInt(2), text("dmy"), Value::TinyInt(1), text("Français"), text("French"), Value::Int(1036), Value::SmallInt(1036)],
            ],
        )),
        _ => None,
    }
}

fn principals(view: &View) -> Arc<TableDef> {
    let mut rows: Vec<Vec<Value>> = view
        .inst()
        .logins
        .iter()
        .map(|l| {
            let (kind, desc) = if l.windows { ("U", "WINDOWS_LOGIN") } else { ("S", "SQL_LOGIN") };
            vec![
                text(&l.settings.name),
                Value::Int(l.id),
                Value::Binary(l.sid.clone()),
                text(kind),
                text(desc),
                Value::Bit(false),
                date(view.world.local(view.inst().started_at)),
                date(view.world.local(view.inst().started_at)),
                text("master"),
                text(&view.inst().language),
                Value::Null,
            ]
        })
        .collect();
    for (id, name) in [(2, "public"), (3, "sysadmin"), (4, "securityadmin"), (5, "serveradmin"), (9, "dbcreator")] {
        rows.push(vec![
            text(name),
            Value::Int(id),
            Value::Binary(vec![id as u8]),
            text("R"),
            text("SERVER_ROLE"),
            Value::Bit(false),
            date(view.world.local(view.inst().started_at)),
            date(view.world.local(view.inst().started_at)),
            Value::Null,
            Value::Null,
            Value::Null,
        ]);
    }
    super::columns::table(
        "name:nv128! principal_id:int! sid:vb85 type:ch1! type_desc:nv60 is_disabled:bit create_date:datetime! modify_date:datetime! default_database_name:nv128 default_language_name:nv128 credential_id:int",
        rows,
    )
}

fn syslogins(view: &View) -> Arc<TableDef> {
    let rows = view
        .inst()
        .logins
        .iter()
        .map(|l| {
            vec![
                Value::Binary(l.sid.clone()),
                text(&l.settings.name),
                text(&l.settings.name),
                text("master"),
                Value::Int(i32::from(l.windows)),
                Value::Int(i32::from(l.settings.sysadmin)),
            ]
        })
        .collect();
    super::columns::table("sid:vb85 name:nv128! loginname:nv128! dbname:nv128 isntname:int sysadmin:int", rows)
}

fn role_members(view: &View) -> Arc<TableDef> {
    let rows = view
        .inst()
        .logins
        .iter()
        .filter(|l| view.world.is_sysadmin(view.instance, &l.settings.name))
        .map(|l| vec![Value::Int(3), Value::Int(l.id)])
        .collect();
    super::columns::table("role_principal_id:int! member_principal_id:int!", rows)
}

fn services(view: &View) -> Arc<TableDef> {
    let inst = view.inst();
    let short = inst.short_name.clone();
    let engine = short.as_ref().map_or("SQL Server (MSSQLSERVER)".to_owned(), |s| format!("SQL Server ({s})"));
    let agent =
        short.as_ref().map_or("SQL Server Agent (MSSQLSERVER)".to_owned(), |s| format!("SQL Server Agent ({s})"));
    let running = view.world.agent_runs(view.instance);
    let row = |name: &str, running: bool, account: &str| {
        vec![
            text(name),
            Value::Int(2),
            text("Automatic"),
            Value::Int(if running { 4 } else { 1 }),
            text(if running { "Running" } else { "Stopped" }),
            if running { Value::Int(1234) } else { Value::Null },
            text(account),
            text("C:\\Program Files\\Microsoft SQL Server"),
            text("N"),
            Value::Null,
        ]
    };
    let rows = vec![row(&engine, true, "CONTOSO\\sqlservice"), row(&agent, running, "CONTOSO\\sqlagent")];
    super::columns::table(
        "servicename:nv256! startup_type:int startup_type_desc:nv256! status:int status_desc:nv256! process_id:int service_account:nv256! filename:nv256! is_clustered:nv1! cluster_nodename:nv256",
        rows,
    )
}

fn configurations(view: &View) -> Arc<TableDef> {
    let rows = [
        (101, "recovery interval (min)", 0),
        (109, "fill factor (%)", 0),
        (518, "show advanced options", 0),
        (1579, "backup compression default", 0),
        (16384, "Agent XPs", i32::from(view.world.agent_runs(view.instance))),
        (16390, "xp_cmdshell", 0),
        (103, "user connections", 0),
    ]
    .into_iter()
    .map(|(id, name, value)| {
        let variant = || Value::Variant(lab_tsql::SqlType::Int, Box::new(Value::Int(value)));
        vec![
            Value::Int(id),
            text(name),
            variant(),
            Value::Variant(lab_tsql::SqlType::Int, Box::new(Value::Int(0))),
            Value::Variant(lab_tsql::SqlType::Int, Box::new(Value::Int(i32::MAX))),
            variant(),
            text(name),
            Value::Bit(true),
            Value::Bit(false),
        ]
    })
    .collect();
    super::columns::table(
        "configuration_id:int! name:nv35! value:variant minimum:variant maximum:variant value_in_use:variant description:nv255! is_dynamic:bit! is_advanced:bit!",
        rows,
    )
}

fn object_id(index: usize) -> i32 {
    -1_000_000 - index as i32
}

/// The object id of a system procedure.
pub fn procedure_id(name: &str) -> Option<i32> {
    PROCEDURES.iter().position(|p| p.name.eq_ignore_ascii_case(name)).map(object_id)
}

fn parameters(view: &View) -> Arc<TableDef> {
    let major = view.inst().version.major;
    let mut rows = Vec::new();
    for (index, procedure) in PROCEDURES.iter().enumerate() {
        let names = procedure.parameters.split_whitespace();
        let names = names.filter(|n| has_parameter(procedure.name, n.trim_end_matches(['!', '^']), major));
        for (number, name) in names.enumerate() {
            rows.push(vec![
                Value::Int(object_id(index)),
                text(&format!("@{}", name.trim_end_matches(['!', '^']))),
                Value::Int(number as i32 + 1),
                Value::Bit(name.ends_with('^')),
            ]);
        }
    }
    super::columns::table("object_id:int! name:nv128 parameter_id:int! is_output:bit!", rows)
}

fn procedures(view: &View) -> Arc<TableDef> {
    let here = view.inst().databases.iter().find(|d| d.id == view.database).map_or("", |d| d.name.as_str());
    let rows = PROCEDURES
        .iter()
        .enumerate()
        .filter(|(_, p)| p.database == "master" || here == "msdb")
        .map(|(index, p)| {
            let extended = p.name.starts_with("xp_");
            vec![
                text(p.name),
                Value::Int(object_id(index)),
                Value::Int(if p.database == "msdb" { 1 } else { 4 }),
                text(if extended { "X" } else { "P" }),
                text(if extended { "EXTENDED_STORED_PROCEDURE" } else { "SQL_STORED_PROCEDURE" }),
                Value::Bit(true),
            ]
        })
        .collect();
    super::columns::table("name:nv128! object_id:int! schema_id:int! type:ch2! type_desc:nv60 is_ms_shipped:bit!", rows)
}
