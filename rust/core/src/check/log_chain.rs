//! The log backups reach from the redo point to the newest one without a hole.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::count;
use crate::log_chain::Doubt;

/// The verdict on the chain; names files and LSN range. With the loss accepted by name a hole is a warning.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("LogChain", "contiguous from the redo point to the newest log backup");
    let decision = subject.decision;
    let Some(chain) = &decision.chain else {
        let why = subject.evidence.files.redo.why().unwrap_or_default().to_string();
        return subject.unknown(
            name,
            format!("redo point unknown: {why}"),
            wanted,
            "Without the redo point nobody can tell which log backup comes next; the database must be RESTORING or STANDBY, \
             and the login a member of sysadmin.",
            Some(ErrorKind::RedoPointUnknown),
        );
    };
    let needed = count(chain.restore.len(), "log backup", "log backups");
    let file_doubt = || {
        let is_of_a_file = |doubt: &&Doubt| {
            matches!(doubt, Doubt::UnreadableFile { .. } | Doubt::StillGrowing { .. } | Doubt::WitnessKnowsLater { .. })
        };
        decision.doubts.iter().find(is_of_a_file).map(|doubt| (doubt.kind(), doubt.to_string()))
    };
    let trouble = chain.verdict.kind().map(|kind| (kind, chain.verdict.to_string())).or_else(file_doubt);
    if let Some((kind, text)) = trouble {
        let value = format!("{}: {needed} to restore, up to LSN {}", decision.verdict_word(), chain.end.lsn);
        if decision.loss_is_accepted {
            return subject.warning(name, value, wanted, format!("Accepted by name. {text}"));
        }
        let message = format!(
            "{text} Everything after LSN {} would be lost. Look for what is missing and name its folder with \
             `-AdditionalLogBackupFolder`.",
            chain.end.lsn
        );
        return subject.failed(name, value, wanted, message, kind);
    }
    let mut value = format!("complete: {needed} to restore, LSN {} to {}", redo_lsn(subject), chain.end.lsn);
    if let Some(unfinished) = &chain.unfinished {
        value.push_str(&format!("; newest file {} unfinished", unfinished.name));
    }
    if !decision.read_after_copy.is_empty() {
        value.push_str(&format!("; {} to be read once copied", decision.read_after_copy.len()));
    }
    match chain.unfinished.as_ref().filter(|unfinished| !unfinished.is_certain) {
        None => subject.passed(name, value, wanted),
        Some(_) => subject.warning(name, value, wanted, chain.unfinished_text()),
    }
}

fn redo_lsn(subject: &Subject<'_>) -> String {
    subject.evidence.files.redo.known().map_or(String::new(), |redo| redo.lsn.to_string())
}
