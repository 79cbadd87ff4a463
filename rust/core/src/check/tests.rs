//! Every check passed and failed, on hand-made evidence, with its texts.

mod files;
mod instance;
mod pool;
mod primary;

use super::{all, blocking, blocks};
use crate::document::{CheckResult, FailoverRequest};
use crate::evidence::{sample, Evidence};

/// One check after evidence and request were changed.
fn check_with(name: &str, change: impl FnOnce(&mut Evidence, &mut FailoverRequest)) -> CheckResult {
    let (mut evidence, mut request) = (sample::evidence(), sample::request());
    change(&mut evidence, &mut request);
    let results = all(&evidence, &request);
    results.into_iter().find(|result| result.name == name).unwrap_or_else(|| panic!("no check {name}"))
}

/// State, code and value in one line, for comparing.
fn line(result: &CheckResult) -> String {
    let code = result.code.map_or("-".to_string(), |code| code.to_string());
    format!("{} {code} {}", result.state, result.value)
}

#[test]
fn evidence_in_order_blocks_nothing_and_passes_where_it_can() {
    let results = all(&sample::evidence(), &sample::request());
    let lines: Vec<String> = results.iter().map(|r| format!("{}: {}", r.name, line(r))).collect();
    assert_eq!(
        lines,
        [
            "CommandsAreReal: passed - Lync",
            r"InstanceReachable: passed - B\RTC answers, version 11.0.7001.0",
            "Rights: passed - sa is a member of sysadmin",
            "AgentRunning: passed - running",
            r"Version: passed - 11; P\RTC wrote with 11",
            "DatabaseState: passed - RESTORING",
            r"PrimaryIsDown: passed - P\RTC is silent: no answer within 5 s",
            r"WitnessPrimaryMirror: passed - PM\RTC is silent: no answer within 5 s",
            "WitnessShareFiles: passed - nothing new on the share",
            "WitnessMonitor: passed - log shipping has no monitor",
            r"LogShippingKnown: passed - secondary of P\RTC",
            r"ShareReadable: passed - \\fs1\LogShip: 4 files",
            "LogChain: passed - complete: 3 log backups to restore, LSN 2000 to 5000",
            "DataLoss: passed - recovered to LSN 5000, 2026-03-14T02:46:00Z",
            r"CopyWay: passed - 1 log backup copied to E:\LSCopy through /mnt/LSCopy",
            "FreeSpace: passed - 10240 MB",
            "Connections: passed - none",
            "LoginsMissing: unknown - unknown: the database is RESTORING",
            "PoolReachable: passed - PersistentChatServer:pchat.contoso.com",
            "PoolRights: passed - both pass",
            "PoolState: passed - Normal",
            "ActiveServers: passed - s3.contoso.com, s4.contoso.com",
            "ActiveServersAnswer: passed - s3.contoso.com, s4.contoso.com",
            r"MirrorFileShare: passed - \\fs2\mirror, seen by B\RTC",
            r"BackupMirror: passed - BM\RTC answers",
            r"LogBackups: passed - every 15 minutes to E:\Backup",
            "JournalPlace: passed - /journal",
            "JournalCopy: passed - /mnt/LSCopy",
            "NoOtherRun: passed - nobody",
            "RegistrarPool: warning - fe.contoso.com",
            "FileStore: warning - fs1.contoso.com",
            "CompliancePlan: passed - no compliance database in the topology",
            "ComplianceBacklog: passed - no compliance database in the topology",
        ]
    );
    assert!(!results.iter().any(blocks));
    let named = |r: &CheckResult| {
        (r.sql_instance.as_str(), r.database.as_str(), r.pool_fqdn.as_deref())
            == (r"B\RTC", "mgc", Some("pchat.contoso.com"))
    };
    assert!(results.iter().all(named));
    assert!(results.iter().all(|r| !r.wanted.is_empty()));
    assert!(results.iter().filter(|r| r.state != "passed").all(|r| !r.message.is_empty()));
}

#[test]
fn the_runbook_names_every_check_and_no_other() {
    let runbook = include_str!("../../../../docs/runbooks/failover.md");
    let table = runbook.split("\n## The checks\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let first_cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let told: Vec<&str> = first_cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`')).collect();
    let results = all(&sample::evidence(), &sample::request());
    assert_eq!(told, results.iter().map(|result| result.name.as_str()).collect::<Vec<_>>());
}

#[test]
fn a_check_that_could_not_be_made_blocks_only_where_it_guards_data() {
    let soft = check_with("FreeSpace", |e, _| e.files.free_bytes = crate::evidence::Reading::Unknown("denied".into()));
    assert_eq!(line(&soft), "unknown - unknown");
    assert!(!blocks(&soft));
    let hard = check_with("LogChain", |e, _| e.files.redo = crate::evidence::Reading::Unknown("NULL".into()));
    assert_eq!(line(&hard), "unknown 4005 redo point unknown: NULL");
    assert!(blocks(&hard));
}

#[test]
fn the_wrong_world_does_not_hide_a_primary_that_lives_and_comes_before_the_pool() {
    let mut results = all(&sample::evidence(), &sample::request());
    for result in &mut results {
        if ["CommandsAreReal", "PoolReachable", "ActiveServers", "PrimaryIsDown", "DataLoss"]
            .contains(&result.name.as_str())
        {
            result.state = "failed".to_string();
        }
    }
    let names: Vec<&str> = blocking(&results).iter().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["PrimaryIsDown", "DataLoss", "CommandsAreReal", "PoolReachable", "ActiveServers"]);
}
