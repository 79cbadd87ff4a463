//! A lab for tests, and short forms to ask its instances.
#![allow(dead_code)] // Each test file uses its own share of these.

use lab_tsql::Value;
use pchat_lab::engine::connection::{Collected, Connection};
use pchat_lab::engine::error::SqlMessage;
use pchat_lab::engine::session::ClientInfo;
use pchat_lab::engine::Engine;
use pchat_lab::scenario::Scenario;
use serde_json::{json, Value as Json};

/// The instance that takes over.
pub const B: &str = r"B\RTC";
/// The primary.
pub const P: &str = r"P\RTC";
/// The primary's mirror.
pub const PM: &str = r"PM\RTC";
/// The backup's mirror: French logins, binary collation.
pub const BM: &str = r"BM\RTC";

/// Instances from the standard topology with `changes` on top.
pub async fn engine(changes: Json) -> Engine {
    let scenario: Scenario = serde_json::from_value(changes).expect("scenario");
    Engine::start(&scenario).await.expect("lab")
}

/// The primary's site is dead; 5 log backups, 2 not copied, 3 not restored.
pub async fn lost(shipping: Json) -> Engine {
    let mut all = json!({ "log_backups": 5, "not_copied": 2, "not_restored": 3 });
    for (name, value) in shipping.as_object().expect("object") {
        all[name] = value.clone();
    }
    engine(json!({ "primary_site_lost": true, "log_shipping": all })).await
}

/// A session of an administrator in master.
pub fn session(engine: &Engine, instance: &str) -> Connection {
    let client = ClientInfo { login: "sa".into(), program: "test".into(), ..ClientInfo::default() };
    let mut connection = engine.connect(instance, "master", client).expect("login");
    let _ = &mut connection;
    connection
}

/// Runs a batch and returns what came.
pub async fn run(connection: &mut Connection, text: &str) -> Collected {
    let mut out = Collected::default();
    connection.batch(text, &mut out).await;
    out
}

/// Runs a batch as an administrator in master; fails on an error.
pub async fn sql(engine: &Engine, instance: &str, text: &str) -> Collected {
    engine.sql(instance, "master", text).await.unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Numbers of the errors that a batch raises, in order.
pub async fn errors(engine: &Engine, instance: &str, text: &str) -> Vec<i32> {
    let mut connection = session(engine, instance);
    numbers(&run(&mut connection, text).await)
}

/// Numbers of the errors in an answer.
pub fn numbers(out: &Collected) -> Vec<i32> {
    out.messages.iter().filter(|m| m.severity > 10).map(|m| m.number).collect()
}

/// The first value as text.
pub fn text(out: &Collected) -> String {
    shown(out.scalar().expect("a value"))
}

/// A value as text.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Uuid(id) => id.to_string(),
        other => pchat_lab::engine::execute::as_text(other),
    }
}

/// The first column of the first result set as texts.
pub fn column(out: &Collected) -> Vec<String> {
    out.sets.first().map(|s| s.rows.iter().map(|r| shown(&r[0])).collect()).unwrap_or_default()
}

/// Log backups in a folder as the instance sees them, oldest first, with their full paths.
pub async fn files(engine: &Engine, instance: &str, folder: &str) -> Vec<String> {
    let out = sql(engine, instance, &format!("EXEC master.sys.xp_dirtree N'{folder}', 1, 1")).await;
    let mut names: Vec<String> = column(&out).into_iter().filter(|n| n.ends_with(".trn")).collect();
    names.sort();
    names.into_iter().map(|n| format!("{folder}\\{n}")).collect()
}

/// Waits until the mirroring state of a database is this one.
pub async fn mirroring_becomes(engine: &Engine, instance: &str, state: &str) {
    let question = "SELECT mirroring_state_desc FROM sys.database_mirroring WHERE database_id = DB_ID('mgc')";
    let mut seen = String::new();
    for _ in 0..400 {
        seen = text(&sql(engine, instance, question).await);
        if seen == state {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("mgc on {instance} is {seen} and does not become {state}");
}

/// Message numbers in a copy of mgc.
pub fn messages(engine: &Engine, instance: &str) -> Vec<u64> {
    let world = engine.world();
    let index = world.find_instance(instance).expect("instance");
    world.instances[index].database("mgc").map(|d| d.messages()).unwrap_or_default()
}

/// The error of a call that has to fail.
pub fn refused<T>(result: Result<T, SqlMessage>) -> i32 {
    match result {
        Ok(_) => panic!("it was let in"),
        Err(error) => error.number,
    }
}
