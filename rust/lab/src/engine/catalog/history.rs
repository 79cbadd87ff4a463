//! Backup and restore history in msdb.

use super::columns::*;
use super::View;
use crate::engine::history::History;
use crate::faults::Fault;
use lab_tsql::{TableDef, Value};
use std::sync::Arc;

/// A history table, by lower-case name.
pub fn table(view: &View, name: &str) -> Option<Arc<TableDef>> {
    let purged = view.world.faults.iter().any(
        |fault| matches!(fault, Fault::HistoryPurged { instance } if view.world.find_instance(instance) == Some(view.instance)),
    );
    let nothing = History::default();
    let history = if purged { &nothing } else { &view.inst().history };
    match name {
        "backupset" => Some(sets(view, history)),
        "backupmediafamily" => {
            let rows = history
                .families
                .iter()
                .map(|f| {
                    vec![
                        Value::Int(f.media_set_id),
                        Value::TinyInt(f.media.family_sequence as u8),
                        Value::Uuid(f.media.family),
                        Value::Int(1),
                        Value::Null,
                        text(&f.device),
                        Value::TinyInt(2),
                        Value::Int(512),
                        Value::TinyInt(0),
                    ]
                })
                .collect();
            Some(super::columns::table(
                "media_set_id:int! family_sequence_number:tinyint! media_family_id:guid media_count:int logical_device_name:nv128 physical_device_name:nv260 device_type:tinyint physical_block_size:int mirror:tinyint!",
                rows,
            ))
        }
        "backupmediaset" => {
            let mut seen = Vec::new();
            let mut rows = Vec::new();
            for f in &history.families {
                if !seen.contains(&f.media_set_id) {
                    seen.push(f.media_set_id);
                    rows.push(vec![
                        Value::Int(f.media_set_id),
                        Value::Uuid(f.media.media_set),
                        Value::TinyInt(f.media.family_count as u8),
                        opt_text(&f.media.media_name),
                        text("Microsoft SQL Server"),
                    ]);
                }
            }
            Some(super::columns::table(
                "media_set_id:int! media_uuid:guid media_family_count:tinyint name:nv128 software_name:nv128",
                rows,
            ))
        }
        "restorehistory" => {
            let rows = history
                .restores
                .iter()
                .map(|r| {
                    vec![
                        Value::Int(r.id),
                        date(r.date),
                        text(&r.database),
                        text(&r.user),
                        Value::Int(r.backup_set_id),
                        text(&r.kind.to_string()),
                        Value::Bit(r.replace),
                        Value::Bit(r.recovery),
                        Value::Bit(r.restart),
                        Value::Null,
                        Value::TinyInt(r.devices),
                        Value::Null,
                        Value::Null,
                    ]
                })
                .collect();
            Some(super::columns::table(
                "restore_history_id:int! restore_date:datetime destination_database_name:nv128 user_name:nv128 backup_set_id:int! restore_type:ch1 replace:bit recovery:bit restart:bit stop_at:datetime device_count:tinyint stop_at_mark_name:nv128 stop_before:bit",
                rows,
            ))
        }
        "restorefile" => {
            let mut rows = Vec::new();
            for r in &history.restores {
                for (number, path) in &r.files {
                    rows.push(vec![
                        Value::Int(r.id),
                        Value::lsn((*number).into()),
                        text(&path.chars().take(2).collect::<String>()),
                        text(path),
                    ]);
                }
            }
            Some(super::columns::table(
                "restore_history_id:int! file_number:num10 destination_phys_drive:nv260 destination_phys_name:nv260",
                rows,
            ))
        }
        _ => None,
    }
}

fn sets(view: &View, history: &History) -> Arc<TableDef> {
    let newer = view.inst().version.major >= 12;
    let rows = history
        .sets
        .iter()
        .map(|s| {
            let h = &s.header;
            let mut row = vec![
                Value::Int(s.id),
                Value::Uuid(h.set_guid),
                Value::Int(s.media_set_id),
                Value::TinyInt(1),
                Value::SmallInt(1),
                Value::Int(h.position.into()),
                opt_text(&h.name),
                opt_text(&h.description),
                text(&h.user),
                Value::TinyInt(h.version.0 as u8),
                Value::TinyInt(h.version.1 as u8),
                Value::SmallInt(h.version.2 as i16),
                Value::lsn(h.first_lsn.0),
                Value::lsn(h.last_lsn.0),
                Value::lsn(h.checkpoint_lsn.0),
                Value::lsn(h.database_backup_lsn.0),
                date(h.created),
                date(h.started),
                date(h.finished),
                text(if h.backup_type == 2 { "L" } else { "D" }),
                Value::TinyInt(h.compatibility),
                Value::Int(h.internal_version),
                Value::lsn(h.backup_size.into()),
                text(&h.database),
                text(&h.server),
                text(&h.machine),
                Value::Int(h.flags),
                text(&h.recovery_model),
                text(&h.collation),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(h.read_only),
                Value::Bit(h.single_user),
                Value::Bit(h.checksums),
                Value::Bit(h.damaged),
                Value::Bit(h.begins_chain),
                Value::Bit(h.incomplete_metadata),
                Value::Bit(h.force_offline),
                Value::Bit(h.copy_only),
                Value::Uuid(h.first_fork),
                Value::Uuid(h.last_fork),
                Value::optional(h.fork_point, |l| Value::lsn(l.0)),
                Value::Uuid(h.binding),
                Value::Uuid(h.family),
                Value::Null,
                Value::Null,
                Value::lsn(h.backup_size.into()),
            ];
            if newer {
                row.extend([Value::Null, Value::Null, Value::Null]);
            }
            row
        })
        .collect();
    let mut words = String::from(
        "backup_set_id:int! backup_set_uuid:guid! media_set_id:int! first_family_number:tinyint last_media_number:smallint position:int name:nv128 description:nv255 user_name:nv128 software_major_version:tinyint software_minor_version:tinyint software_build_version:smallint first_lsn:lsn last_lsn:lsn checkpoint_lsn:lsn database_backup_lsn:lsn database_creation_date:datetime backup_start_date:datetime backup_finish_date:datetime type:ch1 compatibility_level:tinyint database_version:int backup_size:num20 database_name:nv128 server_name:nv128 machine_name:nv128 flags:int recovery_model:nv60 collation_name:nv128 has_bulk_logged_data:bit is_snapshot:bit is_readonly:bit is_single_user:bit has_backup_checksums:bit is_damaged:bit begins_log_chain:bit has_incomplete_metadata:bit is_force_offline:bit is_copy_only:bit first_recovery_fork_guid:guid last_recovery_fork_guid:guid fork_point_lsn:lsn database_guid:guid family_guid:guid differential_base_lsn:lsn differential_base_guid:guid compressed_backup_size:num20",
    );
    if newer {
        words.push_str(" key_algorithm:nv32 encryptor_thumbprint:vb20 encryptor_type:nv32");
    }
    super::columns::table(&words, rows)
}
