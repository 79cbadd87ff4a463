//! A handler with an answer for everything the tests ask, and a raw client that sees
//! each packet.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tds_server::{
    async_trait, Answer, CancelToken, Column, ConnectDecision, Date, Flow, Handler, Length, Login, LoginError, Numeric,
    RpcCall, ServerConfig, ServerHandle, ServerMessage, Session, SessionInfo, SqlType, Timestamp, Value,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use uuid::Uuid;

pub mod raw;

/// Longer than any step of a test takes.
pub const SOON: Duration = Duration::from_secs(20);

pub const LSN: i128 = 42_000_000_001_700_001_234_567;

#[derive(Default)]
pub struct Fake {
    pub logins: Mutex<Vec<Login>>,
    pub closed: Mutex<Vec<u16>>,
    pub closed_one: Notify,
    /// Lets `progress` go on.
    pub go_on: Notify,
    /// Told when `wait` and `hold` have started.
    pub started: Notify,
    pub dropped: AtomicUsize,
    pub held_to_the_end: AtomicBool,
    pub token: Mutex<Option<CancelToken>>,
    pub decision: Mutex<ConnectDecision>,
    pub resets: AtomicUsize,
}

/// Counts futures that were dropped before they ended.
struct CountDrop<'a>(&'a AtomicUsize);

impl Drop for CountDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Handler for Fake {
    async fn connected(&self, _: SocketAddr) -> ConnectDecision {
        *self.decision.lock().unwrap()
    }

    async fn login(&self, login: &Login) -> Result<SessionInfo, LoginError> {
        self.logins.lock().unwrap().push(login.clone());
        if login.password != "secret" && !login.integrated {
            return Err(LoginError::login_failed(&login.user));
        }
        if login.database == "mgc" {
            return Err(LoginError::cannot_open_database("mgc", &login.user));
        }
        let database = if login.database.is_empty() { "master" } else { &login.database };
        Ok(SessionInfo::new(database).data(0u32))
    }

    async fn batch(&self, session: &mut Session, sql: &str, out: &mut Answer) -> Flow {
        let (word, rest) = sql.split_once(' ').unwrap_or((sql, ""));
        match word {
            "typed" => typed(out).await,
            "errors" => {
                out.error(ServerMessage::new(4305, 16, "The log in this backup set begins at a later LSN.")).await;
                out.error(ServerMessage::new(3013, 16, "RESTORE LOG is terminating abnormally.").line(3)).await;
            }
            "progress" => {
                out.info(ServerMessage::new(3211, 10, "50 percent processed.")).await;
                self.go_on.notified().await;
                out.info(ServerMessage::info(3014, "RESTORE LOG successfully processed 2 pages.")).await;
            }
            "wait" => {
                let _dropped = CountDrop(&self.dropped);
                *self.token.lock().unwrap() = Some(session.cancel_token());
                one_row(out, Value::Int(1)).await;
                out.flush().await;
                self.started.notify_one();
                std::future::pending::<()>().await;
            }
            "hold" => {
                let guard = session.hold();
                let token = session.cancel_token();
                self.started.notify_one();
                token.cancelled().await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.held_to_the_end.store(true, Ordering::SeqCst);
                drop(guard);
                let _dropped = CountDrop(&self.dropped);
                std::future::pending::<()>().await;
            }
            "rows" => {
                let text = "x".repeat(100);
                out.columns(vec![
                    Column::new("n", SqlType::Int).not_null(),
                    Column::new("text", SqlType::nvarchar(200)),
                ])
                .await;
                for n in 0..rest.parse().unwrap() {
                    out.row(vec![Value::Int(n), text.as_str().into()]).await;
                }
                out.done_rows().await;
            }
            "length" => one_row(out, Value::Int(sql.len() as i32)).await,
            "text" => one_row(out, Value::String("é€".repeat(40_000))).await,
            "abort" | "cut" => {
                one_row(out, Value::Int(1)).await;
                out.flush().await;
                return if word == "cut" { Flow::Cut } else { Flow::Abort };
            }
            "bye" => {
                one_row(out, Value::Int(1)).await;
                return Flow::Close;
            }
            "panic" => panic!("on purpose"),
            "use" => out.env_change_database(rest).await,
            "misfit" => {
                out.columns(vec![Column::new("n", SqlType::TinyInt)]).await;
                for n in [1, 1000, 2] {
                    out.row(vec![Value::Int(n)]).await;
                }
            }
            "exec" => {
                out.in_procedure(true).await;
                one_row(out, Value::Int(1)).await;
                out.done(Some(3)).await;
                out.return_status(5).await;
                out.in_procedure(false).await;
            }
            "kill" => {
                let spid = rest.parse().unwrap();
                let found = session.server().close_session(spid, Some(ServerMessage::killed()));
                one_row(out, Value::Bit(found)).await;
            }
            _ => {
                let count = session.data_mut::<u32>().unwrap();
                *count += 1;
                let count = *count as i32;
                out.columns(vec![
                    Column::new("spid", SqlType::SmallInt),
                    Column::new("count", SqlType::Int),
                    Column::new("database", SqlType::sysname()),
                ])
                .await;
                let spid = Value::SmallInt(session.spid() as i16);
                out.row(vec![spid, Value::Int(count), session.database().into()]).await;
            }
        }
        Flow::Continue
    }

    async fn rpc(&self, _: &mut Session, call: &RpcCall, out: &mut Answer) -> Flow {
        match call {
            RpcCall::Statement { sql, params } => {
                let ty = SqlType::NVarChar(Length::Unlimited);
                let columns = ["sql", "name", "type", "value"].map(|name| Column::new(name, ty));
                out.columns(columns.to_vec()).await;
                for param in params {
                    let value = format!("{:?}", param.value);
                    out.row(vec![
                        sql.as_str().into(),
                        param.name.as_str().into(),
                        param.ty.name().into(),
                        value.into(),
                    ])
                    .await;
                }
            }
            RpcCall::Procedure { name, .. } if name == "dbo.twice" => {
                let value = call.param("value").and_then(|param| param.value.as_i128()).unwrap_or(0);
                if let Some(result) = call.param("@Result") {
                    out.return_value(result, Value::Int(value as i32 * 2)).await;
                }
                out.return_status(7).await;
            }
            RpcCall::Procedure { name, .. } => {
                let text = format!("Could not find stored procedure '{name}'.");
                out.error(ServerMessage::new(2812, 16, text).state(62)).await;
            }
        }
        Flow::Continue
    }

    async fn reset(&self, _: &mut Session) {
        self.resets.fetch_add(1, Ordering::SeqCst);
    }

    async fn closed(&self, session: &mut Session) {
        self.closed.lock().unwrap().push(session.spid());
        self.closed_one.notify_one();
    }
}

impl Fake {
    /// Waits until `count` sessions have ended.
    pub async fn wait_closed(&self, count: usize) {
        tokio::time::timeout(SOON, async {
            while self.closed.lock().unwrap().len() < count {
                self.closed_one.notified().await;
            }
        })
        .await
        .expect("the handler never heard of the end");
    }
}

pub async fn one_row(out: &mut Answer, value: Value) {
    let ty = match &value {
        Value::String(_) => SqlType::NVarChar(Length::Unlimited),
        value => value.natural_type().unwrap(),
    };
    out.columns(vec![Column::new("value", ty)]).await;
    out.row(vec![value]).await;
    out.done_rows().await;
}

/// Every type with a value; the order is that of the tests.
pub fn typed_columns() -> Vec<(SqlType, Value)> {
    let moment = Timestamp::new(2026, 3, 14, 2, 15, 59, 123_000_000).unwrap();
    vec![
        (SqlType::TinyInt, Value::TinyInt(200)),
        (SqlType::SmallInt, Value::SmallInt(-2)),
        (SqlType::Int, Value::Int(-70_000)),
        (SqlType::BigInt, Value::BigInt(i64::MIN)),
        (SqlType::Bit, Value::Bit(true)),
        (SqlType::numeric(25, 0), Value::Numeric(Numeric::whole(LSN))),
        (SqlType::numeric(9, 2), Value::Numeric(Numeric { value: -12345, scale: 2 })),
        (SqlType::Real, Value::Real(1.5)),
        (SqlType::Float, Value::Float(-2.25)),
        (SqlType::DateTime, Value::DateTime(moment)),
        (SqlType::DateTime2 { scale: 7 }, Value::DateTime(moment)),
        (SqlType::Date, Value::Date(Date::from_ymd(2026, 2, 28).unwrap())),
        (SqlType::UniqueIdentifier, Value::Guid(Uuid::from_u128(0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF))),
        (SqlType::nvarchar(50), "Grüße 😀".into()),
        (SqlType::NVarChar(Length::Unlimited), "max".into()),
        (SqlType::NChar(5), "ab".into()),
        (SqlType::VarChar(Length::Max(50)), "café €".into()),
        (SqlType::Char(3), "x".into()),
        (SqlType::VarBinary(Length::Max(16)), Value::Binary(vec![1, 2, 255])),
        (SqlType::VarBinary(Length::Unlimited), Value::Binary(vec![9; 9000])),
        (SqlType::Binary(4), Value::Binary(vec![7])),
        (SqlType::Variant, Value::String("10.50.6000.34".into())),
        (SqlType::Variant, Value::Int(1)),
    ]
}

async fn typed(out: &mut Answer) {
    let columns = typed_columns();
    out.columns(columns.iter().zip(1..).map(|((ty, _), n)| Column::new(format!("c{n}"), *ty)).collect()).await;
    out.row(columns.iter().map(|(_, value)| value.clone()).collect()).await;
    out.row(columns.iter().map(|_| Value::Null).collect()).await;
    out.done_rows().await;
}

/// A server on a port of its own.
pub async fn start(config: ServerConfig) -> (ServerHandle, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handle = tds_server::listen(listener, config, fake.clone()).unwrap();
    (handle, fake)
}
