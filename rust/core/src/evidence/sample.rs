//! Hand-made evidence for tests: a dead primary, a backup in order, four log backups of which the last is not copied.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::document::{FailoverRequest, Folders, JournalPlace, Spellings, Target};
use crate::log_chain::{
    BackupType, Candidate, Header, Listing, Place, PlaceId, PlaceState, RedoPoint, Trouble, UnreadFile,
};
use crate::names::{Lsn, ServerPath};
use crate::pool::{PoolService, PoolStateReading, Replica, Store};
use crate::sql::database::{DatabaseFacts, DatabaseFile, DatabaseState, UserAccess};
use crate::sql::instance::{AgentState, InstanceFacts};
use crate::sql::job::Job;
use crate::sql::log_shipping::{RestoreMode, SecondaryRecord};
use crate::sql::mirror::{Mirror, MirrorRole, MirrorState};

pub(crate) const FORK: Uuid = Uuid::from_u128(0xF0);
pub(crate) const FAMILY: Uuid = Uuid::from_u128(0xFA);
pub(crate) const COPY_JOB: Uuid = Uuid::from_u128(0xC0);
pub(crate) const RESTORE_JOB: Uuid = Uuid::from_u128(0xD0);

pub(crate) fn at(hour: u32, minute: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, 14).and_then(|day| day.and_hms_opt(hour, minute, 0)).unwrap_or_default()
}

pub(crate) fn utc(hour: u32, minute: u32) -> DateTime<Utc> {
    at(hour, minute).and_utc()
}

pub(crate) fn lsn(value: u128) -> Lsn {
    Lsn::new(value).unwrap_or_default()
}

/// The name of the log backup of quarter `number` after 02:00.
pub(crate) fn file_name(number: u32) -> String {
    format!("mgc_2026031402{:02}00.trn", number * 15 - 15)
}

/// Log backup `number` from 1: LSN number*1000 to number*1000+1000, one mebibyte.
pub(crate) fn header(number: u32) -> Header {
    Header {
        backup_type: BackupType::Log,
        database_name: "mgc".into(),
        family_id: FAMILY,
        first_lsn: lsn(u128::from(number) * 1000),
        last_lsn: lsn(u128::from(number) * 1000 + 1000),
        first_fork_id: FORK,
        last_fork_id: FORK,
        fork_point_lsn: None,
        backup_set_id: Uuid::from_u128(u128::from(number)),
        media_set_id: Uuid::from_u128(0x1000 + u128::from(number)),
        family_count: 1,
        family_number: 1,
        position: 1,
        size_bytes: 1 << 20,
        started_at: at(2, number * 15 - 15),
        finished_at: at(2, number * 15 - 14),
        server_name: r"P\RTC".into(),
        has_checksums: true,
        is_damaged: false,
        is_copy_only: false,
        is_tail: false,
        begins_log_chain: false,
        software_major: 11,
    }
}

fn folder_of(place: PlaceId) -> ServerPath {
    match place {
        PlaceId::COPY_FOLDER => ServerPath::new(r"E:\LSCopy"),
        PlaceId::SHARE => ServerPath::new(r"\\fs1\LogShip"),
        _ => ServerPath::new(r"\\fs3\Extra"),
    }
}

pub(crate) fn candidate(number: u32, place: PlaceId) -> Candidate {
    let name = file_name(number);
    Candidate {
        path: folder_of(place).join(&name),
        name: name.into(),
        place,
        header: Arc::new(header(number)),
        file_bytes: 1 << 20,
        modified_at: Some(at(2, number * 15 - 14)),
        trouble: None,
    }
}

/// A file that nobody could read the header of.
pub(crate) fn unread(number: u32, place: PlaceId, trouble: Trouble) -> UnreadFile {
    let name = file_name(number);
    UnreadFile {
        path: folder_of(place).join(&name),
        name: name.into(),
        place,
        file_bytes: 1 << 20,
        modified_at: Some(at(2, number * 15 - 14)),
        trouble,
    }
}

pub(crate) fn seen(numbers: &[u32]) -> Vec<FileSeen> {
    let file = |number: &u32| FileSeen {
        name: file_name(*number).into(),
        size_bytes: 1 << 20,
        modified_at_utc: Some(utc(2, number * 15 - 14)),
    };
    numbers.iter().map(file).collect()
}

/// The evidence in order: nothing fails, a failover may start.
pub(crate) fn evidence() -> Evidence {
    let job = |job_id, name: &str| Job {
        job_id,
        name: name.to_string(),
        is_enabled: true,
        is_running: false,
        description: None,
        owner: Some("sa".to_string()),
        schedules: Vec::new(),
    };
    Evidence {
        gathered_at_utc: utc(3, 0),
        sql_instance: r"B\RTC".to_string(),
        database: "mgc".to_string(),
        instance: facts(),
        default_backup_folder: Some(ServerPath::new(r"E:\Backup")),
        mirror_endpoint: None,
        state: Some(DatabaseEvidence {
            facts: database(DatabaseState::Restoring),
            mirroring: None,
            files: vec![DatabaseFile {
                file_id: 1,
                is_log: false,
                logical_name: "mgc".to_string(),
                path: ServerPath::new(r"E:\Data\mgc.mdf"),
                size_bytes: 1 << 30,
            }],
        }),
        log_shipping: LogShippingEvidence {
            source: LogShippingSource::Record,
            record: Some(record()),
            copy_job: Some(job(COPY_JOB, "LSCopy_P_mgc")),
            restore_job: Some(job(RESTORE_JOB, "LSRestore_P_mgc")),
            copy_job_failed: false,
            can_ignore_monitor: false,
            history_folders: Vec::new(),
        },
        files: files(),
        sessions: Reading::Known(Vec::new()),
        orphaned_users: Reading::NotAsked("the database is RESTORING".to_string()),
        primary: PrimaryEvidence {
            name: Some(r"P\RTC".to_string()),
            database_name: "mgc".to_string(),
            answer: EndpointAnswer::Unreachable { why: "no answer within 5 s".to_string() },
            first_failed_probe_utc: Some(utc(2, 59)),
            database: Reading::Unknown("silent".to_string()),
            mirror: MirrorInstanceEvidence {
                name: Some(r"PM\RTC".to_string()),
                answer: EndpointAnswer::Unreachable { why: "no answer within 5 s".to_string() },
                database: Reading::Unknown("silent".to_string()),
            },
            elsewhere: Vec::new(),
            later_files: Reading::Known(Vec::new()),
            monitor: MonitorEvidence {
                name: None,
                answer: EndpointAnswer::NotNamed,
                last_backup: Reading::NotAsked("there is none".to_string()),
            },
        },
        backup_mirror: MirrorInstanceEvidence {
            name: Some(r"BM\RTC".to_string()),
            answer: EndpointAnswer::LoggedIn,
            database: Reading::Known(RemoteDatabase::default()),
        },
        pool: pool(),
        mirror_file_share: Reading::Known(ShareEvidence {
            path: r"\\fs2\mirror".to_string(),
            seen_by_client: Some(true),
            seen_by_server: Some(true),
        }),
        journal: JournalEvidence {
            folder: "/journal".to_string(),
            folder_problem: None,
            copy_folder: Some("/mnt/LSCopy".to_string()),
            copy_problem: None,
            open_run: None,
        },
        lock_holder: Reading::Known(None),
        compliance: Vec::new(),
    }
}

pub(crate) fn database(state: DatabaseState) -> DatabaseFacts {
    DatabaseFacts {
        name: "mgc".to_string(),
        database_id: 7,
        state,
        is_read_only: state == DatabaseState::Standby,
        user_access: UserAccess::MultiUser,
        recovery_model: 1,
        compatibility_level: 110,
        collation: None,
        owner: Some("sa".to_string()),
        is_broker_enabled: false,
        is_trustworthy: false,
        is_db_chaining: false,
        is_auto_close: false,
        created_at: at(0, 0),
    }
}

pub(crate) fn facts() -> InstanceFacts {
    InstanceFacts {
        server_name: r"B\RTC".to_string(),
        machine_name: "B".to_string(),
        product_version: "11.0.7001.0".to_string(),
        major_version: 11,
        minor_version: 0,
        edition: "Standard Edition (64-bit)".to_string(),
        engine_edition: 2,
        collation: "Latin1_General_CI_AS".to_string(),
        default_language: None,
        login: "sa".to_string(),
        is_sysadmin: true,
        sees_all_sessions: true,
        agent: AgentState::Running,
        lab_id: None,
        utc_offset_minutes: 0,
        now_utc: at(3, 0),
    }
}

fn record() -> SecondaryRecord {
    SecondaryRecord {
        secondary_database: "mgc".to_string(),
        secondary_id: Uuid::from_u128(0x5E),
        primary_server: r"P\RTC".to_string(),
        primary_database: "mgc".to_string(),
        backup_source_directory: ServerPath::new(r"\\fs1\LogShip"),
        backup_destination_directory: ServerPath::new(r"E:\LSCopy"),
        file_retention_minutes: 4320,
        copy_job_id: COPY_JOB,
        restore_job_id: RESTORE_JOB,
        monitor_server: r"B\RTC".to_string(),
        monitor_by_windows_login: true,
        restore_delay_minutes: 0,
        restore_all: true,
        restore_mode: RestoreMode::NoRecovery,
        disconnect_users: false,
        block_size: None,
        buffer_count: None,
        max_transfer_size: None,
        last_copied_file: None,
        last_copied_at: None,
        last_restored_file: None,
        last_restored_at: None,
        monitor: None,
        other_databases: Vec::new(),
    }
}

/// A place as both sides see it.
pub(crate) fn place(id: PlaceId, role: PlaceRole, numbers: &[u32]) -> PlaceEvidence {
    PlaceEvidence {
        place: id.0,
        role,
        path: folder_of(id),
        client_path: Some(format!("/mnt/{}", folder_of(id).file_name())),
        by_client: Reading::Known(seen(numbers)),
        by_server: Reading::Known(numbers.iter().map(|number| file_name(*number).into()).collect()),
        server_reads_files: true,
        is_candidate: true,
        unproved: None,
    }
}

/// Restored up to the end of the first; 2 and 3 copied; 4 on the share alone.
fn files() -> FileEvidence {
    let mut candidates: Vec<Candidate> = [1, 2, 3].iter().map(|n| candidate(*n, PlaceId::COPY_FOLDER)).collect();
    candidates.extend([1, 2, 3, 4].iter().map(|n| candidate(*n, PlaceId::SHARE)));
    let listed = |id: PlaceId| Place { id, path: folder_of(id), state: PlaceState::Listed };
    FileEvidence {
        places: vec![
            place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[1, 2, 3]),
            place(PlaceId::SHARE, PlaceRole::Share, &[1, 2, 3, 4]),
        ],
        listing: Listing {
            places: vec![listed(PlaceId::COPY_FOLDER), listed(PlaceId::SHARE)],
            candidates,
            writer_offset_minutes: Some(0),
            ..Listing::default()
        },
        redo: Reading::Known(RedoPoint { family_id: Some(FAMILY), ..RedoPoint::new(lsn(2000), FORK) }),
        free_bytes: Reading::Known(10 << 30),
    }
}

fn pool() -> PoolEvidence {
    let fqdn = "pchat.contoso.com".to_string();
    let servers: Vec<String> = (1..=4).map(|n| format!("s{n}.contoso.com")).collect();
    let names = ["Get-CsService", "Get-CsPool", "Get-CsPersistentChatState", "Set-CsPersistentChatState"];
    let command =
        |name: &&str| CommandOrigin { name: name.to_string(), module: Some("Lync".to_string()), stand_in: false };
    PoolEvidence {
        pool_fqdn: Some(fqdn.clone()),
        commands: names.iter().map(command).collect(),
        service: Reading::Known(Some(PoolService {
            identity: format!("PersistentChatServer:{fqdn}"),
            pool_fqdn: fqdn.clone(),
            site: Some("Home".to_string()),
            version: Some(6),
            registrar: Some("fe.contoso.com".to_string()),
            file_store: Some("fs1.contoso.com".to_string()),
            active_servers: Some(servers[..2].to_vec()),
            inactive_servers: Some(servers[2..].to_vec()),
            primary_store: Some("p.contoso.com".to_string()),
            primary_mirror_store: Some("pm.contoso.com".to_string()),
            backup_store: Some("b.contoso.com".to_string()),
            backup_mirror_store: Some("bm.contoso.com".to_string()),
            ..PoolService::default()
        })),
        known_pools: vec![fqdn.clone()],
        members: Reading::Known(servers.clone()),
        state: Reading::Known(PoolStateReading {
            identity: format!("PersistentChatServer:{fqdn}"),
            state: "Normal".to_string(),
        }),
        replicas: Reading::Known(
            servers
                .iter()
                .map(|server| Replica { server: server.clone(), up_to_date: true, last_update_created: None })
                .collect(),
        ),
        stores: Reading::Known(vec![Store {
            sql_fqdn: "b.contoso.com".to_string(),
            instance: Some("RTC".to_string()),
        }]),
        state_right: Reading::Known(format!("PersistentChatServer:{fqdn}")),
        active_list_right: Reading::Known("global".to_string()),
        on_word: Vec::new(),
        test_pools: Reading::Known(Vec::new()),
        servers: servers[2..].iter().map(|server| ServerAnswer { server: server.clone(), why: None }).collect(),
    }
}

pub(crate) fn mirror(role: MirrorRole, state: MirrorState) -> Mirror {
    Mirror {
        database: "mgc".into(),
        mirroring_id: FORK,
        role,
        state,
        partner_name: None,
        partner_instance: None,
        witness_name: None,
        safety_level: Some(2),
        role_sequence: Some(1),
        timeout_seconds: Some(10),
    }
}

/// The request that goes with it.
pub(crate) fn request() -> FailoverRequest {
    FailoverRequest {
        version: 1,
        target: Target {
            sql_instance: r"B\RTC".to_string(),
            database: "mgc".to_string(),
            pool_fqdn: Some("pchat.contoso.com".to_string()),
        },
        folders: Folders::default(),
        journal: JournalPlace::default(),
        active_servers: vec!["s3.contoso.com".to_string(), "s4.contoso.com".to_string()],
        mirror_file_share: Some(r"\\fs2\mirror".to_string()),
        primary_sql_instance: None,
        primary_mirror_sql_instance: None,
        backup_mirror_sql_instance: None,
        monitor_sql_instance: None,
        outage_utc: None,
        accept_data_loss: None,
        ignore_witness: Vec::new(),
        mirror_after_active_servers: false,
        no_log_backup: false,
        log_backup_path: None,
        log_backup_interval_minutes: 15,
        max_megabytes_per_second: None,
        probe_timeout_seconds: 5,
        pool_timeout_seconds: 600,
        spellings: Spellings::default(),
    }
}
