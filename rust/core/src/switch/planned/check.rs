//! The checks of a planned switch: those of a failover that hold for both, and those of the side that serves.

use super::evidence::{has_compliance, Home, HomeInstance};
use crate::check::{self, Subject};
use crate::document::{CheckResult, PlannedSwitchRequest};
use crate::error::ErrorKind;
use crate::evidence::Evidence;
use crate::failover::plan::Decision;
use crate::sql::mirror::MirrorState;

/// Checks of a failover that ask whether the primary is dead, or what is lost with it.
const OF_A_DISASTER: [&str; 7] = [
    "PrimaryIsDown",
    "DataLoss",
    "ActiveServersAnswer",
    "CompliancePlan",
    "ComplianceBacklog",
    "RegistrarPool",
    "FileStore",
];

const JOURNAL_COPY: &str = "JournalCopy";

/// Every check, in the order in which an operator reads them. Pure.
pub(super) fn all(
    evidence: &Evidence,
    home: &Home,
    request: &PlannedSwitchRequest,
    decision: &Decision,
) -> Vec<CheckResult> {
    let subject = Subject { evidence, request: &request.failover, decision };
    let is_of_a_disaster = |name: &str| OF_A_DISASTER.contains(&name) || name.starts_with("Witness");
    let mut results: Vec<CheckResult> = check::of_decision(evidence, &request.failover, decision)
        .into_iter()
        .filter(|result| !is_of_a_disaster(&result.name))
        .map(|result| if result.name == JOURNAL_COPY { journal_copy(&subject, result) } else { result })
        .collect();
    let salvage = request.salvage_tail;
    results.push(source(&subject, home, salvage));
    if let Some(source) = home.source(salvage) {
        results.push(source_rights(&subject, source));
        results.push(source_version(&subject, source));
        results.push(match salvage {
            true => no_other_copy(&subject, home),
            false => source_mirror(&subject, home, source),
        });
        results.push(tail_folder(&subject, source));
    }
    results.push(services(&subject, home, &request.failover.active_servers));
    results.push(compliance(&subject, home, request));
    results
}

/// A failover takes the copy folder; a switch, the way back of which needs the baseline, keeps both in one place.
fn journal_copy(subject: &Subject<'_>, as_in_a_failover: CheckResult) -> CheckResult {
    let journal = &subject.request.journal;
    if journal.no_journal_copy || journal.journal_copy_path.is_some() {
        return as_in_a_failover;
    }
    subject.failed(
        JOURNAL_COPY,
        "no baseline is named",
        "the baseline's folder, at the backup site",
        "A colleague on another server could not resume. Name the folder in which `Save-PChatBaseline` keeps the baseline with \
         `-BaselinePath`, another folder at the backup site with `-JournalCopyPath`, or decline with `-NoJournalCopy`.",
        ErrorKind::JournalCopyMissing,
    )
}

fn source(subject: &Subject<'_>, home: &Home, salvage: bool) -> CheckResult {
    let (name, wanted) = match salvage {
        false => ("SourceServes", "one instance at home is online and no mirror"),
        true => ("SourceIsDamaged", "one instance at home lives, with a database that cannot be used"),
    };
    if let Some(source) = home.source(salvage) {
        if salvage {
            let state = source.state.as_ref().map_or("absent", |state| state.state.as_text());
            return subject.passed(name, format!("{} is {}", source.sql_instance, state.to_uppercase()), wanted);
        }
        let role = if source.mirroring.is_some() { "the principal" } else { "without a mirror" };
        return subject.passed(name, format!("{} is {role}", source.sql_instance), wanted);
    }
    let seen: Vec<String> = home
        .instances
        .iter()
        .map(|(name, seen)| match seen.known() {
            Some(home) => {
                let state = home.state.as_ref().map_or("absent", |state| state.state.as_text());
                let role = if home.serves() { "serving" } else { "not serving" };
                format!("{name}: {state}, {role}")
            }
            None => format!("{name}: {}", seen.why().unwrap_or_default()),
        })
        .collect();
    let value = if seen.is_empty() { "no instance at home is named".to_string() } else { seen.join("; ") };
    if salvage {
        return subject.failed(
            name,
            value,
            wanted,
            "There is no damaged database whose tail could be saved. One that serves is moved with `-Planned`; where the site \
             is dead, fail over without either.",
            ErrorKind::SourceNotReady,
        );
    }
    subject.failed(
        name,
        value,
        wanted,
        "A planned switch moves a living database. Name the primary and its mirror with `-PrimarySqlInstance` and \
         `-PrimaryMirrorSqlInstance`, give logins for them; where the site is dead, fail over without `-Planned`.",
        ErrorKind::SourceNotReady,
    )
}

fn source_rights(subject: &Subject<'_>, source: &HomeInstance) -> CheckResult {
    let (name, wanted) = ("SourceRights", "sysadmin");
    match source.facts.is_sysadmin {
        true => subject.passed(name, "sysadmin", wanted),
        false => subject.failed(
            name,
            format!("{} is no sysadmin on {}", source.facts.login, source.sql_instance),
            wanted,
            "Tail, mirroring and log shipping need the role. Give a login with `-PrimarySqlCredential`.",
            ErrorKind::PermissionMissing,
        ),
    }
}

/// A log backup restores to the same version or a newer one; from a newer one there is no way back.
fn source_version(subject: &Subject<'_>, source: &HomeInstance) -> CheckResult {
    let (name, wanted) = ("SourceVersion", "the version of the source on both sides");
    let (from, to) = (&source.facts, &subject.evidence.instance);
    let value = format!("{} to {}", from.release(), to.release());
    match to.major_version.cmp(&from.major_version) {
        std::cmp::Ordering::Equal => subject.passed(name, value, wanted),
        std::cmp::Ordering::Greater => subject.warning(
            name,
            value,
            wanted,
            "Recovery upgrades the database, and an older instance never takes it back: there is no failback by restore.",
        ),
        std::cmp::Ordering::Less => subject.failed(
            name,
            value,
            wanted,
            "A backup of a newer version cannot be restored to an older one.",
            ErrorKind::SourceNotReady,
        ),
    }
}

/// Where the mirror is healthy a role swap brings everything back without a switch of sites.
fn no_other_copy(subject: &Subject<'_>, home: &Home) -> CheckResult {
    let (name, wanted) = ("MirrorIsNoWay", "no healthy mirror at home");
    match home.partner(true) {
        Some(partner) if partner.can_take_over() => subject.failed(
            name,
            format!("{} has a healthy copy", partner.sql_instance),
            wanted,
            "The answer is a role swap at home, which loses nothing: `Invoke-CsDatabaseFailover -NewPrincipal Mirror`.",
            ErrorKind::SourceNotReady,
        ),
        Some(partner) => {
            subject.passed(name, format!("{} has no copy that could take over", partner.sql_instance), wanted)
        }
        None => subject.warning(
            name,
            "the mirror at home cannot be asked",
            wanted,
            "Look whether it is healthy: then `Invoke-CsDatabaseFailover` is the answer.",
        ),
    }
}

fn source_mirror(subject: &Subject<'_>, home: &Home, source: &HomeInstance) -> CheckResult {
    let (name, wanted) = ("SourceMirror", "synchronized, and its partner answers");
    match (&source.mirroring, home.partner(false)) {
        (Some(mirror), Some(partner)) if mirror.state == MirrorState::Synchronized => {
            subject.passed(name, format!("SYNCHRONIZED with {}", partner.sql_instance), wanted)
        }
        (Some(mirror), partner) => {
            let with = partner.map_or("a partner that does not answer", |partner| partner.sql_instance.as_str());
            let value = format!("{} with {with}", mirror.state.as_text().to_uppercase());
            let message =
                "The switch ends mirroring anyway. On a partner that cannot be asked the log shipping record and its \
                 backup job stay: remove them there later.";
            subject.warning(name, value, wanted, message)
        }
        (None, _) => subject.warning(
            name,
            "not mirrored",
            wanted,
            "Giving the switch up leaves the database without a mirror, as it is now.",
        ),
    }
}

/// The folder that the tail goes to: that of the source's log backups, on the share that the backup reads.
fn tail_folder(subject: &Subject<'_>, source: &HomeInstance) -> CheckResult {
    let (name, wanted) = ("TailFolder", "the folder of the source's log backups");
    match &source.record {
        Some(record) => subject.passed(name, record.backup_directory.to_string(), wanted),
        None => match subject.request.folders.log_backup_share.as_deref() {
            Some(share) => subject.warning(
                name,
                share,
                wanted,
                "The source has no log shipping record, so the tail goes to the share that was named.",
            ),
            None => subject.failed(
                name,
                "unknown",
                wanted,
                "The source has no log shipping record. Name the share with `-LogBackupShare`.",
                ErrorKind::SourceNotReady,
            ),
        },
    }
}

/// Sessions come back as long as a service runs, so every server should let its services be stopped.
fn services(subject: &Subject<'_>, home: &Home, active: &[String]) -> CheckResult {
    let (name, wanted) = ("ServicesReachable", "the services of every server of the pool");
    let unread: Vec<&str> =
        home.services.iter().filter(|s| s.services.known().is_none()).map(|s| s.server.as_str()).collect();
    let is_active = |server: &&&str| active.iter().any(|active| active.eq_ignore_ascii_case(server));
    if let Some(server) = unread.iter().find(is_active) {
        return subject.failed(
            name,
            format!("{server} is to be active, and its services cannot be read"),
            wanted,
            "They could not be started after the switch. Choose other active servers, or make it reachable.",
            ErrorKind::SourceNotReady,
        );
    }
    match (home.services.len(), unread.is_empty()) {
        (0, _) => subject.unknown(
            name,
            "the members of the pool are unknown",
            wanted,
            "`Get-CsPool` shows no computers of the pool.",
            Some(ErrorKind::SourceNotReady),
        ),
        (all, true) => subject.passed(name, format!("{all} servers"), wanted),
        (_, false) => subject.warning(
            name,
            format!("{} cannot be read", unread.join(", ")),
            wanted,
            "Stop the Persistent Chat services there yourself; the switch waits until none of their sessions is left.",
        ),
    }
}

fn compliance(subject: &Subject<'_>, home: &Home, request: &PlannedSwitchRequest) -> CheckResult {
    let (name, wanted) = ("ComplianceDrains", "readable, or the operator's word");
    if !has_compliance(subject.evidence) {
        return subject.passed(name, "no compliance database in the topology", wanted);
    }
    match (request.compliance_drained, home.unprocessed.known()) {
        (true, _) => subject.warning(
            name,
            "drained, by the operator's word",
            wanted,
            "Events that the adapter has not processed stay at home in mgccomp.",
        ),
        (false, Some(left)) => {
            subject.passed(name, format!("{left} unprocessed events; the switch waits for none"), wanted)
        }
        (false, None) => subject.failed(
            name,
            format!("mgccomp cannot be read: {}", home.unprocessed.why().unwrap_or_default()),
            wanted,
            "Make sure yourself that the adapter has processed everything, then say so with `-ComplianceDrained`.",
            ErrorKind::ComplianceNotDrained,
        ),
    }
}
