//! What is refused before anything is waited for: limits that cannot be met, pools and modules that are not there.

use std::time::Duration;

use super::evidence::ConferenceEvidence;
use super::pair::Pair;
use super::wait::LONGEST_PAUSE;
use crate::document::ConferenceRestoreRequest;
use crate::error::{Error, ErrorKind, Result};

/// How many names a refusal lists.
const MOST_NAMES: usize = 12;

/// The shortest limit within which a wait can end as done: an interval that decides nothing, two of good readings, and the
/// pause between two readings, in whole seconds.
pub(crate) fn least_limit(interval: Duration) -> Duration {
    let least = interval * 3 + (interval / 4).min(LONGEST_PAUSE);
    Duration::from_secs(least.as_secs() + u64::from(least.subsec_nanos() > 0))
}

/// Refuses a limit that passes before anything could be believed.
///
/// # Errors
/// `InvalidValue` (1002).
pub(crate) fn refuse_short_limit(limit: Duration, interval: Duration) -> Result<()> {
    let least = least_limit(interval);
    if limit >= least {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidValue,
        format!(
            "a limit of {} seconds passes before the backup service can be believed: with a sync interval of {} seconds that \
             takes three intervals and a reading, {} seconds.",
            limit.as_secs(),
            interval.as_secs_f64(),
            least.as_secs()
        ),
    )
    .with_unchanged("Nothing was started.")
    .with_next(format!("Give `-BackupServiceTimeoutSeconds` {} or more; the default is four hours.", least.as_secs())))
}

/// Refuses pools that the topology does not have. `known` is `None` where it cannot be read.
///
/// # Errors
/// `PoolNotFound` (6004).
pub(crate) fn refuse_unknown_pools(named: &[&str], known: Option<&[String]>) -> Result<()> {
    let Some(known) = known else { return Ok(()) };
    let Some(absent) = named.iter().find(|name| !known.iter().any(|pool| pool.eq_ignore_ascii_case(name))) else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::PoolNotFound,
        format!("`Get-CsPool` lists no pool {absent}; it lists {}.", some_of(known)),
    )
    .with_unchanged("Nothing was started.")
    .with_next("Name the pools as `Get-CsPool` does.")
    .with_target(*absent))
}

/// Refuses modules that no status shows. `shown` is what the pools that could be read show; empty where none could.
///
/// # Errors
/// `InvalidValue` (1002).
pub(crate) fn refuse_unknown_modules(pair: &Pair, wanted: &[String], shown: &[String]) -> Result<()> {
    let is_shown = |module: &&String| shown.iter().any(|name| name.eq_ignore_ascii_case(module));
    let Some(absent) = wanted.iter().find(|module| !shown.is_empty() && !is_shown(module)) else { return Ok(()) };
    Err(Error::new(
        ErrorKind::InvalidValue,
        format!(
            "the status of {} and {} shows no module {absent}; it shows {}.",
            pair.survivor,
            pair.damaged,
            some_of(shown)
        ),
    )
    .with_unchanged("Nothing was started.")
    .with_next("Give `-BackupModule` one of these, or `All`.")
    .with_target(absent.as_str()))
}

/// What a restore that is new cannot be begun with.
///
/// # Errors
/// `InvalidValue` (1002).
pub(super) fn refuse_restore(evidence: &ConferenceEvidence, request: &ConferenceRestoreRequest) -> Result<()> {
    let limit = Duration::from_secs(u64::from(request.backup_service_timeout_seconds));
    refuse_short_limit(limit, evidence.interval())?;
    refuse_unknown_modules(&evidence.pair, &evidence.modules, &evidence.shown_modules())
}

fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len() > MOST_NAMES {
        true => format!("{shown} and {} more", names.len() - MOST_NAMES),
        false => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_is_three_intervals_and_a_pause() {
        let seconds = |milliseconds| least_limit(Duration::from_millis(milliseconds)).as_secs();
        assert_eq!((seconds(1_000), seconds(200), seconds(120_000), seconds(600_000)), (4, 1, 390, 1_830));
        let refused = |limit| refuse_short_limit(Duration::from_secs(limit), Duration::from_secs(120));
        let error = refused(389).expect_err("too short");
        assert_eq!(error.kind, ErrorKind::InvalidValue);
        assert!(error.message.contains("390 seconds"), "{}", error.message);
        assert!(refused(390).is_ok());
    }

    #[test]
    fn what_could_not_be_read_refuses_nothing() {
        let pair = Pair { survivor: "p2.contoso.com".into(), damaged: "p1.contoso.com".into() };
        let wanted = ["ConfServices.DataCnf".to_string()];
        assert!(refuse_unknown_modules(&pair, &wanted, &[]).is_ok());
        let error =
            refuse_unknown_modules(&pair, &wanted, &["ConfServices.DataConf".to_string()]).expect_err("refused");
        assert!(error.message.contains("it shows ConfServices.DataConf"), "{}", error.message);
        assert!(refuse_unknown_pools(&["p3.contoso.com"], None).is_ok());
        let known = ["P1.contoso.com".to_string()];
        assert!(refuse_unknown_pools(&["p1.contoso.com"], Some(&known)).is_ok());
        let error = refuse_unknown_pools(&["p3.contoso.com"], Some(&known)).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::PoolNotFound);
    }
}
