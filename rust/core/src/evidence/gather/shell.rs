//! The pool through the management shell: reading commands, and each Set asked with `-WhatIf` whether it may.

use crate::document::Spellings;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{CommandOrigin, PoolEvidence, Reading, ServerAnswer};
use crate::host::{Host, NativeCommand};
use crate::names::PoolState;
use crate::pool;

/// Asks the shell, one command after the other: a host runs them in one runspace.
pub(crate) async fn read(
    host: &dyn Host,
    pool_fqdn: Option<&str>,
    spellings: &Spellings,
    servers: &[String],
) -> PoolEvidence {
    let Some(fqdn) = pool_fqdn.map(str::trim).filter(|fqdn| !fqdn.is_empty()) else { return PoolEvidence::not_named() };
    let mut shell = Shell { host, commands: Vec::new(), on_word: Vec::new() };
    let mut evidence = PoolEvidence { pool_fqdn: Some(fqdn.to_string()), ..PoolEvidence::not_named() };
    match shell.run(&pool::get_services()).await {
        Ok(objects) => {
            let services = pool::read_services(&objects);
            evidence.service = Reading::Known(pool::find_service(&services, fqdn).cloned());
            evidence.known_pools = services.into_iter().map(|service| service.pool_fqdn).collect();
        }
        Err(error) => evidence.service = Reading::Unknown(error.to_string()),
    }
    // Without the commands each further one would only say the same.
    if evidence.service.lacks_command() {
        let why = || Reading::Unknown(evidence.service.why().unwrap_or_default().to_string());
        (evidence.state_right, evidence.active_list_right) = (why(), why());
        evidence.state = Reading::Unknown(evidence.service.why().unwrap_or_default().to_string());
        evidence.members = Reading::Unknown(evidence.service.why().unwrap_or_default().to_string());
        evidence.commands = shell.commands;
        return evidence;
    }
    evidence.stores = shell.run(&pool::get_stores()).await.map(|objects| pool::read_stores(&objects)).into();
    evidence.members = members(&mut shell, fqdn).await.into();
    evidence.state = state(&mut shell, fqdn).await.into();
    evidence.replicas = shell.run(&pool::get_replication()).await.map(|objects| pool::read_replicas(&objects)).into();
    let shown = evidence.state.known().map(|state| state.identity.clone());
    let said = said(&spellings.pool_state_identity);
    let asked = Asked { said, parameter: "PoolStateIdentity", printed: state_identities(fqdn, shown) };
    evidence.state_right = shell.right(asked, |id| pool::set_pool_state(id, PoolState::FailedOver)).await.into();
    let version = evidence.service().and_then(|service| service.version);
    let said = self::said(&spellings.active_list_identity);
    let asked = Asked { said, parameter: "ActiveListIdentity", printed: list_identities(fqdn, version) };
    evidence.active_list_right = shell.right(asked, pool::clear_active_servers).await.into();
    evidence.on_word = std::mem::take(&mut shell.on_word);
    evidence.test_pools =
        shell.run(&pool::get_test_users()).await.map(|objects| pool::read_test_pools(&objects)).into();
    let servers = evidence.servers_of(servers);
    evidence.servers = answers(&mut shell, &servers).await;
    evidence.commands = shell.commands;
    evidence
}

/// The identities of a Set: what the operator says goes before what pages print.
struct Asked {
    said: Option<String>,
    /// The parameter that says it.
    parameter: &'static str,
    printed: Vec<String>,
}

struct Shell<'a> {
    host: &'a dyn Host,
    commands: Vec<CommandOrigin>,
    /// Set commands that have no `-WhatIf`.
    on_word: Vec<String>,
}

impl Shell<'_> {
    async fn run(&mut self, command: &NativeCommand) -> Result<Vec<serde_json::Map<String, serde_json::Value>>> {
        let outcome = self.host.native(command.clone()).await;
        let is_known =
            self.commands.iter().any(|known| known.name == command.name && known.stand_in == outcome.stand_in);
        let is_ours = outcome.state != crate::host::NativeState::Missing && command.name != pool::GET_COMMAND;
        if is_ours && !is_known {
            self.commands.push(CommandOrigin {
                name: command.name.clone(),
                module: outcome.module.clone(),
                stand_in: outcome.stand_in,
            });
        }
        pool::objects(command, outcome)
    }

    /// The identity under which a Set may be called: the first that passes with `-WhatIf`, or the operator's word where the
    /// installed command has no `-WhatIf`. The first error where none does.
    async fn right(&mut self, asked: Asked, command: impl Fn(&str) -> NativeCommand + Send + Sync) -> Result<String> {
        let Asked { said, parameter, printed } = asked;
        let tried = said.clone().map_or(printed, |said| vec![said]);
        let mut refusal: Option<Error> = None;
        for identity in tried {
            match self.run(&pool::what_if(&command(&identity))).await {
                Ok(_) => return Ok(identity),
                Err(error) => {
                    let is_over = error.kind != ErrorKind::NativeCommandFailed;
                    refusal.get_or_insert(error);
                    if is_over {
                        break;
                    }
                }
            }
        }
        let refusal =
            refusal.unwrap_or_else(|| Error::new(ErrorKind::NativeCommandFailed, "no identity is known to try."));
        let name = command("").name;
        if refusal.kind == ErrorKind::NativeCommandStopped || self.has_what_if(&name).await != Some(false) {
            return Err(refusal);
        }
        match said {
            Some(said) => {
                self.on_word.push(name);
                Ok(said)
            }
            None => Err(Error::new(
                ErrorKind::NativeCommandFailed,
                format!("`{name}` has no -WhatIf here, so the spelling of its identity cannot be tried; say it with `-{parameter}`."),
            )
            .with_target(name)),
        }
    }

    /// `None` where the shell does not tell.
    async fn has_what_if(&mut self, command: &str) -> Option<bool> {
        let objects = self.run(&pool::get_parameters(command)).await.ok()?;
        let names = pool::read_parameters(&objects)?;
        Some(names.iter().any(|name| name.eq_ignore_ascii_case("WhatIf")))
    }
}

/// More are refused by their number; each may take as long to be silent as a dead server does.
const MOST_ASKED: usize = 16;

/// Asks each server for its services, as far as the shell can: a command that it lacks says nothing about a server.
async fn answers(shell: &mut Shell<'_>, servers: &[String]) -> Vec<ServerAnswer> {
    let mut answers = Vec::new();
    for server in servers.iter().take(MOST_ASKED) {
        let why = match shell.run(&pool::get_windows_services(server)).await {
            Ok(_) => None,
            Err(error) if error.kind == ErrorKind::NativeCommandMissing => continue,
            Err(error) => Some(error.message),
        };
        answers.push(ServerAnswer { server: server.clone(), why });
    }
    answers
}

async fn members(shell: &mut Shell<'_>, fqdn: &str) -> Result<Vec<String>> {
    let objects = shell.run(&pool::get_pool(fqdn)).await?;
    pool::read_members(&objects).ok_or_else(|| {
        Error::new(ErrorKind::PoolNotFound, format!("`Get-CsPool` shows no computers of {fqdn}.")).with_target(fqdn)
    })
}

async fn state(shell: &mut Shell<'_>, fqdn: &str) -> Result<pool::PoolStateReading> {
    let objects = shell.run(&pool::get_pool_state()).await?;
    pool::read_pool_state(&objects, fqdn).ok_or_else(|| {
        let what = format!("`Get-CsPersistentChatState` shows no pool whose identity ends in {fqdn}.");
        Error::new(ErrorKind::PoolNotFound, what).with_target(fqdn)
    })
}

fn said(identity: &Option<String>) -> Option<String> {
    identity.as_ref().filter(|identity| !identity.trim().is_empty()).cloned()
}

/// Four spellings of the identity are in print; the one that the shell itself shows comes first.
fn state_identities(fqdn: &str, shown: Option<String>) -> Vec<String> {
    let printed = ["PersistentChatServer:", "service:PersistentChatServer:", "service:", "service: "];
    let mut identities: Vec<String> = shown.into_iter().collect();
    for prefix in printed {
        let identity = format!("{prefix}{fqdn}");
        if !identities.iter().any(|known| known.eq_ignore_ascii_case(&identity)) {
            identities.push(identity);
        }
    }
    identities
}

/// Lync Server 2013 (version 6) calls the one list `global`, later releases `PChatServerCollection`.
fn list_identities(fqdn: &str, version: Option<u32>) -> Vec<String> {
    let mut identities = vec!["global".to_string(), "PChatServerCollection".to_string()];
    if version.is_some_and(|version| version > 6) {
        identities.reverse();
    }
    identities.push(format!("PersistentChatServer:{fqdn}"));
    identities
}
