//! Whether a sync was seen to begin: what the survivor exports after the call, against what it exported before.
//!
//! Good states alone tell that a pair is at rest, and a pair at rest drifts between them by itself (an idle export goes from
//! steady to final). One word alone says that content is on its way: `NonSteadyState` on the export of the pool that has
//! it. It is believed to be of this sync where the export did something else before. An import has no word for
//! being under way, and what one module does says nothing about another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::seen::Side;
use super::state::{self, Direction, Meaning, NOT_STARTED, UNDER_WAY};
use super::status::ModuleStatus;
use crate::document::BackupServiceModule;

/// What a module of a pool showed in one reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    pub pool: String,
    pub module: String,
    pub export: Option<String>,
    pub import: Option<String>,
}

impl Shown {
    pub(super) fn of(pool: &str, status: ModuleStatus) -> Shown {
        Shown { pool: pool.to_string(), module: status.module, export: status.export, import: status.import }
    }

    /// All that was seen of a module, oldest first.
    pub(super) fn all_of(module: &BackupServiceModule) -> impl Iterator<Item = Shown> + '_ {
        module.seen.iter().map(|reading| Shown {
            pool: module.status_pool_fqdn.clone(),
            module: module.backup_module.clone(),
            export: reading.export_status.clone(),
            import: reading.import_status.clone(),
        })
    }
}

/// The modules whose export was seen to begin on the survivor, in lower case. Both lists are in the order of their reading.
pub(super) fn moved(survivor: &str, before: &[Shown], later: &[Shown]) -> BTreeSet<String> {
    let has_begun = |module: &&Shown| {
        let is_its =
            |s: &&Shown| s.pool.eq_ignore_ascii_case(survivor) && s.module.eq_ignore_ascii_case(&module.module);
        began(before.iter().chain(later).filter(is_its).filter_map(|shown| shown.export.as_deref()))
    };
    later.iter().filter(has_begun).map(|module| module.module.to_lowercase()).collect()
}

/// Whether an export came under way while it was watched. An error, or a word that no page has, does not tell that what
/// was under way has ended.
fn began<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let mut is_under_way = None;
    for word in words {
        if is(word, UNDER_WAY) {
            if is_under_way == Some(false) {
                return true;
            }
            is_under_way = Some(true);
        } else if is_under_way.is_none() || is_at_rest(word) {
            is_under_way = Some(false);
        }
    }
    false
}

fn is(word: &str, known: &str) -> bool {
    word.trim().eq_ignore_ascii_case(known)
}

fn is_at_rest(word: &str) -> bool {
    is(word, NOT_STARTED) || state::find(Direction::Export, word).is_some_and(|state| state.meaning == Meaning::Good)
}

/// The modules of which nothing shows that their sync began; empty where all is well. Where none is named, all that the
/// survivor exports are meant: one that it has never exported is good at rest, and brings nothing.
pub(super) fn unseen(named: &[String], settled: &[BackupServiceModule], moved: &BTreeSet<String>) -> Vec<String> {
    if named.is_empty() && moved.is_empty() {
        return vec!["all modules".to_string()];
    }
    let exports = |module: &&BackupServiceModule| {
        Side::of(module) == Side::Survivor && !module.export_status.as_deref().is_some_and(|word| is(word, NOT_STARTED))
    };
    let awaited: Vec<&String> = match named.is_empty() {
        true => settled.iter().filter(exports).map(|module| &module.backup_module).collect(),
        false => named.iter().collect(),
    };
    awaited.into_iter().filter(|module| !moved.contains(&module.to_lowercase())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::BackupServiceReading;

    const MODULE: &str = "ConfServices.DataConf";
    const SURVIVOR: &str = "pool2.contoso.com";

    fn shown(pool: &str, module: &str, export: Option<&str>) -> Shown {
        let import = Some("NormalState".to_string());
        Shown { pool: pool.into(), module: module.into(), export: export.map(str::to_string), import }
    }

    fn began_after(before: &str, later: &[&str]) -> bool {
        let later: Vec<Shown> = later.iter().map(|word| shown("POOL2.contoso.com", MODULE, Some(word))).collect();
        !moved(SURVIVOR, &[shown(SURVIVOR, &MODULE.to_uppercase(), Some(before))], &later).is_empty()
    }

    fn settled(pool: &str, module: &str, export: &str) -> BackupServiceModule {
        BackupServiceModule {
            pool_fqdn: SURVIVOR.into(),
            damaged_pool_fqdn: "pool1.contoso.com".into(),
            status_pool_fqdn: pool.into(),
            backup_module: module.into(),
            export_status: Some(export.into()),
            import_status: Some("NormalState".into()),
            awaited: String::new(),
            state: "done".into(),
            is_done: true,
            good_since_utc: None,
            first_read_at_utc: None,
            last_read_at_utc: None,
            readings: 1,
            seen: vec![BackupServiceReading {
                at_utc: String::new(),
                export_status: Some(export.into()),
                import_status: None,
                decides_nothing: false,
            }],
            text: String::new(),
        }
    }

    #[test]
    fn an_export_that_comes_under_way_is_a_sync_that_was_seen() {
        for before in ["FinalState", "steadystate ", "NotInitialized", "ErrorState"] {
            assert!(began_after(before, &["NonSteadyState"]), "{before}");
            assert!(began_after(before, &[before, "nonsteadystate ", "FinalState"]), "{before}");
        }
        assert!(began_after("NonSteadyState", &["FinalState", "NonSteadyState"]), "its own backlog had gone");
    }

    #[test]
    fn a_pair_that_drifts_between_good_states_or_stumbles_shows_no_sync() {
        for (before, later) in [
            ("FinalState", vec!["FinalState"]),
            ("SteadyState", vec!["FinalState"]),
            ("FinalState", vec!["SteadyState", "FinalState"]),
            ("FinalState", vec!["ErrorState", "FinalState"]),
            ("FinalState", vec!["NotInitialized", "SteadyState"]),
            ("FinalState", vec!["Quiescent", "FinalState"]),
            ("NonSteadyState", vec!["NonSteadyState", "FinalState"]),
            ("NonSteadyState", vec!["ErrorState", "NonSteadyState", "FinalState"]),
        ] {
            assert!(!began_after(before, &later), "{before} {later:?}");
        }
    }

    #[test]
    fn what_was_not_read_tells_nothing() {
        let gap = [shown(SURVIVOR, MODULE, None), shown(SURVIVOR, MODULE, Some("FinalState"))];
        assert!(moved(SURVIVOR, &[shown(SURVIVOR, MODULE, Some("FinalState"))], &gap).is_empty());
        assert!(moved(SURVIVOR, &[], &[shown(SURVIVOR, MODULE, Some("NonSteadyState"))]).is_empty());
    }

    #[test]
    fn one_module_or_the_other_pool_does_not_vouch_for_the_rest() {
        const OTHER: &str = "UserServices.PresenceFocus";
        let rest = |pool: &str| [shown(pool, MODULE, Some("FinalState")), shown(pool, OTHER, Some("FinalState"))];
        let before: Vec<Shown> = rest(SURVIVOR).into_iter().chain(rest("pool1.contoso.com")).collect();
        let later = [
            shown(SURVIVOR, MODULE, Some("FinalState")),
            shown(SURVIVOR, OTHER, Some("NonSteadyState")),
            shown("pool1.contoso.com", MODULE, Some("NonSteadyState")),
        ];
        let moved = moved(SURVIVOR, &before, &later);
        assert_eq!(moved, BTreeSet::from([OTHER.to_lowercase()]));
        let named = [MODULE.to_string(), OTHER.to_string()];
        let ended = [settled(SURVIVOR, MODULE, "FinalState"), settled(SURVIVOR, OTHER, "FinalState")];
        assert_eq!(unseen(&named, &ended, &moved), [MODULE]);
        assert_eq!(unseen(&[], &ended, &moved), [MODULE]);
        assert_eq!(unseen(&[], &ended, &BTreeSet::new()), ["all modules"]);
        assert!(unseen(&named[1..], &ended, &moved).is_empty());
    }

    #[test]
    fn what_the_survivor_does_not_export_is_not_waited_to_begin() {
        let moved = BTreeSet::from([MODULE.to_lowercase()]);
        let ended = [
            settled(SURVIVOR, MODULE, "SteadyState"),
            settled(SURVIVOR, state::CMS_MODULE, "NotInitialized"),
            settled("pool1.contoso.com", state::CMS_MODULE, "FinalState"),
        ];
        assert!(unseen(&[], &ended, &moved).is_empty());
        assert_eq!(unseen(&[state::CMS_MODULE.to_string()], &ended, &moved), [state::CMS_MODULE]);
    }
}
