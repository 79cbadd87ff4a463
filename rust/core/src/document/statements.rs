//! The statements of a planned step.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Result;
use crate::names::{Lsn, ServerPath, Text};
use crate::sql::restore::{restore_log_statement, LogRestore};

/// Statements, word for word, in order. Those that restore log backups are kept as what they are made of: with ten
/// thousand log backups their text is most of a plan.
#[derive(Debug, Clone, Default)]
pub struct Statements(Vec<Statement>);

#[derive(Debug, Clone)]
enum Statement {
    Text(String),
    RestoreLog { database: Text, path: ServerPath, position: u32 },
}

impl Statement {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Statement::Text(text) => Cow::Borrowed(text),
            Statement::RestoreLog { database, path, position } => {
                let paths = vec![path.clone()];
                let restore =
                    LogRestore { database: database.clone(), paths, position: *position, last_lsn: Lsn::ZERO };
                // It was made once already, when it was taken in.
                Cow::Owned(restore_log_statement(&restore).unwrap_or_default())
            }
        }
    }
}

impl Statements {
    /// Makes room for as many more.
    pub(crate) fn reserve_exact(&mut self, more: usize) {
        self.0.reserve_exact(more);
    }

    pub fn push(&mut self, statement: String) {
        self.0.push(Statement::Text(statement));
    }

    /// Adds the statement that restores a log backup.
    ///
    /// # Errors
    /// As [`restore_log_statement`].
    pub(crate) fn push_restore(&mut self, restore: LogRestore) -> Result<()> {
        let text = restore_log_statement(&restore)?;
        let LogRestore { database, paths, position, .. } = restore;
        self.0.push(match <[ServerPath; 1]>::try_from(paths) {
            Ok([path]) => Statement::RestoreLog { database, path, position },
            Err(_) => Statement::Text(text),
        });
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.iter().map(Statement::text)
    }
}

impl Extend<String> for Statements {
    fn extend<I: IntoIterator<Item = String>>(&mut self, statements: I) {
        self.0.extend(statements.into_iter().map(Statement::Text));
    }
}

impl FromIterator<String> for Statements {
    fn from_iter<I: IntoIterator<Item = String>>(statements: I) -> Statements {
        Statements(statements.into_iter().map(Statement::Text).collect())
    }
}

impl PartialEq for Statements {
    fn eq(&self, other: &Statements) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Serialize for Statements {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Statements, D::Error> {
        Vec::<String>::deserialize(deserializer).map(Statements::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restore(paths: &[&str]) -> LogRestore {
        let paths = paths.iter().map(|path| ServerPath::new(*path)).collect();
        LogRestore { database: "mgc".into(), paths, position: 2, last_lsn: Lsn::ZERO }
    }

    #[test]
    fn a_restore_is_shown_as_it_is_sent() {
        let mut statements = Statements::default();
        statements.push("USE [master]".to_string());
        for paths in [&[r"E:\a.trn"][..], &[r"E:\a.trn", r"E:\b.trn"]] {
            statements.push_restore(restore(paths)).expect("a statement");
        }
        let texts: Vec<String> = statements.iter().map(Cow::into_owned).collect();
        let sent = |paths: &[&str]| restore_log_statement(&restore(paths)).expect("a statement");
        assert_eq!(texts, ["USE [master]".to_string(), sent(&[r"E:\a.trn"]), sent(&[r"E:\a.trn", r"E:\b.trn"])]);
        let read: Statements =
            serde_json::from_str(&serde_json::to_string(&statements).expect("written")).expect("read");
        assert_eq!(read, statements);
    }

    #[test]
    fn a_restore_of_nothing_is_no_statement() {
        assert!(Statements::default().push_restore(restore(&[])).is_err());
    }
}
