//! sys.databases, sys.master_files and what else describes databases.

use super::columns::*;
use super::View;
use crate::engine::model::{Access, Database, Model, State};
use lab_tsql::{TableDef, Value};
use std::sync::Arc;

/// A view about databases, by lower-case name.
pub fn table(view: &View, name: &str) -> Option<Arc<TableDef>> {
    match name {
        "databases" | "sysdatabases" => Some(databases(view, name == "sysdatabases")),
        "master_files" => Some(files(view, None)),
        "database_files" => Some(files(view, Some(view.database))),
        "database_recovery_status" => Some(recovery_status(view)),
        _ => None,
    }
}

/// The name of a recovery model as views have it.
pub fn model_name(model: Model) -> (u8, &'static str) {
    match model {
        Model::Full => (1, "FULL"),
        Model::BulkLogged => (2, "BULK_LOGGED"),
        Model::Simple => (3, "SIMPLE"),
    }
}

/// Number and name of the user access.
pub fn access_name(access: Access) -> (u8, &'static str) {
    match access {
        Access::Multi => (0, "MULTI_USER"),
        Access::Single => (1, "SINGLE_USER"),
        Access::Restricted => (2, "RESTRICTED_USER"),
    }
}

fn log_reuse(database: &Database) -> (u8, &'static str) {
    if database.model != Model::Simple && database.full_backup.is_some() && database.log_end > database.log_backup_start
    {
        (2, "LOG_BACKUP")
    } else {
        (0, "NOTHING")
    }
}

fn databases(view: &View, old: bool) -> Arc<TableDef> {
    let inst = view.inst();
    if old {
        let rows = inst
            .databases
            .iter()
            .map(|d| {
                let file = d.files.first().map_or(Value::Null, |f| text(&f.physical));
                vec![
                    text(&d.name),
                    Value::SmallInt(d.id as i16),
                    Value::Binary(owner_sid(view, d)),
                    Value::SmallInt(0),
                    Value::Int(0),
                    Value::Int(0),
                    date(d.created),
                    Value::TinyInt(d.compatibility),
                    file,
                    Value::SmallInt(d.internal_version as i16),
                ]
            })
            .collect();
        return super::columns::table(
            "name:nv128! dbid:smallint sid:vb85 mode:smallint status:int status2:int crdate:datetime! cmptlevel:tinyint! filename:nv260 version:smallint",
            rows,
        );
    }
    let newer = inst.version.major >= 11;
    let rows = inst
        .databases
        .iter()
        .map(|d| {
            let (state, state_desc) = d.state.number_and_name();
            let (access, access_desc) = access_name(d.access);
            let (model, model_desc) = model_name(d.model);
            let (reuse, reuse_desc) = log_reuse(d);
            let open = d.state == State::Online;
            let mut row = vec![
                text(&d.name),
                Value::Int(d.id.into()),
                Value::Null,
                Value::Binary(owner_sid(view, d)),
                date(d.created),
                Value::TinyInt(d.compatibility),
                if open { text(&d.collation) } else { Value::Null },
                Value::TinyInt(access),
                text(access_desc),
                Value::Bit(d.read_only),
                Value::Bit(d.auto_close),
                Value::Bit(false),
                Value::TinyInt(state),
                text(state_desc),
                Value::Bit(d.standby.is_some()),
                Value::Bit(false),
                Value::Bit(false),
                Value::TinyInt(0),
                text("OFF"),
                Value::Bit(false),
                Value::TinyInt(model),
                text(model_desc),
                Value::TinyInt(2),
                text("CHECKSUM"),
                Value::Bit(d.trustworthy),
                Value::Bit(d.chaining),
                Value::Bit(false),
                Value::Uuid(d.guid),
                Value::Bit(d.broker),
                Value::TinyInt(reuse),
                text(reuse_desc),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(true),
                Value::Bit(true),
            ];
            if newer {
                row.extend([Value::Null, Value::Null, Value::TinyInt(0), text("NONE")]);
            }
            row
        })
        .collect();
    let mut words = String::from(
        "name:nv128! database_id:int! source_database_id:int owner_sid:vb85 create_date:datetime! compatibility_level:tinyint! collation_name:nv128 user_access:tinyint user_access_desc:nv60 is_read_only:bit is_auto_close_on:bit! is_auto_shrink_on:bit state:tinyint state_desc:nv60 is_in_standby:bit is_cleanly_shutdown:bit is_supplemental_logging_enabled:bit snapshot_isolation_state:tinyint snapshot_isolation_state_desc:nv60 is_read_committed_snapshot_on:bit recovery_model:tinyint recovery_model_desc:nv60 page_verify_option:tinyint page_verify_option_desc:nv60 is_trustworthy_on:bit is_db_chaining_on:bit is_parameterization_forced:bit service_broker_guid:guid! is_broker_enabled:bit! log_reuse_wait:tinyint log_reuse_wait_desc:nv60 is_date_correlation_on:bit! is_cdc_enabled:bit! is_encrypted:bit is_auto_create_stats_on:bit is_auto_update_stats_on:bit",
    );
    if newer {
        words.push_str(" replica_id:guid group_database_id:guid containment:tinyint containment_desc:nv60");
    }
    super::columns::table(&words, rows)
}

fn owner_sid(view: &View, database: &Database) -> Vec<u8> {
    view.inst().login(&database.owner).map_or_else(|| vec![1], |l| l.sid.clone())
}

fn files(view: &View, only: Option<u16>) -> Arc<TableDef> {
    let mut rows = Vec::new();
    for d in view.inst().databases.iter().filter(|d| only.is_none_or(|o| o == d.id)) {
        let redo = d.redo();
        let (state, state_desc) = match d.state {
            State::Suspect => (0, "ONLINE"),
            State::Online => (0, "ONLINE"),
            other => other.number_and_name(),
        };
        for f in &d.files {
            let mut row = Vec::new();
            if only.is_none() {
                row.push(Value::Int(d.id.into()));
            }
            let data_redo = redo.filter(|_| !f.is_log);
            row.extend([
                Value::Int(f.id),
                Value::Uuid(f.guid),
                Value::TinyInt(u8::from(f.is_log)),
                text(if f.is_log { "LOG" } else { "ROWS" }),
                Value::Int(i32::from(!f.is_log)),
                text(&f.logical),
                text(&f.physical),
                Value::TinyInt(state),
                text(state_desc),
                Value::Int((f.size_bytes / 8192) as i32),
                Value::Int(if f.is_log { 268_435_456 } else { -1 }),
                Value::Int(128),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(false),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::optional(d.full_backup.filter(|_| !f.is_log), |l| Value::lsn(l.0)),
                Value::Null,
                Value::Null,
                Value::optional(data_redo, |r| Value::lsn(r.0 .0)),
                Value::optional(data_redo, |r| Value::Uuid(r.1)),
                Value::Null,
                Value::Null,
                Value::optional(d.full_backup.filter(|_| !f.is_log), |l| Value::lsn(l.0)),
            ]);
            if view.inst().version.major >= 12 && only.is_none() {
                row.push(Value::Null);
            }
            rows.push(row);
        }
    }
    let mut words = String::new();
    if only.is_none() {
        words.push_str("database_id:int! ");
    }
    words.push_str("file_id:int! file_guid:guid type:tinyint! type_desc:nv60 data_space_id:int! name:nv128! physical_name:nv260! state:tinyint state_desc:nv60 size:int! max_size:int! growth:int! is_media_read_only:bit! is_read_only:bit! is_sparse:bit! is_percent_growth:bit! is_name_reserved:bit! create_lsn:lsn drop_lsn:lsn read_only_lsn:lsn read_write_lsn:lsn differential_base_lsn:lsn differential_base_guid:guid differential_base_time:datetime redo_start_lsn:lsn redo_start_fork_guid:guid redo_target_lsn:lsn redo_target_fork_guid:guid backup_lsn:lsn");
    if view.inst().version.major >= 12 && only.is_none() {
        words.push_str(" credential_id:int");
    }
    super::columns::table(&words, rows)
}

fn recovery_status(view: &View) -> Arc<TableDef> {
    let rows = view
        .inst()
        .databases
        .iter()
        .map(|d| {
            let open = d.is_recovered();
            let shown = |v: Value| if open { v } else { Value::Null };
            vec![
                Value::Int(d.id.into()),
                shown(Value::Uuid(d.guid)),
                shown(Value::Uuid(d.family)),
                if open && d.full_backup.is_some() && d.model != Model::Simple {
                    Value::lsn(d.log_backup_start.0)
                } else {
                    Value::Null
                },
                shown(Value::Uuid(d.fork_at(d.log_end))),
                shown(d.forks.first().map_or(Value::Null, |f| Value::Uuid(f.id))),
                shown(d.forks.last().filter(|_| d.forks.len() > 1).map_or(Value::Null, |f| Value::lsn(f.start.0))),
            ]
        })
        .collect();
    super::columns::table(
        "database_id:int! database_guid:guid family_guid:guid last_log_backup_lsn:lsn recovery_fork_guid:guid first_recovery_fork_guid:guid fork_point_lsn:lsn",
        rows,
    )
}
