//! The primary is dead, as far as its own answer goes.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::{primary_verdict, EndpointAnswer, PrimaryVerdict};

/// What `-IgnoreWitness` takes for an instance that is alive with a damaged database, once its tail is saved or given up.
pub const PRIMARY_DAMAGED: &str = "PrimaryDamaged";

/// What it takes for a primary that answers, where the database alone is recovered.
pub const PRIMARY: &str = "Primary";

/// The table of answers; witnesses have checks of their own.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (check, wanted) = ("PrimaryIsDown", "down");
    let primary = &subject.evidence.primary;
    let name = primary.name.as_deref().unwrap_or_default();
    let database = &primary.database_name;
    match primary_verdict(primary) {
        PrimaryVerdict::Refused => subject.passed(check, format!("{name} refuses connections"), wanted),
        PrimaryVerdict::Unreachable => {
            let why = match &primary.answer {
                EndpointAnswer::Unreachable { why } => why.trim_end_matches('.').to_string(),
                _ => "it refuses connections on a port that is only guessed".to_string(),
            };
            subject.passed(check, format!("{name} is silent: {why}"), wanted)
        }
        PrimaryVerdict::Alive => {
            let how = match &primary.answer {
                EndpointAnswer::Answers { why } => format!("{name} answers, though no login works: {why}"),
                _ => format!("{name} answers a login"),
            };
            subject.failed(
                check,
                how,
                wanted,
                format!(
                    "The primary is alive, so a disaster failover would lose what users write there. A planned switch loses \
                     nothing: `Invoke-PChatFailover -Planned`. If {name} must not serve, stop it."
                ),
                ErrorKind::PrimaryAlive,
            )
        }
        PrimaryVerdict::Damaged => {
            let value = format!("{name} answers, {database} there is damaged");
            let advice = format!(
                "`Invoke-PChatFailover -SalvageTail` stops the services, saves what the log still holds, and fails over. By hand: \
                 `BACKUP LOG [{database}] TO DISK = … WITH NO_TRUNCATE` on {name}, to the share or a folder named with \
                 `-AdditionalLogBackupFolder`."
            );
            if super::witness::is_ignored(subject, PRIMARY_DAMAGED) {
                return subject.warning(check, value, wanted, format!("Ignored by name. {advice}"));
            }
            subject.failed(
                check,
                value,
                wanted,
                format!("{advice} Then start again with `-IgnoreWitness {PRIMARY_DAMAGED}`."),
                ErrorKind::PrimaryAlive,
            )
        }
        PrimaryVerdict::Unknown => {
            let (value, advice) = match &primary.answer {
                EndpointAnswer::NotTried { why } => (
                    format!("{name} could not be asked: {}", why.trim_end_matches('.')),
                    "Give a login for it with `-PrimarySqlCredential`.",
                ),
                _ => (
                    "no primary is named".to_string(),
                    "Neither log shipping nor the request tells which instance is the primary. Name it with \
                     `-PrimarySqlInstance`.",
                ),
            };
            subject.unknown(check, value, wanted, advice, Some(ErrorKind::PrimaryAlive))
        }
    }
}
