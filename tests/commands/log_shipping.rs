//! Log shipping set up by a single command.

use pchat_tests::request::baseline_request;
use serde_json::{json, Value};

use crate::shell::{Ended, Shell};

const ADD: &str = "pchat_log_shipping_add";

/// Keeps a baseline in a folder; what it drifted from the one before.
fn keep(shell: &Shell) -> Value {
    let saved = shell.operate("pchat_baseline_save", &baseline_request(&folder(shell)), true, &mut || false);
    assert_eq!(saved.document["count"], json!(1), "{:#}", saved.document);
    saved.items[0]["drift"].clone()
}

fn folder(shell: &Shell) -> String {
    shell.journal.path().join("baseline").display().to_string()
}

fn request(shell: &Shell, secondary: &str, baseline: Value) -> Value {
    json!({
        "version": 1,
        "target": {"sql_instance": "P\\RTC", "database": "mgc", "pool_fqdn": null},
        "journal": {"journal_path": shell.journal.path(), "journal_copy_path": null, "no_journal_copy": true},
        "secondary_sql_instance": secondary,
        "mirror_sql_instance": null,
        "baseline_path": baseline,
        "reverse": false,
        "log_backup_share": null,
        "copy_folder": null,
        "interval_minutes": 15,
        "plan_only": true,
        "approved_digest": null,
    })
}

fn add(shell: &Shell, request: Value) -> Ended {
    shell.change_as(ADD, request)
}

#[test]
fn removed_and_set_up_again_nothing_has_drifted() {
    let shell = Shell::start("healthy");
    keep(&shell);
    shell.change("pchat_log_shipping_remove").expect(0);
    let again = request(&shell, "B\\RTC", json!(folder(&shell)));
    let done = add(&shell, again.clone());
    done.expect(0);
    assert!(done.statements().iter().any(|text| text.contains("sp_add_log_shipping_secondary_database")));
    assert_eq!(keep(&shell), json!([]));
    add(&shell, again).expect(7);
    assert_eq!(shell.list().document["verdict"], json!("complete"));
    shell.assert_understood();
}

#[test]
fn primary_mirror_and_secondary_are_three_instances() {
    let shell = Shell::start("healthy");
    let keep = |secondary: &str, mirror: Value| {
        let mut named = request(&shell, secondary, Value::Null);
        named["mirror_sql_instance"] = mirror;
        shell.plan(ADD, &named)
    };
    for (secondary, mirror) in [
        ("P\\RTC", Value::Null),
        ("p.contoso.com\\rtc", Value::Null),
        ("B\\RTC", json!("P\\RTC")),
        ("B\\RTC", json!("b.contoso.com\\rtc")),
        ("PM\\RTC", json!("PM\\RTC")),
    ] {
        let refused = keep(secondary, mirror.clone());
        assert_eq!(refused.error_code(), 1002, "{secondary} {mirror}: {}", refused.message());
        assert!(refused.message().contains("both are one instance"), "{}", refused.message());
    }
}

#[test]
fn without_a_baseline_the_folders_are_named_and_a_secondary_that_does_not_fit_is_refused() {
    let shell = Shell::start("healthy");
    shell.change("pchat_log_shipping_remove").expect(0);
    let mut named = request(&shell, "B\\RTC", Value::Null);
    let bare = shell.plan(ADD, &named);
    assert_eq!(bare.error_code(), 1002, "{}", bare.message());
    named["log_backup_share"] = json!("\\\\fs1\\LogShip");
    named["copy_folder"] = json!("E:\\Fresh\\Copy");
    add(&shell, named.clone()).expect(0);
    let record = shell.read("pchat_log_shipping_get");
    assert!(record.items[0].to_string().contains("E:\\\\Fresh\\\\Copy"), "{:#}", record.items[0]);
    named["secondary_sql_instance"] = json!("PM\\RTC");
    let mirror = shell.plan(ADD, &named);
    mirror.expect(3);
    assert_eq!(mirror.error_code(), 5020, "{}", mirror.message());
    shell.assert_understood();
}
