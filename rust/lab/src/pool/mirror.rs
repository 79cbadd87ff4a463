//! Mirrors as the native commands handle them: set up through a file share, taken apart, swapped.

use super::outside::{DatabaseCommand, DatabaseSeen};
use super::settings::{PoolState, Store};
use super::Pool;

/// Which of the pool's databases a command means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseType {
    Chat,
    Compliance,
}

/// Principal and mirror of one side, as the topology has them.
#[derive(Debug, Clone)]
pub struct StorePair {
    pub principal: Store,
    pub mirror: Store,
}

/// What one database's mirroring looks like from both stores of a pair.
#[derive(Debug, Clone)]
pub struct PairSeen {
    pub database: String,
    pub on_primary: DatabaseSeen,
    pub on_mirror: DatabaseSeen,
}

impl Pool {
    /// Name of a database, if the pool has it.
    pub fn database_name(&self, kind: DatabaseType) -> Option<String> {
        let inner = self.lock();
        match kind {
            DatabaseType::Chat => Some(inner.settings.chat_database.clone()),
            DatabaseType::Compliance => inner.settings.compliance_database.clone(),
        }
    }

    /// The pair whose principal store is `sql_server` (FQDN) with this instance name.
    pub fn store_pair(&self, sql_server: &str, instance_name: &str) -> Result<StorePair, String> {
        let inner = self.lock();
        let stores = &inner.settings.stores;
        let is = |store: &Store| {
            store.fqdn.eq_ignore_ascii_case(sql_server) && store.instance_name().eq_ignore_ascii_case(instance_name)
        };
        let shown = if instance_name.is_empty() { sql_server.into() } else { format!("{sql_server}\\{instance_name}") };
        let (principal, mirror) = if is(&stores.primary) {
            (Some(&stores.primary), stores.primary_mirror.as_ref())
        } else if stores.backup.as_ref().is_some_and(is) {
            let failed_over = inner.cms.configuration().state == PoolState::FailedOver;
            if inner.settings.mirror.backup_pair_needs_failed_over && !failed_over {
                return Err(format!(
                    "SQL store {shown} is not in use by pool {} while its state is Normal.",
                    inner.settings.pool_fqdn
                ));
            }
            (stores.backup.as_ref(), stores.backup_mirror.as_ref())
        } else {
            (None, None)
        };
        let Some(principal) = principal else {
            return Err(format!("SQL store {shown} is not the primary store of any database in the topology."));
        };
        let Some(mirror) = mirror else {
            return Err(format!("No mirror is configured in the topology for SQL store {shown}."));
        };
        Ok(StorePair { principal: principal.clone(), mirror: mirror.clone() })
    }

    /// The pair that the pool's state selects.
    pub fn current_pair(&self) -> Option<StorePair> {
        let inner = self.lock();
        let (principal, mirror) = super::services::store_pair(&inner, inner.cms.configuration().state);
        Some(StorePair { principal: principal?, mirror: mirror? })
    }

    /// Looks at one database from both sides.
    pub fn see_pair(&self, pair: &StorePair, database: &str) -> PairSeen {
        PairSeen {
            database: database.into(),
            on_primary: self.outside.database(&pair.principal.instance, database),
            on_mirror: self.outside.database(&pair.mirror.instance, database),
        }
    }

    /// Sets up the mirror of one database: full and log backup to the share, restored on the mirror, partners set.
    ///
    /// Nothing happens when the pair is mirrored already. Takes lab time.
    pub async fn install_mirror(
        &self,
        pair: &StorePair,
        database: &str,
        file_share: &str,
        drop_existing: bool,
    ) -> Result<(), String> {
        let settings = self.lock().settings.mirror.clone();
        let seen = self.see_pair(pair, database);
        if !seen.on_primary.reachable {
            return Err(format!("Cannot connect to SQL server {}.", pair.principal.fqdn));
        }
        if !seen.on_mirror.reachable {
            return Err(format!("Cannot connect to mirror SQL server {}.", pair.mirror.fqdn));
        }
        if seen.on_primary.mirroring.is_some() && seen.on_mirror.mirroring.is_some() {
            return Ok(());
        }
        if !seen.on_primary.serves() {
            return Err(format!("Database {database} on {} is not online.", pair.principal.fqdn));
        }
        if !self.outside.share_is_there(file_share) {
            return Err(format!("Cannot access file share {file_share}."));
        }
        if seen.on_mirror.exists && !drop_existing {
            return Err(format!(
                "Database {database} already exists on mirror {}. Use DropExistingDatabasesOnMirror to replace it.",
                pair.mirror.fqdn
            ));
        }
        self.lab_sleep(settings.setup_milliseconds / 2).await;
        let folder = file_share.trim_end_matches('\\');
        let (full, log) = (format!("{folder}\\{database}.bak"), format!("{folder}\\{database}.trn"));
        let endpoint = |store: &Store| format!("TCP://{}:{}", store.fqdn, settings.endpoint_port);
        let (principal, mirror) = (&pair.principal.instance, &pair.mirror.instance);
        if seen.on_mirror.exists {
            // A set-up that failed half way leaves a partner behind, which bars the drop; without one this is refused.
            let _ = self.outside.command(mirror, database, DatabaseCommand::PartnerOff).await;
            self.on(mirror, database, DatabaseCommand::Drop).await?;
        }
        self.on(principal, database, DatabaseCommand::BackupDatabase { to: full.clone() }).await?;
        let backup = DatabaseCommand::BackupLog { to: log.clone(), copy_only: !settings.takes_log_backup };
        self.on(principal, database, backup).await?;
        self.on(mirror, database, DatabaseCommand::RestoreDatabase { from: full }).await?;
        self.on(mirror, database, DatabaseCommand::RestoreLog { from: log }).await?;
        // A log backup by somebody else in this time leaves the mirror behind.
        self.lab_sleep(settings.setup_milliseconds / 2).await;
        let partner = DatabaseCommand::SetPartner { endpoint: endpoint(&pair.principal) };
        self.on(mirror, database, partner).await?;
        let partner = DatabaseCommand::SetPartner { endpoint: endpoint(&pair.mirror) };
        self.on(principal, database, partner).await
    }

    /// Takes the mirror of one database apart. The former mirror stays RESTORING unless it is dropped.
    pub async fn uninstall_mirror(&self, pair: &StorePair, database: &str, drop_existing: bool) -> Result<(), String> {
        let seen = self.see_pair(pair, database);
        if !seen.on_primary.reachable {
            return Err(format!("Cannot connect to SQL server {}.", pair.principal.fqdn));
        }
        if seen.on_primary.mirroring.is_none() {
            return Err(format!("Database {database} on {} is not mirrored.", pair.principal.fqdn));
        }
        self.on(&pair.principal.instance, database, DatabaseCommand::PartnerOff).await?;
        if drop_existing {
            self.on(&pair.mirror.instance, database, DatabaseCommand::Drop).await?;
        }
        Ok(())
    }

    /// Makes the primary or the mirror store of the current pair the principal. `force`: even when the principal does not
    /// answer, with the loss of what had not reached the mirror.
    pub async fn swap_roles(
        &self,
        pair: &StorePair,
        database: &str,
        to_mirror: bool,
        force: bool,
    ) -> Result<(), String> {
        let seen = self.see_pair(pair, database);
        let (wanted, other) =
            if to_mirror { (&seen.on_mirror, &seen.on_primary) } else { (&seen.on_primary, &seen.on_mirror) };
        let (wanted_on, other_on) = if to_mirror {
            (&pair.mirror.instance, &pair.principal.instance)
        } else {
            (&pair.principal.instance, &pair.mirror.instance)
        };
        let Some(side) = &wanted.mirroring else {
            return Err(format!("No mirror is configured for database {database}."));
        };
        if side.principal {
            return Ok(());
        }
        match (other.reachable, force) {
            (true, _) if other.mirroring.is_none() => Err(format!("No mirror is configured for database {database}.")),
            (true, _) => self.on(other_on, database, DatabaseCommand::PartnerFailover).await,
            (false, true) => self.on(wanted_on, database, DatabaseCommand::PartnerForce).await,
            (false, false) => Err(format!("Cannot connect to SQL server instance {other_on}. Use Force to fail over.")),
        }
    }

    async fn on(&self, instance: &str, database: &str, command: DatabaseCommand) -> Result<(), String> {
        let text = command.sql(database);
        self.outside
            .command(instance, database, command)
            .await
            .map_err(|refusal| format!("{text} on {instance} was refused: {refusal}"))
    }
}
