//! ALTER DATABASE … SET PARTNER.

use super::connection::Connection;
use super::error::SqlMessage;
use super::messages as m;
use super::model::{Access, Mirroring, Model, State, World};
use crate::faults::Fault;
use lab_tsql::ast::PartnerAction;

fn refuse(number: i32, text: String) -> Result<(), SqlMessage> {
    Err(SqlMessage::new(number, 16, u8::from(number != 1412), text))
}

impl Connection {
    /// ALTER DATABASE … SET PARTNER.
    ///
    /// # Errors
    /// The 1400 range; 5052 where the state does not allow it.
    pub(crate) fn set_partner(&mut self, name: &str, action: &PartnerAction) -> Result<(), SqlMessage> {
        let mut world = self.engine.world();
        let by = self.client.program.clone();
        let instance = self.instance;
        match action {
            PartnerAction::Address(address) => world.partner_address(instance, name, address)?,
            other => world.change_partner(instance, name, other)?,
        }
        let on = world.instances[instance].name.clone();
        world.effect(&on, "mirroring", format!("{name} {action:?}"), &by);
        Ok(())
    }
}

impl World {
    fn find_endpoint(&self, address: &str) -> Option<usize> {
        let rest = address.get(..6).filter(|p| p.eq_ignore_ascii_case("TCP://")).map(|_| &address[6..])?;
        let (host, port) = rest.rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        let host = self.find_host(host)?;
        self.instances.iter().position(|i| i.host == host && i.mirroring_port == port)
    }

    fn partner_address(&mut self, instance: usize, name: &str, address: &str) -> Result<(), SqlMessage> {
        if !address.to_uppercase().starts_with("TCP://") || !address[6..].contains(':') {
            return refuse(1449, "ALTER DATABASE command failed due to an invalid server connection string.".into());
        }
        let unreachable = || {
            refuse(
                1418,
                format!(
                    "The server network address \"{address}\" can not be reached or does not exist. Check the network address name and that the ports for the local and remote endpoints are operational."
                ),
            )
        };
        let partner = self.find_endpoint(address);
        let broken = self.faults.iter().any(|f| match f {
            Fault::MirrorSetUpFails { instance: Some(on) } => {
                let on = self.find_instance(on);
                on == Some(instance) || (on.is_some() && on == partner)
            }
            Fault::MirrorSetUpFails { instance: None } => true,
            _ => false,
        });
        let Some(database) = self.instances[instance].database(name) else { return unreachable() };
        if database.mirroring.as_ref().is_some_and(|x| !x.waiting) {
            return refuse(1405, format!("The database \"{name}\" is already enabled for database mirroring."));
        }
        if database.state == State::Restoring {
            let Some(partner) = partner else { return unreachable() };
            if partner == instance {
                return refuse(1452, "The partner server instance name must be distinct from the server instance that manages the database. The ALTER DATABASE SET PARTNER command failed.".into());
            }
            let guid = self.random.guid();
            if let Some(database) = self.database_mut(instance, name) {
                let half = Mirroring::new(guid, false, partner, address.to_owned());
                database.mirroring = Some(Mirroring { waiting: true, ..half });
            }
            return Ok(());
        }
        if database.is_standby() || database.read_only {
            return refuse(1466, format!("Database \"{name}\" is read-only on one of the server instances which is incompatible with participating in database mirroring or in an availability group. Set database to read-write mode, and retry the operation."));
        }
        if database.state != State::Online {
            return Err(super::session::closed_state(database).unwrap_or_else(|| m::mirroring_forbids(name)));
        }
        if database.model != Model::Full {
            return refuse(1465, format!("Database \"{name}\" database is not in full recovery mode on each of the server instances. The full recovery model is required for a database to participate in database mirroring or in an availability group."));
        }
        if database.access == Access::Single {
            return refuse(1488, format!("Database \"{name}\" database is in single user mode which is incompatible with participating in database mirroring or in an availability group. Set database to multi-user mode, and retry the operation."));
        }
        let reached = |p: &usize| *p != instance && self.runs(*p) && self.endpoint_works(*p);
        let Some(partner) = partner.filter(|p| reached(p) && self.endpoint_works(instance) && !broken) else {
            return unreachable();
        };
        let Some(copy) = self.instances[partner].database(name) else {
            return refuse(1448, format!("The remote copy of database \"{name}\" does not exist. Check the database name and reissue the command."));
        };
        if copy.is_standby() {
            return refuse(1466, format!("Database \"{name}\" is read-only on one of the server instances which is incompatible with participating in database mirroring or in an availability group. Set database to read-write mode, and retry the operation."));
        }
        if copy.state != State::Restoring {
            return refuse(1464, format!("Database \"{name}\" is not in a recovering state which is required for a mirror database or secondary database. The remote database must be restored using WITH NORECOVERY."));
        }
        match &copy.mirroring {
            None => return refuse(1416, format!("Database \"{name}\" is not configured for database mirroring.")),
            Some(x) if !x.waiting => {
                return refuse(
                    1410,
                    format!("The remote copy of database \"{name}\" is already enabled for database mirroring."),
                );
            }
            Some(x) if x.partner != instance => return unreachable(),
            Some(_) => {}
        }
        if copy.family != database.family {
            return refuse(
                1407,
                format!("The remote copy of database \"{name}\" is not related to the local copy of the database."),
            );
        }
        let same_fork = copy.fork_at(copy.log_end) == database.fork_at(copy.log_end);
        let beyond = copy.log_end > database.log_end;
        if !copy.log_restored || beyond || !same_fork || copy.interrupted.is_some() {
            return refuse(1412, format!("The remote copy of database \"{name}\" has not been rolled forward to a point in time that is encompassed in the local copy of the database log."));
        }
        // The log from there on was backed up and cut off: the mirror would lack it.
        if copy.log_end < database.log_backup_start {
            return refuse(1478, format!("The mirror database, \"{name}\", has insufficient transaction log data to preserve the log backup chain of the principal database.  This may happen if a log backup from the principal database has not been taken or has not been restored on the mirror database."));
        }
        let guid = self.random.guid();
        let back = self.endpoint_address(instance);
        if let Some(database) = self.database_mut(instance, name) {
            database.mirroring = Some(Mirroring::new(guid, true, partner, address.to_owned()));
        }
        if let Some(copy) = self.database_mut(partner, name) {
            copy.mirroring = Some(Mirroring::new(guid, false, instance, back));
        }
        self.tend_mirrors();
        Ok(())
    }

    /// `TCP://host.fqdn:port` of an instance's mirroring endpoint.
    pub fn endpoint_address(&self, instance: usize) -> String {
        let inst = &self.instances[instance];
        format!("TCP://{}:{}", self.hosts[inst.host].fqdn, inst.mirroring_port)
    }

    fn change_partner(&mut self, instance: usize, name: &str, action: &PartnerAction) -> Result<(), SqlMessage> {
        let Some(database) = self.instances[instance].database(name) else { return Ok(()) };
        let Some(mirroring) = database.mirroring.clone() else {
            return refuse(1416, format!("Database \"{name}\" is not configured for database mirroring."));
        };
        let partner = mirroring.partner;
        let (state, _) = self.mirroring_state(&mirroring, name);
        let id = database.id;
        let standard = self.instances[instance].edition.starts_with("Standard");
        match action {
            PartnerAction::Off => {
                if let Some(database) = self.database_mut(instance, name) {
                    database.mirroring = None;
                }
                if state != 1 {
                    if let Some(other) = self.database_mut(partner, name) {
                        other.mirroring = None;
                    }
                }
            }
            PartnerAction::Failover => {
                if !mirroring.principal {
                    return refuse(1470, format!("The alter database for this partner config values may only be initiated on the current principal server for database \"{name}\"."));
                }
                if !mirroring.safety_full {
                    return refuse(1477, format!("The mirroring safety level must be FULL to manually failover database \"{name}\".  Set safety level to FULL and retry."));
                }
                if state != 4 {
                    return refuse(1422, format!("The mirror server instance is not caught up to the recent changes to database \"{name}\". Unable to fail over."));
                }
                self.swap_roles(instance, partner, name);
            }
            PartnerAction::ForceServiceAllowDataLoss => {
                if mirroring.principal || state != 1 {
                    return refuse(1455, format!("The database mirroring service cannot be forced for database \"{name}\" because the database is not in the correct state to become the principal database."));
                }
                self.recover(instance, id, false);
                if let Some(database) = self.database_mut(instance, name) {
                    if let Some(x) = &mut database.mirroring {
                        x.principal = true;
                        x.suspended = true;
                        x.role_sequence += 1;
                        x.fall_behind();
                    }
                }
            }
            PartnerAction::Suspend | PartnerAction::Resume => {
                if state == 1 {
                    return refuse(1447, format!("ALTER DATABASE \"{name}\" command cannot be executed until both partner server instances are up, running, and connected.  Start the partner and reissue the command."));
                }
                for side in [instance, partner] {
                    if let Some(x) = self.database_mut(side, name).and_then(|d| d.mirroring.as_mut()) {
                        x.suspended = *action == PartnerAction::Suspend;
                        x.fall_behind();
                    }
                }
                self.tend_mirrors();
            }
            PartnerAction::Safety { full } => {
                if !mirroring.principal {
                    return refuse(1470, format!("The alter database for this partner config values may only be initiated on the current principal server for database \"{name}\"."));
                }
                if !full && standard {
                    return refuse(1473, "This SQL Server edition does not allow changing the safety level. The ALTER DATABASE command failed.".into());
                }
                for side in [instance, partner] {
                    if let Some(x) = self.database_mut(side, name).and_then(|d| d.mirroring.as_mut()) {
                        x.safety_full = *full;
                    }
                }
            }
            PartnerAction::TimeoutSeconds(seconds) => {
                if let Some(x) = self.database_mut(instance, name).and_then(|d| d.mirroring.as_mut()) {
                    x.timeout_seconds = (*seconds).max(5) as i32;
                }
            }
            PartnerAction::Address(_) => {}
        }
        Ok(())
    }
}
