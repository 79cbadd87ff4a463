//! Reading the answer of `Get-CsBackupServiceStatus`, member by member and tolerantly.

use serde_json::{Map, Value};

use super::state::Direction;
use crate::host::NativeCommand;

/// What the status shows of one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleStatus {
    pub module: String,
    pub export: Option<String>,
    pub import: Option<String>,
    /// The item's own text; empty where it has none.
    pub text: String,
}

impl ModuleStatus {
    /// The word of one direction.
    pub fn word(&self, direction: Direction) -> Option<&str> {
        match direction {
            Direction::Export => self.export.as_deref(),
            Direction::Import => self.import.as_deref(),
        }
    }
}

const MODULES: &str = "BackupModules";
const IDENTITY: &str = "BackupModules.Identity";
const EXPORT: &str = "BackupModules.ExportStatus";
const IMPORT: &str = "BackupModules.ImportStatus";

/// Reads what the backup service of a pool shows. Reads only.
///
/// One page passes `-BackupModule`, which no published syntax of this command has: all modules are read and the wanted
/// ones picked.
///
/// # Source
/// `Get-CsBackupServiceStatus`.
pub fn get_status(pool_fqdn: &str) -> NativeCommand {
    NativeCommand::get("Get-CsBackupServiceStatus")
        .with("PoolFqdn", pool_fqdn)
        .wanting(&[MODULES, IDENTITY, EXPORT, IMPORT])
}

/// The modules of an answer. Members that a release lacks are read from the item's own text, which ends in its states:
/// `ConfServices.DataConf:[SteadyState,NormalState]`.
pub fn read_status(objects: &[Map<String, Value>]) -> Vec<ModuleStatus> {
    let mut modules = Vec::new();
    for object in objects {
        let (names, exports, imports) = (texts(object, IDENTITY), texts(object, EXPORT), texts(object, IMPORT));
        if !names.is_empty() && names.len() == exports.len() && names.len() == imports.len() {
            let plain = texts(object, MODULES);
            for (at, ((module, export), import)) in names.iter().zip(exports).zip(imports).enumerate() {
                let text = plain.get(at).filter(|_| plain.len() == names.len()).map_or("", |text| text.trim());
                let module = module.trim().to_string();
                modules.push(ModuleStatus {
                    module,
                    export: filled(export),
                    import: filled(import),
                    text: text.into(),
                });
            }
        } else {
            let plain = if object.contains_key("") { "" } else { MODULES };
            modules.extend(texts(object, plain).iter().filter_map(|text| from_text(text)));
        }
    }
    modules
}

/// An item that came as text: its module, then its states, the export first. A single state is that of the direction
/// which has such a state alone.
fn from_text(text: &str) -> Option<ModuleStatus> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|word| word.contains('.') && !word.starts_with('.'))?;
    let states: Vec<&str> =
        words[at + 1..].iter().copied().filter(|w| !w.ends_with("Status") && !w.contains('.')).collect();
    let (export, import) = match states[..] {
        [] => (None, None),
        [one] => (
            super::state::find(Direction::Export, one).map(|_| one),
            super::state::find(Direction::Import, one).map(|_| one),
        ),
        [.., export, import] => (Some(export), Some(import)),
    };
    let owned = |word: Option<&str>| word.map(str::to_string);
    let module = words[at].trim_end_matches('.').to_string();
    Some(ModuleStatus { module, export: owned(export), import: owned(import), text: text.trim().to_string() })
}

fn filled(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_string())
}

fn texts(object: &Map<String, Value>, name: &str) -> Vec<String> {
    match object.get(name) {
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().unwrap_or_default().to_string()).collect(),
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(object: Value) -> Vec<ModuleStatus> {
        let mut modules = read_status(&[object.as_object().cloned().unwrap_or_default()]);
        modules.iter_mut().for_each(|module| module.text.clear());
        modules
    }

    fn status(module: &str, export: Option<&str>, import: Option<&str>) -> ModuleStatus {
        let owned = |word: Option<&str>| word.map(str::to_string);
        ModuleStatus { module: module.to_string(), export: owned(export), import: owned(import), text: String::new() }
    }

    #[test]
    fn members_are_read_where_the_release_has_them() {
        let read = read(json!({
            "BackupModules": ["a", "b"],
            "BackupModules.Identity": ["UserServices.PresenceFocus", "ConfServices.DataConf"],
            "BackupModules.ExportStatus": ["FinalState", "SteadyState"],
            "BackupModules.ImportStatus": ["NormalState", ""],
        }));
        let wanted = [
            status("UserServices.PresenceFocus", Some("FinalState"), Some("NormalState")),
            status("ConfServices.DataConf", Some("SteadyState"), None),
        ];
        assert_eq!(read, wanted);
    }

    #[test]
    fn else_the_states_at_the_end_of_each_text_count() {
        for text in [
            "ConfServices.DataConf:[SteadyState,NormalState]",
            "@{Identity=ConfServices.DataConf; ExportStatus=SteadyState; ImportStatus=NormalState}",
            "ConfServices.DataConf SteadyState NormalState",
        ] {
            let read = read(json!({"BackupModules": [text], "BackupModules.Identity": null}));
            assert_eq!(read, [status("ConfServices.DataConf", Some("SteadyState"), Some("NormalState"))], "{text}");
        }
        let one = |text: &str| read(json!({"": text}));
        assert_eq!(
            one("ConfServices.DataConf: SteadyState"),
            [status("ConfServices.DataConf", Some("SteadyState"), None)]
        );
        let error = status("ConfServices.DataConf", Some("ErrorState"), Some("ErrorState"));
        assert_eq!(one("ConfServices.DataConf (ErrorState)"), [error]);
    }

    #[test]
    fn lists_that_do_not_fit_together_are_not_put_together() {
        let read = read(json!({
            "BackupModules": ["ConfServices.DataConf:[NonSteadyState,NormalState]", "X.Y"],
            "BackupModules.Identity": ["ConfServices.DataConf", "X.Y"],
            "BackupModules.ExportStatus": ["FinalState"],
            "BackupModules.ImportStatus": ["NormalState"],
        }));
        assert_eq!(read[0], status("ConfServices.DataConf", Some("NonSteadyState"), Some("NormalState")));
        assert_eq!(read[1], status("X.Y", None, None));
    }

    #[test]
    fn nothing_is_made_of_an_answer_without_modules() {
        assert!(read(json!({"BackupModules": null})).is_empty());
        assert!(read_status(&[]).is_empty());
    }
}
