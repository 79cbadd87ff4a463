//! A planned switch killed at a named point and finished by another process: the same end, nothing lost.

use serde_json::json;

use crate::harness::{cut_off_at, Situation};
use crate::planned::assert_switched;

fn cut_off_and_resumed(point: &str) {
    let scenario = if point == "drain.waiting" { "compliance" } else { "healthy" };
    let situation = Situation::start(scenario);
    // The points lie where the instance shows the statement at work, so it must last longer than the pause between two looks.
    let slow = json!({"instance": "B\\RTC", "bytes_per_second": 8_000});
    let is_slow = matches!(point, "restore.sent" | "restore.middle");
    if is_slow {
        situation.fault("slow_restore", slow.clone());
    }
    let cut = situation.cut_off("switch", point, &[("/drain_timeout_seconds", json!(120))]);
    assert_ne!(cut.code, Some(0), "{point} was not reached: {:#}", cut.document);
    assert!(cut.document.get("outcome").is_none(), "{point}: the process ended by itself: {:#}", cut.document);
    if is_slow {
        situation.control(json!({"command": "fault", "name": "slow_restore", "on": false, "args": slow}));
    }
    let resumed = situation.run("resume", &[]);
    assert_eq!(resumed.code, Some(0), "{point}: {:#}", resumed.document);
    assert_switched(&situation);
    let again = situation.run("resume", &[]);
    assert!(matches!(again.code, Some(2 | 7)), "{point}: {:#}", again.document);
}

cut_off_at! {
    between_two_services: "services.stopped_one";
    while_compliance_drains: "drain.waiting";
    between_two_jobs: "jobs.one_disabled";
    after_mirroring_was_removed: "mirroring.removed";
    in_mid_tail: "tail.sent";
    after_the_tail: "tail.taken";
    in_mid_copy: "copy.middle";
    with_a_restore_sent: "restore.sent";
    between_two_restores: "restore.done";
    before_recovery: "connections.ended";
    after_recovery: "recover.done";
    after_log_shipping_was_removed: "log_shipping.removed";
    between_the_two_old_records: "records.one_removed";
    after_the_pool_state: "pool_state.set";
    after_the_mirror: "mirror.installed";
    between_two_starts: "services.started_one";
    after_the_active_servers: "active_servers.set";
}
