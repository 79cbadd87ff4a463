//! What the management shell says of the pool.

use serde::{Deserialize, Serialize};

use super::Reading;
use crate::pool::{PoolService, PoolStateReading, Replica, Store};

/// The pool through its native commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolEvidence {
    /// `None`: the request names no pool.
    pub pool_fqdn: Option<String>,
    /// Each native command that answered, with its module and whether it is one of the lab's.
    pub commands: Vec<CommandOrigin>,
    /// The pool itself; `Known(None)`: the topology has no such pool.
    pub service: Reading<Option<PoolService>>,
    /// Every Persistent Chat pool of the topology.
    pub known_pools: Vec<String>,
    pub members: Reading<Vec<String>>,
    pub state: Reading<PoolStateReading>,
    pub replicas: Reading<Vec<Replica>>,
    pub stores: Reading<Vec<Store>>,
    /// Proof by `-WhatIf` that the state may be set: the identity that worked.
    pub state_right: Reading<String>,
    /// Proof by `-WhatIf` that the active list may be set: the identity that worked.
    pub active_list_right: Reading<String>,
    /// Set commands without a `-WhatIf`: their identity is the operator's word, and nothing is proved.
    pub on_word: Vec<String>,
    /// Front End pools with two test users, for the proof that a message arrives.
    pub test_pools: Reading<Vec<String>>,
    /// The servers that are to be active, each asked for its services.
    #[serde(default)]
    pub servers: Vec<ServerAnswer>,
}

/// What a server of the pool did when it was asked for its services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAnswer {
    /// Its FQDN, as the request has it.
    pub server: String,
    /// Why it told nothing: it is silent, or does not tell this account.
    pub why: Option<String>,
}

impl PoolEvidence {
    /// A pool that was not asked for.
    pub fn not_named() -> Self {
        let no = || "no pool is named".to_string();
        PoolEvidence {
            pool_fqdn: None,
            commands: Vec::new(),
            service: Reading::NotAsked(no()),
            known_pools: Vec::new(),
            members: Reading::NotAsked(no()),
            state: Reading::NotAsked(no()),
            replicas: Reading::NotAsked(no()),
            stores: Reading::NotAsked(no()),
            state_right: Reading::NotAsked(no()),
            active_list_right: Reading::NotAsked(no()),
            on_word: Vec::new(),
            test_pools: Reading::NotAsked(no()),
            servers: Vec::new(),
        }
    }

    /// The pool's record in the topology.
    pub fn service(&self) -> Option<&PoolService> {
        self.service.known()?.as_ref()
    }

    /// The module of a command that answered.
    pub fn module_of(&self, command: &str) -> Option<&str> {
        let find = |name: &str| self.commands.iter().find(|c| c.name.eq_ignore_ascii_case(name));
        find(command).or_else(|| self.commands.first())?.module.as_deref()
    }

    /// The servers that are meant, as FQDNs: a name without a domain is the one member of the pool that it begins. A name
    /// that is none, or that of several, stays as it is, and its check refuses it.
    pub fn servers_of(&self, given: &[String]) -> Vec<String> {
        given.iter().map(|name| self.server_of(name)).collect()
    }

    fn server_of(&self, name: &str) -> String {
        match self.members_called(name).as_slice() {
            [one] => one.to_string(),
            _ => name.to_string(),
        }
    }

    /// The members of the pool that a name may mean: all of it, or the part before the domain.
    pub fn members_called(&self, name: &str) -> Vec<&str> {
        let name = name.trim();
        let is_it = |member: &str| match name.contains('.') {
            true => member.eq_ignore_ascii_case(name),
            false => member.split('.').next().is_some_and(|host| host.eq_ignore_ascii_case(name)),
        };
        let members = self.members.known().map(Vec::as_slice).unwrap_or_default();
        members.iter().map(String::as_str).filter(|member| is_it(member)).collect()
    }

    /// The servers active now, where the topology shows them.
    pub fn active_servers(&self) -> Option<&[String]> {
        self.service()?.active_servers.as_deref()
    }
}

/// Where a native command comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOrigin {
    pub name: String,
    pub module: Option<String>,
    /// True where it is a stand-in of the lab.
    pub stand_in: bool,
}

#[cfg(test)]
mod tests {
    use crate::evidence::{sample, Reading};

    #[test]
    fn a_name_without_a_domain_is_the_one_member_that_it_begins() {
        let mut pool = sample::evidence().pool;
        let of = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(
            pool.servers_of(&of(&["S3", "s4.contoso.com", "s", "s9", "s3.other.com"])),
            ["s3.contoso.com", "s4.contoso.com", "s", "s9", "s3.other.com"]
        );
        pool.members = Reading::Known(of(&["s1.a.com", "s1.b.com"]));
        assert_eq!(pool.servers_of(&of(&["s1"])), ["s1"], "it may be either");
        pool.members = Reading::Unknown("no".into());
        assert_eq!(pool.servers_of(&of(&["s1"])), ["s1"]);
    }
}
