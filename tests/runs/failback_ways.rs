//! Other ways home: in the order of the published page, over a planned switch, over a damaged copy.

use serde_json::json;

use crate::roundtrip::{assert_as_the_baseline, assert_home, failed_over, There};

#[test]
fn in_the_documented_order_only_the_reported_loss_is_missing() {
    let There { situation, lost } = failed_over(7200);
    let back = situation.run("failback", &[("/documented", json!(true))]);
    back.expect(0);
    assert_home(&situation, &lost);
    assert_as_the_baseline(&situation);
}

#[test]
fn cut_off_in_the_documented_order_it_is_resumed_to_the_same_end() {
    for point in ["full_backup_alone.old_copy_closed", "full_backup_alone.taken", "seed.restore.done"] {
        let There { situation, lost } = failed_over(7200);
        let cut = situation.cut_off("failback", point, &[("/documented", json!(true))]);
        assert!(cut.document.get("outcome").is_none(), "{point}: {:#}", cut.document);
        let resumed = situation.run("resume", &[]);
        assert_eq!(resumed.code, Some(0), "{point}: {:#}", resumed.document);
        assert_home(&situation, &lost);
    }
}

#[test]
fn given_up_in_the_documented_order_the_backup_serves_again() {
    let There { situation, lost } = failed_over(7200);
    let cut = situation.cut_off("failback", "full_backup_alone.taken", &[("/documented", json!(true))]);
    assert!(cut.document.get("outcome").is_none(), "{:#}", cut.document);
    situation.run("undo", &[]).expect(0);
    assert_eq!(situation.state_of("B\\RTC"), "ONLINE");
    assert_ne!(situation.state_of("P\\RTC"), "ONLINE");
    let copies = situation.ask("truth")["copies"].clone();
    assert_eq!(copies["B\\RTC"]["missing"], lost, "{copies:#}");
}
