//! The checks of a failback. Each tells its value, the wanted one and what to do; a failed one keeps the plan from running.

use super::decision::{Decision, Way};
use super::evidence::Evidence;
use super::guard::Treatment;
use crate::baseline::{InstanceBaseline, InstanceRole};
use crate::check::{self, pool_reachable::WITHOUT_REPLICATION_STATUS};
use crate::document::{CheckResult, FailbackRequest};
use crate::error::ErrorKind;
use crate::evidence::Reading;
use crate::sql::database::DatabaseState;
use crate::sql::instance::AgentState;
use crate::sql::mirror::MirrorRole;

const MOST_ACTIVE: usize = 4;

/// What a check looks at.
pub(super) type Subject<'a> = check::Subject<'a, Evidence, FailbackRequest, Decision>;

/// All of them, in the order in which an operator reads them. Pure.
pub(super) fn all(subject: &Subject<'_>) -> Vec<CheckResult> {
    let mut results = vec![commands_are_real(subject), baseline(subject)];
    results.extend(instances(subject));
    results.extend([version(subject), serving(subject)]);
    let guard = &subject.decision.guard;
    results.push(copy_at_home(subject, "CopyOnPrimary", &guard.primary));
    results.extend(guard.mirror.iter().map(|mirror| copy_at_home(subject, "CopyOnPrimaryMirror", mirror)));
    results.extend([way(subject), other_log_backups(subject), share(subject)]);
    results.extend([mirror_file_share(subject), compliance(subject), services(subject), connections(subject)]);
    results.extend([pool_reachable(subject), pool_rights(subject), pool_state(subject), active_servers(subject)]);
    results.extend([journal_place(subject), journal_copy(subject), no_other_run(subject)]);
    results
}

fn commands_are_real(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "CommandsAreReal";
    const WANTED: &str = "native commands of the instances' own world";
    let in_lab = s.evidence.lab_id().is_some();
    let wrong = s.evidence.pool.commands.iter().find(|command| command.stand_in != in_lab);
    match wrong {
        None => s.passed(NAME, if in_lab { "lab" } else { "real" }, WANTED),
        Some(command) => {
            let module = command.module.as_deref().unwrap_or("an unknown module");
            let message = "Open a shell with the one module that belongs to these instances.";
            s.failed(NAME, format!("{} of {module}", command.name), WANTED, message, ErrorKind::LabMixedWithReal)
        }
    }
}

fn baseline(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "Baseline";
    const WANTED: &str = "a baseline with log shipping of primary and backup";
    let Some(baseline) = s.request.baseline.as_deref() else {
        let message = "Name it with `-Baseline`; `Save-PChatBaseline` makes one while all is well.";
        return s.failed(NAME, "none", WANTED, message, ErrorKind::ChecksFailed);
    };
    let place = s.request.baseline_path.as_deref().map(|path| format!(", {path}")).unwrap_or_default();
    let value = format!("saved {}{place}", crate::evidence::utc_text(baseline.saved_at_utc));
    let wanted = &s.decision.wanted;
    let lacks: Vec<&str> = [
        ("the record of the primary", wanted.primary.is_none()),
        ("its backup job", wanted.primary_job.is_none()),
        ("the record of the secondary", wanted.secondary.is_none()),
        ("its copy job", wanted.copy_job.is_none()),
        ("its restore job", wanted.restore_job.is_none()),
    ]
    .iter()
    .filter(|(_, lacks)| *lacks)
    .map(|(what, _)| *what)
    .collect();
    if baseline.database != s.evidence.database {
        let value = format!("one of `{}`", baseline.database);
        return s.failed(NAME, value, WANTED, "Name the baseline of this database.", ErrorKind::ChecksFailed);
    }
    if !lacks.is_empty() {
        let message = "Name a baseline that was saved while log shipping was configured.";
        return s.failed(
            NAME,
            format!("{value}, without {}", lacks.join(", ")),
            WANTED,
            message,
            ErrorKind::ChecksFailed,
        );
    }
    s.passed(NAME, value, WANTED)
}

fn instances(s: &Subject<'_>) -> Vec<CheckResult> {
    let mut results = Vec::new();
    for role in InstanceRole::ALL {
        let word = match role {
            InstanceRole::Primary => "Primary",
            InstanceRole::PrimaryMirror => "PrimaryMirror",
            InstanceRole::Backup => "Backup",
            InstanceRole::BackupMirror => "BackupMirror",
        };
        let name = format!("{word}Reachable");
        let needed = match role {
            InstanceRole::Primary | InstanceRole::Backup => true,
            InstanceRole::PrimaryMirror => s.decision.wanted.is_mirrored,
            InstanceRole::BackupMirror => is_mirrored(s.evidence.instance(InstanceRole::Backup)),
        };
        let Some(instance) = s.evidence.instance(role) else {
            if needed {
                let message = "Name it, or give a baseline that has it.";
                results.push(s.failed(&name, "not named", "an answer", message, ErrorKind::ChecksFailed));
            }
            continue;
        };
        let facts = match &instance.facts {
            Reading::Known(facts) => facts,
            other => {
                let why = other.why().unwrap_or_default();
                let message = "Bring it up, or correct `-AddressMap` or its credential.";
                let value = format!("{}: {why}", instance.sql_instance);
                results.push(match needed {
                    true => s.failed(&name, value, "an answer", message, ErrorKind::ChecksFailed),
                    false => s.warning(&name, value, "an answer", message),
                });
                continue;
            }
        };
        results.push(s.passed(&name, format!("{} answers", instance.sql_instance), "an answer"));
        if !facts.is_sysadmin {
            let value = format!("{} is none on {}", facts.login, instance.sql_instance);
            let message = "Log in as a member of sysadmin.";
            results.push(s.failed(
                &format!("{word}Rights"),
                value,
                "a member of sysadmin",
                message,
                ErrorKind::PermissionMissing,
            ));
        }
        if facts.agent == AgentState::Stopped && role != InstanceRole::BackupMirror {
            let message = "Start SQL Server Agent there: log shipping's jobs run in it.";
            results.push(s.failed(
                &format!("{word}Agent"),
                format!("stopped on {}", instance.sql_instance),
                "running",
                message,
                ErrorKind::AgentNotRunning,
            ));
        }
    }
    results
}

fn is_mirrored(instance: Option<&InstanceBaseline>) -> bool {
    instance.and_then(InstanceBaseline::mirroring).is_some()
}

fn version(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "Version";
    const WANTED: &str = "the same version on the backup, the primary and their mirrors";
    match s.decision.obstacles.first() {
        None => s.passed(NAME, "the same", WANTED),
        Some(_) => s.failed(
            NAME,
            s.decision.obstacles.join("; "),
            WANTED,
            "Bring the instances to one version first.",
            ErrorKind::ChecksFailed,
        ),
    }
}

/// The backup must serve, and be the principal of its pair.
fn serving(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "BackupServes";
    const WANTED: &str = "online, principal of its pair";
    let Some(backup) = s.evidence.instance(InstanceRole::Backup).and_then(InstanceBaseline::database) else {
        return s.failed(NAME, "unknown", WANTED, "Look why it cannot be read.", ErrorKind::DatabaseNotFound);
    };
    let state = backup.facts.state;
    if let Some(Some(mirroring)) = backup.mirroring.known() {
        if mirroring.role == MirrorRole::Mirror {
            let message = "Its partner serves at the moment. Change the roles first: `Invoke-CsDatabaseFailover \
                           -DatabaseType PersistentChat -NewPrincipal Primary`.";
            return s.failed(NAME, "the mirror of its pair", WANTED, message, ErrorKind::ChecksFailed);
        }
    }
    match state {
        DatabaseState::Online => s.passed(NAME, "online", WANTED),
        other => {
            let message =
                "Failback starts from a backup that serves. `Get-PChatRun` tells of runs that were not finished.";
            s.failed(NAME, other.as_text(), WANTED, message, ErrorKind::ChecksFailed)
        }
    }
}

fn copy_at_home(s: &Subject<'_>, name: &str, treatment: &Treatment) -> CheckResult {
    const WANTED: &str = "nothing in it that would be lost";
    let found = treatment.found.as_str();
    match treatment.refusal() {
        Some((why, next)) => s.failed(name, why, WANTED, next, ErrorKind::OldCopyAtRisk),
        None if treatment.saves() => s.warning(
            name,
            format!("{found} on {}", treatment.instance),
            WANTED,
            "It is saved to a file of its own, verified and kept, before it is overwritten.",
        ),
        None => s.passed(name, format!("{found} on {}", treatment.instance), WANTED),
    }
}

fn way(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "Way";
    const WANTED: &str = "a proved way for the content";
    match (&s.decision.way, &s.decision.why_seeded) {
        (Way::Unseeded, _) => s.passed(NAME, "the primary's copy is gone on from, without seeding", WANTED),
        (Way::Seeded, Some(why)) => {
            s.passed(NAME, format!("seeded, because the log backups do not reach the primary's copy: {why}"), WANTED)
        }
        (Way::Seeded, None) => s.passed(NAME, "seeded from a full backup while users are served", WANTED),
        (Way::Documented, _) => s.warning(
            NAME,
            "the page's own order",
            WANTED,
            "Users are out while the full backup is taken and restored. Without `-Documented` they are not.",
        ),
    }
}

fn other_log_backups(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "OtherLogBackups";
    const WANTED: &str = "no other tool that takes log backups";
    match (&s.evidence.history, s.decision.foreign.last()) {
        (Reading::Known(_), None) => s.passed(NAME, "none", WANTED),
        (Reading::Known(_), Some(set)) => {
            let path = set.path.as_ref().map_or("an unknown file".to_string(), ToString::to_string);
            s.warning(
                NAME,
                format!("the newest went to {path}"),
                WANTED,
                "Stop that tool until the failback is done. A log backup of it that the primary cannot read stops the run.",
            )
        }
        (other, _) => s.warning(NAME, other.why().unwrap_or_default(), WANTED, "msdb of the backup could not be read."),
    }
}

fn share(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "LogBackupShare";
    const WANTED: &str = "a share that primary and backup see";
    let Some(share) = &s.decision.wanted.share else {
        let message = "Name it with `-LogBackupShare`.";
        return s.failed(NAME, "not named", WANTED, message, ErrorKind::ChecksFailed);
    };
    if !share.is_unc() {
        let message = "Name a UNC path that the service accounts of all instances can read and write.";
        return s.failed(NAME, share.as_str(), WANTED, message, ErrorKind::ChecksFailed);
    }
    unseen(s, NAME, share.as_str(), WANTED, &[InstanceRole::Primary, InstanceRole::Backup], ErrorKind::ShareUnreachable)
}

fn unseen(
    s: &Subject<'_>,
    name: &str,
    path: &str,
    wanted: &str,
    needed: &[InstanceRole],
    kind: ErrorKind,
) -> CheckResult {
    let missing: Vec<&str> = s
        .evidence
        .shares
        .iter()
        .filter(|seen| seen.path.as_str() == path && needed.contains(&seen.role))
        .filter(|seen| seen.is_there.known() != Some(&true))
        .map(|seen| s.evidence.name(seen.role))
        .collect();
    match missing.is_empty() {
        true => s.passed(name, path, wanted),
        false => s.failed(
            name,
            format!("{path} is not seen by {}", missing.join(", ")),
            wanted,
            "Check the share and the rights of the service accounts on it.",
            kind,
        ),
    }
}

fn mirror_file_share(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "MirrorFileShare";
    const WANTED: &str = "a share that the primary and its mirror see";
    if !s.decision.wanted.is_mirrored {
        return s.passed(NAME, "no mirror is wanted", WANTED);
    }
    match s.request.mirror_file_share.as_deref().map(str::trim).filter(|share| !share.is_empty()) {
        Some(share) if share.starts_with(r"\\") => {
            let needed = [InstanceRole::Primary, InstanceRole::PrimaryMirror];
            unseen(s, NAME, share, WANTED, &needed, ErrorKind::ShareUnreachable)
        }
        other => {
            let message = "Name it with `-MirrorFileShare`.";
            s.failed(NAME, other.unwrap_or("not named"), WANTED, message, ErrorKind::ChecksFailed)
        }
    }
}

fn compliance(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "Compliance";
    const WANTED: &str = "nothing left in mgccomp that its adapter has to process";
    let service = s.evidence.pool.service();
    if service.is_some_and(|service| service.compliance_store.is_none()) {
        return s.passed(NAME, "compliance is off", WANTED);
    }
    match &s.evidence.compliance_rows {
        Reading::Known(0) => s.passed(NAME, "no unprocessed event", WANTED),
        Reading::NotAsked(why) => s.passed(NAME, why.as_str(), WANTED),
        _ if s.request.compliance_drained => s.passed(NAME, "drained, as the operator says", WANTED),
        Reading::Known(events) => s.warning(
            NAME,
            format!("{events} unprocessed events"),
            WANTED,
            "The run waits for them once the channel services are stopped, and puts everything back where they stay. Where they may \
             stay behind, say `-ComplianceDrained`.",
        ),
        Reading::Unknown(why) => s.warning(
            NAME,
            why.as_str(),
            WANTED,
            "The run cannot tell when it is drained. Say so with `-ComplianceDrained`, or it stops there.",
        ),
    }
}

fn services(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "Services";
    const WANTED: &str = "servers whose services this shell can stop and start";
    let closed: Vec<&str> = s
        .evidence
        .services
        .iter()
        .filter(|server| server.services.known().is_none())
        .map(|server| server.server.as_str())
        .collect();
    match closed.is_empty() {
        true => s.passed(NAME, format!("{} servers answer", s.evidence.services.len()), WANTED),
        false => s.warning(
            NAME,
            format!("{} do not answer", closed.join(", ")),
            WANTED,
            "A service that goes on there comes back into the database, and stops the run before the last log backup.",
        ),
    }
}

fn connections(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "Connections";
    const WANTED: &str = "known";
    match &s.evidence.sessions {
        Reading::Known(sessions) => {
            s.passed(NAME, format!("{} sessions in the serving database", sessions.len()), WANTED)
        }
        other => s.warning(NAME, other.why().unwrap_or_default(), WANTED, "They are looked at again in the run."),
    }
}

fn pool_reachable(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "PoolReachable";
    const WANTED: &str = "the pool in the topology";
    let pool = &s.evidence.pool;
    match &pool.service {
        Reading::Known(Some(_)) if pool.replicas.lacks_command() => s.failed(
            NAME,
            pool.replicas.why().unwrap_or_default(),
            WANTED,
            WITHOUT_REPLICATION_STATUS,
            ErrorKind::NativeCommandMissing,
        ),
        Reading::Known(Some(service)) => s.passed(NAME, service.pool_fqdn.as_str(), WANTED),
        Reading::Known(None) => s.failed(
            NAME,
            format!("known are {}", s.evidence.pool.known_pools.join(", ")),
            WANTED,
            "Check `-PoolFqdn` against `Get-CsService -PersistentChatServer`.",
            ErrorKind::PoolNotFound,
        ),
        Reading::Unknown(why) => s.failed(
            NAME,
            why.as_str(),
            WANTED,
            "Open the management shell, and see that the Central Management store answers.",
            ErrorKind::NativeCommandMissing,
        ),
        Reading::NotAsked(why) => {
            s.failed(NAME, why.as_str(), WANTED, "Name the pool with `-PoolFqdn`.", ErrorKind::ChecksFailed)
        }
    }
}

fn pool_rights(s: &Subject<'_>) -> CheckResult {
    check::pool_rights(s, &s.evidence.pool)
}

fn pool_state(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "PoolState";
    const WANTED: &str = "FailedOver";
    match &s.evidence.pool.state {
        Reading::Known(state) if state.state.eq_ignore_ascii_case(WANTED) => {
            s.passed(NAME, state.state.as_str(), WANTED)
        }
        Reading::Known(state) => s.warning(
            NAME,
            state.state.as_str(),
            WANTED,
            "The pool does not use the backup at the moment. Look which side serves before going on.",
        ),
        other => s.warning(NAME, other.why().unwrap_or_default(), WANTED, "It is read again in the run."),
    }
}

fn active_servers(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "ActiveServers";
    const WANTED: &str = "one to four servers of the pool";
    let wanted = &s.decision.wanted.active_servers;
    let value = if wanted.is_empty() { "none".to_string() } else { wanted.join(", ") };
    if wanted.is_empty() || wanted.len() > MOST_ACTIVE {
        let message = "Name them with `-ActiveServer`.";
        return s.failed(NAME, value, WANTED, message, ErrorKind::ActiveServersInvalid);
    }
    let Some(members) = s.evidence.pool.members.known() else { return s.passed(NAME, value, WANTED) };
    let strange: Vec<&str> = wanted
        .iter()
        .filter(|name| !members.iter().any(|member| member.eq_ignore_ascii_case(name)))
        .map(String::as_str)
        .collect();
    match strange.is_empty() {
        true => s.passed(NAME, value, WANTED),
        false => s.failed(
            NAME,
            format!("{} do not belong to the pool", strange.join(", ")),
            WANTED,
            "Name servers of this pool.",
            ErrorKind::ActiveServersInvalid,
        ),
    }
}

fn journal_place(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "JournalPlace";
    const WANTED: &str = "a folder for the journal";
    let journal = &s.evidence.journal;
    match &journal.folder_problem {
        None => s.passed(NAME, journal.folder.as_str(), WANTED),
        Some(why) => s.failed(
            NAME,
            format!("{}: {why}", journal.folder),
            WANTED,
            "Give one with `-JournalPath`.",
            ErrorKind::ChecksFailed,
        ),
    }
}

fn journal_copy(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "JournalCopy";
    const WANTED: &str = "a folder at the backup site for the journal's second copy";
    let journal = &s.evidence.journal;
    match (&journal.copy_folder, &journal.copy_problem) {
        (Some(folder), None) => s.passed(NAME, folder.as_str(), WANTED),
        (Some(folder), Some(why)) => s.failed(
            NAME,
            format!("{folder}: {why}"),
            WANTED,
            "Give another with `-JournalCopyPath`.",
            ErrorKind::JournalCopyMissing,
        ),
        (None, _) if s.request.journal.no_journal_copy => {
            s.warning(NAME, "declined", WANTED, "Nobody else can resume.")
        }
        (None, _) => s.failed(
            NAME,
            "none",
            WANTED,
            "Name one with `-JournalCopyPath`, give the baseline by its path, or decline with `-NoJournalCopy`.",
            ErrorKind::JournalCopyMissing,
        ),
    }
}

fn no_other_run(s: &Subject<'_>) -> CheckResult {
    const NAME: &str = "NoOtherRun";
    const WANTED: &str = "nobody at work on the database";
    match &s.evidence.lock_holder {
        Reading::Known(None) => s.passed(NAME, "nobody", WANTED),
        Reading::Known(Some(holder)) => s.failed(
            NAME,
            holder.as_str(),
            WANTED,
            "Ask who is named; wait for the end of that run.",
            ErrorKind::Locked,
        ),
        other => s.warning(NAME, other.why().unwrap_or_default(), WANTED, "The locks decide when the run starts."),
    }
}
