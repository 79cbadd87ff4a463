//! Running a compiled query in an SQLite database of its own, in memory.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::functions::{Aggregate as SqliteAggregate, Context as Call, FunctionFlags};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, Error as SqliteError};

use super::compiler::{Aggregate, AggregateKind, Compiler};
use super::encode::{decode, encode};
use crate::context::DateFormat;
use crate::convert::{cast, pow10, rescale, Mode};
use crate::error::SqlError;
use crate::types::SqlType;
use crate::value::Value;

/// The error that a function raised inside the query; SQLite only passes on a text.
type Raised = Arc<Mutex<Option<SqlError>>>;

fn raise(raised: &Raised, error: SqlError) -> SqliteError {
    let text = error.to_string();
    raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    SqliteError::UserFunctionError(text.into())
}

/// Equal but for case; trailing blanks do not count.
pub(super) fn compare_ci(left: &str, right: &str) -> Ordering {
    let fold = |text: &str| text.trim_end_matches(' ').to_lowercase();
    fold(left).cmp(&fold(right))
}

/// By code point; trailing blanks do not count.
pub(super) fn compare_binary(left: &str, right: &str) -> Ordering {
    left.trim_end_matches(' ').cmp(right.trim_end_matches(' '))
}

/// Runs `text` and returns its rows, decoded as `types` say.
pub(super) fn run(compiler: &Compiler<'_>, text: &str, types: &[SqlType]) -> Result<Vec<Vec<Value>>, SqlError> {
    let raised: Raised = Arc::default();
    let rows = run_in_sqlite(compiler, text, types, &raised);
    let error = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (error, rows) {
        (Some(error), _) => Err(error),
        (None, Ok(rows)) => rows,
        (None, Err(error)) => Err(SqlError::unknown(format!("the query engine says: {error}"))),
    }
}

type Rows = Result<Vec<Vec<Value>>, SqlError>;

fn run_in_sqlite(compiler: &Compiler<'_>, text: &str, types: &[SqlType], raised: &Raised) -> Result<Rows, SqliteError> {
    let connection = Connection::open_in_memory()?;
    connection.create_collation("text_ci", compare_ci)?;
    connection.create_collation("text_bin", compare_binary)?;
    register(&connection, compiler, raised)?;
    if let Err(error) = load(&connection, compiler)? {
        return Ok(Err(error));
    }
    let mut parameters = Vec::new();
    for (data_type, value) in &compiler.parameters {
        match encode(value, *data_type) {
            Ok(stored) => parameters.push(stored),
            Err(error) => return Ok(Err(error)),
        }
    }
    let mut statement = connection.prepare(text)?;
    // A parameter may have dropped out of the text when a wider expression was computed ahead.
    parameters.truncate(statement.parameter_count());
    let mut found = statement.query(rusqlite::params_from_iter(parameters))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let mut values = Vec::with_capacity(types.len());
        for (place, data_type) in types.iter().enumerate() {
            values.push(decode(row.get_ref(place)?, *data_type));
        }
        rows.push(values);
    }
    Ok(Ok(rows))
}

fn register(connection: &Connection, compiler: &Compiler<'_>, raised: &Raised) -> Result<(), SqliteError> {
    let flags = FunctionFlags::SQLITE_UTF8;
    for (place, operation) in compiler.operations.iter().enumerate() {
        let (arguments, result) = (operation.arguments.clone(), operation.result);
        let (run, raised) = (Arc::clone(&operation.run), Arc::clone(raised));
        let count = i32::try_from(arguments.len()).unwrap_or(-1);
        connection.create_scalar_function(format!("f{place}").as_str(), count, flags, move |call| {
            let values: Vec<Value> = arguments
                .iter()
                .enumerate()
                .map(|(index, data_type)| decode(call.get_raw(index), *data_type))
                .collect();
            run(&values).and_then(|value| encode(&value, result)).map_err(|error| raise(&raised, error))
        })?;
    }
    for (place, aggregate) in compiler.aggregates.iter().enumerate() {
        let total = Total { aggregate: *aggregate, raised: Arc::clone(raised) };
        connection.create_aggregate_function(format!("g{place}").as_str(), 1, flags, total)?;
    }
    Ok(())
}

fn load(connection: &Connection, compiler: &Compiler<'_>) -> Result<Result<(), SqlError>, SqliteError> {
    connection.execute_batch("BEGIN")?;
    for (place, loaded) in compiler.loaded.iter().enumerate() {
        let mut columns = vec!["r".to_string()];
        columns.extend(loaded.used.iter().map(|index| format!("c{index}")));
        connection.execute_batch(&format!("CREATE TABLE t{place} ({})", columns.join(", ")))?;
        let marks = vec!["?"; columns.len()].join(", ");
        let mut insert = connection.prepare(&format!("INSERT INTO t{place} VALUES ({marks})"))?;
        for row in &loaded.table.rows {
            let mut stored = vec![Stored::Null];
            for index in &loaded.used {
                let data_type = loaded.table.columns[*index].data_type;
                match encode(row.get(*index).unwrap_or(&Value::Null), data_type) {
                    Ok(value) => stored.push(value),
                    Err(error) => return Ok(Err(error)),
                }
            }
            insert.execute(rusqlite::params_from_iter(stored))?;
        }
    }
    connection.execute_batch("COMMIT")?;
    Ok(Ok(()))
}

/// SUM, AVG and the one row of a subquery.
struct Total {
    aggregate: Aggregate,
    raised: Raised,
}

#[derive(Default)]
struct State {
    count: i64,
    rows: i64,
    whole: i128,
    real: f64,
    first: Option<Value>,
    too_large: bool,
}

impl Total {
    fn result(&self, state: &State) -> Result<Value, SqlError> {
        let Aggregate { kind, argument, result } = self.aggregate;
        let mode = Mode::implicit(DateFormat::Mdy);
        if kind == AggregateKind::Single {
            return Ok(state.first.clone().unwrap_or(Value::Null));
        }
        if state.count == 0 {
            return Ok(Value::Null);
        }
        let overflow = || {
            SqlError::new(
                8115,
                16,
                format!("Arithmetic overflow error converting expression to data type {}.", result.base_name()),
            )
            .with_state(2)
        };
        if state.too_large {
            return Err(overflow());
        }
        let average = kind == AggregateKind::Average;
        match (argument, result) {
            (SqlType::Real | SqlType::Float, _) => {
                let divisor = if average { state.count as f64 } else { 1.0 };
                Ok(Value::Float(state.real / divisor))
            }
            (SqlType::Numeric { scale, .. }, SqlType::Numeric { scale: wanted, .. }) => {
                let value = rescale(state.whole, scale, wanted).ok_or_else(overflow)?;
                let value = if average { value / i128::from(state.count) } else { value };
                if value.abs() >= pow10(38) {
                    return Err(overflow());
                }
                Ok(Value::Numeric { value, scale: wanted })
            }
            _ => {
                let value = if average { state.whole / i128::from(state.count) } else { state.whole };
                let whole = SqlType::Numeric { precision: 38, scale: 0 };
                cast(&Value::Numeric { value, scale: 0 }, whole, result, mode).map_err(|_| overflow())
            }
        }
    }
}

impl SqliteAggregate<State, Stored> for Total {
    fn init(&self, _: &mut Call<'_>) -> rusqlite::Result<State> {
        Ok(State::default())
    }

    fn step(&self, call: &mut Call<'_>, state: &mut State) -> rusqlite::Result<()> {
        let value = decode(call.get_raw(0), self.aggregate.argument);
        state.rows += 1;
        if self.aggregate.kind == AggregateKind::Single {
            if state.rows > 1 {
                let error = SqlError::new(
                    512,
                    16,
                    "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.",
                );
                return Err(raise(&self.raised, error));
            }
            state.first = Some(value);
            return Ok(());
        }
        match value {
            Value::Null => return Ok(()),
            Value::Float(number) => state.real += number,
            Value::Real(number) => state.real += f64::from(number),
            Value::Numeric { value, .. } => match state.whole.checked_add(value) {
                Some(sum) => state.whole = sum,
                None => state.too_large = true,
            },
            other => state.whole += other.as_i128().unwrap_or(0),
        }
        state.count += 1;
        Ok(())
    }

    fn finalize(&self, _: &mut Call<'_>, state: Option<State>) -> rusqlite::Result<Stored> {
        let state = state.unwrap_or_default();
        self.result(&state)
            .and_then(|value| encode(&value, self.aggregate.result))
            .map_err(|error| raise(&self.raised, error))
    }
}
