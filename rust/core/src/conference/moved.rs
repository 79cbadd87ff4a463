//! Whether a sync was seen to begin: what the backup service shows after the call, against what it showed before.
//!
//! Good states alone tell that a pair is at rest. A pair whose states are from end to end those from before the call looks
//! the same whether nothing was missing or the call did nothing, so a restore does not call that done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::seen::Side;
use super::state::Direction;
use super::status::ModuleStatus;
use crate::document::BackupServiceModule;

/// What a module of a pool showed before the sync was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    pub pool: String,
    pub module: String,
    pub export: Option<String>,
    pub import: Option<String>,
}

impl Before {
    pub(super) fn of(pool: &str, status: ModuleStatus) -> Before {
        Before { pool: pool.to_string(), module: status.module, export: status.export, import: status.import }
    }
}

fn word<'a>(direction: Direction, export: &'a Option<String>, import: &'a Option<String>) -> Option<&'a str> {
    match direction {
        Direction::Export => export.as_deref(),
        Direction::Import => import.as_deref(),
    }
}

/// The modules of which an awaited state was seen to change, in lower case: from the one before the call, or later. The way
/// back changes by itself and says nothing about this sync.
pub(super) fn moved(before: &[Before], modules: &[BackupServiceModule]) -> BTreeSet<String> {
    let has_moved = |module: &&BackupServiceModule| {
        let is_survivor = module.status_pool_fqdn.eq_ignore_ascii_case(&module.pool_fqdn);
        let side = if is_survivor { Side::Survivor } else { Side::Damaged };
        side.awaited(false).iter().any(|direction| {
            let is_its = |b: &&Before| {
                b.pool.eq_ignore_ascii_case(&module.status_pool_fqdn)
                    && b.module.eq_ignore_ascii_case(&module.backup_module)
            };
            let earlier = before.iter().filter(is_its).filter_map(|b| word(*direction, &b.export, &b.import));
            let later = module.seen.iter().filter_map(|r| word(*direction, &r.export_status, &r.import_status));
            let words: BTreeSet<String> = earlier.chain(later).map(|word| word.trim().to_lowercase()).collect();
            words.len() > 1
        })
    };
    modules.iter().filter(has_moved).map(|module| module.backup_module.to_lowercase()).collect()
}

/// The modules of which nothing shows that their sync began; empty where all is well. One call that is for all modules is
/// seen in any of them; a call for one module in that one alone.
pub(super) fn unseen(called: &[String], moved: &BTreeSet<String>) -> Vec<String> {
    if called.is_empty() {
        return if moved.is_empty() { vec!["all modules".to_string()] } else { Vec::new() };
    }
    called.iter().filter(|module| !moved.contains(&module.to_lowercase())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::BackupServiceReading;

    const MODULE: &str = "ConfServices.DataConf";

    fn shown(pool: &str, words: &[(Option<&str>, Option<&str>)]) -> BackupServiceModule {
        let owned = |word: Option<&str>| word.map(str::to_string);
        BackupServiceModule {
            pool_fqdn: "pool2.contoso.com".into(),
            damaged_pool_fqdn: "pool1.contoso.com".into(),
            status_pool_fqdn: pool.into(),
            backup_module: MODULE.into(),
            export_status: None,
            import_status: None,
            awaited: String::new(),
            state: "done".into(),
            is_done: true,
            good_since_utc: None,
            first_read_at_utc: None,
            last_read_at_utc: None,
            readings: words.len() as u64,
            seen: words
                .iter()
                .map(|(export, import)| BackupServiceReading {
                    at_utc: String::new(),
                    export_status: owned(*export),
                    import_status: owned(*import),
                    decides_nothing: false,
                })
                .collect(),
            text: String::new(),
        }
    }

    fn before(export: &str) -> Vec<Before> {
        let of = |pool: &str| Before {
            pool: pool.into(),
            module: MODULE.to_uppercase(),
            export: Some(export.into()),
            import: Some("NormalState".into()),
        };
        vec![of("pool1.contoso.com"), of("POOL2.contoso.com")]
    }

    #[test]
    fn a_state_that_left_or_is_another_than_before_the_call_is_a_sync_that_was_seen() {
        let good = (Some("FinalState"), Some("NormalState"));
        let is_seen = |before: &[Before], words: &[(Option<&str>, Option<&str>)]| {
            let modules = [shown("pool2.contoso.com", words), shown("pool1.contoso.com", &[good])];
            !moved(before, &modules).is_empty()
        };
        assert!(!is_seen(&before("FinalState"), &[good]));
        assert!(!is_seen(&before("finalstate "), &[good, (None, None), good]), "what could not be read is no change");
        assert!(is_seen(&before("SteadyState"), &[good]));
        assert!(is_seen(&before("FinalState"), &[good, (Some("NonSteadyState"), Some("NormalState")), good]));
        assert!(!is_seen(&[], &[good]), "without a reading from before only a change counts");
        assert!(!is_seen(&before("FinalState"), &[good, (Some("FinalState"), Some("ErrorState"))]), "the way back");
    }

    #[test]
    fn a_call_for_all_is_seen_anywhere_and_one_for_a_module_there_alone() {
        let moved = BTreeSet::from([MODULE.to_lowercase()]);
        let called = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert!(unseen(&[], &moved).is_empty());
        assert_eq!(unseen(&[], &BTreeSet::new()), ["all modules"]);
        assert_eq!(unseen(&called(&[MODULE, "UserServices.PresenceFocus"]), &moved), ["UserServices.PresenceFocus"]);
    }
}
