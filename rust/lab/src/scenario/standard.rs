//! The standard topology: what a scenario is when it says nothing.

use super::*;

pub(super) fn yes() -> bool {
    true
}

pub(super) fn version() -> String {
    "2012".into()
}

pub(super) fn language() -> String {
    "us_english".into()
}

pub(super) fn collation() -> String {
    "SQL_Latin1_General_CP1_CI_AS".into()
}

pub(super) fn encryption() -> String {
    "on".into()
}

fn host(name: &str, site: &str) -> HostSettings {
    HostSettings { name: name.into(), fqdn: format!("{}.contoso.com", name.to_lowercase()), site: site.into() }
}

fn instance(role: InstanceRole, host: &str, name: Option<&str>) -> InstanceSettings {
    InstanceSettings {
        role,
        host: host.into(),
        name: name.map(Into::into),
        version: version(),
        language: language(),
        collation: collation(),
        agent_running: true,
        encryption: encryption(),
    }
}

impl Default for Scenario {
    fn default() -> Self {
        let mut backup_mirror = instance(InstanceRole::BackupMirror, "BM", Some("RTC"));
        backup_mirror.language = "Français".into();
        backup_mirror.collation = "Latin1_General_BIN2".into();
        Scenario {
            name: "default".into(),
            summary: "The standard topology with all well".into(),
            seed: 1,
            root: None,
            clock: ClockSettings::default(),
            utc_offset_minutes: 60,
            hosts: vec![
                host("P", HOME_SITE),
                host("PM", HOME_SITE),
                host("B", OTHER_SITE),
                host("BM", OTHER_SITE),
                host("MON", OTHER_SITE),
                host("FS1", OTHER_SITE),
                host("FS2", OTHER_SITE),
                host("s1", HOME_SITE),
                host("s2", HOME_SITE),
                host("s3", OTHER_SITE),
                host("s4", OTHER_SITE),
                host("fe1", HOME_SITE),
                host("fe2", OTHER_SITE),
            ],
            instances: vec![
                instance(InstanceRole::Primary, "P", Some("RTC")),
                instance(InstanceRole::PrimaryMirror, "PM", Some("RTC")),
                instance(InstanceRole::Backup, "B", Some("RTC")),
                backup_mirror,
                instance(InstanceRole::Monitor, "MON", None),
            ],
            shares: vec![
                ShareSettings { host: "FS1".into(), name: "LogShip".into() },
                ShareSettings { host: "FS2".into(), name: "mirror".into() },
                ShareSettings { host: "FS1".into(), name: "LyncPool1".into() },
                ShareSettings { host: "FS2".into(), name: "LyncPool2".into() },
            ],
            rights: Vec::new(),
            client_maps: vec![ClientMapSettings { host: "B".into(), path: r"E:\LSCopy".into() }],
            logins: vec![
                LoginSettings { name: "sa".into(), password: "Lab-passw0rd".into(), sysadmin: true },
                LoginSettings { name: "reader".into(), password: "Lab-passw0rd".into(), sysadmin: false },
            ],
            chat: ChatSettings::default(),
            log_shipping: LogShippingSettings::default(),
            readers: ReaderSettings::default(),
            rates: RateSettings::default(),
            full_backup_after_recovery: false,
            hosts_lost: Vec::new(),
            hosts_unreachable: Vec::new(),
            primary_site_lost: false,
            faults: Vec::new(),
            pool: PoolSettings::default(),
        }
    }
}

impl Default for ClockSettings {
    fn default() -> Self {
        ClockSettings { start_utc: None, rate: 1.0 }
    }
}

impl Default for ChatSettings {
    fn default() -> Self {
        ChatSettings {
            database: "mgc".into(),
            compliance_database: Some("mgccomp".into()),
            messages_in_full_backup: 100,
            messages_per_log_backup: 10,
            messages_after_last_log_backup: 7,
            messages_per_second: 0.0,
            owner: "sa".into(),
            broker: false,
            trustworthy: false,
            db_chaining: false,
        }
    }
}

impl Default for LogShippingSettings {
    fn default() -> Self {
        LogShippingSettings {
            configured: true,
            share: r"\\fs1\LogShip".into(),
            copy_folder: r"E:\LSCopy".into(),
            mode: SecondaryMode::Restoring,
            interval_minutes: 15,
            jobs_enabled: true,
            log_backups: 6,
            not_copied: 1,
            not_restored: 2,
            unfinished_newest: UnfinishedFile::None,
            missing: Vec::new(),
            damaged: Vec::new(),
            newest_age_minutes: 7.0,
            first_lsn: "4200000000000016800001".into(),
            log_backup_kilobytes: 64,
            full_backup_kilobytes: 256,
            monitor: Some("MON".into()),
            mirror_ships_too: true,
        }
    }
}

impl Default for RateSettings {
    fn default() -> Self {
        RateSettings {
            restore_mib_per_second: 0.0,
            backup_mib_per_second: 0.0,
            copy_mib_per_second: 0.0,
            rollback_milliseconds: 0,
            mirror_catch_up_milliseconds: 100,
        }
    }
}

impl Default for ReaderSettings {
    fn default() -> Self {
        ReaderSettings { count: 0, instance: r"B\RTC".into(), reconnect_milliseconds: 10 }
    }
}
