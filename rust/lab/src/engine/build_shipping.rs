//! Log shipping of a fresh lab: rows, jobs and schedules on primaries, secondary and monitor.

use super::agent::Step;
use super::build::every;
use super::model::World;
use super::shipping::{MonitorPrimary, MonitorSecondary, Primary, Secondary, SecondaryDatabase};
use crate::scenario::{InstanceRole, Scenario, SecondaryMode};
use uuid::Uuid;

/// Configures log shipping as the set-up wizard would have.
pub fn configure(world: &mut World, scenario: &Scenario) {
    let role = |world: &World, role: InstanceRole| world.instances.iter().position(|i| i.role == role);
    let (Some(primary), Some(secondary)) = (role(world, InstanceRole::Primary), role(world, InstanceRole::Backup))
    else {
        return;
    };
    let ship = &scenario.log_shipping;
    let database = scenario.chat.database.clone();
    let monitor_name = ship.monitor.clone().unwrap_or_else(|| world.instances[secondary].name.clone());
    let monitor = world.find_instance(&monitor_name);
    let secondary_name = world.instances[secondary].name.clone();
    let primary_name = world.instances[primary].name.clone();
    let last = world.last_files.clone();
    let mut primaries = vec![(primary, true)];
    if ship.mirror_ships_too {
        primaries.extend(role(world, InstanceRole::PrimaryMirror).map(|m| (m, false)));
    }
    for (side, writes) in primaries {
        let id = world.random.guid();
        let own = world.instances[side].name.clone();
        let job = job(
            world,
            side,
            (&format!("LSBackup_{database}"), database.as_str()),
            6,
            &format!("-Backup {id} -server {own}"),
            ship.interval_minutes,
            ship.jobs_enabled,
        );
        let row = MonitorPrimary {
            id,
            primary_server: own.clone(),
            database: database.clone(),
            backup_threshold: 60,
            threshold_alert: 14420,
            alert_enabled: true,
            last_backup: last.backup.clone().filter(|_| writes),
            history_retention: 5760,
        };
        for at in [Some(side), monitor.filter(|m| *m != side)].into_iter().flatten() {
            world.instances[at].shipping.monitor_primaries.push(row.clone());
        }
        let shipping = &mut world.instances[side].shipping;
        shipping.primary_secondaries.push((id, secondary_name.clone(), database.clone()));
        shipping.primaries.push(Primary {
            id,
            database: database.clone(),
            backup_directory: ship.share.clone(),
            backup_share: ship.share.clone(),
            retention_minutes: 4320,
            backup_job: job,
            monitor_server: monitor_name.clone(),
            user_specified_monitor: ship.monitor.is_some(),
            monitor_security_mode: true,
            last_backup: last.backup.clone().filter(|_| writes),
            compression: 2,
        });
    }
    let id = world.random.guid();
    let copy_job = job(
        world,
        secondary,
        (&format!("LSCopy_{primary_name}_{database}"), &format!("{primary_name}:{database}")),
        7,
        &format!("-Copy {id} -server {secondary_name}"),
        ship.interval_minutes,
        ship.jobs_enabled,
    );
    let restore_job = job(
        world,
        secondary,
        (&format!("LSRestore_{primary_name}_{database}"), &format!("{primary_name}:{database}")),
        8,
        &format!("-Restore {id} -server {secondary_name}"),
        ship.interval_minutes,
        ship.jobs_enabled,
    );
    let row = MonitorSecondary {
        secondary_server: secondary_name,
        database: database.clone(),
        secondary_id: id,
        primary_server: primary_name.clone(),
        primary_database: database.clone(),
        restore_threshold: 45,
        threshold_alert: 14421,
        alert_enabled: true,
        last_copied: last.copied.clone(),
        last_restored: last.restored.clone(),
        last_restored_latency: last.restored.as_ref().map(|_| 2),
        history_retention: 5760,
    };
    for at in [Some(secondary), monitor.filter(|m| *m != secondary)].into_iter().flatten() {
        world.instances[at].shipping.monitor_secondaries.push(row.clone());
    }
    let shipping = &mut world.instances[secondary].shipping;
    shipping.secondaries.push(Secondary {
        id,
        primary_server: primary_name,
        primary_database: database.clone(),
        source_directory: ship.share.clone(),
        destination_directory: ship.copy_folder.clone(),
        retention_minutes: 4320,
        copy_job,
        restore_job,
        monitor_server: monitor_name,
        monitor_security_mode: true,
        user_specified_monitor: ship.monitor.is_some(),
        last_copied: last.copied,
    });
    shipping.secondary_databases.push(SecondaryDatabase {
        database,
        secondary_id: id,
        restore_delay: 0,
        restore_all: true,
        standby: ship.mode == SecondaryMode::Standby,
        disconnect_users: false,
        block_size: -1,
        buffer_count: -1,
        max_transfer_size: -1,
        last_restored: last.restored,
    });
    if let Some(monitor) = monitor {
        let id = alert_job(world, monitor, ship.interval_minutes, ship.jobs_enabled);
        world.instances[monitor].shipping.alert_job = Some(id);
    }
    for instance in 0..world.instances.len() {
        world.plan_jobs(instance);
    }
}

fn job(
    world: &mut World,
    instance: usize,
    (name, of): (&str, &str),
    category: i32,
    action: &str,
    minutes: u32,
    scheduled: bool,
) -> Uuid {
    let (what, step) = match category {
        6 => ("backup", "Log shipping backup log job step."),
        7 => ("copy", "Log shipping copy job step."),
        _ => ("restore", "Log shipping restore log job step."),
    };
    let program = r#""C:\Program Files\Microsoft SQL Server\110\Tools\Binn\sqllogship.exe""#;
    let step = first_step(step, "CmdExec", format!("{program} {action}"));
    // As the procedures word it.
    let description = format!("Log shipping {what} log job for {of}.");
    scheduled_job(world, instance, (name, &description, category), step, minutes, scheduled)
}

/// The job on the monitor that raises alerts.
fn alert_job(world: &mut World, monitor: usize, minutes: u32, scheduled: bool) -> Uuid {
    let name = format!("LSAlert_{}", world.instances[monitor].name);
    let call = "exec sys.sp_check_log_shipping_monitor_alert".to_owned();
    let step = first_step("Log shipping alert job step.", "TSQL", call);
    scheduled_job(world, monitor, (&name, "Log shipping alert job.", 5), step, minutes, scheduled)
}

fn first_step(name: &str, subsystem: &str, command: String) -> Step {
    Step {
        id: 1,
        name: name.into(),
        subsystem: subsystem.into(),
        command,
        database: Some("master".into()),
        on_success: 1,
        on_fail: 2,
        retries: 0,
    }
}

fn scheduled_job(
    world: &mut World,
    instance: usize,
    (name, description, category): (&str, &str, i32),
    step: Step,
    minutes: u32,
    scheduled: bool,
) -> Uuid {
    let id = world.random.guid();
    let now = world.local_now();
    let schedule = world.instances[instance].agent.next_schedule + 1;
    world.instances[instance].agent.next_schedule = schedule;
    let entry = every(minutes, &format!("{name} schedule"), scheduled, world, schedule);
    let agent = &mut world.instances[instance].agent;
    agent.schedules.push(entry);
    agent.jobs.push(super::agent::Job {
        id,
        name: name.to_owned(),
        enabled: true,
        description: description.into(),
        category,
        owner: "sa".into(),
        created: now,
        modified: now,
        version: 3,
        start_step: 1,
        delete_level: 0,
        steps: vec![step],
        has_server: true,
        schedules: vec![(schedule, None)],
        running: None,
        last_run: None,
        requested_by: String::new(),
    });
    id
}
