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
const MOST_ACTIVE_SERVERS: usize = 4;

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
            "{} servers are named; a pool has at most {MOST_ACTIVE_SERVERS} active ones. Leave out all but {MOST_ACTIVE_SERVERS} of \
             {}.{}",
            servers.len(),
            servers.join(", "),
            strangers_among(subject, servers).map(|text| format!(" {text}")).unwrap_or_default()
        ));
    }
    for (at, server) in servers.iter().enumerate() {
        if servers[..at].iter().any(|other| other.eq_ignore_ascii_case(server)) {
            return fail(format!("{server} is named twice."));
        }
    }
    if subject.evidence.pool.members.known().is_none() {
        let why = subject.evidence.pool.members.why().unwrap_or_default();
        return subject.unknown(
            name,
            value,
            wanted,
            format!("The members of the pool could not be read: {why}"),
            Some(ErrorKind::ActiveServersInvalid),
        );
    }
    match strangers_among(subject, servers) {
        None => subject.passed(name, value, wanted),
        Some(text) => fail(text),
    }
}

/// Those that are no member of the pool, or may be several; `None` where all are members, or these are not known.
fn strangers_among(subject: &Subject<'_>, servers: &[String]) -> Option<String> {
    let pool = &subject.evidence.pool;
    let members = pool.members.known()?;
    let mut texts = Vec::new();
    for server in servers.iter().filter(|server| !members.iter().any(|member| member.eq_ignore_ascii_case(server))) {
        match pool.members_called(server).as_slice() {
            [] => texts.push(format!("No member of the pool: {server}.")),
            several => texts.push(format!("{server} may be {}: write the FQDN.", several.join(" or "))),
        }
    }
    (!texts.is_empty()).then(|| format!("{} Its members are {}.", texts.join(" "), members.join(", ")))
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
    let left: Vec<&str> = silent
        .iter()
        .map(|answer| answer.server.as_str())
        .filter(|server| !is_ignored_server(subject, server))
        .collect();
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

/// A server is named as the check shows it, or without its domain.
fn is_ignored_server(subject: &Subject<'_>, server: &str) -> bool {
    let host = server.split('.').next().unwrap_or(server);
    is_ignored(subject, server) || is_ignored(subject, host)
}
