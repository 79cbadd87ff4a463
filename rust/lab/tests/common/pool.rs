//! A whole lab for tests: its control door, and the Lync side's commands in short forms.

use super::{sql, text};
use pchat_lab::control::server::Door;
use pchat_lab::Lab;
use serde_json::{json, Value};
use std::time::Duration;

/// Persistent Chat servers of the home site.
pub const HOME: [&str; 2] = ["s1.contoso.com", "s2.contoso.com"];
/// Persistent Chat servers of the other site.
pub const OTHER: [&str; 2] = ["s3.contoso.com", "s4.contoso.com"];

/// Sends a command to the control door; fails when it is refused.
pub async fn door(lab: &Lab, command: &str, arguments: Value) -> Value {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    lab.door().answer(command, &arguments).await.unwrap_or_else(|e| panic!("{command}: {e}"))
}

/// Runs a native command; fails when it fails.
pub async fn native(lab: &Lab, name: &str, parameters: Value) -> Value {
    let answer = door(lab, "native", json!({ "name": name, "parameters": parameters })).await;
    assert_eq!(answer["outcome"], "completed", "{name}: {answer}");
    answer["objects"].clone()
}

/// The lab's truth.
pub async fn truth(lab: &Lab) -> Value {
    door(lab, "truth", json!({})).await
}

/// Waits until users are served through exactly these instances; returns the truth then.
pub async fn served_through(lab: &Lab, instances: &[&str]) -> Value {
    let mut seen = Value::Null;
    for _ in 0..500 {
        seen = truth(lab).await;
        if seen["serving"] == json!(instances) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not served through {instances:?}: {} {}", seen["serving"], seen["users"]);
}

/// Starts or stops a service on servers; every Persistent Chat service when `name` is empty.
pub async fn services(lab: &Lab, verb: &str, servers: &[&str], name: &str) {
    for server in servers {
        let mut parameters = json!({ "ComputerName": server });
        if !name.is_empty() {
            parameters["Name"] = name.into();
        }
        native(lab, &format!("{verb}-CsWindowsService"), parameters).await;
    }
}

/// Replaces the active list, or clears it.
pub async fn active_list(lab: &Lab, servers: &[&str]) {
    let list = if servers.is_empty() { Value::Null } else { json!({ "Replace": servers }) };
    native(lab, "Set-CsPersistentChatActiveServer", json!({ "Identity": "global", "ActiveServers": list })).await;
}

/// Sets the pool's state.
pub async fn pool_state(lab: &Lab, state: &str) {
    let parameters = json!({ "Identity": "service:pchat.contoso.com", "PoolState": state });
    native(lab, "Set-CsPersistentChatState", parameters).await;
}

/// Enables or disables the first job whose name is like this.
pub async fn job(lab: &Lab, instance: &str, pattern: &str, enabled: bool) {
    let on = i32::from(enabled);
    let text = format!(
        "DECLARE @id uniqueidentifier; SELECT @id = job_id FROM msdb.dbo.sysjobs WHERE name LIKE N'{pattern}'; EXEC msdb.dbo.sp_update_job @job_id = @id, @enabled = {on}"
    );
    sql(lab.engine(), instance, &text).await;
}

/// User sessions in mgc.
pub async fn sessions(lab: &Lab, instance: &str) -> String {
    let question = "SELECT COUNT(*) FROM sys.sysprocesses WHERE dbid = DB_ID('mgc') AND spid > 50";
    text(&sql(lab.engine(), instance, question).await)
}

/// Sets up a mirror over whatever lies on the mirror instance.
pub async fn install_mirror(lab: &Lab, server: &str) {
    let parameters = json!({
        "DatabaseType": "PersistentChat", "FileShare": r"\\fs2\mirror", "SqlServerFqdn": server,
        "SqlInstanceName": "RTC", "DropExistingDatabasesOnMirror": true, "Confirm": false,
    });
    native(lab, "Install-CsMirrorDatabase", parameters).await;
}

/// Swaps the roles of the pool's current pair.
pub async fn new_principal(lab: &Lab, which: &str) {
    let parameters = json!({
        "PoolFqdn": "pchat.contoso.com", "DatabaseType": "PersistentChat", "NewPrincipal": which, "Confirm": false,
    });
    native(lab, "Invoke-CsDatabaseFailover", parameters).await;
}
