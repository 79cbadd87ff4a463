//! `sp_executesql` and the prepare family, brought down to statement and values.

use std::collections::HashMap;

use crate::message::ServerMessage;
use crate::rpc::{RpcCall, RpcParam, WireCall};
use crate::value::Value;

/// What a call on the wire amounts to.
#[derive(Debug, PartialEq)]
pub(crate) enum Resolved {
    /// To be run; the OUT parameters are those to send back at the end.
    Run {
        call: RpcCall,
        out: Vec<RpcParam>,
    },
    /// Done already, with these OUT values.
    Done {
        out: Vec<RpcParam>,
    },
    Failed(ServerMessage),
}

/// The prepared statements of a session.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    last_handle: i32,
    statements: HashMap<i32, Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    sql: String,
    declared: Vec<String>,
}

/// A client that prepares more has lost track of its handles.
const MAX_PREPARED: usize = 100_000;

impl Prepared {
    /// Forgets all handles, as a reset of the connection does.
    pub fn clear(&mut self) {
        self.statements.clear();
    }

    pub fn resolve(&mut self, call: WireCall) -> Resolved {
        match procedure_name(&call.name).as_str() {
            "sp_executesql" => execute_sql(call),
            "sp_prepare" => match self.prepare(&call) {
                Ok(out) => Resolved::Done { out: vec![out] },
                Err(message) => Resolved::Failed(message),
            },
            "sp_prepexec" => self.prepare_and_execute(call),
            "sp_execute" => self.execute(call),
            "sp_unprepare" => self.unprepare(&call),
            _ => {
                let out = call.params.iter().filter(|param| param.by_ref).cloned().collect();
                let WireCall { name, params } = call;
                Resolved::Run { call: RpcCall::Procedure { name, params }, out }
            }
        }
    }

    /// `@handle OUT, @params, @stmt`.
    fn prepare(&mut self, call: &WireCall) -> Result<RpcParam, ServerMessage> {
        let [handle, params, sql, ..] = call.params.as_slice() else {
            return Err(missing(&call.name));
        };
        let declared = match &params.value {
            Value::Null => Vec::new(),
            value => declared_names(value.as_str().ok_or_else(|| missing(&call.name))?),
        };
        let sql = sql.value.as_str().ok_or_else(|| missing(&call.name))?.to_owned();
        if self.statements.len() >= MAX_PREPARED {
            return Err(ServerMessage::new(8171, 16, "There are too many prepared statements in this session."));
        }
        self.last_handle += 1;
        self.statements.insert(self.last_handle, Statement { sql, declared });
        Ok(RpcParam { value: Value::Int(self.last_handle), ..handle.clone() })
    }

    fn prepare_and_execute(&mut self, call: WireCall) -> Resolved {
        let handle = match self.prepare(&call) {
            Ok(handle) => handle,
            Err(message) => return Resolved::Failed(message),
        };
        let Some(statement) = self.statements.get(&self.last_handle).cloned() else {
            return Resolved::Failed(missing(&call.name));
        };
        match run(statement, call.params.into_iter().skip(3)) {
            Resolved::Run { call, mut out } => {
                out.insert(0, handle);
                Resolved::Run { call, out }
            }
            other => other,
        }
    }

    fn execute(&mut self, call: WireCall) -> Resolved {
        match self.handle_of(&call) {
            Ok(handle) => match self.statements.get(&handle).cloned() {
                Some(statement) => run(statement, call.params.into_iter().skip(1)),
                None => Resolved::Failed(unknown_handle(handle)),
            },
            Err(message) => Resolved::Failed(message),
        }
    }

    fn unprepare(&mut self, call: &WireCall) -> Resolved {
        match self.handle_of(call) {
            Ok(handle) => match self.statements.remove(&handle) {
                Some(_) => Resolved::Done { out: Vec::new() },
                None => Resolved::Failed(unknown_handle(handle)),
            },
            Err(message) => Resolved::Failed(message),
        }
    }

    fn handle_of(&self, call: &WireCall) -> Result<i32, ServerMessage> {
        let handle = call.params.first().and_then(|param| param.value.as_i128());
        handle.and_then(|handle| i32::try_from(handle).ok()).ok_or_else(|| missing(&call.name))
    }
}

/// `@stmt, @params, values`.
fn execute_sql(call: WireCall) -> Resolved {
    let Some(sql) = call.params.first().and_then(|param| param.value.as_str()) else {
        return Resolved::Failed(missing(&call.name));
    };
    let declared = call.params.get(1).and_then(|param| param.value.as_str());
    let statement = Statement { sql: sql.to_owned(), declared: declared.map(declared_names).unwrap_or_default() };
    run(statement, call.params.into_iter().skip(2))
}

/// Gives values passed by position the names they were declared with.
fn run(statement: Statement, values: impl Iterator<Item = RpcParam>) -> Resolved {
    let params: Vec<RpcParam> = values
        .enumerate()
        .map(|(index, mut param)| {
            if param.name.is_empty() {
                param.name = statement.declared.get(index).cloned().unwrap_or_default();
            } else if !param.name.starts_with('@') {
                param.name.insert(0, '@');
            }
            param
        })
        .collect();
    if let Some(name) =
        statement.declared.iter().find(|name| !params.iter().any(|param| param.name.eq_ignore_ascii_case(name)))
    {
        let text = format!("The parameterized query expects the parameter '{name}', which was not supplied.");
        return Resolved::Failed(ServerMessage::new(8178, 16, text));
    }
    let out = params.iter().filter(|param| param.by_ref).cloned().collect();
    Resolved::Run { call: RpcCall::Statement { sql: statement.sql, params }, out }
}

/// The names in a declaration such as `@P1 int, @P2 decimal(10, 2) OUTPUT`.
fn declared_names(declaration: &str) -> Vec<String> {
    let mut depth = 0i32;
    declaration
        .split(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        })
        .filter_map(|part| part.split_whitespace().next())
        .filter(|name| name.starts_with('@'))
        .map(str::to_owned)
        .collect()
}

/// The bare name of a system procedure, in lower case.
fn procedure_name(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.trim_matches(|c| matches!(c, '[' | ']' | '"' | ' ')).to_ascii_lowercase()
}

fn missing(procedure: &str) -> ServerMessage {
    let text = format!("Procedure {procedure} expects a parameter that was not supplied or is of the wrong type.");
    ServerMessage::new(201, 16, text).state(10).procedure(procedure)
}

fn unknown_handle(handle: i32) -> ServerMessage {
    ServerMessage::new(8179, 16, format!("Could not find prepared statement with handle {handle}.")).state(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::SqlType;

    fn param(ordinal: u16, value: Value) -> RpcParam {
        let ty = value.natural_type().unwrap_or(SqlType::Int);
        RpcParam { name: String::new(), ordinal, by_ref: false, default: false, ty, value }
    }

    fn call(name: &str, values: Vec<Value>) -> WireCall {
        let params = values.into_iter().zip(0..).map(|(value, ordinal)| param(ordinal, value)).collect();
        WireCall { name: name.to_owned(), params }
    }

    #[test]
    fn declarations_with_commas_in_types_keep_their_names() {
        let names = declared_names("@P1 int,@lsn numeric(25, 0) OUTPUT , @P3 nvarchar(max)");
        assert_eq!(names, ["@P1", "@lsn", "@P3"]);
    }

    #[test]
    fn a_prepared_statement_runs_until_it_is_unprepared() {
        let mut prepared = Prepared::default();
        let made =
            prepared.resolve(call("sp_prepare", vec![Value::Null, "@a int".into(), "SELECT @a".into(), Value::Int(1)]));
        let Resolved::Done { out } = made else { panic!("{made:?}") };
        let handle = out[0].value.clone();
        let run = prepared.resolve(call("sys.sp_execute", vec![handle.clone(), Value::Int(7)]));
        let Resolved::Run { call: RpcCall::Statement { sql, params }, .. } = run else { panic!("{run:?}") };
        assert_eq!((sql.as_str(), params[0].name.as_str(), &params[0].value), ("SELECT @a", "@a", &Value::Int(7)));
        assert_eq!(prepared.resolve(call("sp_unprepare", vec![handle.clone()])), Resolved::Done { out: vec![] });
        let gone = prepared.resolve(call("sp_execute", vec![handle]));
        assert!(matches!(gone, Resolved::Failed(message) if message.number == 8179));
    }

    #[test]
    fn a_missing_value_is_named() {
        let made = Prepared::default().resolve(call("sp_executesql", vec!["SELECT @a".into(), "@a int".into()]));
        let Resolved::Failed(message) = made else { panic!("{made:?}") };
        assert!(message.text.contains("'@a'"), "{}", message.text);
    }
}
