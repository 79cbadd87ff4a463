//! ALTER, CREATE and DROP DATABASE, temporary tables, KILL.

use super::cursor::Cursor;
use super::lexer::TokenKind;
use crate::ast::{
    AlterDatabaseAction, AlterDatabaseStmt, Availability, PartnerAction, RecoveryModel, StatementKind, Termination,
    UserAccess,
};
use crate::error::SqlError;

impl Cursor<'_> {
    pub(super) fn kill(&mut self) -> Result<Option<StatementKind>, SqlError> {
        self.position += 1;
        // KILL 'unit of work' ends a distributed transaction; KILL QUERY NOTIFICATION and KILL STATS JOB are rare too.
        if self.text().is_some() || matches!(self.word().as_str(), "QUERY" | "STATS") {
            return Ok(None);
        }
        let session_id = self.integer()?;
        let status_only = self.take_word("WITH");
        if status_only {
            self.expect_word("STATUSONLY")?;
        }
        Ok(Some(StatementKind::Kill { session_id, status_only }))
    }

    pub(super) fn create(&mut self) -> Result<Option<StatementKind>, SqlError> {
        self.position += 1;
        if self.take_word("DATABASE") {
            let name = self.name()?;
            return Ok(self.at_statement_end().then_some(StatementKind::CreateDatabase(name)));
        }
        if self.take_word("TABLE") {
            let name = self.object_name()?;
            let columns = self.column_definitions()?;
            return Ok(columns.map(|columns| StatementKind::CreateTable { name, columns }));
        }
        Ok(None)
    }

    pub(super) fn drop(&mut self) -> Result<Option<StatementKind>, SqlError> {
        self.position += 1;
        let database = self.take_word("DATABASE");
        if !database && !self.take_word("TABLE") {
            return Ok(None);
        }
        let if_exists = self.is_word("IF");
        if if_exists {
            self.position += 1;
            self.expect_word("EXISTS")?;
        }
        let (mut databases, mut tables) = (Vec::new(), Vec::new());
        loop {
            if database {
                databases.push(self.name()?);
            } else {
                tables.push(self.object_name()?);
            }
            if !self.take_symbol(',') {
                break;
            }
        }
        Ok(Some(if database {
            StatementKind::DropDatabase { names: databases, if_exists }
        } else {
            StatementKind::DropTable { names: tables, if_exists }
        }))
    }

    pub(super) fn alter(&mut self) -> Result<Option<StatementKind>, SqlError> {
        self.position += 1;
        if !self.take_word("DATABASE") {
            return Ok(None);
        }
        if matches!(self.word().as_str(), "SCOPED" | "AUDIT" | "ENCRYPTION") {
            return Ok(None);
        }
        let name = if self.is_word("CURRENT") {
            self.position += 1;
            String::new()
        } else {
            self.name()?
        };
        let action = if self.take_word("SET") {
            self.database_option()?
        } else if self.take_word("COLLATE") {
            AlterDatabaseAction::Collate(self.name()?)
        } else if self.take_word("MODIFY") {
            if !self.take_word("NAME") {
                return Ok(None);
            }
            self.expect_symbol('=')?;
            AlterDatabaseAction::ModifyName(self.name()?)
        } else if matches!(self.word().as_str(), "ADD" | "REMOVE") {
            return Ok(None);
        } else {
            return Err(self.error());
        };
        Ok(Some(StatementKind::AlterDatabase(AlterDatabaseStmt { name, action })))
    }

    fn database_option(&mut self) -> Result<AlterDatabaseAction, SqlError> {
        use AlterDatabaseAction as A;
        let start = self.position;
        let word = self.word();
        self.position += 1;
        let access = match word.as_str() {
            "SINGLE_USER" => Some(UserAccess::Single),
            "RESTRICTED_USER" => Some(UserAccess::Restricted),
            "MULTI_USER" => Some(UserAccess::Multi),
            _ => None,
        };
        let availability = match word.as_str() {
            "ONLINE" => Some(Availability::Online),
            "OFFLINE" => Some(Availability::Offline),
            "EMERGENCY" => Some(Availability::Emergency),
            _ => None,
        };
        if !self.is_symbol(',') {
            if let Some(access) = access {
                let termination = self.termination()?;
                return Ok(A::SetUserAccess { access, termination });
            }
            if let Some(state) = availability {
                let termination = self.termination()?;
                return Ok(A::SetAvailability { state, termination });
            }
        }
        match word.as_str() {
            "PARTNER" => return self.partner().map(A::SetPartner),
            "WITNESS" => {
                if self.take_word("OFF") {
                    return Ok(A::SetWitness(None));
                }
                self.expect_symbol('=')?;
                let address = self.text().ok_or_else(|| self.error())?;
                return Ok(A::SetWitness(Some(address)));
            }
            "RECOVERY" => {
                let model = match self.word().as_str() {
                    "FULL" => Some(RecoveryModel::Full),
                    "BULK_LOGGED" => Some(RecoveryModel::BulkLogged),
                    "SIMPLE" => Some(RecoveryModel::Simple),
                    _ => None,
                };
                if let Some(model) = model.filter(|_| !self.symbol_ahead(1, ',')) {
                    self.position += 1;
                    self.termination()?;
                    return Ok(A::SetRecovery(model));
                }
                if model.is_none() {
                    return Err(self.error());
                }
            }
            _ => {}
        }
        self.position = start;
        let mut words: Vec<String> = Vec::new();
        while !self.at_statement_end() && !self.is_word("WITH") {
            if let Some(token) = self.peek() {
                let shown = match &token.kind {
                    TokenKind::Text { value, .. } => format!("'{value}'"),
                    _ => self.text_of(token).to_ascii_uppercase(),
                };
                words.push(shown);
            }
            self.position += 1;
        }
        if words.is_empty() {
            return Err(self.error());
        }
        let termination = self.termination()?;
        Ok(A::SetOption { option: words.join(" "), termination })
    }

    fn termination(&mut self) -> Result<Option<Termination>, SqlError> {
        if !self.take_word("WITH") {
            return Ok(None);
        }
        if self.take_word("NO_WAIT") {
            return Ok(Some(Termination::NoWait));
        }
        self.expect_word("ROLLBACK")?;
        if self.take_word("IMMEDIATE") {
            return Ok(Some(Termination::RollbackImmediate));
        }
        self.expect_word("AFTER")?;
        let seconds = self.seconds()?;
        self.take_word("SECONDS");
        Ok(Some(Termination::RollbackAfterSeconds(seconds)))
    }

    fn seconds(&mut self) -> Result<u32, SqlError> {
        let here = self.position;
        u32::try_from(self.integer()?).map_err(|_| {
            self.position = here;
            self.error()
        })
    }

    fn partner(&mut self) -> Result<PartnerAction, SqlError> {
        if self.take_symbol('=') {
            return self.text().map(PartnerAction::Address).ok_or_else(|| self.error());
        }
        let word = self.word();
        let action = match word.as_str() {
            "FAILOVER" => PartnerAction::Failover,
            "FORCE_SERVICE_ALLOW_DATA_LOSS" => PartnerAction::ForceServiceAllowDataLoss,
            "OFF" => PartnerAction::Off,
            "RESUME" => PartnerAction::Resume,
            "SUSPEND" => PartnerAction::Suspend,
            "SAFETY" if self.word_ahead(1) == "FULL" || self.word_ahead(1) == "OFF" => {
                self.position += 1;
                PartnerAction::Safety { full: self.is_word("FULL") }
            }
            "TIMEOUT" => {
                self.position += 1;
                return self.seconds().map(PartnerAction::TimeoutSeconds);
            }
            _ => return Err(self.error()),
        };
        self.position += 1;
        Ok(action)
    }
}
