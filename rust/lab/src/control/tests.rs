use std::sync::Mutex;

use super::*;
use crate::pool::fake::Fake;
use crate::pool::settings::PoolSettings;

#[derive(Default)]
struct Engine(Mutex<Vec<String>>);

impl Engine {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

#[async_trait]
impl EngineCommands for Engine {
    fn describe(&self) -> Value {
        json!({ "instances": [] })
    }
    fn state(&self) -> Value {
        json!({ "databases": [] })
    }
    fn truth(&self) -> Value {
        json!({ "newest_message": 7 })
    }
    fn effects(&self) -> Value {
        json!([])
    }
    fn unknown_statements(&self) -> Value {
        json!([])
    }

    fn statements(&self, _record: bool) -> Value {
        json!([])
    }
    async fn fault(&self, name: &str, on: bool, args: &Value) -> Result<(), String> {
        if name != "share_lost" {
            return Err(format!("there is no fault {name}"));
        }
        self.note(format!("{name} {on} {args}"));
        Ok(())
    }
    fn advance_seconds(&self, seconds: i64) -> Value {
        self.note(format!("clock {seconds}"));
        json!({ "advanced": seconds })
    }
    async fn pass_seconds(&self, seconds: i64) -> Value {
        json!({ "passed": seconds })
    }
    fn rebuild_primary_site(&self) {}
    fn messages(&self, per_second: Option<f64>, count: u32) -> Result<Value, String> {
        Ok(json!({ "per_second": per_second, "written": count }))
    }
    async fn set_primary_site(&self, alive: bool) {
        self.note(format!("site {alive}"));
    }
}

fn door() -> (Arc<Engine>, LabDoor) {
    let engine = Arc::new(Engine::default());
    let pool = Fake::new().pool(PoolSettings::default());
    let about = Map::from_iter([("scenario".to_string(), "test".into())]);
    (engine.clone(), LabDoor::new(engine, pool, about))
}

async fn say(door: &LabDoor, request: Value) -> Result<Value, String> {
    let Value::Object(mut members) = request else { panic!("an object") };
    let Some(Value::String(command)) = members.remove("command") else { panic!("a command") };
    door.answer(&command, &members).await
}

#[tokio::test]
async fn both_halves_answer_together() {
    let (_, door) = door();
    let described = say(&door, json!({ "command": "describe" })).await.unwrap();
    assert_eq!((&described["instances"], &described["scenario"]), (&json!([]), &json!("test")));
    assert_eq!(described["pool"]["pool_fqdn"], "pchat.contoso.com");
    let state = say(&door, json!({ "command": "state" })).await.unwrap();
    assert_eq!(state["pool"]["pool_state"], "Normal");
    assert!(state["databases"].is_array());
    let truth = say(&door, json!({ "command": "truth" })).await.unwrap();
    assert_eq!(truth["newest_message"], 7);
    assert!(truth["users"]["in"].is_boolean() && truth["native_calls"].is_array());
}

#[tokio::test]
async fn a_lost_site_is_lost_on_both_halves() {
    let (engine, door) = door();
    say(&door, json!({ "command": "primary_site_lost" })).await.unwrap();
    let alive = |state: Value| -> Vec<bool> {
        state["pool"]["servers"].as_array().unwrap().iter().map(|s| s["alive"].as_bool().unwrap()).collect()
    };
    assert_eq!(alive(say(&door, json!({ "command": "state" })).await.unwrap()), [false, false, true, true]);
    say(&door, json!({ "command": "primary_site_back" })).await.unwrap();
    assert_eq!(alive(say(&door, json!({ "command": "state" })).await.unwrap()), [true; 4]);
    assert_eq!(*engine.0.lock().unwrap(), ["site false", "site true"]);
}

#[tokio::test]
async fn faults_find_their_half() {
    let (engine, door) = door();
    let on = json!({ "command": "fault", "name": "native_throws", "args": { "command": "Get-CsPool" } });
    say(&door, on).await.unwrap();
    let native = json!({ "command": "native", "name": "Get-CsPool", "parameters": {} });
    assert_eq!(say(&door, native.clone()).await.unwrap()["outcome"], "failed");
    let off = json!({ "command": "fault", "name": "native_throws", "on": false, "args": { "command": "Get-CsPool" } });
    say(&door, off).await.unwrap();
    assert_eq!(say(&door, native).await.unwrap()["outcome"], "completed");
    say(&door, json!({ "command": "fault", "name": "share_lost", "args": { "share": "x" } })).await.unwrap();
    assert_eq!(*engine.0.lock().unwrap(), [r#"share_lost true {"share":"x"}"#]);
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (engine, door) = door();
    for request in [
        json!({ "command": "dance" }),
        json!({ "command": "describe", "loud": true }),
        json!({ "command": "clock", "advance_seconds": -1 }),
        json!({ "command": "clock", "advance_seconds": "soon" }),
        json!({ "command": "fault" }),
        json!({ "command": "fault", "name": "no_such_fault" }),
        json!({ "command": "fault", "name": "native_throws", "on": 1 }),
        json!({ "command": "fault", "name": "native_throws", "args": { "comand": "x" } }),
        json!({ "command": "native" }),
        json!({ "command": "native", "name": "Get-CsPool", "parameters": [] }),
        json!({ "command": "native", "name": "Get-CsPool", "dialect": "Teams" }),
    ] {
        assert!(say(&door, request.clone()).await.is_err(), "{request}");
    }
    assert!(engine.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn stop_is_told_to_whoever_waits_once_it_was_answered() {
    let (_, door) = door();
    let mut stopping = door.stopping();
    assert!(!*stopping.borrow_and_update());
    say(&door, json!({ "command": "stop" })).await.unwrap();
    assert!(!stopping.has_changed().unwrap());
    door.answered("stop");
    assert!(*stopping.borrow_and_update());
}
