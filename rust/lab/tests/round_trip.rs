//! Disaster, days on the other side, and the way home by hand, step by step as it has to be done; then days of log
//! shipping with role swaps.

mod common;

use common::pool::*;
use common::*;
use pchat_lab::engine::Engine;
use pchat_lab::scenario::Scenario;
use pchat_lab::Lab;
use serde_json::json;

const SHARE: &str = r"\\fs1\LogShip";

/// Moves the log backups of a folder out of the way, as an operator does in Explorer.
async fn archive(engine: &Engine, instance: &str, folder: &str) {
    for file in files(engine, instance, folder).await {
        let real = {
            let world = engine.world();
            let host = world.instances[world.find_instance(instance).unwrap()].host;
            world.real_path(host, &file).unwrap()
        };
        let old = real.parent().unwrap().join("old");
        std::fs::create_dir_all(&old).unwrap();
        std::fs::rename(&real, old.join(real.file_name().unwrap())).unwrap();
    }
}

async fn log_backup(engine: &Engine, instance: &str) {
    let stamp = engine.clock().now().format("%Y%m%d%H%M%S").to_string();
    engine.clock().advance(1);
    sql(engine, instance, &format!(r"BACKUP LOG mgc TO DISK = N'{SHARE}\mgc_{stamp}.trn' WITH CHECKSUM")).await;
}

async fn delete_primary(engine: &Engine, instance: &str) {
    sql(engine, instance, r"EXEC sp_delete_log_shipping_primary_secondary N'mgc', N'B\RTC', N'mgc'").await;
    sql(engine, instance, "EXEC sp_delete_log_shipping_primary_database N'mgc'").await;
}

async fn disaster(lab: &Lab) {
    let engine = lab.engine();
    served_through(lab, &[P]).await;
    door(lab, "messages", json!({ "write": 30, "per_second": 0.01 })).await;
    door(lab, "primary_site_lost", json!({})).await;
    restore_all(engine, B, SHARE).await;
    sql(engine, B, "EXEC sp_delete_log_shipping_secondary_database mgc").await;
    sql(engine, B, "RESTORE DATABASE mgc WITH RECOVERY").await;
    pool_state(lab, "FailedOver").await;
    install_mirror(lab, "b.contoso.com").await;
    active_list(lab, &OTHER).await;
    served_through(lab, &[B]).await;
    for _ in 0..3 {
        door(lab, "clock", json!({ "pass_seconds": 20_000 })).await;
        log_backup(engine, B).await;
    }
    door(lab, "primary_site_back", json!({})).await;
    services(lab, "Stop", &HOME, "").await;
}

/// What holds the lost tail is backed up; then the primary is seeded while users go on working.
async fn seed(lab: &Lab) {
    let engine = lab.engine();
    for side in [P, PM] {
        delete_primary(engine, side).await;
    }
    mirroring_becomes(engine, P, "SYNCHRONIZED").await;
    sql(engine, P, "ALTER DATABASE mgc SET PARTNER OFF").await;
    sql(engine, P, "USE mgc; ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE master").await;
    sql(engine, P, r"BACKUP DATABASE mgc TO DISK = N'E:\lost_tail.bak' WITH COPY_ONLY, CHECKSUM").await;
    sql(engine, P, r"RESTORE VERIFYONLY FROM DISK = N'E:\lost_tail.bak' WITH CHECKSUM").await;
    archive(engine, B, SHARE).await;
    archive(engine, B, r"E:\LSCopy").await;
    sql(engine, B, &format!(r"BACKUP DATABASE mgc TO DISK = N'{SHARE}\mgc_seed.bak' WITH COPY_ONLY, CHECKSUM")).await;
    sql(engine, P, &format!(r"RESTORE VERIFYONLY FROM DISK = N'{SHARE}\mgc_seed.bak' WITH CHECKSUM")).await;
    let list = sql(engine, P, &format!(r"RESTORE FILELISTONLY FROM DISK = N'{SHARE}\mgc_seed.bak'")).await;
    let moves: Vec<String> = column(&list).iter().map(|name| format!(r"MOVE N'{name}' TO N'E:\{name}.data'")).collect();
    let restore =
        format!(r"RESTORE DATABASE mgc FROM DISK = N'{SHARE}\mgc_seed.bak' WITH NORECOVERY, {}", moves.join(", "));
    assert_eq!(errors(engine, P, &restore).await, [3159, 3013]);
    sql(engine, P, &format!("{restore}, REPLACE")).await;
    door(lab, "messages", json!({ "write": 5 })).await;
    log_backup(engine, B).await;
    restore_all(engine, P, SHARE).await;
}

async fn home(lab: &Lab) {
    let engine = lab.engine();
    active_list(lab, &[]).await;
    services(lab, "Stop", &OTHER, "").await;
    assert_eq!(sessions(lab, B).await, "0");
    sql(engine, B, "ALTER DATABASE mgc SET PARTNER OFF").await;
    let stamp = engine.clock().now().format("%Y%m%d%H%M%S").to_string();
    let tail = format!(r"{SHARE}\mgc_{stamp}.trn");
    sql(engine, B, &format!("USE mgc; ALTER DATABASE mgc SET SINGLE_USER WITH ROLLBACK IMMEDIATE; USE master; BACKUP LOG mgc TO DISK = N'{tail}' WITH NORECOVERY, CHECKSUM")).await;
    sql(engine, P, &format!("RESTORE LOG mgc FROM DISK = N'{tail}' WITH NORECOVERY")).await;
    sql(engine, P, "RESTORE DATABASE mgc WITH RECOVERY; ALTER DATABASE mgc SET MULTI_USER").await;
    sql(engine, P, "ALTER DATABASE mgc SET ENABLE_BROKER; ALTER DATABASE mgc SET TRUSTWORTHY ON; ALTER DATABASE mgc SET DB_CHAINING ON").await;
    pool_state(lab, "Normal").await;
    services(lab, "Start", &HOME, "").await;
    services(lab, "Start", &OTHER, "").await;
    active_list(lab, &HOME).await;
    served_through(lab, &[P]).await;
    install_mirror(lab, "p.contoso.com").await;
    // Servers that started before the mirror stood would not follow a role swap.
    for server in HOME {
        services(lab, "Stop", &[server], "RTCCHAT").await;
        services(lab, "Start", &[server], "RTCCHAT").await;
    }
    served_through(lab, &[P]).await;
}

async fn ship_again(lab: &Lab) {
    let engine = lab.engine();
    let add = add_primary(SHARE);
    let secondary = r"EXEC master.dbo.sp_add_log_shipping_primary_secondary N'mgc', N'B\RTC', N'mgc'";
    sql(engine, P, &add).await;
    sql(engine, P, secondary).await;
    mirroring_becomes(engine, P, "SYNCHRONIZED").await;
    new_principal(lab, "Mirror").await;
    mirroring_becomes(engine, PM, "SYNCHRONIZED").await;
    served_through(lab, &[PM]).await;
    sql(engine, PM, &add).await;
    sql(engine, PM, secondary).await;
    new_principal(lab, "Primary").await;
    mirroring_becomes(engine, P, "SYNCHRONIZED").await;
    // The log backup of the mirror's set-up lies in another share than the others.
    let log = r"RESTORE LOG mgc FROM DISK = N'\\fs2\mirror\mgc.trn' WITH NORECOVERY";
    assert_eq!(errors(engine, B, log).await, [0; 0]);
    sql(engine, B, &add_secondary(P, r"E:\LSCopy")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_home_by_hand_and_days_of_log_shipping_after_it() {
    let lab = Lab::start(Scenario::named("healthy").unwrap()).await.unwrap();
    let engine = lab.engine();
    disaster(&lab).await;
    let lost = truth(&lab).await["copies"][B]["missing"].clone();
    assert!(lost["count"].as_u64() >= Some(30), "{lost}");
    seed(&lab).await;
    home(&lab).await;
    ship_again(&lab).await;
    let seen = truth(&lab).await;
    assert_eq!(seen["copies"][P]["missing"], lost, "exactly what the disaster took");
    let mut mirror_is_principal = false;
    for _ in 0..3 {
        door(&lab, "clock", json!({ "pass_seconds": 86_400 })).await;
        let principal = if mirror_is_principal { PM } else { P };
        mirroring_becomes(engine, principal, "SYNCHRONIZED").await;
        mirror_is_principal = !mirror_is_principal;
        new_principal(&lab, if mirror_is_principal { "Mirror" } else { "Primary" }).await;
        served_through(&lab, &[if mirror_is_principal { PM } else { P }]).await;
    }
    door(&lab, "messages", json!({ "per_second": 0 })).await;
    door(&lab, "clock", json!({ "pass_seconds": 3600 })).await;
    for (instance, jobs) in [(B, "LSRestore%"), (B, "LSCopy%"), (P, "LSBackup%"), (PM, "LSBackup%")] {
        assert_eq!(failed_runs(engine, instance, jobs).await, [""; 0], "{instance} {jobs}");
    }
    let seen = truth(&lab).await;
    let about_alerts = |run: &serde_json::Value| run["job"] == "LSAlert_MON";
    assert!(seen["failed_jobs"].as_array().unwrap().iter().all(about_alerts), "{}", seen["failed_jobs"]);
    for copy in [P, PM, B] {
        assert_eq!((&seen["copies"][copy]["missing"], &seen["copies"][copy]["doubled"]["count"]), (&lost, &json!(0)));
    }
    assert!(engine.unknown_statements().is_empty());
    lab.stop().await;
}
