//! Sessions, requests, connections and locks.

use super::columns::*;
use super::View;
use crate::engine::session::SessionEntry;
use lab_tsql::{SqlError, TableDef, Value};
use std::sync::Arc;

/// What a session shows as its command.
pub fn command(entry: &SessionEntry) -> String {
    if entry.rollback.is_some() {
        return "KILLED/ROLLBACK".into();
    }
    match &entry.request {
        Some(request) => request.command.clone(),
        None if !entry.user_process => entry.client.program.clone(),
        None => "AWAITING COMMAND".into(),
    }
}

/// What a session shows as its status.
pub fn status(entry: &SessionEntry) -> &'static str {
    if entry.rollback.is_some() {
        "rollback"
    } else if entry.request.is_some() {
        "runnable"
    } else if entry.user_process {
        "sleeping"
    } else {
        "background"
    }
}

fn guid_of(view: &View, session: u16) -> uuid::Uuid {
    let since = view.inst().sessions.get(&session).map_or(0, |s| s.login_time.timestamp_micros() as u128);
    uuid::Builder::from_random_bytes(((since << 32) | u128::from(session)).to_be_bytes()).into_uuid()
}

/// A view about sessions, by lower-case name.
///
/// # Errors
/// 300 where the view needs VIEW SERVER STATE and does not just hide rows.
pub fn table(view: &View, name: &str) -> Result<Option<Arc<TableDef>>, SqlError> {
    let denied = |object: &str| {
        SqlError::new(
            300,
            14,
            format!("VIEW SERVER STATE permission was denied on object '{object}', database 'master'."),
        )
    };
    Ok(Some(match name {
        "sysprocesses" => processes(view),
        "dm_exec_sessions" => exec_sessions(view),
        "dm_exec_requests" => requests(view),
        "dm_exec_connections" if view.sees_all() => connections(view),
        "dm_exec_connections" => return Err(denied("server")),
        "dm_tran_locks" if view.sees_all() => locks(view),
        "dm_tran_locks" => return Err(denied("server")),
        _ => return Ok(None),
    }))
}

fn seen<'a>(view: &'a View) -> impl Iterator<Item = (u16, &'a SessionEntry)> + 'a {
    let all = view.sees_all();
    view.inst().sessions.iter().map(|(id, s)| (*id, s)).filter(move |(id, _)| all || *id == view.session)
}

fn is_self(view: &View, id: u16) -> bool {
    id == view.session
}

fn processes(view: &View) -> Arc<TableDef> {
    let rows = seen(view)
        .map(|(id, s)| {
            let login = view.inst().login(&s.client.login);
            let mut sid = login.map_or_else(|| vec![1], |l| l.sid.clone());
            sid.resize(86, 0);
            let running = is_self(view, id) && s.request.is_none();
            let (domain, user) = s.client.login.split_once('\\').unwrap_or(("", ""));
            vec![
                Value::SmallInt(id as i16),
                Value::SmallInt(0),
                Value::SmallInt(0),
                Value::Binary(vec![0, 0]),
                Value::BigInt(0),
                text(if s.request.is_some() { "BACKUPIO" } else { "MISCELLANEOUS" }),
                text(""),
                Value::SmallInt(s.database as i16),
                Value::SmallInt(1),
                Value::Int(0),
                Value::BigInt(0),
                Value::Int(2),
                date(view.world.local(s.login_time)),
                date(view.world.local(s.last_batch)),
                Value::SmallInt(0),
                Value::SmallInt(s.transactions as i16),
                text(if running { "runnable" } else { status(s) }),
                Value::Binary(sid),
                text(&s.client.host),
                text(&s.client.program),
                text(&s.client.process_id.to_string()),
                text(&if running { "SELECT".into() } else { command(s) }),
                text(domain),
                text(user),
                text("000000000000"),
                text(if s.user_process { "TCP/IP" } else { "" }),
                text(&s.client.login),
                Value::Binary(vec![0; 128]),
                Value::Binary(vec![0; 20]),
                Value::Int(0),
                Value::Int(-1),
                Value::Int(0),
            ]
        })
        .collect();
    super::columns::table(
        "spid:smallint! kpid:smallint! blocked:smallint! waittype:bin2! waittime:bigint! lastwaittype:nch32! waitresource:nch256! dbid:smallint! uid:smallint cpu:int! physical_io:bigint! memusage:int! login_time:datetime! last_batch:datetime! ecid:smallint! open_tran:smallint! status:nch30! sid:bin86! hostname:nch128! program_name:nch128! hostprocess:nch10! cmd:nch16! nt_domain:nch128! nt_username:nch128! net_address:nch12! net_library:nch12! loginame:nch128! context_info:bin128! sql_handle:bin20! stmt_start:int! stmt_end:int! request_id:int!",
        rows,
    )
}

fn exec_sessions(view: &View) -> Arc<TableDef> {
    let newer = view.inst().version.major >= 11;
    let rows = seen(view)
        .map(|(id, s)| {
            let running = s.request.is_some() || is_self(view, id) || !s.user_process;
            let (domain, user) = s.client.login.split_once('\\').unwrap_or(("", ""));
            let sid = view.inst().login(&s.client.login).map_or_else(|| vec![1], |l| l.sid.clone());
            let named = |t: &str| if t.is_empty() { Value::Null } else { text(t) };
            let mut row = vec![
                Value::SmallInt(id as i16),
                date(view.world.local(s.login_time)),
                named(&s.client.host),
                named(&s.client.program),
                Value::Int(s.client.process_id as i32),
                Value::Int(7),
                named(&s.client.library),
                Value::Binary(sid.clone()),
                text(&s.client.login),
                named(domain),
                named(user),
                text(if running { "running" } else { "sleeping" }),
                Value::Binary(Vec::new()),
                Value::Int(0),
                Value::Int(2),
                Value::Int(0),
                Value::Int(0),
                Value::Int(4),
                date(view.world.local(s.last_batch)),
                date(view.world.local(s.last_batch)),
                Value::BigInt(0),
                Value::BigInt(0),
                Value::BigInt(0),
                Value::Bit(s.user_process),
                Value::Int(-1),
                text(&s.language),
                text("mdy"),
                Value::SmallInt(7),
                Value::SmallInt(2),
                Value::Int(s.lock_timeout),
                Value::Int(0),
                Value::BigInt(1),
                Value::Int(0),
                Value::Binary(sid),
                text(&s.client.login),
            ];
            if newer {
                row.push(Value::SmallInt(s.database as i16));
                row.push(Value::Int(1));
                row.push(Value::Int(s.transactions));
            }
            row
        })
        .collect();
    let mut words = String::from(
        "session_id:smallint! login_time:datetime! host_name:nv128 program_name:nv128 host_process_id:int client_version:int client_interface_name:nv32 security_id:vb85! login_name:nv128! nt_domain:nv128 nt_user_name:nv128 status:nv30! context_info:vb128 cpu_time:int! memory_usage:int! total_scheduled_time:int! total_elapsed_time:int! endpoint_id:int! last_request_start_time:datetime! last_request_end_time:datetime reads:bigint! writes:bigint! logical_reads:bigint! is_user_process:bit! text_size:int! language:nv128 date_format:nv3 date_first:smallint! transaction_isolation_level:smallint! lock_timeout:int! deadlock_priority:int! row_count:bigint! prev_error:int! original_security_id:vb85! original_login_name:nv128!",
    );
    if newer {
        words.push_str(" database_id:smallint! authenticating_database_id:int open_transaction_count:int!");
    }
    super::columns::table(&words, rows)
}

fn requests(view: &View) -> Arc<TableDef> {
    let now = view.world.clock.now();
    let rows = seen(view)
        .filter(|(id, s)| s.request.is_some() || s.rollback.is_some() || is_self(view, *id))
        .map(|(id, s)| {
            let started = s.request.as_ref().map_or(s.last_batch, |r| r.started);
            let percent = match (&s.rollback, &s.request) {
                (Some(_), _) => s.rolled_back_percent(view.world.clock.real_ms()) as f32,
                (None, Some(request)) => request.percent,
                _ => 0.0,
            };
            let command = if s.request.is_none() && s.rollback.is_none() { "SELECT".into() } else { command(s) };
            vec![
                Value::SmallInt(id as i16),
                Value::Int(0),
                date(view.world.local(started)),
                text(if s.rollback.is_some() {
                    "rollback"
                } else if is_self(view, id) {
                    "running"
                } else {
                    "suspended"
                }),
                text(&command),
                Value::Null,
                Value::Int(0),
                Value::Int(-1),
                Value::Null,
                Value::SmallInt(s.database as i16),
                Value::Int(1),
                Value::Uuid(guid_of(view, id)),
                Value::SmallInt(0),
                if s.request.is_some() { text("BACKUPIO") } else { Value::Null },
                Value::Int(0),
                text("BACKUPIO"),
                text(""),
                Value::Int(s.transactions),
                Value::Real(percent),
                Value::BigInt(s.request.as_ref().map_or(0, |r| r.estimated_ms)),
                Value::Int(0),
                Value::Int((now - started).num_milliseconds() as i32),
                Value::BigInt(0),
                Value::BigInt(0),
                Value::BigInt(0),
            ]
        })
        .collect();
    super::columns::table(
        "session_id:smallint! request_id:int! start_time:datetime! status:nv30! command:nv32! sql_handle:vb64 statement_start_offset:int statement_end_offset:int plan_handle:vb64 database_id:smallint! user_id:int! connection_id:guid blocking_session_id:smallint wait_type:nv60 wait_time:int! last_wait_type:nv60! wait_resource:nv256! open_transaction_count:int! percent_complete:real! estimated_completion_time:bigint! cpu_time:int! total_elapsed_time:int! reads:bigint! writes:bigint! logical_reads:bigint!",
        rows,
    )
}

fn connections(view: &View) -> Arc<TableDef> {
    let rows = seen(view)
        .filter(|(_, s)| s.user_process)
        .map(|(id, s)| {
            vec![
                Value::Int(id.into()),
                Value::Int(id.into()),
                date(view.world.local(s.login_time)),
                text("TCP"),
                text("TSQL"),
                text(if s.client.encrypted { "TRUE" } else { "FALSE" }),
                text("SQL"),
                text(if s.client.address.is_empty() { "<local machine>" } else { &s.client.address }),
                Value::Int(view.inst().port.into()),
                Value::Uuid(guid_of(view, id)),
            ]
        })
        .collect();
    super::columns::table(
        "session_id:int most_recent_session_id:int connect_time:datetime! net_transport:nv40! protocol_type:nv40 encrypt_option:nv40! auth_scheme:nv40! client_net_address:nv48 local_tcp_port:int connection_id:guid!",
        rows,
    )
}

fn locks(view: &View) -> Arc<TableDef> {
    let inst = view.inst();
    let row = |kind: &str, database: u16, description: &str, mode: &str, session: u16, owner: &str| {
        vec![
            text(kind),
            text(""),
            Value::Int(database.into()),
            text(description),
            Value::BigInt(0),
            Value::Int(0),
            text(mode),
            text("LOCK"),
            text("GRANT"),
            Value::SmallInt(1),
            Value::Int(session.into()),
            Value::Int(0),
            Value::Int(0),
            text(owner),
            Value::BigInt(0),
        ]
    };
    let mut rows = Vec::new();
    for (id, s) in &inst.sessions {
        if s.user_process && s.database != 1 {
            rows.push(row("DATABASE", s.database, "", "S", *id, "SHARED_TRANSACTION_WORKSPACE"));
        }
    }
    for d in &inst.databases {
        if let Some((session, exclusive)) = d.busy {
            let mode = if exclusive { "X" } else { "S" };
            rows.push(row("DATABASE", d.id, "", mode, session, "SHARED_TRANSACTION_WORKSPACE"));
        }
    }
    for l in &inst.app_locks {
        let short: String = l.resource.chars().take(32).collect();
        let mode = match l.mode.as_str() {
            "Shared" => "S",
            "Update" => "U",
            "IntentShared" => "IS",
            "IntentExclusive" => "IX",
            _ => "X",
        };
        let sum = l.resource.bytes().fold(0u32, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into()));
        let owner = if l.session_owned { "SESSION" } else { "TRANSACTION" };
        rows.push(row("APPLICATION", l.database, &format!("0:[{short}]:({sum:08x})"), mode, l.session, owner));
    }
    super::columns::table(
        "resource_type:nv60! resource_subtype:nv60! resource_database_id:int! resource_description:nv256! resource_associated_entity_id:bigint resource_lock_partition:int! request_mode:nv60! request_type:nv60! request_status:nv60! request_reference_count:smallint! request_session_id:int! request_exec_context_id:int! request_request_id:int! request_owner_type:nv60! request_owner_id:bigint",
        rows,
    )
}
