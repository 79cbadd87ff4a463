//! sp_who, sp_who2, application locks, and changing an owner.

use super::{Answered, Bound, Reply};
use crate::engine::catalog::columns::*;
use crate::engine::connection::Connection;
use crate::engine::error::SqlMessage;
use crate::engine::model::AppLock;
use lab_tsql::{ResultSet, Value};
use std::time::{Duration, Instant};

/// Lock modes and which ones go together.
const MODES: [&str; 5] = ["Shared", "Update", "IntentShared", "IntentExclusive", "Exclusive"];

fn compatible(held: &str, wanted: &str) -> bool {
    matches!(
        (held, wanted),
        ("Shared", "Shared" | "Update" | "IntentShared")
            | ("Update", "Shared" | "IntentShared")
            | ("IntentShared", "Shared" | "Update" | "IntentShared" | "IntentExclusive")
            | ("IntentExclusive", "IntentShared" | "IntentExclusive")
    )
}

fn fault(number: i32, text: &str) -> SqlMessage {
    SqlMessage::new(number, 16, 1, text)
}

impl Connection {
    /// sp_getapplock: 0 or 1 granted, -1 time-out, -999 a faulty parameter.
    pub(super) async fn get_app_lock(&mut self, bound: &Bound) -> Answered {
        let resource: String = bound.text("Resource").unwrap_or_default().chars().take(255).collect();
        let wanted = bound.text("LockMode").unwrap_or_default();
        let Some(mode) = MODES.iter().find(|m| m.eq_ignore_ascii_case(&wanted)) else {
            return failed(fault(1225, "An invalid application lock mode was passed to sp_getapplock."));
        };
        let owner = bound.text("LockOwner").unwrap_or_else(|| "Transaction".into());
        let session_owned = owner.eq_ignore_ascii_case("Session");
        if !session_owned && !owner.eq_ignore_ascii_case("Transaction") {
            return failed(fault(1226, "An invalid application lock owner was passed to sp_getapplock."));
        }
        if resource.is_empty() {
            return failed(fault(1224, "An invalid application lock resource was passed to sp_getapplock."));
        }
        if !session_owned && self.context.transaction_count == 0 {
            return failed(fault(
                1223,
                "Cannot release the application lock (Database Principal: 'public') because it is not currently held.",
            ));
        }
        let timeout = bound.number("LockTimeout", -1);
        if timeout < -1 {
            return failed(fault(1227, "An invalid application lock time-out was passed to sp_getapplock."));
        }
        let started = Instant::now();
        loop {
            {
                let mut world = self.engine.world();
                let inst = &mut world.instances[self.instance];
                let database = inst.sessions.get(&self.id).map_or(1, |s| s.database);
                let free = inst.app_locks.iter().all(|l| {
                    l.session == self.id
                        || l.database != database
                        || l.resource != resource
                        || compatible(&l.mode, mode)
                });
                if free {
                    let own = inst.app_locks.iter_mut().find(|l| {
                        l.session == self.id && l.database == database && l.resource == resource && l.mode == *mode
                    });
                    match own {
                        Some(own) => own.count += 1,
                        None => inst.app_locks.push(AppLock {
                            session: self.id,
                            database,
                            resource,
                            mode: (*mode).to_owned(),
                            count: 1,
                            session_owned,
                        }),
                    }
                    let waited = started.elapsed() > Duration::from_millis(1);
                    return Ok(Reply { status: i32::from(waited), ..Reply::default() });
                }
            }
            if timeout >= 0 && started.elapsed() >= Duration::from_millis(timeout as u64) {
                return Ok(Reply { status: -1, ..Reply::default() });
            }
            if self.ended.is_set() {
                return Ok(Reply { status: -2, ..Reply::default() });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The procedures about sessions that answer at once.
    pub(super) fn session_procedure(&mut self, name: &str, bound: &Bound) -> Answered {
        match name {
            "sp_releaseapplock" => {
                let resource = bound.text("Resource").unwrap_or_default();
                let mut world = self.engine.world();
                let inst = &mut world.instances[self.instance];
                let database = inst.sessions.get(&self.id).map_or(1, |s| s.database);
                let held = inst
                    .app_locks
                    .iter()
                    .position(|l| l.session == self.id && l.database == database && l.resource == resource);
                let Some(held) = held else {
                    let text = format!(
                        "Cannot release the application lock (Database Principal: 'public', Resource: '{resource}') because it is not currently held."
                    );
                    return failed(fault(1223, &text));
                };
                inst.app_locks[held].count -= 1;
                if inst.app_locks[held].count == 0 {
                    inst.app_locks.remove(held);
                }
                Ok(Reply::default())
            }
            "sp_changedbowner" => {
                let login = bound.text("loginame").unwrap_or_default();
                let database = self.context.database.clone();
                let mut world = self.engine.world();
                if world.instances[self.instance].login(&login).is_none() {
                    return Err(SqlMessage::new(15151, 16, 1, format!("Cannot find the principal '{login}', because it does not exist or you do not have permission.")));
                }
                let instance = world.instances[self.instance].name.clone();
                if let Some(found) = world.database_mut(self.instance, &database) {
                    found.owner.clone_from(&login);
                }
                world.effect(&instance, "database_owner", format!("{database} {login}"), &self.client.program);
                Ok(Reply::default())
            }
            "sp_who" => Ok(self.who(false, bound)),
            _ => Ok(self.who(true, bound)),
        }
    }

    fn who(&mut self, two: bool, bound: &Bound) -> Reply {
        let wanted = bound.text("loginame");
        let world = self.engine.world();
        let inst = &world.instances[self.instance];
        let all = world.is_sysadmin(self.instance, &self.client.login);
        let mut rows = Vec::new();
        for (id, entry) in &inst.sessions {
            let active = entry.request.is_some() || entry.rollback.is_some();
            let skip = match wanted.as_deref() {
                None => false,
                Some(w) if w.eq_ignore_ascii_case("active") => !active && entry.user_process,
                Some(w) => !entry.client.login.eq_ignore_ascii_case(w) && w != id.to_string(),
            };
            if skip || (!all && *id != self.id) {
                continue;
            }
            let database = inst.databases.iter().find(|d| d.id == entry.database).map_or("", |d| d.name.as_str());
            let command = super::super::catalog::sessions::command(entry);
            let status = super::super::catalog::sessions::status(entry);
            let n = Value::SmallInt(*id as i16);
            rows.push(if two {
                vec![
                    text(&format!("{id:<5}")),
                    text(&format!("{status:<30}")),
                    text(&entry.client.login),
                    text(if entry.client.host.is_empty() { "  ." } else { &entry.client.host }),
                    text("  ."),
                    if database.is_empty() { Value::Null } else { text(database) },
                    text(&command),
                    text("0"),
                    text("0"),
                    text(&world.local(entry.last_batch).format("%m/%d %H:%M:%S").to_string()),
                    text(&entry.client.program),
                    text(&format!("{id:<5}")),
                    text("0    "),
                ]
            } else {
                vec![
                    n,
                    Value::SmallInt(0),
                    text(status),
                    text(&entry.client.login),
                    text(&entry.client.host),
                    text("0"),
                    if database.is_empty() { Value::Null } else { text(database) },
                    text(&command),
                    Value::Int(0),
                ]
            });
        }
        let columns = if two {
            vec![
                null("SPID", ch(5)),
                null("Status", nv(30)),
                null("Login", nv(128)),
                null("HostName", nv(128)),
                null("BlkBy", ch(5)),
                null("DBName", nv(128)),
                null("Command", nv(32)),
                null("CPUTime", nv(30)),
                null("DiskIO", nv(30)),
                null("LastBatch", nv(48)),
                null("ProgramName", nv(128)),
                null("SPID", ch(5)),
                null("REQUESTID", ch(5)),
            ]
        } else {
            vec![
                not_null("spid", SMALLINT),
                not_null("ecid", SMALLINT),
                not_null("status", nch(30)),
                null("loginame", nch(128)),
                not_null("hostname", nch(128)),
                null("blk", ch(5)),
                null("dbname", nch(128)),
                not_null("cmd", nch(16)),
                not_null("request_id", INT),
            ]
        };
        Reply { sets: vec![ResultSet { columns, rows, returns_rows: true }], ..Reply::default() }
    }
}

/// A faulty parameter: the message is sent, the status is -999.
fn failed(message: SqlMessage) -> Answered {
    let mut reply = Reply { status: -999, ..Reply::default() };
    reply.messages.push(message);
    Ok(reply)
}
