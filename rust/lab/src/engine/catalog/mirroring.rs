//! Mirroring views and endpoints.

use super::columns::*;
use super::View;
use lab_tsql::{TableDef, Value};
use std::sync::Arc;

/// A view about mirroring, by lower-case name.
pub fn table(view: &View, name: &str) -> Option<Arc<TableDef>> {
    match name {
        "database_mirroring" => Some(databases(view)),
        "database_mirroring_endpoints" => Some(endpoints(view)),
        "tcp_endpoints" => Some(tcp(view)),
        "endpoints" => Some(tcp(view)),
        "database_mirroring_witnesses" => Some(super::columns::table(
            "database_name:nv128! principal_server_name:nv128 mirror_server_name:nv128",
            Vec::new(),
        )),
        _ => None,
    }
}

fn databases(view: &View) -> Arc<TableDef> {
    const COLUMNS: usize = 21;
    let rows = view
        .inst()
        .databases
        .iter()
        .map(|d| {
            let mut row = vec![Value::Int(d.id.into())];
            let hidden = d.is_mirror_copy() && !view.sees_all();
            match d.mirroring.as_ref().filter(|m| !hidden && !m.waiting) {
                None => row.resize(COLUMNS, Value::Null),
                Some(m) => {
                    let (state, state_desc) = view.world.mirroring_state(m, &d.name);
                    row.extend([
                        Value::Uuid(m.guid),
                        Value::TinyInt(state),
                        text(state_desc),
                        Value::TinyInt(if m.principal { 1 } else { 2 }),
                        text(if m.principal { "PRINCIPAL" } else { "MIRROR" }),
                        Value::Int(m.role_sequence),
                        Value::TinyInt(if m.safety_full { 2 } else { 1 }),
                        text(if m.safety_full { "FULL" } else { "OFF" }),
                        Value::Int(1),
                        text(&m.partner_address),
                        text(&view.world.instances[m.partner].name),
                        text(""),
                        Value::TinyInt(0),
                        text("UNKNOWN"),
                        Value::lsn(d.log_end.0),
                        Value::Int(m.timeout_seconds),
                        Value::Null,
                        text("UNLIMITED"),
                        Value::lsn(d.log_end.0),
                        Value::lsn(d.log_end.0),
                    ]);
                }
            }
            row
        })
        .collect();
    super::columns::table(
        "database_id:int! mirroring_guid:guid mirroring_state:tinyint mirroring_state_desc:nv60 mirroring_role:tinyint mirroring_role_desc:nv60 mirroring_role_sequence:int mirroring_safety_level:tinyint mirroring_safety_level_desc:nv60 mirroring_safety_sequence:int mirroring_partner_name:nv128 mirroring_partner_instance:nv128 mirroring_witness_name:nv128 mirroring_witness_state:tinyint mirroring_witness_state_desc:nv60 mirroring_failover_lsn:lsn mirroring_connection_timeout:int mirroring_redo_queue:int mirroring_redo_queue_type:nv60 mirroring_end_of_log_lsn:lsn mirroring_replication_lsn:lsn",
        rows,
    )
}

fn endpoints(view: &View) -> Arc<TableDef> {
    let (state, state_desc) = endpoint_state(view);
    let row = vec![
        text("Mirroring"),
        Value::Int(65536),
        Value::Int(1),
        Value::TinyInt(2),
        text("TCP"),
        Value::TinyInt(4),
        text("DATABASE_MIRRORING"),
        Value::TinyInt(state),
        text(state_desc),
        Value::Bit(false),
        Value::TinyInt(1),
        text("PARTNER"),
        Value::Bit(true),
        Value::TinyInt(3),
        text("NEGOTIATE"),
        Value::Int(0),
        Value::TinyInt(2),
        text("AES"),
    ];
    super::columns::table(
        "name:nv128! endpoint_id:int! principal_id:int! protocol:tinyint! protocol_desc:nv60 type:tinyint! type_desc:nv60 state:tinyint! state_desc:nv60 is_admin_endpoint:bit! role:tinyint role_desc:nv60 is_encryption_enabled:bit! connection_auth:tinyint! connection_auth_desc:nv60 certificate_id:int! encryption_algorithm:tinyint! encryption_algorithm_desc:nv60",
        vec![row],
    )
}

fn endpoint_state(view: &View) -> (u8, &'static str) {
    if view.world.endpoint_works(view.instance) {
        (0, "STARTED")
    } else {
        (1, "STOPPED")
    }
}

fn tcp(view: &View) -> Arc<TableDef> {
    let row = |name: &str, id: i32, kind: u8, kind_desc: &str, port: u16, dynamic: bool| {
        let (state, state_desc) = if kind == 4 { endpoint_state(view) } else { (0, "STARTED") };
        vec![
            text(name),
            Value::Int(id),
            Value::Int(1),
            Value::TinyInt(2),
            text("TCP"),
            Value::TinyInt(kind),
            text(kind_desc),
            Value::TinyInt(state),
            text(state_desc),
            Value::Bit(false),
            Value::Int(port.into()),
            Value::Bit(dynamic),
            Value::Null,
        ]
    };
    let rows = vec![
        row("TSQL Default TCP", 4, 2, "TSQL", 0, true),
        row("Mirroring", 65536, 4, "DATABASE_MIRRORING", view.inst().mirroring_port, false),
    ];
    super::columns::table(
        "name:nv128! endpoint_id:int! principal_id:int protocol:tinyint! protocol_desc:nv60 type:tinyint! type_desc:nv60 state:tinyint state_desc:nv60 is_admin_endpoint:bit! port:int! is_dynamic_port:bit! ip_address:nv45",
        rows,
    )
}
