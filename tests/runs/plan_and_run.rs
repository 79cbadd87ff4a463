//! What a plan shows is what runs: its statements against those that the lab took down, one by one.

use serde_json::{json, Value};

use crate::harness::Situation;
use crate::reverse::{covered, shipping_in_reverse};
use crate::roundtrip::{failed_over, wait_for_users, with_baseline};

/// A statement of the plan. One behind a `-- Where …:` is sent only where that is so.
struct Planned {
    text: String,
    is_conditional: bool,
}

fn planned(plan: &Value) -> Vec<Planned> {
    let steps = plan["steps"].as_array().into_iter().flatten();
    let mut statements = Vec::new();
    let mut is_conditional = false;
    for text in steps.flat_map(|step| step["statements"].as_array().into_iter().flatten()).filter_map(Value::as_str) {
        match text.strip_prefix("-- ") {
            Some(remark) => is_conditional = remark.starts_with("Where "),
            None => {
                statements.push(Planned { text: text.to_string(), is_conditional });
                is_conditional = false;
            }
        }
    }
    statements
}

/// What the product sent that changes something, in the order in which each text came first at an instance.
fn sent(situation: &Situation) -> Vec<String> {
    const CHANGES: [&str; 11] = [
        "sp_add_",
        "sp_update_",
        "sp_delete_",
        "sp_start_",
        "sp_stop_",
        "xp_create_subdir",
        "BACKUP ",
        "RESTORE LOG",
        "RESTORE DATABASE",
        "ALTER DATABASE",
        "KILL ",
    ];
    everything_sent(situation)
        .into_iter()
        // A question may name a procedure; it changes nothing.
        .filter(|text| !text.starts_with("SELECT ") && CHANGES.iter().any(|change| text.contains(change)))
        .collect()
}

fn everything_sent(situation: &Situation) -> Vec<String> {
    let all = situation.ask("statements");
    let ours = |sent: &&Value| sent["program"] == json!("PersistentChatFailover");
    let texts = all.as_array().into_iter().flatten().filter(ours).filter_map(|sent| sent["text"].as_str());
    texts.map(str::to_string).collect()
}

/// True where the texts differ in nothing but the placeholders, such as `<yyyymmddhhmmss>`, which stand for something.
fn fits(planned: &str, sent: &str) -> bool {
    let Some(begin) = planned.find('<') else { return planned == sent };
    let (head, rest) = planned.split_at(begin);
    let Some(end) = rest.find('>') else { return planned == sent };
    let Some(left) = sent.strip_prefix(head) else { return false };
    let behind = &rest[end + 1..];
    let cuts = left.char_indices().map(|(at, letter)| at + letter.len_utf8());
    cuts.into_iter().any(|at| fits(behind, &left[at..]))
}

fn plan_and_run(scenario: &str, set: &[(&str, Value)]) {
    let situation = Situation::start(scenario);
    situation.ask("primary_site_lost");
    let plan = situation.run("plan", set).document;
    assert_eq!(plan["can_run"], json!(true), "{:#}", plan["checks"]);
    situation.control(json!({"command": "statements", "record": true}));
    situation.run("failover", set).expect(0);
    let mut sent = sent(&situation).into_iter().peekable();
    for planned in planned(&plan) {
        if sent.next_if(|sent| fits(&planned.text, sent)).is_none() {
            assert!(planned.is_conditional, "planned: {}\nsent:    {:?}", planned.text, sent.peek());
        }
        // Clients that come back in the middle: one after the other, by numbers that nobody knows before.
        while planned.text.contains("<session>") && sent.next_if(|sent| fits(&planned.text, sent)).is_some() {}
    }
    assert_eq!(sent.next(), None, "it is in no plan");
    situation.assert_failed_over();
}

#[test]
fn every_statement_of_a_failover_is_shown_before_as_it_is_sent() {
    plan_and_run("small", &[]);
}

#[test]
fn every_statement_of_a_failover_of_a_standby_copy_is_shown_before_as_it_is_sent() {
    plan_and_run("standby-200-readers", &[("/log_backup_path", json!("E:\\NewLogs"))]);
}

/// The same of a workflow whose log backups nobody counts beforehand: whatever was sent stands in the plan, and whatever stands
/// there without a condition was sent.
fn all_of_it(situation: &Situation, verb: &str, set: &[(&str, Value)]) {
    let plan = situation.run(&format!("plan-{verb}"), set).document;
    assert_eq!(plan["can_run"], json!(true), "{:#}", plan["checks"]);
    situation.control(json!({"command": "statements", "record": true}));
    situation.run(verb, set).expect(0);
    let (sent, everything, planned) = (sent(situation), everything_sent(situation), planned(&plan));
    // Servers of the pool that come back are ended by numbers that nobody knows before.
    let is_kill = |sent: &&String| sent.starts_with("KILL ");
    let unplanned: Vec<&String> =
        sent.iter().filter(|sent| !is_kill(sent) && !planned.iter().any(|planned| fits(&planned.text, sent))).collect();
    let unsent: Vec<&String> = planned
        .iter()
        .filter(|planned| !planned.is_conditional && !everything.iter().any(|sent| fits(&planned.text, sent)))
        .map(|planned| &planned.text)
        .collect();
    assert!(
        unplanned.is_empty() && unsent.is_empty(),
        "in no plan: {unplanned:#?}\nplanned and not sent: {unsent:#?}\nall that was sent: {sent:#?}"
    );
}

#[test]
fn every_statement_of_a_failback_is_shown_before_as_it_is_sent() {
    all_of_it(&failed_over(7200).situation, "failback", &[]);
}

#[test]
fn every_statement_of_a_failback_without_seeding_is_shown_before_as_it_is_sent() {
    let situation = with_baseline();
    situation.run("switch", &[]).expect(0);
    wait_for_users(&situation);
    situation.control(json!({"command": "clock", "pass_seconds": 3600}));
    all_of_it(&situation, "failback", &[]);
}

#[test]
fn every_statement_of_a_failback_in_the_documented_order_is_shown_before_as_it_is_sent() {
    all_of_it(&failed_over(7200).situation, "failback", &[("/documented", json!(true))]);
}

#[test]
fn every_statement_of_a_failback_with_reverse_log_shipping_is_shown_before_as_it_is_sent() {
    all_of_it(&shipping_in_reverse().situation, "failback", &covered());
}

#[test]
fn every_statement_of_a_planned_switch_is_shown_before_as_it_is_sent() {
    all_of_it(&Situation::start("healthy"), "switch", &[]);
}

#[test]
fn a_placeholder_stands_for_something_and_for_nothing_else() {
    assert!(fits("TO DISK = N'E:\\mgc_<yyyymmddhhmmss>.bak' WITH", "TO DISK = N'E:\\mgc_20260314021509.bak' WITH"));
    assert!(!fits("TO DISK = N'E:\\mgc_<yyyymmddhhmmss>.bak'", "TO DISK = N'F:\\mgc_20260314021509.bak'"));
    assert!(!fits("N'<id>', @enabled = 1", "N'', @enabled = 1"));
    assert!(!fits("N'<id>', @enabled = 1", "N'7', @enabled = 0"));
}
