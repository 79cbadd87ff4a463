//! The active list is set and users get in: services run, and each server has a session in the database.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{json, Value};
use tokio::time::Instant;

use super::pool_state::read_service;
use super::replication;
use crate::error::{Error, ErrorKind, Result};
use crate::failover::plan::step_name;
use crate::host::Level;
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::pool;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::{connection, Purpose};
use crate::switch::PoolWork;

const POLL: Duration = Duration::from_millis(500);

pub(crate) struct ActiveServers;

#[async_trait]
impl<W: PoolWork> Step<W> for ActiveServers {
    fn name(&self) -> &'static str {
        step_name::ACTIVE_SERVERS
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let wanted = run.work.active_servers();
        let active = read_service(run).await?.active_servers;
        if !active.as_ref().is_some_and(|active| same(active, wanted)) {
            let active = active.map_or("unknown".to_string(), |list| shown(&list));
            return Ok(Seen::NotYet(format!("the active servers are {active} instead of {}", shown(wanted))));
        }
        let absent = absent(run, &forward(run)).await?;
        Ok(match absent.is_empty() {
            true => Seen::So(reached(run)),
            false => Seen::NotYet(format!("{} have no session in {}", shown(&absent), run.database())),
        })
    }

    fn intent(&self, run: &Run<W>) -> Value {
        json!({"active_servers": run.work.active_servers()})
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        activate(run, &forward(run)).await?;
        Ok(reached(run))
    }
}

/// A list of active servers that is brought in, and where their users are served then.
pub(crate) struct Activation<'a> {
    pub servers: &'a [String],
    /// Those of them that can come back: each is waited for.
    pub awaited: &'a [String],
    pub instance: &'a InstanceName,
    pub database: &'a str,
    /// True where a change is taken back, which a cancel does not stop.
    pub is_back: bool,
}

fn forward<W: PoolWork>(run: &Run<W>) -> Activation<'_> {
    let servers = run.work.active_servers();
    let (instance, database) = (run.work.serving(), run.database());
    Activation { servers, awaited: servers, instance, database, is_back: false }
}

/// Sets the list, and waits until the servers know it and each has a session in the database: users are in then.
///
/// # Errors
/// `StepNotVerified` (5015) where the list is another one, or a server has no session within the limit; `Cancelled` (1007);
/// those of the commands.
pub(crate) async fn activate<W: PoolWork>(run: &Run<W>, to: &Activation<'_>) -> Result<()> {
    let active = read_service(run).await?.active_servers.unwrap_or_default();
    let commands = pool::active_server_commands(&run.active_list_identity(), &active, to.servers);
    if !commands.is_empty() {
        replication::take_down(run, to.change()).await?;
    }
    let mut sent = Ok(());
    for command in commands {
        sent = sent.and(match to.is_back {
            true => run.native_set_back(command).await,
            false => run.native_set(command).await,
        });
    }
    crash_points::reach("active_servers.set");
    let active = read_service(run).await?.active_servers.unwrap_or_default();
    if !same(&active, to.servers) {
        sent?;
        return Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("the active servers are {} instead of {}.", shown(&active), shown(to.servers)),
        )
        .with_next(format!("Set them with `Set-CsPersistentChatActiveServer`, then run `{}`.", to.goes_on_with())));
    }
    // No page says that every Set moves a replica's last update, so that sessions decide where the wait was in vain.
    let replicated = replication::wait_for(run, to.change(), to.awaited).await;
    match replicated {
        Err(error) if error.kind == ErrorKind::ReplicationBehind => {
            run.host.message(Level::Warning, error.message);
        }
        other => other?,
    }
    wait_for_sessions(run, to).await
}

impl Activation<'_> {
    fn change(&self) -> &'static replication::Change {
        if self.is_back {
            &replication::LIST_BEFORE
        } else {
            &replication::ACTIVE_LIST
        }
    }

    fn goes_on_with(&self) -> &'static str {
        if self.is_back {
            "Undo-PChatRun"
        } else {
            "Resume-PChatRun"
        }
    }
}

fn reached<W: PoolWork>(run: &Run<W>) -> String {
    format!("{} are active, each with a session in {}", shown(run.work.active_servers()), run.database())
}

/// The Set succeeds in silence while no service runs: users are counted as back only when their servers are in.
async fn wait_for_sessions<W: PoolWork>(run: &Run<W>, to: &Activation<'_>) -> Result<()> {
    let end = Instant::now() + run.work.pool_timeout();
    loop {
        let absent = absent(run, to).await?;
        if absent.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(no_session(run, to, &absent).await);
        }
        run.tell_progress(&format!("waiting for {} to connect to {}", shown(&absent), to.database), None);
        run.pause(POLL).await?;
    }
}

/// The servers without a session in the database.
async fn absent<W: PoolWork>(run: &Run<W>, to: &Activation<'_>) -> Result<Vec<String>> {
    let mut connection = run.session.connector().connect(to.instance, Purpose::Catalog).await?;
    let sessions = connection::list(&mut connection, to.database).await?;
    let is_in = |server: &String| {
        sessions.iter().any(|session| session.is_inside && !session.is_own && same_host(&session.host, server))
    };
    Ok(to.awaited.iter().filter(|server| !is_in(server)).cloned().collect())
}

/// Sessions carry the short name of their host, the list its FQDN.
pub(crate) fn same_host(host: &str, server: &str) -> bool {
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    !host.is_empty() && short(host) == short(server)
}

async fn no_session<W: PoolWork>(run: &Run<W>, to: &Activation<'_>, absent: &[String]) -> Error {
    let mut states = Vec::new();
    for server in absent {
        states.push(match run.native_get(pool::get_windows_services(server)).await {
            Ok(objects) => {
                let services = pool::read_windows_services(&objects);
                match services.iter().find(|service| service.is_persistent_chat()) {
                    Some(service) => format!("{server}: `{}` is {}", service.display_name, service.status),
                    None => format!("{server}: no Persistent Chat service is shown"),
                }
            }
            Err(error) => format!("{server}: its services cannot be read ({})", error.message.trim_end_matches('.')),
        });
    }
    Error::new(
        ErrorKind::StepNotVerified,
        format!("{} are active, but have no session in {} yet. {}.", shown(absent), to.database, states.join("; ")),
    )
    .with_unchanged("The active list is set; users get in as soon as a service connects.")
    .with_next(format!(
        "Start the service there: `Get-CsWindowsService -ComputerName {0}`, `Start-CsWindowsService -ComputerName {0}`. Then \
         run `{1}`{2}.",
        absent.first().map_or("", String::as_str),
        to.goes_on_with(),
        if to.is_back { "" } else { "; where the server is lost, with other servers as `-ActiveServer`" }
    ))
}

pub(crate) fn same(a: &[String], b: &[String]) -> bool {
    let sorted = |list: &[String]| {
        let mut names: Vec<String> = list.iter().map(|name| name.to_lowercase()).collect();
        names.sort();
        names.dedup();
        names
    };
    sorted(a) == sorted(b)
}

fn shown(list: &[String]) -> String {
    if list.is_empty() {
        return "none".to_string();
    }
    list.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_compare_without_order_and_case() {
        let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert!(same(&list(&["S1.a", "s2.a"]), &list(&["s2.A", "s1.a"])));
        assert!(!same(&list(&["s1.a"]), &list(&["s1.a", "s2.a"])));
        assert!(same(&[], &[]));
    }

    #[test]
    fn a_session_s_short_name_is_that_of_the_server() {
        assert!(same_host("PCHAT1", "pchat1.contoso.com"));
        assert!(same_host("pchat1.contoso.com", "PCHAT1"));
        assert!(!same_host("pchat11", "pchat1.contoso.com"));
        assert!(!same_host("", "pchat1.contoso.com"));
    }
}
