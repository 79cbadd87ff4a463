//! Whether a sync was seen to begin: what the survivor exports after the call, against what it exported before.
//!
//! Good states alone tell that a pair is at rest, and an idle export goes from steady to final by itself. What tells that
//! content was on its way is the export of the pool that has it: more is left to export than before (`FinalState` nothing,
//! `SteadyState` what fits one batch, `NonSteadyState` a backlog), or a backlog is gone. An import has no word for being under
//! way, and what one module does says nothing about another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::seen::Side;
use super::state::{CONFERENCE_MODULE, NOTHING_LEFT, NOT_STARTED, ONE_BATCH, UNDER_WAY};
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

/// Whether an export was seen at work. An error, or a word that does not tell how much is left, changes nothing about what was
/// told last; in the first place it stands for one batch, so that only a backlog behind it counts.
fn began<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let mut last = None;
    for word in words {
        let now = left_to_export(word);
        if let (Some(now), Some(last)) = (now, last) {
            if now > last || (now < last && last == Left::Backlog) {
                return true;
            }
        }
        last = now.or(last).or(Some(Left::OneBatch));
    }
    false
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Nothing,
    OneBatch,
    Backlog,
}

/// `None` for a word that does not tell it.
fn left_to_export(word: &str) -> Option<Left> {
    let told = [(NOTHING_LEFT, Left::Nothing), (ONE_BATCH, Left::OneBatch), (UNDER_WAY, Left::Backlog)];
    told.into_iter().find(|(known, _)| is(word, known)).map(|(_, left)| left)
}

fn is(word: &str, known: &str) -> bool {
    word.trim().eq_ignore_ascii_case(known)
}

/// What was awaited and not seen at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unseen {
    /// Those without which nothing shows that the call did anything.
    pub in_doubt: Vec<String>,
    /// Those beside them, which had nothing to bring.
    pub at_rest: Vec<String>,
}

/// Where none is named, all that the survivor exports are meant: one that it has never exported is good at rest, and brings
/// nothing. Meeting content is what a restore is for: where it is among them it has to be seen, and without it one of them;
/// a pair that lost meetings alone has the other modules at rest.
pub(super) fn unseen(named: &[String], settled: &[BackupServiceModule], moved: &BTreeSet<String>) -> Unseen {
    let exports = |module: &&BackupServiceModule| {
        Side::of(module) == Side::Survivor && !module.export_status.as_deref().is_some_and(|word| is(word, NOT_STARTED))
    };
    let awaited: Vec<String> = match named.is_empty() {
        true => settled.iter().filter(exports).map(|module| module.backup_module.clone()).collect(),
        false => named.to_vec(),
    };
    if named.is_empty() && moved.is_empty() {
        return Unseen { in_doubt: vec!["all modules".to_string()], at_rest: Vec::new() };
    }
    let was_seen = |module: &String| moved.contains(&module.to_lowercase());
    let any_was_seen = awaited.iter().any(was_seen);
    let is_meetings = |module: &String| is(module, CONFERENCE_MODULE);
    let has_meetings = awaited.iter().any(is_meetings);
    let (in_doubt, at_rest) = awaited.into_iter().filter(|module| !was_seen(module)).partition(|module| {
        if has_meetings {
            is_meetings(module)
        } else {
            !any_was_seen
        }
    });
    Unseen { in_doubt, at_rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conference::state;
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
    fn an_export_with_a_backlog_that_it_had_not_is_a_sync_that_was_seen() {
        for before in ["FinalState", "steadystate ", "NotInitialized", "ErrorState"] {
            assert!(began_after(before, &["NonSteadyState"]), "{before}");
            assert!(began_after(before, &[before, "nonsteadystate ", "FinalState"]), "{before}");
        }
    }

    #[test]
    fn so_is_one_that_has_more_to_bring_than_before_or_whose_backlog_goes() {
        assert!(began_after("FinalState", &["SteadyState", "FinalState"]), "all of it fitted one batch");
        assert!(began_after("FinalState", &["ErrorState", "steadystate"]));
        assert!(began_after("FinalState", &["NotInitialized", "SteadyState"]));
        for later in [vec!["SteadyState"], vec!["NonSteadyState", "FinalState"], vec!["ErrorState", "FinalState"]] {
            assert!(began_after("NonSteadyState", &later), "{later:?}");
        }
    }

    #[test]
    fn a_pair_that_drifts_between_good_states_or_stumbles_shows_no_sync() {
        for (before, later) in [
            ("FinalState", vec!["FinalState"]),
            ("SteadyState", vec!["FinalState"]),
            ("SteadyState", vec!["ErrorState", "SteadyState", "FinalState"]),
            ("FinalState", vec!["ErrorState", "FinalState"]),
            ("ErrorState", vec!["SteadyState", "FinalState"]),
            ("NotInitialized", vec!["FinalState"]),
            ("FinalState", vec!["Quiescent", "FinalState"]),
            ("NonSteadyState", vec!["NonSteadyState", "ErrorState"]),
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
        assert_eq!(unseen(&named, &ended, &moved).in_doubt, [MODULE]);
        assert_eq!(unseen(&[], &ended, &moved).in_doubt, [MODULE]);
        assert_eq!(unseen(&[], &ended, &BTreeSet::new()).in_doubt, ["all modules"]);
        let alone = unseen(&named[1..], &ended, &moved);
        assert_eq!(alone, Unseen { in_doubt: Vec::new(), at_rest: Vec::new() });
    }

    #[test]
    fn beside_meetings_that_were_seen_the_rest_may_be_at_rest() {
        const OTHER: &str = "UserServices.PresenceFocus";
        let ended = [settled(SURVIVOR, MODULE, "SteadyState"), settled(SURVIVOR, OTHER, "FinalState")];
        let moved = BTreeSet::from([MODULE.to_lowercase()]);
        for named in [vec![], vec![OTHER.to_string(), MODULE.to_string()]] {
            let unseen = unseen(&named, &ended, &moved);
            assert_eq!(unseen, Unseen { in_doubt: Vec::new(), at_rest: vec![OTHER.to_string()] });
        }
        let cms = state::CMS_MODULE.to_string();
        let without = [OTHER.to_string(), cms.clone()];
        assert_eq!(unseen(&without, &ended, &moved).in_doubt, without, "neither was seen");
        let one = BTreeSet::from([OTHER.to_lowercase()]);
        assert_eq!(unseen(&without, &ended, &one), Unseen { in_doubt: Vec::new(), at_rest: vec![cms] });
    }

    #[test]
    fn what_the_survivor_does_not_export_is_not_waited_to_begin() {
        let moved = BTreeSet::from([MODULE.to_lowercase()]);
        let ended = [
            settled(SURVIVOR, MODULE, "SteadyState"),
            settled(SURVIVOR, state::CMS_MODULE, "NotInitialized"),
            settled("pool1.contoso.com", state::CMS_MODULE, "FinalState"),
        ];
        assert_eq!(unseen(&[], &ended, &moved), Unseen { in_doubt: Vec::new(), at_rest: Vec::new() });
        assert_eq!(unseen(&[state::CMS_MODULE.to_string()], &ended, &moved).in_doubt, [state::CMS_MODULE]);
    }
}
