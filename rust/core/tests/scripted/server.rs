//! A server that answers from a script: state that the test sets, and what becomes of the next statements.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use pchat_core::document::{AddressMapEntry, Encrypt, SessionSettings};
use pchat_core::names::InstanceName;
use pchat_core::sql::{Connector, Secret};
use tds_server::{
    async_trait, listen, Answer, Column, ConnectDecision, Encryption, Flow, Handler, Login, LoginError, Numeric,
    RpcCall, ServerConfig, ServerHandle, ServerMessage, Session, SessionInfo, SqlType, Timestamp, TlsIdentity, Value,
};
use uuid::Uuid;

pub const FAMILY: Uuid = Uuid::from_u128(1);
pub const FORK: Uuid = Uuid::from_u128(2);

/// What becomes of the next statement that changes something.
#[derive(Debug, Clone)]
pub enum Next {
    /// It works and moves the redo point there.
    To(u128),
    Error(u32),
    /// The connection is cut off; meanwhile the redo point has moved there, or not.
    Lost(Option<u128>),
    /// It takes so long, then works.
    Slow(Duration, u128),
}

#[derive(Default)]
pub struct State {
    pub next: VecDeque<Next>,
    /// Every text that was sent, in its order.
    pub sent: Vec<String>,
    pub logins: usize,
    pub closed: usize,
    pub redo: u128,
    pub redo_is_shown: bool,
    pub history: Option<u128>,
    /// As `sys.databases` has it.
    pub state_number: i32,
    pub is_standby: bool,
    /// Code of the next `sp_getapplock`.
    pub lock_code: i32,
    pub stalled: bool,
    pub hang_on: Option<&'static str>,
    /// The folder that the server sees as `E:\LSCopy`.
    pub folder: Option<PathBuf>,
    /// Sessions in the database: id and minute of login.
    pub sessions: Vec<(i32, u8)>,
}

pub struct Script(pub Mutex<State>);

impl Script {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn sent(&self, part: &str) -> usize {
        self.state().sent.iter().filter(|text| text.contains(part)).count()
    }
}

fn column(name: &str, ty: SqlType) -> Column {
    Column::new(name, ty)
}

fn at(minute: u8) -> Value {
    Value::DateTime(Timestamp::new(2026, 3, 14, 2, minute, 0, 0).unwrap())
}

fn lsn(value: u128) -> Value {
    Value::Numeric(Numeric::whole(i128::try_from(value).unwrap()))
}

async fn table(out: &mut Answer, columns: Vec<Column>, rows: Vec<Vec<Value>>) {
    out.columns(columns).await;
    for row in rows {
        out.row(row).await;
    }
    out.done_rows().await;
}

async fn number(out: &mut Answer, name: &str, value: i32) {
    table(out, vec![column(name, SqlType::Int)], vec![vec![Value::Int(value)]]).await;
}

impl Script {
    async fn answer(&self, spid: u16, sql: &str, params: &[Value], out: &mut Answer) -> Flow {
        self.state().sent.push(sql.to_string());
        if self.state().hang_on.is_some_and(|part| sql.contains(part)) {
            std::future::pending::<()>().await;
        }
        let text = |n: usize| Value::String(format!("{n}"));
        if sql.starts_with("SET LANGUAGE") || sql.starts_with("SELECT CAST(@@SPID") {
            number(out, "spid", i32::from(spid)).await;
        } else if sql.starts_with("RESTORE LOG") || sql.starts_with("RESTORE DATABASE") || sql.starts_with("USE [mgc]")
        {
            return self.change(sql, out).await;
        } else if sql.contains("redo_start_lsn") {
            let (redo, shown) = {
                let state = self.state();
                (state.redo, state.redo_is_shown)
            };
            let rows = if shown { vec![vec![lsn(redo), Value::Guid(FORK)]] } else { Vec::new() };
            let columns = vec![
                column("redo_start_lsn", SqlType::numeric(25, 0)),
                column("redo_start_fork_guid", SqlType::UniqueIdentifier),
            ];
            table(out, columns, rows).await;
        } else if sql.contains("b.fork_point_lsn IS NOT NULL") {
            let columns = vec![
                column("first_recovery_fork_guid", SqlType::UniqueIdentifier),
                column("fork_point_lsn", SqlType::numeric(25, 0)),
            ];
            table(out, columns, Vec::new()).await;
        } else if sql.contains("msdb.dbo.restorehistory") {
            let rows = self.state().history.map(|last| {
                vec![
                    at(0),
                    Value::String("L".into()),
                    lsn(last),
                    Value::Guid(FORK),
                    Value::Guid(FAMILY),
                    at(0),
                    Value::Int(7),
                ]
            });
            let columns = vec![
                column("restore_date", SqlType::DateTime),
                column("restore_type", SqlType::nvarchar(1)),
                column("last_lsn", SqlType::numeric(25, 0)),
                column("last_recovery_fork_guid", SqlType::UniqueIdentifier),
                column("family_guid", SqlType::UniqueIdentifier),
                column("backup_finish_date", SqlType::DateTime),
                column("media_set_id", SqlType::Int),
            ];
            table(out, columns, rows.into_iter().collect()).await;
        } else if sql.contains("backupmediafamily") {
            let path = Value::String("E:\\LSCopy\\mgc_20260314021500.trn".into());
            table(out, vec![column("physical_device_name", SqlType::nvarchar(260))], vec![vec![path]]).await;
        } else if sql.contains("is_in_standby") {
            self.database_row(out).await;
        } else if sql.contains("SELECT d.name FROM") {
            table(out, vec![column("name", SqlType::sysname())], vec![vec![Value::String("mgc".into())]]).await;
        } else if sql.contains("sp_getapplock") {
            let code = self.state().lock_code;
            number(out, "rc", code).await;
        } else if sql.contains("sp_releaseapplock") {
            number(out, "rc", 0).await;
        } else if sql.contains("N'APPLICATION'") {
            let columns = vec![
                column("description", SqlType::nvarchar(256)),
                column("spid", SqlType::Int),
                column("host_name", SqlType::nvarchar(128)),
                column("program_name", SqlType::nvarchar(128)),
                column("login_name", SqlType::nvarchar(128)),
                column("login_time", SqlType::DateTime),
            ];
            let words = ["0:[PersistentChatFailover:mgc]:(1a2b)", "ADMIN2", "PersistentChatFailover", "contoso\\anna"];
            let [description, host, program, login] = words.map(|word| Value::String(word.into()));
            table(out, columns, vec![vec![description, Value::Int(77), host, program, login, at(3)]]).await;
        } else if sql.contains("xp_fileexist") {
            let path = sql.split("N'E:\\LSCopy\\").nth(1).and_then(|rest| rest.strip_suffix('\''));
            let folder = self.state().folder.clone();
            let there = path.zip(folder).is_some_and(|(name, folder)| folder.join(name).is_file());
            let columns = ["File Exists", "File is a Directory", "Parent Directory Exists"]
                .map(|name| column(name, SqlType::TinyInt));
            table(
                out,
                columns.to_vec(),
                vec![vec![Value::TinyInt(u8::from(there)), Value::TinyInt(0), Value::TinyInt(1)]],
            )
            .await;
        } else if sql.contains("is_user_process") {
            self.session_rows(sql, out).await;
        } else if sql.contains("FROM master.dbo.sysprocesses p WHERE p.spid") {
            let minute = self
                .state()
                .sessions
                .iter()
                .find(|(spid, _)| Some(&Value::Int(*spid)) == params.first())
                .map(|(_, minute)| *minute);
            let columns = vec![column("login_time", SqlType::DateTime), column("command_name", SqlType::nvarchar(16))];
            table(out, columns, minute.map(|minute| vec![at(minute), text(0)]).into_iter().collect()).await;
        } else if let Some(spid) = sql.strip_prefix("KILL ") {
            let spid: i32 = spid.parse().unwrap();
            self.state().sessions.retain(|(known, _)| *known != spid);
        } else if sql.contains("found FROM master.sys.dm_tran_locks") {
            number(out, "found", 0).await;
        } else if sql.contains("dm_exec_requests") {
            let columns = vec![column("percent_complete", SqlType::Float), column("remaining_ms", SqlType::BigInt)];
            table(out, columns, vec![vec![Value::Float(37.5), Value::BigInt(8000)]]).await;
        } else if sql == "USE [master]" {
            out.done(None).await;
        } else {
            out.error(ServerMessage::new(102, 15, format!("The script has no answer to: {sql}"))).await;
        }
        Flow::Continue
    }

    async fn database_row(&self, out: &mut Answer) {
        let (state_number, standby) = {
            let state = self.state();
            (state.state_number, state.is_standby)
        };
        let names = [
            "state_number",
            "is_in_standby",
            "is_read_only",
            "user_access",
            "recovery_model",
            "compatibility_level",
            "database_id",
            "is_broker_enabled",
            "is_trustworthy_on",
            "is_db_chaining_on",
            "is_auto_close_on",
        ];
        let mut columns: Vec<Column> = names.iter().map(|name| column(name, SqlType::Int)).collect();
        columns.extend(["name", "collation_name", "owner_name"].map(|name| column(name, SqlType::nvarchar(128))));
        columns.push(column("create_date", SqlType::DateTime));
        let numbers = [state_number, i32::from(standby), i32::from(standby), 0, 1, 100, 5, 0, 0, 0, 0];
        let mut row: Vec<Value> = numbers.into_iter().map(Value::Int).collect();
        row.extend([Value::String("mgc".into()), Value::Null, Value::String("sa".into()), at(0)]);
        table(out, columns, vec![row]).await;
    }

    async fn session_rows(&self, sql: &str, out: &mut Answer) {
        let mut columns: Vec<Column> = vec![column("spid", SqlType::Int)];
        let texts = ["login_name", "host_name", "program_name", "status_name", "command_name"];
        columns.extend(texts.map(|name| column(name, SqlType::nvarchar(128))));
        columns.push(column("login_time", SqlType::DateTime));
        columns.extend(["open_transactions", "is_user_process"].map(|name| column(name, SqlType::Int)));
        let sessions = if sql.contains("dm_tran_locks") { Vec::new() } else { self.state().sessions.clone() };
        let row = |(spid, minute): (i32, u8)| {
            let mut row = vec![Value::Int(spid)];
            row.extend(texts.map(|name| Value::String(format!("{name}   "))));
            row.extend([at(minute), Value::Int(0), Value::Int(1)]);
            row
        };
        table(out, columns, sessions.into_iter().map(row).collect()).await;
    }

    async fn change(&self, sql: &str, out: &mut Answer) -> Flow {
        let next = self.state().next.pop_front();
        match next {
            Some(Next::To(redo)) => self.done(sql, redo),
            Some(Next::Slow(time, redo)) => {
                tokio::time::sleep(time).await;
                self.done(sql, redo);
            }
            Some(Next::Error(number)) => {
                let number = i32::try_from(number).unwrap();
                out.error(ServerMessage::new(number, 16, format!("Message {number}."))).await;
                out.error(ServerMessage::new(3013, 16, "RESTORE LOG is terminating abnormally.")).await;
            }
            Some(Next::Lost(redo)) => {
                if let Some(redo) = redo {
                    self.done(sql, redo);
                }
                return Flow::Abort;
            }
            None => out.error(ServerMessage::new(102, 15, "The script has ended.")).await,
        }
        Flow::Continue
    }

    fn done(&self, sql: &str, redo: u128) {
        let mut state = self.state();
        state.redo = redo;
        if sql.contains("WITH RECOVERY") {
            state.state_number = 0;
        } else if sql.contains("WITH NORECOVERY") {
            (state.state_number, state.is_standby) = (1, false);
        }
    }
}

/// The handler that a server keeps; the test keeps the script.
struct Served(Arc<Script>);

#[async_trait]
impl Handler for Served {
    async fn connected(&self, _: SocketAddr) -> ConnectDecision {
        if self.0.state().stalled {
            ConnectDecision::Stall
        } else {
            ConnectDecision::Accept
        }
    }

    async fn login(&self, login: &Login) -> Result<SessionInfo, LoginError> {
        self.0.state().logins += 1;
        if login.user != "sa" || login.password.as_str() != "it's [secret]" {
            return Err(LoginError::login_failed(&login.user));
        }
        Ok(SessionInfo::new("master"))
    }

    async fn batch(&self, session: &mut Session, sql: &str, out: &mut Answer) -> Flow {
        self.0.answer(session.spid(), sql, &[], out).await
    }

    async fn rpc(&self, session: &mut Session, call: &RpcCall, out: &mut Answer) -> Flow {
        match call {
            RpcCall::Statement { sql, params } => {
                let values: Vec<Value> = params.iter().map(|param| param.value.clone()).collect();
                self.0.answer(session.spid(), sql, &values, out).await
            }
            RpcCall::Procedure { .. } => Flow::Close,
        }
    }

    async fn closed(&self, _: &mut Session) {
        self.0.state().closed += 1;
    }
}

/// A server, its script, and a connector that knows it as `B\RTC`.
pub struct Ground {
    pub server: ServerHandle,
    pub script: Arc<Script>,
    pub identity: Arc<TlsIdentity>,
}

pub fn instance() -> InstanceName {
    "B\\RTC".parse().unwrap()
}

impl Ground {
    pub async fn start() -> Ground {
        let identity = Arc::new(TlsIdentity::self_signed(&["B"]).unwrap());
        let config =
            ServerConfig { encryption: Encryption::Off, tls: Some(identity.clone()), ..ServerConfig::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state =
            State { redo: 9_999_000_000_000_000_100_001, redo_is_shown: true, state_number: 1, ..State::default() };
        let script = Arc::new(Script(Mutex::new(state)));
        let server = listen(listener, config, Arc::new(Served(script.clone()))).unwrap();
        Ground { server, script, identity }
    }

    pub fn connector(&self, change: impl FnOnce(&mut SessionSettings)) -> Connector {
        let mut settings = SessionSettings {
            version: 1,
            encrypt: Encrypt::Mandatory,
            trust_server_certificate: true,
            connect_timeout_seconds: 5,
            address_map: vec![AddressMapEntry { name: "b\\rtc".into(), address: self.server.local_addr().to_string() }],
        };
        change(&mut settings);
        let connector = Connector::new(&settings).unwrap();
        connector.add_login(None, "sa", Secret::new("it's [secret]"));
        connector
    }
}
