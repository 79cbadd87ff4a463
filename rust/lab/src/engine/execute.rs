//! Statements, one after the other: what each does to the session, the instance and the answer.

use super::connection::{from_sql_error, is_french, Connection, Output};
use super::error::SqlMessage;
use super::procedures;
use lab_tsql::ast::{Declaration, InsertSource, ProcedureName, Statement, StatementKind, TextOrVariable};
use lab_tsql::{SqlType, Value};
use std::time::Duration;

/// How the run of statements goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    Next,
    Break,
    Continue,
    Return(i32),
    /// The rest of the batch is left out.
    Abort,
    /// An error was handed to the CATCH block around.
    Caught,
    /// An error of severity 20 and above was sent.
    Fatal,
    /// The connection is torn down without an answer.
    Cut,
    /// The session was ended.
    Killed,
}

/// Why a statement did not complete.
#[derive(Clone, Debug)]
pub enum Halt {
    Errors(Vec<SqlMessage>),
    Cut,
    Killed,
}

impl Halt {
    /// A single error.
    pub fn one(message: SqlMessage) -> Self {
        Halt::Errors(vec![message])
    }
}

impl From<SqlMessage> for Halt {
    fn from(message: SqlMessage) -> Self {
        Halt::one(message)
    }
}

impl From<lab_tsql::SqlError> for Halt {
    fn from(error: lab_tsql::SqlError) -> Self {
        Halt::one(from_sql_error(&error))
    }
}

/// A statement's outcome.
pub type Outcome = Result<(), Halt>;

/// Errors after which SQL Server leaves out the rest of the batch: the statement could not be compiled.
const ABORTING: [i32; 14] = [102, 104, 107, 134, 137, 156, 207, 208, 209, 245, 4104, 8114, 1205, 50404];

/// SET options that change nothing the lab simulates.
const QUIET_OPTIONS: [&str; 22] = [
    "ANSI_NULLS",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ANSI_DEFAULTS",
    "ANSI_NULL_DFLT_ON",
    "ANSI_NULL_DFLT_OFF",
    "QUOTED_IDENTIFIER",
    "ARITHABORT",
    "ARITHIGNORE",
    "CONCAT_NULL_YIELDS_NULL",
    "XACT_ABORT",
    "ROWCOUNT",
    "TEXTSIZE",
    "DEADLOCK_PRIORITY",
    "TRANSACTION ISOLATION LEVEL",
    "NUMERIC_ROUNDABORT",
    "CURSOR_CLOSE_ON_COMMIT",
    "STATISTICS",
    "CONTEXT_INFO",
    "QUERY_GOVERNOR_COST_LIMIT",
    "REMOTE_PROC_TRANSACTIONS",
    "NOEXEC",
];

impl Connection {
    pub(crate) async fn run_statements(&mut self, statements: &[Statement], out: &mut dyn Output) -> Control {
        for statement in statements {
            if self.ended.is_set() {
                return Control::Killed;
            }
            self.context.now_utc = self.engine.clock().now().naive_utc();
            let result = self.statement(statement, out).await;
            let control = match result {
                Ok(control) => {
                    if !matches!(statement.kind, StatementKind::If { .. } | StatementKind::Block(_)) {
                        self.context.error = 0;
                    }
                    control
                }
                Err(Halt::Cut) => Control::Cut,
                Err(Halt::Killed) => Control::Killed,
                Err(Halt::Errors(errors)) => self.fail(errors, statement, out).await,
            };
            if control != Control::Next {
                return control;
            }
        }
        Control::Next
    }

    /// Sends errors, or hands them to the CATCH block around.
    async fn fail(&mut self, errors: Vec<SqlMessage>, statement: &Statement, out: &mut dyn Output) -> Control {
        let mut control = Control::Next;
        for (index, error) in errors.into_iter().enumerate() {
            let mut error = self.translate(error);
            if error.procedure.is_empty() && error.line <= 1 {
                error.line = statement.line;
            }
            if error.number == lab_tsql::UNKNOWN_STATEMENT {
                let text = error.message.clone();
                self.count_unknown(&statement.text, &text);
            }
            self.context.error = error.number;
            if self.nesting_try() && (11..20).contains(&error.severity) {
                if index == 0 || self.caught.is_none() {
                    self.caught = Some(error);
                }
                control = Control::Caught;
                continue;
            }
            if error.severity >= 20 {
                control = Control::Fatal;
            } else if index == 0 && ABORTING.contains(&error.number) {
                control = Control::Abort;
            }
            out.message(&error).await;
        }
        control
    }

    fn nesting_try(&self) -> bool {
        self.nesting > 0
    }

    async fn statement(&mut self, statement: &Statement, out: &mut dyn Output) -> Result<Control, Halt> {
        match &statement.kind {
            StatementKind::Use(name) => {
                let name = self.enter(name)?;
                out.database(&name).await;
                out.done(None).await;
            }
            StatementKind::Declare(declarations) => self.declare(declarations)?,
            StatementKind::SetVariable { name, value } => {
                let (_, value) = lab_tsql::evaluate(value, &self.context)?;
                self.assign(name, value)?;
            }
            StatementKind::SetOption { options, value } => self.set_option(options, value, out).await?,
            StatementKind::Select(select) => {
                let result = lab_tsql::select(select, &mut self.context);
                let set = result.inspect_err(|error| self.note_unknown(error, &statement.text))?;
                self.context.row_count = set.rows.len() as i32;
                if set.returns_rows {
                    out.rows(set).await;
                } else {
                    out.done(Some(1)).await;
                }
            }
            StatementKind::Insert(insert) => {
                let rows = match &insert.source {
                    InsertSource::Values(values) => {
                        let mut rows = Vec::new();
                        for row in values {
                            let cells: Result<Vec<Value>, _> =
                                row.iter().map(|e| lab_tsql::evaluate(e, &self.context).map(|(_, v)| v)).collect();
                            rows.push(cells?);
                        }
                        rows
                    }
                    InsertSource::Select(select) => lab_tsql::select(select, &mut self.context)?.rows,
                    InsertSource::Execute(_) | InsertSource::ExecuteString(_) => {
                        let mut collected = super::connection::Collected::default();
                        let source = match &insert.source {
                            InsertSource::Execute(call) => StatementKind::Execute(call.clone()),
                            InsertSource::ExecuteString(text) => StatementKind::ExecuteString(text.clone()),
                            _ => StatementKind::Checkpoint,
                        };
                        let inner = Statement { line: statement.line, text: statement.text.clone(), kind: source };
                        let control = self.run(std::slice::from_ref(&inner), &mut collected).await;
                        for message in &collected.messages {
                            out.message(message).await;
                        }
                        if control != Control::Next {
                            return Ok(control);
                        }
                        collected.sets.into_iter().flat_map(|s| s.rows).collect()
                    }
                    InsertSource::DefaultValues => vec![Vec::new()],
                };
                let count = lab_tsql::insert_rows(&insert.target, &insert.columns, rows, &mut self.context)?;
                self.context.row_count = count as i32;
                out.done(Some(count as u64)).await;
            }
            StatementKind::CreateTable { name, columns } if name.name.starts_with('#') => {
                self.context.temp_tables.create(&name.name, columns.clone())?;
                out.done(None).await;
            }
            StatementKind::DropTable { names, if_exists } if names.iter().all(|n| n.name.starts_with('#')) => {
                for name in names {
                    let dropped = self.context.temp_tables.drop_table(&name.name);
                    if !if_exists {
                        dropped?;
                    }
                }
                out.done(None).await;
            }
            StatementKind::If { condition, then, otherwise } => {
                let branch = if lab_tsql::condition(condition, &self.context)? { then } else { otherwise };
                return Ok(self.run(branch, out).await);
            }
            StatementKind::While { condition, body } => {
                while lab_tsql::condition(condition, &self.context)? {
                    match self.run(body, out).await {
                        Control::Next | Control::Continue => {}
                        Control::Break => break,
                        other => return Ok(other),
                    }
                    tokio::task::yield_now().await;
                }
            }
            StatementKind::Break => return Ok(Control::Break),
            StatementKind::Continue => return Ok(Control::Continue),
            StatementKind::Return(value) => {
                let status = match value {
                    Some(value) => lab_tsql::evaluate(value, &self.context)?.1.as_i64().unwrap_or(0) as i32,
                    None => 0,
                };
                return Ok(Control::Return(status));
            }
            StatementKind::Block(body) => return Ok(self.run(body, out).await),
            StatementKind::TryCatch { body, handler } => {
                self.nesting += 1;
                let control = self.run(body, out).await;
                self.nesting -= 1;
                if control != Control::Caught {
                    return Ok(control);
                }
                self.show_caught();
                let control = self.run(handler, out).await;
                self.caught = None;
                self.show_caught();
                return Ok(control);
            }
            StatementKind::Print(value) => {
                let (_, value) = lab_tsql::evaluate(value, &self.context)?;
                let text = as_text(&value);
                out.message(&SqlMessage::new(0, 0, 1, text)).await;
            }
            StatementKind::RaisError { message, severity, state, .. } => {
                let (_, message) = lab_tsql::evaluate(message, &self.context)?;
                let number = message.as_i64().filter(|_| message.as_str().is_none()).unwrap_or(50000) as i32;
                let severity = lab_tsql::evaluate(severity, &self.context)?.1.as_i64().unwrap_or(16).clamp(0, 25);
                let state = lab_tsql::evaluate(state, &self.context)?.1.as_i64().unwrap_or(1).clamp(0, 255);
                let raised = SqlMessage::new(number, severity as u8, state as u8, as_text(&message));
                if severity > 10 {
                    return Err(Halt::one(raised));
                }
                out.message(&raised).await;
            }
            StatementKind::Throw(values) => {
                let error = match values {
                    Some((number, text, state)) => SqlMessage::new(
                        lab_tsql::evaluate(number, &self.context)?.1.as_i64().unwrap_or(50000) as i32,
                        16,
                        lab_tsql::evaluate(state, &self.context)?.1.as_i64().unwrap_or(1) as u8,
                        as_text(&lab_tsql::evaluate(text, &self.context)?.1),
                    ),
                    None => {
                        self.caught.clone().unwrap_or_else(|| SqlMessage::new(10704, 16, 1, "THROW outside CATCH."))
                    }
                };
                return Err(Halt::one(error));
            }
            StatementKind::WaitForDelay(delay) => self.wait(delay).await?,
            StatementKind::BeginTransaction => {
                self.context.transaction_count += 1;
                self.show_transactions();
                out.done(None).await;
            }
            StatementKind::CommitTransaction => {
                if self.context.transaction_count == 0 {
                    let text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
                    return Err(Halt::one(SqlMessage::new(3902, 16, 1, text)));
                }
                self.context.transaction_count -= 1;
                self.show_transactions();
                out.done(None).await;
            }
            StatementKind::RollbackTransaction => {
                self.context.transaction_count = 0;
                self.show_transactions();
                out.done(None).await;
            }
            StatementKind::Execute(call) => {
                let name = match &call.procedure {
                    ProcedureName::Name(name) => name.clone(),
                    ProcedureName::Variable(variable) => {
                        let text = self.text(&TextOrVariable::Variable(variable.clone()))?;
                        procedures::split_name(&text)
                    }
                };
                let mut arguments = Vec::new();
                for argument in &call.arguments {
                    arguments.push(self.argument(argument)?);
                }
                let (status, control) = self.call(&name, arguments, &statement.text, out).await?;
                if let (Some(variable), Some(status)) = (&call.return_variable, status) {
                    self.assign(variable, Value::Int(status))?;
                }
                return Ok(control);
            }
            StatementKind::ExecuteString(text) => {
                let (_, text) = lab_tsql::evaluate(text, &self.context)?;
                return self.nested_batch(&as_text(&text), Vec::new(), out).await.map(|(control, _)| control);
            }
            StatementKind::Restore(restore) => {
                self.restore(restore, out).await?;
                out.done(None).await;
            }
            StatementKind::Backup(backup) => {
                self.backup(backup, out).await?;
                out.done(None).await;
            }
            StatementKind::AlterDatabase(alter) => {
                self.alter_database(alter, out).await?;
                out.done(None).await;
            }
            StatementKind::Kill { session_id, status_only } => {
                self.kill(*session_id, *status_only, out).await?;
                out.done(None).await;
            }
            StatementKind::CreateDatabase(name) => {
                self.create_database(name)?;
                out.done(None).await;
            }
            StatementKind::DropDatabase { names, if_exists } => {
                for name in names {
                    self.drop_database(name, *if_exists)?;
                }
                out.done(None).await;
            }
            StatementKind::Checkpoint => out.done(None).await,
            StatementKind::CreateTable { .. } | StatementKind::DropTable { .. } | StatementKind::Unknown => {
                let error = lab_tsql::SqlError::unknown(statement.text.chars().take(200).collect::<String>());
                return Err(error.into());
            }
        }
        Ok(Control::Next)
    }

    fn show_transactions(&self) {
        let mut world = self.engine.world();
        if let Some(entry) = self.own_entry(&mut world) {
            entry.transactions = self.context.transaction_count;
        }
    }

    fn show_caught(&self) {
        let mut world = self.engine.world();
        if let Some(entry) = self.own_entry(&mut world) {
            entry.caught.clone_from(&self.caught);
        }
    }

    fn declare(&mut self, declarations: &[Declaration]) -> Outcome {
        for declaration in declarations {
            match declaration {
                Declaration::Scalar { name, data_type, initial } => {
                    let value = match initial {
                        Some(initial) => {
                            let (_, value) = lab_tsql::evaluate(initial, &self.context)?;
                            lab_tsql::convert(&value, *data_type, &self.context)?
                        }
                        None => Value::Null,
                    };
                    self.context.variables.declare(name, *data_type, value);
                }
                Declaration::Table { name, columns } => {
                    self.context.variables.declare_table(name, columns.clone());
                }
            }
        }
        Ok(())
    }

    /// Gives a declared variable a value, converted to its type.
    pub(crate) fn assign(&mut self, name: &str, value: Value) -> Outcome {
        let Some(data_type) = self.context.variables.get(name).map(|v| v.data_type) else {
            return Err(lab_tsql::SqlError::undeclared(name).into());
        };
        let value = lab_tsql::convert(&value, data_type, &self.context)?;
        self.context.variables.declare(name, data_type, value);
        Ok(())
    }

    async fn set_option(&mut self, options: &[String], value: &str, out: &mut dyn Output) -> Outcome {
        for option in options {
            match option.as_str() {
                "LANGUAGE" => {
                    let wanted = value.trim_matches(|c| "'N[]\"".contains(c)).trim();
                    let wanted = if wanted.starts_with('@') {
                        self.text(&TextOrVariable::Variable(wanted.to_owned()))?
                    } else {
                        wanted.to_owned()
                    };
                    let name = match wanted.to_lowercase().as_str() {
                        "us_english" | "english" => "us_english",
                        other if is_french(other) => "Français",
                        _ => {
                            let text = format!("There is no language '{wanted}' in sys.syslanguages.");
                            return Err(Halt::one(SqlMessage::new(2740, 16, 1, text)));
                        }
                    };
                    self.english = name == "us_english";
                    self.context.date_format =
                        if self.english { lab_tsql::DateFormat::Mdy } else { lab_tsql::DateFormat::Dmy };
                    {
                        let mut world = self.engine.world();
                        if let Some(entry) = self.own_entry(&mut world) {
                            entry.language = name.to_owned();
                        }
                    }
                    let text = if self.english {
                        format!("Changed language setting to {name}.")
                    } else {
                        format!("Le paramètre de langue est passé à {name}.")
                    };
                    out.message(&SqlMessage::new(5703, 0, 1, text)).await;
                }
                "LOCK_TIMEOUT" => {
                    let timeout = value.trim().parse().unwrap_or(-1);
                    let mut world = self.engine.world();
                    if let Some(entry) = self.own_entry(&mut world) {
                        entry.lock_timeout = timeout;
                    }
                }
                "NOCOUNT" => self.no_count = value.eq_ignore_ascii_case("ON"),
                "IMPLICIT_TRANSACTIONS" => self.implicit_transactions = value.eq_ignore_ascii_case("ON"),
                "DATEFORMAT" => {
                    self.context.date_format = match value.trim_matches('\'').to_lowercase().as_str() {
                        "dmy" => lab_tsql::DateFormat::Dmy,
                        "ymd" => lab_tsql::DateFormat::Ymd,
                        _ => lab_tsql::DateFormat::Mdy,
                    };
                }
                "DATEFIRST" => self.date_first = value.trim().parse().unwrap_or(7),
                known if QUIET_OPTIONS.iter().any(|o| known == *o || known.starts_with(&format!("{o} "))) => {}
                other => {
                    let text = format!("'{other}' is not a recognized SET option.");
                    self.count_unknown(&format!("SET {other} {value}"), &text);
                    return Err(Halt::one(SqlMessage::new(195, 15, 5, text)));
                }
            }
        }
        Ok(())
    }

    async fn wait(&mut self, delay: &TextOrVariable) -> Outcome {
        let text = self.text(delay)?;
        let mut seconds = 0.0;
        for part in text.trim().split(':') {
            let number: f64 = part.trim().parse().map_err(|_| {
                Halt::one(SqlMessage::new(
                    148,
                    15,
                    1,
                    format!("Incorrect time syntax in time string '{text}' used with WAITFOR."),
                ))
            })?;
            seconds = seconds * 60.0 + number;
        }
        if text.matches(':').count() == 1 {
            seconds *= 60.0;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 86_399.0))) => Ok(()),
            () = self.ended.wait() => Err(Halt::Killed),
        }
    }

    /// Runs text in a scope of its own: no variables of the caller, the database as before afterwards.
    ///
    /// Returns how it ended and the values of the parameters.
    pub(crate) async fn nested_batch(
        &mut self,
        text: &str,
        parameters: Vec<(String, SqlType, Value)>,
        out: &mut dyn Output,
    ) -> Result<(Control, Vec<Value>), Halt> {
        let statements = lab_tsql::parse_batch(text).inspect_err(|error| self.note_unknown(error, text))?;
        let nested = self.context.nested();
        let outer = std::mem::replace(&mut self.context, nested);
        let names: Vec<(String, SqlType)> = parameters.iter().map(|(n, t, _)| (n.clone(), *t)).collect();
        for (name, data_type, value) in parameters {
            self.context.variables.declare(&name, data_type, value);
        }
        let control = self.run(&statements, out).await;
        let values = names
            .iter()
            .map(|(name, _)| self.context.variables.get(name).map_or(Value::Null, |v| v.value.clone()))
            .collect();
        let inner = std::mem::replace(&mut self.context, outer);
        self.context.transaction_count = inner.transaction_count;
        self.context.row_count = inner.row_count;
        self.context.error = inner.error;
        if inner.database != self.context.database && !self.ended.is_set() {
            let back = self.context.database.clone();
            let back = self.enter(&back).or_else(|_| self.enter("master"))?;
            out.database(&back).await;
        }
        let control = match control {
            Control::Return(_) | Control::Break | Control::Continue => Control::Next,
            other => other,
        };
        Ok((control, values))
    }
}

/// A value as PRINT shows it.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Variant(_, inner) => as_text(inner),
        Value::Float(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::DateTime(at) => at.to_naive().format("%b %e %Y %l:%M%p").to_string(),
        Value::Uuid(id) => id.to_string().to_uppercase(),
        other => other.as_i128().map(|n| n.to_string()).unwrap_or_default(),
    }
}
