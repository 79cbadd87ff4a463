//! A hand-made baseline for tests: all four instances healthy, log shipping from both partners to the backup.

use uuid::Uuid;

use super::*;
use crate::evidence::sample::{at, database, facts, mirror, utc};
use crate::evidence::Reading;
use crate::names::ServerPath;
use crate::pool::{PoolService, PoolStateReading, Store};
use crate::sql::database::{DatabaseFile, DatabaseState};
use crate::sql::database_options::DatabaseOptions;
use crate::sql::job::{Job, JobSchedule};
use crate::sql::log_shipping::{RestoreMode, SecondaryMonitor, SecondaryRecord};
use crate::sql::log_shipping_primary::{PrimaryMonitor, PrimaryRecord};
use crate::sql::mirror::{MirrorEndpoint, MirrorRole, MirrorState};
use crate::sql::principal::{DatabaseUser, ServerLogin};

pub(crate) fn baseline() -> Baseline {
    let known = |name: &str| Some(name.to_string());
    Baseline {
        version: BASELINE_VERSION,
        saved_at_utc: utc(1, 0),
        database: "mgc".to_string(),
        compliance_database: "mgccomp".to_string(),
        pool: PoolBaseline {
            pool_fqdn: known("pchat.contoso.com"),
            service: Reading::Known(Some(PoolService {
                identity: "PersistentChatServer:pchat.contoso.com".to_string(),
                pool_fqdn: "pchat.contoso.com".to_string(),
                active_servers: Some(vec!["s1.contoso.com".to_string(), "s2.contoso.com".to_string()]),
                primary_store: known("p.contoso.com"),
                primary_mirror_store: known("pm.contoso.com"),
                backup_store: known("b.contoso.com"),
                backup_mirror_store: known("bm.contoso.com"),
                ..PoolService::default()
            })),
            members: Reading::Known(vec!["s1.contoso.com".to_string(), "s2.contoso.com".to_string()]),
            state: Reading::Known(PoolStateReading {
                identity: "PersistentChatServer:pchat.contoso.com".to_string(),
                state: "Normal".to_string(),
            }),
            stores: Reading::Known(vec![Store { sql_fqdn: "p.contoso.com".to_string(), instance: known("RTC") }]),
        },
        instances: vec![
            instance(InstanceRole::Primary, r"P\RTC"),
            instance(InstanceRole::PrimaryMirror, r"PM\RTC"),
            instance(InstanceRole::Backup, r"B\RTC"),
            instance(InstanceRole::BackupMirror, r"BM\RTC"),
        ],
        unread: Vec::new(),
    }
}

fn instance(role: InstanceRole, name: &str) -> InstanceBaseline {
    let is_home = matches!(role, InstanceRole::Primary | InstanceRole::PrimaryMirror);
    let (primary, secondary) = match role {
        InstanceRole::Primary | InstanceRole::PrimaryMirror => (Some(primary_record()), None),
        InstanceRole::Backup => (None, Some(secondary_record())),
        InstanceRole::BackupMirror => (None, None),
    };
    let mirroring = is_home.then(|| {
        let role = if role == InstanceRole::Primary { MirrorRole::Principal } else { MirrorRole::Mirror };
        mirror(role, MirrorState::Synchronized)
    });
    let state = if role == InstanceRole::Primary { DatabaseState::Online } else { DatabaseState::Restoring };
    let jobs = match role {
        InstanceRole::Backup => {
            vec![log_shipping_job(JobPurpose::Copy, 0xC0), log_shipping_job(JobPurpose::Restore, 0xD0)]
        }
        InstanceRole::BackupMirror => Vec::new(),
        _ => vec![log_shipping_job(JobPurpose::Backup, 0xB0)],
    };
    InstanceBaseline {
        role,
        sql_instance: name.to_string(),
        facts: Reading::Known(facts()),
        mirror_endpoint: Reading::Known(Some(MirrorEndpoint {
            name: "Mirroring".to_string(),
            is_started: true,
            port: Some(5022),
            role: 1,
        })),
        database: Reading::Known((role != InstanceRole::BackupMirror).then(|| DatabaseBaseline {
            facts: database(state),
            options: Reading::Known(Some(options())),
            files: Reading::Known(vec![DatabaseFile {
                file_id: 1,
                is_log: false,
                logical_name: "mgc".to_string(),
                path: ServerPath::new(r"E:\Data\mgc.mdf"),
                size_bytes: 1 << 30,
            }]),
            mirroring: Reading::Known(mirroring),
            users: match state {
                DatabaseState::Online => Reading::Known(vec![user()]),
                _ => Reading::NotAsked("the copy is restoring".to_string()),
            },
        })),
        compliance: Reading::Known(None),
        log_shipping_primary: Reading::Known(primary),
        log_shipping_secondary: Reading::Known(secondary),
        jobs: Reading::Known(jobs),
        logins: Reading::Known(vec![ServerLogin {
            name: r"CONTOSO\RTCServices".to_string(),
            login_type: "G".to_string(),
            sid: "0x0105".to_string(),
            is_disabled: false,
        }]),
    }
}

fn options() -> DatabaseOptions {
    DatabaseOptions {
        page_verify: 2,
        is_auto_shrink: false,
        is_auto_create_statistics: true,
        is_auto_update_statistics: true,
        is_read_committed_snapshot: false,
        snapshot_isolation: 0,
        is_parameterization_forced: false,
        is_encrypted: false,
    }
}

fn user() -> DatabaseUser {
    DatabaseUser {
        name: r"CONTOSO\RTCServices".to_string(),
        user_type: "G".to_string(),
        sid: "0x0105".to_string(),
        login: Some(r"CONTOSO\RTCServices".to_string()),
    }
}

fn log_shipping_job(purpose: JobPurpose, id: u128) -> LogShippingJob {
    LogShippingJob {
        purpose,
        job: Job {
            job_id: Uuid::from_u128(id),
            name: format!("LS{}_mgc", purpose.as_text()),
            is_enabled: true,
            is_running: false,
            description: None,
            owner: Some("sa".to_string()),
            schedules: vec![schedule()],
        },
    }
}

pub(crate) fn schedule() -> JobSchedule {
    JobSchedule {
        schedule_id: 7,
        name: "every 15 minutes".to_string(),
        is_enabled: true,
        freq_type: 4,
        freq_interval: 1,
        freq_subday_type: 4,
        freq_subday_interval: 15,
        freq_relative_interval: 0,
        freq_recurrence_factor: 0,
        active_start_date: 20260101,
        active_end_date: 99991231,
        active_start_time: 0,
        active_end_time: 235900,
    }
}

pub(crate) fn primary_record() -> PrimaryRecord {
    PrimaryRecord {
        primary_database: "mgc".to_string(),
        primary_id: Uuid::from_u128(0xA0),
        backup_directory: ServerPath::new(r"\\fs1\LogShip"),
        backup_share: ServerPath::new(r"\\fs1\LogShip"),
        backup_retention_minutes: 4320,
        backup_job_id: Uuid::from_u128(0xB0),
        monitor_server: r"P\RTC".to_string(),
        monitor_by_windows_login: true,
        last_backup_file: Some(r"\\fs1\LogShip\mgc_20260314010000.trn".to_string()),
        last_backup_at: Some(at(1, 0)),
        backup_compression: 2,
        monitor: Some(PrimaryMonitor {
            primary_server: r"P\RTC".to_string(),
            backup_threshold_minutes: 60,
            threshold_alert: 14420,
            threshold_alert_enabled: true,
            history_retention_minutes: 5760,
        }),
        secondaries: vec![(r"B\RTC".to_string(), "mgc".to_string())],
    }
}

pub(crate) fn secondary_record() -> SecondaryRecord {
    SecondaryRecord {
        secondary_database: "mgc".to_string(),
        secondary_id: Uuid::from_u128(0xE0),
        primary_server: r"P\RTC".to_string(),
        primary_database: "mgc".to_string(),
        backup_source_directory: ServerPath::new(r"\\fs1\LogShip"),
        backup_destination_directory: ServerPath::new(r"E:\LSCopy"),
        file_retention_minutes: 4320,
        copy_job_id: Uuid::from_u128(0xC0),
        restore_job_id: Uuid::from_u128(0xD0),
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
        monitor: Some(SecondaryMonitor {
            restore_threshold_minutes: 45,
            threshold_alert: 14421,
            threshold_alert_enabled: true,
            history_retention_minutes: 5760,
            last_copied_file: None,
            last_copied_at_utc: None,
            last_restored_file: None,
            last_restored_at_utc: None,
            last_restored_latency_minutes: None,
        }),
        other_databases: Vec::new(),
    }
}
