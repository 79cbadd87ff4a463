//! Log shipping from both partners, over days and role swaps, and in both directions.

mod common;

use common::*;
use pchat_lab::engine::Engine;
use serde_json::json;

const DAY: i64 = 86_400;

async fn configured(changes: serde_json::Value) -> Engine {
    let mut scenario = json!({
        "log_shipping": { "log_backups": 3, "not_copied": 0, "not_restored": 0, "log_backup_kilobytes": 4 },
        "chat": { "messages_per_second": 0.02 },
        "rates": { "mirror_catch_up_milliseconds": 0 },
    });
    for (name, value) in changes.as_object().expect("object") {
        for (member, value) in value.as_object().expect("object") {
            scenario[name][member] = value.clone();
        }
    }
    engine(scenario).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_of_log_shipping_with_role_swaps_every_day_fails_no_restore() {
    let engine = configured(json!({ "log_shipping": { "interval_minutes": 20 } })).await;
    let (mut principal, mut mirror) = (P, PM);
    for _ in 0..7 {
        engine.pass_time(DAY).await;
        mirroring_becomes(&engine, principal, "SYNCHRONIZED").await;
        sql(&engine, principal, "ALTER DATABASE mgc SET PARTNER FAILOVER").await;
        (principal, mirror) = (mirror, principal);
        mirroring_becomes(&engine, principal, "SYNCHRONIZED").await;
    }
    engine.pass_time(3600).await;
    for (instance, jobs) in [(B, "LSRestore%"), (B, "LSCopy%"), (P, "LSBackup%"), (PM, "LSBackup%")] {
        assert_eq!(failed_runs(&engine, instance, jobs).await, [""; 0], "{instance} {jobs}");
    }
    let (held, there) = (messages(&engine, B), messages(&engine, principal));
    assert!(there.len() > 130 + 12_000, "{}", there.len());
    assert!(held.len() > there.len() - 80, "{} of {}", held.len(), there.len());
    let kept = files(&engine, B, r"\\fs1\LogShip").await.len();
    assert!((212..=222).contains(&kept), "three days of files, not {kept}");
    assert!((212..=222).contains(&files(&engine, B, r"E:\LSCopy").await.len()));
    let alerts = engine.world().alerts.clone();
    assert!(alerts.iter().all(|a| a.number == 14420), "the secondary is never late");
    assert!(alerts.iter().any(|a| a.server == mirror), "a mirror takes no backups: {}", alerts.len());
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_shipping_on_the_mirror_needs_the_swap_there_and_back() {
    let engine = configured(json!({ "log_shipping": { "mirror_ships_too": false } })).await;
    let add = add_primary(r"\\fs1\LogShip");
    assert_eq!(errors(&engine, P, &add).await[0], 32009);
    assert_eq!(errors(&engine, PM, &add).await[0], 32007);
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER FAILOVER").await;
    assert_eq!(errors(&engine, P, "EXEC sp_delete_log_shipping_primary_database N'mgc'").await, [32011]);
    mirroring_becomes(&engine, PM, "SYNCHRONIZED").await;
    sql(&engine, PM, &add).await;
    sql(&engine, PM, r"EXEC master.dbo.sp_add_log_shipping_primary_secondary N'mgc', N'B\RTC', N'mgc'").await;
    engine.pass_time(3600).await;
    let last = "SELECT last_backup_file FROM msdb.dbo.log_shipping_primary_databases";
    assert!(text(&sql(&engine, PM, last).await).starts_with(r"\\fs1\LogShip\mgc_"));
    sql(&engine, PM, "ALTER DATABASE mgc SET PARTNER FAILOVER").await;
    mirroring_becomes(&engine, P, "SYNCHRONIZED").await;
    engine.pass_time(2 * 3600).await;
    assert_eq!(failed_runs(&engine, B, "LSRestore%").await, [""; 0]);
    let server = "SELECT TOP (1) s.server_name FROM msdb.dbo.restorehistory r JOIN msdb.dbo.backupset s ON s.backup_set_id = r.backup_set_id ORDER BY r.restore_history_id DESC";
    assert_eq!(text(&sql(&engine, B, server).await), P);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_no_primary_any_more_is_told_by_alerts_and_by_its_records() {
    let engine = configured(json!({})).await;
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    sql(&engine, P, r"BACKUP LOG mgc TO DISK = N'\\fs1\LogShip\mgc_20990101000000.trn' WITH NORECOVERY").await;
    engine.pass_time(2 * 3600).await;
    let alerted =
        |number: i32, server: &str| engine.world().alerts.iter().any(|a| a.number == number && a.server == server);
    assert!(alerted(14420, P) && alerted(14421, B));
    let failed = failed_runs(&engine, "MON", "LSAlert%").await;
    assert!(failed[0].contains("14420") || failed[0].contains("14421"), "{failed:?}");
    let secondary = add_secondary(P, r"E:\LSCopy");
    assert_eq!(errors(&engine, B, &secondary).await[0], 32024);
    sql(&engine, P, r"EXEC sp_delete_log_shipping_primary_secondary N'mgc', N'B\RTC', N'mgc'").await;
    sql(&engine, P, "EXEC sp_delete_log_shipping_primary_database N'mgc'").await;
    assert_eq!(errors(&engine, P, "EXEC sp_delete_log_shipping_primary_database N'mgc'").await, [32010]);
    assert_eq!(text(&sql(&engine, P, "SELECT COUNT(*) FROM msdb.dbo.sysjobs").await), "0");
    engine.world().alerts.clear();
    engine.pass_time(3600).await;
    assert!(!alerted(14420, P), "nobody waits for its backups any more");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_shipping_runs_the_other_way_once_the_old_primary_is_seeded() {
    let engine = configured(json!({})).await;
    sql(&engine, B, "EXEC sp_delete_log_shipping_secondary_database mgc").await;
    sql(&engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    sql(&engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    sql(&engine, P, r"EXEC sp_delete_log_shipping_primary_secondary N'mgc', N'B\RTC', N'mgc'").await;
    sql(&engine, P, "EXEC sp_delete_log_shipping_primary_database N'mgc'").await;
    sql(&engine, B, r"BACKUP DATABASE mgc TO DISK = N'\\fs1\LogShip\mgc_seed.bak' WITH COPY_ONLY, CHECKSUM").await;
    sql(&engine, P, r"RESTORE VERIFYONLY FROM DISK = N'\\fs1\LogShip\mgc_seed.bak' WITH CHECKSUM").await;
    let seed = r"RESTORE DATABASE mgc FROM DISK = N'\\fs1\LogShip\mgc_seed.bak' WITH NORECOVERY, REPLACE, CHECKSUM";
    sql(&engine, P, seed).await;
    // Files of the dead fork are moved away: the restore job would meet them.
    sql(&engine, P, r"EXEC master.sys.xp_create_subdir N'E:\Reverse'").await;
    for file in files(&engine, B, r"\\fs1\LogShip").await {
        let real = {
            let world = engine.world();
            world.real_path(world.instances[0].host, &file).expect("path")
        };
        std::fs::remove_file(real).expect("file");
    }
    sql(&engine, B, &add_primary(r"\\fs1\LogShip")).await;
    sql(&engine, B, r"EXEC master.dbo.sp_add_log_shipping_primary_secondary N'mgc', N'P\RTC', N'mgc'").await;
    sql(&engine, P, &add_secondary(B, r"E:\Reverse")).await;
    for _ in 0..8 {
        engine.write_messages(B, "mgc", 3).expect("messages");
        engine.pass_time(1800).await;
    }
    assert_eq!(failed_runs(&engine, P, "LSRestore%").await, [""; 0]);
    engine.pass_time(3600).await;
    assert_eq!(messages(&engine, P), messages(&engine, B));
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_restore_job_waits_out_the_delay() {
    let engine = configured(json!({ "chat": { "messages_per_second": 0.0 } })).await;
    engine.world().instances[2].shipping.secondary_databases[0].restore_delay = 120;
    engine.write_messages(P, "mgc", 5).expect("messages");
    engine.pass_time(3600).await;
    assert_eq!(messages(&engine, B).len(), 130);
    engine.pass_time(2 * 3600).await;
    assert_eq!(messages(&engine, B).len(), 142);
    engine.stop().await;
}
