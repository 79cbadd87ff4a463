//! Binding: the parameters of a call against the documented sets, with the errors that a shell would give.

use serde_json::{Map, Value};

use super::super::settings::Dialect;
use super::catalog::{Command, Kind, Parameter, ParameterSet};
use super::NativeError;

/// Parameters that every command has; they change nothing here.
const COMMON: &[&str] = &[
    "Verbose",
    "Debug",
    "ErrorAction",
    "WarningAction",
    "InformationAction",
    "ErrorVariable",
    "WarningVariable",
    "InformationVariable",
    "OutVariable",
    "OutBuffer",
    "PipelineVariable",
];

/// A call whose parameters fit one set.
#[derive(Debug, Clone)]
pub struct Bound {
    pub set: &'static str,
    values: Map<String, Value>,
    pub what_if: bool,
    /// `-Confirm:$false` was given.
    pub confirmed: bool,
}

impl Bound {
    /// Text of a parameter; nothing when absent or null.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// Whether a switch is on.
    pub fn switch(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|v| v.as_bool() == Some(true))
    }

    /// The raw value; nothing when the parameter was not given.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A list of texts; one text counts as a list of one.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.values.get(name).map(texts_of).unwrap_or_default()
    }
}

/// The texts of a value that is a text or a list of texts.
pub fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(|v| v.as_str().map(Into::into)).collect(),
        _ => Vec::new(),
    }
}

/// Fits the given parameters to one of the command's sets.
pub fn bind(command: &Command, dialect: Dialect, given: &Map<String, Value>) -> Result<Bound, NativeError> {
    let mut values = Map::new();
    let (mut what_if, mut confirmed) = (false, false);
    for (name, value) in given {
        if COMMON.iter().any(|c| c.eq_ignore_ascii_case(name)) {
            continue;
        }
        if command.should_process && name.eq_ignore_ascii_case("WhatIf") {
            what_if = switch_value(command, "WhatIf", value)?;
            continue;
        }
        if command.should_process && name.eq_ignore_ascii_case("Confirm") {
            confirmed = !switch_value(command, "Confirm", value)?;
            continue;
        }
        let Some(parameter) = known(command, dialect, name) else {
            return Err(NativeError::binding(
                command,
                "NamedParameterNotFound",
                format!("A parameter cannot be found that matches parameter name '{name}'."),
            ));
        };
        if values.contains_key(parameter.name) {
            return Err(NativeError::binding(
                command,
                "ParameterAlreadyBound",
                format!("Cannot bind parameter because parameter '{}' is specified more than once.", parameter.name),
            ));
        }
        values.insert(parameter.name.into(), convert(command, dialect, parameter, value)?);
    }
    let set = choose(command, dialect, &values)?;
    Ok(Bound { set: set.name, values, what_if, confirmed })
}

fn has(parameter: &Parameter, dialect: Dialect) -> bool {
    parameter.dialect.is_none_or(|d| d == dialect)
}

/// Names of all parameters that a command has in a dialect, the common ones left out.
pub fn parameter_names(command: &Command, dialect: Dialect) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for parameter in command.sets.iter().flat_map(|set| set.parameters).filter(|p| has(p, dialect)) {
        if !names.contains(&parameter.name) {
            names.push(parameter.name);
        }
    }
    if command.should_process {
        names.extend(["WhatIf", "Confirm"]);
    }
    names
}

fn known(command: &Command, dialect: Dialect, name: &str) -> Option<&'static Parameter> {
    command.sets.iter().flat_map(|s| s.parameters).find(|p| p.name.eq_ignore_ascii_case(name) && has(p, dialect))
}

fn choose(
    command: &Command,
    dialect: Dialect,
    values: &Map<String, Value>,
) -> Result<&'static ParameterSet, NativeError> {
    let holds_all = |set: &&ParameterSet| {
        values.keys().all(|name| set.parameters.iter().any(|p| p.name == name.as_str() && has(p, dialect)))
    };
    let missing = |set: &ParameterSet| -> Vec<&'static str> {
        set.parameters
            .iter()
            .filter(|p| is_mandatory(command, p, dialect) && !values.contains_key(p.name))
            .map(|p| p.name)
            .collect()
    };
    let fitting: Vec<&'static ParameterSet> = command.sets.iter().filter(holds_all).collect();
    if fitting.is_empty() {
        return Err(NativeError::binding(
            command,
            "AmbiguousParameterSet",
            "Parameter set cannot be resolved using the specified named parameters.".into(),
        ));
    }
    if let Some(set) = fitting.iter().find(|set| missing(set).is_empty()) {
        return Ok(set);
    }
    let least = fitting.iter().map(|set| missing(set)).min_by_key(Vec::len).unwrap_or_default();
    Err(NativeError::binding(
        command,
        "MissingMandatoryParameter",
        format!("Cannot process command because of one or more missing mandatory parameters: {}.", least.join(" ")),
    ))
}

/// The older help marks the identity of the active list as required.
fn is_mandatory(command: &Command, parameter: &Parameter, dialect: Dialect) -> bool {
    parameter.mandatory
        || command.name == "Set-CsPersistentChatActiveServer"
            && parameter.name == "Identity"
            && dialect == Dialect::Lync2013
}

fn switch_value(command: &Command, name: &str, value: &Value) -> Result<bool, NativeError> {
    match value {
        Value::Bool(on) => Ok(*on),
        Value::Null => Ok(true),
        _ => Err(cannot_convert(command, name, value, "System.Management.Automation.SwitchParameter")),
    }
}

fn convert(command: &Command, dialect: Dialect, parameter: &Parameter, value: &Value) -> Result<Value, NativeError> {
    let name = parameter.name;
    let text = |type_name: &str| match value {
        Value::String(text) if text.is_empty() => Err(NativeError::binding(
            command,
            "ParameterArgumentValidationErrorEmptyStringNotAllowed",
            format!("Cannot bind argument to parameter '{name}' because it is an empty string."),
        )),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Err(NativeError::binding(
            command,
            "ParameterArgumentValidationErrorNullNotAllowed",
            format!("Cannot bind argument to parameter '{name}' because it is null."),
        )),
        _ => Err(cannot_convert(command, name, value, type_name)),
    };
    match parameter.kind {
        Kind::Text => text("System.String").map(Value::String),
        Kind::Switch => switch_value(command, name, value).map(Value::Bool),
        Kind::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            _ => Err(cannot_convert(command, name, value, "System.Boolean")),
        },
        Kind::Number => match value {
            Value::Number(_) => Ok(value.clone()),
            _ => Err(cannot_convert(command, name, value, "System.Int32")),
        },
        Kind::Fqdn => {
            let text = text("Microsoft.Rtc.Management.Deploy.Fqdn")?;
            if is_fqdn(&text) {
                Ok(Value::String(text))
            } else {
                Err(cannot_convert(command, name, value, "Microsoft.Rtc.Management.Deploy.Fqdn"))
            }
        }
        Kind::Word(words) => {
            let text = text("System.Enum")?;
            let allowed: Vec<&str> = words.iter().filter_map(|w| in_dialect(w, dialect)).collect();
            match allowed.iter().find(|w| w.eq_ignore_ascii_case(&text)) {
                Some(word) => Ok(Value::String(word.to_string())),
                None => Err(NativeError::binding(
                    command,
                    "CannotConvertArgumentNoMessage",
                    format!(
                        "Cannot bind parameter '{name}'. Cannot convert value \"{text}\". The possible enumeration \
                         values are \"{}\".",
                        allowed.join(",")
                    ),
                )),
            }
        }
        Kind::TextList | Kind::Object => Ok(value.clone()),
        Kind::Table => match value {
            Value::Object(_) => Ok(value.clone()),
            _ => Err(cannot_convert(command, name, value, "System.Collections.Hashtable")),
        },
        Kind::ListModifier => list_modifier(command, name, value),
    }
}

fn in_dialect(word: &str, dialect: Dialect) -> Option<&str> {
    match word.split_once(':') {
        Some(("2013", word)) => (dialect == Dialect::Lync2013).then_some(word),
        Some((_, word)) => (dialect == Dialect::Sfb2015).then_some(word),
        None => Some(word),
    }
}

/// A list modifier: nothing clears, plain items replace, a table adds, removes or replaces.
fn list_modifier(command: &Command, name: &str, value: &Value) -> Result<Value, NativeError> {
    let type_name = "Microsoft.Rtc.Management.Xds.PSListModifier`1[Microsoft.Rtc.Management.Deploy.Fqdn]";
    let mut result = Map::new();
    match value {
        Value::Null => {}
        Value::String(_) | Value::Array(_) => {
            result.insert("Replace".into(), texts_of(value).into());
        }
        Value::Object(table) => {
            for (key, items) in table {
                let Some(key) = ["Add", "Remove", "Replace"].iter().find(|k| k.eq_ignore_ascii_case(key)) else {
                    return Err(cannot_convert(command, name, value, type_name));
                };
                result.insert(key.to_string(), texts_of(items).into());
            }
            if result.is_empty() || result.contains_key("Replace") && result.len() > 1 {
                return Err(cannot_convert(command, name, value, type_name));
            }
        }
        _ => return Err(cannot_convert(command, name, value, type_name)),
    }
    if result.values().flat_map(texts_of).any(|fqdn| !is_fqdn(&fqdn)) {
        return Err(cannot_convert(command, name, value, type_name));
    }
    if !value.is_null() && result.is_empty() {
        return Err(cannot_convert(command, name, value, type_name));
    }
    // The form decides in strict mode, so it travels with the values.
    result.insert("Form".into(), form_of(value).into());
    Ok(Value::Object(result))
}

fn form_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Object(_) => "table",
        _ => "items",
    }
}

fn is_fqdn(text: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty() && l.len() <= 63 && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    text.len() <= 255 && text.split('.').all(label)
}

fn cannot_convert(command: &Command, name: &str, value: &Value, type_name: &str) -> NativeError {
    let shown: String = value.to_string().chars().take(120).collect();
    NativeError::binding(
        command,
        "CannotConvertArgumentNoMessage",
        format!("Cannot bind parameter '{name}'. Cannot convert value {shown} to type \"{type_name}\"."),
    )
}
