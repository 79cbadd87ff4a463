//! The Central Management store and its replicas: a Set is a change there, and each server learns of it later, or never.

use chrono::{DateTime, Duration, Utc};

use super::settings::{PoolState, ReplicationSettings};

/// The two settings that the failover changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatConfiguration {
    pub state: PoolState,
    /// FQDNs of the active servers, in the order in which they were named.
    pub active: Vec<String>,
}

#[derive(Debug, Clone)]
struct Change {
    version: u64,
    made_utc: DateTime<Utc>,
    configuration: ChatConfiguration,
}

/// One server's copy of the store.
#[derive(Debug, Clone)]
pub struct Replica {
    pub fqdn: String,
    pub alive: bool,
    alive_since: DateTime<Utc>,
    died_utc: Option<DateTime<Utc>>,
    version: u64,
    forced_utc: Option<DateTime<Utc>>,
    pub last_update_creation: DateTime<Utc>,
    pub configuration: ChatConfiguration,
}

/// What `Get-CsManagementStoreReplicationStatus` shows of one replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStatus {
    pub fqdn: String,
    pub up_to_date: bool,
    pub last_update_creation: DateTime<Utc>,
    pub last_status_report: DateTime<Utc>,
}

/// The store with the history of its changes.
#[derive(Debug)]
pub struct Cms {
    settings: ReplicationSettings,
    changes: Vec<Change>,
    replicas: Vec<Replica>,
}

impl Cms {
    /// A store whose replicas all hold `configuration`.
    pub fn new(
        settings: ReplicationSettings,
        configuration: ChatConfiguration,
        servers: impl IntoIterator<Item = String>,
        now: DateTime<Utc>,
    ) -> Self {
        let made_utc = now - Duration::hours(3);
        let replicas = servers
            .into_iter()
            .map(|fqdn| Replica {
                fqdn,
                alive: true,
                alive_since: made_utc,
                died_utc: None,
                version: 1,
                forced_utc: None,
                last_update_creation: made_utc,
                configuration: configuration.clone(),
            })
            .collect();
        Cms { settings, changes: vec![Change { version: 1, made_utc, configuration }], replicas }
    }

    /// The configuration in the store itself.
    pub fn configuration(&self) -> &ChatConfiguration {
        &self.changes[self.changes.len() - 1].configuration
    }

    /// Makes a change. Tells whether there is anything to replicate.
    pub fn set(&mut self, configuration: ChatConfiguration, now: DateTime<Utc>) -> bool {
        if *self.configuration() == configuration && !self.settings.unchanged_set_replicates {
            return false;
        }
        let version = self.newest() + 1;
        self.changes.push(Change { version, made_utc: now, configuration });
        true
    }

    /// A server dies or comes back.
    pub fn set_alive(&mut self, fqdn: &str, alive: bool, now: DateTime<Utc>) {
        if let Some(replica) = self.replicas.iter_mut().find(|r| r.fqdn.eq_ignore_ascii_case(fqdn)) {
            if replica.alive != alive {
                replica.alive = alive;
                replica.died_utc = (!alive).then_some(now);
                replica.alive_since = now;
            }
        }
    }

    /// Asks for a full copy to one replica, or to all.
    pub fn force(&mut self, fqdn: Option<&str>, now: DateTime<Utc>) {
        for replica in &mut self.replicas {
            if fqdn.is_none_or(|f| replica.fqdn.eq_ignore_ascii_case(f)) {
                replica.forced_utc = Some(now);
            }
        }
    }

    /// Carries over what is due at `now`. `stalled`: nothing is on its way at all.
    pub fn settle(&mut self, now: DateTime<Utc>, stalled: bool) {
        if stalled {
            return;
        }
        let milliseconds = |value: u64| Duration::milliseconds(value.min(i64::MAX as u64 / 4) as i64);
        let ordinary = milliseconds(self.settings.stale_milliseconds) + milliseconds(self.settings.delay_milliseconds);
        let forced = milliseconds(self.settings.forced_milliseconds);
        for replica in self.replicas.iter_mut().filter(|r| r.alive) {
            for change in &self.changes {
                if change.version <= replica.version {
                    continue;
                }
                let by_itself = change.made_utc.max(replica.alive_since) + ordinary;
                let by_force = replica.forced_utc.map(|f| f.max(change.made_utc).max(replica.alive_since) + forced);
                let due = by_force.map_or(by_itself, |f| f.min(by_itself));
                if due > now {
                    break;
                }
                replica.version = change.version;
                replica.configuration = change.configuration.clone();
                if self.settings.creation_moves {
                    replica.last_update_creation = due;
                }
            }
            if let Some(asked) = replica.forced_utc {
                if asked.max(replica.alive_since) + forced <= now {
                    replica.last_update_creation = replica.last_update_creation.max(asked + forced);
                    replica.forced_utc = None;
                }
            }
        }
    }

    /// The replica of a server, after `settle`.
    pub fn replica(&self, fqdn: &str) -> Option<&Replica> {
        self.replicas.iter().find(|r| r.fqdn.eq_ignore_ascii_case(fqdn))
    }

    /// The status of every replica at `now`, after `settle`.
    pub fn status(&self, now: DateTime<Utc>) -> Vec<ReplicaStatus> {
        let stale = Duration::milliseconds(self.settings.stale_milliseconds.min(i64::MAX as u64 / 4) as i64);
        self.replicas
            .iter()
            .map(|replica| {
                let behind = self.changes.iter().any(|c| c.version > replica.version && c.made_utc + stale <= now);
                ReplicaStatus {
                    fqdn: replica.fqdn.clone(),
                    up_to_date: !behind,
                    last_update_creation: replica.last_update_creation,
                    last_status_report: replica.died_utc.unwrap_or(now),
                }
            })
            .collect()
    }

    fn newest(&self) -> u64 {
        self.changes[self.changes.len() - 1].version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-03-14T09:00:00Z".parse().unwrap()
    }

    fn cms() -> Cms {
        let settings = ReplicationSettings {
            stale_milliseconds: 1000,
            delay_milliseconds: 4000,
            forced_milliseconds: 2000,
            ..ReplicationSettings::default()
        };
        let normal = ChatConfiguration { state: PoolState::Normal, active: vec!["s1".into()] };
        Cms::new(settings, normal, ["s1".to_string(), "s3".to_string()], start())
    }

    fn failed_over() -> ChatConfiguration {
        ChatConfiguration { state: PoolState::FailedOver, active: vec!["s3".into()] }
    }

    fn up_to_date(cms: &mut Cms, seconds: f64) -> Vec<bool> {
        let now = start() + Duration::milliseconds((seconds * 1000.0) as i64);
        cms.settle(now, false);
        cms.status(now).iter().map(|s| s.up_to_date).collect()
    }

    #[test]
    fn a_change_looks_up_to_date_then_behind_then_up_to_date_with_a_later_creation() {
        let mut cms = cms();
        let before = cms.status(start())[1].last_update_creation;
        cms.set(failed_over(), start());
        assert_eq!(up_to_date(&mut cms, 0.5), [true, true]);
        assert_eq!(cms.replica("s3").unwrap().configuration.state, PoolState::Normal);
        assert_eq!(up_to_date(&mut cms, 2.0), [false, false]);
        assert_eq!(up_to_date(&mut cms, 5.0), [true, true]);
        assert_eq!(cms.replica("s3").unwrap().configuration, failed_over());
        assert!(cms.replica("s3").unwrap().last_update_creation > before);
    }

    #[test]
    fn a_dead_server_never_becomes_up_to_date_and_catches_up_when_it_is_back() {
        let mut cms = cms();
        cms.set_alive("S1", false, start());
        cms.set(failed_over(), start());
        assert_eq!(up_to_date(&mut cms, 1000.0), [false, true]);
        assert_eq!(cms.status(start() + Duration::seconds(1000))[0].last_status_report, start());
        cms.set_alive("s1", true, start() + Duration::seconds(1000));
        assert_eq!(up_to_date(&mut cms, 1004.0), [false, true]);
        assert_eq!(up_to_date(&mut cms, 1005.0), [true, true]);
    }

    #[test]
    fn a_forced_copy_comes_sooner() {
        let mut cms = cms();
        cms.set(failed_over(), start());
        cms.force(Some("s3"), start());
        assert_eq!(up_to_date(&mut cms, 2.0), [false, true]);
    }

    #[test]
    fn nothing_arrives_while_replication_is_stalled() {
        let mut cms = cms();
        cms.set(failed_over(), start());
        let late = start() + Duration::hours(1);
        cms.settle(late, true);
        assert!(cms.status(late).iter().all(|s| !s.up_to_date));
    }
}
