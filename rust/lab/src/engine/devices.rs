//! Backup devices as a statement names them, opened as the service account.

use super::backup_file::{self, Contents, Fault, FoundSet};
use super::connection::Connection;
use super::disk::{OsError, Who};
use super::error::SqlMessage;
use super::messages as m;
use crate::scenario::Account;
use lab_tsql::ast::{Device, DeviceKind, NameOrVariable, NumberOrVariable, TextOrVariable};
use std::path::PathBuf;

/// A device that was opened for reading.
pub struct OpenDevice {
    /// As the statement has it.
    pub path: String,
    pub real: PathBuf,
    pub contents: Contents,
}

impl Connection {
    /// The text of a literal or variable.
    ///
    /// # Errors
    /// 137 for a variable that is not declared.
    pub(crate) fn text(&self, value: &TextOrVariable) -> Result<String, SqlMessage> {
        match value {
            TextOrVariable::Text(text) => Ok(text.clone()),
            TextOrVariable::Variable(name) => self.variable_text(name),
        }
    }

    fn variable_text(&self, name: &str) -> Result<String, SqlMessage> {
        let variable = self
            .context
            .variables
            .get(name)
            .ok_or_else(|| SqlMessage::new(137, 15, 2, format!("Must declare the scalar variable \"{name}\".")))?;
        Ok(variable
            .value
            .as_str()
            .map_or_else(|| variable.value.as_i128().map(|n| n.to_string()).unwrap_or_default(), str::to_owned))
    }

    /// The name of a database, literal or variable.
    ///
    /// # Errors
    /// 137.
    pub(crate) fn name(&self, value: &NameOrVariable) -> Result<String, SqlMessage> {
        match value {
            NameOrVariable::Name(name) => Ok(name.clone()),
            NameOrVariable::Variable(name) => self.variable_text(name),
        }
    }

    /// The number of a literal or variable.
    ///
    /// # Errors
    /// 137.
    pub(crate) fn number(&self, value: &NumberOrVariable) -> Result<i64, SqlMessage> {
        match value {
            NumberOrVariable::Number(number) => Ok(*number),
            NumberOrVariable::Variable(name) => Ok(self.variable_text(name)?.trim().parse().unwrap_or(0)),
        }
    }

    /// The absolute server path of a device; a bare file name lies in the instance's backup folder.
    ///
    /// # Errors
    /// 3206 for a logical device, 3270-like refusals for kinds that the lab does not have.
    pub(crate) fn device_path(&self, device: &Device) -> Result<String, SqlMessage> {
        let text = self.text(&device.target)?;
        match device.kind {
            DeviceKind::Disk => {
                if text.trim().is_empty() {
                    return Err(SqlMessage::new(
                        3038,
                        16,
                        1,
                        format!(
                            "The file name \"{text}\" is invalid as a backup device name. Reissue the BACKUP statement with a valid file name."
                        ),
                    ));
                }
                if text.starts_with("\\\\") || text.contains(':') || text.starts_with("//") {
                    Ok(text)
                } else {
                    let folder = self.engine.world().instances[self.instance].backup_folder();
                    Ok(format!("{folder}\\{text}"))
                }
            }
            DeviceKind::Logical => Err(SqlMessage::new(
                3206,
                16,
                1,
                format!(
                    "Backup device '{text}' does not exist. To view existing backup devices, use the sys.backup_devices catalog view. To create a new backup device use either sp_addumpdevice or SQL Server Management Studio."
                ),
            )),
            kind => Err(SqlMessage::new(
                lab_tsql::UNKNOWN_STATEMENT,
                16,
                1,
                format!("unknown T-SQL for the lab: device kind {kind:?}"),
            )),
        }
    }

    /// Opens devices for reading and reads their headers.
    ///
    /// # Errors
    /// 3201, 3203, 3241, 3254, 3256; the file's own fault first.
    pub(crate) fn open_devices(&self, devices: &[Device]) -> Result<Vec<OpenDevice>, SqlMessage> {
        if devices.len() > 64 {
            return Err(SqlMessage::new(
                3205,
                16,
                1,
                "Too many backup devices specified for backup or restore; only 64 are allowed.",
            ));
        }
        let mut opened = Vec::new();
        for device in devices {
            let path = self.device_path(device)?;
            let real = {
                let world = self.engine.world();
                let who = Who { instance: self.instance, account: Account::Service };
                let real = world.resolve(who, &path, false).map_err(|error| m::cannot_open_device(&path, error, 2))?;
                if world.being_written.contains(&real) {
                    return Err(m::cannot_open_device(&path, OsError(32), 2));
                }
                real
            };
            if real.is_dir() {
                return Err(m::cannot_open_device(&path, OsError(5), 2));
            }
            let contents = backup_file::scan(&real).map_err(|fault| m::bad_file(&path, fault, ""))?;
            if contents.sets.is_empty() {
                let fault = contents.unfinished.unwrap_or(Fault::Malformed);
                return Err(m::bad_file(&path, fault, ""));
            }
            opened.push(OpenDevice { path, real, contents });
        }
        Ok(opened)
    }

    /// The set at `position` on all devices of a media set.
    ///
    /// # Errors
    /// 3132 when families are missing, 4038 when there is no such set, the file's fault when it is cut.
    pub(crate) fn pick_set(&self, devices: &[OpenDevice], position: i64) -> Result<Vec<FoundSet>, SqlMessage> {
        let Some(first) = devices.first() else { return Err(SqlMessage::new(3013, 16, 1, "no device")) };
        let families = first.contents.media.family_count as usize;
        let set = first.contents.media.media_set;
        let mut seen: Vec<u32> = devices
            .iter()
            .filter(|d| d.contents.media.media_set == set)
            .map(|d| d.contents.media.family_sequence)
            .collect();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() < families || devices.len() > families {
            return Err(SqlMessage::new(
                3132,
                16,
                1,
                format!(
                    "The media set has {families} media families but only {} are provided. All members must be provided.",
                    seen.len()
                ),
            ));
        }
        let mut sets = Vec::new();
        for device in devices {
            let found = device.contents.sets.iter().find(|s| i64::from(s.header.position) == position);
            match found {
                Some(found) => sets.push(found.clone()),
                None => {
                    let next = device.contents.sets.len() as i64 + 1;
                    return Err(match device.contents.unfinished {
                        Some(fault) if position == next => m::bad_file(&device.path, fault, ""),
                        _ => SqlMessage::new(
                            4038,
                            16,
                            1,
                            format!("Cannot find file ID {position} on device '{}'.", device.path),
                        ),
                    });
                }
            }
        }
        Ok(sets)
    }
}
