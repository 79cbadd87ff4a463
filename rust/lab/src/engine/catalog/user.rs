//! What lies inside user databases: the tables of the chat and of the compliance database, users, and the views that
//! list them.

use super::columns::*;
use super::View;
use crate::engine::compliance::PLACEHOLDERS;
use crate::engine::model::Database;
use lab_tsql::{TableDef, Value};
use std::sync::Arc;

/// Tables of the chat database and their ids. The message table is what a restore has to bring back.
const CHAT_TABLES: [(&str, i32); 4] = [
    ("tblChat", 2_105_058_535),
    ("tblNode", 2_105_058_599),
    ("tblPrincipal", 2_105_058_663),
    ("tblVersion", 2_105_058_727),
];

/// Tables of the compliance database, as the published schema names them.
const COMPLIANCE_TABLES: [(&str, i32); 3] = [
    ("tblComplianceData", 1_977_058_079),
    ("tblComplianceParticipant", 1_977_058_143),
    ("tblComplianceState", 1_977_058_207),
];

fn current<'a>(view: &'a View) -> Option<&'a Database> {
    view.inst().databases.iter().find(|d| d.id == view.database)
}

/// The user tables of a database.
fn tables_of(view: &View, database: &Database) -> &'static [(&'static str, i32)] {
    let compliance = view.world.compliance.database.as_ref().is_some_and(|name| view.inst().same(name, &database.name));
    match (database.chat, compliance) {
        (true, _) => &CHAT_TABLES,
        (false, true) => &COMPLIANCE_TABLES,
        (false, false) => &[],
    }
}

/// A user table of the current database.
pub fn table(view: &View, schema: &str, name: &str) -> Option<Arc<TableDef>> {
    let database = current(view)?;
    if !matches!(schema, "" | "dbo") {
        return None;
    }
    let (known, _) = tables_of(view, database).iter().find(|(n, _)| view.inst().same(n, name))?;
    Some(match *known {
        "tblChat" => super::columns::table(
            "chatId:bigint! channelId:int! userId:int! chatDate:bigint! content:nvmax!",
            database
                .records
                .iter()
                .map(|r| {
                    vec![
                        Value::BigInt(r.message as i64),
                        Value::Int(1),
                        Value::Int(1 + (r.message % 7) as i32),
                        Value::BigInt(r.message as i64 * 1000),
                        text(&format!("message {}", r.message)),
                    ]
                })
                .collect(),
        ),
        "tblNode" => super::columns::table(
            "nodeId:int! nodeName:nv256!",
            vec![vec![Value::Int(1), text("Operations")], vec![Value::Int(2), text("Trading")]],
        ),
        "tblPrincipal" => super::columns::table(
            "prinId:int! prinName:nv256!",
            (1..=7).map(|n| vec![Value::Int(n), text(&format!("user{n}"))]).collect(),
        ),
        "tblComplianceData" => events(view, database),
        "tblComplianceParticipant" => super::columns::table(
            "channelUri:nv255! userId:int! joinedAt:bigint! partedAt:bigint userUri:nv255! serverID:int sessionId:bigint",
            Vec::new(),
        ),
        "tblComplianceState" => {
            let last = view.world.compliance.processed.last().copied().unwrap_or(0);
            let row = vec![Value::BigInt(last as i64), Value::Int(-1), date(database.created)];
            super::columns::table(
                "lastProcessedEntryID:bigint! activeServerID:int! lockExpirationTime:datetime!",
                vec![row],
            )
        }
        _ => super::columns::table("version:int!", vec![vec![Value::Int(17)]]),
    })
}

/// Compliance events that the adapter has not processed.
fn events(view: &View, database: &Database) -> Arc<TableDef> {
    let now = view.world.local_now();
    let since_run = view.world.compliance.since_last_run(view.world.clock.now());
    let rows = database
        .records
        .iter()
        .map(|r| {
            let placeholder = r.message >= PLACEHOLDERS;
            // The entry date of a file transfer that was never finished lies far ahead; the others came since the last run.
            let entered = if placeholder { now + chrono::Duration::days(3650) } else { now - since_run };
            vec![
                Value::BigInt(r.message as i64),
                date(entered),
                Value::Int(if placeholder { 9 } else { 1 }),
                Value::BigInt((r.message % PLACEHOLDERS) as i64 * 1000),
                text("ma-chan://contoso.com/operations"),
                if placeholder { Value::Null } else { Value::BigInt(r.message as i64) },
                Value::Int(1 + (r.message % 7) as i32),
                text("sip:user1@contoso.com"),
                text(""),
            ]
        })
        .collect();
    super::columns::table(
        "cmplEventID:bigint! entryDate:datetime! cmplType:int! cmplTime:bigint! cmplChannelUri:nv255! cmplChatID:bigint cmplUserID:int! cmplUserUri:nv255! cmplMessage:nvmax",
        rows,
    )
}

fn rows_of(database: &Database, table: &str) -> i64 {
    match table {
        "tblChat" | "tblComplianceData" => database.records.len() as i64,
        "tblComplianceParticipant" => 0,
        "tblNode" => 2,
        "tblPrincipal" => 7,
        _ => 1,
    }
}

/// A view about the inside of the current database.
pub fn system(view: &View, name: &str) -> Option<Arc<TableDef>> {
    let database = current(view)?;
    let tables = tables_of(view, database);
    Some(match name {
        "tables" | "objects" | "sysobjects" => {
            let old = name == "sysobjects";
            let rows = tables
                .iter()
                .map(|(name, id)| {
                    if old {
                        return vec![
                            text(name),
                            Value::Int(*id),
                            text("U"),
                            Value::SmallInt(1),
                            date(database.created),
                        ];
                    }
                    vec![
                        text(name),
                        Value::Int(*id),
                        Value::Int(1),
                        text("U"),
                        text("USER_TABLE"),
                        date(database.created),
                        Value::Bit(false),
                    ]
                })
                .collect();
            let words = if old {
                "name:nv128! id:int! xtype:ch2! uid:smallint crdate:datetime!"
            } else {
                "name:nv128! object_id:int! schema_id:int! type:ch2! type_desc:nv60 create_date:datetime! is_ms_shipped:bit!"
            };
            super::columns::table(words, rows)
        }
        "schemas" => super::columns::table(
            "name:nv128! schema_id:int! principal_id:int",
            vec![vec![text("dbo"), Value::Int(1), Value::Int(1)], vec![text("sys"), Value::Int(4), Value::Int(4)]],
        ),
        "partitions" | "dm_db_partition_stats" => super::columns::table(
            "partition_id:bigint! object_id:int! index_id:int! partition_number:int! rows:bigint row_count:bigint",
            tables
                .iter()
                .map(|(name, id)| {
                    let count = rows_of(database, name);
                    vec![
                        Value::BigInt(i64::from(*id) << 16),
                        Value::Int(*id),
                        Value::Int(1),
                        Value::Int(1),
                        Value::BigInt(count),
                        Value::BigInt(count),
                    ]
                })
                .collect(),
        ),
        "sysindexes" => super::columns::table(
            "id:int! indid:smallint! rows:int",
            tables
                .iter()
                .map(|(name, id)| vec![Value::Int(*id), Value::SmallInt(1), Value::Int(rows_of(database, name) as i32)])
                .collect(),
        ),
        "indexes" => super::columns::table(
            "object_id:int! name:nv128 index_id:int! type:tinyint! type_desc:nv60",
            tables
                .iter()
                .map(|(_, id)| vec![Value::Int(*id), text("PK"), Value::Int(1), Value::TinyInt(1), text("CLUSTERED")])
                .collect(),
        ),
        "columns" | "all_columns" | "syscolumns" => {
            let mut rows = Vec::new();
            for (name, id) in tables {
                if let Some(found) = table(view, "dbo", name) {
                    for (index, column) in found.columns.iter().enumerate() {
                        rows.push(vec![Value::Int(*id), text(&column.name), Value::Int(index as i32 + 1)]);
                    }
                }
            }
            super::columns::table("object_id:int! name:nv128 column_id:int!", rows)
        }
        "database_principals" | "sysusers" => users(view, database),
        "database_permissions" => {
            super::columns::table("grantee_principal_id:int! permission_name:nv128 state_desc:nv60", Vec::new())
        }
        _ => return None,
    })
}

fn users(view: &View, database: &Database) -> Arc<TableDef> {
    let dbo = view.inst().login(&database.owner).map_or_else(|| vec![1], |l| l.sid.clone());
    let mut rows = vec![
        ("public".to_owned(), 0, vec![0], 'R'),
        ("dbo".to_owned(), 1, dbo, 'S'),
        ("guest".to_owned(), 2, vec![0], 'S'),
        ("db_owner".to_owned(), 16384, vec![0x40], 'R'),
    ];
    rows.extend(database.users.iter().map(|u| (u.name.clone(), u.id, u.sid.clone(), u.kind)));
    let rows = rows
        .into_iter()
        .map(|(name, id, sid, kind)| {
            let (desc, authentication) = match kind {
                'U' => ("WINDOWS_USER", (3, "WINDOWS")),
                'R' => ("DATABASE_ROLE", (0, "NONE")),
                _ => ("SQL_USER", (1, "INSTANCE")),
            };
            let mut row = vec![
                text(&name),
                Value::Int(id),
                text(&kind.to_string()),
                text(desc),
                if kind == 'R' { Value::Null } else { text("dbo") },
                date(database.created),
                date(database.created),
                Value::Binary(sid),
                Value::Bit(kind == 'R'),
            ];
            if view.inst().version.major >= 11 {
                row.push(Value::Int(authentication.0));
                row.push(text(authentication.1));
            }
            row
        })
        .collect();
    let mut words = String::from(
        "name:nv128! principal_id:int! type:ch1! type_desc:nv60 default_schema_name:nv128 create_date:datetime! modify_date:datetime! sid:vb85 is_fixed_role:bit!",
    );
    if view.inst().version.major >= 11 {
        words.push_str(" authentication_type:int! authentication_type_desc:nv60");
    }
    super::columns::table(&words, rows)
}

/// A view of INFORMATION_SCHEMA.
pub fn information_schema(view: &View, name: &str) -> Option<Arc<TableDef>> {
    let database = current(view)?;
    (name == "tables").then(|| {
        let tables = tables_of(view, database);
        super::columns::table(
            "TABLE_CATALOG:nv128 TABLE_SCHEMA:nv128 TABLE_NAME:nv128! TABLE_TYPE:nv10",
            tables.iter().map(|(n, _)| vec![text(&database.name), text("dbo"), text(n), text("BASE TABLE")]).collect(),
        )
    })
}

/// The object id of a user table.
pub fn object_id(view: &View, name: &str) -> Option<i32> {
    tables_of(view, current(view)?).iter().find(|(n, _)| view.inst().same(n, name)).map(|(_, id)| *id)
}
