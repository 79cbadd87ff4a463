//! A failback killed at a named point and finished by another process: the same end.

use serde_json::json;

use crate::harness::cut_off_at;
use crate::roundtrip::{assert_as_the_baseline, assert_home, failed_over, There};

fn cut_off_and_resumed(point: &str) {
    let There { situation, lost } = failed_over(7200);
    if point == "seed.restore.sent" {
        situation.fault("slow_restore", json!({"instance": "P\\RTC", "bytes_per_second": 400_000}));
    }
    situation.cut_off_and_resume("failback", point, &[]);
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
    let again = situation.run("resume", &[]);
    assert!(matches!(again.code, Some(2 | 7)), "{point}: {:#}", again.document);
}

cut_off_at! {
    after_the_old_records_were_removed: "old_log_shipping.removed";
    after_the_old_copy_was_saved: "old_copy.saved";
    after_the_full_backup: "seed.backup.done";
    in_mid_restore_of_the_full_backup: "seed.restore.sent";
    between_two_log_backups: "follow.restore.done";
    with_half_of_the_services_stopped: "services.stopped_one:2";
    after_mirroring_was_removed: "mirroring.removed";
    after_the_tail: "tail.taken";
    after_the_recovery_of_the_primary: "switch.recover.done";
    after_the_mirror_at_home: "home_mirror.installed";
    with_the_primary_added_and_not_the_secondary: "log_shipping.primary_added";
    between_log_shipping_on_the_primary_and_on_its_mirror: "log_shipping.secondary_added";
    between_the_two_role_swaps: "roles.changed";
    before_the_last_job_is_deleted: "tidy.job_deleted";
}
