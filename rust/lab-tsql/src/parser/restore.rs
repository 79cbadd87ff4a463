//! RESTORE and BACKUP.

use super::cursor::Cursor;
use crate::ast::{
    BackupKind, BackupOption, BackupStmt, Device, DeviceKind, NameOrVariable, NumberOrVariable, RestoreKind,
    RestoreOption, RestoreStmt, StatementKind, TextOrVariable,
};
use crate::error::SqlError;

/// Backup devices in one statement (3205 beyond).
const MAX_DEVICES: usize = 64;

impl Cursor<'_> {
    pub(super) fn restore(&mut self) -> Result<Option<StatementKind>, SqlError> {
        self.position += 1;
        let kind = match self.word().as_str() {
            "HEADERONLY" => RestoreKind::HeaderOnly,
            "FILELISTONLY" => RestoreKind::FileListOnly,
            "LABELONLY" => RestoreKind::LabelOnly,
            "VERIFYONLY" => RestoreKind::VerifyOnly,
            "LOG" | "TRAN" | "TRANSACTION" => RestoreKind::Log,
            "DATABASE" => RestoreKind::Database,
            "REWINDONLY" | "MASTER" | "SERVICE" => return Ok(None),
            _ => return Err(self.error()),
        };
        self.position += 1;
        let needs_target = matches!(kind, RestoreKind::Log | RestoreKind::Database);
        let target = if needs_target { Some(self.name_or_variable()?) } else { None };
        if matches!(self.word().as_str(), "FILE" | "FILEGROUP" | "PAGE" | "READ_WRITE_FILEGROUPS") {
            return Ok(None);
        }
        let from = if self.take_word("FROM") {
            if self.is_word("DATABASE_SNAPSHOT") {
                return Ok(None);
            }
            self.devices()?
        } else {
            Vec::new()
        };
        if from.is_empty() && !needs_target {
            return Err(self.error());
        }
        let options = if self.take_word("WITH") { self.list(Self::restore_option)? } else { Vec::new() };
        Ok(Some(StatementKind::Restore(RestoreStmt { kind, target, from, options })))
    }

    pub(super) fn backup(&mut self) -> Result<Option<StatementKind>, SqlError> {
        self.position += 1;
        let kind = match self.word().as_str() {
            "DATABASE" => BackupKind::Database,
            "LOG" | "TRAN" | "TRANSACTION" => BackupKind::Log,
            "CERTIFICATE" | "MASTER" | "SERVICE" | "SYMMETRIC" | "GROUP" | "SERVER" => return Ok(None),
            _ => return Err(self.error()),
        };
        self.position += 1;
        let target = self.name_or_variable()?;
        if matches!(self.word().as_str(), "FILE" | "FILEGROUP" | "READ_WRITE_FILEGROUPS") {
            return Ok(None);
        }
        self.expect_word("TO")?;
        let to = self.devices()?;
        let mut mirror_to = Vec::new();
        while self.take_word("MIRROR") {
            self.expect_word("TO")?;
            mirror_to.extend(self.devices()?);
        }
        let options = if self.take_word("WITH") { self.list(Self::backup_option)? } else { Vec::new() };
        Ok(Some(StatementKind::Backup(BackupStmt { kind, target, to, mirror_to, options })))
    }

    fn name_or_variable(&mut self) -> Result<NameOrVariable, SqlError> {
        match self.variable() {
            Some(variable) => Ok(NameOrVariable::Variable(variable)),
            None => self.name().map(NameOrVariable::Name),
        }
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, SqlError>) -> Result<Vec<T>, SqlError> {
        let mut items = vec![item(self)?];
        while self.take_symbol(',') {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn devices(&mut self) -> Result<Vec<Device>, SqlError> {
        let devices = self.list(Self::device)?;
        if devices.len() > MAX_DEVICES {
            return Err(SqlError::new(
                3205,
                16,
                format!("Too many backup devices specified for backup or restore; only {MAX_DEVICES} are allowed."),
            ));
        }
        Ok(devices)
    }

    fn device(&mut self) -> Result<Device, SqlError> {
        let kind = match self.word().as_str() {
            "DISK" => DeviceKind::Disk,
            "TAPE" => DeviceKind::Tape,
            "URL" => DeviceKind::Url,
            "VIRTUAL_DEVICE" => DeviceKind::VirtualDevice,
            _ => DeviceKind::Logical,
        };
        if kind != DeviceKind::Logical && self.symbol_ahead(1, '=') {
            self.position += 2;
            let target = self.text_or_variable()?;
            return Ok(Device { kind, target });
        }
        let target = match self.name_or_variable()? {
            NameOrVariable::Name(name) => TextOrVariable::Text(name),
            NameOrVariable::Variable(variable) => TextOrVariable::Variable(variable),
        };
        Ok(Device { kind: DeviceKind::Logical, target })
    }

    fn equals_text(&mut self) -> Result<TextOrVariable, SqlError> {
        self.expect_symbol('=')?;
        self.text_or_variable()
    }

    fn equals_number(&mut self) -> Result<NumberOrVariable, SqlError> {
        self.expect_symbol('=')?;
        self.number_or_variable()
    }

    fn stats(&mut self) -> Result<NumberOrVariable, SqlError> {
        if self.is_symbol('=') {
            self.equals_number()
        } else {
            Ok(NumberOrVariable::Number(10))
        }
    }

    fn after(&mut self) -> Result<Option<TextOrVariable>, SqlError> {
        if self.take_word("AFTER") {
            self.text_or_variable().map(Some)
        } else {
            Ok(None)
        }
    }

    /// 155 at the word before this place.
    fn unknown_option(&mut self, word: &str, statement: &str) -> SqlError {
        self.position -= 1;
        if word.is_empty() || self.is_statement_word(self.position) {
            return self.error();
        }
        SqlError::new(155, 15, format!("'{word}' is not a recognized {statement} option.")).at_line(self.line())
    }

    fn restore_option(&mut self) -> Result<RestoreOption, SqlError> {
        use RestoreOption as O;
        let word = self.word();
        self.position += 1;
        Ok(match word.as_str() {
            "RECOVERY" => O::Recovery,
            "NORECOVERY" => O::NoRecovery,
            "STANDBY" => O::Standby(self.equals_text()?),
            "FILE" => O::File(self.equals_number()?),
            "MOVE" => {
                let logical = self.text_or_variable()?;
                self.expect_word("TO")?;
                let path = self.text_or_variable()?;
                O::Move { logical, path }
            }
            "REPLACE" => O::Replace,
            "RESTART" => O::Restart,
            "RESTRICTED_USER" | "DBO_ONLY" => O::RestrictedUser,
            "PARTIAL" => O::Partial,
            "CHECKSUM" => O::Checksum,
            "NO_CHECKSUM" => O::NoChecksum,
            "STOP_ON_ERROR" => O::StopOnError,
            "CONTINUE_AFTER_ERROR" => O::ContinueAfterError,
            "STATS" => O::Stats(self.stats()?),
            "BUFFERCOUNT" => O::BufferCount(self.equals_number()?),
            "MAXTRANSFERSIZE" => O::MaxTransferSize(self.equals_number()?),
            "BLOCKSIZE" => O::BlockSize(self.equals_number()?),
            "STOPAT" => O::StopAt(self.equals_text()?),
            "STOPATMARK" => O::StopAtMark { mark: self.equals_text()?, after: self.after()? },
            "STOPBEFOREMARK" => O::StopBeforeMark { mark: self.equals_text()?, after: self.after()? },
            "PASSWORD" => O::Password(self.equals_text()?),
            "MEDIANAME" => O::MediaName(self.equals_text()?),
            "MEDIAPASSWORD" => O::MediaPassword(self.equals_text()?),
            "KEEP_REPLICATION" => O::KeepReplication,
            "KEEP_CDC" => O::KeepCdc,
            "ENABLE_BROKER" => O::EnableBroker,
            "NEW_BROKER" => O::NewBroker,
            "ERROR_BROKER_CONVERSATIONS" => O::ErrorBrokerConversations,
            "LOADHISTORY" => O::LoadHistory,
            "REWIND" => O::Rewind,
            "NOREWIND" => O::NoRewind,
            "UNLOAD" => O::Unload,
            "NOUNLOAD" => O::NoUnload,
            _ => return Err(self.unknown_option(&word, "RESTORE")),
        })
    }

    fn backup_option(&mut self) -> Result<BackupOption, SqlError> {
        use BackupOption as O;
        let word = self.word();
        self.position += 1;
        Ok(match word.as_str() {
            "COPY_ONLY" => O::CopyOnly,
            "DIFFERENTIAL" => O::Differential,
            "INIT" => O::Init,
            "NOINIT" => O::NoInit,
            "FORMAT" => O::Format,
            "NOFORMAT" => O::NoFormat,
            "SKIP" => O::Skip,
            "NOSKIP" => O::NoSkip,
            "COMPRESSION" => O::Compression,
            "NO_COMPRESSION" => O::NoCompression,
            "CHECKSUM" => O::Checksum,
            "NO_CHECKSUM" => O::NoChecksum,
            "STOP_ON_ERROR" => O::StopOnError,
            "CONTINUE_AFTER_ERROR" => O::ContinueAfterError,
            "NORECOVERY" => O::NoRecovery,
            "STANDBY" => O::Standby(self.equals_text()?),
            "NO_TRUNCATE" => O::NoTruncate,
            "NAME" => O::Name(self.equals_text()?),
            "DESCRIPTION" => O::Description(self.equals_text()?),
            "MEDIANAME" => O::MediaName(self.equals_text()?),
            "MEDIADESCRIPTION" => O::MediaDescription(self.equals_text()?),
            "PASSWORD" => O::Password(self.equals_text()?),
            "MEDIAPASSWORD" => O::MediaPassword(self.equals_text()?),
            "EXPIREDATE" => O::ExpireDate(self.equals_text()?),
            "RETAINDAYS" => O::RetainDays(self.equals_number()?),
            "STATS" => O::Stats(self.stats()?),
            "BUFFERCOUNT" => O::BufferCount(self.equals_number()?),
            "MAXTRANSFERSIZE" => O::MaxTransferSize(self.equals_number()?),
            "BLOCKSIZE" => O::BlockSize(self.equals_number()?),
            "REWIND" => O::Rewind,
            "NOREWIND" => O::NoRewind,
            "UNLOAD" => O::Unload,
            "NOUNLOAD" => O::NoUnload,
            _ => return Err(self.unknown_option(&word, "BACKUP")),
        })
    }
}
