//! What a RESTORE leaves behind: states, undo files, history, and the faults that strike while it runs.

use super::backup_file::SetHeader;
use super::devices::OpenDevice;
use super::disk::{OsError, Who};
use super::error::SqlMessage;
use super::history::RestoreRow;
use super::model::{Access, DataFile, Database, State, World};
use super::restore_rules::{Leave, RestoreOptions, Restorer};
use crate::faults::Fault;
use crate::scenario::Account;

impl World {
    /// A database to change, by name.
    pub fn database_mut(&mut self, instance: usize, name: &str) -> Option<&mut Database> {
        let at = self.instances[instance].find_database(name)?;
        self.instances[instance].databases.get_mut(at)
    }

    /// Bytes a second of RESTORE and BACKUP; `None` without a limit.
    pub fn restore_rate(&self, instance: usize) -> Option<u64> {
        let slow = self.faults.iter().find_map(|f| match f {
            Fault::SlowRestore { instance: on, bytes_per_second } if self.find_instance(on) == Some(instance) => {
                Some(*bytes_per_second)
            }
            _ => None,
        });
        let general = (self.rates.restore_mib_per_second * 1024.0 * 1024.0) as u64;
        slow.or((general > 0).then_some(general)).map(|r| r.max(1024))
    }

    /// Uses up the fault that drops a connection at this percentage.
    pub(super) fn drop_now(&mut self, instance: usize, percent: u32) -> bool {
        let at = self.faults.iter().position(|f| match f {
            Fault::DropDuringRestore { instance: on, percent: limit, times } => {
                self.find_instance(on) == Some(instance) && percent >= u32::from(*limit) && *times > 0
            }
            _ => false,
        });
        let Some(at) = at else { return false };
        if let Fault::DropDuringRestore { times, .. } = &mut self.faults[at] {
            *times -= 1;
        }
        true
    }

    pub(super) fn check_undo_file(&self, instance: usize, file: &str) -> Result<(), SqlMessage> {
        let who = Who { instance, account: Account::Service };
        let text = || SqlMessage::new(3170, 16, 1, "The STANDBY filename is invalid.");
        let real = self.resolve(who, file, true).map_err(|_| text())?;
        if real.parent().is_some_and(|p| p.is_dir()) {
            Ok(())
        } else {
            Err(text())
        }
    }

    /// Takes the undo file of a STANDBY copy away, as the next RESTORE does.
    pub(super) fn consume_undo_file(&mut self, instance: usize, database: &str) -> Result<(), SqlMessage> {
        let Some(found) = self.instances[instance].database(database) else { return Ok(()) };
        let Some(file) = found.standby.clone() else { return Ok(()) };
        let (name, id) = (found.name.clone(), found.id);
        let who = Who { instance, account: Account::Service };
        let gone = match self.resolve(who, &file, true) {
            Ok(real) => std::fs::remove_file(&real).err().map(|e| OsError::of(&e, &real)),
            Err(error) => Some(error),
        };
        match gone {
            None => Ok(()),
            Some(error) => Err(SqlMessage::new(
                3441,
                21,
                1,
                format!(
                    "During startup of warm standby database '{name}' (database ID {id}), its standby file ('{file}') was inaccessible to the RESTORE statement. The operating system error was '{}'. Diagnose the operating system error, correct the problem, and retry startup.",
                    error.text()
                ),
            )),
        }
    }

    /// Ends a restore: recovery, RESTORING, or STANDBY with its undo file.
    pub(super) fn leave(
        &mut self,
        instance: usize,
        database: u16,
        leave: &Leave,
        options: &RestoreOptions,
    ) -> Result<(), SqlMessage> {
        if let Leave::Recovery = leave {
            self.recover(instance, database, options.keep_broker);
        }
        if let Leave::Standby(file) = leave {
            let who = Who { instance, account: Account::Service };
            if let Ok(real) = self.resolve(who, file, true) {
                if let Err(error) = std::fs::write(&real, b"undo") {
                    let os = OsError::of(&error, &real);
                    return Err(SqlMessage::new(3013, 16, 1, os.text()));
                }
            }
        }
        if let Some(found) = self.instances[instance].databases.iter_mut().find(|d| d.id == database) {
            found.busy = None;
            match leave {
                Leave::Recovery => {}
                Leave::NoRecovery => found.state = State::Restoring,
                Leave::Standby(file) => {
                    found.state = State::Online;
                    found.read_only = true;
                    found.standby = Some(file.clone());
                }
            }
            if options.restricted_user {
                found.access = Access::Restricted;
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // One call, one row: a struct for it would only repeat the row's.
    pub(super) fn add_restore_history(
        &mut self,
        instance: usize,
        who: &Restorer,
        database: &str,
        header: &SetHeader,
        devices: &[OpenDevice],
        options: &RestoreOptions,
        files: &[DataFile],
        log: bool,
    ) {
        let date = self.local_now();
        let history = &mut self.instances[instance].history;
        let media: Vec<_> = devices.iter().map(|d| (d.contents.media.clone(), d.path.clone())).collect();
        let backup_set_id = history.add_set(header, &media);
        history.add_restore(RestoreRow {
            id: 0,
            date,
            database: database.to_owned(),
            user: who.login.clone(),
            backup_set_id,
            kind: if log { 'L' } else { 'D' },
            replace: options.replace,
            recovery: options.leave == Leave::Recovery,
            restart: options.restart,
            devices: devices.len() as u8,
            files: files.iter().map(|f| (f.id, f.physical.clone())).collect(),
        });
    }

    /// Creates small stand-ins for data files, so that file checks find them.
    pub fn place_files(&self, instance: usize, files: &[DataFile]) {
        let who = Who { instance, account: Account::Service };
        for file in files {
            if let Ok(real) = self.resolve(who, &file.physical, true) {
                if !real.exists() {
                    // The lab keeps content in memory; a missing stand-in only shows in xp_fileexist.
                    let _ = std::fs::write(real, b"");
                }
            }
        }
    }
}
