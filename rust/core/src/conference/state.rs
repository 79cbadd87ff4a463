//! What the backup service's words mean, as data.

use serde::{Deserialize, Serialize};

/// Which way a module's content goes, seen from the pool whose status shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From this pool to its partner.
    Export,
    /// From its partner to this pool.
    Import,
}

impl Direction {
    /// The word of the status, in lower case.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Export => "export",
            Direction::Import => "import",
        }
    }
}

/// What a state says about one direction of one module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Everything has arrived.
    Good,
    /// On its way, or not begun.
    NotYet,
    /// The backup service says that it failed.
    Error,
    /// A word that no page has for this direction. It is told, and taken for nothing.
    Unknown,
    /// No reading: the command failed, or the module was not in its answer.
    Unread,
}

/// One documented state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub direction: Direction,
    pub word: &'static str,
    pub meaning: Meaning,
    pub text: &'static str,
}

/// The export state with nothing left to export.
pub const NOTHING_LEFT: &str = "FinalState";
/// The export state whose pending changes fit one batch.
pub const ONE_BATCH: &str = "SteadyState";
/// The one export state that says that content is on its way.
pub const UNDER_WAY: &str = "NonSteadyState";
/// The export state of a module that this pool has not begun to export.
pub const NOT_STARTED: &str = "NotInitialized";

const fn state(direction: Direction, word: &'static str, meaning: Meaning, text: &'static str) -> State {
    State { direction, word, meaning, text }
}

/// Every documented state. `NormalState` belongs to the import and `SteadyState` to the export: they are no
/// alternatives, so each is an unknown word in the other direction.
///
/// # Source
/// "What does the status reported by Get-CsBackupServiceStatus mean?" (jenstr, 2012) and "Configuring and monitoring the
/// Backup Service".
pub const STATES: &[State] = &[
    state(
        Direction::Export,
        "FinalState",
        Meaning::Good,
        "nothing is left to export, and the partner has imported all",
    ),
    state(Direction::Export, ONE_BATCH, Meaning::Good, "all pending changes fit one batch"),
    state(Direction::Export, UNDER_WAY, Meaning::NotYet, "changes exceed what can be exported; the backlog grows"),
    state(Direction::Export, NOT_STARTED, Meaning::NotYet, "no export has started yet"),
    state(Direction::Export, "ErrorState", Meaning::Error, "the export failed; its true state is unknown"),
    state(Direction::Import, "NormalState", Meaning::Good, "the import works"),
    state(Direction::Import, "ErrorState", Meaning::Error, "the import failed"),
];

/// The module whose export rests where the pool does not hold the active Central Management store.
pub const CMS_MODULE: &str = "CentralMgmt.CMSMaster";
/// Meeting content in the file share: what a conference restore is about.
pub const CONFERENCE_MODULE: &str = "ConfServices.DataConf";
/// The documented modules. Later releases have more; what a status shows counts.
pub const MODULES: &[&str] = &["UserServices.PresenceFocus", CONFERENCE_MODULE, CMS_MODULE];

/// The documented state of this word, whatever its case.
pub fn find(direction: Direction, word: &str) -> Option<&'static State> {
    STATES.iter().find(|state| state.direction == direction && state.word.eq_ignore_ascii_case(word.trim()))
}

/// What a word means for one direction of a module; `None` is a module without a reading.
///
/// `holds_cms`: whether the pool holds the active Central Management store. `NotInitialized` on the export of
/// `CentralMgmt.CMSMaster` is good only where it is known that it does not.
pub fn meaning(module: &str, direction: Direction, word: Option<&str>, holds_cms: Option<bool>) -> Meaning {
    let Some(word) = word.map(str::trim).filter(|word| !word.is_empty()) else { return Meaning::Unread };
    let rests = direction == Direction::Export
        && module.eq_ignore_ascii_case(CMS_MODULE)
        && word.eq_ignore_ascii_case(NOT_STARTED)
        && holds_cms == Some(false);
    if rests {
        return Meaning::Good;
    }
    find(direction, word).map_or(Meaning::Unknown, |state| state.meaning)
}

/// The dotted name of a module, where a short one was given: one page prints `DataConf`, the reference the dotted name.
pub fn module_name(given: &str) -> String {
    let given = given.trim();
    let short = |name: &str| name.rsplit('.').next().unwrap_or(name).to_string();
    MODULES
        .iter()
        .find(|name| name.eq_ignore_ascii_case(given) || short(name).eq_ignore_ascii_case(given))
        .map_or_else(|| given.to_string(), |name| (*name).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_one_direction_is_no_state_of_the_other() {
        let of = |direction, word| meaning(CONFERENCE_MODULE, direction, Some(word), None);
        assert_eq!(of(Direction::Export, "SteadyState"), Meaning::Good);
        assert_eq!(of(Direction::Import, "SteadyState"), Meaning::Unknown);
        assert_eq!(of(Direction::Import, "NormalState"), Meaning::Good);
        assert_eq!(of(Direction::Export, "NormalState"), Meaning::Unknown);
        assert_eq!(of(Direction::Export, " finalstate "), Meaning::Good);
        assert_eq!(of(Direction::Export, "Quiescent"), Meaning::Unknown);
        assert_eq!(meaning(CONFERENCE_MODULE, Direction::Export, None, None), Meaning::Unread);
        assert_eq!(meaning(CONFERENCE_MODULE, Direction::Export, Some(" "), None), Meaning::Unread);
    }

    #[test]
    fn an_export_of_the_store_rests_only_where_the_pool_is_known_not_to_hold_it() {
        let of = |module, holds| meaning(module, Direction::Export, Some("NotInitialized"), holds);
        assert_eq!(of(CMS_MODULE, Some(false)), Meaning::Good);
        assert_eq!(of(CMS_MODULE, Some(true)), Meaning::NotYet);
        assert_eq!(of(CMS_MODULE, None), Meaning::NotYet);
        assert_eq!(of(CONFERENCE_MODULE, Some(false)), Meaning::NotYet);
    }

    #[test]
    fn a_short_module_name_becomes_the_dotted_one() {
        assert_eq!(module_name("DataConf"), "ConfServices.DataConf");
        assert_eq!(module_name("confservices.dataconf"), "ConfServices.DataConf");
        assert_eq!(module_name("ApplicationServer.RGSDataStore"), "ApplicationServer.RGSDataStore");
    }
}
