//! The primary is dead, as far as its own answer goes.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::{deciding_primary, EndpointAnswer, PrimaryVerdict};

/// What `-IgnoreWitness` takes for an instance that is alive with a damaged database, once its tail is saved or given up.
pub const PRIMARY_DAMAGED: &str = "PrimaryDamaged";

/// What it takes for a primary that answers, where the database alone is recovered.
pub const PRIMARY: &str = "Primary";

/// The table of answers, of the instance that the request names and of the one that was read; witnesses have checks of
/// their own.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (check, wanted) = ("PrimaryIsDown", "down");
    let primary = &subject.evidence.primary;
    let (other, verdict) = deciding_primary(primary);
    let (name, answer) = match other {
        Some(other) => (other.instance.name.as_deref().unwrap_or_default(), &other.instance.answer),
        None => (primary.name.as_deref().unwrap_or_default(), &primary.answer),
    };
    let named_by = other.map_or(String::new(), |other| {
        format!(" ({} names it; the request names {})", other.by, primary.name.as_deref().unwrap_or_default())
    });
    let database = &primary.database_name;
    match verdict {
        PrimaryVerdict::Refused => down(subject, check, format!("{name} refuses connections"), wanted),
        PrimaryVerdict::Unreachable => {
            let why = match answer {
                EndpointAnswer::Unreachable { why } => why.trim_end_matches('.').to_string(),
                _ => "it refuses connections on a port that is only guessed".to_string(),
            };
            down(subject, check, format!("{name} is silent: {why}"), wanted)
        }
        PrimaryVerdict::Alive => {
            let how = match answer {
                EndpointAnswer::Answers { why } => format!("{name}{named_by} answers, though no login works: {why}"),
                _ => format!("{name}{named_by} answers a login"),
            };
            let swapped = other.map_or(String::new(), |_| {
                format!(" If {name} is the mirror today, say so: `-PrimaryMirrorSqlInstance {name}`.")
            });
            subject.failed(
                check,
                how,
                wanted,
                format!(
                    "The primary is alive, so a disaster failover would lose what users write there. A planned switch loses \
                     nothing: `Invoke-PChatFailover -Planned`. If {name} must not serve, stop it.{swapped}"
                ),
                ErrorKind::PrimaryAlive,
            )
        }
        PrimaryVerdict::Damaged => {
            let value = format!("{name}{named_by} answers, {database} there is damaged");
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
            let (value, advice) = match answer {
                EndpointAnswer::NotTried { why } => (
                    format!("{name}{named_by} could not be asked: {}", why.trim_end_matches('.')),
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

/// Down it is; where the request names another one than what was read, the operator is told before it counts.
fn down(subject: &Subject<'_>, check: &str, value: String, wanted: &str) -> CheckResult {
    let primary = &subject.evidence.primary;
    let Some(other) = primary.elsewhere.iter().find(|other| !other.as_mirror && !other.is_explained) else {
        return subject.passed(check, value, wanted);
    };
    let (given, read) =
        (primary.name.as_deref().unwrap_or_default(), other.instance.name.as_deref().unwrap_or_default());
    subject.warning(
        check,
        format!("{value}; {read}, which {} names, is down too", other.by),
        wanted,
        format!(
            "`-PrimarySqlInstance {given}` and {read} are not known to be one instance. Make sure that {given} is no slip of the \
             pen; leave it out, or map both names to one address with `-AddressMap`."
        ),
    )
}
