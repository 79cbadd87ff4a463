//! The servers to be active can be so.

use super::witness::is_ignored;
use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::ServerAnswer;

/// The most servers that may be active in one pool.
///
/// # Source
/// "Capacity planning for Persistent Chat Server"; the command itself does not enforce it.
pub const MOST_ACTIVE_SERVERS: usize = 4;

/// One to four, each a member of the pool, none twice.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("ActiveServers", "1 to 4 members of the pool, each once");
    let servers = &subject.request.active_servers;
    let value = if servers.is_empty() { "none".to_string() } else { servers.join(", ") };
    let fail = |message: String| subject.failed(name, value.clone(), wanted, message, ErrorKind::ActiveServersInvalid);
    if servers.is_empty() {
        return fail("Name the servers of the surviving site with `-ActiveServer`.".to_string());
    }
    if servers.len() > MOST_ACTIVE_SERVERS {
        return fail(format!(
            "{} servers are named; a pool has at most {MOST_ACTIVE_SERVERS} active ones.",
            servers.len()
        ));
    }
    for (at, server) in servers.iter().enumerate() {
        if servers[..at].iter().any(|other| other.eq_ignore_ascii_case(server)) {
            return fail(format!("{server} is named twice."));
        }
    }
    let Some(members) = subject.evidence.pool.members.known() else {
        let why = subject.evidence.pool.members.why().unwrap_or_default();
        return subject.unknown(
            name,
            value,
            wanted,
            format!("The members of the pool could not be read: {why}"),
            Some(ErrorKind::ActiveServersInvalid),
        );
    };
    let strangers: Vec<&str> = servers
        .iter()
        .filter(|server| !members.iter().any(|member| member.eq_ignore_ascii_case(server)))
        .map(String::as_str)
        .collect();
    if strangers.is_empty() {
        return subject.passed(name, value, wanted);
    }
    fail(format!(
        "No member of the pool: {}. Its members are {}; write them as FQDNs.",
        strangers.join(", "),
        members.join(", ")
    ))
}

/// Each of them answers. One that stood in the lost site becomes active in silence, and no user gets in.
///
/// Services that cannot be read may only be kept from this account, so that a server is named where it is meant all the
/// same.
pub(super) fn answers(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("ActiveServersAnswer", "each shows its services");
    let asked = &subject.evidence.pool.servers;
    if asked.is_empty() {
        let message = "A server of the lost site would become active in silence, and no user would get in.";
        return subject.unknown(name, "not asked", wanted, message, None);
    }
    let silent: Vec<&ServerAnswer> = asked.iter().filter(|answer| answer.why.is_some()).collect();
    if silent.is_empty() {
        let servers: Vec<&str> = asked.iter().map(|answer| answer.server.as_str()).collect();
        return subject.passed(name, servers.join(", "), wanted);
    }
    let told = |answer: &&ServerAnswer| {
        format!("{}: {}", answer.server, answer.why.as_deref().unwrap_or_default().trim_end_matches('.'))
    };
    let value = silent.iter().map(told).collect::<Vec<_>>().join("; ");
    let left: Vec<&str> =
        silent.iter().map(|answer| answer.server.as_str()).filter(|server| !is_ignored(subject, server)).collect();
    if left.is_empty() {
        return subject.warning(
            name,
            value,
            wanted,
            "Ignored by name. Users get in once a service runs on these servers.",
        );
    }
    let message = format!(
        "A server of the lost site would become active in silence, and no user would get in: name those of the surviving site \
         with `-ActiveServer`. Where one lives and only keeps its services from this account: `-IgnoreWitness {}`.",
        left.join(", ")
    );
    subject.failed(name, value, wanted, message, ErrorKind::ActiveServersInvalid)
}
