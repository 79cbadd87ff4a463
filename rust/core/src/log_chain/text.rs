//! The chain in words, for the operator.

use std::fmt;

use chrono::Duration;

use super::{Chain, Doubt, Verdict};
use crate::error::{Error, ErrorKind};
use crate::names::Lsn;

fn after(lsn: Lsn, file: &Option<String>) -> String {
    match file {
        Some(file) => format!("after LSN {lsn}, where `{file}` ends"),
        None => format!("after LSN {lsn}"),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Complete => f.write_str("The log backups are complete, from the redo point to the newest one known."),
            Verdict::Gap { after_lsn, after_file, next_lsn, next_file, next_started_at } => write!(
                f,
                "A log backup is missing {}: the next one known, `{next_file}`, begins at LSN {next_lsn} (started {next_started_at}, \
                 its writer's time). What lies between, and everything behind it, cannot be restored. Another backup tool may \
                 hold the missing range.",
                after(*after_lsn, after_file)
            ),
            Verdict::Damaged { after_lsn, after_file, file, first_lsn, last_lsn, why } => write!(
                f,
                "Log backup `{file}` (LSN {first_lsn} to {last_lsn}), needed {}, is damaged ({why}) and no whole copy of it is \
                 known.",
                after(*after_lsn, after_file)
            ),
            Verdict::StripeMissing { after_lsn, after_file, file, present, count } => write!(
                f,
                "The log backup needed {} is striped over {count} files; only {} are there, `{file}` among them.",
                after(*after_lsn, after_file),
                if present.is_empty() {
                    "none that are whole".to_string()
                } else {
                    format!("number {}", present.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
                }
            ),
            Verdict::RecoveryPathDiffers { at_lsn, file, first_lsn, last_lsn } => write!(
                f,
                "Log backup `{file}` (LSN {first_lsn} to {last_lsn}) is on another recovery path than the database, which gets \
                 to LSN {at_lsn}; it may hold later data, and it cannot be restored here."
            ),
        }
    }
}

impl Verdict {
    /// The kind of the refusal that follows from it; `None` for a complete chain.
    pub fn kind(&self) -> Option<ErrorKind> {
        match self {
            Verdict::Complete => None,
            Verdict::Gap { .. } => Some(ErrorKind::LogBackupMissing),
            Verdict::Damaged { .. } | Verdict::StripeMissing { .. } => Some(ErrorKind::LogBackupDamaged),
            Verdict::RecoveryPathDiffers { .. } => Some(ErrorKind::RecoveryPathDiffers),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::NotRestored { count: 1, first_file, .. } => {
                write!(f, "Log backup `{first_file}` fits and has not been restored.")
            }
            Doubt::NotRestored { count, first_file, last_file } => {
                write!(f, "{count} log backups fit and have not been restored, `{first_file}` to `{last_file}`.")
            }
            Doubt::Chain(verdict) => verdict.fmt(f),
            Doubt::ShareUnreachable { path, why } => {
                write!(f, "`{path}` cannot be read ({why}): later log backups may lie there.")
            }
            Doubt::ShareUnknown => f.write_str("No share of log backups is known: later ones may lie on it."),
            Doubt::UnreadableFile { file, why } => {
                write!(
                    f,
                    "`{file}` is newer than the last log backup that can be restored, and cannot be read ({why})."
                )
            }
            Doubt::StillGrowing { file, why } => {
                write!(f, "`{file}` is still being written ({why}): its writer is alive.")
            }
            Doubt::WitnessKnowsLater { file, witness } => {
                write!(f, "{witness} knows of log backup `{file}`, which no folder holds as a whole.")
            }
        }
    }
}

impl Doubt {
    /// The kind of the refusal that follows from it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Doubt::NotRestored { .. } => ErrorKind::DataLossNotAccepted,
            Doubt::Chain(verdict) => verdict.kind().unwrap_or(ErrorKind::DataLossNotAccepted),
            Doubt::ShareUnreachable { .. } | Doubt::ShareUnknown => ErrorKind::ShareUnreachable,
            Doubt::UnreadableFile { .. } => ErrorKind::LogBackupUnreadable,
            Doubt::StillGrowing { .. } => ErrorKind::PrimaryAlive,
            Doubt::WitnessKnowsLater { .. } => ErrorKind::LogBackupMissing,
        }
    }

    /// What could settle it.
    fn advice(&self) -> &'static str {
        match self {
            Doubt::NotRestored { .. } => "Restore them",
            Doubt::Chain(Verdict::RecoveryPathDiffers { .. }) => {
                "Find out which recovery path is the living one; move files of a dead one to another folder"
            }
            Doubt::Chain(_) | Doubt::WitnessKnowsLater { .. } => {
                "Find the missing log backup and name its folder with `-AdditionalLogBackupFolder`"
            }
            Doubt::ShareUnreachable { .. } => "Make the share readable",
            Doubt::ShareUnknown => "Name the share with `-LogBackupShare`",
            Doubt::UnreadableFile { .. } => "Make the file readable, or find another copy of it",
            Doubt::StillGrowing { .. } => "Find out who writes it, and wait until it is finished",
        }
    }
}

impl Chain {
    /// When the last recovered log backup was finished, in the one form that `-AcceptDataLoss` takes beside the LSN:
    /// UTC with a `Z` where the writer's offset is known, else the writer's local time without one.
    pub fn end_time_value(&self) -> Option<String> {
        let local = self.end_finished_at?;
        Some(match self.writer_offset_minutes {
            Some(minutes) => (local - Duration::minutes(i64::from(minutes))).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            None => local.format("%Y-%m-%dT%H:%M:%S").to_string(),
        })
    }

    /// The end as LSN, time and file.
    pub fn end_text(&self) -> String {
        let mut text = format!("LSN {}", self.end.lsn);
        if let Some(time) = self.end_time_value() {
            let whose = if self.writer_offset_minutes.is_some() { "" } else { ", its writer's time" };
            text.push_str(&format!(" (last recovered log backup finished {time}{whose})"));
        }
        text
    }

    /// Every doubt, one sentence after the other.
    pub fn doubts_text(&self) -> String {
        self.doubts.iter().map(Doubt::to_string).collect::<Vec<_>>().join(" ")
    }

    /// How to accept the loss.
    pub fn accept_text(&self) -> String {
        let time = self.end_time_value().map_or(String::new(), |time| format!(" or `{time}`"));
        format!("To lose everything after LSN {}, give `-AcceptDataLoss {}`{time}.", self.end.lsn, self.accept_value())
    }

    /// The refusal that follows from the doubts, with the first one's kind.
    pub fn refusal(&self, database: &str) -> Error {
        let kind = self.doubts.first().map_or(ErrorKind::DataLossNotAccepted, Doubt::kind);
        let advice = self.doubts.first().map_or("", Doubt::advice);
        let message = format!("`{database}` would be recovered to {}. {}", self.end_text(), self.doubts_text());
        Error::new(kind, message)
            .with_unchanged(format!("`{database}` was not recovered and still takes log backups."))
            .with_next(format!("{advice}; then run the command again. {}", self.accept_text()))
            .with_target(database)
    }

    /// The inherent loss in words: the unfinished newest file, where there is one.
    pub fn unfinished_text(&self) -> String {
        self.unfinished.as_ref().map_or(String::new(), |file| match file.is_certain {
            true => format!(
                "The newest file, `{}`, was never finished ({}); what it was to hold is lost with the primary.",
                file.name, file.why
            ),
            false => format!(
                "The newest file, `{}`, has no header that can be read ({}) and is taken for one that was never finished. \
                 Nobody confirms that: if it was a whole log backup and was damaged, what it holds is lost, so look for \
                 another copy of it.",
                file.name, file.why
            ),
        })
    }
}
